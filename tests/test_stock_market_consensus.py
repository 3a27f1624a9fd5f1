"""The system's description, call by call, as its users know it."""

import logging
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal

import pytest

import streamlet_lab as sl

SOURCES = ("market_data_1", "market_data_2", "external_feed")


@pytest.fixture
def network():
    """Four nodes after the description's twelve epochs."""
    network = sl.create_aapl_consensus_network(num_nodes=4)
    network.run_price_consensus_simulation(epochs=12)
    return network


def _order(order_id, side, price):
    cents = price.quantize(Decimal("0.01"))
    return sl.Order.limit(order_id, "AAPL", side, 100, cents)


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


def test_prices_are_validated():
    service = sl.PriceConsensusService("AAPL")
    good = sl.StockPrice.create("AAPL", 150, 1000, "market_data_1")
    too_low = sl.StockPrice.create("AAPL", 49, 1000, "market_data_2")
    too_high = sl.StockPrice.create("AAPL", 501, 1000, "market_data_2")
    too_few = sl.StockPrice.create("AAPL", 150, 99, "external_feed")

    assert service.validate_prices([good, too_low, too_few]) == [good]
    assert service.validate_prices([good, too_high, too_few]) == [good]


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
