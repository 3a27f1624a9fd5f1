from decimal import Decimal

import pytest

from streamlet_lab.matching import RejectReason, Replaced, Traded

from .calling import assert_only_refused, ids, limit, state_of


@pytest.fixture
def queue(engine):
    """Three orders to buy 100 at $150.00."""
    for order_id in ("b-1", "b-2", "b-3"):
        engine.submit(limit(order_id, "buy", "150.00", 100))
    return engine


def test_smaller_size_keeps_the_place(queue):
    (event,) = queue.replace("b-1", quantity=30, time=2_000_000)
    assert event == Replaced(5, 2_000_000, "b-1", Decimal("150.00"), 30, True)
    assert ids(queue.book.bids) == ["b-1", "b-2", "b-3"]
    assert queue.book.find("b-1").remaining == 30


def test_larger_size_queues_again(queue):
    (event,) = queue.replace("b-1", quantity=101)
    assert (event.quantity, event.keeps_priority) == (101, False)
    assert ids(queue.book.bids) == ["b-2", "b-3", "b-1"]


def test_new_price_queues_again_and_its_smaller_size_does_not_help(queue):
    queue.submit(limit("b-4", "buy", "151.00"))
    (event,) = queue.replace("b-1", price="151.00", quantity=50)
    assert event == Replaced(6, 1_000_000, "b-1", Decimal("151.00"), 50, False)
    assert ids(queue.book.bids) == ["b-4", "b-1", "b-2", "b-3"]


def test_may_trade_and_what_is_left_rests(queue):
    queue.submit(limit("s-1", "sell", "152.00", 30))
    replaced, traded = queue.replace("b-2", price="152.00")
    assert isinstance(traded, Traded)
    assert (traded.trade.price, traded.trade.quantity) == (Decimal("152.00"), 30)
    assert (traded.buy_remaining, traded.sell_remaining) == (70, 0)
    left = queue.book.find("b-2")
    assert (left.remaining, left.priority) == (70, replaced.sequence)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"price": "182.94"}, RejectReason.OUTSIDE_BAND),
        ({"price": "150.005"}, RejectReason.OFF_TICK),
        *(
            ({"price": price}, RejectReason.INVALID_PRICE)
            for price in ("NaN", 0, "-150.00", "1E+40")
        ),
        *(
            ({"quantity": quantity}, RejectReason.INVALID_QUANTITY)
            for quantity in (0, -5, 2.5, 10**10)
        ),
    ],
)
def test_refused_it_leaves_the_order_as_it_was(queue, fields, reason):
    before = state_of(queue)
    (event,) = queue.replace("b-1", **fields)
    assert (event.reason, event.order_id, event.command) == (reason, "b-1", "replace")
    assert event.message.startswith("Replace rejected: ")
    assert_only_refused(queue, before)


def test_unknown_order_is_refused(queue):
    (event,) = queue.replace("b-9", price="150.00")
    assert event.reason is RejectReason.UNKNOWN_ID
