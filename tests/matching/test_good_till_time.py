import pytest

from streamlet_lab.matching import Accepted, CancelReason, Expired, RejectReason

from .calling import limit


def gtt(order_id, expires):
    return limit(order_id, "buy", "150.00", time_in_force="gtt", expires=expires)


def test_expires_at_its_instant_before_anything_else(engine):
    engine.submit(gtt("b-1", 5_000_000))
    expired, accepted = engine.submit(limit("s-1", "sell", "150.00"), 5_000_000)
    assert expired == Expired(3, 5_000_000, "b-1", 10)
    assert isinstance(accepted, Accepted)
    assert len(engine.trades) == 0


def test_several_expire_by_instant_then_by_acceptance_and_each_at_its_own_time(engine):
    for order_id, expires in (("b-1", 4_000_000), ("b-2", 3_000_000), ("b-3", 3_000_000)):
        engine.submit(gtt(order_id, expires))
    events = engine.advance(9_000_000)
    assert [(event.order_id, event.time) for event in events] == [
        ("b-2", 3_000_000),
        ("b-3", 3_000_000),
        ("b-1", 4_000_000),
    ]
    assert engine.now == 9_000_000


@pytest.mark.parametrize("expires", [1, 999_999, 1_000_000])
def test_comes_too_late_where_its_instant_has_been_reached(engine, expires):
    (event,) = engine.submit(gtt("b-1", expires))
    assert event.reason is RejectReason.TOO_LATE
    assert len(engine.book) == 0


def test_order_that_is_gone_does_not_expire(engine):
    engine.submit(gtt("b-1", 5_000_000))
    (event,) = engine.cancel("b-1")
    assert event.reason is CancelReason.REQUESTED
    assert engine.advance(6_000_000) == []


def test_replacement_keeps_its_instant(engine):
    engine.submit(gtt("b-1", 5_000_000))
    engine.replace("b-1", price="151.00", time=2_000_000)
    (event,) = engine.advance(6_000_000)
    assert (event.order_id, event.time) == ("b-1", 5_000_000)
