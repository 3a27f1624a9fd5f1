"""A kernel that a page plays to itself: the bench is tried without Jupyter."""

import base64
from typing import Any

from playwright.sync_api import Page

from streamlet_lab.widgets.film import Film
from streamlet_lab.widgets.knobs import describe
from streamlet_lab.widgets.page import joined_script
from streamlet_lab.widgets.presets import describe_presets

# As anywidget's model; `sent` are the messages to the kernel, `says` what the kernel says.
MODEL = """(given) => {
    const listeners = [];
    const emit = (event, ...rest) => {
        for (const one of [...listeners]) if (one.event === event) one.callback(...rest);
    };
    const bytes = (text) => new DataView(
        Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer,
    );
    const readable = (name, value) => name === "film"
        ? { ...value, buffers: value.buffers.map(bytes) } : value;
    const values = {};
    for (const [name, value] of Object.entries(given)) values[name] = readable(name, value);
    const model = {
        values, listeners, sent: [], saves: 0,
        get: (name) => values[name],
        set(name, value) {
            const isNew = JSON.stringify(values[name]) !== JSON.stringify(value);
            values[name] = value;
            if (isNew) emit(`change:${name}`);
        },
        save_changes() { model.saves += 1; },
        send(message) { model.sent.push(message); },
        on(event, callback) { listeners.push({ event, callback }); },
        off(event, callback) {
            const at = listeners.findIndex(
                (one) => one.event === event && one.callback === callback,
            );
            if (at >= 0) listeners.splice(at, 1);
        },
        says(name, value) {
            values[name] = readable(name, value);
            emit(`change:${name}`);
        },
        tells(message, ...buffers) { emit("msg:custom", message, buffers.map(bytes)); },
        loses() { emit("comm_live_update"); },
    };
    window.model = model;
}"""
MOUNT = """async (script) => {
    const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
    const { default: widget } = await import(address);
    window.mount = () => {
        const el = document.createElement("div");
        document.querySelector("main").append(el);
        const end = widget.render({ model, el });
        return { el, end };
    };
    window.view = mount();
}"""
# Three pictures later everyone has heard of what changed, and of what that changed.
SETTLE = """() => new Promise((done) => {
    const next = (left) => requestAnimationFrame(() => left ? next(left - 1) : done());
    next(3);
})"""


def to_plain(film: Film, asked: int = 0) -> dict[str, Any]:
    """Return a film as the fake kernel sends it."""
    buffers = [base64.b64encode(buffer).decode() for buffer in film.buffers]
    return {"header": film.header, "buffers": buffers, "asked": asked}


def mount(page: Page, film: Film | None, **values: Any) -> Page:
    """Show a bench whose kernel has a film, and the values of these traits."""
    settings = values.get("settings", {})
    start = {
        "controls": describe(settings, values.get("touches", ())),
        "presets": describe_presets(),
        "settings": {},
        "touches": [],
        "asked": 0,
        "status": {"state": "idle", "sentence": ""},
        "many": {},
        "code": "Experiment(epochs=12)",
        "panels": [],
        "shown": [],
        "film": to_plain(film) if film else {},
    }
    page.evaluate(MODEL, start | values)
    page.evaluate(MOUNT, joined_script())
    settle(page)
    return page


def settle(page: Page) -> None:
    """Wait until what was set is drawn."""
    page.evaluate(SETTLE)


def says(page: Page, **values: Any) -> None:
    """Let the kernel say something."""
    for name, value in values.items():
        page.evaluate("([name, value]) => model.says(name, value)", [name, value])
    settle(page)


def said(page: Page, name: str) -> Any:
    """Return the value of a trait, as the page has set it."""
    return page.evaluate("(name) => model.get(name)", name)
