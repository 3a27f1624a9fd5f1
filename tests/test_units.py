"""Time in whole microseconds, money in exact decimals, and input that is neither."""

import decimal
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamlet_lab import units
from streamlet_lab.errors import InvalidInput, StreamletLabError
from streamlet_lab.units import to_name, to_number, to_whole

cents = st.integers(-(10**14), 10**14)


@pytest.mark.parametrize(
    ("value", "microseconds"),
    [
        (0, 0),
        (2, 2_000_000),
        (0.1, 100_000),
        (0.1 + 0.2, 300_000),
        (1e-6, 1),
        ("250ms", 250_000),
        ("1us", 1),
        ("1min", 60_000_000),
        ("6.5h", 23_400_000_000),
        ("0.253331s", 253_331),
        (0.253331, 253_331),
    ],
)
def test_durations(value, microseconds):
    assert units.to_microseconds(value) == microseconds


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, [1], "", "soon", "5", "1h30min", "1 parsec"),  # of no such form
        *("-1s", -0.5, "100ns", 1e-7, math.nan, math.inf, 10**30, 10**400),  # of no such size
    ],
)
def test_what_is_no_duration(value):
    with pytest.raises(InvalidInput) as caught:
        units.to_microseconds(value, "network.delta")
    assert caught.value.field == "network.delta"


@given(st.integers(0, 10**15))
def test_a_written_duration_reads_back(microseconds):
    assert units.to_microseconds(units.format_duration(microseconds)) == microseconds


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [(0, "0us"), (1, "1us"), (1_500_000, "1500ms"), (2_000_000, "2s"), (23_400_000_000, "390min")],
)
def test_durations_are_written_in_their_largest_whole_unit(microseconds, text):
    assert units.format_duration(microseconds) == text


def test_seconds():
    assert units.to_seconds(1_500_000) == 1.5


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("152.45", "152.45"),
        (0.1, "0.1"),
        (152, "152"),
        (Decimal("1.50"), "1.50"),
        ("1e3", "1E+3"),
        ("-2.5", "-2.5"),
        (10**12 - 1, "999999999999"),
        ("0.000000000001", "1E-12"),
    ],
)
def test_amounts_are_taken_as_they_print(value, amount):
    assert str(units.to_decimal(value)) == amount


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, "", "ten", "1,5", b"1", math.nan, -math.inf, "NaN", "sNaN", "Infinity"),
        *("1e13", 10**13, "1e-13", "1e999999", "0e-999999", "9" * 40, Decimal("0.1234567890123")),
        *("1_50", "١٥٠", "１５０", "150\u00a0", "0x96", "1e", ".", "--1"),
    ],
)
def test_what_is_no_amount(value):
    with pytest.raises(InvalidInput, match=r"^base_price: .* is not valid; expected ") as caught:
        units.to_decimal(value, "base_price")
    assert caught.value.value is value


def test_an_error_is_the_labs_own_and_a_value_error():
    error = InvalidInput("nodes", 0, "an integer of at least 1")
    assert isinstance(error, StreamletLabError)
    assert isinstance(error, ValueError)
    assert str(error) == "nodes: 0 is not valid; expected an integer of at least 1"


@given(cents)
def test_ticks_and_prices_are_one_to_one(ticks):
    price = units.from_ticks(ticks)
    assert price == Decimal(ticks) / 100
    assert price.as_tuple().exponent == -2
    assert units.to_ticks(price) == ticks


@pytest.mark.parametrize(
    ("price", "tick", "ticks"),
    [("10.00", "0.05", 200), ("0.0001", "0.0001", 1), ("7", "0.5", 14), ("-0.05", "0.05", -1)],
)
def test_other_grids(price, tick, ticks):
    assert units.to_ticks(Decimal(price), Decimal(tick)) == ticks
    assert units.from_ticks(ticks, Decimal(tick)) == Decimal(price)


@pytest.mark.parametrize(
    ("price", "tick"), [("0.005", "0.01"), ("152.451", "0.01"), ("0.01", "0.03"), ("1.01", "0.05")]
)
def test_a_price_off_the_grid_is_refused(price, tick):
    with pytest.raises(InvalidInput, match=f"a multiple of the tick size {tick}"):
        units.to_ticks(Decimal(price), Decimal(tick))


def test_micro_dollars():
    assert units.to_micros(Decimal("152.450001")) == 152_450_001
    with pytest.raises(InvalidInput, match="micro-dollars"):
        units.to_micros(Decimal("0.0000001"))


@pytest.mark.parametrize(
    ("price", "rounded"),
    [("0.005", "0.00"), ("0.015", "0.02"), ("0.0151", "0.02"), ("-0.025", "-0.02"), ("7", "7.00")],
)
def test_prices_are_rounded_half_even(price, rounded):
    assert str(units.round_price(Decimal(price))) == rounded


