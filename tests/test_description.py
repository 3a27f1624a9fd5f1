"""The system's description, call by call, as its users know it; it is no second implementation."""

import logging
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

import streamlet_lab as sl
from streamlet_lab.config import make_stock
from streamlet_lab.errors import InvalidInput
from streamlet_lab.facade import PriceConsensusService, create_aapl_consensus_network
from streamlet_lab.prices import (
    ORIGIN,
    SOURCES,
    TRADING_DAY,
    NoPrice,
    PreviousConsensus,
    PriceValidation,
    StockPrice,
    decode_payload,
)


@pytest.fixture
def network():
    """Four nodes after the description's twelve epochs."""
    network = sl.create_aapl_consensus_network(num_nodes=4)
    network.run_price_consensus_simulation(epochs=12)
    return network


def _order(order_id, side, price):
    cents = price.quantize(Decimal("0.01"))
    return sl.Order.limit(order_id, "AAPL", side, 100, cents)


def test_the_descriptions_experiment_has_its_rules_and_averages_that_differ():
    experiment = sl.description()
    stock = make_stock(experiment.config, "AAPL")
    prices = experiment.run().prices

    assert stock.voter.rules == PriceValidation(widening_percent=Decimal(0))
    assert (experiment.config.votes_needed, experiment.config.market.band_percent) == (3, 5)
    assert experiment.config.prices.source_names == SOURCES
    apart = (prices["consensus_cents"] - prices["vwap_cents"]).abs()
    assert apart.median() >= 3
    assert set(prices["price_count"]) == {3}


# --- Price data layer


@pytest.mark.parametrize("source", SOURCES)
def test_simulator_generates_a_price_feed(source):
    simulator = sl.AAPLPriceSimulator(base_price=Decimal("150.00"))
    price = simulator.generate_price_feed(source)

    assert isinstance(price, sl.StockPrice)
    assert price.symbol == "AAPL"
    assert price.source == source
    assert Decimal(50) <= price.price <= Decimal(500)
    assert price.volume >= 100
    assert price.timestamp == datetime(2024, 1, 15, 10, 30, tzinfo=UTC)


def test_stock_price_create():
    price = sl.StockPrice.create("AAPL", 152.45, 1500, "market_data_1")

    assert price.symbol == "AAPL"
    assert price.price == Decimal("152.45")
    assert price.volume == Decimal(1500)
    assert price.source == "market_data_1"


def test_validation_rules_are_the_descriptions():
    rules = sl.PriceValidation()

    assert rules.min_price == Decimal(50)
    assert rules.max_price == Decimal(500)
    assert rules.min_volume == Decimal(100)
    assert rules.max_deviation_percent == Decimal(10)
    assert rules.min_sources >= 2


def test_price_consensus_has_exactly_the_descriptions_fields():
    assert [field.name for field in fields(sl.PriceConsensus)] == [
        "symbol",
        "consensus_price",
        "volume_weighted_price",
        "total_volume",
        "price_count",
        "timestamp",
        "block_hash",
    ]


# --- Consensus layer


def test_four_nodes_tolerate_one_fault_with_a_quorum_of_three():
    network = sl.create_aapl_consensus_network(4)

    assert isinstance(network, sl.StockMarketConsensusNetwork)
    assert network.node_ids == ("node_0", "node_1", "node_2", "node_3")
    assert network.symbol == "AAPL"
    assert network.f == 1
    assert network.config.votes_needed == 3


def test_every_node_is_a_streamlet_node():
    network = sl.create_aapl_consensus_network(4)

    for node in network.node_ids:
        assert isinstance(network.nodes[node], sl.StockMarketStreamletNode)
        assert isinstance(network.nodes[node], sl.StreamletNode)


