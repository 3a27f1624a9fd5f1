"""Texts of others: read, decoded and parsed within limits that are checked before work is done.

What goes wrong is a `DataError` in the lab's own words, whatever Python's parsers raise.
"""

import codecs
import difflib
import html
import json
import math
import re
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any, Final

from streamlet_lab.errors import DataError, InvalidInput, shown
from streamlet_lab.errors import printable as printable

#: Bytes of a file. The proof of a block with 10,000 others between it and finality has 4 million.
MOST_BYTES: Final = 16_000_000
#: Values in a JSON document.
MOST_VALUES: Final = 1_000_000
#: Characters of a TOML document, of which the parser may read only half a million in a second.
MOST_OF_TOML: Final = 1_200_000
#: Names in an object of JSON, and in a whole document of TOML: a delay for each two of 200 nodes.
MOST_NAMES: Final = 40_000
#: Values in a configuration, of each of which there may be a complaint.
MOST_SETTINGS: Final = 100_000
_DEEPEST: Final = 32
_MOST_PARTS: Final = 16
#: Every integer of so many digits, be they hexadecimal, has a float.
LONGEST_NUMBER: Final = 250

_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "UTF-32"),  # begins as that of UTF-16 does
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
# The strings and comments of TOML, closed or not; possessive, so that it is read once.
_OPAQUE: Final = re.compile(
    r'"""(?:[^"\\]++|\\.|"{1,2}(?!"))*+(?:"{3,5}|\\?\Z)'
    r"|'''(?:[^']++|'{1,2}(?!'))*+(?:'{3,5}|\Z)"
    r'|"(?:[^"\\\n]++|\\.)*+"?'
    r"|'[^'\n]*+'?"
    r"|#[^\n]*+",
    re.DOTALL,
)
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
# Outside of those: each comes with a value that is made.
_SIGNS: Final = (
    ("=", MOST_NAMES, "names"),
    ("[", 20_000, "brackets"),
    (",", MOST_SETTINGS, "values"),
)
_BETWEEN: Final = re.compile(r"[=,\[\]{}\n]")
_LONGEST_NAME: Final = 80


def to_path(path: object, field: str = "path") -> Path:
    """Return a path, or refuse what names none."""
    if not isinstance(path, str | PathLike):
        raise InvalidInput(field, path, "the name of a file")
    return Path(path)


def read_text(path: str | Path, *, most: int = MOST_BYTES) -> str:
    """Return the text of a file in UTF-8, with or without a byte order mark.

    Raises
    ------
    DataError
        If there is no such file, it has more than so many bytes, or it is in another encoding.
    """
    try:
        with to_path(path).open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:  # a null character
        raise DataError(f"{path}: not the name of a file ({error})") from error
    if len(content) > most:
        raise DataError(f"{path}: too large; expected at most {most:,} bytes")
    # The ends of lines as Python reads them.
    return decode(content, str(path)).replace("\r\n", "\n").replace("\r", "\n")


def decode(content: bytes, source: str = "the document") -> str:
    """Return the text of bytes in UTF-8, or say which encoding they seem to be in."""
    seems = next((name for mark, name in _MARKS if content.startswith(mark)), "")
    text = ""
    if not seems:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            byte = f"byte 0x{content[error.start]:02x} in line {line}"
            seems = f"Latin-1 or Windows-1252, or no text at all ({byte})"
        else:
            # Every second byte of a text in UTF-16 is one, and no text has any.
            seems = "UTF-16 without its mark, or no text at all" if "\0" in text else ""
    if seems:
        raise DataError(f"{source}: not a text in UTF-8; it seems to be {seems}")
    return text


def parse_json(text: str, source: str = "", *, most: int = MOST_VALUES) -> Any:
    """Parse a JSON document of so many values, in which no object has a name twice.

    Parsers differ in which of two equal names they believe, so such a text says two things. An
    error names the source.

    Raises
    ------
    DataError
        If the text is not JSON, or goes beyond a limit.
    """
    with _in_our_words("JSON", source):
        if sum(map(text.count, ",[{")) > most:
            raise ValueError(f"expected at most {most:,} values")
        document = _JSON.decode(text)
        _check_depth(document)
        # Half a pair cannot be written again, nor hashed.
        if _SURROGATE.search(text):
            json.dumps(document, ensure_ascii=False).encode()
    return document


