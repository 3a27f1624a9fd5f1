from streamlet_lab.matching import Accepted, Cancelled, CancelReason, Order, Traded


def ioc(quantity, price):
    return Order.limit("b-1", "AAPL", "buy", quantity, price, time_in_force="ioc")


def test_takes_what_there_is_at_its_price_and_the_rest_goes(engine):
    for order_id, price in (("s-1", "152.00"), ("s-2", "153.00")):
        engine.submit(Order.limit(order_id, "AAPL", "sell", 10, price))
    events = engine.submit(ioc(15, "152.50"))
    assert [type(event) for event in events] == [Accepted, Traded, Cancelled]
    assert (events[2].reason, events[2].quantity) == (CancelReason.IMMEDIATE_OR_CANCEL, 5)
    assert engine.book.best_bid is None


def test_finds_nobody_and_goes_whole(engine):
    _, cancelled = engine.submit(ioc(15, "152.50"))
    assert (cancelled.reason, cancelled.quantity) == (CancelReason.IMMEDIATE_OR_CANCEL, 15)
