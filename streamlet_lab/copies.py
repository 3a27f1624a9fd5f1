"""Copies of functions that people give: ``deepcopy`` alone shares what they enclose."""

import pickle
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from types import BuiltinMethodType, CellType, FunctionType, ModuleType
from typing import Any

from streamlet_lab.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Given:
    """A function that somebody gave, which a copy of a run has for itself.

    What it encloses, such as a random stream, is copied with it. It is pickled by its name, which
    only some have: see `check_pickled`.

    Parameters
    ----------
    function : callable
    field : str
        Where it was given, for messages.

    Examples
    --------
    >>> from random import Random
    >>> def dice(seed):
    ...     stream = Random(seed)
    ...     return lambda: stream.randint(1, 6)
    >>> one = Given(dice(1), "dice")
    >>> other = deepcopy(one)
    >>> [one() for _ in range(9)] == [other() for _ in range(9)]
    True
    """

    function: Callable[..., Any]
    field: str

    def __call__(self, *arguments: Any) -> Any:
        return self.function(*arguments)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Given":
        return Given(_copy(self.function, memo), self.field)

    def __reduce__(self) -> tuple[Any, ...]:
        check_pickled(self.function, self.field)
        return Given, (self.function, self.field)


def given(function: Any, field: str) -> Any:
    """Return a function as one that can be copied; anything else can be as it is."""
    return Given(function, field) if isinstance(function, FunctionType) else function


def check_pickled(function: Any, field: str) -> None:
    """Refuse what no other process finds by a name: a lambda, what is made in a function."""
    try:
        pickle.dumps(function)
    except (pickle.PicklingError, AttributeError, TypeError):
        name = getattr(function, "__qualname__", type(function).__qualname__)
        expected = "what pickle finds in a module by that name; deepcopy takes any function"
        raise InvalidInput(field, name, expected) from None


def _copy(thing: Any, memo: dict[int, Any]) -> Any:
    """Return a deep copy, of a function with what it encloses and its defaults."""
    if isinstance(thing, BuiltinMethodType) and not isinstance(thing.__self__, ModuleType):
        return getattr(deepcopy(thing.__self__, memo), thing.__name__)  # such as stream.random
    if not isinstance(thing, FunctionType | CellType):
        return deepcopy(thing, memo)
    if id(thing) in memo:
        return memo[id(thing)]
    if isinstance(thing, CellType):  # several functions may share one, or one enclose itself
        memo[id(thing)] = cell = CellType()
        cell.cell_contents = _copy(thing.cell_contents, memo)
        return cell
    cells = tuple(_copy(cell, memo) for cell in thing.__closure__ or ())
    defaults = deepcopy(thing.__defaults__, memo)
    copied = FunctionType(thing.__code__, thing.__globals__, thing.__name__, defaults, cells)
    copied.__kwdefaults__ = deepcopy(thing.__kwdefaults__, memo)
    return copied
