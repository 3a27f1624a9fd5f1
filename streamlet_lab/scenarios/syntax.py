"""The text of a scenario: a first line that names it, then one command or expectation a line."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice, pairwise
from typing import Any, Final, NamedTuple

from streamlet_lab.errors import DataError, InvalidInput
from streamlet_lab.simulator.script import BLOCK_NAME, GENESIS, Delivery, Step, epoch_of
from streamlet_lab.texts import parse_toml

#: The names of blocks without genesis, the oldest first.
Chain = tuple[str, ...]

_LONGEST_CHAIN: Final = 10_000
# A few bytes name many blocks.
_MOST_BLOCKS: Final = 50_000
_MOST_LINES: Final = 2_500
_MOST_CHARACTERS: Final = 1_000_000
_TITLE = re.compile(r"scenario ([\w.-]{1,80}): (\S.*)")
# A longer key has more parts than any setting, and takes its time.
_PART = re.compile(r"\"[^\"]*\"|[^.\"]+")
_SETTING = re.compile(r"((?:\"[^\"]*\"|[\w.>-]){1,200})\s*=.*")
_RANGE = re.compile(r"(\d{1,9})\.\.(\d{1,9})", re.ASCII)
_STEP = re.compile(r"\S+ (proposes|votes?) ")
_ITEM = re.compile(rf"{BLOCK_NAME}|(\d{{1,9}})\.\.(\d{{1,9}})", re.ASCII)
_NEW_BLOCKS = re.compile(rf"(?!none)(\S+)(?: on ({BLOCK_NAME}|{GENESIS}))?", re.ASCII)
_NOTARIZE = re.compile(r"(.+?)(?: in (\w+))?", re.ASCII)
_RUN = re.compile(r"[1-9]\d{0,7}", re.ASCII)
_FACT = r"(longest|final) ([^\s,]+)"
_VIEWS = re.compile(rf"(?:(\w+(?:, ?\w+)*): )?(?P<facts>{_FACT}(?:, {_FACT})*)", re.ASCII)
_GUILTY = re.compile(r"guilty (\w+(?:, ?\w+)*)", re.ASCII)
_CHECK = re.compile(r"(\w+) (holds|violated|not applicable)", re.ASCII)

_TITLE_FORM: Final = "'scenario NAME: one sentence that says what it shows'"
_CHAIN_FORM: Final = "blocks of rising epochs such as '0-1-4A', '0..3-5' or 'none'"
_NEW_BLOCKS_FORM: Final = f"{_CHAIN_FORM}, with 'on BLOCK' unless on genesis"
_NOTARIZE_FORM: Final = "blocks such as '0 2 4' or '0..5', perhaps 'in VIEW'"
_EXPECT_FORM: Final = (
    "'expect longest CHAIN, final CHAIN' for every view or with 'NAMES:' before it, "
    "'expect guilty NAMES' or 'none', or 'expect CHECK holds', 'violated' or 'not applicable'"
)
_COMMANDS: Final = (
    "a setting such as 'nodes = 4', chain, notarize, deliver, lose, "
    "'NODE proposes …', 'NODES vote …', run or expect"
)


class Setting(NamedTuple):
    """A setting of the experiment: the parts of its name, and what its line of TOML gives it."""

    path: tuple[str, ...]
    value: Any


class NewBlocks(NamedTuple):
    """Blocks on top of each other, on a block that is there already."""

    names: Chain
    parent: str


class Notarize(NamedTuple):
    """Blocks that get a quorum of votes in one view, or in all."""

    names: Chain
    view: str | None


class Run(NamedTuple):
    """Some more epochs."""

    epochs: int


class ExpectViews(NamedTuple):
    """The longest notarized chains or the final one, in these views, or in all."""

    names: tuple[str, ...]
    facts: tuple[tuple[str, tuple[Chain, ...]], ...]


class ExpectGuilty(NamedTuple):
    """Exactly whom the votes convict."""

    names: tuple[str, ...]


class ExpectCheck(NamedTuple):
    """The status of a checked property."""

    check: str
    status: str


Expectation = ExpectViews | ExpectGuilty | ExpectCheck
TreeCommand = NewBlocks | Notarize
NetworkCommand = Setting | Step | Delivery | Run
Command = TreeCommand | NetworkCommand | Expectation


class Line(NamedTuple):
    """A command, its line in the text, from 1, and what is written there, without a comment."""

    number: int
    text: str
    command: Command


def read_lines(text: str, source: str) -> tuple[str, str, tuple[Line, ...]]:
    """Read a scenario's name, title and lines; `InvalidInput` names the first that is wrong."""
    name, title, blocks = "", "", 0
    settings: dict[str, Any] = {}
    lines: list[Line] = []
    if len(text) > _MOST_CHARACTERS:
        raise InvalidInput(source, text[:40], f"at most {_MOST_CHARACTERS:,} characters")
    # Not splitlines: a TOML string may hold a separator of Unicode as it is.
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        with placed(source, number):
            if not name:
                name, title = _match(_TITLE, line, "first line", _TITLE_FORM).groups()
            elif len(lines) == _MOST_LINES:
                raise InvalidInput("lines", line, f"at most {_MOST_LINES:,} that are not comments")
            elif parts := _SETTING.fullmatch(line):
                lines.append(Line(number, line, _read_setting(line, parts[1], settings)))
            else:
                line = line.partition("#")[0].rstrip()
                blocks += _count_blocks(line)
                if blocks > _MOST_BLOCKS:
                    expected = f"at most {_MOST_BLOCKS:,} blocks, counted wherever they are named"
                    raise InvalidInput("blocks", line, expected)
                lines.append(Line(number, line, _read_command(line)))
    if not name:
        raise InvalidInput(source, text[:40], "a first line such as 'scenario mine: what it shows'")
    return name, title, tuple(lines)


