"""The description's rules, at their edges and against a model in exact fractions."""

from decimal import Context, Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices import (
    PreviousConsensus,
    PriceValidation,
    QuoteReason,
    StockPrice,
    check_quotes,
)

RULES = PriceValidation()
STRICT = PriceValidation(widening_percent=Decimal(0))
MICRO = Decimal("0.000001")


def _quote(
    price: object = 150, volume: object = 1000, source: str = "market_data_1", symbol: str = "AAPL"
) -> StockPrice:
    return StockPrice.create(symbol, price, volume, source)


def _reason(
    quote: StockPrice,
    previous: PreviousConsensus | None = None,
    epoch: int = 0,
    rules: PriceValidation = RULES,
) -> QuoteReason:
    (check,) = check_quotes([quote], rules, "AAPL", epoch, previous)
    assert check.quote is quote
    assert check.valid == (check.reason is QuoteReason.VALID)
    return check.reason


def test_the_defaults_are_the_descriptions() -> None:
    assert PriceValidation() == PriceValidation(
        min_price=Decimal(50),
        max_price=Decimal(500),
        min_volume=Decimal(100),
        max_deviation_percent=Decimal(10),
        widening_percent=Decimal(10),
        min_sources=2,
    )


@pytest.mark.parametrize(
    ("price", "reason"),
    [
        ("49.999999", QuoteReason.BELOW_MIN_PRICE),
        ("50", QuoteReason.VALID),
        ("500", QuoteReason.VALID),
        ("500.000001", QuoteReason.ABOVE_MAX_PRICE),
        ("9999", QuoteReason.ABOVE_MAX_PRICE),
        ("0", QuoteReason.BELOW_MIN_PRICE),
        ("-150", QuoteReason.BELOW_MIN_PRICE),
    ],
)
def test_the_price_bounds_are_inclusive(price: str, reason: QuoteReason) -> None:
    assert _reason(_quote(price)) is reason


@pytest.mark.parametrize(
    ("volume", "reason"),
    [
        (0, QuoteReason.BELOW_MIN_VOLUME),
        (99, QuoteReason.BELOW_MIN_VOLUME),
        ("99.999999", QuoteReason.BELOW_MIN_VOLUME),
        (100, QuoteReason.VALID),
    ],
)
def test_the_volume_threshold_is_inclusive(volume: object, reason: QuoteReason) -> None:
    assert _reason(_quote(volume=volume)) is reason


@pytest.mark.parametrize(
    ("price", "reason"),
    [
        ("134.999999", QuoteReason.OUTSIDE_DEVIATION),
        ("135", QuoteReason.VALID),
        ("165", QuoteReason.VALID),
        ("165.000001", QuoteReason.OUTSIDE_DEVIATION),
    ],
)
@pytest.mark.parametrize("rules", [RULES, STRICT])
def test_exactly_ten_percent_passes(
    price: str, reason: QuoteReason, rules: PriceValidation
) -> None:
    assert _reason(_quote(price), PreviousConsensus(Decimal(150), 6), 7, rules) is reason


def test_without_a_previous_consensus_there_is_no_deviation() -> None:
    assert _reason(_quote(50), None) is QuoteReason.VALID
    assert _reason(_quote(500), None) is QuoteReason.VALID


@pytest.mark.parametrize("missed", [0, 1, 2, 4, 9])
def test_each_epoch_without_a_price_widens_the_rule_by_ten_points(missed: int) -> None:
    previous = PreviousConsensus(Decimal(100), 10)
    epoch = 11 + missed
    edge = Decimal(100 + 10 * (1 + missed))

    assert _reason(_quote(edge), previous, epoch) is QuoteReason.VALID
    assert _reason(_quote(edge + MICRO), previous, epoch) is QuoteReason.OUTSIDE_DEVIATION


