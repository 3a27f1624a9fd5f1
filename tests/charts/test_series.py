"""What the charts show, held against the frames and against the closed forms."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from streamlet_lab import Experiment, Fault, InvalidInput
from streamlet_lab.charts.series import (
    Regime,
    agreed_prices,
    band_steps,
    chosen_symbol,
    closed_form,
    epoch_prices,
    fault_changes,
    price_limits,
    quote_deviations,
    refusal_counts,
    source_fault_changes,
    true_path,
    within_band,
)
from streamlet_lab.config import make_config
from streamlet_lab.metrics import VERDICTS
from streamlet_lab.theory import round_robin_finality_lag

from .runs import run

TRADED = ["default", "crash in the middle", "one lying leader", "reference of a node", "history"]


SYMBOLS = ("AAPL", "MSFT")


class TestSymbols:
    def test_the_first_is_shown_unless_another_is_named(self):
        result = run("two symbols")
        assert [chosen_symbol(result, name) for name in (None, *SYMBOLS)] == ["AAPL", *SYMBOLS]

    def test_one_that_the_run_does_not_have_is_refused(self):
        with pytest.raises(InvalidInput, match="one of AAPL, MSFT") as caught:
            epoch_prices(run("two symbols"), "IBM")
        assert (caught.value.field, caught.value.value) == ("symbol", "IBM")

    def test_prices_of_the_first_are_those_of_the_epochs_frame(self):
        result = run("two symbols")
        prices = epoch_prices(result)
        shared = [name for name in result.epochs if name in prices]
        assert {"start_s", "notarized_s", "finalized_s", "true_price", "vwap"} <= {*shared}
        pd.testing.assert_frame_equal(prices[shared], result.epochs[shared])

    @pytest.mark.parametrize("symbol", SYMBOLS)
    def test_bands_are_what_the_market_held_its_orders_against(self, symbol):
        result = run("two symbols")
        orders = result.orders[result.orders["symbol"] == symbol]
        held = pd.merge_asof(orders, band_steps(result, symbol), on="time_s")
        assert held["reference_price_y"].notna().sum() > 20
        np.testing.assert_array_equal(held["reference_price_y"], held["reference_price_x"])


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_quote_deviations_are_in_basis_points_of_the_true_price(symbol):
    result = run("two symbols")
    quotes = result.quotes[result.quotes["symbol"] == symbol]
    deviations = quote_deviations(result, symbol)
    assert deviations["source"].tolist() == quotes["source"].tolist()
    assert deviations["time_s"].tolist() == quotes["epoch"].tolist()
    back = quotes["true_price"].to_numpy() * (1 + deviations["deviation_bp"].to_numpy() / 10_000)
    np.testing.assert_allclose(back, quotes["price"], rtol=1e-12)


def test_deviation_of_the_agreed_price_is_in_basis_points_of_the_true_one():
    result = run("biased source")
    prices = agreed_prices(result)
    back = result.epochs["true_price"] * (1 + prices["deviation_bp"] / 10_000)
    np.testing.assert_allclose(back, prices["consensus_price"], rtol=1e-12)
    # One of five says 100 basis points too much, and the mean follows by a fifth of that.
    assert prices["deviation_bp"].iloc[10:30].median() == pytest.approx(20, abs=2)


def test_changes_of_sources_and_of_nodes_are_apart():
    config = run("biased source").config
    assert (fault_changes(config), source_fault_changes(config)) == ([], [10, 30])
    crash = run("crash in the middle").config
    assert (fault_changes(crash), source_fault_changes(crash)) == ([20], [])


class TestBandSteps:
    @pytest.mark.parametrize("case", TRADED)
    def test_are_what_the_market_held_every_order_against(self, case):
        result = run(case)
        held = pd.merge_asof(result.orders, band_steps(result), on="time_s")
        assert held["reference_price_y"].notna().any()
        np.testing.assert_array_equal(held["reference_price_y"], held["reference_price_x"])

    def test_begin_without_a_reference_and_hold_until_the_end(self):
        steps = band_steps(run("default"))
        assert steps["time_s"].iloc[[0, -1]].tolist() == [0, 60]
        assert steps[["reference_price", "low", "high"]].iloc[0].isna().all()
        assert steps["state"].iloc[0] == "open"
        assert steps.iloc[-1, 1:].tolist() == steps.iloc[-2, 1:].tolist()
        assert steps.iloc[-1, 2:].notna().all()

    def test_of_several_moves_in_an_instant_the_last_counts(self):
        result = run("default")
        twice = result.bands.iloc[[3]].assign(state="auction", low=1.0)
        bands = pd.concat([result.bands.iloc[:4], twice, result.bands.iloc[4:]])
        steps = band_steps(replace(result, frames={**result.frames, "bands": bands}))
        assert steps["time_s"].is_unique
        assert steps.loc[4, ["state", "low"]].tolist() == ["auction", 1.0]
        assert steps["low"].iloc[5] == band_steps(result)["low"].iloc[5] != 1.0


class TestTruePath:
    def test_is_in_order_and_has_every_known_instant_once(self):
        result = run("default")
        path = true_path(result)
        assert path.index.is_monotonic_increasing
        assert path.index.is_unique
        frames = (result.orders, result.trades, result.rejections, result.book)
        assert {*path.index} == {time for frame in frames for time in frame["time_s"]}
        for frame in frames:
            assert path[frame["time_s"]].tolist() == frame["true_price"].tolist()


class TestPriceLimits:
    def test_hold_path_and_what_is_near_with_some_room(self):
        path, band = pd.Series([100.0, 110.0]), pd.Series([95.0, 120.0, float("nan")])
        low, high = price_limits(path, band)
        assert (low, high) == pytest.approx((95 - 0.06 * 25, 120 + 0.06 * 25))

    def test_what_is_far_does_not_flatten_the_rest(self):
        path, far = pd.Series([100.0, 110.0]), pd.Series([1.0, 9999.0])
        low, high = price_limits(path, far)
        assert (low, high) == pytest.approx((80 - 0.06 * 52, 132 + 0.06 * 52))

    def test_a_price_that_stands_still_has_room(self):
        nothing = pd.Series([float("nan")])
        assert price_limits(pd.Series([50.0]), nothing) == pytest.approx((49.99, 50.01))


@pytest.mark.parametrize("case", ["too many crashed", "history", "nothing final", "keep resting"])
def test_within_band_compares_each_epoch_with_the_band_in_force(case):
    result = run(case)
    moves = list(result.bands.itertuples(index=False))
    expected = []
    for row in result.epochs.itertuples():
        held = [move for move in moves if move.time_s <= row.start_s]
        expected.append(bool(held) and held[-1].low <= row.true_price <= held[-1].high)
    assert within_band(result).tolist() == expected
    assert any(expected) or case == "nothing final"


def test_nothing_is_outside_on_a_side_without_an_edge():
    result = run("crash in the middle")
    inside = within_band(result)
    known = result.epochs["start_s"] >= result.bands["time_s"].min()
    assert not inside[known].all()
    for sides in (["low"], ["high"], ["low", "high"]):
        bands = result.bands.assign(**dict.fromkeys(sides, float("nan")))
        freer = within_band(replace(result, frames={**result.frames, "bands": bands}))
        assert freer.sum() > inside.sum()
        assert not freer[~known].any()
        if len(sides) == 2:
            assert freer[known].all()


class TestAgreedPrices:
    def test_are_those_of_notarized_blocks(self):
        result = run("one lying leader")
        prices = agreed_prices(result)
        lies = result.epochs["consensus_price"] == 9999
        assert lies.sum() == 15
        assert prices["vwap"][lies].isna().all()
        priced = result.epochs.query("claim == 'price_consensus'")
        assert prices["vwap"].count() == priced["notarized_s"].notna().sum()

    def test_difference_is_in_basis_points_of_the_vwap(self):
        prices = agreed_prices(run("default"))
        exact = (prices["consensus_price"] / prices["vwap"] - 1) * 10_000
        np.testing.assert_allclose(prices["difference_bp"], exact, atol=1e-9)
        np.testing.assert_allclose(prices["one_cent_bp"], 0.01 / prices["vwap"] * 10_000)
        assert (prices["difference_bp"] > 0).any()
        assert (prices["difference_bp"] < 0).any()


def test_refusal_counts_add_up_and_fall():
    result = run("default")
    counts = refusal_counts(result)
    totals = counts.sum(axis="columns").tolist()
    assert list(counts) == [*VERDICTS, ""]
    for verdict in counts:
        assert counts[verdict].sum() == (result.rejections["verdict"] == verdict).sum()
    assert (counts[["false", "turned_unfair", ""]].sum() > 0).all()
    assert totals == sorted(totals, reverse=True)
    assert {where for where, _ in counts.index} <= {"at_entry", "at_trade", "swept", "cancelled"}


def test_what_was_not_replaced_only_is_in_no_bar():
    result = run("default")
    refused = result.rejections.copy()
    not_stopped = refused.index[refused["verdict"] == ""][0]
    refused.loc[not_stopped, ["action", "reason"]] = ["not replaced", "outside_band"]
    changed = replace(result, frames={**result.frames, "rejections": refused})
    before, after = refusal_counts(result), refusal_counts(changed)
    assert after.to_numpy().sum() == before.to_numpy().sum() - 1
    assert after[""].sum() == before[""].sum() - 1


ALWAYS = Fraction(1)
ONE_OF_FOUR = round_robin_finality_lag(4, {3})


class TestClosedForm:
    @pytest.mark.parametrize(
        ("settings", "regimes"),
        [
            ({}, [Regime(0, 60, ALWAYS)]),
            ({"faults": {"node_3": "crash"}}, [Regime(0, 60, ONE_OF_FOUR)]),
            (
                {"faults": {"node_3": "crash@20"}},
                [Regime(0, 20, ALWAYS), Regime(20, 60, ONE_OF_FOUR)],
            ),
            (
                {"faults": {"node_1": "silent_leader@10-30"}},
                [
                    Regime(0, 10, ALWAYS),
                    Regime(10, 30, round_robin_finality_lag(4, {1})),
                    Regime(30, 60, ALWAYS),
                ],
            ),
            # No three consecutive leaders are live.
            ({"faults": [Fault("silent_leader", count=2)]}, [Regime(0, 60, None)]),
            # Four of seven leaders could finalize, but the quorum is five.
            ({"nodes": 7, "faults": [Fault("crash", count=3)]}, [Regime(0, 60, None)]),
            (
                {"nodes": 7, "faults": [Fault("silent_leader", count=3)]},
                [Regime(0, 60, round_robin_finality_lag(7, {4, 5, 6}))],
            ),
            # Shorter than a round: no mean to speak of.
            ({"faults": {"node_3": "crash@57"}}, [Regime(0, 57, ALWAYS)]),
            # Conditions of the theorem that do not hold.
            ({"faults": {"node_3": "lying_leader"}}, []),
            ({"epoch_length": "900ms"}, []),
            # A fault that nobody has is none.
            ({"faults": [Fault("lying_leader", count=0)]}, [Regime(0, 60, ALWAYS)]),
        ],
    )
    def test_speaks_where_its_conditions_hold(self, settings, regimes):
        assert closed_form(make_config(epochs=60, **settings)) == regimes

    @pytest.mark.parametrize("silent", [set(), {3}, {4, 5}, {0, 2}])
    def test_is_what_a_simulation_of_whole_rounds_measures(self, silent):
        nodes, rounds = 6, 12
        faults = {f"node_{index}": "silent_leader" for index in silent}
        settings = {"nodes": nodes, "faults": faults, "market": {"traders": 0}}
        result = Experiment(epochs=nodes * (rounds + 2), signatures="none", **settings).run()
        # The blocks of the first round may extend genesis, which is final already.
        lags = result.epochs["latency_epochs"].iloc[nodes : nodes * (rounds + 1)].dropna()
        (regime,) = closed_form(result.config)
        assert Fraction(int(lags.sum()), len(lags)) == regime.lag


def test_fault_changes_are_those_within_the_run():
    faults = [
        Fault("silent_leader", count=1, start=30, stop=90),
        Fault("crash", nodes=("node_0",), start=12),
        Fault("withhold_votes", count=0, start=5),
    ]
    assert fault_changes(make_config(epochs=60, faults=faults)) == [12, 30]
