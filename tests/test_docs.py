"""The pages of the documentation say what is true: their code runs, their names exist."""

import ast
import doctest
import re
from pathlib import Path

import pytest

import streamlet_lab as sl
from streamlet_lab.columns import COLUMNS

DOCS = Path(__file__).resolve().parents[1] / "docs"
# These have tests of their own: test_many_runs_page.py and consensus/test_formats.py.
ELSEWHERE = {"many_runs.md", "saved_study.md", "cluster.md", "formats.md"}
PAGES = {str(path.relative_to(DOCS)): path.read_text("utf-8") for path in DOCS.rglob("*.md")}
BLOCKS = {name: re.findall(r"```python\n(.*?)```", text, re.S) for name, text in PAGES.items()}
RUN = sorted(name for name in BLOCKS if BLOCKS[name] and Path(name).name not in ELSEWHERE)
REFERENCE = [name for name in RUN if name.startswith("reference")]


@pytest.mark.parametrize("page", RUN)
def test_the_code_of_a_page_works(page, tmp_path, monkeypatch):
    """From top to bottom, as one program; what stands behind ``>>>`` prints what is shown."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOBSTER_DIR", "")
    names = {"__name__": page}
    for number, block in enumerate(BLOCKS[page]):
        if not block.startswith(">>>"):
            exec(compile(block, page, "exec"), names)
            continue
        examples = doctest.DocTestParser().get_doctest(block, names, page, page, number)
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
        assert runner.run(examples, clear_globs=False).failed == 0
        names = examples.globs


def used(block):
    """The public names that a block of code uses."""
    code = "\n".join(re.findall(r"^(?:>>>|\.\.\.) (.*)", block, re.M)) or block
    return {node.attr for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Attribute)}


def test_the_reference_has_every_public_name_once_with_an_example():
    described = [
        name
        for page in REFERENCE
        for name in re.findall(r"^\.\. auto\w+:: streamlet_lab\.(\w+)$", PAGES[page], re.M)
    ]
    assert len(described) == len(set(described))
    assert {*described} >= {*sl.__all__}
    shown = set().union(*(used(block) for page in REFERENCE for block in BLOCKS[page]))
    shown |= {name for name in sl.__all__ if ">>>" in (getattr(sl, name).__doc__ or "")}
    assert [name for name in sl.__all__ if name not in shown] == []


def test_every_rule_of_the_paper_names_functions_that_exist():
    rows = re.findall(r"^\| .* \| .* \| (.*) \|$", PAGES["reference/paper.md"], re.M)
    named = [name for row in rows for name in re.findall(r"`streamlet_lab\.([\w.]+)`", row)]
    assert len(rows) > 12
    assert len(named) >= len(rows) - 2  # but for the table's head
    for name in named:
        found = sl
        for part in name.split("."):
            found = getattr(found, part)


def test_every_number_in_a_frame_says_its_unit():
    said = r"\b(micro-dollars|dollars|cents|seconds|percent)\b"
    silent = [
        (frame, name)
        for frame, columns in COLUMNS.items()
        for name, column in columns.items()
        if column.dtype == "float64" and not re.search(said, column.meaning)
    ]
    assert silent == []
