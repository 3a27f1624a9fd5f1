"""Four charts of a film say what its frames say, and show other runs beside it."""

import pytest
from playwright.sync_api import Page, expect

import streamlet_lab as sl
from streamlet_lab.widgets.film import make_film

from .bare import load
from .charts import AT, CHARTS, WATCH_TEXTS, chart, pixel, place, says, show, stopped, tip
from .replay import SETTLE, put, run

pytestmark = pytest.mark.browser


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


def test_a_claim_that_nobody_voted_for_is_no_consensus(bare: Page) -> None:
    show(bare, run(12, faults="node_1=lying_leader"))

    assert bare.evaluate("panels.vwap.scene.all[1].y.high") < 100  # basis points
    assert "Consensus minus VWAP of 9 epochs" in says(bare, "vwap")


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
    bare: Page, longer: sl.Result, width: int, zoom: list[float] | None
) -> None:
    bare.evaluate(WATCH_TEXTS)
    for name in CHARTS:
        bare.evaluate("document.querySelector('main').replaceChildren()")
        show(bare, longer, (name,), width)
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


def test_ticks_are_round_numbers(bare: Page) -> None:
    load(bare, "scale")
    ask = """(all) => all.map(([low, high, most]) => {
        const { step, ticks } = bench.ticksOf(low, high, most);
        return ticks.map((each) => bench.tickText(each, step));
    })"""
    assert bare.evaluate(ask, [[0, 10, 5], [0.13, 0.31, 4], [-1500, 1500, 3]]) == [
        ["0", "2", "4", "6", "8", "10"],
        ["0.15", "0.20", "0.25", "0.30"],
        ["−1,000", "0", "1,000"],
    ]


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


def test_the_picture_is_as_fine_as_the_screen(bare: Page, longer: sl.Result) -> None:
    show(bare, longer, ("prices",))
    sizes = bare.evaluate("""() => {
        Object.defineProperty(window, "devicePixelRatio", { value: 2 });
        panels.prices.arrange();
        const { plot } = panels.prices;
        return [plot.width / plot.clientWidth, plot.height / plot.clientHeight];
    }""")
    assert sizes == [2, 2]


# --- other runs ---


def test_the_pinned_run_is_drawn_below_in_its_own_colour(bare: Page, longer: sl.Result) -> None:
    load(bare, "film", film=make_film(run(24, seed=9)))
    bare.evaluate("window.other = film")
    show(bare, longer)
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


def test_many_runs_are_a_band_that_may_have_no_upper_edge(bare: Page, longer: sl.Result) -> None:
    show(bare, longer)
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


def test_closing_leaves_nothing_behind(bare: Page, longer: sl.Result) -> None:
    show(bare, longer)
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
