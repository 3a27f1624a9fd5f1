"""A quote is exactly what was typed, or it is refused."""

from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices import ORIGIN, StockPrice


def test_a_quote_has_the_descriptions_fields() -> None:
    """And a confidence, which a source may leave out."""
    names = [field.name for field in fields(StockPrice)]

    assert names == ["symbol", "price", "volume", "source", "timestamp", "confidence"]
    assert StockPrice.create("AAPL", 150, 100, "x").confidence is None


@pytest.mark.parametrize("confidence", ["0.02", 0.02, Decimal("0.02")])
def test_a_confidence_is_exactly_what_was_typed(confidence: object) -> None:
    quote = StockPrice.create("AAPL", 150, 100, "x", confidence=confidence)

    assert quote.confidence == Decimal("0.02")


@pytest.mark.parametrize(
    ("confidence", "expected"),
    [
        ("-0.01", "zero or more dollars"),
        ("NaN", "a finite decimal number"),
        (True, "a finite decimal number"),
        ("0.0000001", "whole micro-dollars"),
    ],
)
def test_an_impossible_confidence_is_refused(confidence: object, expected: str) -> None:
    with pytest.raises(InvalidInput, match=rf"^confidence: .* {expected}"):
        StockPrice.create("AAPL", 150, 100, "x", confidence=confidence)


@pytest.mark.parametrize("price", ["152.45", 152.45, Decimal("152.45")])
def test_every_way_to_write_a_price_gives_the_same_quote(price: object) -> None:
    quote = StockPrice.create("AAPL", price, 1500, "market_data_1")

    assert quote == StockPrice("AAPL", Decimal("152.45"), Decimal(1500), "market_data_1", ORIGIN)


@pytest.mark.parametrize("price", [0, -1, 9999, "0.000001"])
def test_an_implausible_price_is_a_quote_all_the_same(price: object) -> None:
    """Judging it is the business of the validation rules."""
    assert StockPrice.create("AAPL", price, 0, "market_data_1").price == Decimal(str(price))


@pytest.mark.parametrize(
    "value", ["NaN", "sNaN", "inf", float("nan"), float("-inf"), None, True, "dear", "", b"1", []]
)
@pytest.mark.parametrize("name", ["price", "volume"])
def test_what_is_not_a_number_is_refused(name: str, value: object) -> None:
    numbers = {"price": 150, "volume": 100, name: value}

    with pytest.raises(InvalidInput, match=rf"^{name}: .* expected a finite decimal number"):
        StockPrice.create("AAPL", numbers["price"], numbers["volume"], "market_data_1")


@pytest.mark.parametrize("value", [None, 7, b"AAPL", ["AAPL"], True])
@pytest.mark.parametrize("name", ["symbol", "source"])
def test_a_symbol_and_a_source_are_texts(name: str, value: Any) -> None:
    texts = {"symbol": "AAPL", "source": "market_data_1", name: value}

    with pytest.raises(InvalidInput, match=rf"^{name}: .* expected a text$") as caught:
        StockPrice.create(texts["symbol"], 150, 100, texts["source"])
    assert (caught.value.field, caught.value.value) == (name, value)


def test_a_price_is_in_whole_micro_dollars() -> None:
    assert StockPrice.create("AAPL", "150.000001", 100, "x").price == Decimal("150.000001")
    with pytest.raises(InvalidInput, match="whole micro-dollars"):
        StockPrice.create("AAPL", "150.0000001", 100, "x")


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"timestamp: '2024-01-15 10:30:00' .* time zone"):
        StockPrice.create("AAPL", 150, 100, "x", ORIGIN.replace(tzinfo=None))
