"""The price charts: every price by what became of it, marks for what is missing, the band."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from streamlet_lab import Experiment
from streamlet_lab.charts import draw_prices, draw_vwap
from streamlet_lab.charts.band import band_name
from streamlet_lab.charts.final_prices import within_band
from streamlet_lab.config import MarketConfig

from .drawing import drawn, explained, find, points, rows
from .runs import run


def test_shows_the_path_and_every_price_by_what_became_of_it():
    result = run("crash in the middle")
    epochs, axes = result.epochs, drawn(draw_prices, result)
    priced = epochs["claim"] == "price_consensus"
    final = priced & epochs["finalized_s"].notna()
    proposed = priced & ~final
    for label, part, *columns in (
        ("true price", epochs, "start_s", "true_price"),
        (f"final price ({final.sum()})", epochs[final], "finalized_s", "consensus_price"),
        (f"not final ({proposed.sum()})", epochs[proposed], "start_s", "consensus_price"),
    ):
        assert len(part)
        np.testing.assert_array_equal(points(axes, label), rows(part, *columns))
    ways = np.array(find(axes, "from quoted to final").get_segments())
    expected = rows(epochs[final], "start_s", "finalized_s")
    np.testing.assert_array_equal(ways[:, :, 0], expected)
    missing = points(axes, f"no price ({(~priced).sum()})")
    assert len(missing)
    assert missing[:, 0].tolist() == epochs["start_s"][~priced].tolist()


def test_a_small_lie_is_seen_in_basis_points():
    result = Experiment(epochs=8, seed=1, faults={"node_3": "price_manipulator"}).run()
    prices, differences = Figure().subplots(2, 1)
    draw_prices((prices, differences), result)
    off = points(differences, "final − true price when quoted")
    assert off[off[:, 1] > 40, 0].tolist() == [3]
    assert np.abs(off[:3, 1]).max() < 3


def test_shows_every_quote():
    result = run("default")
    axes = drawn(draw_prices, result)
    np.testing.assert_array_equal(points(axes, "quotes"), rows(result.quotes, "epoch", "price"))


@pytest.mark.parametrize("case", ["crash in the middle", "keep resting"])
def test_band_is_that_of_the_frame(case):
    result = run(case)
    axes = drawn(draw_prices, result)
    low, high = (line for line in axes.get_lines() if line.get_drawstyle() == "steps-post")
    for line, side in ((low, "low"), (high, "high")):
        times = [0, *result.bands["time_s"], result.config.epochs]
        edges = [np.nan, *result.bands[side], result.bands[side].iloc[-1]]
        np.testing.assert_array_equal(line.get_xydata(), np.column_stack([times, edges]))
    assert band_name(result.config.market) in explained(axes)


@pytest.mark.parametrize(
    ("market", "name"),
    [
        ({"band": "keep_resting"}, "band (keep resting, ±5 %)"),
        ({"band": "luld", "band_percent": 2.5}, "band (US LULD, ±2.5 %)"),
        ({"band": "volatility_auction"}, "band (volatility auction, static range ±5 %)"),
        (
            {"band_parameters": {"stale": "widen", "stale_after": "13h"}},
            "band (consensus, ±5 %, wider with age)",
        ),
        ({"band_parameters": {"stale": "halt", "stale_after": "13h"}}, "band (consensus, ±5 %)"),
        ({"reference": "twap"}, "band (TWAP, ±5 %)"),
        ({"reference": "twap", "band": "luld"}, "band (US LULD, ±5 %)"),
    ],
)
def test_width_of_a_band_is_said_as_it_is_meant(market, name):
    assert band_name(MarketConfig(**market)) == name


def test_a_refused_lie_is_marked_at_the_edge_and_does_not_flatten_the_rest():
    result = run("one lying leader")
    axes = drawn(draw_prices, result)
    high = axes.get_ylim()[1]
    assert high < 1.2 * result.epochs["true_price"].max()
    lies = points(axes, "off the scale (15)")
    assert lies[~np.isnan(lies[:, 0]), 0].tolist() == list(range(3, 60, 4))
    assert (lies[:, 1] == high).all()
    assert len(points(axes, "not final (16)")) == 1


def test_lies_in_one_epoch_after_the_other_are_one_stretch():
    result = run("colluding source")
    axes = drawn(draw_prices, result)
    wild = result.quotes[result.quotes["price"] > axes.get_ylim()[1]]
    epochs = wild["epoch"].to_numpy()
    assert len(epochs) > 3
    ends = [[run[0], run[-1]] for run in np.split(epochs, np.flatnonzero(np.diff(epochs) > 1) + 1)]
    marks = points(axes, f"off the scale ({len(wild)})")[:, 0]
    stretches = np.split(marks, np.flatnonzero(np.isnan(marks)) + 1)[:-1]
    assert [[part[0], part[-2]] for part in stretches] == ends
    assert len(marks) < len(epochs)


@pytest.mark.parametrize(("case", "epoch"), [("crash in the middle", 20), ("biased source", 10)])
def test_says_where_a_fault_of_a_node_or_a_source_begins(case, epoch):
    axes = drawn(draw_prices, run(case))
    assert list(find(axes, "a fault begins or ends").get_xdata()) == [epoch, epoch]


def test_time_is_in_seconds_where_an_epoch_is_not_one():
    axes = drawn(draw_prices, run("short epochs"))
    assert points(axes, "true price")[-1, 0] == pytest.approx(19 * 0.2)
    assert points(axes, "quotes")[-1, 0] == pytest.approx(19 * 0.2)
    assert "an epoch is 200 ms, 1 min of the market" in axes.get_xlabel()


@pytest.mark.parametrize("case", ["too many crashed", "history", "nothing final", "keep resting"])
def test_within_band_compares_each_epoch_with_the_band_in_force(case):
    result = run(case)
    moves = list(result.bands.itertuples(index=False))
    expected = []
    for row in result.epochs.itertuples():
        held = [move for move in moves if move.time_s <= row.start_s]
        expected.append(bool(held) and held[-1].low <= row.true_price <= held[-1].high)
    assert within_band(result, "AAPL").tolist() == expected
    assert any(expected) or case == "nothing final"


def test_nothing_is_outside_on_a_side_without_an_edge():
    result = run("crash in the middle")
    inside = within_band(result, "AAPL")
    known = result.epochs["start_s"] >= result.bands["time_s"].min()
    assert not inside[known].all()
    for sides in (["low"], ["high"], ["low", "high"]):
        bands = result.bands.assign(**dict.fromkeys(sides, float("nan")))
        freer = within_band(replace(result, frames={**result.frames, "bands": bands}), "AAPL")
        assert freer.sum() > inside.sum()
        assert not freer[~known].any()
        if len(sides) == 2:
            assert freer[known].all()


def test_vwap_and_consensus_and_the_difference_of_every_agreed_price():
    result = run("default")
    averages, difference = Figure().subplots(2, 1)
    draw_vwap((averages, difference), result)
    for label, column in (("VWAP", "vwap"), ("consensus", "consensus_price")):
        expected = rows(result.epochs, "start_s", column)
        np.testing.assert_array_equal(points(averages, label), expected)
    assert explained(difference)[:2] == ["VWAP", "consensus (simple average)"]
    expected = (result.epochs["consensus_price"] / result.epochs["vwap"] - 1) * 10_000
    for axes in (difference, drawn(draw_vwap, result)):
        np.testing.assert_allclose(points(axes, "consensus − VWAP")[:, 1], expected, atol=1e-9)
