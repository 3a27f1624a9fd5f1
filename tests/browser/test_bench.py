"""The bench in JupyterLab and Voilà: what a person does, and what the kernel makes of it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

import streamlet_lab as sl
from streamlet_lab.errors import InvalidInput
from streamlet_lab.widgets.film import make_film
from streamlet_lab.widgets.knobs import KNOBS, as_code, describe, experiment_of

from .pages import RUN_ALL, TIMEOUT_MS, open_notebook

expect.set_options(timeout=TIMEOUT_MS)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# With these each control has an effect.
BUSY = {
    "epochs": 12,
    "nodes": 7,
    "faulty": 2,
    "lying": 1,
    "loss": 0.05,
    "partition_s": [3, 6],
    "jump_percent": 8,
    "stale": "widen",
}
CELLS = [
    "import streamlet_lab as sl\nbench = sl.Bench(epochs=12)\nbench",
    "bench",
    f'other = sl.Bench(panels=["latency"], **{BUSY})\nother',
    'bench.to_html("lesson.html")',
]
ALL_DRAWN = "() => document.querySelectorAll('.jp-OutputArea .sl-bench[data-drawn]').length >= 3"
SAVE = "window.jupyterapp.commands.execute('docmanager:save')"
KERNEL = "window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel"
CLOSE = f"{KERNEL}.requestExecute({{ code: 'bench.close(), other.close()' }}).done.then(() => true)"
COUNT_CELLS = "window.jupyterapp.shell.currentWidget.content.widgets.length"
# Of all elements in memory those of a bench. The prototypes among them are no elements.
OF_A_BENCH = """function () {
    return this.filter((one) => Object.hasOwn(one, "constructor") ? false
        : one.tagName === "CANVAS" || /\\bsl-/.test(one.getAttribute("class"))).length;
}"""
SERIOUS = ("serious", "critical")
FOCUSED = """(root) => {
    const { activeElement: focused } = document;
    const control = focused.type === "range" && focused.closest("[data-control]");
    return root.contains(focused) && control && control.dataset.control;
}"""


class View:
    """A bench on a page, as a person sees it."""

    def __init__(self, page: Page, place: int = 0) -> None:
        self.page = page
        self.root = page.locator(".sl-bench").nth(place)

    def do(self, name: str) -> Locator:
        return self.root.locator(f"[data-do={name}]")

    def control(self, name: str) -> Locator:
        """Return a control, in its section, which is opened."""
        found = self.root.locator(f"[data-control={name}]")
        section = self.root.locator("details", has=self.page.locator(f"[data-control={name}]"))
        if section.count() and not section.evaluate("(section) => section.open"):
            section.locator("summary").click()
        return found

    def enter(self, about: dict[str, Any], value: Any) -> None:
        """Give a control a value, as it asks for it, and wait for the picture."""
        found = self.control(about["name"])
        kind = about["kind"]
        if kind == "switch":
            with self.changes():
                found.locator("input").set_checked(value)
            return
        if kind == "choice":
            (label,) = (label for each, label in about["choices"] if each == value)
            with self.changes():
                found.locator("select").select_option(label=label)
            return
        boxes = found.locator("input[type=text]").all()
        values = value if kind == "range" else [value]
        # Of a range the stop first, which may not come before the start.
        for box, one in reversed([*zip(boxes, values, strict=True)]):
            with self.changes():
                box.fill(f"{one}")
                box.press("Enter")

    def code(self) -> str:
        """Return what is copied as code."""
        self.do("code").click()
        text = self.root.locator("dialog textarea").input_value()
        self.page.keyboard.press("Escape")
        return text

    def numbers(self) -> dict[str, str]:
        return {
            one.get_attribute("data-number") or "": one.locator(".sl-value").inner_text()
            for one in self.root.locator(".sl-number").all()
        }

    @property
    def drawn(self) -> int:
        return int(self.root.get_attribute("data-drawn") or -1)

    def changes(self) -> "_Waiting":
        """Wait, at the end of the block, until all panels show what was changed in it."""
        return _Waiting(self)


class _Waiting:
    def __init__(self, view: View) -> None:
        self.view = view

    def __enter__(self) -> None:
        self.before = self.view.drawn

    def __exit__(self, *raised: object) -> None:
        if raised[0] is None:
            busy = self.view.root
            expect(busy).not_to_have_attribute("data-drawn", f"{self.before}", timeout=TIMEOUT_MS)


def experiment_from(code: str) -> sl.Experiment:
    """Return what a person gets who runs the copied code."""
    experiment: sl.Experiment = eval(code, {"sl": sl})
    return experiment


def numbers_of(experiment: sl.Experiment) -> dict[str, str]:
    """Return the numbers of a run as a bench shows them."""
    return {one["name"]: one["text"] for one in make_film(experiment.run()).header["numbers"]}


def serious_of(page: Page) -> list[tuple[str, list[str]]]:
    """Return what axe finds serious in the benches of a page, and where."""
    found = Axe().run(page, context=".sl-bench").response["violations"]
    return [
        (one["id"], [node["html"] for node in one["nodes"]])
        for one in found
        if one["impact"] in SERIOUS
    ]


@pytest.fixture(scope="module")
def lab(chromium: Browser, jupyterlab: str, served: Path) -> Iterator[Page]:
    """JupyterLab with a bench, the same once more, and another; nobody else is asked."""
    kernel = {"name": "python3", "display_name": "Python 3"}
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in CELLS]
    nbformat.write(notebook, served / "benches.ipynb")
    page = open_notebook(chromium, jupyterlab, "benches.ipynb")
    page.set_viewport_size({"width": 1900, "height": 1000})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    own = (jupyterlab, "blob:", "data:")
    page.on("request", lambda one: one.url.startswith(own) or errors.append(one.url))
    show_all(page)
    yield page
    page.close()
    assert errors == []


def show_all(page: Page) -> None:
    assert page.evaluate(RUN_ALL)
    page.wait_for_function(ALL_DRAWN)


def another(about: dict[str, Any], settings: dict[str, Any], offered: list[str]) -> Any:
    """Return a value of a control that makes another experiment; of a choice one that it offers.

    Tests that ran before in this process may have registered kinds that the kernel has not.
    """
    value, step = about["value"], about["step"]
    candidates: dict[str, list[Any]] = {
        "switch": [not value],
        "choice": [each for each, label in reversed(about["choices"]) if label in offered],
        "range": [[2, 5]],
    }
    numbers = [round(value + step, 6), about["low"]] if isinstance(value, int | float) else []
    before = as_code(experiment_of(settings))
    for one in candidates.get(about["kind"], numbers):
        try:
            if as_code(experiment_of({**settings, about["name"]: one})) != before:
                return one
        except InvalidInput:  # beside the other settings
            continue
    raise AssertionError(f"no other value of {about['name']}")


def test_every_control_changes_the_experiment(lab: Page) -> None:
    bench, settings = View(lab, 2), dict(BUSY)
    for name in KNOBS:
        (about,) = (each for each in describe(settings) if each["name"] == name)
        offered = bench.control(name).locator("option").all_text_contents()
        settings[name] = another(about, settings, offered)
        bench.enter(about, settings[name])
        assert bench.code() == as_code(experiment_of(settings))


def test_numbers_are_those_of_the_copied_code(lab: Page) -> None:
    bench, twin = View(lab, 0), View(lab, 1)
    for preset in ("two_apart", "lying_leader", "calm"):
        with bench.changes():
            bench.root.get_by_label("preset").select_option(preset)
        numbers = numbers_of(experiment_from(bench.code()))
        assert bench.numbers() == numbers
        assert twin.numbers() == numbers
    bench.do("pin").click()
    expect(bench.do("pin")).to_have_text("unpin A")
    with bench.changes():
        bench.control("nodes").locator("[type=range]").press("ArrowRight")
    expect(bench.root.locator(".sl-pinned-number").first).to_be_visible()
    expect(twin.root.locator(".sl-pinned-number")).to_have_count(0)
    bench.do("pin").click()
    assert bench.numbers() == numbers_of(experiment_from(bench.code()))


def test_play_step_scrub_and_click(lab: Page) -> None:
    bench = View(lab, 0)
    scrub = bench.root.locator(".sl-scrub")
    scrub.press("Home")
    expect(scrub).to_have_js_property("value", "0")
    bench.root.get_by_role("button", name="play", exact=True).click()
    lab.wait_for_function("(slider) => slider.value > 0.2", arg=scrub.element_handle())
    bench.root.get_by_role("button", name="pause", exact=True).click()
    scrub.press("Home")
    scrub.press("PageUp")
    expect(bench.root.locator(".sl-clock")).to_contain_text("epoch 1, 1.000 s")
    scrub.press("ArrowRight")
    expect(bench.root.locator(".sl-clock")).not_to_contain_text("1.000 s")
    scrub.press("End")
    bench.root.locator(".sl-blocks > g").last.click()
    expect(bench.root.locator(".sl-inspector")).to_contain_text("proposer")
    # Another view of the same bench stands where it stood.
    expect(View(lab, 1).root.locator(".sl-inspector")).not_to_contain_text("proposer")


def test_what_is_touched_is_run_again_by_its_code(lab: Page) -> None:
    bench = View(lab, 0)
    before = bench.code()
    scrub = bench.root.locator(".sl-scrub")
    scrub.press("Home")
    for _ in range(3):
        scrub.press("PageUp")
    for kind in ("crash", "jump"):
        with bench.changes():
            bench.root.locator(f"[data-touch={kind}]").click()
    expect(bench.root.locator(".sl-touches li")).to_have_count(2)
    expect(bench.root.locator(".sl-clock")).to_contain_text("3.000 s")
    code = bench.code()
    assert code != before
    assert bench.numbers() == numbers_of(experiment_from(code))
    for kind in ("crash", "price jumps"):
        with bench.changes():
            bench.root.get_by_role("button", name=re.compile(f"^undo: {kind}")).click()
    assert bench.code() == before


def test_a_long_run_is_stopped_and_what_is_refused_is_said(lab: Page) -> None:
    bench = View(lab, 0)
    epochs = bench.control("epochs").locator(".sl-box")
    epochs.fill("10000")
    epochs.press("Enter")
    expect(bench.root.locator(".sl-busy progress")).to_be_visible()
    bench.do("stop").click()
    expect(bench.root.locator(".sl-busy")).to_contain_text("Stopped after")
    epochs.fill("many")
    epochs.press("Enter")
    expect(bench.root.locator(".sl-wrong:visible").first).to_contain_text("many")
    with bench.changes():
        epochs.fill("12")
        epochs.press("Enter")
    assert bench.numbers() == numbers_of(experiment_from(bench.code()))


def test_the_keyboard_alone_is_enough(lab: Page) -> None:
    bench = View(lab, 0)
    bench.root.get_by_label("preset").focus()
    root = bench.root.element_handle()
    while lab.evaluate(FOCUSED, root) != "nodes":
        lab.keyboard.press("Tab")
    with bench.changes():
        lab.keyboard.press("ArrowRight")
    assert bench.numbers() == numbers_of(experiment_from(bench.code()))
    with bench.changes():
        lab.keyboard.press("Control+z")
    section = bench.root.locator("summary").first
    is_open = section.evaluate("(summary) => summary.parentElement.open")
    section.press("Enter")
    assert section.evaluate("(summary) => summary.parentElement.open") != is_open
    section.press("f")
    expect(bench.root).to_have_class(re.compile("sl-projector"))
    lab.keyboard.press("Escape")
    expect(bench.root).not_to_have_class(re.compile("sl-projector"))


def test_a_saved_page_plays_from_the_disk(lab: Page, served: Path) -> None:
    saved = served / "lesson.html"
    page = lab.context.browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda one: one.url.startswith("http") and errors.append(one.url))
    page.goto(saved.as_uri())
    bench = View(page)
    assert bench.numbers() == numbers_of(sl.Experiment(epochs=12, signatures="none"))
    bench.root.locator(".sl-scrub").press("Home")
    bench.root.get_by_role("button", name="play", exact=True).click()
    expect(bench.root.locator(".sl-clock")).to_contain_text("epoch 1,")
    page.evaluate("document.querySelector('[aria-label=pause]').click()")
    assert serious_of(page) == []
    page.close()
    assert errors == []


def test_voila_shows_the_same(chromium: Browser, voila: str) -> None:
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    page.goto(voila, timeout=TIMEOUT_MS)
    bench = View(page)
    expect(bench.root).to_have_attribute("data-drawn", "0")
    with bench.changes():
        bench.control("nodes").locator("[type=range]").press("ArrowRight")
    assert bench.numbers() == numbers_of(experiment_from(bench.code()))
    page.close()


def test_nothing_serious_bars_anyone(lab: Page) -> None:
    assert serious_of(lab) == []


def test_no_key_of_the_bench_is_a_shortcut_of_the_notebook(lab: Page) -> None:
    bench, before = View(lab), lab.evaluate(COUNT_CELLS)
    bench.do("pin").focus()
    for key in ("a", "b", "d", "d", "x", "0", "0", "m"):
        lab.keyboard.press(key)
    assert lab.evaluate(COUNT_CELLS) == before
    expect(bench.root.get_by_role("dialog")).to_have_count(0)


def test_the_kernel_draws_a_chart_and_plays_many_runs(lab: Page) -> None:
    bench = View(lab)
    bench.root.get_by_role("button", name="matplotlib: finality latency").click()
    expect(bench.root.locator("dialog img")).to_be_visible()
    lab.keyboard.press("Escape")
    bench.do("many").click()
    row = bench.root.locator("[data-number=median_latency_s] .sl-interval")
    expect(row).to_contain_text(" to ")


def test_a_page_that_reloads_in_mid_run_shows_the_newest_run(lab: Page) -> None:
    bench = View(lab)
    lab.evaluate(SAVE)
    epochs = bench.control("epochs").locator(".sl-box")
    epochs.fill("600")
    epochs.press("Enter")
    expect(bench.root.locator(".sl-busy progress")).to_be_visible()
    lab.reload()
    lab.wait_for_function(ALL_DRAWN)
    finals = bench.root.locator("[data-number=finalized_blocks]")
    expect(finals).to_contain_text("of 600")
    numbers = numbers_of(experiment_from(bench.code()))
    assert bench.numbers() == View(lab, 1).numbers() == numbers


def count_of_benches(page: Page) -> int:
    """Return how many elements of benches are in memory, in the page or not."""
    devtools = page.context.new_cdp_session(page)
    kind = devtools.send("Runtime.evaluate", {"expression": "Element.prototype"})["result"]
    found = devtools.send("Runtime.queryObjects", {"prototypeObjectId": kind["objectId"]})
    count = {
        "objectId": found["objects"]["objectId"],
        "functionDeclaration": OF_A_BENCH,
        "returnByValue": True,
    }
    counted: int = devtools.send("Runtime.callFunctionOn", count)["result"]["value"]
    devtools.detach()
    return counted


def test_what_is_closed_is_out_of_memory(lab: Page) -> None:
    assert count_of_benches(lab) > 1000
    assert lab.evaluate(CLOSE)
    expect(lab.locator(".sl-bench")).to_have_count(0)
    lab.mouse.click(1, 1)  # a browser keeps what was clicked last
    # What is freed in one collection of garbage may hold what is freed in the next.
    assert 0 in [count_of_benches(lab) for _ in range(5)]
    show_all(lab)


def test_a_kernel_that_is_gone_is_said_to_be_and_the_cell_run_again(lab: Page) -> None:
    bench = View(lab)
    lab.evaluate(f"{KERNEL}.restart()")
    alert = bench.root.locator(".sl-alert")
    expect(alert).to_contain_text("run its cell again")
    scrub = bench.root.locator(".sl-scrub")
    scrub.press("Home")
    scrub.press("PageUp")
    expect(bench.root.locator(".sl-clock")).to_contain_text("epoch 1, 1.000 s")
    bench.control("nodes").locator("[type=range]").press("ArrowRight")
    for name in ("many", "save"):
        bench.do(name).click()
    expect(bench.do("stop")).to_be_disabled()
    expect(bench.root.locator(".sl-notice")).to_be_empty()
    show_all(lab)
    expect(alert).to_be_empty()
    with bench.changes():
        bench.control("nodes").locator("[type=range]").press("ArrowRight")
    assert bench.numbers() == numbers_of(experiment_from(bench.code()))