class _Section(dict[str, Any]):
    """Settings of one section, to which another line may add; a table in braces is closed."""


def add_setting(settings: dict[str, Any], setting: Setting, line: str) -> None:
    """Add what a line says to what those before it say; refuse it if they say it already."""
    *sections, name = setting.path
    expected = "a setting that no line before gives"
    for section in sections:
        inner = settings.setdefault(section, _Section())
        if not isinstance(inner, _Section):
            raise InvalidInput("setting", line, expected)
        settings = inner
    if name in settings:
        raise InvalidInput("setting", line, expected)
    settings[name] = setting.value


@contextmanager
def placed(source: str, number: int | None) -> Iterator[None]:
    """Have an error say in which file it is, and in which line if that is known."""
    try:
        yield
    except InvalidInput as error:
        place = source if number is None else f"{source}, line {number}"
        raise InvalidInput(f"{place}: {error.field}", error.value, error.expected) from error


def read_chain(text: str) -> Chain:
    """Read a chain.

    >>> read_chain("0..2-4A")
    ('0', '1', '2', '4A')
    """
    items = chain.from_iterable(map(_item, text.split("-")))
    names = () if text == "none" else tuple(islice(items, _LONGEST_CHAIN + 1))
    if len(names) > _LONGEST_CHAIN:
        raise InvalidInput("chain", text, f"at most {_LONGEST_CHAIN:,} blocks")
    if any(epoch_of(a) >= epoch_of(b) for a, b in pairwise(names)):
        raise InvalidInput("chain", text, _CHAIN_FORM)
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
    first, last = _match(_ITEM, text, "chain", _CHAIN_FORM).groups()
    if first is None:
        return (text,)
    epochs = range(int(first), int(last) + 1)
    if not 0 < len(epochs) <= _LONGEST_CHAIN:
        raise InvalidInput("chain", text, f"1 to {_LONGEST_CHAIN:,} epochs, the first one first")
    return tuple(map(str, epochs))


def _match(pattern: re.Pattern[str], text: str, field: str, expected: str) -> re.Match[str]:
    parts = pattern.fullmatch(text)
    if parts is None:
        raise InvalidInput(field, text, expected)
    return parts


def _read_setting(line: str, name: str, settings: dict[str, Any]) -> Setting:
    try:
        value: Any = parse_toml(line)
    except DataError as error:
        # The parser's own line is always 1 here.
        reason = str(error).partition(": ")[2].replace("at line 1, column", "at column")
        expected = f"a line of TOML such as 'network.delta = \"5us\"' ({reason})"
        raise InvalidInput("setting", line, expected) from error
    path = []
    for _ in _PART.findall(name):
        ((part, value),) = value.items()
        path.append(part)
    setting = Setting(tuple(path), value)
    # Here already, so that a contradiction is found where it stands.
    add_setting(settings, setting, line)
    return setting


def _count_blocks(line: str) -> int:
    """Return how many blocks a line names, at most, before any of them is made."""
    if line.partition(" ")[0] not in ("chain", "notarize", "expect"):
        return 0
    ranges = (int(last) - int(first) for first, last in _RANGE.findall(line))
    return sum(map(line.count, " -|")) + sum(max(0, more) for more in ranges)


def _read_command(line: str) -> Command:
    word, _, rest = line.partition(" ")
    rest = rest.strip()
    match word:
        case "deliver" | "lose":
            return Delivery.parse(line)
        case _ if _STEP.match(line):
            return Step.parse(line)
        case "chain":
            names, parent = _match(_NEW_BLOCKS, rest, "chain", _NEW_BLOCKS_FORM).groups()
            return NewBlocks(read_chain(names), parent or GENESIS)
        case "notarize":
            items, view = _match(_NOTARIZE, rest, "notarize", _NOTARIZE_FORM).groups()
            return Notarize(tuple(chain.from_iterable(map(read_chain, items.split()))), view)
        case "run":
            return Run(int(_match(_RUN, rest, "run", "a number of epochs such as 'run 12'")[0]))
        case "expect":
            return _read_expectation(rest)
    raise InvalidInput("command", line, _COMMANDS)


def _read_expectation(rest: str) -> Expectation:
    if parts := _VIEWS.fullmatch(rest):
        facts = re.findall(_FACT, parts["facts"])
        return ExpectViews(
            _names(parts[1] or ""),
            tuple((what, tuple(map(read_chain, chains.split("|")))) for what, chains in facts),
        )
    if parts := _GUILTY.fullmatch(rest):
        return ExpectGuilty(() if parts[1] == "none" else _names(parts[1]))
    check, status = _match(_CHECK, rest, "expect", _EXPECT_FORM).groups()
    return ExpectCheck(check, status)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name)
