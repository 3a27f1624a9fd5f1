"""The rejection chart: every order stopped and every trade by what was right, and the band."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.figure import Figure

from streamlet_lab.charts import draw_rejections
from streamlet_lab.charts.rejections import _BARS, refusal_counts
from streamlet_lab.charts.series import band_steps, true_path
from streamlet_lab.metrics import VERDICTS

from .drawing import answer, drawn, explained, find, points, rows
from .runs import in_states, run


@pytest.mark.parametrize("case", ["crash in the middle", "volatile", "market maker"])
def test_there_is_one_mark_for_each_rejection_and_trade_by_what_was_right(case):
    result = run(case)
    axes, trades = drawn(draw_rejections, result), result.trades
    stopped = result.rejections[~result.rejections["verdict"].isin(["", "market"])]
    low, high = axes.get_ylim()
    fair = trades["fair"]
    groups = {
        "fair trade": trades[fair],
        "unfair trade": trades[~fair],
        **{
            VERDICTS[verdict]: own.assign(price=own["own_price"])
            for verdict, own in stopped.groupby("verdict")
        },
    }
    assert len(groups) >= 4
    off_scale = 0
    for what, own in groups.items():
        seen = own[own["price"].between(low, high)]
        off_scale += len(own) - len(seen)
        shown = points(axes, f"{what} ({len(own):,})")
        np.testing.assert_array_equal(shown, rows(seen, "time_s", "price"))
    beyond = points(axes, f"off the scale ({off_scale})") if off_scale else np.empty((0, 2))
    assert set(beyond[:, 1]) <= {low, high}
    assert np.isfinite(beyond[:, 0]).sum() == off_scale


def test_scale_is_that_of_path_and_band_not_of_far_orders():
    result = run("market maker")
    low, high = drawn(draw_rejections, result).get_ylim()
    path, bands = true_path(result, "AAPL"), result.bands
    assert low < min(path.min(), bands["low"].min()) < low + 0.1 * (high - low)
    assert high > max(path.max(), bands["high"].max()) > high - 0.1 * (high - low)
    prices = result.rejections["price"]
    assert prices.max() > high
    assert prices.min() < low


def test_path_and_reference_are_lines():
    result = run("crash in the middle")
    axes, path = drawn(draw_rejections, result), true_path(result, "AAPL")
    shown = points(axes, "true price")
    assert shown.tolist() == np.column_stack([path.index, path]).tolist()
    assert {*result.book["time_s"]} < {*shown[:, 0]}
    reference = find(axes, "reference")
    assert reference.get_drawstyle() == "steps-post"
    expected = rows(band_steps(result, "AAPL"), "time_s", "reference_price")
    np.testing.assert_array_equal(reference.get_xydata(), expected)


def test_band_is_filled_between_the_edges_of_the_frame():
    result = in_states()
    axes = drawn(draw_rejections, result)
    pieces = find(axes, "band (consensus, ±5 %)").get_paths()
    low, high = axes.get_ylim()
    for now, after in pairwise(band_steps(result, "AAPL").itertuples(index=False)):
        middle = (now.time_s + after.time_s) / 2
        is_limited = not (np.isnan(now.low) and np.isnan(now.high))
        bottom = low if np.isnan(now.low) else now.low
        top = high if np.isnan(now.high) else now.high
        for price in (bottom + 0.01, top - 0.01):
            inside = any(piece.contains_point((middle, price)) for piece in pieces)
            assert inside == is_limited
        for price in (now.low - 0.01, now.high + 0.01):
            assert not any(piece.contains_point((middle, price)) for piece in pieces)


def test_states_of_the_market_are_shaded_and_named():
    axes = drawn(draw_rejections, in_states())
    states = ["call auction (2)", "halt (1)", "limit state (1)", "pause, stale reference (1)"]
    assert [label for label in explained(axes) if label in states] == states
    times = in_states().bands["time_s"]
    box = find(axes, "pause").get_extents().transformed(axes.transData.inverted())
    assert (box.x0, box.x1) == pytest.approx((times[12], times[14]))


def test_market_orders_stand_apart_at_the_bottom():
    result = run("nothing final")
    axes = drawn(draw_rejections, result)
    unpriced = result.rejections[result.rejections["verdict"] == "market"]
    marks = points(axes, f"market order stopped ({len(unpriced)})")
    assert len(unpriced) > 5
    assert marks[:, 0].tolist() == unpriced["time_s"].tolist()
    assert set(marks[:, 1]) == {0.025}


def test_answer_is_what_market_quality_says():
    result = run("volatile")
    quality = result.market_quality.iloc[0]
    stopped, fair, unfair = quality[["fair_orders_stopped", "fair_orders", "unfair_trades"]]
    assert min(stopped, unfair) > 0
    assert answer(drawn(draw_rejections, result)) == (
        f"fair orders stopped: {stopped:.0f} of {fair:.0f} ({stopped / fair:.1%}); "
        f"{quality['orders_stopped'] - stopped:.0f} others stopped; "
        f"{unfair:.0f} of {quality['trades']:.0f} trades at an unfair price"
    )
    assert answer(drawn(draw_rejections, run("no orders"))) == "no orders were sent"


def test_bars_count_the_reasons_by_verdict():
    result = run("default")
    orders, counts = Figure().subplots(1, 2)
    draw_rejections((orders, counts), result)
    widths = [bar.get_width() for bar in counts.patches]
    expected = refusal_counts(result, "AAPL")
    assert widths == [number for verdict in expected for number in expected[verdict]]
    begins = [bar.get_x() for bar in counts.patches]
    before = expected.cumsum(axis="columns") - expected
    assert begins == [number for verdict in before for number in before[verdict]]
    names = [label.get_text() for label in counts.get_yticklabels()]
    assert names[0] == "{}:\n{}".format(*expected.index[0]).replace("_", " ")
    seen = [what for what in _BARS if expected[what].any()]
    assert {"false", "turned_unfair"} <= {*seen}
    assert explained(counts) == [f"{_BARS[what]} ({expected[what].sum()})" for what in seen]
    assert not [label for label in explained(orders) if "stopped" in label]


def test_refusal_counts_add_up_in_an_order_that_no_run_changes():
    for result in (run("default"), run("market maker")):
        counts = refusal_counts(result, "AAPL")
        assert list(counts) == [*VERDICTS]
        for verdict in counts:
            assert counts[verdict].sum() == (result.rejections["verdict"] == verdict).sum()
        assert [*counts.index] == sorted(counts.index)
        assert {where for where, _ in counts.index} <= {"at_entry", "at_trade", "swept"}
