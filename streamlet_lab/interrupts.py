"""What ends a process: a command in one line at any moment, a search with what it has found.

SIGTERM ends work as Ctrl-C does. A signal that the process ignores stays ignored, and whoever has a
handler of their own keeps it.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import current_thread, main_thread
from types import FrameType


class Terminated(KeyboardInterrupt):
    """SIGTERM, where it is answered as Ctrl-C is."""


def is_command() -> bool:
    """Whether this process is the command line, rather than a program that imports the lab."""
    name = Path(sys.argv[0]).stem if sys.argv else ""
    if name == "-m":  # while Python looks for the module that it was told to run
        name = sys.orig_argv[-len(sys.argv)].removeprefix("-m")
    return name in ("streamlet_lab", "streamlet-lab")


def end_at_once() -> None:
    """Let Ctrl-C and SIGTERM end the process without a word, as if it were no Python."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def answer_once() -> None:
    """Raise ``KeyboardInterrupt`` at the first Ctrl-C or SIGTERM; end at once at the next."""

    def answer(number: int, frame: FrameType | None) -> None:
        end_at_once()
        raise Terminated if number == signal.SIGTERM else KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, answer)


@contextmanager
def terminable() -> Iterator[None]:
    """Raise ``Terminated`` for a SIGTERM that would end the process with all that it has.

    Only the main thread can have handlers: elsewhere this does nothing.
    """

    def terminate(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        raise Terminated

    if (
        current_thread() is not main_thread()
        or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    ):
        yield
        return
    signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
