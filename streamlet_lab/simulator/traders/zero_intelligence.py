"""Traders without a thought."""

from collections.abc import Iterator
from typing import Annotated

from streamlet_lab.registers import TraderContext
from streamlet_lab.simulator.traders.registry import trader_kind
from streamlet_lab.simulator.traders.trader import Percent, Shares, Trader
from streamlet_lab.simulator.traders.view import Action, MarketView
from streamlet_lab.values import Number


@trader_kind("zero_intelligence")
class ZeroIntelligence(Trader):
    """Buys or sells at random, at a price around the true one (after Gode and Sunder 1993).

    It never looks at the book, the reference or its orders: the same seed sends the same orders
    into any market.

    Parameters
    ----------
    spread_percent : float
        Standard deviation of its limit prices around the true price.
    market_order_share : float
        Share of its orders that are market orders.
    size : int, optional
        Shares of each order; 10 to 200 at random unless given.
    """

    def __init__(
        self,
        context: TraderContext,
        *,
        spread_percent: Percent = 0.5,
        market_order_share: Annotated[float, Number(0, 1)] = 0.2,
        size: Shares | None = None,
    ) -> None:
        super().__init__(context)
        self._spread = spread_percent / 100
        self._market_share = market_order_share
        self._size = size

    def act(self, view: MarketView) -> Iterator[Action]:
        """Send one order."""
        send = self.buy if self.random.random() < 0.5 else self.sell
        quantity = self.draw_quantity(self._size)
        distance = self.random.gauss(0, self._spread)
        is_market_order = self.random.random() < self._market_share
        yield send(quantity, None if is_market_order else view.true_price * (1 + distance))
