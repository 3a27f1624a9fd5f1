"""Four charts of a film say what its frames say, on one cursor and one zoom."""

import re
from typing import Any

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

import streamlet_lab as sl
from streamlet_lab.widgets.film import make_film

from .bare import load
from .replay import MOUNT, SETTLE, get, put, run

pytestmark = pytest.mark.browser

CHARTS = ("prices", "vwap", "latency", "rejections")
PARTED = {
    "catch_up": True,
    "partitions": [{"groups": "node_0,node_1|node_2,node_3", "start": "4s", "stop": "9s"}],
}
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


@pytest.fixture(scope="module")
def calm() -> sl.Result:
    return run(24)


@pytest.fixture(scope="module")
def parted() -> sl.Result:
    return run(16, network=PARTED)


# --- what they say ---


def test_charts_say_in_words_what_they_show(bare: Page, parted: sl.Result) -> None:
    show(bare, parted)
    epochs = parted.epochs
    final = epochs["latency_s"].dropna()

    assert f"{len(final)} of 16 epochs have a final block" in says(bare, "latency")
    spread = f"after {final.min():.3f} s to {final.max():.3f} s, median {final.median():.3f} s"
    assert spread in says(bare, "latency")
    priced = epochs[epochs["consensus_price"].notna() & epochs["finalized_s"].notna()]
    assert f"{len(priced)} of 16 epochs have a final price" in says(bare, "prices")
    assert f"the last one ${priced['consensus_price'].iloc[-1]:.2f}" in says(bare, "prices")
    counts = stopped(parted)["verdict"].value_counts()
    for verdict in ("false", "justified"):
        assert f"{counts.get(verdict, 0)} {verdict};" in says(bare, "rejections")
    busiest = stopped(parted)["epoch"].value_counts()
    assert f": {busiest.max()}." in says(bare, "rejections")
    apart = (epochs["consensus_price"] / epochs["vwap"] - 1) * 10_000
    assert f"to {apart.max():.1f} bp" in says(bare, "vwap")


def test_a_cut_is_shaded_and_told(bare: Page, parted: sl.Result) -> None:
    show(bare, parted)
    colours = []
    for t in (3.5, 6.5):
        at = bare.evaluate(AT, ["latency", t, 0.5])
        colours.append(pixel(bare, "latency", at))
        bare.mouse.move(**at)

    assert colours[0] == (255, 255, 255) != colours[1]
    assert "the network is cut" in tip(bare, "latency")
    assert "From 4.000 s to 9.000 s the network is cut." in says(bare, "latency")


def test_what_is_never_final_is_counted_and_marked_at_the_top(
    bare: Page, parted: sl.Result
) -> None:
    show(bare, parted)
    missing = parted.epochs["finalized_s"].isna().sum()

    latency = chart(bare, "latency")
    expect(latency.get_by_role("button", name=f"{missing} never final")).to_be_visible()
    top = latency.locator("canvas").bounding_box()
    assert top is not None
    heights = {place(bare, "latency", "open", row)["y"] - top["y"] for row in range(missing)}
    assert f" {missing} never final." in says(bare, "latency")
    assert len(heights) == 1
    assert heights.pop() < 40


def test_a_lie_of_half_a_percent_stands_out(bare: Page) -> None:
    result = run(12, faults="node_1=price_manipulator")
    show(bare, result)
    lie = (result.epochs["consensus_price"][1] / result.epochs["true_price"][1] - 1) * 10_000
    heights = bare.evaluate(
        "(values) => values.map((value) => panels.vwap.scene.all[1].y.of(value))", [0, lie]
    )

    assert 45 < lie < 55
    assert heights[0] - heights[1] > 40
    assert "off the true price by up to 5" in says(bare, "vwap")


