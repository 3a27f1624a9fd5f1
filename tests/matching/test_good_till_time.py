import pytest

from streamlet_lab.matching import RejectReason

from .calling import limit


def gtt(order_id, expires):
    return limit(order_id, "buy", "150.00", time_in_force="gtt", expires=expires)


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
