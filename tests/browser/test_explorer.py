"""A person moves the controls in JupyterLab, and the charts follow."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from .pages import RUN_CELL_WITH, TIMEOUT_MS, open_notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CUT_OFF = (
    "(all) => all.filter((one) => one.scrollWidth > one.clientWidth).map((it) => it.innerText)"
)

# A box to choose from never says that it scrolls: the texts are measured against their room.
TOO_LONG = """(all) => all.flatMap((box) => {
    const style = getComputedStyle(box), pen = document.createElement("canvas").getContext("2d");
    const room = box.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    pen.font = style.font;
    return [...box.options].map((option) => option.text)
        .filter((text) => pen.measureText(text).width > room);
})"""


@pytest.fixture
def quickstart(chromium: Browser, jupyterlab: str) -> Iterator[Page]:
    """The first notebook, open, and its explorer's cell run: it needs no other."""
    page = open_notebook(chromium, jupyterlab, "01_quickstart.ipynb")
    assert page.evaluate(RUN_CELL_WITH, "import Explorer")
    page.wait_for_selector(".noUi-handle")
    yield page
    page.close()


def slider(page: Page, label: str) -> Locator:
    named = page.locator(".widget-slider", has=page.get_by_text(label, exact=True))
    return named.locator(".noUi-handle")


def choice(page: Page, label: str) -> Locator:
    named = page.locator(".widget-dropdown", has=page.get_by_text(label, exact=True))
    return named.locator("select")


def test_moving_the_slider_redraws_the_charts(quickstart: Page) -> None:
    picture = quickstart.locator(".widget-image")
    expect(picture).to_be_visible(timeout=TIMEOUT_MS)
    readout = quickstart.locator(".widget-html", has_text="quorum")
    before = picture.get_attribute("src")
    text = readout.inner_text()

    slider(quickstart, "nodes").press("ArrowRight")

    expect(picture).not_to_have_attribute("src", before or "", timeout=TIMEOUT_MS)
    expect(readout).to_contain_text(re.compile(r"\b5 nodes\b"), timeout=TIMEOUT_MS)
    assert readout.inner_text() != text


def test_a_section_opens_and_its_controls_work(quickstart: Page) -> None:
    picture = quickstart.locator(".widget-image")
    expect(picture).to_be_visible(timeout=TIMEOUT_MS)
    before = picture.get_attribute("src")
    expect(slider(quickstart, "Δ (ms)")).to_be_hidden()

    quickstart.locator(".jupyter-widget-Collapse-header", has_text="Network").click()
    slider(quickstart, "Δ (ms)").press("ArrowRight")

    expect(picture).not_to_have_attribute("src", before or "", timeout=TIMEOUT_MS)
    readout = quickstart.locator(".streamlet-readout")
    expect(readout).to_contain_text("Δ (ms): 600", timeout=TIMEOUT_MS)


def test_a_source_begins_to_lie_and_the_chart_of_the_sources_shows_it(quickstart: Page) -> None:
    picture = quickstart.locator(".widget-image")
    expect(picture).to_be_visible(timeout=TIMEOUT_MS)
    readout = quickstart.locator(".streamlet-readout")
    quickstart.locator(".jupyter-widget-Collapse-header", has_text="Prices").click()

    slider(quickstart, "lying").press("ArrowRight")
    expect(readout).to_contain_text("1 of 3 sources lying (adaptive)", timeout=TIMEOUT_MS)
    choice(quickstart, "aggregator").select_option("median")
    expect(readout).to_contain_text("median tolerates 1", timeout=TIMEOUT_MS)

    before = picture.get_attribute("src")
    choice(quickstart, "picture").select_option("sources")
    expect(picture).not_to_have_attribute("src", before or "", timeout=TIMEOUT_MS)


def test_no_label_and_no_choice_is_cut_off(quickstart: Page) -> None:
    labels = quickstart.locator(".widget-label:visible, .widget-label-basic:visible")
    inside = {
        "Protocol": "leaders",
        "Faults": "faulty epochs",
        "Network": "partition (s)",
        "Prices": "voters go by",
        "Market": "makers/s",
    }
    for section, label in inside.items():
        quickstart.locator(".jupyter-widget-Collapse-header", has_text=section).click()
        expect(labels.filter(has_text=label)).to_be_visible(timeout=TIMEOUT_MS)
        assert labels.evaluate_all(CUT_OFF) == []
        choices = quickstart.locator(".widget-dropdown select:visible")
        assert choices.evaluate_all(TOO_LONG) == []
