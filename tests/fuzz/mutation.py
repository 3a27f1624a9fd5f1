"""Small damage to an honest input, by its text and by its structure."""

import json
import re
from contextlib import suppress

#: What has broken parsers: numbers, texts, marks and depths that nobody expects there.
NASTY = (
    *(b"NaN", b"Infinity", b"-inf", b"1e999", b"1e-999", b"-0.0", b"1.5", b"-1", b"0", b"007"),
    *(b"9" * 400, b"1" + b"0" * 5_000, b"0x" + b"f" * 5_000, b"9223372036854775808", b"1_50"),
    *(b"true", b"null", b'""', b"[]", b"{}", b"[" * 1_200, b'{"":' * 1_200, b"1e9", b"20000-01-01"),
    *("١٥٠".encode(), "²".encode(), b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", b'"\\ud800"'),
    *(b"\x00", b"\x1b[2J", b"\r\n", b"\n", b"\\n", b'"', b"'", "\u202e".encode(), b"\x85"),
    *(b"<img src=x onerror=1>", b"$x_{$", b"%s{0}", b"0001-01-01", b"9999-12-31T23:59:59.999999Z"),
)
# Those that a document may have, so that what comes after its parser is reached.
_VALUES = (
    "NaN",
    "1e999",
    "-0.0",
    "1.5",
    "-1",
    "0",
    "1e9",
    "9" * 400,
    "9223372036854775808",
    "true",
)
_VALUES += ("null", '""', "[]", "{}", "[" * 40 + "]" * 40, '{"a": 1}', '"1"', '"\\ud800"')
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_WORD = re.compile(rb"[^\s,=:@\[\]{}\"'|.-]+")
_TEXT = re.compile(rb'"[^"\n]*"')


def mutate(data, random, seeds):
    """Return some bytes with one to three kinds of damage, of a source of randomness."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        with suppress(RecursionError):  # what is that deep is damaged enough
            data = random.choice(_WAYS)(data, random, seeds)
    return data


class _Pairs(list):
    """The names and values of an object, of which one may come twice."""


def _flip(data, random, seeds):
    at = random.randint(0, len(data))
    return data[:at] + bytes([random.randint(0, 255)]) + data[at + 1 :]


def _slice(data, random):
    start = random.randint(0, len(data))
    return start, min(len(data), start + random.choice((1, 4, 16, 64, 256)))


def _cut(data, random, seeds):
    start, stop = _slice(data, random)
    return data[:start] + data[stop:]


def _repeat(data, random, seeds):
    start, stop = _slice(data, random)
    return data[:start] + data[start:stop] * random.choice((1, 2, 40)) + data[start:]


def _insert(data, random, seeds):
    at = random.randint(0, len(data))
    return data[:at] + random.choice(NASTY) + data[at:]


def _splice(data, random, seeds):
    other = random.choice(seeds)
    return data[: random.randint(0, len(data))] + other[random.randint(0, len(other)) :]


def _swap_lines(data, random, seeds):
    lines = data.splitlines(keepends=True) or [data]
    one, other = (random.randint(0, len(lines) - 1) for _ in range(2))
    lines[one], lines[other] = lines[other], lines[random.choice((one, other))]
    return b"".join(lines)


def _swap_words(data, random, seeds):
    """Put a word from elsewhere, or a nasty one, in the place of one."""
    words = [match.span() for match in _WORD.finditer(data)]
    others = _WORD.findall(random.choice(seeds))
    if not words or not others:
        return _flip(data, random, seeds)
    start, stop = random.choice(words)
    word = random.choice((random.choice(others), random.choice(_VALUES).encode()))
    return data[:start] + word + data[stop:]


def _replace(pattern, frame):
    def replace(data, random, seeds):
        found = [match.span() for match in pattern.finditer(data)]
        if not found:
            return _insert(data, random, seeds)
        start, stop = random.choice(found)
        return data[:start] + frame % random.choice(NASTY) + data[stop:]

    return replace


def _restructure(data, random, seeds):
    """Change one place of a JSON document: drop it, double it, rename it, put another there."""
    try:
        whole = [json.loads(data, object_pairs_hook=_Pairs)]
    except ValueError:
        return _swap_words(data, random, seeds)
    holders = [whole, *_holders(whole[0])]
    holder = random.choice(holders)
    if not holder:
        return data
    at = random.randint(0, len(holder) - 1)
    name, value = holder[at] if isinstance(holder, _Pairs) else (None, holder[at])
    nasty = random.choice(NASTY).decode(errors="surrogateescape")
    way = random.choice(("drop", "double", "value", "text", "name", "move", "wrap"))
    values = {
        "value": _Raw(random.choice((nasty, *_VALUES))),
        "text": nasty,
        "move": random.choice(random.choice(holders) or [None]),
        "wrap": [value],
    }
    name, value = (nasty if way == "name" else name), values.get(way, value)
    changed = [] if way == "drop" else [(name, value) if isinstance(holder, _Pairs) else value]
    holder[at : at + (way != "double")] = changed
    return b",".join(_write(part).encode(errors="surrogateescape") for part in whole)


class _Raw(str):
    """Stands in a document as it is, valid there or not."""


def _holders(value):
    if isinstance(value, list):
        yield value
        for part in value:
            yield from _holders(part[1] if isinstance(value, _Pairs) else part)


def _write(value):
    match value:
        case _Raw():
            return str(value)
        case _Pairs():
            return "{" + ", ".join(f"{_write(name)}: {_write(part)}" for name, part in value) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(_write, value)) + "]"
    return json.dumps(value)


_WAYS = (
    *(_flip, _cut, _repeat, _insert, _splice, _swap_lines),
    *(_replace(_NUMBER, b"%s"), _replace(_TEXT, b'"%s"'), *[_restructure] * 6),
)
