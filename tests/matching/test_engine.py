"""The reference, the clock, the description's calls and the log."""

import logging
from decimal import Decimal

import pytest

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching import (
    Accepted,
    BandMoved,
    Cancelled,
    CancelReason,
    ConsensusBand,
    ConsensusMatchingEngine,
    Order,
    Reference,
    ReferenceMoved,
    Rejected,
    RejectReason,
)

LOGGER = "streamlet_lab.matching"


def limit(order_id, side, price, quantity=100):
    return Order.limit(order_id, "AAPL", side, quantity, price)


def reference(price, time=2_000_000):
    return Reference(Decimal(price), time)


class Network:
    latest = None

    def reference(self):
        return self.latest


def test_before_the_first_reference_orders_are_rejected():
    engine = ConsensusMatchingEngine("AAPL")
    (event,) = engine.submit(limit("b-1", "buy", "149.40"))
    assert event.reason is RejectReason.NO_CONSENSUS
    assert (event.price, event.reference, event.reference_age) == (Decimal("149.40"), None, None)
    assert engine.get_latest_consensus_price() is None
    assert not engine.validate_trade_price("149.40")


def test_before_the_first_reference_orders_may_be_let_through_unchecked():
    engine = ConsensusMatchingEngine("AAPL", without_reference="allow")
    engine.submit(limit("s-1", "sell", "400.00"))
    assert engine.validate_trade_price("400.00")
    assert len(engine.process_order(limit("b-1", "buy", "400.00"))) == 1


def test_first_reference_cancels_what_came_in_unchecked():
    engine = ConsensusMatchingEngine("AAPL", without_reference="allow")
    engine.submit(limit("s-1", "sell", "400.00"))
    referred, moved, event = engine.set_reference(reference("152.45"))
    assert referred == ReferenceMoved(1, 2_000_000, reference("152.45"))
    limits = (Decimal("144.83"), Decimal("160.07"))
    assert moved == BandMoved(2, 2_000_000, *limits, reference("152.45"))
    assert engine.band_limits == limits
    assert (event.order_id, event.reason) == ("s-1", CancelReason.OUTSIDE_BAND)


def test_moved_reference_cancels_what_is_now_outside(engine):
    for order_id, side, price in (
        ("b-low", "buy", "145.00"),
        ("b-high", "buy", "152.00"),
        ("s-low", "sell", "153.00"),
        ("s-high", "sell", "160.00"),
    ):
        engine.submit(limit(order_id, side, price))
    _, _, event = engine.set_reference(reference("158.00"), 3_000_000)
    assert (event.order_id, event.quantity, event.time) == ("b-low", 100, 3_000_000)
    assert (event.reason, event.price) == (CancelReason.OUTSIDE_BAND, Decimal("145.00"))
    assert (event.reference, event.reference_age) == (reference("158.00"), 1_000_000)
    _, _, *cancelled = engine.set_reference(reference("145.00"))
    assert [one.order_id for one in cancelled] == ["s-high", "s-low"]


def test_order_on_the_edge_of_the_moved_band_stays(engine):
    engine.submit(limit("b-1", "buy", "152.25"))
    assert len(engine.set_reference(reference("145.00"))) == 2
    assert len(engine.set_reference(reference("144.99"))) == 3


def test_network_is_asked_at_each_command():
    network = Network()
    engine = ConsensusMatchingEngine("AAPL", network)
    network.latest = reference("152.45")
    engine.submit(limit("b-1", "buy", "145.00"), 3_000_000)
    network.latest = reference("158.00", 4_000_000)
    events = engine.submit(limit("s-1", "sell", "164.00"), 5_000_000)
    assert [(type(event), event.time) for event in events] == [
        (ReferenceMoved, 5_000_000),
        (BandMoved, 5_000_000),
        (Cancelled, 5_000_000),
        (Accepted, 5_000_000),
    ]
    assert (events[2].order_id, events[2].reference_age) == ("b-1", 1_000_000)


def test_network_is_asked_before_a_cancel_too():
    network = Network()
    engine = ConsensusMatchingEngine("AAPL", network)
    network.latest = reference("152.45")
    engine.submit(limit("b-1", "buy", "145.00"))
    network.latest = reference("158.00")
    _, _, cancelled, rejected = engine.cancel("b-1")
    assert cancelled.reason is CancelReason.OUTSIDE_BAND
    assert rejected.reason is RejectReason.UNKNOWN_ID


def test_newer_block_with_the_same_price_makes_the_reference_young():
    network = Network()
    engine = ConsensusMatchingEngine("AAPL", network)
    network.latest = reference("152.45")
    engine.submit(limit("x-1", "buy", "182.94"), 6_000_000)
    network.latest = reference("152.45", 5_000_000)
    engine.submit(limit("x-2", "buy", "182.94"), 6_000_000)
    rejected = [event for event in engine.events if isinstance(event, Rejected)]
    assert [event.reference_age for event in rejected] == [4_000_000, 1_000_000]


def test_network_is_asked_before_a_price_is_validated():
    network = Network()
    engine = ConsensusMatchingEngine("AAPL", network)
    network.latest = reference("152.45")
    assert engine.validate_trade_price("145.00")
    network.latest = reference("158.00")
    assert engine.get_latest_consensus_price() == Decimal("158.00")
    assert engine.reference.price == Decimal("152.45")
    assert not engine.validate_trade_price("145.00")
    assert engine.reference.price == Decimal("158.00")


@pytest.mark.parametrize(
    ("price", "valid"),
    [("149.40", True), ("155.50", True), ("182.94", False), ("160.07", True), ("160.08", False)],
)
def test_validate_trade_price(engine, price, valid):
    assert engine.validate_trade_price(Decimal(price)) is valid


