from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching import ConsensusBand

ticks = st.integers(1, 100_000)


def test_exactly_five_percent_passes_and_one_tick_more_does_not():
    band = ConsensusBand()
    assert band.allows(10_500, 10_000)
    assert band.allows(9_500, 10_000)
    assert not band.allows(10_501, 10_000)
    assert not band.allows(9_499, 10_000)


def test_edge_between_two_ticks_is_not_rounded_outwards():
    # 5 % of $152.45 is $7.6225.
    assert ConsensusBand().limits(15_245) == (15_245 - 762, 15_245 + 762)


@given(price=ticks, reference=ticks, hundredths=st.integers(1, 10_000))
@settings(deadline=None)
def test_limits_are_the_rule_solved_for_the_price(price, reference, hundredths):
    band = ConsensusBand(Decimal(hundredths) / 100)
    low, high = band.limits(reference)
    rule = Fraction(abs(price - reference), reference) <= Fraction(hundredths, 10_000)
    assert band.allows(price, reference) == rule
    assert (low <= price <= high) == rule


@pytest.mark.parametrize("percent", [0, -5, 101, Decimal("2.505"), Decimal("NaN"), True, "wide"])
def test_bad_percentage_is_refused(percent):
    with pytest.raises(InvalidInput) as caught:
        ConsensusBand(percent=percent)
    assert caught.value.field == "percent"


def test_fractions_of_a_percent_are_exact():
    assert ConsensusBand(Decimal("0.25")).limits(10_000) == (9_975, 10_025)
