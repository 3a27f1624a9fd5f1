"""What the sections of a configuration are made of."""

import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    ValidationInfo,
    field_validator,
)

from streamlet_lab.errors import InvalidInput
from streamlet_lab.register import CALLABLE
from streamlet_lab.units import format_duration, to_decimal, to_microseconds

#: Seconds as a number or a text such as ``"250ms"``; microseconds inside.
Duration = Annotated[
    int, BeforeValidator(to_microseconds), PlainSerializer(format_duration, return_type=str)
]

#: Money, shares or a percentage, exact.
Amount = Annotated[Decimal, BeforeValidator(to_decimal), PlainSerializer(str, return_type=str)]

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
        if not _is_plain(value):
            expected = "a text, a finite number, true, false, or a list or a table of these"
            raise InvalidInput(name, value, expected)
    return parameters


def _is_plain(value: object) -> bool:
    """Whether a value is the same after it was saved and loaded."""
    match value:
        case list():
            return all(map(_is_plain, value))
        case dict():
            return all(isinstance(name, str) for name in value) and _is_plain([*value.values()])
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
