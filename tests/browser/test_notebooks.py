"""Each notebook opens in JupyterLab with its charts, and the shortest lesson runs there.

That every cell of every lesson runs and gives its stored outputs is nbval's to say; the notebook of
the bench runs in JupyterLab in the tests of the bench.
"""

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Page

from .pages import RUN_ALL, go_to_notebook, open_notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SHORTEST = FOLDER / "02_streamlet.ipynb"
RUN_MS = 300_000

# A prompt is [*] while its cell is waiting or running; a folded solution has none.
ALL_CELLS_RAN = """() => [...document.querySelectorAll('.jp-CodeCell:not(:has(.jp-Placeholder))')]
    .every((cell) => /^\\[\\d+\\]:$/.test(cell.querySelector('.jp-InputPrompt').innerText))"""
CURRENT = "window.jupyterapp.shell.currentWidget"
PICTURES = f"""() => [...{CURRENT}.node.querySelectorAll('.jp-CodeCell')].map(
    (cell) => cell.querySelectorAll('.jp-OutputArea-output img').length)"""
ALL_SHOWN = f"(stored) => JSON.stringify(({PICTURES})()) === JSON.stringify(stored)"
# In place of the one before, without a kernel, which would take longer to start than all the rest.
OPEN = f"""async (path) => {{
    {CURRENT}.dispose();
    const kernelPreference = {{ shouldStart: false, canStart: false }};
    const options = {{ path, kernelPreference }};
    await window.jupyterapp.commands.execute('docmanager:open', options);
}}"""


def pictures(page: Page) -> list[int]:
    """How many pictures each cell shows."""
    counts: list[int] = page.evaluate(PICTURES)
    return counts


@pytest.fixture(scope="module")
def lab(chromium: Browser, jupyterlab: str) -> Iterator[Page]:
    """A page that is used again, as a new one loads all of JupyterLab."""
    page = open_notebook(chromium, jupyterlab, SHORTEST.name)
    yield page
    page.close()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_opens_with_its_charts(lab: Page, path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    stored = [
        0  # a solution is folded, its picture too
        if cell.metadata.get("jupyter")
        else sum("image/png" in output.get("data", {}) for output in cell.outputs)
        for cell in cells
        if cell.cell_type == "code"
    ]
    lab.evaluate(OPEN, path.name)
    lab.wait_for_function(ALL_SHOWN, arg=stored)
    assert lab.evaluate(f"{CURRENT}.context.path") == path.name
    assert lab.locator(".jp-OutputArea-output[data-mime-type*='stderr']").count() == 0


def test_a_lesson_runs_from_top_to_bottom(lab: Page, jupyterlab: str) -> None:
    go_to_notebook(lab, jupyterlab, SHORTEST.name)
    stored = pictures(lab)

    # The answer comes when all have run, and is false where one failed.
    assert lab.evaluate(RUN_ALL)
    lab.wait_for_function(ALL_CELLS_RAN, timeout=RUN_MS)

    assert lab.locator(".jp-OutputArea-output[data-mime-type*='stderr']").count() == 0
    assert pictures(lab) == stored
    benches = SHORTEST.read_text(encoding="utf-8").count("sl.Bench(")
    assert lab.locator(".sl-bench").count() == benches
