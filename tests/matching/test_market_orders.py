from decimal import Decimal

from streamlet_lab.matching import Accepted, Cancelled, CancelReason, Traded

from .calling import kinds, limit, market, move


def test_walks_down_the_book(engine):
    engine.submit(limit("s-2", "sell", "153.00"))
    engine.submit(limit("s-1", "sell", "152.00"))
    trades = engine.process_order(market("b-1", "buy", 15))
    found = [(str(trade.price), trade.quantity) for trade in trades]
    assert found == [("152.00", 10), ("153.00", 5)]
    assert engine.book.find("s-2").remaining == 5


def test_on_an_empty_book_is_accepted_and_cancelled(engine):
    events = engine.submit(market("b-1", "buy", 15))
    assert kinds(events) == [Accepted, Cancelled]
    assert (events[1].reason, events[1].quantity) == (CancelReason.NO_LIQUIDITY, 15)
    assert (events[1].price, events[1].reference, events[1].reference_age) == (None, None, None)
    assert len(engine.book) == 0


def test_remainder_is_cancelled_when_the_book_runs_dry(engine):
    engine.submit(limit("s-1", "sell", "152.00"))
    events = engine.submit(market("b-1", "buy", 15))
    assert kinds(events) == [Accepted, Traded, Cancelled]
    assert (events[2].reason, events[2].quantity) == (CancelReason.NO_LIQUIDITY, 5)


def test_stops_at_the_first_price_outside_the_band(keeping_engine):
    engine = keeping_engine
    engine.cancel("s-1")
    move(engine, "182.94")
    engine.submit(limit("s-2", "sell", "182.94"))
    move(engine, "152.45")
    engine.submit(limit("s-3", "sell", "152.00"))
    events = engine.submit(market("b-1", "buy", 15))
    assert kinds(events) == [Accepted, Traded, Cancelled]
    assert (events[2].reason, events[2].quantity) == (CancelReason.OUTSIDE_BAND, 5)
    assert (events[2].price, events[2].deviation_percent) == (Decimal("182.94"), 20)
    assert engine.book.find("s-2").remaining == 10
