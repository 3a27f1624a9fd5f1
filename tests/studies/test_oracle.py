"""What lying leaders and lying sources do to whole runs."""

import pandas as pd
import pytest

import streamlet_lab as sl
from streamlet_lab.studies import denied_trades, final_prices, lying_leader, oracle_numbers
from streamlet_lab.theory import mean_displacement, outside_band_share


def means(sweep, measure, over):
    frame = sweep.means(measure)
    return frame.set_index(over)["mean"]


@pytest.fixture(scope="module")
def liar():
    return lying_leader(epochs=24, repeats=3)


@pytest.fixture(scope="module")
def denial():
    return denied_trades(epochs=40, repeats=10)


def test_a_lying_leader_gets_what_voters_leave_it(liar):
    worst = means(liar, "led_worst_bp", "prices.voter_policy")
    assert worst["bounds"].min() > 900  # the corridor: 10 %, from a price a little away
    assert worst["observe"].between(40, 60).all()  # the tolerance of 0.5 %
    assert worst["evidence"].max() < 5  # how far honest quotes disagree


def _with_a_liars_price(above, below):
    """A run of which one faulty leader's price is so many dollars beyond the honest quotes."""
    fault = [sl.Fault("price_manipulator", nodes=("node_1",))]
    settings = {"prices": {"voter_policy": "evidence"}, "market": {"traders": 0}}
    result = sl.Experiment(epochs=3, signatures="none", faults=fault, **settings).run()
    quoted = result.quotes[result.quotes["epoch"] == 1]["price"]
    prices = result.frames["prices"].copy()
    price = quoted.max() + above if above is not None else quoted.min() - below
    prices.loc[prices["epoch"] == 1, "consensus_price"] = price
    object.__setattr__(result, "frames", {**result.frames, "prices": prices})
    return result, prices.loc[prices["epoch"] == 1, "true_price"].iloc[0]


@pytest.mark.parametrize("dollars", [3, 0.5, 0, -0.001])
@pytest.mark.parametrize("side", ["above", "below"])
def test_a_price_is_beyond_the_range_above_it_and_below_it(side, dollars):
    up = side == "above"
    result, true_price = _with_a_liars_price(dollars if up else None, None if up else dollars)
    beyond = oracle_numbers(result)["beyond_spread_bp"]
    assert beyond == pytest.approx(1e4 * dollars / true_price, abs=1e-9)


def test_one_liar_of_three_denies_trades_around_the_mean_and_none_around_the_median(denial):
    denied = denial.means("denied").set_index(["prices.aggregator", "faults"])
    assert denied.loc[("median", 0), "mean"] == denied.loc[("median", 1), "mean"] == 0
    assert denied.loc[("mean", 0), "mean"] == 0
    row = denied.loc[("mean", 1)]
    limit = mean_displacement(3, 1, 0.1)
    expected = outside_band_share(limit, 0.05, 0.005)
    assert row["low"] <= expected <= row["high"]
    worst = denial.means("worst_bp").set_index(["prices.aggregator", "faults"])["mean"]
    assert worst[("mean", 1)] == pytest.approx(1e4 * limit, rel=0.05)
    assert worst[("median", 1)] < 10


def test_final_prices_are_those_of_the_frames():
    result = sl.Experiment(
        epochs=12,
        symbols=["AAPL", "MSFT"],
        signatures="none",
        faults={"external_feed": "biased"},
        prices={"aggregator": "median"},
    ).run()
    table = final_prices(result)
    prices = result.prices[result.prices["finalized_s"].notna()]
    assert len(table) == (prices["claim"] == "price_consensus").sum() > 10
    for row in table.itertuples():
        quoted = result.quotes[
            (result.quotes["epoch"] == row.epoch)
            & (result.quotes["symbol"] == row.symbol)
            & (result.quotes["source"] != "external_feed")
        ]["price"]
        assert row.leader == result.epochs["leader"][row.epoch]
        assert row.displacement_bp == pytest.approx(
            1e4 * (row.consensus_price - row.true_price) / row.true_price
        )
        assert row.spread_bp == pytest.approx(1e4 * (quoted.max() - quoted.min()) / row.true_price)


def test_a_run_without_a_final_price_or_an_order_has_no_numbers():
    result = sl.Experiment(epochs=2, signatures="none", market={"traders": 0}).run()
    nothing = result.frames["prices"].assign(finalized_s=float("nan"))
    object.__setattr__(result, "frames", {**result.frames, "prices": nothing})
    numbers = oracle_numbers(result)
    assert numbers["final_prices"] == 0
    missing = {name for name, value in numbers.items() if value is None}
    assert missing == {
        "worst_bp",
        "mean_bp",
        "led_worst_bp",
        "beyond_spread_bp",
        "fair_stopped_rate",
        "denied",
    }


def test_denied_counts_fair_orders_that_were_stopped_as_outside_the_band():
    result = sl.Experiment(
        epochs=60,
        signatures="none",
        market_time_per_epoch="1min",
        faults={"external_feed": "colluding"},
    ).run()
    orders = result.orders
    fair = orders[(orders["type"] == "limit") & orders["fair"]]
    own = dict(zip(fair["order_id"], fair["price"], strict=True))
    # Nobody replaces orders here, so that a limit is what it was.
    denied, early = 0, 0
    for row in result.rejections.itertuples():
        is_fair = row.order_id in own and (
            abs(own[row.order_id] - row.true_price) <= 0.05 * row.true_price
        )
        denied += is_fair and row.reason == "outside_band"
        early += is_fair and row.reason == "no_consensus"
    numbers = oracle_numbers(result)
    assert (numbers["denied"].part, numbers["denied"].whole) == (denied, len(fair))
    assert numbers["denied"] > 0.1
    assert numbers["fair_stopped_rate"].part == denied + early > denied


def test_a_push_is_the_game_of_the_study():
    pushed = sl.studies.push(["mean", "median"], epochs=20, seed=3)
    table = sl.studies.displacement(["mean", "median"], [(3, 1)], epochs=20, seeds=4)
    worst = table[table["seed"] == 3].set_index("aggregator")["worst_bp"]
    up = pushed.groupby("aggregator")["displacement_bp"].max()
    down = (
        sl.studies.push(["mean", "median"], epochs=20, seed=3, direction="down")
        .groupby("aggregator")["displacement_bp"]
        .max()
    )
    pd.testing.assert_series_equal(
        pd.concat([up, down], axis=1).max(axis=1).sort_index(),
        worst.sort_index(),
        check_names=False,
    )
    with pytest.raises(sl.InvalidInput, match="direction"):
        sl.studies.push(direction="sideways")
