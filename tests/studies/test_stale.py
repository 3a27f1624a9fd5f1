"""What stale references cost: measured, implied by their ages, and in closed form."""

import math

import pandas as pd
import pytest

import streamlet_lab as sl
from streamlet_lab.config import make_config
from streamlet_lab.facade import StockMarketConsensusNetwork
from streamlet_lab.intervals import mean_interval
from streamlet_lab.studies import daily_volatility, staleness, staleness_numbers
from streamlet_lab.theory import stale_outside_share

DIFFUSION = {"prices.nights": 0, "prices.intraday": 0}
GBM = {"prices.path_model": "gbm", **DIFFUSION}
DELAYS = [0.05, 0.3]


@pytest.fixture(scope="module")
def gbm():
    return staleness("latency", DELAYS, settings=GBM, repeats=16)


@pytest.fixture(scope="module")
def default():
    return staleness("latency", DELAYS, repeats=10)


def means(swept, measure):
    return swept.means(measure).set_index(swept.settings[0])["mean"]


# --- The three rates agree


@pytest.mark.parametrize("name", ["gbm", "default"])
def test_each_run_s_rate_is_what_the_ages_of_its_references_imply(name, request):
    frame = request.getfixturevalue(name).frame
    # The consensus price is the true one but for about a basis point, so only orders within that
    # distance of an edge can be judged otherwise: of 650 orders a few.
    assert frame["implied_margin"].max() < 0.015
    difference = (frame["entry_rate"] - frame["implied_rate"]).abs()
    assert (difference <= frame["implied_margin"] + 1e-12).all()
    assert difference.mean() < 0.001
    assert (frame["entry_rate"] > 0).mean() > 0.8


def test_the_rate_of_a_diffusion_is_its_closed_form_at_the_ages_of_the_references(gbm):
    for delay, runs in gbm.frame.groupby("network.median_delay"):
        off = mean_interval(runs["entry_rate"] - runs["diffusion_rate"])
        # Twice its 95 % interval: by chance once in 2,000 times.
        assert abs(off.mean) <= off.high - off.low, delay
        assert off.high - off.low < 0.05  # narrow enough to tell a day from two


