"""What a command tells: on standard output, or beside it, and never what a terminal would obey."""

import argparse
import os
import re
import sys
from collections.abc import Iterable, Iterator
from typing import NoReturn, TextIO

from streamlet_lab.texts import nearest, printable


def show(lines: Iterable[str]) -> None:
    """Print what names of others may be in."""
    print("\n".join(map(printable, "\n".join(lines).split("\n"))))


def say(text: str) -> None:
    """Tell in one line on standard error; that nobody listens there is no reason to stop."""
    try:
        print(printable(text), file=sys.stderr, flush=True)
    except OSError:
        discard(sys.stderr)


def discard(stream: TextIO) -> None:
    """Send to nowhere what a broken stream still has: Python tries again when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class Parser(argparse.ArgumentParser):
    """Names the command, or the option, that is most like an unknown one."""

    def error(self, message: str) -> NoReturn:
        unknown = re.search(r"invalid choice: '([^']*)'|unrecognized arguments: ([^\s=]+)", message)
        hint = nearest(unknown[1] or unknown[2], _names(self)) if unknown else ""
        super().error(printable(message) + hint)


def _names(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        commands = action.choices if isinstance(action.choices, dict) else {}
        yield from (*action.option_strings, *commands)
        for command in commands.values():
            yield from _names(command)
