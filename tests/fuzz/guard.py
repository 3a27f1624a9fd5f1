"""Limits around a decoder: its own errors only, in little time and memory, in words to print."""

import re
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from streamlet_lab.errors import StreamletLabError

# What moves a terminal's cursor or turns its text around, and halves of characters.
_RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_LONGEST_MESSAGE = 2_001  # with the mark that it was longer
_PATIENCE = 60  # s


class TooSlow(BaseException):
    """Not an `Exception`, so that no handler on the way takes it for a mistake in the input."""


def is_taken(use, data, *, seconds, mebibytes):
    """Whether a decoder takes some bytes; it must do that, or refuse them in a sentence.

    The time is the process's own, so that a busy machine makes nothing slower.
    """
    try:
        with _limited(seconds, mebibytes):
            use(data)
    except StreamletLabError as error:
        message = check_shown(str(error))
        assert "\n" not in message, f"a message of several lines: {message!r}"
        assert len(message) <= _LONGEST_MESSAGE, f"a message of {len(message)} characters"
        return False
    except TooSlow:
        raise AssertionError(f"more than {seconds} s for {len(data)} bytes") from None
    return True


@contextmanager
def taken():
    """Have an error of the lab fail the test: here is what a decoder has taken."""
    try:
        yield
    except StreamletLabError as error:
        raise AssertionError("taken, and refused when it was written and read again") from error


def in_child(function):
    """Call a function in a child, which can be ended whatever it does: Rust may wait for memory."""
    child = get_context("fork").Process(target=function)
    child.start()
    child.join(_PATIENCE)
    if child.is_alive():
        child.kill()
        child.join()
    # What it raised is on standard error.
    assert child.exitcode == 0, f"exit code {child.exitcode}"


def check_shown(text):
    """Return a text that a terminal may show; lines may end."""
    raw = _RAW.search(text)
    assert raw is None, f"raw {raw[0]!r} in {text[:200]!r}"
    return text


@contextmanager
def _limited(seconds: float, mebibytes: int) -> Iterator[None]:
    def stop(number, frame):
        raise TooSlow

    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    handler = signal.signal(signal.SIGPROF, stop)
    resource.setrlimit(resource.RLIMIT_AS, (used + mebibytes * 2**20, before[1]))
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, handler)
        resource.setrlimit(resource.RLIMIT_AS, before)
