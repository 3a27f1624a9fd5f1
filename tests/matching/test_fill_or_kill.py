import pytest

from streamlet_lab.matching import Accepted, CancelReason, Traded

from .calling import engine_at, kinds, limit


def fok(trader=""):
    return limit("b-1", "buy", "152.50", 20, trader, time_in_force="fok")


def assert_killed(events):
    accepted, cancelled = events
    assert isinstance(accepted, Accepted)
    assert (cancelled.reason, cancelled.quantity) == (CancelReason.FILL_OR_KILL, 20)


def test_trades_whole_over_several_prices(engine):
    engine.submit(limit("s-1", "sell", "152.00"))
    engine.submit(limit("s-2", "sell", "152.50"))
    assert kinds(engine.submit(fok())) == [Accepted, Traded, Traded]


def test_one_share_too_few_and_nothing_trades(engine):
    engine.submit(limit("s-1", "sell", "152.00", 10))
    engine.submit(limit("s-2", "sell", "152.50", 9))
    engine.submit(limit("s-3", "sell", "152.51", 9))
    before = engine.book.depth()
    assert_killed(engine.submit(fok()))
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
    engine = engine_at("152.45", self_trade=policy)
    engine.submit(limit("s-1", "sell", "152.00", 10, "ann"))
    engine.submit(limit("s-2", "sell", "152.50", 20, "bob"))
    events = engine.submit(fok("ann"))
    if killed:
        assert_killed(events)
        assert len(engine.book) == 2
    else:
        assert sum(one.trade.quantity for one in events if isinstance(one, Traded)) == 20
