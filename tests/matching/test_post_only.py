from decimal import Decimal

import pytest

from streamlet_lab.matching import Accepted, Order, RejectReason


def post(side, price, order_id="p-1"):
    return Order.limit(order_id, "AAPL", side, 10, price, post_only=True)


@pytest.mark.parametrize(("side", "price"), [("buy", "153.00"), ("sell", "152.00")])
def test_is_refused_where_it_would_trade_and_changes_nothing(engine, side, price):
    engine.submit(Order.limit("b-1", "AAPL", "buy", 10, "152.00"))
    engine.submit(Order.limit("s-1", "AAPL", "sell", 10, "153.00"))
    before = engine.book.depth()
    (event,) = engine.submit(post(side, price))
    assert (event.reason, event.price) == (RejectReason.WOULD_TRADE, Decimal(price))
    assert engine.book.depth() == before


@pytest.mark.parametrize(("side", "price"), [("buy", "152.99"), ("sell", "152.01")])
def test_rests_one_tick_short_of_the_other_side(engine, side, price):
    engine.submit(Order.limit("b-1", "AAPL", "buy", 10, "152.00"))
    engine.submit(Order.limit("s-1", "AAPL", "sell", 10, "153.00"))
    (event,) = engine.submit(post(side, price))
    assert isinstance(event, Accepted)
    assert engine.book.find("p-1").price == Decimal(price)


def test_replacement_that_would_trade_is_refused_too(engine):
    engine.submit(post("buy", "152.00"))
    engine.submit(Order.limit("s-1", "AAPL", "sell", 10, "153.00"))
    (event,) = engine.replace("p-1", price="153.00")
    assert event.reason is RejectReason.WOULD_TRADE
    assert engine.book.find("p-1").price == Decimal("152.00")
