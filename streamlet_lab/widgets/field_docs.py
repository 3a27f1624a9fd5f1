"""What a setting means and which values it takes, from the class that has it and its docstring."""

import inspect
import re
from dataclasses import fields, is_dataclass
from functools import cache
from types import FunctionType, UnionType
from typing import Any, Final, NamedTuple, Union, get_args, get_origin, get_type_hints

from streamlet_lab.units import format_duration
from streamlet_lab.values import Exact, Number, Span, Whole

_ENTRY: Final = re.compile(r"(\w+(?:, \w+)*)(?: : .*)?")
_ROLE: Final = re.compile(r":\w+:`~?(?:[\w.]*\.)?(\w+)`")
_QUOTES: Final = re.compile(r"``(.+?)``|`(.+?)`|\*(\w.*?)\*")


class Bounds(NamedTuple):
    """The least and the most that a setting takes; None where there is no end."""

    low: float | None = None
    high: float | None = None
    #: Whether they are microseconds.
    is_duration: bool = False

    def __str__(self) -> str:
        def write(value: float) -> str:
            if self.is_duration:
                return format_duration(int(value))
            return f"{value:,}" if isinstance(value, int) else f"{value:,.12g}"

        if self.low is None or (self.high is None and not self.low):
            return ""
        if self.high is None:
            return f"At least {write(self.low)}."
        return f"From {write(self.low)} to {write(self.high)}."


def meaning(owner: type, name: str) -> str:
    """Return what the docstring of a class, or of one that it stands on, says of a field.

    >>> from streamlet_lab.config import NetworkConfig
    >>> meaning(NetworkConfig, "loss")
    'Probability that a copy is lost.'
    """
    entries = (_entries(base).get(name, "") for base in owner.__mro__)
    return next(filter(None, entries), "")


@cache
def _entries(owner: type) -> dict[str, str]:
    """Read the sections Attributes and Parameters of a NumPy docstring, as plain text by name."""
    lines = inspect.cleandoc(owner.__doc__ or "").splitlines()
    entries: dict[str, str] = {}
    names: list[str] = []
    is_inside = False
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if below and not below.strip("-"):
            is_inside, names = line in ("Attributes", "Parameters"), []
        elif is_inside and line.startswith("    "):
            for name in names:
                entries[name] = f"{entries.get(name, '')} {line.strip()}".strip()
        elif is_inside and (entry := _ENTRY.fullmatch(line)):
            names = entry[1].split(", ")
    return {name: plain(text) for name, text in entries.items()}


def plain(text: str) -> str:
    """Return the text of a docstring without its markup.

    >>> plain("See :class:`~streamlet_lab.prices.Voter`, *or* ``bounds``.")
    'See Voter, or bounds.'
    """
    return _QUOTES.sub(lambda match: next(filter(None, match.groups())), _ROLE.sub(r"\1", text))


def summary(kind: object) -> str:
    """Return the first paragraph that a class or a function says of itself; of a value nothing."""
    text = inspect.cleandoc(kind.__doc__ or "") if isinstance(kind, type | FunctionType) else ""
    return plain(" ".join(text.partition("\n\n")[0].split()))


@cache
def bounds(owner: Any, name: str) -> Bounds:
    """Return the ends of what a field of a section or a dataclass takes, as its annotation says."""
    if is_dataclass(owner):
        known = {item.name for item in fields(owner)}
        hint = get_type_hints(owner, include_extras=True)[name] if name in known else None
        marks = _marks(hint)
    else:
        field = owner.model_fields.get(name)
        marks = [] if field is None else [*field.metadata, *_marks(field.annotation)]
    for mark in marks:
        if isinstance(mark, Whole | Number | Span | Exact):
            high = None if mark.high in (None, float("inf")) else mark.high
            return Bounds(mark.low, high, isinstance(mark, Span))
    return Bounds()


def _marks(hint: Any) -> list[Any]:
    """Return what annotates a type, or one of several that it may be."""
    parts = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    return [mark for part in parts for mark in getattr(part, "__metadata__", ())]
