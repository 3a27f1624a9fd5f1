"""Time, money, and what else of numbers comes from outside.

Simulated time is an integer number of microseconds. Money is :class:`decimal.Decimal` where people
meet it and an integer number of ticks where it is compared: no float decides a trade, a vote or a
hash.
"""

import math
import operator
import re
import sys
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from decimal import (
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from fractions import Fraction
from numbers import Real
from typing import TYPE_CHECKING, Final, TypeVar

from streamlet_lab.errors import InvalidInput
from streamlet_lab.texts import one_of

if TYPE_CHECKING:
    import pandas as pd
    from typing_extensions import TypeIs

T = TypeVar("T")

MICROSECONDS_PER_SECOND: Final = 1_000_000

_MICROSECONDS: Final = {
    "ns": Fraction(1, 1_000),
    "us": Fraction(1),
    "ms": Fraction(1_000),
    "s": Fraction(MICROSECONDS_PER_SECOND),
    "min": Fraction(60 * MICROSECONDS_PER_SECOND),
    "h": Fraction(3_600 * MICROSECONDS_PER_SECOND),
}
_END_OF_TIME: Final = 2**63
_DURATION: Final = re.compile(
    r"\s*(?P<number>-?\d{1,18}(\.\d{1,18})?(e[+-]\d\d)?)\s*(?P<unit>ns|us|ms|s|min|h)\s*", re.ASCII
)

#: The one context of all arithmetic with money; passed explicitly, so that a caller's own thread
#: context cannot change a result.
MONEY: Final = Context(
    prec=28, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow]
)
CENT: Final = Decimal("0.01")

_PRINTED: Final = (str, float, int, Real)  # the first ones are found faster
# As people and Python write a number: `Decimal` also takes `1_50`, and digits of other scripts.
_AMOUNT: Final = re.compile(
    r"\s*[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,6})?\s*", re.ASCII | re.IGNORECASE
)

# A price with more digits than this is a mistake or an attack: its arithmetic would round.
_LARGEST_EXPONENT: Final = 12


def to_python(value: object) -> object:
    """Return a number or a truth value of numpy's as Python's, as it prints; all else as it is."""
    if "numpy" not in sys.modules:  # nor then is anything numpy's
        return value
    import numpy as np

    match value:
        case np.bool_():
            return bool(value)
        case np.floating():
            return float(str(value))  # for a float32 this is shorter than as a float64
        case np.integer() if not isinstance(value, np.timedelta64):  # a number only to numpy
            return int(value)
    return value


def is_frame(value: object) -> "TypeIs[pd.DataFrame]":
    """Whether something is a frame of pandas, which nobody has where it was not imported."""
    if "pandas" not in sys.modules:
        return False
    import pandas as pd

    return isinstance(value, pd.DataFrame)


def to_microseconds(value: object, field: str = "duration") -> int:
    """Read a duration as microseconds.

    It is a number of seconds, or a text with a unit: ``"250ms"``, ``"1min"``, ``"6.5h"``; not
    negative, and not finer than a microsecond. ``field`` is the name that a complaint uses, here
    and below.

    >>> to_microseconds(0.25), to_microseconds("6.5h")
    (250000, 23400000000)
    """
    # A day is no unit: it has 24 hours where messages travel, and 6.5 where prices are made.
    expected = (
        "seconds as a number, or a text with a unit such as '250ms', '1min' or '6.5h', the length "
        "of a trading day"
    )
    text = value
    if isinstance(value, Real | Decimal):
        with suppress(ValueError):  # true, false, or a whole number of thousands of digits
            # Behind the fifteenth digit a float is noise.
            text = f"{float(str(value)):.15g}s"
    parts = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if parts is None:
        raise InvalidInput(field, value, expected)
    microseconds = Fraction(parts["number"]) * _MICROSECONDS[parts["unit"]]
    if microseconds.denominator != 1 or not 0 <= microseconds < _END_OF_TIME:
        raise InvalidInput(field, value, "a duration of whole microseconds, zero or more")
    return int(microseconds)


