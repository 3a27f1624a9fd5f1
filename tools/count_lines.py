"""Count the lines of the house against its budget, tests/budget.toml.

usage: python3 tools/count_lines.py [--list] [--lower]

Docstrings and blank lines count. `--list` names every place that is too long or stands twice;
`--lower` writes what is less than before into the budget: the tests refuse what is more.
"""

import argparse
import ast
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[1]
BUDGET: Final = ROOT / "tests/budget.toml"
PACKAGE: Final = "streamlet_lab"

_LONGEST_MODULE: Final = 400
_LONGEST_FUNCTION: Final = 60
_MOST_PARAMETERS: Final = 8
_LONGEST_REPEAT: Final = 6

_CORE: Final = tuple(f"{PACKAGE}/{room}/" for room in ("consensus", "matching", "simulator"))
_CHARTS: Final = f"{PACKAGE}/charts/"
_BESIDE_THE_PROTOCOL: Final = ("proof.py", "evidence.py", "documents.py")


class Limit(NamedTuple):
    """What a measure should be at most, and what it was at most when it was counted last."""

    goal: int
    most: int


class Measure(NamedTuple):
    """How many there are, and where, if places are counted."""

    number: int
    places: tuple[str, ...] = ()


class Source(NamedTuple):
    """A file: its path from the root, its lines and its syntax tree."""

    path: str
    lines: list[str]
    tree: ast.Module


def read_sources(folder: str) -> list[Source]:
    """Read all Python files under a folder of the repo, stubs too."""
    return [
        read_source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / folder).rglob("*.py*"))
        if path.suffix in (".py", ".pyi")
    ]


def read_source(path: str, text: str) -> Source:
    """Return a file of this content."""
    return Source(path, text.splitlines(), ast.parse(text))


def measure(package: Sequence[Source], tests: Sequence[Source]) -> dict[str, Measure]:
    """Return what the budget is about, by name."""
    core = [source for source in package if source.path.startswith(_CORE)]
    protocol = [
        source
        for source in core
        if source.path.startswith(_CORE[0]) and not source.path.endswith(_BESIDE_THE_PROTOCOL)
    ]
    charts = [source for source in package if source.path.startswith(_CHARTS)]
    return {
        "package": _lines(package),
        "consensus, matching and simulator": _lines(core),
        "consensus without proofs, evidence and documents": _lines(protocol),
        "charts": _lines(charts),
        "tests": _lines(tests),
        "modules over 400 lines": _places(map(_long_module, package)),
        "functions over 60 lines": _places(map(_long_functions, package)),
        "constructors with over 8 parameters": _places(map(_wide_constructors, package)),
        "places in the package that repeat over 6 lines": _places([repeats(package)]),
        "places in the tests that repeat over 6 lines": _places([repeats(tests)]),
    }


def _lines(sources: Iterable[Source]) -> Measure:
    return Measure(sum(len(source.lines) for source in sources))


def _places(found: Iterable[Iterable[str]]) -> Measure:
    places = tuple(place for each in found for place in each)
    return Measure(len(places), places)


def _long_module(source: Source) -> Iterator[str]:
    if len(source.lines) > _LONGEST_MODULE:
        yield f"{source.path}: {len(source.lines)} lines"


def _long_functions(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > _LONGEST_FUNCTION:
                yield f"{source.path}:{node.lineno}: {node.name}, {lines} lines"


def _wide_constructors(source: Source) -> Iterator[str]:
    """Yield the constructors that are written out: those of plain values are not."""
    owners = [node for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef)]
    for owner in owners:
        for node in owner.body:
            if isinstance(node, ast.FunctionDef) and node.name in ("__init__", "__new__"):
                given = node.args
                count = len([*given.posonlyargs, *given.args, *given.kwonlyargs]) - 1
                if count > _MOST_PARAMETERS:
                    yield f"{source.path}:{node.lineno}: {owner.name}, {count} parameters"


def repeats(sources: Sequence[Source]) -> list[str]:
    """Return where more than six lines of code begin that stand elsewhere, too.

    Indentation, blank lines, comments, docstrings and imports do not count.
    """
    size = _LONGEST_REPEAT + 1
    codes = [_code(source) for source in sources]
    places: dict[tuple[str, ...], list[tuple[int, int]]] = defaultdict(list)
    for number, code in enumerate(codes):
        texts = [text for _, text in code]
        for start in range(len(texts) - size + 1):
            places[tuple(texts[start : start + size])].append((number, start))
    repeated = {place for found in places.values() if len(found) > 1 for place in found}
    return [
        f"{sources[number].path}:{codes[number][start][0]}: {codes[number][start][1]}"
        for number, start in sorted(repeated)
        if (number, start - 1) not in repeated
    ]


def _code(source: Source) -> list[tuple[int, str]]:
    left_out = set[int]()
    for node in ast.walk(source.tree):
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.stmt) and (
            is_text or isinstance(node, ast.Import | ast.ImportFrom)
        ):
            left_out.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = ((number, line.strip()) for number, line in enumerate(source.lines, 1))
    return [
        (number, line)
        for number, line in lines
        if line and not line.startswith("#") and number not in left_out
    ]


def read_budget() -> dict[str, Limit]:
    """Read the limit of each measure."""
    tables = tomllib.loads(BUDGET.read_text(encoding="utf-8"))
    return {name: Limit(**table) for name, table in tables.items()}


def write_budget(limits: dict[str, Limit]) -> None:
    """Write the limit of each measure."""
    lines = [
        f'"{name}" = {{ goal = {goal}, most = {most} }}' for name, (goal, most) in limits.items()
    ]
    head = (
        "# What the house should have at most, and what it had at most when it was counted last.\n"
    )
    BUDGET.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; the exit code is 1 if there is more of anything than before."""
    parser = argparse.ArgumentParser(description="Count the lines of the house.")
    parser.add_argument("--list", action="store_true", help="name the places that are counted")
    parser.add_argument("--lower", action="store_true", help="write down what is less than before")
    options = parser.parse_args(arguments)
    found, limits = measure(read_sources(PACKAGE), read_sources("tests")), read_budget()
    print(f"{'':50} {'now':>7} {'before':>7} {'goal':>7} {'left':>7}")
    for name, (number, places) in found.items():
        goal, most = limits[name]
        more = "  MORE THAN BEFORE" if number > max(goal, most) else ""
        print(f"{name:50} {number:7,} {most:7,} {goal:7,} {max(number - goal, 0):7,}{more}")
        for place in places if options.list else ():
            print(f"    {place}")
    if options.lower:
        write_budget(
            {
                name: Limit(goal, min(most, found[name].number))
                for name, (goal, most) in limits.items()
            }
        )
    return int(any(found[name].number > max(limit) for name, limit in limits.items()))


if __name__ == "__main__":
    sys.exit(main())
