"""The bench in JupyterLab, with a kernel: what is done in the browser is run, and can be copied."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

import streamlet_lab as sl
from streamlet_lab.widgets.film import make_film

from .pages import RUN_ALL, TIMEOUT_MS, open_notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CELLS = "window.jupyterapp.shell.currentWidget.content.widgets.length"


@pytest.fixture(scope="module")
def lab(chromium: Browser, jupyterlab: str) -> Iterator[Page]:
    page = open_notebook(chromium, jupyterlab, "bench.ipynb")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "request",
        lambda one: (
            one.url.startswith((jupyterlab, "data:", "blob:", "ws:")) or errors.append(one.url)
        ),
    )
    assert page.evaluate(RUN_ALL)
    expect(page.locator("[data-number=finalized_blocks]")).to_contain_text(
        "59 of 60", timeout=TIMEOUT_MS
    )
    yield page
    page.close()
    assert errors == []


def type_into(page: Page, name: str, text: str) -> None:
    box = page.locator(f"[data-control={name}]").get_by_label("typed")
    box.fill(text)
    box.press("Enter")


def says(page: Page, text: str) -> None:
    expect(page.locator(".sl-run").first).to_contain_text(text, timeout=TIMEOUT_MS)


def copied(page: Page) -> str:
    page.locator("[data-do=code]").click()
    code = page.get_by_label("code of the experiment").input_value()
    page.keyboard.press("Escape")
    return code


def check_numbers(page: Page, code: str) -> None:
    """The numbers on the screen are those that the copied code gives."""
    experiment: sl.Experiment = eval(code, {"sl": sl})
    for number in make_film(experiment.run()).header["numbers"]:
        row = page.locator(f"[data-number={number['name']}] .sl-value")
        expect(row).to_have_text(number["text"], timeout=TIMEOUT_MS)


def test_the_copied_code_gives_the_numbers_on_the_screen(lab: Page) -> None:
    for name, text in (("epochs", "24"), ("nodes", "7"), ("faulty", "2"), ("seed", "5")):
        box = lab.locator(f"[data-control={name}] [type=text]").last
        box.fill(text)
        box.press("Enter")
    lab.locator("[data-control=fault] select").select_option("equivocate")
    says(lab, "24 epochs of AAPL on 7 nodes, quorum 5; seed 5")
    says(lab, "equivocate")

    check_numbers(lab, copied(lab))


def test_a_touched_run_is_run_again_by_its_code(lab: Page) -> None:
    lab.get_by_role("button", name="reset all").click()
    type_into(lab, "epochs", "20")
    says(lab, "20 epochs of AAPL on 4 nodes, quorum 3; seed 0; without signatures; no faults")
    time = lab.get_by_role("slider", name="time", exact=True)
    time.press("Home")
    for _ in range(8):
        time.press("PageUp")
    lab.get_by_label("node to touch").select_option("node_2")
    lab.locator("[data-touch=crash]").click()
    says(lab, "node_2: crash from epoch 8 on")
    lab.locator("[data-touch=jump]").click()
    expect(lab.locator(".sl-touches li")).to_have_count(2)
    code = copied(lab)

    assert "8s" in code
    check_numbers(lab, code)


def test_what_is_refused_leaves_the_picture(lab: Page) -> None:
    lab.get_by_role("button", name="reset all").click()
    type_into(lab, "epochs", "0")
    wrong = lab.locator("[data-control=epochs] .sl-wrong")
    expect(wrong).to_contain_text("0 is not valid", timeout=TIMEOUT_MS)
    expect(lab.locator("[data-panel=network]")).to_be_visible()

    type_into(lab, "epochs", "5")
    says(lab, "5 epochs")
    expect(wrong).to_be_empty()


def test_no_key_of_the_bench_is_a_shortcut_of_the_notebook(lab: Page) -> None:
    before = lab.evaluate(CELLS)
    lab.locator("[data-do=pin]").focus()
    for key in ("a", "b", "d", "d", "x", "0", "0", "m"):
        lab.keyboard.press(key)

    assert lab.evaluate(CELLS) == before
    expect(lab.get_by_role("dialog")).to_have_count(0)


def test_a_chart_of_the_kernel_is_shown(lab: Page) -> None:
    lab.get_by_role("button", name="matplotlib: finality latency").click()
    expect(lab.locator("dialog img")).to_be_visible(timeout=TIMEOUT_MS)
    lab.keyboard.press("Escape")


def test_many_runs_are_told_beside_the_one(lab: Page) -> None:
    lab.locator("[data-do=many]").click()
    row = lab.locator("[data-number=median_latency_s] .sl-interval")

    expect(row).to_contain_text(" to ", timeout=TIMEOUT_MS)
