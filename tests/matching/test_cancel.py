from streamlet_lab.matching import Cancelled, CancelReason, RejectReason

from .calling import limit, market


def rest(engine, *order_ids):
    for order_id in order_ids:
        engine.submit(limit(order_id, "buy", "150.00", 100))


def test_takes_the_order_out_of_the_book(engine):
    rest(engine, "b-1")
    (event,) = engine.cancel("b-1", 7_000_000)
    assert isinstance(event, Cancelled)
    assert (event.reason, event.order_id) == (CancelReason.REQUESTED, "b-1")
    assert (event.quantity, event.time) == (100, 7_000_000)
    assert len(engine.book) == 0
    assert engine.book.best_bid is None


def test_others_keep_their_places(engine):
    rest(engine, "b-1", "b-2", "b-3")
    engine.cancel("b-2")
    trades = engine.process_order(market("s-1", "sell", 200))
    assert [trade.buy_order_id for trade in trades] == ["b-1", "b-3"]


def test_what_is_not_in_the_book_or_not_any_more_is_refused(engine):
    rest(engine, "b-1", "b-2")
    engine.cancel("b-2")
    for order_id in ("b-9", "b-2"):
        (event,) = engine.cancel(order_id)
        assert (event.reason, event.order_id) == (RejectReason.UNKNOWN_ID, order_id)
        assert (event.order, event.price) == (None, None)
    assert len(engine.book) == 1