def test_the_numbers_are_those_of_the_orders_counted_one_by_one():
    experiment = sl.Experiment(
        epochs=80,
        seed=3,
        symbols=["AAPL", "MSFT"],
        signatures="none",
        nodes=7,
        faults={"node_0": "silent_leader", "node_3": "silent_leader"},
        epoch_length="1.5s",
        prices={
            "path_model": "gbm",
            "nights": 0,
            "intraday": 0,
            "assets": {"MSFT": {"volatility": 0.5}},
        },
        market={
            "traders": [
                {"kind": "noise_trader", "count": 30, "rate": 0.2},
                {"kind": "fat_finger", "rate": 0.5},
            ],
            "band_percent": 3,
            "band_parameters": {"stale": "halt", "stale_after": "16h"},
        },
    )
    result, network = experiment.run(), StockMarketConsensusNetwork(experiment.config)
    length, day = 1_500_000, 23_400_000_000
    refused, implied, seconds, days, closed = [], [], [], [], []
    squares = {"AAPL": [], "MSFT": []}
    for order in result.orders.itertuples():
        if order.type == "limit" and order.fair and not pd.isna(order.reference_epoch):
            squares[order.symbol].append((order.price / order.true_price - 1) ** 2)
    spread = {name: math.sqrt(sum(each) / len(each)) for name, each in squares.items()}
    for order in result.orders.itertuples():
        if order.type != "limit" or not order.fair or pd.isna(order.reference_epoch):
            continue
        time, start = round(order.time_s * 1e6), int(order.reference_epoch) * length
        quoted = network.true_price(start, order.symbol) / 1e6
        refused.append((order.status, order.reason) == ("rejected", "outside_band"))
        implied.append(abs(order.price - quoted) > 0.03 * quoted)
        seconds.append((time - start) / 1e6)
        step = day // 10
        market = [at * result.config.market_time_per_epoch // length for at in (start, time)]
        days.append((market[1] // step - market[0] // step) / 10)
        daily = 0.378 / math.sqrt(252) * (0.5 if order.symbol == "MSFT" else 1)
        closed.append(stale_outside_share(days[-1], daily, 0.03, spread[order.symbol]))
    # Far prices, and refusals for another reason, do not count.
    assert not result.orders["fair"].all()
    assert (result.orders["reason"] == "stale_reference").sum() > 20
    numbers = staleness_numbers(result)
    assert numbers["orders"] == len(refused) > 500
    assert 0.05 < numbers["entry_rate"] == pytest.approx(sum(refused) / len(refused))
    assert numbers["implied_rate"] == pytest.approx(sum(implied) / len(implied))
    assert numbers["mean_age_s"] == pytest.approx(sum(seconds) / len(seconds))
    assert numbers["median_age_s"] == pytest.approx(sorted(seconds)[len(seconds) // 2], abs=0.01)
    assert numbers["mean_age_days"] == pytest.approx(sum(days) / len(days))
    assert numbers["diffusion_rate"] == pytest.approx(sum(closed) / len(closed))
    quality = result.market_numbers
    for name in ("fair_stopped_rate", "unfair_trade_rate"):
        assert numbers[name] == quality[name]


def test_a_lying_source_adds_what_no_age_implies():
    result = sl.Experiment(
        epochs=80,
        signatures="none",
        market_time_per_epoch="1min",
        faults={"external_feed": "colluding"},
        market={"traders": 20},
    ).run()
    numbers = staleness_numbers(result)
    assert numbers["implied_rate"] == 0
    assert 0.3 < numbers["entry_rate"] <= numbers["implied_margin"]


# --- What makes references old


def test_slow_links_make_finality_late_references_old_and_rejections_many(gbm, default):
    for swept in (gbm, default):
        for measure in ("mean_latency_s", "mean_age_s", "mean_age_days", "entry_rate"):
            gain = swept.difference(measure, "network.median_delay", *DELAYS).iloc[0]
            assert gain["low"] > 0, measure


def test_long_epochs_make_old_references_of_a_market_that_goes_on():
    swept = staleness("epoch_length", [1.0, 3.0], settings=GBM, epochs=60, repeats=4)
    days, seconds = means(swept, "mean_age_days"), means(swept, "mean_age_s")
    # A trading day in a second, less half a step of the path on average.
    for length in (1.0, 3.0):
        assert days[length] == pytest.approx(seconds[length] - length / 20, abs=0.01 * length)
    assert means(swept, "entry_rate")[3.0] > 2 * means(swept, "entry_rate")[1.0]
    slow = staleness(
        "epoch_length", [2.0], settings={"market_time_per_epoch": "1min"}, epochs=40, repeats=1
    )
    assert means(slow, "mean_age_days")[2.0] == pytest.approx(
        means(slow, "mean_age_s")[2.0] / 390, rel=0.05
    )


# --- What there is not


def test_a_run_without_orders_or_references_has_no_rates():
    for market in ({"traders": 0}, {"traders": 20}):
        result = sl.Experiment(epochs=1, signatures="none", market=market).run()
        numbers = staleness_numbers(result)
        assert numbers.pop("orders") == 0
        # Orders that find no reference are refused too, for want of one.
        assert numbers.pop("fair_stopped_rate") == (1 if market["traders"] else None)
        assert {*numbers.values()} == {None}


@pytest.mark.parametrize(
    ("settings", "percent"),
    [
        ({"path_model": "gbm"}, 37.8 / math.sqrt(252)),
        ({"path_model": "gbm", "volatility": 2}, 2 * 37.8 / math.sqrt(252)),
        ({"path_model": "gbm", "path_parameters": {"volatility": 0.2}}, 1.2599),
        ({}, 2.374),
        ({"trend": 0.1}, None),
        ({"nights": 0.1}, None),
        ({"intraday": 0.1}, None),
        ({"path_model": "merton"}, None),
    ],
)
def test_the_volatility_of_a_diffusion_where_there_is_one(settings, percent):
    prices = {"nights": 0, "intraday": 0, **settings}
    found = daily_volatility(make_config(prices=prices), "AAPL")
    assert daily_volatility(make_config(prices=prices, feed="aapl-2012"), "AAPL") is None
    assert found == (None if percent is None else pytest.approx(percent / 100, rel=1e-3))


def test_without_a_diffusion_there_is_no_closed_form():
    result = sl.Experiment(epochs=30, feed="aapl-2012", signatures="none").run()
    numbers = staleness_numbers(result)
    assert numbers["diffusion_rate"] is numbers["first_passage_rate"] is None
    assert numbers["implied_rate"] is not None
