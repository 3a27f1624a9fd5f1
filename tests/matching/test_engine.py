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
    Reference,
    ReferenceMoved,
    RejectReason,
)

from .calling import Network, kinds, limit, move


def reference(price, time=2_000_000):
    return Reference(Decimal(price), time)


def test_before_the_first_reference_orders_are_rejected():
    engine = ConsensusMatchingEngine("AAPL")
    (event,) = engine.submit(limit("b-1", "buy", "149.40"))
    assert event.reason is RejectReason.NO_CONSENSUS
    assert (event.price, event.reference, event.reference_age) == (Decimal("149.40"), None, None)
    assert engine.get_latest_consensus_price() is None
    assert not engine.validate_trade_price("149.40")


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
    assert (event.order_id, event.quantity, event.time) == ("b-low", 10, 3_000_000)
    assert (event.reason, event.price) == (CancelReason.OUTSIDE_BAND, Decimal("145.00"))
    assert (event.reference, event.reference_age) == (reference("158.00"), 1_000_000)
    _, _, *cancelled = move(engine, "145.00")
    assert [one.order_id for one in cancelled] == ["s-high", "s-low"]


def test_network_is_asked_at_each_command():
    network = Network()
    engine = ConsensusMatchingEngine("AAPL", network)
    network.latest = reference("152.45")
    engine.submit(limit("b-1", "buy", "145.00"), 3_000_000)
    network.latest = reference("158.00", 4_000_000)
    events = engine.submit(limit("s-1", "sell", "164.00"), 5_000_000)
    assert kinds(events) == [ReferenceMoved, BandMoved, Cancelled, Accepted]
    assert {event.time for event in events} == {5_000_000}
    assert (events[2].order_id, events[2].reference_age) == ("b-1", 1_000_000)


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


@pytest.mark.parametrize("time", [999_999, -1, 2_000_000.0, "2s", True])
def test_time_that_is_none_or_runs_backwards_is_refused(engine, time):
    with pytest.raises(InvalidInput, match="whole microseconds, not before 1000000"):
        engine.submit(limit("b-1", "buy", "150.00"), time)
    for act, *arguments in (
        (engine.cancel, "b-1"),
        (engine.set_reference, reference("152.45")),
        (engine.end_day,),
        (engine.halt,),
        (engine.resume,),
        (engine.advance,),
        (engine.reduce, "b-1", 1),
    ):
        with pytest.raises(InvalidInput):
            act(*arguments, time)
    with pytest.raises(InvalidInput):
        engine.replace("b-1", quantity=1, time=time)
    assert (len(engine.book), len(engine.events)) == (0, 2)


def test_reference_from_the_future_is_refused(engine):
    before = engine.reference
    with pytest.raises(InvalidInput, match=r"reference\.time: 2000000 .* not after 1500000"):
        engine.set_reference(reference("158.00"), 1_500_000)
    assert engine.reference == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("symbol", ""),
        ("without_reference", "maybe"),
        ("self_trade", "forbidden"),
        *(("band", band) for band in (5, ConsensusBand, "consensus")),
        *(("pace", pace) for pace in (0, -1, 0.5)),
    ],
)
def test_bad_settings_are_named(field, value):
    with pytest.raises(InvalidInput) as caught:
        ConsensusMatchingEngine(**{"symbol": "AAPL", field: value})
    assert caught.value.field == field


def test_log_reads_as_in_the_description_with_reason_and_age(engine, caplog):
    caplog.set_level(logging.INFO, "streamlet_lab.matching")
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


def test_log_tells_what_was_due_before_the_order_and_each_once(engine, caplog):
    engine.submit(limit("b-1", "buy", "145.00"))
    caplog.set_level(logging.INFO, "streamlet_lab.matching")
    move(engine, "158.00")
    engine.cancel("b-1")
    engine.submit(limit("b-2", "buy", "158.00", time_in_force="ioc"))
    found = [record.getMessage().split(" ")[:2] for record in caplog.records]
    told = [["Order", "cancelled:"], ["Cancel", "rejected:"]]
    assert found == [*told, ["Processing", "order"], ["Order", "cancelled:"]]