def test_each_epoch_has_a_consensus_price():
    network = sl.create_aapl_consensus_network(4)
    prices = network.run_price_consensus_simulation(epochs=12)

    assert len(prices) == 12
    for price in prices:
        assert isinstance(price, sl.PriceConsensus)
        assert price.symbol == "AAPL"
        assert Decimal(50) <= price.consensus_price <= Decimal(500)
        assert price.price_count == 3
        assert len(bytes.fromhex(price.block_hash)) == 32
    assert [price.timestamp for price in prices] == sorted(price.timestamp for price in prices)


def test_final_prices_are_the_payloads_of_final_blocks(network):
    blocks = network.observer.tree.finalized[1:]
    prices = network.get_finalized_consensus_prices()

    assert len(prices) == len(blocks) == 11
    for block, price in zip(blocks, prices, strict=True):
        assert block.payload == price.to_payload()
        assert block.hash.hex() == price.block_hash


# --- Trading layer


def test_engine_reads_the_latest_final_price(network):
    engine = sl.ConsensusMatchingEngine("AAPL", network)
    assert (
        engine.get_latest_consensus_price()
        == network.get_finalized_consensus_prices()[-1].consensus_price
    )
    network.run_price_consensus_simulation(4)
    assert (
        engine.get_latest_consensus_price()
        == network.get_finalized_consensus_prices()[-1].consensus_price
    )


@pytest.mark.parametrize(
    ("factor", "accepted"),
    [
        ("0.80", False),
        ("0.94", False),
        ("0.98", True),
        ("1.00", True),
        ("1.02", True),
        ("1.06", False),
        ("1.20", False),
    ],
)
def test_trade_prices_may_deviate_by_five_percent(network, factor, accepted):
    engine = sl.ConsensusMatchingEngine("AAPL", network)
    consensus = engine.get_latest_consensus_price()
    assert consensus is not None
    price = (consensus * Decimal(factor)).quantize(Decimal("0.01"))

    assert engine.validate_trade_price(price) == accepted


def test_the_descriptions_trading_demo(network, caplog):
    engine = sl.ConsensusMatchingEngine("AAPL", network)
    consensus = engine.get_latest_consensus_price()
    assert consensus is not None
    buy = _order("buy", "buy", consensus * Decimal("0.98"))
    sell = _order("sell", "sell", consensus * Decimal("1.02"))
    extreme = _order("extreme", "buy", consensus * Decimal("1.2"))
    with caplog.at_level(logging.INFO, logger="streamlet_lab.matching"):
        assert engine.process_order(buy) == []
        assert engine.process_order(sell) == []
        assert engine.process_order(extreme) == []
    messages = [record.getMessage() for record in caplog.records]

    assert f"Processing order at ${buy.price} (consensus: ${consensus})" in messages
    assert f"Processing order at ${sell.price} (consensus: ${consensus})" in messages
    rejection = (
        f"Trade rejected: Price ${extreme.price} deviates 20.00% from consensus ${consensus}"
    )
    assert messages[-1].startswith(f"{rejection} [outside_band")


def test_orders_within_the_band_trade(network):
    engine = sl.ConsensusMatchingEngine("AAPL", network)
    consensus = engine.get_latest_consensus_price()
    assert consensus is not None
    assert engine.process_order(_order("sell", "sell", consensus * Decimal("1.02"))) == []
    (trade,) = engine.process_order(_order("buy", "buy", consensus * Decimal("1.03")))

    assert isinstance(trade, sl.Trade)
    assert trade.price == (consensus * Decimal("1.02")).quantize(Decimal("0.01"))
    assert trade.quantity == 100
    assert (trade.buy_order_id, trade.sell_order_id) == ("buy", "sell")


def test_an_engine_for_another_symbol_is_refused():
    with pytest.raises(sl.InvalidInput, match="AAPL, which the network agrees on"):
        sl.ConsensusMatchingEngine("MSFT", sl.create_aapl_consensus_network(4))


# --- The price service


def _prices(*amounts, volume=1000):
    return [
        StockPrice.create("AAPL", amount, volume, source)
        for amount, source in zip(amounts, SOURCES, strict=False)
    ]


