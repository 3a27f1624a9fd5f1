from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching import (
    NEVER,
    BandMoved,
    BandWatch,
    CancelReason,
    ConsensusBand,
    ConsensusMatchingEngine,
    Decision,
    Order,
    Reference,
    make_band,
    replay,
)

ticks = st.integers(1, 100_000)


def test_exactly_five_percent_is_inside_and_one_tick_more_is_not():
    assert ConsensusBand().limits(10_000) == (9_500, 10_500)


def test_edge_between_two_ticks_is_not_rounded_outwards():
    # 5 % of $152.45 is $7.6225.
    assert ConsensusBand().limits(15_245) == (15_245 - 762, 15_245 + 762)


@given(price=ticks, reference=ticks, hundredths=st.integers(1, 10_000))
@settings(deadline=None)
def test_limits_are_the_rule_solved_for_the_price(price, reference, hundredths):
    band = ConsensusBand(Decimal(hundredths) / 100)
    low, high = band.limits(reference)
    rule = Fraction(abs(price - reference), reference) <= Fraction(hundredths, 10_000)
    assert (low <= price <= high) == rule


@pytest.mark.parametrize("percent", [0, -5, 101, Decimal("2.505"), Decimal("NaN"), True, "wide"])
def test_bad_percentage_is_refused(percent):
    with pytest.raises(InvalidInput) as caught:
        ConsensusBand(percent=percent)
    assert caught.value.field == "percent"


def test_fractions_of_a_percent_are_exact():
    assert ConsensusBand(Decimal("0.25")).limits(10_000) == (9_975, 10_025)


def test_reference_between_two_ticks_is_taken_exactly():
    # 5 % around 100.5 ticks is 95.475 to 105.525.
    assert ConsensusBand().limits(Fraction(201, 2)) == (96, 105)


class Narrowing:
    """A band that shrinks to the reference itself ten microseconds after it moved."""

    def watch(self, pace=1):
        return NarrowingWatch()


class NarrowingWatch(BandWatch):
    def may_enter(self, side, ticks):
        return ticks

    def on_reference(self, ticks, since, time):
        self.middle, self.alarm = int(ticks), time + 10
        return Decision((self.middle - 100, self.middle + 100), ticks)

    def wake(self, time):
        self.alarm = NEVER

    def decide(self, time, best_bid, best_ask):
        return Decision((self.middle, self.middle)) if self.alarm == NEVER else None


def test_band_that_looks_at_the_clock_is_woken_in_time_after_those_that_expire():
    engine = ConsensusMatchingEngine("X", band=Narrowing())
    engine.set_reference(Reference(Decimal("10.00"), 0))
    engine.submit(Order.limit("b-1", "X", "buy", 1, "9.50"))
    engine.submit(Order.limit("b-2", "X", "buy", 1, "9.50", time_in_force="gtt", expires=10))
    engine.submit(Order.limit("b-3", "X", "buy", 1, "10.00"))
    assert engine.validate_trade_price("9.50")
    expired, moved, cancelled, accepted = engine.submit(
        Order.limit("s-1", "X", "sell", 1, "11.00"), 12
    )
    assert (expired.order_id, expired.time) == ("b-2", 10)
    assert moved == BandMoved(6, 10, Decimal("10.00"), Decimal("10.00"), engine.reference)
    assert (cancelled.order_id, cancelled.time) == ("b-1", 10)
    assert cancelled.reason is CancelReason.OUTSIDE_BAND
    assert accepted.time == 12
    assert not engine.validate_trade_price("9.50")
    again = replay(engine.events)
    assert again.state() == engine.state()
    order = Order.limit("s-2", "X", "sell", 1, "9.50")
    assert again.submit(order) == engine.submit(order)


def test_a_percentage_is_given_once():
    with pytest.raises(InvalidInput, match=r"percent: 3 is not valid; expected another name"):
        make_band("consensus", 5, {"percent": 3})
