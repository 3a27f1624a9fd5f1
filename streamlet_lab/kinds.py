"""All that a configuration speaks of by name: the lab's own kinds of a thing, and anyone else's."""

import inspect
import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from types import FunctionType
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    NamedTuple,
    Protocol,
    TypeVar,
    cast,
    get_args,
    get_origin,
)

from pydantic import ConfigDict, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from streamlet_lab.errors import InvalidInput
from streamlet_lab.texts import nearest, one_of
from streamlet_lab.values import CALLABLE, first_mistake

K = TypeVar("K")
D = TypeVar("D")

_NAME: Final = re.compile(r"[a-z_][a-z0-9_]*")

# The lab's registers by their decorators' names.
_REGISTERS: Final[dict[str, "Kinds[Any]"]] = {}


class Register(Protocol):
    """Registers what it decorates under a name."""

    def __call__(self, name: str) -> Callable[[D], D]: ...


class Kinds(Mapping[str, K]):
    """The kinds of one sort of thing by their names, in alphabetical order.

    The lab fills it and closes it; from then on nobody can replace what is in it. Anyone can still
    add to it, and replace what is not the lab's own, since the cells of a notebook run again.

    Parameters
    ----------
    decorator : str
        What registers a kind is called, such as ``"path_model"``; for messages, as all else here.
    what : str
        One of the things, in the singular: ``"model"``.
    field : str
        Where a configuration gives the name.
    besides : str, optional
        What may be given there instead of a name: ``"a function"``.
    beside : Kinds, optional
        Others that are named in the same place: no name is in both.
    filled_above : bool, optional
        Whether rooms above fill it, which are imported when somebody first looks into it.

    Examples
    --------
    >>> roundings = Kinds("rounding", "rounding", field="rounding")
    >>> rounding = roundings.register
    >>> @rounding("to_multiple")
    ... def to_multiple(number: float, *, of: int = 1) -> int:
    ...     return of * round(number / of)
    >>> roundings.close()
    >>> roundings.make("to_multiple", {"of": 5}, "settings", 13)
    15
    >>> roundings.make("to_multiple", {"off": 5}, "settings", 13)
    Traceback (most recent call last):
    ...
    streamlet_lab.errors.InvalidInput: settings.off: 5 is not valid; expected one of the \
parameters of
    >>> roundings["up"]
    Traceback (most recent call last):
    ...
    streamlet_lab.errors.InvalidInput: rounding: 'up' is not valid; expected one of to_multiple; a \
rounding of your own must be registered before
    """

    def __init__(
        self,
        decorator: str,
        what: str,
        field: str,
        besides: str = "",
        beside: "Kinds[Any] | None" = None,
        filled_above: bool = False,
    ) -> None:
        self._decorator = decorator
        self._what = what
        self._field = field
        self._besides = besides
        self._beside = beside
        self._filled_above = filled_above
        if beside is not None:
            beside._beside = self
        self._base: type | None = None
        self._kinds: dict[str, K] = {}
        self._own: tuple[str, ...] = ()

    def __getitem__(self, name: object) -> K:
        if name not in self:
            raise InvalidInput(self._field, name, self._expected(name))
        return self._kinds[cast(str, name)]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._filled()))

    def __len__(self) -> int:
        return len(self._filled())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._filled()

    def names(self) -> tuple[str, ...]:
        """Return all names, in alphabetical order."""
        return tuple(self)

    def own(self) -> tuple[str, ...]:
        """Return the names of the lab's own, in alphabetical order, whatever others have added."""
        self._filled()
        return self._own

    def close(self) -> None:
        """Declare what there is now the lab's own."""
        self._own = tuple(sorted(self._kinds))
        _REGISTERS.setdefault(self._decorator, self)

    def base(self, kind: type[D]) -> type[D]:
        """Declare the class whose subclasses all kinds are; a decorator."""
        self._base = kind
        return kind

    def check(self, name: object) -> None:
        """Refuse what cannot be a new name, before there is anything to add under it."""
        if callable(name):
            raise InvalidInput("name", name, f'a name in parentheses: @{self._decorator}("name")')
        if not (isinstance(name, str) and _NAME.fullmatch(name)):
            expected = f"lowercase letters, digits and underscores, such as 'my_{self._what}'"
            raise InvalidInput("name", name, expected)
        # Who fills a register does not wait for the one beside it, which is filled above.
        own = self.own()
        if self._beside is not None and name in (self._beside if own else self._beside._kinds):
            raise InvalidInput("name", name, "a name that does not mean something else already")
        if name in own:
            raise InvalidInput("name", name, f"a name other than the lab's own {self._what}s")

    def add(self, name: str, kind: K) -> K:
        """Add a kind under a name that passes `check`, and return it."""
        self.check(name)
        self._check_kind(kind, "kind")
        self._kinds[name] = kind
        return kind

    def register(self, name: str) -> Callable[[D], D]:
        """Register a kind under a name, so that configurations can speak of it; a decorator.

        The name is of lowercase letters, digits and underscores, and none of the lab's own.
        """
        self.check(name)

        def register(kind: D) -> D:
            self.add(name, cast(K, kind))
            return kind

        return register

    def doors(self, what: str) -> tuple["Register", Callable[[], tuple[str, ...]]]:
        """Return `register` and `names` as functions whose help says whose they are.

        ``what`` is what is registered, in a few words.
        """

        def register(name: str) -> Callable[[D], D]:
            return self.register(name)

        def names() -> tuple[str, ...]:
            return self.names()

        place = f"the setting ``{self._field}``"
        register.__doc__ = (
            f"Register {what}, under a name; a decorator.\n\n"
            f"Then {place} takes the name, and a file can have it.\n"
            f"It is of lowercase letters, digits and underscores, and none of the lab's own."
        )
        names.__doc__ = (
            f"Return the names that {place} takes, in alphabetical order.\n\n"
            f"They are the lab's own, and those that were registered with `{self._decorator}`."
        )
        for door, name in ((register, self._decorator), (names, f"{self._decorator}s")):
            door.__name__ = door.__qualname__ = name
        return register, names

    def make(self, kind: object, parameters: Mapping[str, Any], place: str, *given: Any) -> Any:
        """Make a thing of a kind.

        Parameters
        ----------
        kind : str or callable
            A name, or a class or function of one's own.
        parameters : mapping of str to object
            What the kind takes by name. Pydantic reads those whose type is a ``Literal`` or
            ``Annotated``; see :mod:`streamlet_lab.values` for durations, and numbers with ranges.
        place : str
            Where the parameters were given, for messages.
        *given
            What the lab gives the kind before them.

        Raises
        ------
        InvalidInput
            If there is no such kind, or it does not take these parameters. Any other error comes
            from inside the kind, and stays what it is.
        """
        if isinstance(kind, type):
            self._check_kind(kind, self._field)
        factory = cast(Callable[..., Any], kind if callable(kind) else self[kind])
        try:
            made = factory(*given, **read_parameters(factory, parameters, len(given)))
        except InvalidInput as error:
            field = f"{place}.{error.field}" if error.field else place
            raise InvalidInput(field, error.value, error.expected) from None
        if self._base is not None and not isinstance(made, self._base):
            raise InvalidInput(place, made, f"a {self._base.__name__}, which is what a kind makes")
        return made

    def _filled(self) -> dict[str, K]:
        if self._filled_above and not self._own:
            _fill()
        return self._kinds

    def _check_kind(self, kind: object, field: str) -> None:
        if self._base is None:
            return
        is_kind = isinstance(kind, type) and issubclass(kind, self._base)
        if not is_kind or inspect.isabstract(kind):
            methods = sorted(getattr(self._base, "__abstractmethods__", ()))
            has = f" with a method {' and '.join(methods)}" if methods else ""
            raise InvalidInput(field, kind, f"a subclass of {self._base.__name__}{has}")

    def _expected(self, name: object) -> str:
        if isinstance(name, str) and name.startswith(CALLABLE):
            function = name.removeprefix(CALLABLE)
            return f"the function {function} itself, which a file can name but not contain"
        besides = f", or {self._besides}" if self._besides else ""
        if besides and self._beside is not None:
            besides += f" ({', '.join(self._beside)})"
        one = f"an {self._what}" if self._what[0] in "aeiou" else f"a {self._what}"
        known = [*self, *(self._beside or ())]
        expected = f"one of {', '.join(self)}{besides}; {one} of your own must be registered before"
        return expected + nearest(name, known)