@pytest.mark.parametrize(
    ("price", "passes"), [(105_00, True), (105_01, False), (95_00, True), (94_99, False)]
)
def test_the_edge_of_a_percentage_passes(price, passes):
    assert units.is_within(price, 100_00, 500) is passes


@given(st.integers(1, 10**12), st.integers(1, 10**12), st.integers(0, 10_000))
def test_percentages_are_compared_exactly(price, reference, hundredths):
    deviation = Fraction(abs(price - reference), reference)
    assert units.is_within(price, reference, hundredths) == (
        deviation <= Fraction(hundredths, 10_000)
    )


def test_deviation_in_percent():
    assert units.deviation_percent(Decimal("182.94"), Decimal("152.45")) == Decimal("20")
    assert units.deviation_percent(Decimal("95"), Decimal("100")) == Decimal("5")


def test_prices_are_written_as_the_description_does():
    assert units.format_price(Decimal("152.45")) == "$152.45"
    assert units.format_price(Decimal("9999")) == "$9,999.00"
    assert units.format_price(Decimal("94.9999")) == "$94.9999"
    assert units.format_price(Decimal("1e3")) == "$1,000.00"


def test_a_callers_decimal_context_changes_nothing():
    price, reference = Decimal("182.9412345678"), Decimal("152.4512345678")
    expected = units.deviation_percent(price, reference)
    with decimal.localcontext() as context:
        context.prec = 3
        context.rounding = decimal.ROUND_UP
        assert units.deviation_percent(price, reference) == expected
        assert units.round_price(Decimal("123456.785")) == Decimal("123456.78")
        assert units.from_ticks(12_345_678) == Decimal("123456.78")
        assert units.to_ticks(Decimal("123456.78")) == 12_345_678
        assert units.to_micros(Decimal("123456.78")) == 123_456_780_000


@pytest.mark.parametrize(
    ("value", "ends", "number"),
    [
        (0, {}, 0.0),
        (1, {}, 1.0),
        (Fraction(1, 4), {}, 0.25),
        (np.float32(0.5), {}, 0.5),
        (np.int64(1), {}, 1.0),
        (5e-324, {"above": True}, 5e-324),
        (1 - 2**-53, {"below": True}, 1 - 2**-53),
    ],
)
def test_numbers_between_two_others(value, ends, number):
    found = to_number(value, 0, 1, "it", **ends)
    assert (found, type(found)) == (number, float)


@pytest.mark.parametrize(
    ("value", "low", "high", "ends", "expected"),
    [
        (1.5, 0, 1, {}, "a number from 0 to 1"),
        (Fraction(1) + Fraction(1, 10**30), 0, 1, {}, "a number from 0 to 1"),
        (math.nan, 0, 1, {}, "a number from 0 to 1"),
        (True, 0, 1, {}, "a number from 0 to 1"),
        (np.True_, 0, 1, {}, "a number from 0 to 1"),
        ("1", 0, 1, {}, "a number from 0 to 1"),
        (0, 0, 1, {"above": True}, "a number above 0 and at most 1"),
        (Fraction(1, 10**400), 0, 1, {"above": True}, "a number above 0 and at most 1"),
        (1, 0, 1, {"below": True}, "a number from 0 and below 1"),
        (1, 0, 1, {"above": True, "below": True}, "a number above 0 and below 1"),
        (math.inf, 0, math.inf, {}, "a finite number from 0 on"),
        (10**400, 0, math.inf, {}, "a finite number from 0 on"),
        (0.0, 0, math.inf, {"above": True}, "a finite number above 0"),
    ],
)
def test_what_is_no_number_between_two_others(value, low, high, ends, expected):
    with pytest.raises(InvalidInput) as caught:
        to_number(value, low, high, "it", **ends)
    assert (caught.value.field, caught.value.expected) == ("it", expected)


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_whole_numbers(value):
    found = to_whole(value, 3, "it", 3)
    assert (found, type(found)) == (3, int)


@pytest.mark.parametrize("value", [2, 4, 3.0, Fraction(3), "3", True, np.True_, None, math.nan])
def test_what_is_no_whole_number(value):
    with pytest.raises(InvalidInput, match=r"it: .* a whole number from 3 to 3"):
        to_whole(value, 3, "it", 3)
    if value != 4:
        with pytest.raises(InvalidInput, match=r"it: .* a whole number of at least 3"):
            to_whole(value, 3, "it")


def test_names_of_a_list():
    assert to_name("b", ("a", "b"), "it") == "b"
    for wrong in ("c", "", None, 1, ["a"]):
        with pytest.raises(InvalidInput, match=r"it: .* one of a, b"):
            to_name(wrong, ("a", "b"), "it")
