import pytest

from streamlet_lab.matching import Expired, Instrument

from .calling import engine_at, ids, limit


def rest(engine, order_id, lasts="day", time=None, **more):
    engine.submit(limit(order_id, "buy", "150.00", time_in_force=lasts, **more), time)


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
    assert ids(engine.book.bids) == ["b-2", "b-3"]


def test_without_a_session_a_day_lasts_until_it_is_ended(engine):
    rest(engine, "b-1")
    assert engine.advance(1 << 40) == []
    assert len(engine.book) == 1


@pytest.mark.parametrize(("accepted", "ends"), [(0, 100), (99, 100), (100, 200), (101, 200)])
def test_session_ends_its_day_orders(accepted, ends):
    engine = engine_at("152.45", Instrument("AAPL", day=100))  # microseconds
    rest(engine, "b-1", time=accepted)
    assert engine.advance(ends - 1) == []
    assert engine.advance(ends) == [Expired(3, ends, "b-1", 10)]
