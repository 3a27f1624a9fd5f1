"""A call auction in the engine: what it collects and refuses, how it ends, what follows."""

from decimal import Decimal

import pytest

from streamlet_lab.matching import (
    Accepted,
    BandMoved,
    MarketState,
    Reference,
    Side,
    StateChanged,
    Uncrossed,
)

from .calling import Calling, engine_at, limit

OPEN, AUCTION = MarketState.OPEN, MarketState.AUCTION


def started(**settings):
    """An engine with a reference of $100.00, where somebody asks $106.00 and nobody bids."""
    engine = engine_at("100.00", band=Calling(50), **settings)
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
    assert changed == StateChanged(changed.sequence, 10, AUCTION)
    assert (engine.book.best_bid, engine.book.best_ask) == (Decimal("107.00"), Decimal("106.00"))
    assert engine.market is AUCTION


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


def test_orders_without_a_trader_trade_with_each_other():
    engine = started(self_trade="cancel_both")
    engine.submit(limit("b-1", "buy", "107.00"), 10)
    _, traded, *_ = engine.advance(60)
    assert (traded.trade.buy_order_id, traded.trade.sell_order_id) == ("b-1", "s-2")
