"""What a command tells: on standard output, or beside it, and never what a terminal would obey."""

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn, TextIO

from streamlet_lab.texts import nearest, printable


def show(lines: Iterable[str]) -> None:
    """Print what names of others may be in."""
    print("\n".join(map(printable, "\n".join(lines).split("\n"))))


def say(text: str) -> None:
    """Tell in one line on standard error; that nobody listens there is no reason to stop."""
    if sys.stderr is None:  # it was closed before Python began; `print` would take the other one
        return
    try:
        print(printable(text), file=sys.stderr, flush=True)
    except OSError:
        discard(sys.stderr)


def is_watched() -> bool:
    """Whether standard error is a terminal, where a bar shows how far something is."""
    return sys.stderr is not None and sys.stderr.isatty()


def discard(stream: TextIO) -> None:
    """Send to nowhere what a broken stream still has: Python tries again when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class Parser(argparse.ArgumentParser):
    """Names the command, or the option, that is most like an unknown one.

    What `fill` adds is added when this parser is first used: of all commands only one is.
    """

    def __init__(
        self, *arguments: Any, fill: Callable[["Parser"], None] | None = None, **settings: Any
    ) -> None:
        super().__init__(*arguments, **settings)
        self._fill = fill

    def fill(self) -> None:
        """Add what is still to be added."""
        fill, self._fill = self._fill, None
        if fill is not None:
            fill(self)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        self.fill()
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        unknown = re.search(r"invalid choice: '([^']*)'|unrecognized arguments: ([^\s=]+)", message)
        hint = nearest(unknown[1] or unknown[2], _names(self)) if unknown else ""
        super().error(printable(message) + hint)


def _names(parser: argparse.ArgumentParser) -> Iterator[str]:
    if isinstance(parser, Parser):
        parser.fill()
    for action in parser._actions:
        commands = action.choices if isinstance(action.choices, dict) else {}
        yield from (*action.option_strings, *commands)
        for command in commands.values():
            yield from _names(command)