def test_the_protocol_alone_has_one_chart(bare: Page) -> None:
    show(bare, sl.run_protocol(epochs=6))

    for name in ("prices", "vwap", "rejections"):
        expect(chart(bare, name).locator(".sl-note")).to_contain_text("no market")
        expect(chart(bare, name).get_by_role("img")).to_be_hidden()
    assert "epochs have a final block" in says(bare, "latency")


# --- axes ---


@pytest.mark.parametrize("width", [320, 900])
@pytest.mark.parametrize("zoom", [None, [3.02, 3.06]])
def test_texts_overlap_nowhere(
    bare: Page, calm: sl.Result, width: int, zoom: list[float] | None
) -> None:
    bare.evaluate(WATCH_TEXTS)
    for name in CHARTS:
        bare.evaluate("document.querySelector('main').replaceChildren()")
        show(bare, calm, (name,), width)
        bare.evaluate("boxes = []")
        put(bare, zoom=zoom, series={"unknown": True})
        boxes = bare.evaluate("boxes")

        assert len(boxes) > 6
        for index, one in enumerate(boxes):
            assert -0.5 <= one["left"] <= one["right"] <= one["full"] + 0.5, (name, one)
            for other in boxes[:index]:
                across = min(one["right"], other["right"]) - max(one["left"], other["left"])
                along = min(one["bottom"], other["bottom"]) - max(one["top"], other["top"])
                assert across <= 0 or along <= 0, (name, one, other)


@pytest.mark.parametrize(
    ("low", "high", "most", "texts"),
    [
        (0, 10, 5, ["0", "2", "4", "6", "8", "10"]),
        (0.13, 0.31, 4, ["0.15", "0.20", "0.25", "0.30"]),
        (-1500, 1500, 3, ["−1,000", "0", "1,000"]),
    ],
)
def test_ticks_are_round_numbers(
    bare: Page, low: float, high: float, most: int, texts: list[str]
) -> None:
    load(bare, "scale")
    ask = """([low, high, most]) => {
        const { step, ticks } = bench.ticksOf(low, high, most);
        return ticks.map((each) => bench.tickText(each, step));
    }"""
    assert bare.evaluate(ask, [low, high, most]) == texts


def test_of_many_points_each_column_keeps_the_extremes(bare: Page) -> None:
    load(bare, "scale")
    kept = bare.evaluate("""() => {
        const x = Float64Array.from({ length: 50000 }, (_, row) => row);
        const peaks = { 31234: 9, 777: -9 };
        const y = x.map((each) => Math.sin(each / 7) + (peaks[each] ?? 0));
        const rows = bench.thinned(x, y, bench.linearScale([0, 50000], [0, 500]));
        const sorted = rows.every((row, at) => !at || row > rows[at - 1]);
        return [rows.length, rows.includes(31234), rows.includes(777), sorted, rows.at(-1)];
    }""")
    assert kept[0] <= 2004
    assert kept[1:] == [True, True, True, 49_999]


def test_the_picture_is_as_fine_as_the_screen(bare: Page, calm: sl.Result) -> None:
    show(bare, calm, ("prices",))
    sizes = bare.evaluate("""() => {
        Object.defineProperty(window, "devicePixelRatio", { value: 2 });
        panels.prices.arrange();
        const { plot } = panels.prices;
        return [plot.width / plot.clientWidth, plot.height / plot.clientHeight];
    }""")
    assert sizes == [2, 2]


# --- reading ---


def test_the_pointer_reads_values(bare: Page, calm: sl.Result) -> None:
    show(bare, calm)
    row = calm.epochs.iloc[7]
    bare.mouse.move(**place(bare, "prices", "final", 7))
    told = tip(bare, "prices")

    assert told[0] == f"{row['finalized_s']:.3f} s, epoch 8"
    price, latency = f"${row['consensus_price']:.2f}", f"{row['latency_s']:.3f} s"
    assert f"final price: {price}, {latency} after it was quoted (block of epoch 7)" in told
    bare.mouse.move(0, 0)
    expect(chart(bare, "prices").locator(".sl-tip")).to_be_hidden()


