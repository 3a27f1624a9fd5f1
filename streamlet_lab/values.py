"""All that comes from outside: types that pydantic reads, with their ranges, and its complaints."""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from types import NoneType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Literal,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    PlainSerializer,
    ValidationError,
)
from pydantic_core import CoreSchema, core_schema

from streamlet_lab.copies import check_pickled
from streamlet_lab.errors import InvalidInput, shown
from streamlet_lab.fixed import fixed
from streamlet_lab.fixed import unchecked as unchecked
from streamlet_lab.texts import LONGEST_NUMBER, nearest, one_of
from streamlet_lab.units import (
    format_duration,
    to_decimal,
    to_flag,
    to_instance,
    to_microseconds,
    to_name,
    to_number,
    to_python,
    to_text,
    to_timestamp,
    to_whole,
)

#: Before the name of a function where a saved configuration had the function itself.
CALLABLE: Final = "callable:"

_QUOTED: Final = re.compile("'([^']*)'")

# What pydantic puts into a location beside what a person wrote.
_LABELS: Final = ("function-", "constrained-", "literal[", "tuple[")
# Half of what `texts` reads: parameters lie somewhere in a configuration.
_DEEPEST: Final = 16
# What readers call a value for want of a better name; the location has one.
_UNNAMED: Final = ("value", "duration", "price")

#: Money, shares or a percentage, exact.
Amount = Annotated[Decimal, BeforeValidator(to_decimal), PlainSerializer(str, return_type=str)]


class _Range(ABC):
    """What an annotation says of a value: `read` returns a plain one in range, or refuses it."""

    @abstractmethod
    def read(self, value: object, field: str = "value") -> object: ...

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.read, handler(source))


@dataclass(frozen=True)
class Number(_Range):
    """A finite number in a range: ``Annotated[float, Number(0, 1, above=True)]``.

    Both ends are in it unless ``above`` or ``below`` leave one out; an infinite one is no bound.
    """

    low: float
    high: float = math.inf
    above: bool = False
    below: bool = False

    def read(self, value: object, field: str = "value") -> float:
        return to_number(value, self.low, self.high, field, above=self.above, below=self.below)


@dataclass(frozen=True)
class Whole(_Range):
    """A whole number in a range: ``Annotated[int, Whole(1, 100)]``; see `to_whole`."""

    low: int = 0
    high: int | None = None
    expected: str | None = None

    def read(self, value: object, field: str = "value") -> int:
        return to_whole(value, self.low, field, self.high, self.expected)


@dataclass(frozen=True)
class Exact(_Range):
    """A decimal number in a range, as it was written: ``Annotated[Decimal, Exact(0, 100)]``."""

    low: int
    high: int

    def read(self, value: object, field: str = "value") -> Decimal:
        number = to_decimal(value, field)
        if not self.low <= number <= self.high:
            raise InvalidInput(field, value, f"a number from {self.low} to {self.high}")
        return number


@dataclass(frozen=True)
class Span(_Range):
    """A duration in a range, in microseconds: ``Annotated[int, Span(1)]``; see `Duration`."""

    low: int = 0
    high: int | None = None

    def read(self, value: object, field: str = "value") -> int:
        duration = to_microseconds(value, field)
        if duration < self.low or (self.high is not None and duration > self.high):
            least = "longer than zero, " if self.low else ""
            most = "such as '5min'" if self.high is None else f"up to {format_duration(self.high)}"
            raise InvalidInput(field, value, f"a duration {least}{most}")
        return duration

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        written = core_schema.plain_serializer_function_ser_schema(
            format_duration, return_schema=core_schema.str_schema()
        )
        return {**super().__get_pydantic_core_schema__(source, handler), "serialization": written}


#: Seconds as a number or a text such as ``"250ms"``; microseconds inside.
Duration = Annotated[int, Span()]


class _Truth(_Range):
    def read(self, value: object, field: str = "value") -> bool:
        return to_flag(value, field)


#: True or false, numpy's too, and nothing else that Python takes for them.
Flag = Annotated[bool, _Truth()]


@dataclass(frozen=True)
class Text(_Range):
    """A text of so many characters at least: ``Annotated[str, Text(1)]``."""

    fewest: int = 0

    def read(self, value: object, field: str = "value") -> str:
        return to_text(value, field, self.fewest)


