"""The text of a scenario: a first line that names it, then one command or expectation a line.

A block is written as its epoch, with a tag where an epoch has several: ``4``, ``4A``. A chain is
written as its blocks without genesis, ``0-1-4A``; consecutive epochs may be written as ``0..3``,
and a chain of genesis alone is ``none``.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any, Final

from streamlet_lab.errors import InvalidInput
from streamlet_lab.simulator.script import (
    BLOCK_NAME,
    GENESIS,
    Delivery,
    Step,
    epoch_of,
)

Chain = tuple[str, ...]

_LONGEST_CHAIN = 10_000
_MOST_EPOCHS = 9_999_999
_TITLE = re.compile(r"scenario ([\w.-]{1,80}): (\S.*)")
_SETTING = re.compile(r"(\"[^\"]*\"|[\w.>-])+\s*=.*")
_STEP_VERB = re.compile(r"\S+ (proposes|votes?) ")
_ITEM = re.compile(rf"{BLOCK_NAME}|(\d{{1,9}})\.\.(\d{{1,9}})", re.ASCII)
_CHAIN_COMMAND = re.compile(rf"(\S+)(?: on ({BLOCK_NAME}|{GENESIS}))?", re.ASCII)
_NOTARIZE = re.compile(r"(.+?)(?: in (\w+))?", re.ASCII)
_FACT = r"(longest|final) ([^\s,]+)"
_VIEWS = re.compile(rf"(?:(\w+(?:, ?\w+)*): )?(?P<facts>{_FACT}(?:, {_FACT})*)", re.ASCII)
_GUILTY = re.compile(r"guilty (\w+(?:, ?\w+)*)", re.ASCII)
_CHECK = re.compile(r"(\w+) (holds|violated|not applicable)", re.ASCII)

CHAIN_FORM: Final = "blocks of rising epochs such as '0-1-4A', '0..3-5' or 'none'"
EXPECT_FORM: Final = (
    "'expect longest CHAIN, final CHAIN' for every view or with 'NAMES:' before it, "
    "'expect guilty NAMES' or 'none', or 'expect CHECK holds', 'violated' or 'not applicable'"
)
_COMMANDS: Final = (
    "a setting such as 'nodes = 4', chain, notarize, deliver, lose, "
    "'NODE proposes …', 'NODES vote …', run or expect"
)


@dataclass(frozen=True, slots=True)
class Setting:
    """A field of the configuration, as a line of TOML."""

    key: str


@dataclass(frozen=True, slots=True)
class NewBlocks:
    """Blocks on top of each other, on a block that is there already."""

    names: Chain
    parent: str


@dataclass(frozen=True, slots=True)
class Notarize:
    """Blocks that get a quorum of votes in one view, or in all."""

    names: Chain
    view: str | None


@dataclass(frozen=True, slots=True)
class Run:
    """Some more epochs."""

    epochs: int


@dataclass(frozen=True, slots=True)
class ExpectViews:
    """What these views see, or all views: the longest notarized chains, or the final one."""

    names: tuple[str, ...]
    facts: tuple[tuple[str, tuple[Chain, ...]], ...]


@dataclass(frozen=True, slots=True)
class ExpectGuilty:
    """Exactly whom the votes convict."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExpectCheck:
    """What has become of a checked property."""

    check: str
    status: str


Command = (
    Setting
    | NewBlocks
    | Notarize
    | Step
    | Delivery
    | Run
    | (ExpectViews | ExpectGuilty | ExpectCheck)
)


@dataclass(frozen=True, slots=True)
class Line:
    """A command where it stands.

    Parameters
    ----------
    number : int
        From 1.
    text : str
        As written, without comment.
    command : Command
    """

    number: int
    text: str
    command: Command


@dataclass(frozen=True, slots=True)
class Document:
    """What a text says.

    Parameters
    ----------
    name, title : str
    settings : dict
    lines : tuple of Line
    """

    name: str
    title: str
    settings: dict[str, Any]
    lines: tuple[Line, ...]


def read_document(text: str, source: str) -> Document:
    """Read the text of a scenario.

    Raises
    ------
    InvalidInput
        For the first line that is wrong, with its number.
    """
    name, title, lines, settings = "", "", [], ""
    # Not splitlines: a TOML string may hold a separator of Unicode as it is.
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        with placed(source, number):
            if not name:
                name, title = _read_title(line)
                continue
            if _SETTING.fullmatch(line):
                settings += f"{line}\n"
                lines.append(Line(number, line, _read_setting(line, settings)))
            else:
                line = line.partition("#")[0].rstrip()
                lines.append(Line(number, line, _read_command(line)))
    if not name:
        raise InvalidInput(source, text[:40], "a first line such as 'scenario mine: what it shows'")
    return Document(name, title, tomllib.loads(settings), tuple(lines))


@contextmanager
def placed(source: str, number: int | None) -> Iterator[None]:
    """Have an error say where it is: in which file, and in which line if that is known."""
    try:
        yield
    except InvalidInput as error:
        place = source if number is None else f"{source}, line {number}"
        raise InvalidInput(f"{place}: {error.field}", error.value, error.expected) from error