def test_whatever_can_be_pointed_at_is_told(bare: Page, parted: sl.Result) -> None:
    series = {"prices.orders": True}
    bands = {"start_s": [*range(16)], "latency_s": {"low": [1] * 16, "high": [2] * 16}}
    show(bare, parted, series=series, pinned=None, many={"runs": 9, "epochs": bands})
    told = bare.evaluate(
        """(names) => names.flatMap((name) => {
        const { all } = panels[name].scene;
        return bench.instantsOfPanes(all).flatMap((t) => {
            const points = bench.pointsAt(all, t);
            return [null, ...points].map((point) => bench.linesAt(film, all, { t, point }));
        });
    })""",
        CHARTS,
    )

    assert len(told) > 200
    lines = [line for each in told for line in each]
    assert not any(word in line for line in lines for word in ("undefined", "NaN", "null"))


def test_arrows_read_values_aloud(bare: Page, calm: sl.Result) -> None:
    show(bare, calm)
    plot = chart(bare, "latency").get_by_role("img")
    bare.keyboard.press("Tab")
    spoken = chart(bare, "latency").locator(".sl-spoken")
    while not plot.evaluate("(plot) => plot === document.activeElement"):
        bare.keyboard.press("Tab")
    expect(spoken).to_contain_text("+ − zoom")
    plot.press("Home")
    for epoch in (1, 2):
        plot.press("ArrowRight")
        latency = calm.epochs["latency_s"][epoch]
        expect(spoken).to_contain_text(f"{epoch}.000 s, epoch {epoch}; block of epoch {epoch}")
        expect(spoken).to_contain_text(f"final after {latency:.3f} s")
    plot.press("ArrowLeft")
    expect(spoken).to_contain_text("1.000 s, epoch 1;")
    plot.press("Enter")
    assert get(bare, "selection") == {"kind": "block", "id": 2}
    bare.keyboard.press("Tab")
    expect(chart(bare, "latency").locator(".sl-tip")).to_be_hidden()


def test_every_stopped_order_can_be_reached_and_selected(bare: Page, calm: sl.Result) -> None:
    show(bare, calm)
    epoch = stopped(calm)["epoch"].value_counts().idxmax()
    rows = stopped(calm)[stopped(calm)["epoch"] == epoch]
    orders = [calm.orders["order_id"].to_list().index(each) for each in rows["order_id"]]
    plot = chart(bare, "rejections").get_by_role("img")
    chosen = []
    bare.evaluate("(t) => panels.rejections.pointing.hoverAt(t)", epoch + 0.5)
    for _ in orders:
        plot.press("Enter")
        chosen.append(get(bare, "selection"))
        plot.press("ArrowUp")

    assert chosen == [{"kind": "order", "id": each} for each in orders]
    first = calm.orders.iloc[orders[0]]["order_id"]
    assert any(str(first) in line for line in tip(bare, "rejections"))


def test_a_click_selects_a_block_or_an_order_or_moves_the_cursor(
    bare: Page, calm: sl.Result
) -> None:
    show(bare, calm)
    bare.mouse.click(**place(bare, "prices", "final", 5))
    assert get(bare, "selection") == {"kind": "block", "id": 6}
    put(bare, series={"prices.orders": True}, zoom=[2, 4])
    sent = calm.orders[(calm.orders["time_s"] > 2) & (calm.orders["status"] != "rejected")]
    rows = calm.orders[calm.orders["status"] != "rejected"].index.to_list()
    bare.mouse.click(**place(bare, "prices", "orders", rows.index(sent.index[0])))
    assert get(bare, "selection") == {"kind": "order", "id": sent.index[0]}
    assert get(bare, "time") == 0

    put(bare, zoom=None)
    box = chart(bare, "vwap").locator("canvas").bounding_box()
    assert box is not None
    bare.mouse.click(box["x"] + box["width"] / 2, box["y"] + 60)
    assert 10 < get(bare, "time") < 14