def check_ranges(values: Any) -> None:
    """Read the fields of a new dataclass as their annotations say, and store what was read.

    An annotation is a type with its range, a text, one of some, a truth value, a `Decimal`, a
    calendar time or a class; or one of these or None. Whatever is none raises `InvalidInput` with
    the name of the field. Other fields keep what they were given, numpy's numbers as Python's.
    """
    for name, known, read, may_be_none in _readers(values.__class__):
        value = getattr(values, name)
        if type(value) is not known and not (may_be_none and value is None):
            object.__setattr__(values, name, read(value, name))


_Reader = Callable[[Any, str], object]

_PLAIN: Final[Mapping[object, _Reader]] = {
    str: to_text,
    bool: to_flag,
    int: lambda value, _: to_python(value),
    float: lambda value, _: to_python(value),
    Decimal: to_decimal,
    datetime: to_timestamp,
}


@cache
def _readers(kind: Any) -> list[tuple[str, type | None, _Reader, bool]]:
    hints, readers = get_type_hints(kind, include_extras=True), []
    for name in (item.name for item in fields(kind) if item.init):
        hint, parts = hints[name], get_args(hints[name])
        may_be_none = len(parts) == 2 and parts[1] is NoneType
        readers.append((name, *_reader(parts[0] if may_be_none else hint), may_be_none))
    return readers


def _reader(hint: Any) -> tuple[type | None, _Reader]:
    """Return the reader of a field, after the type whose values it always takes as they are."""
    for mark in getattr(hint, "__metadata__", ()):
        if isinstance(mark, _Range):
            return None, mark.read
    base = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    if get_origin(base) is Literal:
        return None, lambda value, field: to_name(value, get_args(base), field)
    if not isinstance(base, type):
        return None, lambda value, _: to_python(value)
    # An amount may be infinite, and a time without a zone.
    as_it_is = None if base in (Decimal, datetime) else base
    return as_it_is, _PLAIN.get(base) or (lambda value, field: to_instance(value, base, field))


def _read_named(value: object) -> object:
    if not isinstance(value, str) and not callable(value):
        raise InvalidInput("value", value, "a registered name, or a function")
    return value


def _write_named(value: str | Callable[..., Any]) -> str:
    return value if isinstance(value, str) else CALLABLE + kind_name(value)


def kind_name(value: str | Callable[..., Any]) -> str:
    """Return the name of a kind, of a function its own, whether it was saved meanwhile or not."""
    if isinstance(value, str):
        return value.removeprefix(CALLABLE)
    return str(getattr(value, "__name__", getattr(value, "name", type(value).__name__)))


#: The name of something registered, or a function, which a saved configuration names but does not
#: contain.
Named = Annotated[
    str | Callable[..., Any],
    BeforeValidator(_read_named),
    PlainSerializer(_write_named, return_type=str),
]


def to_plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters that are the same after they were saved and loaded, or refuse the first.

    Numpy's numbers and truth values become Python's.
    """
    plain = {}
    for name, value in parameters.items():
        try:
            plain[name] = _plain(value, 0)
        except (TypeError, ValueError, OverflowError):  # half a character; beyond every float
            expected = "a text, a finite number, true, false, or a list or a table of these"
            raise InvalidInput(name, value, expected) from None
    return plain


def _plain(value: object, depth: int) -> object:
    match value:
        case str():
            value.encode()
            return value
        case list() if depth < _DEEPEST:
            return [_plain(item, depth + 1) for item in value]
        case dict() if depth < _DEEPEST and all(isinstance(name, str) for name in value):
            return {_plain(name, depth): _plain(each, depth + 1) for name, each in value.items()}
    plain = to_python(value)
    is_number = isinstance(plain, int | float) and math.isfinite(plain)
    if not is_number or len(str(plain)) > LONGEST_NUMBER:
        raise TypeError
    return plain


#: What something made by its name takes, by the names of its parameters.
Parameters = Annotated[dict[str, Any], AfterValidator(to_plain)]


if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)


class _InOurWords(ModelMetaclass):
    """Has pydantic's complaints about a new configuration, or a part of one, told in our words."""

    def __call__(self, *arguments: Any, **settings: Any) -> Any:
        try:
            return super().__call__(*arguments, **settings)
        except ValidationError as error:
            raise first_mistake(error, self) from None