def test_prices_within_the_bounds_are_handed_back_in_their_order():
    """Before there is a consensus only these count: from $50 to $500, and 100 shares or more."""
    service = PriceConsensusService("AAPL")
    prices = _prices(500, "49.99", 50) + _prices("500.01") + _prices(150, volume=99)
    assert service.previous is None
    assert service.validate_prices(prices) == [prices[0], prices[2]]


def test_prices_are_measured_against_the_last_consensus():
    service = PriceConsensusService("AAPL")
    _, consensus = service.process_epoch_prices(0)
    assert consensus is not None
    assert service.previous == PreviousConsensus(consensus.consensus_price, 0)
    edge = consensus.consensus_price * Decimal("1.1")
    prices = _prices(edge, edge + Decimal("0.000001"))

    assert service.validate_prices(prices) == prices[:1]


def test_the_consensus_is_of_the_latest_price_unless_told():
    service = PriceConsensusService("AAPL")
    later = ORIGIN + timedelta(hours=1)
    prices = [
        StockPrice.create("AAPL", 150, 100, "market_data_1", later),
        StockPrice.create("AAPL", 150, 100, "market_data_2", ORIGIN),
    ]

    assert service.calculate_consensus_price(prices).timestamp == later
    assert service.calculate_consensus_price(prices, ORIGIN).timestamp == ORIGIN


def test_the_payload_says_what_the_consensus_is():
    service = PriceConsensusService("AAPL")
    for epoch in range(5):
        payload, consensus = service.process_epoch_prices(epoch)
        assert decode_payload(payload) == consensus
        assert consensus is not None
        assert consensus.timestamp == ORIGIN + timedelta(microseconds=epoch * TRADING_DAY)
        assert consensus.block_hash == ""


@pytest.mark.parametrize("seed", [0, 5])
def test_the_service_and_the_network_make_the_same_payloads(seed):
    service = PriceConsensusService("AAPL", seed=seed)
    network = create_aapl_consensus_network(4, seed=seed)
    network.run_price_consensus_simulation(12)
    payloads = [block.payload for block in network.observer.tree.finalized[1:]]

    assert len(payloads) == 11
    assert payloads == [service.process_epoch_prices(epoch)[0] for epoch in range(11)]


def test_an_epoch_without_a_valid_price_says_why_and_changes_nothing():
    rules = PriceValidation(min_volume=Decimal(1_000_000))
    service = PriceConsensusService("AAPL", rules=rules)
    payload, consensus = service.process_epoch_prices(0)

    assert consensus is None
    assert service.previous is None
    assert decode_payload(payload) == NoPrice("AAPL", "0 of 3 sources valid, 2 needed", ORIGIN)


def test_epochs_may_be_left_out_but_not_repeated():
    service = PriceConsensusService("AAPL")
    service.process_epoch_prices(3)
    for epoch in (-1, 0, 3):
        with pytest.raises(InvalidInput, match=rf"epoch: {epoch} .* at least 4$"):
            service.process_epoch_prices(epoch)
    service.process_epoch_prices(4)


def test_an_epoch_without_a_price_widens_the_corridor_and_one_left_out_does_not():
    service = PriceConsensusService("AAPL", rules=PriceValidation(max_deviation_percent=0))
    _, first = service.process_epoch_prices(0)
    assert first is not None
    before = PreviousConsensus(first.consensus_price, 0)
    service.process_epoch_prices(7)
    assert service.previous == before.after_no_price()
    with pytest.raises(InvalidInput, match=r"epoch: 7 .* at least 8$"):
        service.process_epoch_prices(7)


def test_any_symbol_is_simulated():
    service = PriceConsensusService("MSFT")
    payload, consensus = service.process_epoch_prices(0)

    assert consensus is not None
    assert consensus.symbol == "MSFT"
    assert decode_payload(payload) == consensus


@pytest.mark.parametrize("symbol", ["", None, 7])
def test_a_symbol_is_a_text(symbol):
    with pytest.raises(InvalidInput, match=r"symbol: .* a symbol such as 'AAPL'"):
        PriceConsensusService(symbol)
