from decimal import Decimal

from streamlet_lab.matching import (
    Accepted,
    Cancelled,
    CancelReason,
    Order,
    Reference,
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
