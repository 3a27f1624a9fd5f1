"""What commands do in a limit state, and what ends one."""

from decimal import Decimal

import pytest

from streamlet_lab.matching import Instrument, MarketState, StateChanged, make_band

from .calling import SECOND, engine_at, limit, move


@pytest.fixture
def engine():
    """A market whose best bid is at the upper band of $105.00."""
    engine = engine_at("100.00", Instrument("AAPL", day=10 * SECOND), band=make_band("luld"))
    engine.submit(limit("s-1", "sell", "110.00", time_in_force="gtc"), SECOND)
    engine.submit(limit("b-1", "buy", "105.00"), SECOND)
    assert engine.market is MarketState.LIMIT
    return engine


def test_quote_that_expires_ends_it_at_that_instant(engine):
    *_, last = engine.advance(12 * SECOND)
    assert last == StateChanged(last.sequence, 10 * SECOND, MarketState.OPEN)


def test_reopening_is_nearest_to_what_the_band_goes_by_and_not_to_the_consensus(engine):
    engine.submit(limit("b-2", "buy", "105.00", time_in_force="gtc"), 2 * SECOND)
    move(engine, "108.00", 3 * SECOND)
    engine.advance(16 * SECOND)
    assert engine.market is MarketState.AUCTION
    engine.cancel("b-2")
    engine.cancel("s-1")
    for order_id, side, price in (("b-3", "buy", "109.00"), ("s-2", "sell", "99.00")):
        engine.submit(limit(order_id, side, price, time_in_force="gtc"), 17 * SECOND)
    engine.resume(18 * SECOND)
    assert engine.trades[-1].price == Decimal("100.00")
