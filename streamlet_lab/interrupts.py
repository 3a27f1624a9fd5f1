"""SIGTERM ends work as Ctrl-C does: a command in one line, a sweep or a search with what it has.

A signal that the process ignores stays ignored, and whoever has a handler of their own keeps it.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType

from streamlet_lab.starting import end_at_once


class Terminated(KeyboardInterrupt):
    """SIGTERM, where it is answered as Ctrl-C is."""


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
