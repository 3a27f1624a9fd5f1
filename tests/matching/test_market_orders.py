from decimal import Decimal

import pytest

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching import (
    Accepted,
    Cancelled,
    CancelReason,
    ConsensusMatchingEngine,
    Order,
    Reference,
    RejectReason,
    Traded,
)


def ask(engine, order_id, price, quantity):
    engine.submit(Order.limit(order_id, "AAPL", "sell", quantity, price))


def test_walks_down_the_book(engine):
    ask(engine, "s-2", "153.00", 10)
    ask(engine, "s-1", "152.00", 10)
    trades = engine.process_order(Order.market("b-1", "AAPL", "buy", 15))
    assert [(str(trade.price), trade.quantity) for trade in trades] == [
        ("152.00", 10),
        ("153.00", 5),
    ]
    assert engine.book.find("s-2").remaining == 5


def test_sells_to_the_highest_bid_first(engine):
    for order_id, price in (("b-1", "150.00"), ("b-2", "151.00")):
        engine.submit(Order.limit(order_id, "AAPL", "buy", 10, price))
    trades = engine.process_order(Order.market("s-1", "AAPL", "sell", 20))
    assert [trade.buy_order_id for trade in trades] == ["b-2", "b-1"]


def test_on_an_empty_book_is_accepted_and_cancelled(engine):
    events = engine.submit(Order.market("b-1", "AAPL", "buy", 15))
    assert [type(event) for event in events] == [Accepted, Cancelled]
    assert (events[1].reason, events[1].quantity) == (CancelReason.NO_LIQUIDITY, 15)
    assert (events[1].price, events[1].reference, events[1].reference_age) == (None, None, None)
    assert len(engine.book) == 0


def test_remainder_is_cancelled_when_the_book_runs_dry(engine):
    ask(engine, "s-1", "152.00", 10)
    events = engine.submit(Order.market("b-1", "AAPL", "buy", 15))
    assert [type(event) for event in events] == [Accepted, Traded, Cancelled]
    assert (events[2].reason, events[2].quantity) == (CancelReason.NO_LIQUIDITY, 5)


def test_exactly_filled_order_leaves_nothing_to_cancel(engine):
    ask(engine, "s-1", "152.00", 10)
    events = engine.submit(Order.market("b-1", "AAPL", "buy", 10))
    assert [type(event) for event in events] == [Accepted, Traded]


def test_stops_at_the_first_price_outside_the_band(keeping_engine):
    engine = keeping_engine
    engine.cancel("s-1")
    engine.set_reference(Reference(Decimal("182.94"), 2_000_000))
    ask(engine, "s-2", "182.94", 10)
    engine.set_reference(Reference(Decimal("152.45"), 3_000_000))
    ask(engine, "s-3", "152.00", 10)
    events = engine.submit(Order.market("b-1", "AAPL", "buy", 15))
    assert [type(event) for event in events] == [Accepted, Traded, Cancelled]
    assert (events[2].reason, events[2].quantity) == (CancelReason.OUTSIDE_BAND, 5)
    assert (events[2].price, events[2].deviation_percent) == (Decimal("182.94"), 20)
    assert engine.book.find("s-2").remaining == 10


@pytest.mark.parametrize("lasts", ["gtc", "gtt"])
def test_never_rests(lasts):
    with pytest.raises(InvalidInput, match=r"time_in_force: .* because this is a market order"):
        Order.market("b-1", "AAPL", "buy", 15, time_in_force=lasts)


def test_is_rejected_before_the_first_reference():
    engine = ConsensusMatchingEngine("AAPL")
    (event,) = engine.submit(Order.market("b-1", "AAPL", "buy", 15))
    assert event.reason is RejectReason.NO_CONSENSUS
    assert (event.price, event.reference) == (None, None)
