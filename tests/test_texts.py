"""Texts of others: every honest one is read, and every other one is refused before it costs."""

import codecs
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from streamlet_lab.errors import DataError, InvalidInput, printable, shown
from streamlet_lab.texts import decode, nearest, one_of, parse_json, parse_toml, read_text

TEXT = 'name = "Zürich"\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_text_is_read_with_or_without_a_byte_order_mark(
    tmp_path: Path, encoding: str, end: str
) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes(TEXT.replace("\n", end).encode(encoding))

    assert read_text(file) == TEXT


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (TEXT.encode("utf-16"), "not a text in UTF-8; it seems to be UTF-16"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "seems to be UTF-16"),
        (TEXT.encode("utf-32"), "seems to be UTF-32"),
        (codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"), "seems to be UTF-32"),
        ("name = 1".encode("utf-16-le"), "seems to be UTF-16 without its mark"),
        (b"a = 1\n" + TEXT.encode("latin-1"), r"Latin-1 or Windows-1252, .* \(byte 0xfc in line 2"),
        (b"x" * 101, "too large; expected at most 100 bytes"),
        (None, "No such file"),
    ],
)
def test_what_is_no_text_is_refused_by_its_name(
    tmp_path: Path, content: bytes | None, complaint: str
) -> None:
    file = tmp_path / "file.txt"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(DataError, match=rf"file\.txt: .*{complaint}"):
        read_text(file, most=100)


def test_a_folder_an_endless_file_and_no_name_are_no_texts(tmp_path: Path) -> None:
    for path, complaint in (tmp_path, "directory"), ("/dev/zero", "too large"), ("a\0", "not the"):
        with pytest.raises(DataError, match=complaint):
            read_text(path)


NESTED = "[" * 40 + "]" * 40
BAD_JSON = [
    ("{", "Expecting property name"),
    ('{"voter": "node_0", "voter": "node_1"}', "a name twice in one object: 'voter'"),
    (NESTED, "a nesting of at most 32"),
    ("[" * 100_000, "nested too deep"),
    ("[NaN]", "NaN is no finite number"),
    ("[-Infinity]", "-Infinity is no finite number"),
    ("1e400", "1e400 is no finite number"),
    ("9" * 251, "at most 250 characters"),
    ("-" + "9" * 5_000, "at most 250 characters"),
    ("0." + "1" * 500, "at most 250 characters"),
    ("[" + "{}," * 600_000 + "{}]", "at most 1,000,000 values"),
    (json.dumps(dict.fromkeys(map(str, range(40_001)))), "at most 40,000 names in one object"),
    ("١", "Expecting value"),
]
BAD_TOML = [
    ("a", "Expected '=' after a key"),
    ("a = 1\na = 2", "Cannot overwrite a value"),
    (f"a = {NESTED}", "a nesting of at most 32"),
    ("a = " + "[" * 10_000, "nested too deep"),
    ("a = nan", "nan is no finite number"),
    ("a = -inf", "-inf is no finite number"),
    ("a = 1e400", "1e400 is no finite number"),
    ("a = 0x" + "f" * 2_000, "at most 250 characters"),
    ("a = " + "9" * 5_000, "at most 250 characters"),
    (".".join("a" * 10_000) + " = 1", "at most 250 characters"),
    ("[" + ".".join('""' for _ in range(17)) + "]", "at most 16 parts of a name"),
    ("a = " + "{b.c.d.e = " * 9 + "1" + "}" * 9, "a nesting of at most 32"),
    ("".join(f"k{number} = 1\n" for number in range(40_001)), "at most 40,000 names"),
    ("[[a]]\n" * 10_001, "at most 20,000 brackets"),
    (f"a = [{'1,' * 100_001}]", "at most 100,000 values"),
    ("#" * 1_200_001, "at most 1,200,000 characters"),
    ("a = 2024-02-30", "Invalid date"),
    ("a = ١", "Invalid value"),
]


