from streamlet_lab.matching import Cancelled, CancelReason, Order, Rejected, RejectReason


def rest(engine, order_id="b-1", quantity=100):
    engine.submit(Order.limit(order_id, "AAPL", "buy", quantity, "150.00"))


def assert_unknown(events, order_id):
    (event,) = events
    assert isinstance(event, Rejected)
    assert (event.reason, event.order_id) == (RejectReason.UNKNOWN_ID, order_id)
    assert (event.order, event.price) == (None, None)


def test_takes_the_order_out_of_the_book(engine):
    rest(engine)
    (event,) = engine.cancel("b-1", 7_000_000)
    assert isinstance(event, Cancelled)
    assert (event.reason, event.order_id, event.quantity, event.time) == (
        CancelReason.REQUESTED,
        "b-1",
        100,
        7_000_000,
    )
    assert len(engine.book) == 0
    assert engine.book.best_bid is None


def test_others_keep_their_places(engine):
    for order_id in ("b-1", "b-2", "b-3"):
        rest(engine, order_id)
    engine.cancel("b-2")
    trades = engine.process_order(Order.market("s-1", "AAPL", "sell", 200))
    assert [trade.buy_order_id for trade in trades] == ["b-1", "b-3"]


def test_unknown_order_is_refused(engine):
    rest(engine)
    assert_unknown(engine.cancel("b-9"), "b-9")
    assert len(engine.book) == 1


def test_cancelled_order_is_refused_the_second_time(engine):
    rest(engine)
    engine.cancel("b-1")
    assert_unknown(engine.cancel("b-1"), "b-1")
