"""How soon a key press shows in the browser: the bench, the usual idiom, and the least possible.

All stand in one notebook in JupyterLab and are pressed in turn, so that whatever else the machine
does falls on each of them. A picture is there with the first frame that has it.
"""

import statistics
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
from playwright.sync_api import Browser, Page
from pytest_benchmark.fixture import BenchmarkFixture

from tests.browser.conftest import chromium, jupyterlab, served  # noqa: F401
from tests.browser.pages import RUN_ALL, open_notebook

from .timing import sized

pytestmark = pytest.mark.skipif(
    sized(False, True), reason="a browser takes a minute for it: in the full bench"
)

PRESSES = 30
SIZES = [(60, 4, "at least 6, at most 3"), (200, 16, "at least 4")]
PLAYED_MS = 5_000


class Cell(NamedTuple):
    """Code, what in its output a key is pressed on, the key, and what is new once that shows."""

    code: str
    handle: str
    key: str
    shows: str


FLOOR = Cell(
    """
import ipywidgets
slider, label = ipywidgets.IntSlider(0, 0, 1000, readout=False), ipywidgets.Label("0")
slider.observe(lambda change: setattr(label, "value", str(change.new)), "value")
ipywidgets.VBox([slider, label])
""",
    ".noUi-handle",
    "ArrowRight",
    "output.innerText.trim()",
)
# As the bench runs it, without signatures: as people write it, with them, it takes longer.
IDIOM = Cell(
    """
import ipywidgets
import matplotlib.pyplot as plt
import streamlet_lab as sl

def draw(seed):
    run = sl.Experiment(epochs={epochs}, nodes={nodes}, seed=seed, signatures="none").run()
    run.plot.overview()
    plt.show()

ipywidgets.interact(draw, seed=(0, 1000))
""",
    ".noUi-handle",
    "ArrowRight",
    "[...output.querySelectorAll('img')].find((one) => one.complete && one.naturalWidth)?.src",
)
BENCH = Cell(
    """
import streamlet_lab as sl
sl.Bench(epochs={epochs}, nodes={nodes}, seed=0)
""",
    "[data-control=seed] button[aria-label^=next]",
    "Enter",
    "output.querySelector('[data-drawn]')?.dataset.drawn",
)

OUTPUT = """
    const output = document.querySelectorAll(".jp-CodeCell")[at].querySelector(".jp-OutputArea");
"""
# The clock starts with the key, and stops in the frame that has what is new. Asking in each frame
# would have the browser draw frames for nothing.
ARM = f"""([at, handle, shows]) => {{
    {OUTPUT}
    const pressed = output.querySelector(handle);
    const seen = new Function("output", `return ${{shows}}`);
    const before = seen(output);
    pressed.focus();
    window.took = new Promise((done) => pressed.addEventListener("keydown", () => {{
        const start = performance.now();
        const look = () => {{
            const now = seen(output);
            if (!now || now === before) setTimeout(look, 2);
            else requestAnimationFrame(() => done(performance.now() - start));
        }};
        look();
    }}, {{ capture: true, once: true }}));
}}"""
# Frames a second while the time moves on, and how often it had moved.
PLAY = f"""async ([at, playedMs]) => {{
    {OUTPUT}
    const scrub = output.querySelector(".sl-scrub");
    scrub.dispatchEvent(new KeyboardEvent("keydown", {{ key: "Home", bubbles: true }}));
    output.querySelector("button[aria-label=play]").click();
    const next = () => new Promise(requestAnimationFrame);
    for (let frame = 0; frame < 10; frame += 1) await next();
    const start = performance.now();
    let [frames, moved, before] = [0, 0, scrub.value];
    while (performance.now() - start < playedMs) {{
        await next();
        frames += 1;
        moved += scrub.value !== before;
        before = scrub.value;
    }}
    const rate = frames / ((performance.now() - start) / 1000);
    output.querySelector("button[aria-label=pause]").click();
    return [rate, moved / frames];
}}"""
# The same while a hand drags the time along the whole run.
SCRUB = f"""async ([at, playedMs]) => {{
    {OUTPUT}
    const scrub = output.querySelector(".sl-scrub");
    const start = performance.now();
    let frames = 0;
    for (let now = 0; now < playedMs; now = performance.now() - start) {{
        scrub.value = scrub.max * (now / playedMs);
        scrub.dispatchEvent(new Event("input", {{ bubbles: true }}));
        await new Promise(requestAnimationFrame);
        frames += 1;
    }}
    return frames / ((performance.now() - start) / 1000);
}}"""


@pytest.fixture
def lab(chromium: Browser, jupyterlab: str, served: Path) -> tuple[Browser, str, Path]:  # noqa: F811
    """A browser, the address of a JupyterLab, and where its notebooks are."""
    return chromium, jupyterlab, served


def show(lab: tuple[Browser, str, Path], cells: list[Cell], **sizes: object) -> Page:
    """Return a page on which the outputs of these cells are seen."""
    browser, address, folder = lab
    kernel = {"name": "python3", "display_name": "Python 3"}
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
    notebook.cells = [nbformat.v4.new_code_cell(cell.code.format(**sizes)) for cell in cells]
    nbformat.write(notebook, folder / "speed.ipynb")
    page = open_notebook(browser, address, "speed.ipynb")
    page.set_viewport_size({"width": 1900, "height": 1000})
    assert page.evaluate(RUN_ALL)
    for at, cell in enumerate(cells):
        page.wait_for_function(f"(at) => {{ {OUTPUT} return {cell.shows}; }}", arg=at)
    return page


def press(page: Page, at: int, cell: Cell) -> float:
    """Return the milliseconds from a key to its picture."""
    page.evaluate(ARM, [at, cell.handle, cell.shows])
    page.keyboard.press(cell.key)
    took: float = page.evaluate("window.took")
    return took


@pytest.mark.parametrize(("epochs", "nodes", "bars"), SIZES)
def test_from_key_to_picture(
    benchmark: BenchmarkFixture,
    lab: tuple[Browser, str, Path],
    epochs: int,
    nodes: int,
    bars: str,
) -> None:
    cells = [FLOOR, IDIOM, BENCH]
    page = show(lab, cells, epochs=epochs, nodes=nodes)
    took: list[list[float]] = [[] for _ in cells]
    for _ in range(PRESSES):
        for at, cell in enumerate(cells):
            took[at].append(press(page, at, cell))
    floor, idiom, bench = map(statistics.median, took)
    benchmark.extra_info |= {"idiom / bench": idiom / bench, "bench / floor": bench / floor}
    benchmark.pedantic(press, args=(page, 2, BENCH), rounds=1)
    page.close()
    print(
        f"\n{epochs} epochs, {nodes} nodes, all panels: key to picture {bench:.0f} ms; the usual "
        f"idiom {idiom:.0f} ms, {idiom / bench:.1f} times as long; slider to label {floor:.0f} ms, "
        f"bench / that = {bench / floor:.1f} (bars {bars})"
    )


def test_frames_a_second(benchmark: BenchmarkFixture, lab: tuple[Browser, str, Path]) -> None:
    page = show(lab, [BENCH], epochs=60, nodes=16)
    played, moved = page.evaluate(PLAY, [0, PLAYED_MS])
    scrubbed = benchmark.pedantic(page.evaluate, args=(SCRUB, [0, PLAYED_MS]), rounds=1)
    benchmark.extra_info |= {"played": played, "scrubbed": scrubbed}
    page.close()
    print(
        f"\n16 nodes, all panels: {played:.0f} frames a second while it plays, the time another "
        f"in {moved:.0%} of them; {scrubbed:.0f} while it is dragged (bar 50)"
    )
