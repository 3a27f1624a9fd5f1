from decimal import Decimal
from fractions import Fraction

import pytest

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching import Instrument


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("symbol", ""),
        *(("tick", tick) for tick in (0, Decimal("-0.01"), "NaN")),
        *(("lot", lot) for lot in (0, 1.5, True)),
        *(("day", day) for day in (0, "6.5h")),
    ],
)
def test_bad_field_is_named(field, value):
    with pytest.raises(InvalidInput) as caught:
        Instrument(**{"symbol": "AAPL", field: value})
    assert caught.value.field == field


def test_ticks_and_back():
    instrument = Instrument("AAPL", tick=Decimal("0.0025"))
    assert instrument.ticks(Decimal("152.4525")) == 60_981
    assert instrument.price(60_981) == Decimal("152.4525")
    with pytest.raises(InvalidInput, match="tick size"):
        instrument.ticks(Decimal("152.4526"))


def test_reference_between_two_ticks_is_exact():
    nickel = Instrument("AAPL", tick=Decimal("0.05"))
    assert nickel.fraction_of_ticks(Decimal("0.13")) == Fraction(13, 5)