@pytest.mark.parametrize("missed", [0, 1, 9, 1_000])
def test_the_strict_rule_never_widens(missed: int) -> None:
    previous = PreviousConsensus(Decimal(100), 10)
    epoch = 11 + missed

    assert _reason(_quote(110), previous, epoch, STRICT) is QuoteReason.VALID
    assert _reason(_quote("110.000001"), previous, epoch, STRICT) is QuoteReason.OUTSIDE_DEVIATION


@given(
    previous=st.integers(1, 100_000),
    micros=st.integers(1, 2_000_000_000),
    limit=st.integers(0, 5_000),
    widening=st.integers(0, 5_000),
    missed=st.integers(0, 100),
    offset=st.integers(-2, 2),
    at_edge=st.sampled_from([None, 1, -1]),
)
def test_the_deviation_rule_is_exact(
    previous: int,
    micros: int,
    limit: int,
    widening: int,
    missed: int,
    offset: int,
    at_edge: int | None,
) -> None:
    """Random prices, and prices within two micro-dollars of the edge."""
    allowed = Fraction(limit + widening * missed, 10_000)
    reference = Fraction(previous, 100)
    if at_edge is not None:
        micros = int(reference * (1 + at_edge * allowed) * 1_000_000) + offset
    rules = PriceValidation(
        max_deviation_percent=Decimal(limit) / 100, widening_percent=Decimal(widening) / 100
    )
    price = Fraction(micros, 1_000_000)

    passes = rules.within_deviation(
        Decimal(micros).scaleb(-6), PreviousConsensus(Decimal(previous) / 100, 3), 4 + missed
    )

    assert passes == (abs(price - reference) <= allowed * reference)


def test_the_callers_decimal_context_changes_nothing() -> None:
    previous = PreviousConsensus(Decimal(100), 0)
    with localcontext(Context(prec=2)):
        rules = PriceValidation(max_deviation_percent=Decimal("12.51"))
        reasons = [
            _reason(_quote(price), previous, epoch, rules)
            for price, epoch in (("112.51", 1), ("112.80", 1), ("122.51", 2), ("122.80", 2))
        ]

    assert reasons == [QuoteReason.VALID, QuoteReason.OUTSIDE_DEVIATION] * 2


def test_another_symbol_does_not_count() -> None:
    assert _reason(_quote(symbol="MSFT")) is QuoteReason.WRONG_SYMBOL
    assert _reason(_quote(symbol="aapl")) is QuoteReason.WRONG_SYMBOL


def test_a_source_counts_once() -> None:
    quotes = [_quote(150), _quote(151), _quote(150, source="external_feed")]
    checks = check_quotes(quotes, RULES, "AAPL", 0, None)

    assert [check.quote for check in checks] == quotes
    assert [check.reason for check in checks] == [
        QuoteReason.VALID,
        QuoteReason.REPEATED_SOURCE,
        QuoteReason.VALID,
    ]


def test_no_quotes_no_checks() -> None:
    assert check_quotes([], RULES, "AAPL", 0, None) == ()


@pytest.mark.parametrize(
    ("settings", "field", "value"),
    [
        ({"min_price": Decimal(0)}, "min_price", "0"),
        ({"min_price": Decimal(-1)}, "min_price", "-1"),
        ({"min_price": Decimal(500)}, "min_price", "500"),
        ({"max_price": Decimal(50)}, "min_price", "50"),
        ({"min_volume": Decimal(0)}, "min_volume", "0"),
        ({"max_deviation_percent": Decimal(-1)}, "max_deviation_percent", "-1"),
        ({"max_deviation_percent": Decimal("0.001")}, "max_deviation_percent", "0.001"),
        ({"widening_percent": Decimal("-0.01")}, "widening_percent", "-0.01"),
        ({"min_sources": 0}, "min_sources", "0"),
    ],
)
def test_impossible_rules_are_refused(settings: dict[str, Any], field: str, value: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        PriceValidation(**settings)

    assert caught.value.field == field
    assert value in str(caught.value)
    assert caught.value.expected
