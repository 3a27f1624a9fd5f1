"""The band around a price, its parameters, and when an engine wakes it."""

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
    Decision,
    LuldBand,
    VolatilityAuctionBand,
    replay,
)
from streamlet_lab.matching.watch import limits_around

from .calling import engine_at, limit, state_of

ticks = st.integers(1, 100_000)


@pytest.mark.parametrize(
    ("price", "hundredths", "limits"),
    [
        (10_000, 500, (9_500, 10_500)),  # the edge itself is inside
        (15_245, 500, (15_245 - 762, 15_245 + 762)),  # 5 % of $152.45 is $7.6225
        (10_000, 25, (9_975, 10_025)),
        (Fraction(201, 2), 500, (96, 105)),  # 5 % around 100.5 ticks is 95.475 to 105.525
    ],
)
def test_edges_between_two_ticks_are_rounded_inwards(price, hundredths, limits):
    assert limits_around(price, hundredths) == limits


@given(price=ticks, reference=ticks, hundredths=st.integers(1, 10_000))
@settings(deadline=None)
def test_limits_are_the_rule_solved_for_the_price(price, reference, hundredths):
    low, high = limits_around(reference, hundredths)
    rule = Fraction(abs(price - reference), reference) <= Fraction(hundredths, 10_000)
    assert (low <= price <= high) == rule


PERCENTAGES = [0, -1, 101, Decimal("2.505"), Decimal("NaN"), True, "wide"]
DURATIONS = [0, -1, "5 minutes", None, True]
BAD_PARAMETERS = [
    (ConsensusBand, ["percent"], PERCENTAGES),
    (LuldBand, ["percent", "publish_percent"], PERCENTAGES),
    (LuldBand, ["window", "hold", "limit", "pause"], DURATIONS),
    (LuldBand, ["round_lot"], [0, -1, 2.5, "100", None, True]),
    (VolatilityAuctionBand, ["percent", "dynamic_percent"], PERCENTAGES),
    (VolatilityAuctionBand, ["call"], DURATIONS),
]


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        (kind, field, value)
        for kind, fields, values in BAD_PARAMETERS
        for field in fields
        for value in values
    ],
)
def test_bad_parameter_is_named(kind, field, value):
    with pytest.raises(InvalidInput) as caught:
        kind(**{field: value})
    assert caught.value.field == field


class Narrowing(BandWatch):
    """A band that shrinks to the reference itself ten microseconds after it moved."""

    def watch(self, pace=1):
        return Narrowing()

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
    engine = engine_at("10.00", band=Narrowing())
    engine.submit(limit("b-1", "buy", "9.50"))
    engine.submit(limit("b-2", "buy", "9.50", time_in_force="gtt", expires=10))
    engine.submit(limit("b-3", "buy", "10.00"))
    assert engine.validate_trade_price("9.50")
    expired, moved, cancelled, accepted = engine.submit(limit("s-1", "sell", "11.00"), 12)
    assert (expired.order_id, expired.time) == ("b-2", 10)
    assert moved == BandMoved(6, 10, Decimal("10.00"), Decimal("10.00"), engine.reference)
    assert (cancelled.order_id, cancelled.time) == ("b-1", 10)
    assert cancelled.reason is CancelReason.OUTSIDE_BAND
    assert accepted.time == 12
    assert not engine.validate_trade_price("9.50")
    again = replay(engine.events)
    assert state_of(again) == state_of(engine)
    order = limit("s-2", "sell", "9.50")
    assert again.submit(order) == engine.submit(order)