def _fill() -> None:
    """Import what fills every register of the lab; the top of the house alone knows its name."""
    import_module(vars(sys.modules[__package__])["_FILLS_REGISTERS"])


def registers() -> dict[str, Kinds[Any]]:
    """Return all registers of the lab, filled, by what registers a kind in them is called."""
    _fill()
    return _REGISTERS


def kinds_of_others() -> dict[tuple[str, str], Any]:
    """Return all that was registered and is not the lab's own, by decorator and name."""
    return {
        # By its fields: what goes by its name cannot be sent to where nobody knows that.
        (decorator, name): replace(kind) if hasattr(type(kind), "__dataclass_fields__") else kind
        for decorator, register in registers().items()
        for name, kind in register.items()
        if name not in register.own()
    }


def add_kind(decorator: str, name: str, kind: Any) -> None:
    """Register one of what :func:`kinds_of_others` returned in another process."""
    registers()[decorator].add(name, kind)


def read_parameters(
    factory: Callable[..., Any], parameters: Mapping[str, Any], given: int = 0
) -> dict[str, Any]:
    """Return parameters as a factory's annotations want them; those not named are left out.

    The caller gives the first ``given`` ones by position. `InvalidInput` is raised for the first
    that it does not take, or that is not what it says; with an empty field where some are missing.
    """
    if not isinstance(parameters, Mapping):
        raise InvalidInput("", parameters, "a table of parameters by their names")
    # Only what lives as long as the program is remembered, and surely can be hashed.
    remembered = isinstance(factory, type | FunctionType)
    taken = (_taken if remembered else _taken.__wrapped__)(factory, given)
    if taken.first < given:
        what = f"what takes {given} value{'s' * (given > 1)} by position, before its own parameters"
        raise InvalidInput("", factory, what)
    for name, value in parameters.items():
        if name not in taken.names and not (taken.takes_any and isinstance(name, str)):
            known = one_of(name, taken.names, "one of the parameters")
            raise InvalidInput(str(name), value, known if taken.names else "no parameters")
    missing = [name for name in taken.required if name not in parameters]
    if missing:
        expected = f"a value for {', '.join(missing)} too, which is missing"
        raise InvalidInput("", dict(parameters), expected)
    try:
        return taken.types.validate_python(dict(parameters))
    except ValidationError as error:
        raise first_mistake(error) from None


