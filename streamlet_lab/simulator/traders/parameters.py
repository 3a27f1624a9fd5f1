"""Checks of what the kinds of traders take."""

from typing import TypeGuard

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching import MAX_QUANTITY


def number(name: str, value: object, low: float, high: float) -> float:
    """Return a parameter that is a number between two others, both of them included.

    Raises
    ------
    InvalidInput
        If it is not.
    """
    # Nothing compares with NaN, so that it is refused too.
    if not (_is_number(value) and low <= value <= high):
        raise InvalidInput(name, value, f"a number from {low:g} to {high:g}")
    return float(value)


def percent(name: str, value: object, high: float = 100) -> float:
    """Return a parameter in percent as a share of one: 5 is 0.05.

    Raises
    ------
    InvalidInput
        If it is no number from 0 to ``high``.
    """
    return number(name, value, 0, high) / 100


def whole(name: str, value: object, low: int, high: int) -> int:
    """Return a parameter that is a whole number between two others, both of them included.

    Raises
    ------
    InvalidInput
        If it is not.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InvalidInput(name, value, f"a whole number from {low:,} to {high:,}")
    return value


def shares(name: str, value: object) -> int:
    """Return a parameter that is a number of shares which an order may have.

    Raises
    ------
    InvalidInput
        If it is not.
    """
    return whole(name, value, 1, MAX_QUANTITY)


def rate(name: str, value: object) -> float:
    """Return a parameter that is a number of acts per second.

    Raises
    ------
    InvalidInput
        If it is no number from 0.000001 to 1,000,000.
    """
    return number(name, value, 1e-6, 1e6)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