@pytest.mark.parametrize(
    ("parse", "text", "complaint"),
    [(parse_json, *row) for row in BAD_JSON] + [(parse_toml, *row) for row in BAD_TOML],
)
def test_what_goes_beyond_a_limit_is_refused(parse: Any, text: str, complaint: str) -> None:
    form = parse.__name__.removeprefix("parse_").upper()

    with pytest.raises(DataError, match=f"not a {form} document: .*{complaint}") as caught:
        parse(text)

    assert len(str(caught.value)) < 700


def test_what_a_string_or_a_comment_holds_is_not_counted() -> None:
    dots, many = "." * 300, "=[{" * 20_000
    texts = f'"{dots}"', f"'{many}'", f'"""\n{dots}\\"""{many}"""""', f"'''''{dots}'''"
    document = "".join(f"k{number} = {text} # {many}\n" for number, text in enumerate(texts))

    assert [len(text) for text in parse_toml(document).values()] == [300, 60_000, 60_305, 302]


def test_numbers_and_names_within_the_limits_are_read() -> None:
    digits, names = "9" * 250, {str(number): 0.1 for number in range(40_000)}

    assert parse_json(f"[{digits}, -1.5e300]") == [int(digits), -1.5e300]
    assert parse_json(json.dumps(names)) == names
    assert parse_toml(f"a.b = {digits}\nc = [1_0.5, 0x{'f' * 248}]") == {
        "a": {"b": int(digits)},
        "c": [10.5, 16**248 - 1],
    }


def test_text_that_is_made_to_be_read_again_and_again_is_read_once() -> None:
    """A pattern that went back would not end in a hundred times the seconds that this takes."""
    escaped = '\n\\"""' * 2**15  # closes no string, and opens one wherever none is open
    texts = ['"""' + escaped, "'''" + escaped, '"' * 2**17, "a" * 2**17, '"""\\a' * 2**15]
    check = """
import json, resource, sys
from streamlet_lab.texts import parse_toml
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
for text in json.load(sys.stdin):
    try:
        parse_toml(text)
    except Exception as error:
        print(type(error).__name__)
"""
    done = subprocess.run(
        [sys.executable, "-c", check], input=json.dumps(texts), capture_output=True, text=True
    )

    assert done.stdout.split() == ["DataError"] * len(texts), done.stderr


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("AAPL", "'AAPL'"),
        ([1, (2,), {"a": "b\n"}, ()], "[1, (2,), {'a': 'b\\n'}, ()]"),
        (16**3000, "an integer of 12,001 bits"),
        ([{"a": 10**5000}], "[{'a': an integer of 16,610 bits}]"),
        ("x" * 10**6, f"'{'x' * 249}…"),
        ([[0] * 1000] * 1000, f"[[{'0, ' * 82}0,…"),
        ("\x1b[31m\u202e", r"'\x1b[31m\u202e'"),
        (type("Odd", (), {"__repr__": lambda self: 1 / 0})(), "an object of type Odd"),
    ],
)
def test_a_value_is_shown_as_it_is_or_as_much_of_it_as_one_can_read(
    value: object, text: str
) -> None:
    assert shown(value) == text
    assert str(InvalidInput("field", value, "another")) == (
        f"field: {text} is not valid; expected another"
    )


def test_a_value_of_any_depth_is_shown() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]

    assert shown(deep) == "[" * 8 + "['…']" + "]" * 8


def test_an_error_is_one_short_line_and_stays_so_in_another_process() -> None:
    error = InvalidInput("a\x1b[2J" * 1000, 1, "one of\n" * 1000)
    again = pickle.loads(pickle.dumps(error))

    assert str(again) == str(error) == printable(str(error))
    assert len(str(error)) < 4_000
    assert pickle.loads(pickle.dumps(DataError("a file"))).args == ("a file",)


def test_the_nearest_name_is_a_hint_where_there_is_one() -> None:
    names = ["median", "trimmed_mean"]

    assert nearest("medain", names) == " (did you mean 'median'?)"
    assert one_of("medain", names[:1]) == f"one of {names[0]}"
    assert [nearest(name, names) for name in ("x", None, "median" * 20)] == ["", "", ""]


def test_bytes_are_named_by_what_they_are() -> None:
    with pytest.raises(DataError, match=r"ledger\.json: not a text in UTF-8"):
        decode(b"\xff", "ledger.json")
