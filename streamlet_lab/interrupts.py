"""SIGTERM ends work as Ctrl-C does: a command in one line, a sweep or a search with what it has.

A signal that the process ignores stays ignored, and whoever has a handler of their own keeps it.
This is imported before the rest of the lab, so that a command can be ended while that is imported.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType


class Terminated(KeyboardInterrupt):
    """SIGTERM, where it is answered as Ctrl-C is."""


def is_command() -> bool:
    """Whether this process is the command line, rather than a program that imports the lab."""
    name = os.path.basename(sys.argv[0]) if sys.argv else ""  # noqa: PTH119
    if name == "-m":  # while Python looks for the module that it was told to run
        name = sys.orig_argv[-len(sys.argv)].removeprefix("-m")
    return name in ("streamlet_lab", "streamlet-lab", "streamlet-lab.exe")


def end_at_once() -> None:
    """Let Ctrl-C and SIGTERM end the process without a word, unless it ignores them."""
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

    is_main = current_thread() is main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
