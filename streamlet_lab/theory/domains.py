"""What numbers the closed forms take."""

from fractions import Fraction
from typing import Final, TypeVar

from streamlet_lab.units import to_number, to_whole

#: A probability, or what is computed from one; fractions give exact answers.
Number = TypeVar("Number", float, Fraction)

#: What a number has to be whose mean is not beyond every float.
TOO_LARGE: Final = "so large that the mean is a number below 1.8e308, or a Fraction"


def to_count(value: object, field: str, low: int = 0) -> int:
    """Return a number of nodes, epochs or sources: whole, and up to a million."""
    return to_whole(value, low, field, 1_000_000)


def to_probability(p: Number) -> Number:
    """Return a probability above 0."""
    return to_exact(p, "p", 0, 1, above=True)


def to_exact(
    value: Number, field: str, low: float, high: float, *, above: bool = False, below: bool = False
) -> Number:
    """Return a checked number as a float, but a fraction as it is."""
    number = to_number(value, low, high, field, above=above, below=below)
    return value if isinstance(value, Fraction) else number