def test_validate_trade_price_refuses_what_is_no_price(engine):
    with pytest.raises(InvalidInput, match="price"):
        engine.validate_trade_price(Decimal("NaN"))


def test_band_can_be_narrower():
    engine = ConsensusMatchingEngine("AAPL", band=ConsensusBand(percent=1))
    engine.set_reference(reference("100.00"))
    assert isinstance(engine.submit(limit("b-1", "buy", "101.00"))[0], Accepted)
    assert engine.submit(limit("b-2", "buy", "101.01"))[0].reason is RejectReason.OUTSIDE_BAND


def test_command_without_time_happens_at_the_latest_known_instant(engine):
    assert engine.submit(limit("b-1", "buy", "150.00"))[0].time == 1_000_000
    engine.submit(limit("b-2", "buy", "150.00"), 6_000_000)
    assert engine.submit(limit("b-3", "buy", "150.00"))[0].time == 6_000_000
    engine.set_reference(reference("152.45", 8_000_000))
    assert engine.cancel("b-1")[0].time == 8_000_000


def test_reference_from_a_network_brings_its_time():
    network = Network()
    network.latest = reference("152.45", 8_000_000)
    engine = ConsensusMatchingEngine("AAPL", network)
    assert engine.submit(limit("b-1", "buy", "150.00"))[0].time == 8_000_000


@pytest.mark.parametrize("time", [999_999, -1, 2_000_000.0, "2s", True])
def test_time_that_is_none_or_runs_backwards_is_refused(engine, time):
    with pytest.raises(InvalidInput, match="whole microseconds, not before 1000000"):
        engine.submit(limit("b-1", "buy", "150.00"), time)
    with pytest.raises(InvalidInput):
        engine.cancel("b-1", time)
    with pytest.raises(InvalidInput):
        engine.set_reference(reference("152.45"), time)
    for act in (engine.end_day, engine.halt, engine.resume, engine.advance):
        with pytest.raises(InvalidInput):
            act(time)
    for act in (engine.reduce, engine.replace):
        with pytest.raises(InvalidInput):
            act("b-1", quantity=1, time=time)
    assert (len(engine.book), len(engine.events)) == (0, 2)


def test_a_truth_value_is_no_time():
    with pytest.raises(InvalidInput, match="time: True"):
        ConsensusMatchingEngine("AAPL").cancel("b-1", True)


def test_reference_from_the_future_is_refused(engine):
    before = engine.reference
    with pytest.raises(InvalidInput, match=r"reference\.time: 2000000 .* not after 1500000"):
        engine.set_reference(reference("158.00"), 1_500_000)
    assert engine.reference == before


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("symbol", {"symbol": ""}),
        ("without_reference", {"without_reference": "maybe"}),
        ("self_trade", {"self_trade": "forbidden"}),
    ],
)
def test_bad_settings_are_named(field, arguments):
    with pytest.raises(InvalidInput) as caught:
        ConsensusMatchingEngine(**{"symbol": "AAPL", **arguments})
    assert caught.value.field == field


def test_events_and_trades_are_numbered(engine):
    engine.submit(limit("s-1", "sell", "152.00", 50))
    engine.submit(limit("b-1", "buy", "152.00", 20))
    engine.submit(limit("b-2", "buy", "152.00", 20))
    assert [event.sequence for event in engine.events] == [0, 1, 2, 3, 4, 5, 6]
    assert [trade.trade_id for trade in engine.trades] == [0, 1]
    assert [event.time for event in engine.events] == [1_000_000] * 7


def test_log_reads_as_in_the_description_with_reason_and_age(engine, caplog):
    caplog.set_level(logging.INFO, LOGGER)
    engine.process_order(limit("b-1", "buy", "149.40"))
    engine.process_order(limit("x-1", "sell", "182.94"), time=1_250_000)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "Processing order at $149.40 (consensus: $152.45)"),
        ("INFO", "Processing order at $182.94 (consensus: $152.45)"),
        (
            "INFO",
            (
                "Trade rejected: Price $182.94 deviates 20.00% from consensus $152.45 "
                "[outside_band, reference final for 0.250000 s]"
            ),
        ),
    ]
    assert caplog.records[-1].event == engine.events[-1]


def test_log_of_orders_without_price_or_consensus(caplog):
    caplog.set_level(logging.INFO, LOGGER)
    ConsensusMatchingEngine("AAPL").submit(Order.market("b-1", "AAPL", "buy", 1))
    assert caplog.messages == [
        "Processing order at market (consensus: none yet)",
        "Trade rejected: No consensus price has been finalized yet [no_consensus]",
    ]


def test_cancellations_are_logged_with_their_reason(engine, caplog):
    engine.submit(limit("b-1", "buy", "145.00"))
    caplog.set_level(logging.INFO, LOGGER)
    engine.set_reference(reference("158.00"))
    assert caplog.messages == [
        (
            "Order cancelled: Price $145.00 deviates 8.23% from consensus $158.00 "
            "[outside_band, reference final for 0.000000 s]"
        )
    ]


def test_prices_are_not_put_into_words_when_nobody_listens(engine, caplog, monkeypatch):
    def fail(price):
        pytest.fail("formatted a price that is not logged")

    monkeypatch.setattr("streamlet_lab.matching.engine.format_price", fail)
    monkeypatch.setattr("streamlet_lab.matching.events.format_price", fail)
    caplog.set_level(logging.ERROR, LOGGER)
    engine.submit(limit("x-1", "sell", "182.94"))
    assert len(engine.events) == 3
