"""What nobody changes by accident: dictionaries and lists that finished things show, and values."""

from collections import deque
from collections.abc import Callable
from dataclasses import fields
from itertools import repeat
from operator import call
from typing import Any, NoReturn, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_exhaust = deque[None](maxlen=0).extend


class FixedDict(dict[K, V]):
    """A dictionary that refuses to be changed: ``dict(…)`` makes one that can be."""

    def __reduce__(self) -> tuple[type["FixedDict[K, V]"], tuple[dict[K, V]]]:
        return type(self), (dict(self),)


class FixedList(list[V]):
    """A list that refuses to be changed, but by its owner by the methods of `list` itself."""

    def __reduce__(self) -> tuple[type["FixedList[V]"], tuple[list[V]]]:
        return type(self), (list(self),)


def _refuse(shown: Any, *_: object, **__: object) -> NoReturn:
    plain = type(shown).__bases__[0].__name__
    raise TypeError(f"this {plain} shows what is fixed; change a copy of it: {plain}(…)")


_CHANGES = {
    FixedDict: "__delitem__ __ior__ __setitem__ clear pop popitem setdefault update",
    FixedList: "__delitem__ __iadd__ __imul__ __setitem__ append clear extend insert pop remove "
    "reverse sort",
}
for _kind, _names in _CHANGES.items():
    for _name in _names.split():
        setattr(_kind, _name, _refuse)


def fixed(value: Any) -> Any:
    """Return a value in which no dictionary and no list, however deep inside, can be changed.

    >>> fixed({"steps": [1, 2]})["steps"].append(3)
    Traceback (most recent call last):
    ...
    TypeError: this list shows what is fixed; change a copy of it: list(…)
    """
    match value:
        case dict():
            return FixedDict({name: fixed(item) for name, item in value.items()})
        case list():
            return FixedList(map(fixed, value))
    return value


def unchecked(kind: type[V]) -> Callable[..., V]:
    """Return what makes a dataclass with slots of all its values, none of which is read again.

    For values that the lab makes of values that were read: a fifth of the constructor's time.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True, slots=True)
    ... class Pair:
    ...     first: int
    ...     second: int = 0
    >>> unchecked(Pair)(1, 2)
    Pair(first=1, second=2)
    >>> unchecked(Pair)(1)
    Traceback (most recent call last):
    ...
    TypeError: Pair has 2 values, not 1
    """
    new = object.__new__
    setters = tuple(getattr(kind, item.name).__set__ for item in fields(kind))  # type: ignore[arg-type]

    def make(*values: object) -> V:
        if len(values) != len(setters):
            raise TypeError(f"{kind.__name__} has {len(setters)} values, not {len(values)}")
        made = new(kind)
        # No loop: each step of one would cost as much as what it does.
        _exhaust(map(call, setters, repeat(made), values))
        return made

    return make
