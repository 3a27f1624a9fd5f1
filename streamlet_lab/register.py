"""Registers of what configurations speak of by name: the lab's own things, and anyone else's."""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Generic, TypeVar, cast

from streamlet_lab.errors import InvalidInput

T = TypeVar("T")
D = TypeVar("D")

#: Before the name of a function where a saved configuration had the function itself.
CALLABLE: Final = "callable:"

_NAME: Final = re.compile(r"[a-z_][a-z0-9_]*")


class Register(Generic[T]):
    """Things of one sort by their names.

    The lab fills it and closes it; from then on nobody can replace what is in it. Anyone can still
    add to it, and replace what is not the lab's own, since the cells of a notebook run again.

    Parameters
    ----------
    decorator : str
        What registers a thing is called, such as ``"path_model"``; for messages, as all else here.
    what : str
        One of the things, in the singular: ``"model"``.
    field : str
        Where a configuration gives the name.
    besides : str, optional
        What may be given there instead of a name: ``"a function"``.
    accept : callable, optional
        Raises `InvalidInput` for what is no such thing, before it is added.

    Examples
    --------
    >>> import math
    >>> from collections.abc import Callable
    >>> roundings = Register[Callable[[float], int]]("rounding", "rounding", field="rounding")
    >>> rounding = roundings.decorator
    >>> down = rounding("down")(math.floor)
    >>> roundings.close()
    >>> @rounding("odd")
    ... def odd(number):
    ...     return 2 * math.floor(number / 2) + 1
    >>> roundings.names, roundings.own
    (('down', 'odd'), ('down',))
    >>> roundings.find("odd")(3.9)
    3
    >>> roundings.find("up")
    Traceback (most recent call last):
    ...
    streamlet_lab.errors.InvalidInput: rounding: 'up' is not valid; expected one of down, odd; a \
rounding of your own must be registered before
    """

    def __init__(
        self,
        decorator: str,
        what: str,
        field: str,
        besides: str = "",
        accept: Callable[[object], None] | None = None,
    ) -> None:
        self._decorator = decorator
        self._what = what
        self._field = field
        self._besides = besides
        self._accept = accept
        self._things: dict[str, T] = {}
        self._own: tuple[str, ...] = ()
        self._reserved: set[str] = set()

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in alphabetical order."""
        return tuple(sorted(self._things))

    @property
    def own(self) -> tuple[str, ...]:
        """The names of the lab's own, in alphabetical order, whatever others have added."""
        return self._own

    def close(self) -> None:
        """Declare what there is now the lab's own."""
        self._own = self.names

    def reserve(self, names: Iterable[str]) -> None:
        """Keep names free that mean something else where these things are named."""
        self._reserved.update(names)

    def check(self, name: object) -> None:
        """Refuse what cannot be a new name, before there is anything to add under it.

        Raises
        ------
        InvalidInput
            If it is not of lowercase letters, digits and underscores, or begins with a digit, or is
            one of the lab's own, or reserved.
        """
        if callable(name):
            raise InvalidInput("name", name, f'a name in parentheses: @{self._decorator}("name")')
        if not (isinstance(name, str) and _NAME.fullmatch(name)):
            expected = f"lowercase letters, digits and underscores, such as 'my_{self._what}'"
            raise InvalidInput("name", name, expected)
        if name in self._reserved:
            raise InvalidInput("name", name, "a name that does not mean something else already")
        if name in self._own:
            raise InvalidInput("name", name, f"a name other than the lab's own {self._what}s")

    def add(self, name: str, thing: T) -> T:
        """Add a thing under a name that passes `check`, and return it, as decorators do."""
        self.check(name)
        if self._accept is not None:
            self._accept(thing)
        self._things[name] = thing
        return thing

    def decorator(self, name: str) -> Callable[[D], D]:
        """Return what adds a thing under a name, as it is, and leaves its type alone."""
        self.check(name)

        def register(thing: D) -> D:
            self.add(name, cast(T, thing))
            return thing

        return register

    def find(self, name: object) -> T:
        """Return the thing of a name.

        Raises
        ------
        InvalidInput
            If there is none.
        """
        if not (isinstance(name, str) and name in self._things):
            raise InvalidInput(self._field, name, self._expected(name))
        return self._things[name]

    def _expected(self, name: object) -> str:
        if isinstance(name, str) and name.startswith(CALLABLE):
            function = name.removeprefix(CALLABLE)
            return f"the function {function} itself, which a file can name but not contain"
        besides = f", or {self._besides}" if self._besides else ""
        one = f"an {self._what}" if self._what[0] in "aeiou" else f"a {self._what}"
        known = ", ".join(self.names)
        return f"one of {known}{besides}; {one} of your own must be registered before"


def check_parameters(kind: Callable[..., Any], given: Mapping[str, Any], place: str) -> None:
    """Refuse parameters that a kind does not take, or lacks; the first one is the lab's to give.

    Parameters
    ----------
    kind : callable
        What is called with something of the lab's, and then with the parameters by their names.
    given : mapping of str to object
        The parameters.
    place : str
        Where they were given, for messages.

    Raises
    ------
    InvalidInput
        For the first one that is not taken, or where some are missing.
    """
    _, *accepted = inspect.signature(kind).parameters.values()
    takes_any = any(one.kind is one.VAR_KEYWORD for one in accepted)
    named = [one for one in accepted if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    names = [one.name for one in named]
    for name, value in given.items():
        if name not in names and not takes_any:
            expected = f"one of the parameters {', '.join(names)}" if names else "no parameters"
            raise InvalidInput(f"{place}.{name}", value, expected)
    missing = [one.name for one in named if one.default is one.empty and one.name not in given]
    if missing:
        raise InvalidInput(place, dict(given), f"a value for {', '.join(missing)}")