class Section(BaseModel, metaclass=_InOurWords):
    """A part of a configuration: frozen, and strict about the names of its settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def model_post_init(self, context: object) -> None:
        """Fix what is inside, too."""
        for name, value in vars(self).items():
            object.__setattr__(self, name, fixed(value))

    def __setattr__(self, name: str, value: object) -> None:
        expected = "another configuration: this one does not change; see Experiment.replace"
        raise InvalidInput(name, value, expected)

    def __delattr__(self, name: str) -> None:
        self.__setattr__(name, None)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            # A function's own text is where it lies in memory.
            yield name, _write_named(value) if callable(value) else value

    def __getstate__(self) -> dict[Any, Any]:
        for place, function in functions_in(self):
            if callable(function):
                check_pickled(function, place)
        return super().__getstate__()


def functions_in(value: object, place: str = "") -> Iterator[tuple[str, str | Callable[..., Any]]]:
    """Yield the place of each function in a section, and the function, or its name once saved."""
    if isinstance(value, Section | Mapping | tuple):
        items = enumerate(value) if isinstance(value, tuple) else dict(value).items()
        for name, inner in items:
            yield from functions_in(inner, f"{place}.{name}")
    elif callable(value) or (isinstance(value, str) and value.startswith(CALLABLE)):
        yield place.removeprefix("."), value


def first_mistake(error: ValidationError, model: Any = None) -> InvalidInput:
    """Turn pydantic's report into the lab's one clear message.

    ``model`` is what was to be made, for the names of the settings that there are.
    """
    first = error.errors(include_url=False)[0]
    location = [str(part) for part in first["loc"] if not str(part).startswith(_LABELS)]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, InvalidInput):
        # A validator names its own field more exactly than the place that it was called from.
        if cause.field not in (*location[-1:], *_UNNAMED):
            location.append(cause.field)
        return InvalidInput(".".join(location), cause.value, cause.expected)
    place, expected = ".".join(location), first["msg"].removeprefix("Input should be ")
    match first["type"]:
        case "missing":
            expected = f"a value for {location[-1]!r} too, which is missing"
            return InvalidInput(".".join(location[:-1]), first["input"], expected)
        case "extra_forbidden":
            *section, name = location
            known, what = _settings(model, section), "one of the settings"
            home = _home(model, name)
            expected = f"{what} {', '.join(known)}{home}" if home else one_of(name, known, what)
            return InvalidInput(".".join(section) or "setting", name, expected)
        case "unexpected_keyword_argument":
            expected = one_of(location[-1], _settings(model, location[:-1]))
        case "literal_error" | "enum":
            expected += nearest(first["input"], _QUOTED.findall(expected))
        case "tuple_type":
            is_one = isinstance(first["input"], str | Mapping)
            expected = f"a list, such as [{shown(first['input'])}]" if is_one else "a list"
        case "string_type":
            expected = "a text"
        case "too_short":
            expected = "one or more"
        case "dict_type":
            expected = "a table of values by their names"
        case "model_type":
            expected = f"a table of the settings {', '.join(_settings(model, location))}"
    return InvalidInput(place, first["input"], expected)


def _home(model: Any, name: str) -> str:
    """Return in which section of a model a setting is that was looked for outside."""
    *_, inner = name.split(".")
    for section, kind in get_type_hints(model).items():
        if isinstance(kind, type) and inner in getattr(kind, "model_fields", ()):
            return f"; {inner!r} is a setting of {section!r}: {section}={{{inner!r}: …}}"
    return ""


def _settings(model: Any, sections: list[str]) -> list[str]:
    """Return the names of the settings in a section of a model, or in its items."""
    for section in sections:
        inner = [part for part in get_args(model) if hasattr(part, "__pydantic_fields__")]
        inner += filter(is_dataclass, get_args(model))
        model = inner[0] if inner else get_type_hints(model)[section]
    if is_dataclass(model):
        return [item.name for item in fields(model) if item.init]
    return [*model.model_fields]
