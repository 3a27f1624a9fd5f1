"""Strict reading of the JSON documents that others hand in: evidence, keys and proofs.

A document has exactly one form. A field more or less, another type (in Python a truth value is an
integer, in JSON it is not), an uppercase digit of a hash: everything else is refused.
"""

import json
import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

from streamlet_lab.errors import DataError, InvalidInput

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

#: The numbers of blocks and votes are signed as 64-bit integers.
LEAST_INTEGER: Final = -(2**63)
GREATEST_INTEGER: Final = 2**63 - 1


def write_json(document: dict[str, object]) -> str:
    """Return a document as the text of a file."""
    return json.dumps(document, indent=2) + "\n"


def to_fields(value: "DataclassInstance") -> dict[str, object]:
    """Return what a value was made of, by name; bytes as lowercase hexadecimal."""
    given = {one.name: getattr(value, one.name) for one in fields(value) if one.init}
    return {name: of.hex() if isinstance(of, bytes) else of for name, of in given.items()}


def parse_json(text: str) -> object:
    """Parse a JSON text in which no object has a name twice.

    Parsers differ in which of two equal names they believe, so such a text says two things.

    Raises
    ------
    DataError
        If the text is not JSON, or has a name twice in one object.
    """
    try:
        document: object = json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise DataError(f"not a JSON document: {error}") from error
    return document


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError(
            f"a name twice in one object, whose names are {[name for name, _ in pairs]}"
        )
    return document


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a parsed document; every method refuses a wrong type.

    The value is as the JSON parser returned it. Errors name its place: ``proof.headers[1].epoch``.
    """

    value: object
    place: str

    def refuse(self, expected: str) -> InvalidInput:
        """Return the error that says what would have been right here."""
        return InvalidInput(self.place, self.value, expected)

    def constant(self, expected: str) -> None:
        """Require exactly this text."""
        if self.value != expected:
            raise self.refuse(repr(expected))

    def fields(self, *names: str) -> "dict[str, Part]":
        """Return the parts of an object that has exactly the named fields, in this order."""
        parts = self.members()
        if parts.keys() != set(names):
            found = ", ".join(map(str, parts))
            raise InvalidInput(self.place, found, f"exactly the fields {', '.join(names)}")
        return {name: parts[name] for name in names}

    def members(self) -> "dict[str, Part]":
        """Return the parts of an object, whatever their names."""
        if not isinstance(self.value, dict):
            raise self.refuse("an object")
        return {name: Part(value, f"{self.place}.{name}") for name, value in self.value.items()}

    def items(self) -> "list[Part]":
        """Return the parts of a list."""
        if not isinstance(self.value, list):
            raise self.refuse("a list")
        return [Part(value, f"{self.place}[{index}]") for index, value in enumerate(self.value)]

    def integer(self, least: int = LEAST_INTEGER) -> int:
        """Return an integer of at most 64 bits."""
        # Not isinstance: a bool is an int.
        if type(self.value) is not int or not least <= self.value <= GREATEST_INTEGER:
            raise self.refuse(f"an integer from {least} to {GREATEST_INTEGER}")
        return self.value

    def text(self) -> str:
        """Return a text that has a UTF-8 form: no half of a surrogate pair."""
        if not isinstance(self.value, str) or re.search("[\ud800-\udfff]", self.value):
            raise self.refuse("a text")
        return self.value

    def hexadecimal(self, size: int | None = None) -> bytes:
        """Return bytes from lowercase hexadecimal digits; ``size`` is their number, if fixed."""
        count = "*" if size is None else f"{{{size}}}"
        if not isinstance(self.value, str) or not re.fullmatch(
            f"([0-9a-f]{{2}}){count}", self.value
        ):
            length = "" if size is None else f"{2 * size} "
            raise self.refuse(f"{length}lowercase hexadecimal digits")
        return bytes.fromhex(self.value)
