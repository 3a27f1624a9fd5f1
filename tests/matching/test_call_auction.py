"""A call auction in the engine: what it collects and refuses, how it ends, what follows."""

from decimal import Decimal

import pytest

from streamlet_lab.matching import (
    Accepted,
    BandMoved,
    CancelReason,
    MarketState,
    Reference,
    RejectReason,
    Side,
    StateChanged,
    Uncrossed,
    replay,
)

from .calling import Calling, assert_only_refused, engine_at, limit, market, state_of

OPEN, AUCTION = MarketState.OPEN, MarketState.AUCTION


def started(collar=None, **settings):
    """An engine with a reference of $100.00, where somebody asks $106.00 and nobody bids."""
    engine = engine_at("100.00", band=Calling(50, collar=collar), **settings)
    engine.submit(limit("s-1", "sell", "104.00", 4))
    engine.submit(limit("s-2", "sell", "106.00"))
    return engine


def collecting(self_trade, *orders):
    """An engine whose call auction began at 10 with nothing but an ask, and some more orders."""
    engine = started(self_trade=self_trade)
    engine.submit(market("b-0", "buy"), 10)
    for order in orders:
        engine.submit(limit(*order))
    return engine


@pytest.fixture
def engine():
    return started()


@pytest.fixture
def calling(engine):
    """A call auction that began at 10 with 6 shares that are bid for at $107.00."""
    engine.submit(limit("b-1", "buy", "107.00"), 10)
    return engine


def test_breach_stops_the_order_and_what_is_left_of_it_joins_the_call(engine):
    accepted, traded, changed = engine.submit(limit("b-1", "buy", "107.00"), 10)
    assert isinstance(accepted, Accepted)
    assert (traded.trade.price, traded.buy_remaining) == (Decimal("104.00"), 6)
    assert changed == StateChanged(changed.sequence, 10, AUCTION)
    assert (engine.book.best_bid, engine.book.best_ask) == (Decimal("107.00"), Decimal("106.00"))
    assert engine.market is AUCTION


@pytest.mark.parametrize(
    "order", [market("b-1", "buy"), limit("b-1", "buy", "107.00", time_in_force="ioc")]
)
def test_order_that_cannot_wait_begins_the_call_and_ends(engine, order):
    *_, changed, cancelled = engine.submit(order)
    assert changed.state is AUCTION
    assert (cancelled.reason, cancelled.quantity) == (CancelReason.IN_AUCTION, 6)
    assert len(engine.book.bids) == 0


def test_fill_or_kill_that_would_begin_a_call_is_killed(engine):
    _, cancelled = engine.submit(limit("b-1", "buy", "107.00", time_in_force="fok"))
    assert cancelled.reason is CancelReason.FILL_OR_KILL
    assert engine.market is OPEN


@pytest.mark.parametrize(
    "order",
    [
        market("x", "buy"),
        market("x", "buy", time_in_force="fok"),
        limit("x", "buy", "107.00", time_in_force="ioc"),
        limit("x", "buy", "90.00", time_in_force="fok"),
        limit("x", "buy", "90.00", post_only=True),
    ],
)
def test_call_refuses_what_cannot_wait_for_its_end(calling, order):
    before = state_of(calling)
    (event,) = calling.submit(order)
    assert event.reason is RejectReason.IN_AUCTION
    assert_only_refused(calling, before)


def test_end_trades_at_one_price_and_the_band_follows_it(calling):
    calling.submit(limit("s-3", "sell", "105.00", 3), 20)
    assert calling.advance(59) == []
    uncrossed, first, second, changed, moved = calling.advance(60)
    # At $106.00 and $107.00 all 6 shares trade and sellers are left over: the lower one.
    assert uncrossed == Uncrossed(uncrossed.sequence, 60, Decimal("106.00"), 6, -7)
    trades = [first.trade, second.trade]
    assert [one.price for one in trades] == [Decimal("106.00")] * 2
    assert [(one.sell_order_id, one.quantity) for one in trades] == [("s-3", 3), ("s-2", 3)]
    # The younger of two orders is the aggressor.
    assert [one.aggressor for one in trades] == [Side.SELL, Side.BUY]
    assert changed == StateChanged(changed.sequence, 60, OPEN)
    assert isinstance(moved, BandMoved)
    assert moved.reference == Reference(Decimal("106.00"), 60, kind="auction")
    assert (moved.low, moved.high) == (Decimal("100.70"), Decimal("111.30"))
    assert calling.band_reference == moved.reference
    assert calling.reference == Reference(Decimal("100.00"), 0)
    assert calling.band_limits == (moved.low, moved.high)


@pytest.mark.parametrize(("end", "state"), [("halt", MarketState.HALTED), ("resume", OPEN)])
def test_operator_ends_a_call_before_its_time_and_it_is_uncrossed(calling, end, state):
    uncrossed, traded, changed, moved = getattr(calling, end)(30)
    assert (uncrossed.price, traded.trade.quantity) == (Decimal("106.00"), 6)
    assert changed == StateChanged(changed.sequence, 30, state)
    assert isinstance(moved, BandMoved)
    assert calling.advance(1_000) == []


def test_shares_that_would_meet_their_own_trader_make_no_price():
    engine = collecting(
        "cancel_both",
        ("b-1", "buy", "105.00", 10, "ann"),
        ("b-2", "buy", "101.00", 6, "bob"),
        ("s-3", "sell", "100.00", 1, "ann"),
        ("s-4", "sell", "101.00", 6, "cat"),
        ("s-5", "sell", "102.00", 6, "dan"),
    )
    # With ann's orders the price would be $102.00, at which 10 shares could trade.
    uncrossed, older, newer, traded, changed, moved = engine.advance(60)
    assert (uncrossed.price, uncrossed.quantity, uncrossed.surplus) == (Decimal("101.00"), 6, 0)
    assert [(one.order_id, one.reason) for one in (older, newer)] == [
        ("b-1", CancelReason.SELF_TRADE),
        ("s-3", CancelReason.SELF_TRADE),
    ]
    assert (traded.trade.price, traded.trade.quantity) == (Decimal("101.00"), 6)
    assert changed.state is OPEN
    assert moved.reference.price == Decimal("101.00")
    assert state_of(replay(engine.events)) == state_of(engine)


@pytest.mark.parametrize(
    ("policy", "price"), [("none", "106.00"), ("cancel_both", "102.00"), ("decrement", "102.00")]
)
def test_orders_of_one_trader_to_buy_and_to_sell_do_not_move_the_price_of_others(policy, price):
    engine = collecting(
        policy,
        ("b-1", "buy", "107.00", 10, "bob"),
        ("s-1b", "sell", "102.00", 10, "cat"),
        ("b-2", "buy", "106.00", 500, "ann"),
        ("s-3", "sell", "106.00", 500, "ann"),
    )
    engine.cancel("s-2")
    engine.advance(60)
    others = [one for one in engine.trades if one.sell_order_id == "s-1b"]
    assert [(one.price, one.quantity) for one in others] == [(Decimal(price), 10)]
    assert state_of(replay(engine.events)) == state_of(engine)


def test_orders_without_a_trader_trade_with_each_other():
    engine = collecting("cancel_both", ("b-1", "buy", "107.00"))
    _, traded, *_ = engine.advance(60)
    assert (traded.trade.buy_order_id, traded.trade.sell_order_id) == ("b-1", "s-2")


def test_call_goes_on_while_its_price_is_outside_the_collar():
    engine = started(collar=3)
    engine.submit(limit("b-1", "buy", "107.00"), 10)
    assert engine.advance(109) == []
    assert engine.advance(110)[0].price == Decimal("106.00")