# --- switches, zoom, cursor ---


def test_legend_switches_a_series_and_its_scale(bare: Page, calm: sl.Result) -> None:
    show(bare, calm)
    final = chart(bare, "prices").get_by_role("button", name=re.compile("^final"))
    expect(final).to_have_attribute("aria-pressed", "true")
    at = place(bare, "prices", "final", 10)
    at["y"] -= 2  # the reference goes through its middle
    before = pixel(bare, "prices", at)
    final.press("Enter")
    expect(final).to_have_attribute("aria-pressed", "false")
    expect(final).to_be_focused()
    bare.evaluate(SETTLE)

    assert get(bare, "series") == {"prices.final": False}
    assert pixel(bare, "prices", at) != before
    error = chart(bare, "vwap").get_by_role("button", name="minus true price")
    scale = "panels.vwap.scene.all[1].y.high"
    high = bare.evaluate(scale)
    error.click()
    bare.evaluate(SETTLE)
    assert bare.evaluate(scale) <= high


def test_a_drag_zooms_all_charts_and_escape_or_two_clicks_show_all(
    bare: Page, calm: sl.Result
) -> None:
    show(bare, calm, time=3)
    box = chart(bare, "latency").locator("canvas").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    for undo in ("Escape", "dblclick", "button"):
        bare.mouse.move(box["x"] + 300, y)
        bare.mouse.down()
        bare.mouse.move(box["x"] + 500, y)
        bare.mouse.up()
        bare.evaluate(SETTLE)
        low, high = get(bare, "zoom")
        assert 0 < low < high < 24
        shown = f"Shown from {low:.3f} s to {high:.3f} s."
        assert all(says(bare, name).endswith(shown) for name in CHARTS)
        assert get(bare, "time") == 3
        if undo == "button":
            chart(bare, "prices").get_by_role("button", name="whole run").click()
        elif undo == "dblclick":
            bare.mouse.dblclick(box["x"] + 400, y + 40)
        else:
            bare.mouse.move(0, 0)
            chart(bare, "rejections").get_by_role("img").press("Escape")
        bare.evaluate(SETTLE)
        assert get(bare, "zoom") is None
        assert get(bare, "time") == 3


def test_keys_zoom_around_the_cursor(bare: Page, calm: sl.Result) -> None:
    show(bare, calm, time=6)
    plot = chart(bare, "prices").get_by_role("img")
    plot.press("+")
    assert get(bare, "zoom") == [3, 15]
    bare.evaluate(SETTLE)
    plot.press("-")
    assert get(bare, "zoom") is None


def test_a_zoom_beyond_the_end_of_another_run_is_none(bare: Page, calm: sl.Result) -> None:
    show(bare, calm, zoom=[15, 20])
    load(bare, "film", film=make_film(run(6)))
    bare.evaluate("store.set({ film })")
    bare.evaluate(SETTLE)

    assert bare.evaluate("panels.prices.scene.window") == [0, 6]


def test_what_is_to_come_is_pale(bare: Page, calm: sl.Result) -> None:
    show(bare, calm)
    put(bare, time=12.6)
    past, future = (place(bare, "prices", "final", row) for row in (10, 15))
    assert pixel(bare, "prices", past) == (0, 114, 178)
    assert pixel(bare, "prices", future) not in ((0, 114, 178), (255, 255, 255))
    # An epoch's latency is known when its block is final, and not when the epoch begins.
    at = place(bare, "latency", "latency", 12)
    assert pixel(bare, "latency", at) != (0, 114, 178)
    put(bare, time=float(calm.epochs["finalized_s"][12]) + 0.1)
    assert pixel(bare, "latency", at) == (0, 114, 178)
    put(bare, time=0)
    assert pixel(bare, "prices", future) == (0, 114, 178)


# --- other runs ---


