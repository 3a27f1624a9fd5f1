from decimal import Decimal

import pytest

from streamlet_lab.matching import (
    Order,
    RejectReason,
    Replaced,
    Traded,
)


@pytest.fixture
def queue(engine):
    """Three orders to buy 100 at $150.00."""
    for order_id in ("b-1", "b-2", "b-3"):
        engine.submit(Order.limit(order_id, "AAPL", "buy", 100, "150.00"))
    return engine


def ids(engine):
    return [order.order.order_id for order in engine.book.bids]


def test_smaller_size_keeps_the_place(queue):
    (event,) = queue.replace("b-1", quantity=30, time=2_000_000)
    assert event == Replaced(5, 2_000_000, "b-1", Decimal("150.00"), 30, True)
    assert ids(queue) == ["b-1", "b-2", "b-3"]
    assert queue.book.find("b-1").remaining == 30


def test_larger_size_queues_again(queue):
    (event,) = queue.replace("b-1", quantity=101)
    assert (event.quantity, event.keeps_priority) == (101, False)
    assert ids(queue) == ["b-2", "b-3", "b-1"]


def test_new_price_queues_again_and_its_smaller_size_does_not_help(queue):
    queue.submit(Order.limit("b-4", "AAPL", "buy", 100, "151.00"))
    (event,) = queue.replace("b-1", price="151.00", quantity=50)
    assert event == Replaced(6, 1_000_000, "b-1", Decimal("151.00"), 50, False)
    assert ids(queue) == ["b-4", "b-1", "b-2", "b-3"]


def test_may_trade_and_what_is_left_rests(queue):
    queue.submit(Order.limit("s-1", "AAPL", "sell", 30, "152.00"))
    replaced, traded = queue.replace("b-2", price="152.00")
    assert isinstance(traded, Traded)
    assert (traded.trade.price, traded.trade.quantity) == (Decimal("152.00"), 30)
    assert (traded.buy_remaining, traded.sell_remaining) == (70, 0)
    assert queue.book.find("b-2").remaining == 70
    assert queue.book.find("b-2").priority == replaced.sequence


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"price": "182.94"}, RejectReason.OUTSIDE_BAND),
        ({"price": "150.005"}, RejectReason.OFF_TICK),
        ({"price": "NaN"}, RejectReason.INVALID_PRICE),
        ({"price": 0}, RejectReason.INVALID_PRICE),
        ({"price": "-150.00"}, RejectReason.INVALID_PRICE),
        ({"price": "1E+40"}, RejectReason.INVALID_PRICE),
        ({"quantity": 0}, RejectReason.INVALID_QUANTITY),
        ({"quantity": -5}, RejectReason.INVALID_QUANTITY),
        ({"quantity": 2.5}, RejectReason.INVALID_QUANTITY),
        ({"quantity": 10**10}, RejectReason.INVALID_QUANTITY),
    ],
)
def test_refused_it_leaves_the_order_as_it_was(queue, fields, reason):
    before = queue.state()
    (event,) = queue.replace("b-1", **fields)
    assert (event.reason, event.order_id, event.command) == (reason, "b-1", "replace")
    assert event.message.startswith("Replace rejected: ")
    assert queue.state() == before._replace(events=before.events + 1)


def test_unknown_order_is_refused(queue):
    (event,) = queue.replace("b-9", price="150.00")
    assert event.reason is RejectReason.UNKNOWN_ID
