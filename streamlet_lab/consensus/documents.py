"""Documents that others hand in as JSON: evidence, keys and proofs, each with exactly one form.

A field more or less, another type (in Python a truth value is an integer, in JSON it is not), an
uppercase digit of a hash: everything else is refused.
"""

import json
import re
from collections.abc import Callable
from functools import cache, partial
from typing import Annotated, Any, ClassVar, Final, Self, TypeVar

from pydantic import BeforeValidator, ConfigDict, PlainSerializer, TypeAdapter, ValidationError

from streamlet_lab.errors import InvalidInput
from streamlet_lab.values import Whole, first_mistake

_T = TypeVar("_T")

GREATEST_INTEGER: Final = 2**63 - 1

#: The numbers of blocks and votes are signed as 64-bit integers.
Int64 = Annotated[int, Whole(-(2**63), GREATEST_INTEGER)]


def read_hexadecimal(value: object, size: int | None = None) -> bytes:
    """Return bytes, so many if a size is given, from lowercase hexadecimal digits."""
    text = value if isinstance(value, str) else "no text"
    size_is_right = len(text) % 2 == 0 if size is None else len(text) == 2 * size
    if not (size_is_right and re.fullmatch("[0-9a-f]*", text)):
        digits = "" if size is None else f"{2 * size} "
        raise InvalidInput("value", value, f"{digits}lowercase hexadecimal digits")
    return bytes.fromhex(text)


#: Bytes; in a document lowercase hexadecimal digits.
Hex = Annotated[bytes, BeforeValidator(read_hexadecimal), PlainSerializer(bytes.hex)]
#: A SHA-256 hash or an Ed25519 key.
Hex32 = Annotated[
    bytes, BeforeValidator(partial(read_hexadecimal, size=32)), PlainSerializer(bytes.hex)
]


# Making one takes longer than reading a document with it.
_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)


class Document:
    """A dataclass that can be handed to others as JSON, by the types of its fields."""

    __slots__ = ()
    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")
    #: What the document says that it is; the last word but one is how errors call it.
    FORMAT: ClassVar[str]

    def to_document(self) -> dict[str, Any]:
        """Return a document for JSON; bytes are lowercase hexadecimal."""
        fields = _adapter(type(self)).dump_python(self, mode="json")
        return {"format": self.FORMAT, **fields}

    def to_json(self) -> str:
        """Return the document as the text of a file."""
        return json.dumps(self.to_document(), indent=2) + "\n"

    @classmethod
    def from_document(cls, document: object) -> Self:
        """Read what :meth:`to_document` returned, without judging it.

        Raises
        ------
        InvalidInput
            If the document is not exactly of that form.
        """
        place = cls.FORMAT.split()[-2]
        if not isinstance(document, dict):
            raise InvalidInput(place, document, "an object")
        if document.get("format") != cls.FORMAT:
            raise InvalidInput(f"{place}.format", document.get("format"), repr(cls.FORMAT))
        fields = {name: value for name, value in document.items() if name != "format"}
        return read_typed(cls, fields, place)


def read_typed(kind: type[_T], fields: object, place: str) -> _T:
    """Read a dataclass by the types of its fields; errors name the place that it has."""
    try:
        read: _T = _adapter(kind).validate_python(fields)
    except ValidationError as error:
        mistake = first_mistake(error, kind)
        field = f"{place}.{mistake.field}".rstrip(".")
        raise InvalidInput(field, mistake.value, mistake.expected) from None
    return read
