from decimal import Decimal

import pytest

from streamlet_lab.matching import ConsensusMatchingEngine, Expired, Instrument, Order, Reference


def rest(engine, order_id, lasts="day", time=None, **more):
    order = Order.limit(order_id, "AAPL", "buy", 10, "150.00", time_in_force=lasts, **more)
    return engine.submit(order, time)


@pytest.fixture
def session_engine():
    """An engine whose trading days are 100 microseconds long."""
    engine = ConsensusMatchingEngine(Instrument("AAPL", day=100))
    engine.set_reference(Reference(Decimal("152.45"), 0))
    return engine


def test_end_of_the_day_ends_day_orders_only_in_the_order_of_acceptance(engine):
    rest(engine, "b-1")
    rest(engine, "b-2", "gtc")
    rest(engine, "b-3", "gtt", expires=9_000_000)
    rest(engine, "b-4")
    engine.replace("b-1", quantity=20)
    assert engine.end_day(2_000_000) == [
        Expired(7, 2_000_000, "b-1", 20),
        Expired(8, 2_000_000, "b-4", 10),
    ]
    assert [order.order.order_id for order in engine.book.bids] == ["b-2", "b-3"]


def test_without_a_session_a_day_lasts_until_it_is_ended(engine):
    rest(engine, "b-1")
    assert engine.advance(1 << 40) == []
    assert len(engine.book) == 1


@pytest.mark.parametrize(("accepted", "ends"), [(0, 100), (99, 100), (100, 200), (101, 200)])
def test_session_ends_its_day_orders(session_engine, accepted, ends):
    rest(session_engine, "b-1", time=accepted)
    assert session_engine.advance(ends - 1) == []
    assert session_engine.advance(ends) == [Expired(3, ends, "b-1", 10)]
