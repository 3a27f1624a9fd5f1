"""What is traded, and the grids that its prices and quantities lie on."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Annotated

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching.orders import MAX_QUANTITY, read_quantity
from streamlet_lab.units import CENT, from_ticks, to_decimal, to_ticks
from streamlet_lab.values import Text, Whole, check_ranges


class OffGrid(InvalidInput):
    """A price or a quantity lies between two steps of an instrument's grid."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """A symbol with its tick size, its lot size and the length of its trading day.

    Parameters
    ----------
    tick : Decimal
        The smallest step between two prices, in dollars.
    lot : int
        The smallest step between two quantities, in shares.
    day : int or None
        Length of a trading day in microseconds of the engine's time. A day order ends at the
        first multiple of it after its arrival; with None, only when the engine is told that the
        day has ended.

    Examples
    --------
    >>> nickel = Instrument("AAPL", tick=Decimal("0.05"), lot=100)
    >>> nickel.ticks(Decimal("152.45")), nickel.price(3049)
    (3049, Decimal('152.45'))
    """

    symbol: Annotated[str, Text(1)]
    tick: Decimal = CENT
    lot: Annotated[int, Whole(1)] = 1
    day: Annotated[int, Whole(1)] | None = None

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.tick <= 0:
            raise InvalidInput("tick", self.tick, "more than zero dollars")

    def ticks(self, price: Decimal) -> int:
        """Convert a price in dollars to ticks, or raise `OffGrid`."""
        if type(price) is not Decimal or not price.is_finite():
            price = to_decimal(price)
        try:
            return to_ticks(price, self.tick)
        except InvalidInput as error:
            raise OffGrid(error.field, error.value, error.expected) from None

    def check_quantity(self, quantity: int) -> int:
        """Return a number of shares; refuse what is none and, as off the grid, no whole lots."""
        if type(quantity) is not int or not 0 < quantity <= MAX_QUANTITY:
            quantity = read_quantity(quantity)
        if quantity % self.lot:
            raise OffGrid("quantity", quantity, f"a multiple of the lot size {self.lot}")
        return quantity

    def price(self, ticks: int) -> Decimal:
        """Convert ticks to a price in dollars."""
        return from_ticks(ticks, self.tick)

    def fraction_of_ticks(self, price: Decimal) -> Fraction:
        """Convert a price that need not lie on the grid, such as a reference, exactly."""
        dollars, parts = to_decimal(price).as_integer_ratio()
        step, steps = self.tick.as_integer_ratio()
        return Fraction(dollars * steps, parts * step)
