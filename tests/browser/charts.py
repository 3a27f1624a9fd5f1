"""The charts of the bench in a page, and what stands where in them."""

from typing import Any

import pandas as pd
from playwright.sync_api import Locator, Page

import streamlet_lab as sl
from streamlet_lab.widgets.film import make_film

from .bare import load
from .replay import MOUNT, SETTLE

CHARTS = ("prices", "vwap", "latency", "rejections")
VERDICTS = ("false", "turned_fair", "turned_unfair", "justified", "market")
# Where a point stands in the page: of the chart, the series and the row.
PLACE = """([name, series, row, unit]) => {
    const { plot, scene } = panels[name];
    const points = scene.all.flatMap((axes) => axes.pane.series
        .filter((each) => each.name === series && each.selects)
        .flatMap((each) => bench.pointsAt([axes], each.kind === "bars"
            ? (each.x[row] + each.x1[row]) / 2 : each.x[row])
            .filter((point) => point.series === each && point.row === row)));
    const { left, top } = plot.getBoundingClientRect();
    return { x: left + points[unit].x, y: top + points[unit].y };
}"""
# Where a value is in the page.
AT = """([name, t, value]) => {
    const { plot, scene } = panels[name];
    const { left, top } = plot.getBoundingClientRect();
    return { x: left + scene.all[0].x.of(t), y: top + scene.all[0].y.of(value) };
}"""
# The colour of a chart's picture at a place of the page.
PIXEL = """([name, { x, y }]) => {
    const { plot } = panels[name];
    const { left, top } = plot.getBoundingClientRect();
    const at = [(x - left) * devicePixelRatio, (y - top) * devicePixelRatio].map(Math.round);
    return [...plot.getContext("2d").getImageData(...at, 1, 1).data.slice(0, 3)];
}"""
# The boxes of all texts that are drawn from now on.
WATCH_TEXTS = """() => {
    window.boxes = [];
    const { fillText } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.fillText = function (text, x, y, ...rest) {
        const { actualBoundingBoxLeft: left, actualBoundingBoxRight: right,
            actualBoundingBoxAscent: up, actualBoundingBoxDescent: down } = this.measureText(text);
        const { width } = this.canvas.getBoundingClientRect();
        const full = this.canvas.width / devicePixelRatio;
        boxes.push({ canvas: width || full, full, text,
            left: x - left, right: x + right, top: y - up, bottom: y + down });
        return fillText.call(this, text, x, y, ...rest);
    };
}"""


def show(
    page: Page, result: sl.Result, names: tuple[str, ...] = CHARTS, width: int = 900, **start: Any
) -> None:
    page.set_viewport_size({"width": width, "height": 1600})
    load(page, "film", "store", "charts", "reading", "tip", film=make_film(result))
    page.evaluate(MOUNT, [[*names], start])
    page.evaluate(SETTLE)


def chart(page: Page, name: str) -> Locator:
    return page.locator(f".sl-chart-{name}")


def says(page: Page, name: str) -> str:
    return chart(page, name).get_by_role("img").get_attribute("aria-label") or ""


def tip(page: Page, name: str) -> list[str]:
    return chart(page, name).locator(".sl-tip > div").all_inner_texts()


def place(page: Page, name: str, series: str, row: int, unit: int = 0) -> dict[str, float]:
    found: dict[str, float] = page.evaluate(PLACE, [name, series, row, unit])
    return found


def pixel(page: Page, name: str, at: dict[str, float]) -> tuple[int, int, int]:
    return tuple(page.evaluate(PIXEL, [name, at]))


def stopped(result: sl.Result) -> pd.DataFrame:
    """Return what the band stopped, in the order of the marks of each epoch."""
    frame = result.rejections[result.rejections["verdict"].isin(VERDICTS)]
    order = frame["verdict"].map(VERDICTS.index)
    return frame.assign(order=order).sort_values(["epoch", "order"], kind="stable")