def format_duration(microseconds: int) -> str:
    """Write a duration so that :func:`to_microseconds` reads the same one back.

    >>> format_duration(250_000), format_duration(6 * 3_600_000_000 + 1_800_000_000)
    ('250ms', '390min')
    """
    for unit, size in (("min", 60_000_000), ("s", 1_000_000), ("ms", 1_000)):
        if microseconds and microseconds % size == 0:
            return f"{microseconds // size}{unit}"
    return f"{microseconds}us"


def to_seconds(microseconds: int) -> float:
    """Convert simulated time to seconds, for looking and for charts."""
    return microseconds / MICROSECONDS_PER_SECOND


def to_decimal(value: object, field: str = "price") -> Decimal:
    """Read a finite amount; floats are taken as they print, so ``0.1`` is one tenth."""
    expected = "a finite decimal number such as 152.45"
    amount = value if isinstance(value, Decimal) else read_amount(value)
    if amount is None or not amount.is_finite():
        raise InvalidInput(field, value, expected)
    exponent = amount.as_tuple().exponent
    assert isinstance(exponent, int)
    if abs(exponent) > _LARGEST_EXPONENT or amount.adjusted() >= _LARGEST_EXPONENT:
        expected = f"a decimal number with at most {_LARGEST_EXPONENT} digits each side"
        raise InvalidInput(field, value, expected)
    return amount


def read_amount(value: object) -> Decimal | None:
    """Return a number, or the text of one, as it prints; None for all else."""
    if isinstance(value, _PRINTED):
        try:
            text = str(value)
            return Decimal(text) if _AMOUNT.fullmatch(text) else None
        except ValueError:  # a whole number of thousands of digits
            pass
    return None


def to_number(
    value: object, low: float, high: float, field: str, *, above: bool = False, below: bool = False
) -> float:
    """Return a finite number between two others as a float; true and false are none.

    Both ends are included, unless ``above`` or ``below`` leave one out; an infinite one is no
    bound.
    """
    number, given = math.nan, to_python(value)
    if isinstance(given, int | float | Fraction | Decimal) and not isinstance(given, bool):
        with suppress(ArithmeticError):  # beyond every float; a Decimal that is no number
            # What a float would round to an end may lie outside.
            number = float(given) if low <= given <= high else math.nan
    is_at_end = (above and number == low) or (below and number == high)
    # Nothing compares with NaN, so that it is refused too.
    if not low <= number <= high or math.isinf(number) or is_at_end:
        raise InvalidInput(field, value, _between(low, high, above, below))
    return number


def _between(low: float, high: float, above: bool, below: bool) -> str:
    start = f"above {low:g}" if above else f"from {low:g}"
    if math.isinf(low):
        return "a finite number"
    if math.isinf(high):
        return f"a finite number {start}" if above else f"a finite number {start} on"
    if above or below:
        return f"a number {start} and {'below' if below else 'at most'} {high:g}"
    return f"a number {start} to {high:g}"


def to_whole(
    value: object, low: int, field: str, high: int | None = None, expected: str | None = None
) -> int:
    """Return a whole number in a range as an integer; true, false and 2.0 are none.

    None is beyond 64 bits. ``expected`` says what is valid where more is known than the range.
    """
    number, most = None, _END_OF_TIME - 1 if high is None else high
    if type(value) is int:
        number = value
    elif not isinstance(value, bool):
        with suppress(TypeError):
            number = operator.index(value)  # type: ignore[arg-type]
    if number is not None and low <= number <= most:
        return number
    is_open = high is None and (number is None or number < low)
    ends = f"of at least {low:,}" if is_open else f"from {low:,} to {most:,}"
    raise InvalidInput(field, value, expected or f"a whole number {ends}")


def to_flag(value: object, field: str) -> bool:
    """Return a truth value, Python's own or numpy's, as Python's; 0, 1 and "yes" are none."""
    flag = to_python(value)
    if not isinstance(flag, bool):
        raise InvalidInput(field, value, "True or False")
    return flag


def to_text(value: object, field: str, fewest: int = 0) -> str:
    """Return a text of so many characters at least."""
    if not isinstance(value, str) or len(value) < fewest:
        raise InvalidInput(field, value, "a text that is not empty" if fewest else "a text")
    return value


