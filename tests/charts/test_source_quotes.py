"""The chart of the sources: every quote, what did not count and why, and who it was."""

import numpy as np
import pytest

from streamlet_lab import Experiment, Fault
from streamlet_lab.charts import draw_sources, style
from streamlet_lab.charts.series import agreed_prices
from streamlet_lab.prices import QuoteReason

from .drawing import answer, drawn, find, labels, points, rows
from .runs import run


def quote_deviations(result):
    """By how much quotes are above the true price, in basis points of it."""
    quotes = result.quotes
    bp = (quotes["price"] / quotes["true_price"] - 1) * 10_000
    return quotes.assign(time_s=quotes["epoch"], deviation_bp=bp)


def test_every_source_has_its_quotes_and_is_named_with_its_fault_beside_the_agreed_price():
    result = run("biased source")
    axes, quotes = drawn(draw_sources, result), quote_deviations(result)
    sources = [f"market_data_{number}" for number in range(1, 5)]
    assert labels(axes)[:5] == [*sources, "external_feed (biased)"]
    for name in (*sources, "external_feed"):
        own = quotes[quotes["source"] == name]
        assert len(own) == 40
        np.testing.assert_array_equal(points(axes, name), rows(own, "time_s", "deviation_bp"))
    expected = rows(agreed_prices(result, "AAPL"), "time_s", "deviation_bp")
    np.testing.assert_array_equal(points(axes, "agreed price"), expected)
    assert np.isfinite(expected).any()
    begins = find(axes, "a fault begins or ends").get_linestyle()
    lines = [line for line in axes.get_lines() if line.get_linestyle() == begins]
    assert [line.get_xdata()[0] for line in lines if line.get_xdata()[0]] == [10, 30]
    assert "a fault begins or ends" not in labels(drawn(draw_sources, run("crash in the middle")))


def test_of_many_sources_the_furthest_are_named_and_what_did_not_count_is_marked_by_reason():
    result = run("liars among many sources")
    axes, quotes = drawn(draw_sources, result), quote_deviations(result)
    refused = quotes[~quotes["valid"]]
    assert set(refused["reason"]) == {"outside_deviation", "below_min_volume"}
    for reason, group in refused.groupby("reason"):
        label = f"does not count: {reason.replace('_', ' ')} ({len(group)})"
        np.testing.assert_array_equal(points(axes, label), rows(group, "time_s", "deviation_bp"))
    furthest = quotes["deviation_bp"].abs().groupby(quotes["source"]).max().sort_values()
    others = quotes[quotes["source"].isin(furthest.index[:3])]
    shown = points(axes, "3 other sources")
    np.testing.assert_array_equal(shown, rows(others, "time_s", "deviation_bp"))
    names = labels(axes)
    assert sum(name.endswith("(spiking)") for name in names) == 3
    assert not any(
        name.startswith(tuple(f"{each} " for each in furthest.index[:3])) for name in names
    )


def test_a_source_that_is_not_the_last_is_named_with_its_fault_too():
    both = {"external_feed": "biased", "market_data_1": "volume_inflating"}
    result = Experiment(epochs=4, faults=both, signatures="none").run()
    assert labels(drawn(draw_sources, result))[0] == "market_data_1 (volume inflating)"


def test_every_reason_has_a_mark_of_its_own():
    reasons = {str(reason) for reason in QuoteReason} - {"valid"} | {"left_out", "no_leader"}
    assert set(style.NOT_COUNTED) == reasons
    markers = [look["marker"] for look in style.NOT_COUNTED.values()]
    assert len(set(markers)) == len(markers)


def test_the_scale_is_linear_so_that_a_calm_line_looks_calm():
    for case in ("default", "biased source"):
        assert drawn(draw_sources, run(case)).get_yscale() == "linear"


@pytest.mark.parametrize("bp", [30, 900, 20_000])
def test_the_scale_leaves_a_margin_around_every_mark(bp):
    settings = {
        "prices": {"max_deviation_percent": 500, "max_price": 5_000},
        "market": {"traders": 0},
    }
    faults = [Fault("biased", count=1, start=2, parameters={"bp": bp})]
    result = Experiment(epochs=4, faults=faults, signatures="none", **settings).run()
    axes = drawn(draw_sources, result)
    bottom, top = axes.bbox.intervaly
    names = (*result.config.prices.source_names, "agreed price")
    heights = [axes.transData.transform(points(axes, name))[:, 1] for name in names]
    spread = np.concatenate(heights)
    margin = (top - bottom) * 0.04
    assert bottom + margin < spread.min() < bottom + 3 * margin
    assert top - 3 * margin < spread.max() < top - margin


def test_answer_says_how_far_apart_they_are_and_who_is_out_of_line():
    result = run("biased source")
    quotes = quote_deviations(result)
    typical = quotes["deviation_bp"].abs().median()
    refused = (~quotes["valid"]).sum()
    text = answer(drawn(draw_sources, result))
    assert text.startswith(f"half of the quotes are within {typical:.1f} bp of the true price; ")
    assert "external_feed is furthest, 10" in text
    assert text.endswith(f"{refused} of 200 do not count")
