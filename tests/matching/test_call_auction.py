"""A call auction in the engine: what it collects and refuses, how it ends, what follows."""

from decimal import Decimal

import pytest

from streamlet_lab.matching import (
    Accepted,
    BandMoved,
    CancelReason,
    ConsensusMatchingEngine,
    MarketState,
    Order,
    Reference,
    RejectReason,
    Side,
    StateChanged,
    Uncrossed,
    replay,
)

from .calling import Calling


def limit(order_id, side, price, quantity=10, trader="", **more):
    return Order.limit(order_id, "X", side, quantity, price, trader, **more)


def started(**settings):
    """An engine with a reference of $100.00, where somebody asks $106.00 and nobody bids."""
    band = Calling(50, settings.pop("resting", "keep"), settings.pop("collar", None))
    engine = ConsensusMatchingEngine("X", band=band, **settings)
    engine.set_reference(Reference(Decimal("100.00"), 0))
    engine.submit(limit("s-1", "sell", "104.00", 4))
    engine.submit(limit("s-2", "sell", "106.00"))
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
    assert changed == StateChanged(changed.sequence, 10, MarketState.AUCTION)
    assert (engine.book.best_bid, engine.book.best_ask) == (Decimal("107.00"), Decimal("106.00"))
    assert engine.market is MarketState.AUCTION


@pytest.mark.parametrize(
    "order",
    [
        Order.market("b-1", "X", "buy", 10),
        limit("b-1", "buy", "107.00", time_in_force="ioc"),
    ],
)
def test_order_that_cannot_wait_begins_the_call_and_ends(engine, order):
    *_, changed, cancelled = engine.submit(order)
    assert changed.state is MarketState.AUCTION
    assert (cancelled.reason, cancelled.quantity) == (CancelReason.IN_AUCTION, 6)
    assert cancelled.message == (
        "Order cancelled: 6 shares of b-1 cannot wait for the end of the call auction"
    )
    assert len(engine.book.bids) == 0


def test_fill_or_kill_that_would_begin_a_call_is_killed(engine):
    _, cancelled = engine.submit(limit("b-1", "buy", "107.00", time_in_force="fok"))
    assert cancelled.reason is CancelReason.FILL_OR_KILL
    assert engine.market is MarketState.OPEN


@pytest.mark.parametrize(
    "order",
    [
        Order.market("x", "X", "buy", 10),
        Order.market("x", "X", "buy", 10, time_in_force="fok"),
        limit("x", "buy", "107.00", time_in_force="ioc"),
        limit("x", "buy", "90.00", time_in_force="fok"),
        limit("x", "buy", "90.00", post_only=True),
    ],
)
def test_call_refuses_what_cannot_wait_for_its_end(calling, order):
    before = calling.state()
    (event,) = calling.submit(order)
    assert event.reason is RejectReason.IN_AUCTION
    assert event.message == "Trade rejected: Order x cannot wait for the end of the call auction"
    assert calling.state() == before._replace(events=before.events + 1)


def test_end_trades_at_one_price_and_the_band_follows_it(calling):
    calling.submit(limit("s-3", "sell", "105.00", 3), 20)
    assert calling.advance(59) == []
    uncrossed, first, second, changed, moved = calling.advance(60)
    # At $106.00 and $107.00 all 6 shares trade and sellers are left over: the lower one.
    assert uncrossed == Uncrossed(uncrossed.sequence, 60, Decimal("106.00"), 6, -7)
    assert [one.trade.price for one in (first, second)] == [Decimal("106.00")] * 2
    assert [one.trade.sell_order_id for one in (first, second)] == ["s-3", "s-2"]
    assert [one.trade.quantity for one in (first, second)] == [3, 3]
    # The younger of two orders is the aggressor.
    assert [one.trade.aggressor for one in (first, second)] == [Side.SELL, Side.BUY]
    assert changed == StateChanged(changed.sequence, 60, MarketState.OPEN)
    assert isinstance(moved, BandMoved)
    assert moved.reference == Reference(Decimal("106.00"), 60, kind="auction")
    assert (moved.low, moved.high) == (Decimal("100.70"), Decimal("111.30"))
    assert calling.band_reference == moved.reference
    assert calling.reference == Reference(Decimal("100.00"), 0)
    assert calling.band_limits == (moved.low, moved.high)


