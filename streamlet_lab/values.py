"""All that comes from outside: types that pydantic reads, with their ranges, and its complaints."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Final, get_type_hints

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    PlainSerializer,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import CoreSchema, core_schema

from streamlet_lab.errors import InvalidInput
from streamlet_lab.units import (
    format_duration,
    to_decimal,
    to_microseconds,
    to_number,
    to_whole,
)

#: Before the name of a function where a saved configuration had the function itself.
CALLABLE: Final = "callable:"

#: Seconds as a number or a text such as ``"250ms"``; microseconds inside.
Duration = Annotated[
    int, BeforeValidator(to_microseconds), PlainSerializer(format_duration, return_type=str)
]

#: Money, shares or a percentage, exact.
Amount = Annotated[Decimal, BeforeValidator(to_decimal), PlainSerializer(str, return_type=str)]


def _read_flag(value: object) -> object:
    if not isinstance(value, bool):
        raise InvalidInput("value", value, "true or false")
    return value


#: True or false, and nothing that Python takes for them.
Flag = Annotated[bool, BeforeValidator(_read_flag)]


class _Range:
    """What an annotation says of a number; pydantic reads it by `read`."""

    def read(self, value: object, field: str) -> object:
        """Return a number of the range, or raise `InvalidInput`."""
        raise NotImplementedError

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        def validate(value: object, info: ValidationInfo) -> object:
            return self.read(value, info.field_name or "value")

        return core_schema.with_info_before_validator_function(validate, handler(source))


@dataclass(frozen=True)
class Number(_Range):
    """A finite number in a range: ``Annotated[float, Number(0, 1, above=True)]``.

    Parameters
    ----------
    low, high : float
        Both included; an infinite one is no bound.
    above, below : bool
        Leave out the lower end, or the upper one.
    """

    low: float
    high: float = math.inf
    above: bool = False
    below: bool = False

    def read(self, value: object, field: str) -> float:
        """Return a number of the range, or raise `InvalidInput`."""
        return to_number(value, self.low, self.high, field, above=self.above, below=self.below)


@dataclass(frozen=True)
class Whole(_Range):
    """A whole number in a range: ``Annotated[int, Whole(1, 100)]``."""

    low: int = 0
    high: int | None = None

    def read(self, value: object, field: str) -> int:
        """Return a whole number of the range, or raise `InvalidInput`."""
        return to_whole(value, self.low, field, self.high)


@dataclass(frozen=True)
class Exact(_Range):
    """A decimal number in a range, as it was written: ``Annotated[Decimal, Exact(0, 100)]``."""

    low: int
    high: int

    def read(self, value: object, field: str) -> Decimal:
        """Return a number of the range, or raise `InvalidInput`."""
        number = to_decimal(value, field)
        if not self.low <= number <= self.high:
            raise InvalidInput(field, value, f"a number from {self.low} to {self.high}")
        return number


def check_ranges(values: Any) -> None:
    """Refuse an instance of a dataclass with a field outside of what its annotation says.

    Raises
    ------
    InvalidInput
        For the first such field.
    """
    for name, number_range in _ranges(values.__class__):
        number_range.read(getattr(values, name), name)


@cache
def _ranges(kind: Any) -> list[tuple[str, _Range]]:
    return [
        (name, mark)
        for name, hint in get_type_hints(kind, include_extras=True).items()
        for mark in getattr(hint, "__metadata__", ())
        if isinstance(mark, _Range)
    ]


_Function = Callable[..., Any]


def _read_named(value: object) -> object:
    if not isinstance(value, str) and not callable(value):
        raise InvalidInput("function", value, "a registered name, or a function")
    return value


def write_named(value: str | _Function) -> str:
    """Return what a setting is saved as: a name, or that of a function, marked as one."""
    if isinstance(value, str):
        return value
    return CALLABLE + getattr(value, "__name__", getattr(value, "name", "unnamed"))


#: The name of something registered, or a function, which a saved configuration names but does not
#: contain.
Named = Annotated[
    str | _Function, BeforeValidator(_read_named), PlainSerializer(write_named, return_type=str)
]


def unsaved_function(value: object) -> str | None:
    """Return the name of a function that a saved configuration does not contain."""
    if value is None:
        return None
    text = write_named(value)  # type: ignore[arg-type]
    return text.removeprefix(CALLABLE) if text.startswith(CALLABLE) else None


def _check_plain(parameters: dict[str, Any]) -> dict[str, Any]:
    for name, value in parameters.items():
        if not is_plain(value):
            expected = "a text, a finite number, true, false, or a list or a table of these"
            raise InvalidInput(name, value, expected)
    return parameters


def is_plain(value: object) -> bool:
    """Whether a value is the same after it was saved and loaded."""
    match value:
        case list():
            return all(map(is_plain, value))
        case dict():
            return all(isinstance(name, str) for name in value) and is_plain([*value.values()])
        case float():
            return math.isfinite(value)
        case _:
            return isinstance(value, str | int)


#: What something made by its name takes, by the names of its parameters.
Parameters = Annotated[dict[str, Any], AfterValidator(_check_plain)]


class Section(BaseModel):
    """A part of a configuration: frozen, and strict about the names of its settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_truth_for_numbers(cls, value: object, info: ValidationInfo) -> object:
        assert info.field_name is not None
        field = cls.model_fields[info.field_name]
        # Durations read themselves, and say what they would be.
        reads_itself = any(isinstance(each, BeforeValidator) for each in field.metadata)
        if isinstance(value, bool) and field.annotation in (int, float) and not reads_itself:
            raise InvalidInput(info.field_name, value, "a number")
        return value

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            # A function's own text is where it lies in memory.
            yield name, write_named(value) if callable(value) else value


def first_mistake(error: ValidationError) -> InvalidInput:
    """Turn pydantic's report about a value into the lab's one clear message."""
    first = error.errors(include_url=False)[0]
    location = [str(part) for part in first["loc"]]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, InvalidInput):
        return InvalidInput(".".join(location), cause.value, cause.expected)
    expected = first["msg"].removeprefix("Input should be ")
    return InvalidInput(".".join(location), first["input"], expected)
