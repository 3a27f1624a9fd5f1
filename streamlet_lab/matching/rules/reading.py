"""What bands take, and the prices that a percentage allows."""

from fractions import Fraction

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching.watch import Range
from streamlet_lab.units import to_hundredths, to_microseconds


def read_percent(value: object, field: str) -> int:
    """Read a percentage above 0 and up to 100, as hundredths of a percent."""
    hundredths = to_hundredths(value, field)
    if not 0 < hundredths <= 10_000:
        raise InvalidInput(field, value, "more than 0 and at most 100")
    return hundredths


def read_duration(value: object, field: str = "duration") -> int:
    """Read a duration that is longer than zero, in microseconds of market time."""
    duration = to_microseconds(value, field)
    if not duration:
        raise InvalidInput(field, value, "a duration longer than zero, such as '5min'")
    return duration


def around(ticks: Fraction, hundredths: int) -> Range:
    """Return the lowest and the highest price, in ticks, within a percentage of a price.

    Both are rounded inwards, so that none is farther away than the percentage.

    >>> around(Fraction(15_245), 500)
    (14483, 16007)
    """
    # In integers, because bands are moved often: -(-a // b) is a / b rounded up.
    price, unit = ticks.numerator, ticks.denominator * 10_000
    return -(-price * (10_000 - hundredths) // unit), price * (10_000 + hundredths) // unit
