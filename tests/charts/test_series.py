"""What the charts show, held against the frames and against the closed forms."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from streamlet_lab import Experiment, Fault, InvalidInput
from streamlet_lab.charts.series import (
    Regime,
    agreed_prices,
    chosen_symbol,
    closed_form,
    epoch_prices,
    fault_changes,
    judged_orders,
    latency_range,
    quote_deviations,
    reference_prices,
    refusal_counts,
    source_fault_changes,
    within_band,
)
from streamlet_lab.config import make_config
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
    def test_prices_are_its_own(self, symbol):
        result = run("two symbols")
        own = result.prices[result.prices["symbol"] == symbol]
        for column in ("epoch", "true_price", "consensus_price"):
            np.testing.assert_array_equal(epoch_prices(result, symbol)[column], own[column])

    @pytest.mark.parametrize("symbol", SYMBOLS)
    def test_references_are_what_the_market_held_its_orders_against(self, symbol):
        result = run("two symbols")
        orders = result.orders[result.orders["symbol"] == symbol]
        held = pd.merge_asof(
            orders.dropna(subset=["reference_price"]),
            reference_prices(result, symbol),
            on="time_s",
        )
        assert len(held) > 20
        np.testing.assert_array_equal(held["price_y"], held["reference_price"])

    def test_averages_orders_and_refusals_of_the_symbols_add_up_to_all(self):
        result = run("two symbols")
        known = result.rejections.dropna(subset=["price", "reference_price"])
        judged = [judged_orders(result, symbol) for symbol in SYMBOLS]
        refused = [len(orders[orders["action"] != "accepted"]) for orders in judged]
        assert sum(refused) == len(known)
        counts = [refusal_counts(result, symbol).to_numpy().sum() for symbol in SYMBOLS]
        own = result.rejections.groupby("symbol").size()
        assert counts == [own[symbol] for symbol in SYMBOLS]
        assert min(counts) > 0
        for symbol in SYMBOLS:
            prices = result.prices[result.prices["symbol"] == symbol]
            agreed = agreed_prices(result, symbol)
            seen = agreed["vwap"].notna()
            assert agreed["vwap"][seen].tolist() == prices["vwap"][seen.to_numpy()].tolist()

    def test_within_band_is_of_the_symbols_own_path(self):
        result = run("two symbols")
        for symbol in SYMBOLS:
            references = list(reference_prices(result, symbol).itertuples(index=False))
            expected = []
            for row in epoch_prices(result, symbol).itertuples():
                held = [price for time, price in references if time <= row.start_s]
                expected.append(bool(held) and abs(row.true_price - held[-1]) <= 0.05 * held[-1])
            assert within_band(result, symbol).tolist() == expected


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


class TestReferencePrices:
    @pytest.mark.parametrize("case", TRADED)
    def test_are_what_the_market_held_every_order_against(self, case):
        result = run(case)
        orders = result.orders.dropna(subset=["reference_price"])
        held = pd.merge_asof(orders, reference_prices(result), on="time_s")
        assert len(orders)
        np.testing.assert_array_equal(held["price_y"], orders["reference_price"])

    def test_move_once_where_several_blocks_become_final_together(self):
        result = run("crash in the middle")
        references = reference_prices(result)
        final = result.epochs.dropna(subset=["finalized_s", "consensus_price"])
        highest = final.groupby("finalized_s")["consensus_price"].last()
        assert len(highest) < len(final)
        assert references["time_s"].tolist() == highest.index.tolist()
        assert references["price"].tolist() == highest.tolist()

    def test_are_empty_where_nothing_is_final(self):
        assert reference_prices(run("nothing final")).empty


@pytest.mark.parametrize("case", ["too many crashed", "history", "nothing final"])
def test_within_band_compares_each_epoch_with_the_reference_in_force(case):
    result = run(case)
    references = list(reference_prices(result).itertuples(index=False))
    expected = []
    for row in result.epochs.itertuples():
        held = [price for time, price in references if time <= row.start_s]
        expected.append(bool(held) and abs(row.true_price - held[-1]) <= 0.05 * held[-1])
    assert within_band(result).tolist() == expected


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


class TestJudgedOrders:
    def test_every_judged_refusal_is_there_with_its_deviation(self):
        result = run("crash in the middle")
        judged = judged_orders(result)
        refused = judged[judged["action"] != "accepted"]
        recorded = result.rejections.dropna(subset=["price", "reference_price"])
        np.testing.assert_allclose(
            refused["deviation_percent"].abs(), recorded["deviation_percent"], atol=1e-9
        )
        above = recorded["price"] > recorded["reference_price"]
        assert ((refused["deviation_percent"] > 0).to_numpy() == above.to_numpy()).all()
        assert above.any()
        assert not above.all()

    def test_accepted_limit_orders_lie_within_the_band(self):
        result = run("crash in the middle")
        judged = judged_orders(result)
        accepted = judged[judged["action"] == "accepted"]
        limits = result.orders.query("type == 'limit' and status != 'rejected'")
        assert len(accepted) == len(limits) > 0
        assert accepted["deviation_percent"].abs().max() <= 5

    def test_orders_before_the_first_reference_are_not_judged(self):
        result = run("trading without a reference")
        first = reference_prices(result)["time_s"].min()
        assert (result.orders["time_s"] < first).any()
        assert judged_orders(result)["time_s"].min() >= first


def test_refusal_counts_add_up_and_fall():
    result = run("too many crashed")
    counts = refusal_counts(result)
    totals = counts.sum(axis="columns").tolist()
    assert counts["far"].sum() == (result.rejections["intent"] == "far").sum() > 0
    assert sum(totals) == len(result.rejections)
    assert totals == sorted(totals, reverse=True)


def test_latency_range_spans_the_nodes():
    result = run("default")
    spread = latency_range(result)
    seen = result.finality.query("epoch == 7")["latency_s"]
    assert spread.loc[7].tolist() == [seen.min(), seen.max()]
    assert seen.nunique() > 1


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
