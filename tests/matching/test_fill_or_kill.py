from decimal import Decimal

import pytest

from streamlet_lab.matching import (
    Accepted,
    Cancelled,
    CancelReason,
    ConsensusMatchingEngine,
    Order,
    Reference,
    Traded,
)


def fok(quantity, price="152.50", trader=""):
    return Order.limit("b-1", "AAPL", "buy", quantity, price, trader, time_in_force="fok")


def ask(engine, order_id, price, quantity, trader=""):
    engine.submit(Order.limit(order_id, "AAPL", "sell", quantity, price, trader))


def assert_killed(events, quantity):
    accepted, cancelled = events
    assert isinstance(accepted, Accepted)
    assert isinstance(cancelled, Cancelled)
    assert (cancelled.reason, cancelled.quantity) == (CancelReason.FILL_OR_KILL, quantity)


def test_trades_whole_over_several_prices(engine):
    ask(engine, "s-1", "152.00", 10)
    ask(engine, "s-2", "152.50", 10)
    events = engine.submit(fok(20))
    assert [type(event) for event in events] == [Accepted, Traded, Traded]


def test_one_share_too_few_and_nothing_trades(engine):
    ask(engine, "s-1", "152.00", 10)
    ask(engine, "s-2", "152.50", 9)
    ask(engine, "s-3", "152.51", 9)
    before = engine.book.depth()
    assert_killed(engine.submit(fok(20)), 20)
    assert engine.book.depth() == before


@pytest.mark.parametrize(
    ("policy", "killed"),
    [
        ("none", False),
        ("cancel_oldest", False),
        ("cancel_newest", True),
        ("cancel_both", True),
        ("decrement", True),
    ],
)
def test_own_orders_on_the_way_count_only_where_the_rest_still_trades_whole(policy, killed):
    engine = ConsensusMatchingEngine("AAPL", self_trade=policy)
    engine.set_reference(Reference(Decimal("152.45"), 0))
    ask(engine, "s-1", "152.00", 10, "ann")
    ask(engine, "s-2", "152.50", 20, "bob")
    events = engine.submit(fok(20, trader="ann"))
    if killed:
        assert_killed(events, 20)
        assert len(engine.book) == 2
    else:
        traded = sum(event.trade.quantity for event in events if isinstance(event, Traded))
        assert traded == 20
