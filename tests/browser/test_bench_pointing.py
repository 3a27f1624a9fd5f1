"""The charts are read, switched and zoomed into by pointer and keys, on one cursor."""

import re

import pytest
from playwright.sync_api import Page, expect

import streamlet_lab as sl
from streamlet_lab.widgets.film import make_film

from .bare import load
from .charts import (
    CHARTS,
    chart,
    pixel,
    place,
    says,
    show,
    stopped,
    tip,
)
from .replay import SETTLE, get, put, run

pytestmark = pytest.mark.browser


# --- reading ---


def test_the_pointer_reads_values(bare: Page, longer: sl.Result) -> None:
    show(bare, longer)
    row = longer.epochs.iloc[7]
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


def test_arrows_read_values_aloud(bare: Page, longer: sl.Result) -> None:
    show(bare, longer)
    plot = chart(bare, "latency").get_by_role("img")
    bare.keyboard.press("Tab")
    spoken = chart(bare, "latency").locator(".sl-spoken")
    while not plot.evaluate("(plot) => plot === document.activeElement"):
        bare.keyboard.press("Tab")
    expect(spoken).to_contain_text("+ − zoom")
    plot.press("Home")
    for epoch in (1, 2):
        plot.press("ArrowRight")
        latency = longer.epochs["latency_s"][epoch]
        expect(spoken).to_contain_text(f"{epoch}.000 s, epoch {epoch}; block of epoch {epoch}")
        expect(spoken).to_contain_text(f"final after {latency:.3f} s")
    plot.press("ArrowLeft")
    expect(spoken).to_contain_text("1.000 s, epoch 1;")
    plot.press("Enter")
    assert get(bare, "selection") == {"kind": "block", "id": 2}
    bare.keyboard.press("Tab")
    expect(chart(bare, "latency").locator(".sl-tip")).to_be_hidden()


def test_every_stopped_order_can_be_reached_and_selected(bare: Page, longer: sl.Result) -> None:
    show(bare, longer)
    epoch = stopped(longer)["epoch"].value_counts().idxmax()
    rows = stopped(longer)[stopped(longer)["epoch"] == epoch]
    orders = [longer.orders["order_id"].to_list().index(each) for each in rows["order_id"]]
    plot = chart(bare, "rejections").get_by_role("img")
    chosen = []
    bare.evaluate("(t) => panels.rejections.pointing.hoverAt(t)", epoch + 0.5)
    for _ in orders:
        plot.press("Enter")
        chosen.append(get(bare, "selection"))
        plot.press("ArrowUp")

    assert chosen == [{"kind": "order", "id": each} for each in orders]
    first = longer.orders.iloc[orders[0]]["order_id"]
    assert any(str(first) in line for line in tip(bare, "rejections"))


def test_a_click_selects_a_block_or_an_order_or_moves_the_cursor(
    bare: Page, longer: sl.Result
) -> None:
    show(bare, longer)
    bare.mouse.click(**place(bare, "prices", "final", 5))
    assert get(bare, "selection") == {"kind": "block", "id": 6}
    put(bare, series={"prices.orders": True}, zoom=[2, 4])
    sent = longer.orders[(longer.orders["time_s"] > 2) & (longer.orders["status"] != "rejected")]
    rows = longer.orders[longer.orders["status"] != "rejected"].index.to_list()
    bare.mouse.click(**place(bare, "prices", "orders", rows.index(sent.index[0])))
    assert get(bare, "selection") == {"kind": "order", "id": sent.index[0]}
    assert get(bare, "time") == 0

    put(bare, zoom=None)
    box = chart(bare, "vwap").locator("canvas").bounding_box()
    assert box is not None
    bare.mouse.click(box["x"] + box["width"] / 2, box["y"] + 60)
    assert 10 < get(bare, "time") < 14


# --- switches, zoom, cursor ---


def test_legend_switches_a_series_and_its_scale(bare: Page, longer: sl.Result) -> None:
    show(bare, longer)
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
    bare: Page, longer: sl.Result
) -> None:
    show(bare, longer, time=3)
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


def test_keys_zoom_around_the_cursor(bare: Page, longer: sl.Result) -> None:
    show(bare, longer, time=6)
    plot = chart(bare, "prices").get_by_role("img")
    plot.press("+")
    assert get(bare, "zoom") == [3, 15]
    bare.evaluate(SETTLE)
    plot.press("-")
    assert get(bare, "zoom") is None


def test_a_zoom_beyond_the_end_of_another_run_is_none(bare: Page, longer: sl.Result) -> None:
    show(bare, longer, zoom=[15, 20])
    load(bare, "film", film=make_film(run(6)))
    bare.evaluate("store.set({ film })")
    bare.evaluate(SETTLE)

    assert bare.evaluate("panels.prices.scene.window") == [0, 6]


def test_what_is_to_come_is_pale(bare: Page, longer: sl.Result) -> None:
    show(bare, longer)
    put(bare, time=12.6)
    past, future = (place(bare, "prices", "final", row) for row in (10, 15))
    assert pixel(bare, "prices", past) == (0, 114, 178)
    assert pixel(bare, "prices", future) not in ((0, 114, 178), (255, 255, 255))
    # An epoch's latency is known when its block is final, and not when the epoch begins.
    at = place(bare, "latency", "latency", 12)
    assert pixel(bare, "latency", at) != (0, 114, 178)
    put(bare, time=float(longer.epochs["finalized_s"][12]) + 0.1)
    assert pixel(bare, "latency", at) == (0, 114, 178)
    put(bare, time=0)
    assert pixel(bare, "prices", future) == (0, 114, 178)
