"""The average and the VWAP, against exact fractions."""

from collections.abc import Sequence
from decimal import ROUND_UP, Context, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices import StockPrice, aggregate

MICROS = st.integers(1, 1_000_000_000)
CENTS = st.integers(5_000, 50_000)
VOLUMES = st.integers(1, 10**9)


def _quotes(prices: Sequence[Decimal], volumes: Sequence[int]) -> list[StockPrice]:
    return [
        StockPrice.create("AAPL", price, volume, f"source_{index}")
        for index, (price, volume) in enumerate(zip(prices, volumes, strict=True))
    ]


def _from_micros(micros: int) -> Decimal:
    return Decimal(micros).scaleb(-6)


def _cents(amount: Fraction) -> Decimal:
    """Round half even, in exact arithmetic."""
    return Decimal(round(amount * 100)).scaleb(-2)


pairs = st.lists(st.tuples(MICROS, VOLUMES), min_size=1, max_size=7)


@given(pairs)
def test_average_and_vwap_are_rounded_once_and_half_even(pairs: list[tuple[int, int]]) -> None:
    micros, volumes = zip(*pairs, strict=True)
    result = aggregate(_quotes([_from_micros(price) for price in micros], volumes))
    turnover = sum(price * volume for price, volume in pairs)

    assert result.consensus_price == _cents(Fraction(sum(micros), len(micros) * 10**6))
    assert result.volume_weighted_price == _cents(Fraction(turnover, sum(volumes) * 10**6))
    assert result.total_volume == sum(volumes)
    assert result.price_count == len(pairs)
    assert str(result.consensus_price) == f"{result.consensus_price:.2f}"


@given(st.lists(st.tuples(CENTS, VOLUMES), min_size=1, max_size=7))
def test_both_lie_between_the_lowest_and_the_highest_quote(pairs: list[tuple[int, int]]) -> None:
    prices = [Decimal(cents).scaleb(-2) for cents, _ in pairs]
    result = aggregate(_quotes(prices, [volume for _, volume in pairs]))

    assert min(prices) <= result.consensus_price <= max(prices)
    assert min(prices) <= result.volume_weighted_price <= max(prices)


@given(pairs.flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_the_order_of_the_quotes_does_not_matter(
    orders: tuple[list[tuple[int, int]], list[tuple[int, int]]],
) -> None:
    results = {
        aggregate(_quotes([_from_micros(m) for m, _ in order], [v for _, v in order]))
        for order in orders
    }

    assert len(results) == 1


@given(st.lists(MICROS, min_size=1, max_size=7), VOLUMES)
def test_with_equal_volumes_the_vwap_is_the_average(micros: list[int], volume: int) -> None:
    result = aggregate(_quotes([_from_micros(price) for price in micros], [volume] * len(micros)))

    assert result.volume_weighted_price == result.consensus_price


@pytest.mark.parametrize(
    ("low", "high", "expected"), [("100.00", "100.01", "100.00"), ("100.01", "100.02", "100.02")]
)
def test_half_a_cent_goes_to_the_even_cent(low: str, high: str, expected: str) -> None:
    result = aggregate(_quotes([Decimal(low), Decimal(high)], [500, 500]))

    assert str(result.consensus_price) == expected
    assert str(result.volume_weighted_price) == expected


def test_a_worked_example() -> None:
    """1/3 of 452.60, and (150·1000 + 151·2000 + 151.60·3000) / 6000."""
    prices = [Decimal(150), Decimal(151), Decimal("151.60")]
    result = aggregate(_quotes(prices, [1000, 2000, 3000]))

    assert result == (Decimal("150.87"), Decimal("151.13"), Decimal(6000), 3)


def test_the_callers_decimal_context_changes_nothing() -> None:
    quotes = _quotes([Decimal("150.01"), Decimal("151.02"), Decimal("152.04")], [1, 20, 300])
    expected = aggregate(quotes)
    with localcontext(Context(prec=2, rounding=ROUND_UP)):
        assert aggregate(quotes) == expected


def test_nothing_cannot_be_averaged() -> None:
    with pytest.raises(InvalidInput, match=r"prices: \[\] .* at least one quote"):
        aggregate([])


def test_no_volume_cannot_weigh() -> None:
    with pytest.raises(InvalidInput, match=r"volume: '0' .* more than 0 shares"):
        aggregate(_quotes([Decimal(150)], [0]))
