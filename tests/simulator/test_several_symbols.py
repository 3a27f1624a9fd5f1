"""Several symbols in one experiment: one block for all, and for each its own rules and market."""

import json
import math
import statistics
from dataclasses import replace
from itertools import pairwise

import pandas as pd
import pytest

import streamlet_lab as sl
from streamlet_lab.config import make_config
from streamlet_lab.facade import StockMarketConsensusNetwork
from streamlet_lab.prices import PriceConsensus, decode_claims, encode_claims
from streamlet_lab.prices.daily_history import load_bars

TWO = ["AAPL", "MSFT"]
# The second one's prices are far from the first one's, so that nothing is taken for the other.
APART = {
    "symbols": TWO,
    "prices": {"base_price": 90, "assets": {"MSFT": {"base_price": 300}}},
    "seed": 3,
}


def _network(epochs, **settings):
    network = StockMarketConsensusNetwork(make_config(epochs=epochs, **settings))
    network.run(epochs)
    return network


@pytest.fixture(scope="module")
def result():
    return sl.Experiment(epochs=40, market={"traders": 20}, **APART).run()


# --- The block


def test_one_block_carries_one_object_for_each_symbol():
    network = _network(6, **APART)
    (alone,) = _network(1, seed=3).observer.tree.notarized[1:]
    blocks = network.observer.tree.finalized[1:]
    assert [block.epoch for block in blocks] == [0, 1, 2, 3, 4]
    for block in blocks:
        document = json.loads(block.payload)
        assert [*document] == ["type", "prices"]
        assert document["type"] == "price_consensus_batch"
        for prices, symbol, low, high in zip(
            document["prices"], TWO, (60, 200), (140, 450), strict=True
        ):
            assert [*prices] == [*json.loads(alone.payload)]
            assert (prices["type"], prices["symbol"]) == ("price_consensus", symbol)
            assert low < float(prices["consensus_price"]) < high


# --- Voters


@pytest.fixture
def proposed():
    """A network after an epoch, and the block of that epoch."""
    network = _network(1, **APART)
    (block,) = network.observer.tree.notarized[1:]
    return network, block


def _verdict(network, block, payload):
    """What an honest voter objects to another payload in the block's place."""
    other = replace(block, payload=payload)
    return network.application.judge(other, iter([network.genesis]), network.observations[0]).reason


@pytest.mark.parametrize("index", [0, 1])
def test_a_lie_about_one_symbol_is_an_objection_to_the_block(proposed, index):
    network, block = proposed
    claims = list(decode_claims(block.payload))
    honest = claims[index]
    assert isinstance(honest, PriceConsensus)
    assert _verdict(network, block, block.payload) == ""
    claims[index] = replace(honest, consensus_price=honest.consensus_price + 5)

    assert _verdict(network, block, encode_claims(claims)).startswith(
        f"{TWO[index]}: consensus price {honest.consensus_price + 5} too far from"
    )


def test_a_block_without_a_symbol_or_with_symbols_in_another_order_is_refused(proposed):
    network, block = proposed
    claims = decode_claims(block.payload)

    assert "instead of 2" in _verdict(network, block, encode_claims(claims[:1]))
    assert _verdict(network, block, encode_claims(claims[::-1])).startswith("AAPL: symbol")


@pytest.mark.parametrize("policy", ["bounds", "observe", "evidence"])
def test_every_voter_policy_knows_several_symbols(policy):
    prices = {**APART["prices"], "voter_policy": policy}
    faults = [sl.Fault("lying_leader", nodes=("node_2",), parameters={"price": "9999"})]
    run = sl.Experiment(**{**APART, "prices": prices}, epochs=12, faults=faults).run()
    lies = run.blocks.proposer == "node_2"

    assert run.safe
    assert set(run.blocks[lies].votes) == {1}
    assert set(run.blocks[~lies].refusals) == {0}
    assert run.summary["finalized_prices"] > 0


# --- Rules of each symbol


def test_a_symbol_without_a_valid_price_does_not_stop_the_others():
    assets = {"MSFT": {"min_volume": 10**9}}
    calm = {"epochs": 12, "symbols": TWO, "market_time_per_epoch": "1h"}
    stuck = sl.Experiment(**calm, prices={"assets": assets}).run()
    fine = sl.Experiment(**calm).run()
    prices = dict(list(stuck.prices.groupby("symbol")))

    assert set(prices["AAPL"].claim) == {"price_consensus"}
    assert set(prices["MSFT"].claim) == {"no_price"}
    assert set(stuck.quotes[stuck.quotes.symbol == "MSFT"].reason) == {"below_min_volume"}
    assert prices["MSFT"].consensus_price.isna().all()
    before = fine.prices[fine.prices.symbol == "AAPL"]
    pd.testing.assert_series_equal(prices["AAPL"].consensus_price, before.consensus_price)
    assert stuck.summary["finalized_blocks"] == fine.summary["finalized_blocks"] == 11
    assert stuck.summary["finalized_prices"] == 11
    assert fine.summary["finalized_prices"] == 22
    assert stuck.summary["epochs_without_price"] == 12
    assert stuck.safe
    assert stuck.orders[stuck.orders.symbol == "MSFT"].reference_price.isna().all()
    assert stuck.orders[stuck.orders.symbol == "AAPL"].reference_price.notna().any()


