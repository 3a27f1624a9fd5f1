"""What an old reference does to the band, and to the market."""

from decimal import Decimal

import pytest

from streamlet_lab.matching import (
    BandMoved,
    Cancelled,
    ConsensusBand,
    ConsensusMatchingEngine,
    MarketState,
    Reference,
    RejectReason,
    StateChanged,
)

from .calling import assert_only_refused, engine_at, limit, move, state_of

OPEN, PAUSED = MarketState.OPEN, MarketState.PAUSED


def ageing(stale):
    """A band whose reference is old after ten microseconds."""
    return ConsensusBand(5, stale=stale, stale_after="10us")


@pytest.fixture
def engine():
    """A market that pauses when its reference of $100.00 is old."""
    return engine_at("100.00", band=ageing("halt"))


def limits(engine):
    return tuple(map(str, engine.band_limits))


def test_band_widens_with_each_full_age_until_it_reaches_down_to_zero():
    engine = engine_at("100.00", band=ageing("widen"))
    assert engine.advance(9) == []
    (moved,) = engine.advance(10)
    assert moved == BandMoved(2, 10, Decimal("90.00"), Decimal("110.00"), engine.reference)
    engine.advance(35)
    assert limits(engine) == ("80.00", "120.00")
    engine.advance(1_000)
    assert limits(engine) == ("None", "200.00")
    assert engine.events[-1].time == 190
    assert sum(isinstance(one, BandMoved) for one in engine.events) == 20
    move(engine, "100.00")
    assert limits(engine) == ("95.00", "105.00")


def test_pauses_at_the_age_and_opens_with_a_newer_reference(engine):
    engine.submit(limit("b-1", "buy", "99.00"), 9)
    (changed,) = engine.advance(10)
    assert changed == StateChanged(3, 10, PAUSED)
    before = state_of(engine)
    refused = [*engine.submit(limit("b-2", "buy", "99.00")), *engine.replace("b-1", quantity=5)]
    assert [event.reason for event in refused] == [RejectReason.STALE_REFERENCE] * 2
    assert [event.reference_age for event in refused] == [10, 10]
    assert_only_refused(engine, before, 2)
    assert engine.reduce("b-1", 4)[0].remaining == 6
    assert isinstance(engine.cancel("b-1")[0], Cancelled)
    referred, moved, opened = move(engine, "101.00", 40)
    assert opened == StateChanged(opened.sequence, 40, OPEN)
    assert (referred.sequence, moved.sequence) == (opened.sequence - 2, opened.sequence - 1)


def test_age_counts_from_when_the_price_became_final(engine):
    engine.set_reference(Reference(Decimal("101.00"), 3), 8)
    assert engine.advance(12) == []
    (changed,) = engine.advance(13)
    assert changed.state is PAUSED
    *_, moved = engine.set_reference(Reference(Decimal("102.00"), 5), 20)
    assert isinstance(moved, BandMoved)
    assert engine.market is PAUSED


def test_reference_that_comes_too_old_widens_or_pauses_at_once():
    late = Reference(Decimal("100.00"), 5)
    engine = ConsensusMatchingEngine("AAPL", band=ageing("halt"))
    assert engine.set_reference(late, 25)[-1].state is PAUSED
    engine = ConsensusMatchingEngine("AAPL", band=ageing("widen"))
    engine.set_reference(late, 25)
    assert limits(engine) == ("85.00", "115.00")
    (moved,) = engine.advance(35)
    assert moved.time == 35


def test_a_pause_is_not_for_the_operator_to_end(engine):
    engine.advance(10)
    assert engine.resume() == []
    assert engine.market is PAUSED


def test_a_halt_is_for_nobody_else_to_end_and_a_pause_may_follow_it(engine):
    engine.advance(10)
    engine.halt()
    move(engine, "101.00", 20)
    engine.advance(40)
    assert engine.market is MarketState.HALTED
    assert [one.state for one in engine.resume()] == [OPEN, PAUSED]
    engine.halt()
    move(engine, "102.00", 50)
    assert [one.state for one in engine.resume()] == [OPEN]
