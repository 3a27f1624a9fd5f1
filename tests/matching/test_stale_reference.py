"""What an old reference does to the band, and to the market."""

from decimal import Decimal

from streamlet_lab.matching import (
    BandMoved,
    Cancelled,
    ConsensusBand,
    ConsensusMatchingEngine,
    MarketState,
    Order,
    Reference,
    RejectReason,
    StateChanged,
)


def market(stale, after="10us", since=0, **settings):
    band = ConsensusBand(5, stale=stale, stale_after=after)
    engine = ConsensusMatchingEngine("X", band=band, **settings)
    engine.set_reference(Reference(Decimal("100.00"), since), max(since, 0))
    return engine


def bid(order_id="b-1", price="99.00"):
    return Order.limit(order_id, "X", "buy", 10, price)


def limits(engine):
    return tuple(map(str, engine.band_limits))


def test_band_widens_with_each_full_age_until_it_reaches_down_to_zero():
    engine = market("widen")
    assert engine.advance(9) == []
    (moved,) = engine.advance(10)
    assert moved == BandMoved(2, 10, Decimal("90.00"), Decimal("110.00"), engine.reference)
    engine.advance(35)
    assert limits(engine) == ("80.00", "120.00")
    engine.advance(1_000)
    assert limits(engine) == ("None", "200.00")
    assert engine.events[-1].time == 190
    assert sum(isinstance(one, BandMoved) for one in engine.events) == 20
    engine.set_reference(Reference(Decimal("100.00"), 1_000), 1_000)
    assert limits(engine) == ("95.00", "105.00")


def test_pauses_at_the_age_and_opens_with_a_newer_reference():
    engine = market("halt")
    engine.submit(bid(), 9)
    (changed,) = engine.advance(10)
    assert changed == StateChanged(3, 10, MarketState.PAUSED)
    before = engine.state()
    for event in (*engine.submit(bid("b-2")), *engine.replace("b-1", quantity=5)):
        assert event.reason is RejectReason.STALE_REFERENCE
        assert event.message.endswith("rejected: The market is paused: its reference is too old")
        assert event.reference_age == 10
    assert engine.state() == before._replace(events=before.events + 2)
    assert engine.reduce("b-1", 4)[0].remaining == 6
    assert isinstance(engine.cancel("b-1")[0], Cancelled)
    referred, moved, opened = engine.set_reference(Reference(Decimal("101.00"), 40), 40)
    assert opened == StateChanged(opened.sequence, 40, MarketState.OPEN)
    assert (referred.sequence, moved.sequence) == (opened.sequence - 2, opened.sequence - 1)


def test_age_counts_from_when_the_price_became_final():
    engine = market("halt")
    engine.set_reference(Reference(Decimal("101.00"), 3), 8)
    assert engine.advance(12) == []
    (changed,) = engine.advance(13)
    assert changed.state is MarketState.PAUSED
    *_, moved = engine.set_reference(Reference(Decimal("102.00"), 5), 20)
    assert isinstance(moved, BandMoved)
    assert engine.market is MarketState.PAUSED


def test_reference_that_comes_too_old_widens_or_pauses_at_once():
    late = Reference(Decimal("100.00"), 5)
    engine = ConsensusMatchingEngine("X", band=ConsensusBand(stale="halt", stale_after="10us"))
    assert engine.set_reference(late, 25)[-1].state is MarketState.PAUSED
    engine = ConsensusMatchingEngine("X", band=ConsensusBand(stale="widen", stale_after="10us"))
    engine.set_reference(late, 25)
    assert limits(engine) == ("85.00", "115.00")
    (moved,) = engine.advance(35)
    assert moved.time == 35


def test_a_pause_is_not_for_the_operator_to_end():
    engine = market("halt")
    engine.advance(10)
    assert engine.resume() == []
    assert engine.market is MarketState.PAUSED


def test_a_halt_is_for_nobody_else_to_end_and_a_pause_may_follow_it():
    engine = market("halt")
    engine.advance(10)
    engine.halt()
    engine.set_reference(Reference(Decimal("101.00"), 20), 20)
    engine.advance(40)
    assert engine.market is MarketState.HALTED
    assert [one.state for one in engine.resume()] == [MarketState.OPEN, MarketState.PAUSED]
    engine.halt()
    engine.set_reference(Reference(Decimal("102.00"), 50), 50)
    assert [one.state for one in engine.resume()] == [MarketState.OPEN]
