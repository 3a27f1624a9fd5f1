"""The panels of the replay in a page, and runs that they show."""

from typing import Any

from playwright.sync_api import Page

import streamlet_lab as sl
from streamlet_lab.widgets.film import make_film

from .bare import load

MODULES = (
    *("film", "store", "play", "playbar", "ring", "flights", "network", "lanes", "tree"),
    "inspector",
)
PANELS = ("network", "tree", "inspector", "play")
# Two pictures later everyone has heard of what changed.
SETTLE = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
MOUNT = """([names, start]) => {
    const main = document.querySelector("main");
    main.className = "sl-bench";
    main.dataset.theme = start.theme ?? "light";
    window.store = bench.createStore({ film: window.film ?? null, ...start });
    window.panels = Object.fromEntries(
        names.map((name) => [name, bench[`${name}Panel`](store, () => {})]),
    );
    for (const { element } of Object.values(panels)) {
        element.style.height = element.className.includes("bar") ? "" : "360px";
        main.append(element);
    }
}"""
PARTITION = {"partitions": [{"groups": "node_0,node_1|node_2,node_3", "start": "4s", "stop": "9s"}]}


def run(epochs: int = 12, trace: bool = True, **settings: Any) -> sl.Result:
    return sl.Experiment(epochs=epochs, trace=trace, signatures="none", **settings).run()


def show(page: Page, result: sl.Result, names: tuple[str, ...] = PANELS, **start: Any) -> None:
    load(page, *MODULES, film=make_film(result))
    page.evaluate(MOUNT, [[*names], start])
    page.evaluate(SETTLE)


def put(page: Page, **patch: Any) -> None:
    page.evaluate("(patch) => store.set(patch)", patch)
    page.evaluate(SETTLE)


def get(page: Page, name: str) -> Any:
    return page.evaluate("(name) => store.get()[name]", name)


def facts(page: Page) -> dict[str, str]:
    pairs = """(all) => all.map((term) => [term.innerText, term.nextSibling.innerText])"""
    return dict(page.locator(".sl-facts dt").evaluate_all(pairs))
