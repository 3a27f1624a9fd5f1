"""Each lesson opens in JupyterLab with its charts; those where a browser matters run there too.

That every cell of every lesson runs and gives its stored outputs is nbval's to say.
"""

from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Page

from .pages import RUN_ALL, open_notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
# A live widget needs a browser; the shortest lesson stands for the others.
RUN_IN_BROWSER = [path for path in NOTEBOOKS if path.stem in ("bench", "02_streamlet")]
RUN_MS = 300_000

# A prompt is [*] while its cell is waiting or running.
ALL_CELLS_RAN = """() => [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].every(
    (prompt) => /^\\[\\d+\\]:$/.test(prompt.innerText))"""
PICTURES = """() => [...document.querySelectorAll('.jp-CodeCell')].map(
    (cell) => cell.querySelectorAll('.jp-OutputArea-output img').length)"""
ALL_SHOWN = f"(stored) => JSON.stringify(({PICTURES})()) === JSON.stringify(stored)"


def pictures(page: Page) -> list[int]:
    """How many pictures each cell shows."""
    counts: list[int] = page.evaluate(PICTURES)
    return counts


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_opens_with_its_charts(chromium: Browser, jupyterlab: str, path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    stored = [
        0  # a solution is folded, its picture too
        if cell.metadata.get("jupyter")
        else sum("image/png" in output.get("data", {}) for output in cell.outputs)
        for cell in cells
        if cell.cell_type == "code"
    ]
    page = open_notebook(chromium, jupyterlab, path.name)
    page.wait_for_function(ALL_SHOWN, arg=stored)
    assert page.locator(".jp-OutputArea-output[data-mime-type*='stderr']").count() == 0
    page.close()


@pytest.mark.parametrize("path", RUN_IN_BROWSER, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(chromium: Browser, jupyterlab: str, path: Path) -> None:
    page = open_notebook(chromium, jupyterlab, path.name)
    stored = pictures(page)

    # The answer comes when all have run, and is false where one failed.
    assert page.evaluate(RUN_ALL)
    page.wait_for_function(ALL_CELLS_RAN, timeout=RUN_MS)

    assert page.locator(".jp-OutputArea-output[data-mime-type*='stderr']").count() == 0
    assert pictures(page) == stored
    assert page.locator(".sl-bench").count() == path.read_text(encoding="utf-8").count("sl.Bench(")
    page.close()
