"""The house does not grow: no count is above what it was when it was written down last."""

import textwrap

import pytest

from tools.count_lines import measure, read_budget, read_source, read_sources


@pytest.fixture(scope="module")
def counts() -> dict[str, int]:
    found = measure(read_sources("streamlet_lab"), read_sources("tests"))
    return {name: count for name, (count, _) in found.items()}


def test_the_budget_has_a_limit_for_each_measure(counts: dict[str, int]) -> None:
    assert read_budget().keys() == counts.keys()


def test_nothing_has_grown(counts: dict[str, int]) -> None:
    budget = read_budget()
    above = {name: count for name, count in counts.items() if count > max(budget[name])}

    assert above == {}, "see python3 tools/count_lines.py --list"


def count(*texts: str) -> dict[str, tuple[str, ...]]:
    """The places that are counted in some files of a package."""
    package = [
        read_source(f"streamlet_lab/{number}.py", textwrap.dedent(text))
        for number, text in enumerate(texts)
    ]
    return {name: places for name, (_, places) in measure(package, []).items() if places}


def test_long_modules_and_functions_are_counted_with_their_docstrings() -> None:
    fits, long = (
        'def long():\n    """Say so.\n\n    """\n' + "    # nothing\n" * lines + "    pass\n"
        for lines in (55, 56)
    )

    assert count(fits) == {}
    assert count(long) == {"functions over 60 lines": ("streamlet_lab/0.py:1: long, 61 lines",)}
    assert count("\n" * 400) == {}
    assert count("\n" * 401) == {"modules over 400 lines": ("streamlet_lab/0.py: 401 lines",)}


def test_constructors_are_counted_but_not_those_of_plain_values() -> None:
    wide = "def __init__(self, a, b, /, c, d, *, e, f, g, h, i): pass"
    value = "\n    ".join(["class Value(NamedTuple):", *(f"{name}: int" for name in "abcdefghi")])

    assert count(f"class Fits:\n    {wide.replace(', i', '')}", value) == {}
    assert count(f"class Wide:\n    {wide}") == {
        "constructors with over 8 parameters": ("streamlet_lab/0.py:2: Wide, 9 parameters",)
    }


def test_a_repeat_is_more_than_six_lines_of_code() -> None:
    six = "".join(f"x = {number}\n" for number in range(6))
    name = "places in the package that repeat over 6 lines"

    assert count(six, six) == {}
    assert count(f"import os\n{six}", f"import os\n{six}") == {}
    assert count(
        f"{six}\nx = 6\n", f"if x:\n    # again\n{textwrap.indent(six, '    ')}    x = 6\n"
    ) == {name: ("streamlet_lab/0.py:1: x = 0", "streamlet_lab/1.py:3: x = 0")}
