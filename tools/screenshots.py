"""Draw the bench with every preset, light, dark and on a projector, in two sizes, to be looked at.

usage: python tools/screenshots.py FOLDER [--presets calm jump] [--sizes 1280x800] [--looks dark]
       python tools/screenshots.py docs --readme  # the three pictures of README
"""

import argparse
import base64
import shutil
from collections.abc import Mapping
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, Final

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from streamlet_lab.widgets import Bench
from streamlet_lab.widgets.page import joined_script, style_sheet
from streamlet_lab.widgets.presets import PRESETS

LOOKS: Final = ("light", "dark", "projector")
SIZES: Final = ("1280x800", "1920x1080")
#: Where each stands, in seconds: in the midst of what it shows.
INSTANTS: Final = {
    "two_neighbours": 14.08,
    "two_apart": 14.08,
    "partition": 24.06,
    "before_gst": 22.12,
    "jump": 31.08,
    "luld": 35.08,
    "unsafe_quorum": 14.13,
}
USUAL_INSTANT: Final = 31.08

#: The pictures of README: preset, size and look, by file.
README: Final = {
    "bench_fork": ("unsafe_quorum", "1600x900", "light"),
    "bench_jump": ("jump", "1600x900", "dark"),
    "bench_projector": ("two_apart", "1280x800", "projector"),
}

PAGE: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>bench</title>
<style>{style}
body {{ margin: 8px; background: {ground} }}
* {{ animation: none !important; transition: none !important }}</style></head>
<body data-jp-theme-light="{is_light}"><main></main></body></html>"""

# A model that only answers what a kernel has told it.
SHOW: Final = """async ([script, state]) => {
    const bytes = (text) => new DataView(
        Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
    state.film.buffers = state.film.buffers.map(bytes);
    const ignore = () => {};
    const model = { get: (name) => state[name], set: ignore, save_changes: ignore, send: ignore,
                    on: ignore, off: ignore };
    const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
    const { default: widget } = await import(address);
    widget.render({ model, el: document.querySelector("main") });
}"""
STAND_AT: Final = """(time) => {
    const scrub = document.querySelector(".sl-scrub");
    scrub.value = time;
    scrub.dispatchEvent(new Event("input", { bubbles: true }));
}"""
# A few pictures later everything has been drawn.
DRAWN: Final = """() => new Promise((done) => {
    const next = (left) => requestAnimationFrame(() => left ? next(left - 1) : done());
    next(6);
})"""


def state_of(preset: str) -> dict[str, Any]:
    """Return what the kernel of a bench with a preset tells its views."""
    bench = Bench(**PRESETS[preset].settings)
    bench.wait()
    names = ("controls", "presets", "panels", "shown", "settings", "touches", "asked", "code")
    state = {name: getattr(bench, name) for name in (*names, "status", "many")}
    buffers = [base64.b64encode(buffer).decode() for buffer in bench.film["buffers"]]
    return {**state, "film": {**bench.film, "buffers": buffers}}


def show(page: Page, state: dict[str, Any], look: str, instant: float) -> None:
    """Show a bench that stands at an instant."""
    is_light = look != "dark"
    ground = "#ffffff" if is_light else "#111111"
    html = PAGE.format(ground=ground, style=style_sheet(), is_light=str(is_light).lower())
    page.set_content(html)
    page.evaluate(SHOW, [joined_script(), state])
    page.evaluate(DRAWN)
    page.evaluate(STAND_AT, instant)
    if look == "projector":
        page.locator(".sl-bench").focus()
        page.keyboard.press("f")
    page.evaluate(DRAWN)


def draw(pictures: Mapping[Path, tuple[str, str, str]]) -> None:
    """Write the picture of a preset, size and look to each path."""
    state_by_preset = cache(state_of)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        page.on("pageerror", lambda error: print(f"error in the page: {error}"))
        for path, (preset, size, look) in pictures.items():
            width, height = map(int, size.split("x"))
            page.set_viewport_size({"width": width, "height": height})
            show(page, state_by_preset(preset), look, INSTANTS.get(preset, USUAL_INSTANT))
            page.locator(".sl-bench").screenshot(path=path)
            with Image.open(path) as picture:
                picture.quantize(256).save(path, optimize=True)
        browser.close()


def main() -> None:
    """Draw what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--presets", nargs="+", choices=PRESETS, default=[*PRESETS])
    parser.add_argument("--sizes", nargs="+", metavar="WIDTHxHEIGHT", default=SIZES)
    parser.add_argument("--looks", nargs="+", choices=LOOKS, default=LOOKS)
    parser.add_argument("--readme", action="store_true", help="the pictures of README alone")
    options = parser.parse_args()
    chosen = product(options.presets, options.sizes, options.looks)
    by_name = {f"{preset}-{look}-{size}": (preset, size, look) for preset, size, look in chosen}
    options.folder.mkdir(parents=True, exist_ok=True)
    pictures = README if options.readme else by_name
    draw({options.folder / f"{name}.png": picture for name, picture in pictures.items()})


if __name__ == "__main__":
    main()