def read_chain(text: str) -> Chain:
    """Read a chain.

    Raises
    ------
    InvalidInput
        If it is not one.

    Examples
    --------
    >>> read_chain("0..2-4A")
    ('0', '1', '2', '4A')
    """
    names = () if text == "none" else tuple(chain.from_iterable(map(_item, text.split("-"))))
    epochs = [epoch_of(name) for name in names]
    if any(a >= b for a, b in pairwise(epochs)):
        raise InvalidInput("chain", text, CHAIN_FORM)
    return names


def write_chain(names: Sequence[str]) -> str:
    """Write a chain; three consecutive epochs or more are drawn together.

    >>> write_chain(["0", "1", "2", "4A", "5"])
    '0..2-4A-5'
    """
    items: list[str] = []
    run: list[str] = []
    for name in (*names, ""):
        if run and not (name.isdecimal() and run[-1].isdecimal() and int(name) == int(run[-1]) + 1):
            items += [f"{run[0]}..{run[-1]}"] if len(run) > 2 else run
            run = []
        run.append(name)
    return "-".join(items) or "none"


def _item(text: str) -> Chain:
    parts = _ITEM.fullmatch(text)
    if parts is None:
        raise InvalidInput("chain", text, CHAIN_FORM)
    if parts[1] is None:
        return (text,)
    epochs = range(int(parts[1]), int(parts[2]) + 1)
    if not 0 < len(epochs) <= _LONGEST_CHAIN:
        raise InvalidInput("chain", text, f"1 to {_LONGEST_CHAIN} epochs, the first one first")
    return tuple(map(str, epochs))


def _read_title(line: str) -> tuple[str, str]:
    parts = _TITLE.fullmatch(line)
    if parts is None:
        raise InvalidInput(
            "first line", line, "'scenario NAME: one sentence that says what it shows'"
        )
    return parts[1], parts[2]


def _read_setting(line: str, settings: str) -> Setting:
    try:
        document: Any = tomllib.loads(line)
    except tomllib.TOMLDecodeError as error:
        # The parser's own line is always 1 here.
        reason = str(error).replace("at line 1, column", "at column")
        expected = f"a line of TOML such as 'network.delta = \"5us\"' ({reason})"
        raise InvalidInput("setting", line, expected) from error
    try:
        # With those before it, so that a contradiction is found where it stands.
        tomllib.loads(settings)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput("setting", line, "a setting that no line before gives") from error
    keys = []
    while isinstance(document, dict) and len(document) == 1:
        ((key, document),) = document.items()
        keys.append(key)
    return Setting(".".join(keys))


def _read_command(line: str) -> Command:
    word, _, rest = line.partition(" ")
    if word in ("deliver", "lose"):
        return Delivery.parse(line)
    if _STEP_VERB.match(line):
        return Step.parse(line)
    reader = _READERS.get(word)
    if reader is None:
        raise InvalidInput("command", line, _COMMANDS)
    return reader(rest.strip())


def _read_chain_command(rest: str) -> NewBlocks:
    parts = _CHAIN_COMMAND.fullmatch(rest)
    if parts is None or rest == "none":
        raise InvalidInput("chain", rest, f"{CHAIN_FORM}, with 'on BLOCK' unless on genesis")
    return NewBlocks(read_chain(parts[1]), parts[2] or GENESIS)


def _read_notarize(rest: str) -> Notarize:
    parts = _NOTARIZE.fullmatch(rest)
    if parts is None:
        raise InvalidInput("notarize", rest, "blocks such as '0 2 4' or '0..5', perhaps 'in VIEW'")
    names = chain.from_iterable(read_chain(item) for item in parts[1].split())
    return Notarize(tuple(names), parts[2])


def _read_run(rest: str) -> Run:
    if not re.fullmatch(r"[1-9]\d{0,6}", rest, re.ASCII):
        raise InvalidInput("run", rest, f"a number of epochs from 1 to {_MOST_EPOCHS}")
    return Run(int(rest))


def _read_expect(rest: str) -> ExpectViews | ExpectGuilty | ExpectCheck:
    if parts := _VIEWS.fullmatch(rest):
        facts = re.findall(_FACT, parts["facts"])
        return ExpectViews(
            _names(parts[1] or ""),
            tuple((what, tuple(map(read_chain, chains.split("|")))) for what, chains in facts),
        )
    if parts := _GUILTY.fullmatch(rest):
        return ExpectGuilty(() if parts[1] == "none" else _names(parts[1]))
    if parts := _CHECK.fullmatch(rest):
        return ExpectCheck(parts[1], parts[2])
    raise InvalidInput("expect", rest, EXPECT_FORM)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name)


_READERS: Final[dict[str, Callable[[str], Command]]] = {
    "chain": _read_chain_command,
    "notarize": _read_notarize,
    "run": _read_run,
    "expect": _read_expect,
}