def to_name(value: object, names: Collection[str], field: str) -> str:
    """Return one of some names, or refuse what is none of them."""
    if not isinstance(value, str) or value not in names:
        raise InvalidInput(field, value, one_of(value, names))
    return value


def to_instance(value: object, kind: type[T], field: str) -> T:
    """Return what is of a kind, or refuse it."""
    if not isinstance(value, kind):
        raise InvalidInput(field, value, f"of the type {kind.__name__}")
    return value


def to_function(value: T, field: str) -> T:
    """Return what can be called, or refuse it."""
    if not callable(value):
        raise InvalidInput(field, value, "a function")
    return value


def to_timestamp(value: object, field: str) -> datetime:
    """Return a calendar time that says in which time zone it is meant."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise InvalidInput(field, value, "a datetime with a time zone")
    return value


def to_ticks(price: Decimal, tick: Decimal = CENT, field: str = "price") -> int:
    """Convert a price to ticks, and refuse one that does not lie on their grid."""
    scaled = price.scaleb(2, MONEY) if tick == CENT else MONEY.divide(price, tick)
    ticks = int(scaled)
    if ticks != scaled:
        raise InvalidInput(field, str(price), f"a multiple of the tick size {tick}")
    return ticks


def to_micros(price: Decimal, field: str = "price") -> int:
    """Convert a price to micro-dollars: the unit in which quotes and claims are compared."""
    scaled = price.scaleb(6, MONEY)
    micros = int(scaled)
    if micros != scaled:
        raise InvalidInput(field, str(price), "a price in whole micro-dollars")
    return micros


def to_hundredths(percent: object, field: str) -> int:
    """Read a percentage as hundredths of a percent, in which rules compare; never negative."""
    scaled = to_decimal(percent, field).scaleb(2, MONEY)
    hundredths = int(scaled)
    if hundredths < 0 or hundredths != scaled:
        raise InvalidInput(field, str(percent), "zero or more, in hundredths of a percent")
    return hundredths


def from_ticks(ticks: int, tick: Decimal = CENT) -> Decimal:
    """Convert ticks back to a price, with the tick's own number of decimal places."""
    if type(ticks) is not int:  # else one call less for each price of a run
        ticks = to_whole(ticks, -_END_OF_TIME, "ticks", _END_OF_TIME)
    return MONEY.multiply(Decimal(ticks), tick)


def round_price(price: Decimal, tick: Decimal = CENT) -> Decimal:
    """Round to the tick, half even."""
    return price.quantize(tick, context=MONEY)


def is_within(price: int, reference: int, percent_hundredths: int) -> bool:
    """Whether a price lies within so many hundredths of a percent of a reference, or at the edge.

    Both are in the same integer unit; 500 hundredths are 5 %.
    """
    return abs(price - reference) * 10_000 <= percent_hundredths * reference


def deviation_percent(price: Decimal, reference: Decimal) -> Decimal:
    """How far a price is from a reference, in percent of the reference, without sign."""
    difference = MONEY.abs(MONEY.subtract(price, reference))
    return MONEY.divide(MONEY.multiply(difference, Decimal(100)), reference)


def format_deviation(price: Decimal, reference: Decimal, outside: Decimal | None = None) -> str:
    """Write how far a price is from a reference, in percent: with two digits, or more if it must.

    ``outside`` is the first price beyond what a rule allows, if there is a rule: a price as far as
    that is not shown as if it were nearer.

    >>> format_deviation(Decimal("210.01"), Decimal(200), Decimal("210.01"))
    '5.005%'
    """
    exact = deviation_percent(price, reference)
    least = 0 if outside is None else deviation_percent(outside, reference)
    nearer = exact.quantize(CENT, ROUND_FLOOR, MONEY)  # limits are in hundredths
    digits = CENT
    while (shown := round_price(exact, digits)) < least and shown <= nearer:
        digits = digits.scaleb(-1, MONEY)
    return f"{shown}%"


def format_price(price: Decimal) -> str:
    """Write a price as the description's demos do, exactly: ``$152.45``, ``$94.9999``."""
    cents = round_price(price)
    return f"${cents if cents == price else price.normalize(MONEY):,f}"
