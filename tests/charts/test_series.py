"""What the charts show, held against the frames."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from streamlet_lab import Fault
from streamlet_lab.charts.series import (
    agreed_prices,
    band_steps,
    epoch_prices,
    fault_changes,
    price_limits,
    true_path,
)
from streamlet_lab.config import make_config

from .runs import run

TRADED = ["default", "crash in the middle", "one lying leader", "reference of a node", "history"]


def test_prices_of_the_first_symbol_are_those_of_the_epochs_frame():
    result = run("two symbols")
    prices = epoch_prices(result, "AAPL")
    shared = [name for name in result.epochs if name in prices]
    assert {"start_s", "notarized_s", "finalized_s", "true_price", "vwap"} <= {*shared}
    pd.testing.assert_frame_equal(prices[shared], result.epochs[shared])


@pytest.mark.parametrize(
    ("case", "symbol"),
    [*((case, "AAPL") for case in TRADED), ("two symbols", "AAPL"), ("two symbols", "MSFT")],
)
def test_band_steps_are_what_the_market_held_every_order_against(case, symbol):
    result = run(case)
    orders = result.orders[result.orders["symbol"] == symbol]
    held = pd.merge_asof(orders, band_steps(result, symbol), on="time_s")
    assert held["reference_price_y"].notna().any()
    np.testing.assert_array_equal(held["reference_price_y"], held["reference_price_x"])


def test_band_steps_begin_without_a_reference_and_hold_until_the_end():
    steps = band_steps(run("default"), "AAPL")
    assert steps["time_s"].iloc[[0, -1]].tolist() == [0, 60]
    assert steps[["reference_price", "low", "high"]].iloc[0].isna().all()
    assert steps["state"].iloc[0] == "open"
    assert steps.iloc[-1, 1:].tolist() == steps.iloc[-2, 1:].tolist()
    assert steps.iloc[-1, 2:].notna().all()


def test_of_several_moves_of_a_band_in_an_instant_the_last_counts():
    result = run("default")
    twice = result.bands.iloc[[3]].assign(state="auction", low=1.0)
    bands = pd.concat([result.bands.iloc[:4], twice, result.bands.iloc[4:]])
    steps = band_steps(replace(result, frames={**result.frames, "bands": bands}), "AAPL")
    assert steps["time_s"].is_unique
    assert steps.loc[4, ["state", "low"]].tolist() == ["auction", 1.0]
    assert steps["low"].iloc[5] == band_steps(result, "AAPL")["low"].iloc[5] != 1.0


def test_the_true_path_is_in_order_and_has_every_known_instant_once():
    result = run("default")
    path = true_path(result, "AAPL")
    assert path.index.is_monotonic_increasing
    assert path.index.is_unique
    frames = (result.orders, result.trades, result.rejections, result.book)
    assert {*path.index} == {time for frame in frames for time in frame["time_s"]}
    for frame in frames:
        assert path[frame["time_s"]].tolist() == frame["true_price"].tolist()


@pytest.mark.parametrize(
    ("path", "other", "limits"),
    [
        # What is near, with some room; what is far does not flatten the rest.
        ([100.0, 110.0], [95.0, 120.0, float("nan")], (95 - 0.06 * 25, 120 + 0.06 * 25)),
        ([100.0, 110.0], [1.0, 9999.0], (80 - 0.06 * 52, 132 + 0.06 * 52)),
        ([50.0], [float("nan")], (49.99, 50.01)),
    ],
)
def test_price_limits_hold_the_path_and_what_is_near(path, other, limits):
    assert price_limits(pd.Series(path), pd.Series(other)) == pytest.approx(limits)


def test_agreed_prices_are_those_of_notarized_blocks():
    result = run("one lying leader")
    prices = agreed_prices(result, "AAPL")
    lies = result.epochs["consensus_price"] == 9999
    assert lies.sum() == 15
    assert prices["vwap"][lies].isna().all()
    priced = result.epochs.query("claim == 'price_consensus'")
    assert prices["vwap"].count() == priced["notarized_s"].notna().sum()


def test_differences_of_agreed_prices_are_in_basis_points_of_the_vwap():
    prices = agreed_prices(run("default"), "AAPL")
    exact = (prices["consensus_price"] / prices["vwap"] - 1) * 10_000
    np.testing.assert_allclose(prices["difference_bp"], exact, atol=1e-9)
    np.testing.assert_allclose(prices["one_cent_bp"], 0.01 / prices["vwap"] * 10_000)
    assert (prices["difference_bp"] > 0).any()
    assert (prices["difference_bp"] < 0).any()


def test_deviation_of_the_agreed_price_is_in_basis_points_of_the_true_one():
    result = run("biased source")
    prices = agreed_prices(result, "AAPL")
    back = result.epochs["true_price"] * (1 + prices["deviation_bp"] / 10_000)
    np.testing.assert_allclose(back, prices["consensus_price"], rtol=1e-12)
    # One of five says 100 basis points too much, and the mean follows by a fifth of that.
    assert prices["deviation_bp"].iloc[10:30].median() == pytest.approx(20, abs=2)


def test_fault_changes_are_those_within_the_run_of_nodes_or_of_sources():
    faults = [
        Fault("silent_leader", count=1, start=30, stop=90),
        Fault("crash", nodes=("node_0",), start=12),
        Fault("withhold_votes", count=0, start=5),
        Fault("biased", nodes=("external_feed",), start=10, stop=40),
    ]
    config = make_config(epochs=60, faults=faults)
    assert fault_changes(config, config.node_faults) == [12, 30]
    assert fault_changes(config, config.source_faults) == [10, 40]
    assert fault_changes(config, config.faults) == [10, 12, 30, 40]