class _Taken(NamedTuple):
    """What a factory takes by name."""

    first: float  # values by position, at most
    names: tuple[str, ...]
    required: tuple[str, ...]
    takes_any: bool
    types: TypeAdapter[dict[str, Any]]


# Types made at run time are none of mypy's business.
_typed_dict: Any = TypedDict


def _is_checked(annotation: object) -> bool:
    """Whether a type says more than what is meant: pydantic's Annotated, or a Literal."""
    return get_origin(annotation) in (Annotated, Literal) or any(
        map(_is_checked, get_args(annotation))
    )


@lru_cache(maxsize=256)
def _taken(factory: Callable[..., Any], given: int) -> _Taken:
    try:
        signature = inspect.signature(factory, eval_str=True)
    except Exception:  # a type that is only there for type checkers, say: it is not checked then
        signature = inspect.signature(factory)
    parameters = [*signature.parameters.values()]
    by_position = [one for one in parameters if one.kind <= one.POSITIONAL_OR_KEYWORD]
    accepted = [one for one in parameters if one not in by_position[:given]]
    named = [one for one in accepted if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    takes_any = any(one.kind is one.VAR_KEYWORD for one in accepted)
    types = {one.name: one.annotation if _is_checked(one.annotation) else Any for one in named}
    config = ConfigDict(extra="allow", strict=True, arbitrary_types_allowed=True)
    table: Any = _typed_dict("Parameters", types, total=False)
    table.__pydantic_config__ = config
    is_open = any(one.kind is one.VAR_POSITIONAL for one in parameters)
    return _Taken(
        math.inf if is_open else len(by_position),
        tuple(types),
        tuple(one.name for one in named if one.default is one.empty),
        takes_any,
        TypeAdapter(table),
    )
