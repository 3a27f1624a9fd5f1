"""The lab's own errors: every one names what was wrong and what would be right.

They show what others wrote: short, in one line, and with nothing in it that a terminal obeys.
"""

import pickle
from collections.abc import Iterator
from typing import Final

_LONGEST_MESSAGE: Final = 2_000
_LONGEST_PART: Final = 250
_DEEPEST: Final = 8
# Python does not write integers of more than 4,300 digits, and nobody reads this many.
_MOST_BITS: Final = 300
_BRACKETS: Final = {list: ("[", "]"), tuple: ("(", ")"), dict: ("{", "}")}


def printable(text: str) -> str:
    r"""Return a text in one line, with escapes for all that does not show as what it is.

    >>> print(printable("red \x1b[31m,\nand \u202eback in Zürich"))
    red \x1b[31m,\nand \u202eback in Zürich
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def shown(value: object) -> str:
    """Return what `repr` does, but of long, deep and unwritable values only the beginning.

    >>> shown([16**3000]), len(shown("a" * 1_000_000))
    ('[an integer of 12,001 bits]', 251)
    """
    text = ""
    for piece in _pieces(value, 0):
        text += piece
        if len(text) > _LONGEST_PART:
            break
    return _shortened(text, _LONGEST_PART)


def _pieces(value: object, depth: int) -> Iterator[str]:
    if not isinstance(value, list | tuple | dict) or type(value) not in _BRACKETS:
        yield _plain(value)
        return
    opening, closing = _BRACKETS[type(value)]
    yield opening
    for number, item in enumerate(value if depth < _DEEPEST else ["…"]):
        yield ", " if number else ""
        if isinstance(value, dict) and depth < _DEEPEST:
            yield f"{_plain(item)}: "
            yield from _pieces(value[item], depth + 1)
        else:
            yield from _pieces(item, depth + 1)
    yield f",{closing}" if isinstance(value, tuple) and len(value) == 1 else closing


def _plain(value: object) -> str:
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return f"an integer of {value.bit_length():,} bits"
    try:
        # What writes itself in several lines, as a frame does, is no text of others.
        text = repr(value[:_LONGEST_PART] if type(value) is str else value)
    except Exception:
        return f"an object of type {type(value).__name__}"
    return text if text.isprintable() else " ".join(text.split())


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


class StreamletLabError(Exception):
    """Base of every error that the lab raises on purpose."""

    def __init__(self, message: str) -> None:
        # Once more, since escapes are longer than what they stand for.
        text = printable(_shortened(message, _LONGEST_MESSAGE))
        super().__init__(_shortened(text, _LONGEST_MESSAGE))


class InvalidInput(StreamletLabError, ValueError):
    """A value that a person or a file gave is not acceptable.

    Parameters
    ----------
    field : str
        The name under which the value was given, such as ``nodes`` or ``market.traders``.
    value : object
    expected : str
        What would be valid, as the end of a sentence: ``an integer of at least 1``.
    """

    def __init__(self, field: str, value: object, expected: str) -> None:
        place = _shortened(field, _LONGEST_PART)
        super().__init__(f"{place}: {shown(value)} is not valid; expected {expected}")
        self.field = field
        self.value = value
        self.expected = expected

    def __reduce__(self) -> tuple[type["InvalidInput"], tuple[str, object, str]]:
        # An executor sends errors from one process to another, whatever they are about.
        value = self.value
        try:
            pickle.dumps(value)
        except Exception:
            value = _Shown(shown(value))
        return type(self), (self.field, value, self.expected)


class _Shown(str):
    """What stays of a value that cannot be pickled: how it is shown."""

    __slots__ = ()
    __repr__ = str.__str__


class DataError(StreamletLabError):
    """A file that the lab needs is missing, or is not what it was when it was written."""
