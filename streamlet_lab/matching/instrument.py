"""What is traded, and the grids that its prices and quantities lie on."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching.orders import MAX_QUANTITY, require_text, require_whole
from streamlet_lab.units import CENT, from_ticks, to_decimal, to_ticks


class OffGrid(InvalidInput):
    """A price or a quantity lies between two steps of an instrument's grid."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """A symbol with its tick size, its lot size and the length of its trading day.

    Parameters
    ----------
    symbol : str
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

    symbol: str
    tick: Decimal = CENT
    lot: int = 1
    day: int | None = None

    def __post_init__(self) -> None:
        require_text(self.symbol, "symbol")
        tick = to_decimal(self.tick, "tick")
        if tick <= 0:
            raise InvalidInput("tick", self.tick, "more than zero dollars")
        object.__setattr__(self, "tick", tick)
        require_whole(self.lot, "lot", "shares")
        if self.day is not None:
            require_whole(self.day, "day", "microseconds")

    def ticks(self, price: Decimal) -> int:
        """Convert a price in dollars to ticks, or raise `OffGrid`."""
        try:
            return to_ticks(price, self.tick)
        except InvalidInput as error:
            raise OffGrid(error.field, error.value, error.expected) from None

    def check_quantity(self, quantity: int) -> None:
        """Refuse what is no number of shares, and, as off the grid, what are no whole lots."""
        require_whole(quantity, "quantity", "shares", MAX_QUANTITY)
        if quantity % self.lot:
            raise OffGrid("quantity", quantity, f"a multiple of the lot size {self.lot}")

    def price(self, ticks: int) -> Decimal:
        """Convert ticks to a price in dollars."""
        return from_ticks(ticks, self.tick)

    def fraction_of_ticks(self, price: Decimal) -> Fraction:
        """Convert a price that need not lie on the grid, such as a reference, exactly."""
        return Fraction(price) / Fraction(self.tick)
