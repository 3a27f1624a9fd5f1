"""What a command tells: on standard output, or beside it, and never what a terminal would obey."""

import os
import sys
from collections.abc import Iterable
from typing import TextIO

from streamlet_lab.texts import printable


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