def test_the_pinned_run_is_drawn_below_in_its_own_colour(bare: Page, calm: sl.Result) -> None:
    load(bare, "film", film=make_film(run(24, seed=9)))
    bare.evaluate("window.other = film")
    show(bare, calm)
    bare.evaluate("store.set({ pinned: other })")
    bare.evaluate(SETTLE)

    for name in CHARTS:
        series = bare.evaluate(f"panels.{name}.scene.all.flatMap(({{ pane }}) => pane.series)")
        names = [each["name"] for each in series]
        pins = [each for each in series if each["name"] == "pinned"]
        assert pins
        assert all(each["colour"] == "pinned" for each in pins)
        expect(chart(bare, name).get_by_role("button", name="pinned (A)")).to_be_visible()
        assert "The pinned run is drawn below it." in says(bare, name)
        assert names.index("pinned") == 0
    chart(bare, "latency").get_by_role("button", name="pinned (A)").click()
    bare.evaluate(SETTLE)
    names = bare.evaluate("panels.latency.scene.all[0].pane.series.map(({ name }) => name)")
    assert "pinned" not in names


def test_many_runs_are_a_band_that_may_have_no_upper_edge(bare: Page, calm: sl.Result) -> None:
    show(bare, calm)
    starts = [*range(24)]
    latency = {"low": [1.0] * 24, "high": [3.0] * 23 + [None]}
    error = {"low": [None] + [-40.0] * 23, "high": [None] + [60.0] * 23}
    epochs = {"start_s": starts, "latency_s": latency, "error_bp": error}
    put(bare, many={"runs": 200, "epochs": epochs})

    for name in ("latency", "vwap"):
        expect(chart(bare, name).get_by_role("button", name="200 runs")).to_be_visible()
    high, low = bare.evaluate(
        "[panels.latency.scene.all[0].y.high, panels.vwap.scene.all[1].y.low]"
    )
    assert high > 3
    assert low < -40
    # Within the band, above it, and above one without an upper edge.
    places = [bare.evaluate(AT, ["latency", *each]) for each in ((4.5, 2), (4.5, 3.1), (23.5, 3.1))]
    white = [pixel(bare, "latency", each) == (255, 255, 255) for each in places]
    assert white == [False, True, False]
    for epoch, told in ((4, "1.000 to 3.000"), (23, "1.000 to never")):
        bare.evaluate(f"panels.latency.pointing.hoverAt({epoch})")
        assert f"200 runs, latency (s): {told}" in tip(bare, "latency")
    bare.evaluate("panels.vwap.pointing.hoverAt(0)")
    assert not any("200 runs" in line for line in tip(bare, "vwap"))
    put(bare, many={"state": "running"})
    expect(chart(bare, "vwap").get_by_role("button", name="200 runs")).to_have_count(0)


def test_closing_leaves_nothing_behind(bare: Page, calm: sl.Result) -> None:
    show(bare, calm)
    left = bare.evaluate("""async () => {
        const drawn = [];
        for (const panel of Object.values(panels)) {
            panel.destroy();
            panel.draw = panel.arrange = () => drawn.push(panel);
        }
        store.set({ time: 4, zoom: [1, 2], theme: "dark" });
        for (let count = 0; count < 3; count += 1) await new Promise(requestAnimationFrame);
        return [document.querySelector("main").children.length, drawn.length];
    }""")
    assert left == [0, 0]


def test_a_picture_is_saved(bare: Page, calm: sl.Result) -> None:
    show(bare, calm)
    saved = bare.evaluate("panels.prices.toPNG().then((blob) => [blob.type, blob.size > 5000])")
    assert saved == ["image/png", True]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_serious_for_who_cannot_see_or_point(
    bare: Page, parted: sl.Result, theme: str
) -> None:
    show(bare, parted, theme=theme, time=7.0, zoom=[2, 12])
    found = Axe().run(bare).response["violations"]

    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
