"""Guards around nbval: it passes vacuously on notebooks that were stripped or run out of order."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tools" / "execute_notebooks.py"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


# Numbers that no cell prints: of papers, of tools/, of arithmetic that the text shows.
CITED = {
    "01_quickstart": {"142.50", "157.50"},
    "04_finalization_latency": {"1.4", "2.81", "72.89"},
    "09_manipulation": {"5.26"},
    "11_when_it_happened": {"0.01", "0.107", "8.32"},
    "12_voter_checks": {"0.4", "0.5", "1.20", "1.21"},
    "appendix_price_paths": {"7.8", "19.5", "15.95", "0.34", "3.3"},
}

spec = importlib.util.spec_from_file_location(SCRIPT.stem, SCRIPT)
assert spec is not None
assert spec.loader is not None
execute_notebooks = importlib.util.module_from_spec(spec)
spec.loader.exec_module(execute_notebooks)


def code_cells(path: Path) -> list[dict[str, Any]]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def has_picture(cell: dict[str, Any]) -> bool:
    return any("image/png" in output.get("data", {}) for output in cell["outputs"])


def is_meant_to_draw(cell: dict[str, Any]) -> bool:
    return re.search(r"\.plot\.|\bplot_\w+\(|\bBench\(", source(cell)) is not None


def numbers_in(text: str) -> list[str]:
    return re.findall(r"(?<![\w.])\d+(?:\.\d+)?", re.sub(r"(?<=\d),(?=\d{3})", "", text))


def anchors(page: Path) -> set[str]:
    """What a link to a heading of a page of docs/ may end with."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_there_are_notebooks() -> None:
    assert [path.name for path in NOTEBOOKS][:2] == ["01_quickstart.ipynb", "02_streamlet.ipynb"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestEveryNotebook:
    def test_was_executed_in_order_from_a_fresh_kernel(self, path: Path) -> None:
        counts = [cell["execution_count"] for cell in code_cells(path)]
        assert counts == list(range(1, len(counts) + 1))

    def test_stores_a_picture_for_every_cell_that_draws_and_exactly_one(self, path: Path) -> None:
        drawing = [cell for cell in code_cells(path) if is_meant_to_draw(cell)]
        assert drawing
        for cell in drawing:
            pictures = [o for o in cell["outputs"] if "image/png" in o.get("data", {})]
            assert len(pictures) == 1, source(cell)

    def test_has_no_picture_that_nbval_would_have_to_compare_as_text(self, path: Path) -> None:
        for cell in code_cells(path):
            for output in cell["outputs"]:
                assert "image/svg+xml" not in output.get("data", {})

    def test_stores_no_error_and_no_warning(self, path: Path) -> None:
        for cell in code_cells(path):
            for output in cell["outputs"]:
                assert output["output_type"] != "error", source(cell)
                assert output.get("name") != "stderr", source(cell)

    def test_mentions_no_path_of_the_machine_it_ran_on(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        assert str(ROOT) not in text
        assert "/home/" not in text
        assert "/tmp/" not in text

    def test_keeps_its_cells_short(self, path: Path) -> None:
        long = [source(cell) for cell in code_cells(path) if len(cell["source"]) > 20]
        assert not long

    def test_begins_with_a_question(self, path: Path) -> None:
        first = json.loads(path.read_text(encoding="utf-8"))["cells"][0]
        assert first["cell_type"] == "markdown"
        assert "?" in "".join(first["source"])

    def test_folds_its_solutions(self, path: Path) -> None:
        for cell in code_cells(path):
            metadata = cell["metadata"]
            folded = metadata.get("jupyter") == {"source_hidden": True, "outputs_hidden": True}
            assert folded == ("solution" in metadata.get("tags", [])), source(cell)

    def test_links_to_what_is_there(self, path: Path) -> None:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        prose = "\n".join(source(cell) for cell in cells if cell["cell_type"] == "markdown")
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", prose):
            page = path.parent / target if target else path
            assert page.is_file(), target
            assert not anchor or anchor in anchors(page), f"{target}#{anchor}"

    def test_says_what_its_cells_show(self, path: Path) -> None:
        """Each decimal number of the prose is one of a cell, rounded; or a percentage of it."""
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        shown = [source(cell) for cell in cells if cell["cell_type"] == "code"]
        for output in (output for cell in code_cells(path) for output in cell["outputs"]):
            shown.append("".join(output.get("text", [])))
            shown.append("".join(output.get("data", {}).get("text/plain", [])))
        known = {float(number) for number in numbers_in(" ".join(shown))}
        prose = "\n".join(source(cell) for cell in cells if cell["cell_type"] == "markdown")
        words = re.sub(r"\$\$[^$]+\$\$|(?<!\\)\$[^$]*[^$\\]\$|`[^`]*`|\]\([^)]*\)", "", prose)
        for number in set(numbers_in(words)) - CITED.get(path.stem, set()):
            digits = len(number.partition(".")[2])
            near = [unit * value - float(number) for value in known for unit in (1, 100)]
            assert not digits or min(map(abs, near)) <= 0.5000001 * 10**-digits, number

    def test_has_the_form_that_executing_again_would_give_it(self, path: Path) -> None:
        form = execute_notebooks.stored_form(nbformat.read(path, as_version=4))
        assert form.encode() == path.read_bytes()


LESSONS = [path for path in NOTEBOOKS if path.stem != "bench"]  # which has a control for its seed


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_takes_its_seed_from_the_parameters(path: Path) -> None:
    """Papermill replaces the cell of this tag."""
    cells = code_cells(path)
    (parameters,) = (cell for cell in cells if "parameters" in cell["metadata"].get("tags", []))
    assert re.fullmatch(r"SEED = \d+", source(parameters))
    code = "\n".join(map(source, cells))
    assert "seed=SEED" in code
    assert not re.search(r"\bseed=\d", code)


@pytest.mark.slow
def test_executing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    """One stands for all: nbval executes each and compares its outputs, pictures included."""
    path = ROOT / "notebooks" / "02_streamlet.ipynb"
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    subprocess.run(
        [sys.executable, str(SCRIPT), "--into", str(tmp_path), str(path)],
        check=True,
        env=environment,
        capture_output=True,
    )
    assert (tmp_path / path.name).read_bytes() == path.read_bytes()


@pytest.mark.slow
def test_nbval_finds_a_picture_that_differs(tmp_path: Path) -> None:
    """By itself it compares none; the notebooks' conftest makes it."""
    draw = (
        "from IPython.display import Image, display\n"
        "display(Image(data=bytes([137, 80, 78, 71, 13, 10, 26, 10]), format='png'))"
    )
    cells = []
    for count, stored in enumerate(["iVBORw0KGgo=", "iVBORw0KGgoA"], start=1):
        data = {"text/plain": "<IPython.core.display.Image object>", "image/png": stored}
        outputs = [nbformat.v4.new_output("display_data", data)]
        cells.append(nbformat.v4.new_code_cell(draw, execution_count=count, outputs=outputs))
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "drawn.ipynb")
    shutil.copy(ROOT / "notebooks" / "conftest.py", tmp_path)
    options = ["-p", "no:cacheprovider", "-rA", "--nbval", "--nbval-current-env"]
    command = [sys.executable, "-m", "pytest", *options, f"--rootdir={tmp_path}", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert "PASSED drawn.ipynb::Cell 0" in done.stdout, done.stdout
    assert "FAILED drawn.ipynb::Cell 1" in done.stdout
    assert "mismatch 'image/png'" in done.stdout