@pytest.mark.parametrize(
    ("end", "state"), [("halt", MarketState.HALTED), ("resume", MarketState.OPEN)]
)
def test_operator_ends_a_call_before_its_time_and_it_is_uncrossed(calling, end, state):
    uncrossed, traded, changed, moved = getattr(calling, end)(30)
    assert (uncrossed.price, traded.trade.quantity) == (Decimal("106.00"), 6)
    assert changed == StateChanged(changed.sequence, 30, state)
    assert isinstance(moved, BandMoved)
    assert calling.advance(1_000) == []


def test_shares_that_would_meet_their_own_trader_make_no_price():
    engine = started(self_trade="cancel_both")
    engine.submit(Order.market("b-0", "X", "buy", 10), 10)
    for order_id, side, price, quantity, trader in (
        ("b-1", "buy", "105.00", 10, "ann"),
        ("b-2", "buy", "101.00", 6, "bob"),
        ("s-3", "sell", "100.00", 1, "ann"),
        ("s-4", "sell", "101.00", 6, "cat"),
        ("s-5", "sell", "102.00", 6, "dan"),
    ):
        engine.submit(limit(order_id, side, price, quantity, trader))
    # With ann's orders the price would be $102.00, at which 10 shares could trade.
    uncrossed, older, newer, traded, changed, moved = engine.advance(60)
    assert (uncrossed.price, uncrossed.quantity, uncrossed.surplus) == (Decimal("101.00"), 6, 0)
    assert [(one.order_id, one.reason) for one in (older, newer)] == [
        ("b-1", CancelReason.SELF_TRADE),
        ("s-3", CancelReason.SELF_TRADE),
    ]
    assert (traded.trade.price, traded.trade.quantity) == (Decimal("101.00"), 6)
    assert changed.state is MarketState.OPEN
    assert moved.reference.price == Decimal("101.00")
    assert replay(engine.events).state() == engine.state()


@pytest.mark.parametrize(
    ("policy", "price"),
    [("none", "106.00"), ("cancel_both", "102.00"), ("decrement", "102.00")],
)
def test_orders_of_one_trader_to_buy_and_to_sell_do_not_move_the_price_of_others(policy, price):
    engine = started(self_trade=policy)
    engine.submit(Order.market("b-0", "X", "buy", 10), 10)
    engine.cancel("s-2")
    for order_id, side, limit_price, quantity, trader in (
        ("b-1", "buy", "107.00", 10, "bob"),
        ("s-1b", "sell", "102.00", 10, "cat"),
        ("b-2", "buy", "106.00", 500, "ann"),
        ("s-3", "sell", "106.00", 500, "ann"),
    ):
        engine.submit(limit(order_id, side, limit_price, quantity, trader))
    engine.advance(60)
    others = [one for one in engine.trades if one.sell_order_id == "s-1b"]
    assert [(one.price, one.quantity) for one in others] == [(Decimal(price), 10)]
    assert replay(engine.events).state() == engine.state()


def test_orders_without_a_trader_trade_with_each_other():
    engine = started(self_trade="cancel_both")
    engine.submit(Order.market("b-0", "X", "buy", 10), 10)
    engine.submit(limit("b-1", "buy", "107.00", 10))
    _, traded, *_ = engine.advance(60)
    assert (traded.trade.buy_order_id, traded.trade.sell_order_id) == ("b-1", "s-2")


def test_call_goes_on_while_its_price_is_outside_the_collar():
    engine = started(collar=3)
    engine.submit(limit("b-1", "buy", "107.00"), 10)
    assert engine.advance(109) == []
    assert engine.advance(110)[0].price == Decimal("106.00")
