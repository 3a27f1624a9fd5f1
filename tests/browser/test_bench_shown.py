"""Where a bench is shown: its view where there is a kernel, its picture where there is none."""

import pytest
from playwright.sync_api import Browser, expect

from .pages import RUN_ALL, TIMEOUT_MS, open_notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DRAWN = ".sl-bench"
PICTURE = ".jp-RenderedImage img"


def test_a_notebook_has_its_picture_without_a_kernel_and_its_view_with_one(
    chromium: Browser, jupyterlab: str
) -> None:
    page = open_notebook(chromium, jupyterlab, "bench.ipynb")
    expect(page.locator(PICTURE)).to_be_visible(timeout=TIMEOUT_MS)
    assert page.locator(DRAWN).count() == 0

    assert page.evaluate(RUN_ALL)

    expect(page.locator(DRAWN)).to_be_visible(timeout=TIMEOUT_MS)
    expect(page.locator(PICTURE)).to_be_hidden()
    page.close()


def test_voila_shows_the_view_alone(chromium: Browser, voila: str) -> None:
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(voila, timeout=TIMEOUT_MS)
    expect(page.locator(DRAWN)).to_be_visible(timeout=TIMEOUT_MS)
    expect(page.locator(PICTURE)).to_be_hidden()
    assert errors == []
    page.close()