def test_each_symbol_has_its_own_rules_and_previous_price(result):
    """The deviation rule looks back at the same symbol's last price."""
    for symbol, frame in result.prices.groupby("symbol"):
        quotes = result.quotes[result.quotes.symbol == symbol]
        previous = quotes.groupby("epoch").previous_price.first()
        known = frame.set_index("epoch").consensus_price.shift()
        pd.testing.assert_series_equal(previous[1:], known[1:], check_names=False)


def test_sources_lie_about_every_symbol():
    run = sl.Experiment(epochs=6, **APART, faults={"external_feed": "biased"}).run()
    share = run.quotes.price / run.quotes.true_price - 1
    lies = run.quotes.source == "external_feed"

    assert share[~lies].abs().max() < 0.001
    for symbol in TWO:
        assert share[lies & (run.quotes.symbol == symbol)].abs().min() > 0.005


# --- The market


def test_an_order_meets_the_reference_of_its_own_symbol(result):
    final = result.prices[result.prices.finalized_s.notna()]
    met = 0
    for order in result.orders.itertuples():
        own = final[(final.symbol == order.symbol) & (final.finalized_s <= order.time_s)]
        if own.empty:
            assert pd.isna(order.reference_price)
        else:
            assert order.reference_price == own.consensus_price.iloc[-1]
            met += 1
    assert met > 200


def test_every_symbol_is_traded_against_itself_alone(result):
    symbol_of = result.orders.set_index("order_id").symbol

    assert set(result.orders.symbol) == set(result.trades.symbol) == set(TWO)
    for trade in result.trades.itertuples():
        assert symbol_of[trade.buy_order_id] == symbol_of[trade.sell_order_id] == trade.symbol
    for rejection in result.rejections.itertuples():
        assert symbol_of[rejection.order_id] == rejection.symbol
    for _, tape in result.trades.groupby("symbol"):
        assert list(tape.trade_id) == list(range(len(tape)))
    assert result.trades.time_s.is_monotonic_increasing
    assert result.rejections.time_s.is_monotonic_increasing


# --- Paths


def _path(network, symbol, epochs):
    length = network.config.epoch_length
    return [network.true_price(epoch * length, symbol) for epoch in range(epochs)]


def _returns(correlation, epochs=400):
    # Far bounds: a path that is reflected moves against the others.
    prices = {"correlation": correlation, "path_model": "gbm", "min_price": 1, "max_price": 10**6}
    network = StockMarketConsensusNetwork(make_config(symbols=[*TWO, "IBM"], prices=prices))
    paths = [_path(network, symbol, epochs) for symbol in network.symbols]
    return [[math.log(b / a) for a, b in pairwise(p)] for p in paths]


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_simulated_paths_correlate_as_configured(correlation):
    """Of 399 daily returns; the standard error is at most 0.05."""
    aapl, msft, ibm = _returns(correlation)

    for one, other in ((aapl, msft), (aapl, ibm), (msft, ibm)):
        assert statistics.correlation(one, other) == pytest.approx(correlation, abs=0.17)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"symbols": TWO}),
        ({"prices": {"correlation": 0}}, {"symbols": TWO, "prices": {"correlation": 0}}),
        ({"symbols": TWO}, {"symbols": ["MSFT", "AAPL"]}),
        ({"symbols": TWO}, {"symbols": ["AAPL", "IBM"]}),
        ({"symbols": TWO}, {"symbols": [*TWO, "IBM"]}),
        ({"symbols": TWO}, {**APART, "prices": {"assets": {"MSFT": {"volatility": 3}}}, "seed": 0}),
    ],
)
def test_a_symbol_is_quoted_alike_whatever_else_there_is(one, other):
    first, second = (StockMarketConsensusNetwork(make_config(**given)) for given in (one, other))

    assert _path(first, "AAPL", 100) == _path(second, "AAPL", 100)
    for epoch in range(100):
        assert first.feeds["AAPL"].quotes(epoch) == second.feeds["AAPL"].quotes(epoch)


def test_real_history_of_several_symbols():
    symbols = ["AAPL", "MSFT", "IBM"]
    run = sl.Experiment(feed="history-2012", symbols=symbols, epochs=30).run()

    for symbol, frame in run.prices.groupby("symbol"):
        closes = [float(bar.close) for bar in load_bars(str(symbol), 2012)[:30]]
        assert list(frame.true_price) == closes
        assert (frame.consensus_price / frame.true_price - 1).abs().max() < 5e-4
    assert run.summary["finalized_prices"] == 3 * 29
    assert run.safe
