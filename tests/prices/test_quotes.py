"""A quote is exactly what was typed, or it is refused."""

from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices import ORIGIN, StockPrice

TYPED = {"symbol": "AAPL", "price": 150, "volume": 1500, "source": "market_data_1"}


def _quote(**typed: Any) -> StockPrice:
    return StockPrice.create(**{**TYPED, **typed})


def test_a_quote_has_the_descriptions_fields() -> None:
    """And a confidence, which a source may leave out."""
    names = [field.name for field in fields(StockPrice)]

    assert names == ["symbol", "price", "volume", "source", "timestamp", "confidence"]
    assert (_quote().confidence, _quote(confidence=0).confidence) == (None, 0)


@pytest.mark.parametrize("number", ["152.45", 152.45, Decimal("152.45")])
def test_every_way_to_write_a_number_gives_the_same_quote(number: object) -> None:
    exact = Decimal("152.45")
    expected = StockPrice("AAPL", exact, exact, "market_data_1", ORIGIN, exact)

    assert _quote(price=number, volume=number, confidence=number) == expected


@pytest.mark.parametrize("price", [0, -1, 9999, "0.000001", "150.000001"])
def test_an_implausible_price_is_a_quote_all_the_same(price: object) -> None:
    """Judging it is the business of the validation rules."""
    assert _quote(price=price).price == Decimal(str(price))


NO_NUMBERS = ["NaN", "sNaN", "inf", float("nan"), float("-inf"), True, "dear", "", b"1", []]
REFUSED = [
    *((name, value, "a finite decimal") for name in ("price", "volume") for value in NO_NUMBERS),
    *((name, None, "a finite decimal") for name in ("price", "volume")),
    *((name, v, "a text$") for name in ("symbol", "source") for v in (None, 7, b"AAPL", [], True)),
    ("price", "150.0000001", "whole micro-dollars"),
    ("confidence", "NaN", "a finite decimal"),
    ("confidence", True, "a finite decimal"),
    ("confidence", "-0.01", "zero or more dollars"),
    ("confidence", "0.0000001", "whole micro-dollars"),
    ("timestamp", ORIGIN.replace(tzinfo=None), "time zone"),
]


@pytest.mark.parametrize(("name", "value", "expected"), REFUSED)
def test_what_is_no_quote_is_refused(name: str, value: object, expected: str) -> None:
    with pytest.raises(InvalidInput, match=rf"^{name}: .* expected .*{expected}") as caught:
        _quote(**{name: value})
    assert caught.value.field == name
