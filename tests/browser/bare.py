"""The modules of the bench in a page of their own, without Jupyter and without a network."""

import base64
from urllib.parse import urlsplit

from playwright.sync_api import Page, Route

from streamlet_lab.widgets.film import Film
from streamlet_lab.widgets.page import FOLDER, style_sheet

ADDRESS = "http://bench.test/"  # answered here: nobody is asked
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>bench</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/bench.css"></head>
<body><main></main></body></html>"""
KINDS = {".js": "text/javascript", ".css": "text/css"}

# What all of these modules export, by name, is in `bench`.
LOAD = """async (names) => {
    const modules = await Promise.all(names.map((name) => import(`/${name}.js`)));
    window.bench = Object.assign({}, ...modules);
}"""
READ = """([header, buffers]) => {
    const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    window.film = window.bench.readFilm(header, buffers.map(bytes));
}"""


def answer(route: Route) -> None:
    """Answer a request of the page from the folder of the modules."""
    address = route.request.url
    path = FOLDER / urlsplit(address).path.strip("/")
    if not address.startswith(ADDRESS):
        route.abort()
    elif path == FOLDER:
        route.fulfill(body=PAGE, content_type="text/html")
    elif path.name == "bench.css":
        route.fulfill(body=style_sheet(), content_type="text/css")
    elif path.is_file():
        route.fulfill(body=path.read_text(encoding="utf-8"), content_type=KINDS[path.suffix])
    else:  # a page may be looked at before it has a style
        route.fulfill(body="", content_type="text/css")


def load(page: Page, *names: str, film: Film | None = None) -> Page:
    """Import modules by their names into ``bench``, and read a film into ``film``."""
    page.evaluate(LOAD, [*names])
    if film is not None:
        texts = [base64.b64encode(buffer).decode() for buffer in film.buffers]
        page.evaluate(READ, [film.header, texts])
    return page
