"""A saved page plays its film from the disk, without a kernel, and asks nobody for anything."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

import streamlet_lab as sl
from streamlet_lab.widgets import page
from streamlet_lab.widgets.film import make_film
from streamlet_lab.widgets.page import FOLDER, write_page

from .pages import TIMEOUT_MS

pytestmark = pytest.mark.browser

# Says what it was given, and tries what the page must not be let do.
STAND_IN = """import { readFilm, stateOf } from "./film.js";
export function mountReplay(element, film) {
  element.textContent = `finalized ${stateOf(film, film.observer, 8).finalized}`;
  const image = document.createElement("img");
  image.onerror = () => { element.textContent += ", no image"; };
  image.src = "http://127.0.0.1:9/picture.png";
  element.append(image);
  fetch("http://127.0.0.1:9/").catch(() => { element.textContent += ", no answer"; });
}
export default {};
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "film.js").write_text((FOLDER / "film.js").read_text(encoding="utf-8"))
    (folder / "bench.js").write_text(STAND_IN)
    (folder / "bench.css").write_text("main { color: rgb(0, 1, 2) }")
    monkeypatch.setattr(page, "FOLDER", folder)


@pytest.mark.usefixtures("stand_in")
def test_a_saved_page_reads_its_film_and_can_ask_nobody(chromium: Browser, tmp_path: Path) -> None:
    result = sl.Experiment(epochs=10, trace=True, signatures="none").run()
    write_page(make_film(result), tmp_path / "run.html")
    opened, answered, refused = chromium.new_page(), [], []
    opened.on("requestfinished", lambda request: answered.append(request.url))
    opened.on("console", lambda message: refused.append(message.text))
    opened.goto((tmp_path / "run.html").as_uri())

    expect(opened).to_have_title(make_film(result).header["title"])
    main = opened.get_by_role("main")
    finality = result.finality[result.finality["node"] == "observer"]
    expected = f"finalized {(finality['finalized_s'] <= 8).sum()}"
    for text in (expected, "no answer", "no image"):
        expect(main).to_contain_text(text, timeout=TIMEOUT_MS)
    expect(main).to_have_css("color", "rgb(0, 1, 2)")
    assert all("Content Security Policy" in text for text in refused)
    assert {url.partition(":")[0] for url in answered} <= {"file", "data"}
    opened.close()


def test_sixty_epochs_are_less_than_two_million_bytes_and_play(
    chromium: Browser, tmp_path: Path
) -> None:
    result = sl.Experiment(epochs=60, trace=True, signatures="none").run()
    write_page(make_film(result), tmp_path / "run.html")
    opened, errors = chromium.new_page(viewport={"width": 1280, "height": 800}), []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda message: errors.append(message.text))
    opened.goto((tmp_path / "run.html").as_uri())

    assert (tmp_path / "run.html").stat().st_size < 2_000_000
    final = f"{result.summary['finalized_blocks']} of 60"
    expect(opened.get_by_text(final, exact=True)).to_be_visible(timeout=TIMEOUT_MS)
    cursor = opened.get_by_role("slider", name="time").first
    cursor.press("End")
    expect(opened.get_by_text("epoch 59, 60.000 s of 60.0 s")).to_be_visible(timeout=TIMEOUT_MS)
    assert errors == []
    opened.close()
