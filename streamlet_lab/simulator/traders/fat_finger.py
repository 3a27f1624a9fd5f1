"""Typing errors."""

from collections.abc import Iterator
from typing import ClassVar

from streamlet_lab.errors import InvalidInput
from streamlet_lab.registers import TraderContext
from streamlet_lab.simulator.traders.registry import trader_kind
from streamlet_lab.simulator.traders.trader import Percent, Shares, Trader
from streamlet_lab.simulator.traders.view import Action, Intent, MarketView


@trader_kind("fat_finger")
class FatFinger(Trader):
    """Sends limit orders that are far from the true price, above or below, on either side.

    It never looks at the book, the reference or its orders: the same seed sends the same orders
    into any market.

    Parameters
    ----------
    from_percent, to_percent : float
        The least and the largest distance from the true price; all between are equally likely.
    size : int, optional
        Shares of each order; 10 to 200 at random unless given.
    """

    intent: ClassVar[Intent] = "far"

    def __init__(
        self,
        context: TraderContext,
        *,
        from_percent: Percent = 6,
        to_percent: Percent = 30,
        size: Shares | None = None,
    ) -> None:
        super().__init__(context)
        self._nearest = from_percent / 100
        self._farthest = to_percent / 100
        if self._nearest > self._farthest:
            raise InvalidInput("to_percent", to_percent, f"at least from_percent, {from_percent}")
        self._size = size

    def act(self, view: MarketView) -> Iterator[Action]:
        """Send one order."""
        send = self.buy if self.random.random() < 0.5 else self.sell
        quantity = self.draw_quantity(self._size)
        sign = 1 if self.random.random() < 0.5 else -1
        distance = sign * self.random.uniform(self._nearest, self._farthest)
        yield send(quantity, view.true_price * (1 + distance))
