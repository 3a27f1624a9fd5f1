"""The description's price service: its calls, and that it is no second implementation."""

from datetime import timedelta
from decimal import Decimal

import pytest

from streamlet_lab.description import PriceConsensusService, create_aapl_consensus_network
from streamlet_lab.errors import InvalidInput
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


def _prices(*amounts, volume=1000):
    return [
        StockPrice.create("AAPL", amount, volume, source)
        for amount, source in zip(amounts, SOURCES, strict=False)
    ]


def test_valid_prices_are_handed_back_in_their_order():
    prices = _prices("152.00", "49.99", "151.00")

    assert PriceConsensusService("AAPL").validate_prices(prices) == [prices[0], prices[2]]


def test_without_a_consensus_yet_only_the_bounds_count():
    service = PriceConsensusService("AAPL")

    assert service.previous is None
    assert len(service.validate_prices(_prices(50, 500))) == 2


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
    assert service.previous == before._replace(no_prices=1)
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
