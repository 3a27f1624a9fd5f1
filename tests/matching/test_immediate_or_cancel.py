from streamlet_lab.matching import Accepted, Cancelled, CancelReason, Traded

from .calling import kinds, limit


def ioc():
    return limit("b-1", "buy", "152.50", 15, time_in_force="ioc")


def test_takes_what_there_is_at_its_price_and_the_rest_goes(engine):
    engine.submit(limit("s-1", "sell", "152.00"))
    engine.submit(limit("s-2", "sell", "153.00"))
    events = engine.submit(ioc())
    assert kinds(events) == [Accepted, Traded, Cancelled]
    assert (events[2].reason, events[2].quantity) == (CancelReason.IMMEDIATE_OR_CANCEL, 5)
    assert engine.book.best_bid is None


def test_finds_nobody_and_goes_whole(engine):
    _, cancelled = engine.submit(ioc())
    assert (cancelled.reason, cancelled.quantity) == (CancelReason.IMMEDIATE_OR_CANCEL, 15)
