"""Checks of what the kinds of traders take."""

from streamlet_lab.matching import MAX_QUANTITY
from streamlet_lab.units import to_number, to_whole


def percent(name: str, value: object, high: float = 100) -> float:
    """Return a parameter in percent as a share of one: 5 is 0.05.

    Raises
    ------
    InvalidInput
        If it is no number from 0 to ``high``.
    """
    return to_number(value, 0, high, name) / 100


def shares(name: str, value: object) -> int:
    """Return a parameter that is a number of shares which an order may have.

    Raises
    ------
    InvalidInput
        If it is not.
    """
    return to_whole(value, 1, name, MAX_QUANTITY)


def size(value: object) -> int | None:
    """Return the number of shares of each order; None where it is drawn.

    Raises
    ------
    InvalidInput
        If it is neither.
    """
    return None if value is None else shares("size", value)


def rate(name: str, value: object) -> float:
    """Return a parameter that is a number of acts per second.

    Raises
    ------
    InvalidInput
        If it is no number from 0.000001 to 1,000,000.
    """
    return to_number(value, 1e-6, 1e6, name)