def parse_toml(text: str, source: str = "") -> dict[str, Any]:
    """Parse a TOML document within `MOST_OF_TOML`, `MOST_NAMES` and `MOST_SETTINGS`.

    Raises
    ------
    DataError
        If the text is not TOML, or goes beyond a limit.
    """
    with _in_our_words("TOML", source):
        if len(text) > MOST_OF_TOML:
            raise ValueError(f"expected at most {MOST_OF_TOML:,} characters")
        outside = _OPAQUE.sub('"', text)
        for sign, most, what in _SIGNS:
            if outside.count(sign) > most:
                raise ValueError(f"expected at most {most:,} {what}")
        for piece in map(str.strip, _BETWEEN.split(outside)):
            _check_length(piece)
            # The parser takes as many steps as the square of this.
            if piece.count(".") >= _MOST_PARTS:
                raise ValueError(f"{piece[:40]!r}…; expected at most {_MOST_PARTS} parts of a name")
        document = tomllib.loads(text, parse_float=_float)
        _check_depth(document)
    return document


@contextmanager
def _in_our_words(form: str, source: str) -> Iterator[None]:
    where = f"{source}: " if source else ""
    try:
        yield
    except RecursionError:
        raise DataError(f"{where}not a {form} document: nested too deep") from None
    except UnicodeEncodeError:
        raise DataError(f"{where}not a {form} document: half a character") from None
    except ValueError as error:
        raise DataError(f"{where}not a {form} document: {error}") from None


def nearest(name: object, names: Iterable[str]) -> str:
    """Return a hint at the one of some names that is most like another, or nothing.

    >>> nearest("medain", ["mean", "median"])
    " (did you mean 'median'?)"
    """
    if not isinstance(name, str) or len(name) > _LONGEST_NAME:
        return ""
    # In lower case for the comparison, as SHOUTING is no other name.
    known = {each.lower(): each for each in names}
    found = difflib.get_close_matches(name.lower(), known, n=1)
    return f" (did you mean {known[found[0]]!r}?)" if found else ""


def one_of(name: object, names: Iterable[object], what: str = "one of") -> str:
    """Return what is valid where a name is none of others, with a hint at the one most like it.

    >>> one_of("medain", ["mean", "median"])
    "one of mean, median (did you mean 'median'?)"
    """
    known = [str(each) or "''" for each in names]
    hint = nearest(name, known) if len(known) > 1 else ""
    return f"{what} {', '.join(known)}{hint}"


def html_table(lines: Iterable[tuple[str, str]]) -> str:
    """Return labels and their texts as a table for a notebook."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{html.escape(printable(label))}</th>"
        f"<td style='text-align:left'>{html.escape(printable(text))}</td></tr>"
        for label, text in lines
    )
    return f"<table>{rows}</table>"


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(pairs) > MOST_NAMES:
        raise ValueError(f"expected at most {MOST_NAMES:,} names in one object")
    document: dict[str, object] = {}
    for name, value in pairs:
        if name in document:
            raise ValueError(f"a name twice in one object: {shown(name)}")
        document[name] = value
    return document


def _integer(text: str) -> int:
    _check_length(text)
    return int(text)


def _float(text: str) -> float:
    _check_length(text)
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text} is no finite number")
    return number


def _check_length(text: str) -> None:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(
            f"{text[:40]!r}… is too long; expected at most {LONGEST_NUMBER} characters"
        )


def _check_depth(document: object) -> None:
    level = [document]
    for _ in range(_DEEPEST + 1):
        tables = [item for item in level if isinstance(item, dict | list)]
        level = [
            item
            for table in tables
            for item in (table.values() if isinstance(table, dict) else table)
        ]
        if not level:
            return
    raise ValueError(f"expected a nesting of at most {_DEEPEST}")


_JSON: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_float
)
