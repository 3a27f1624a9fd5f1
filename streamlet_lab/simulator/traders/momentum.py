"""Traders who follow the price."""

from collections import deque
from collections.abc import Iterator
from typing import Annotated

from streamlet_lab.registers import TraderContext
from streamlet_lab.simulator.traders.registry import trader_kind
from streamlet_lab.simulator.traders.trader import Percent, Shares, Trader
from streamlet_lab.simulator.traders.view import Action, MarketView
from streamlet_lab.values import Whole


@trader_kind("momentum")
class Momentum(Trader):
    """Buys what has risen and sells what has fallen, with market orders.

    At each act it compares the last price with the one that it saw a number of acts ago. It knows
    neither the true price nor the reference. While orders are not matched as they come, it looks
    on.

    Parameters
    ----------
    lookback : int
        How many of its own acts it looks back.
    threshold_percent : float
        It follows a move that is larger than this.
    size : int, optional
        Shares of each order; 10 to 200 at random unless given.
    """

    def __init__(
        self,
        context: TraderContext,
        *,
        lookback: Annotated[int, Whole(1, 100_000)] = 5,
        threshold_percent: Percent = 0.5,
        size: Shares | None = None,
    ) -> None:
        super().__init__(context)
        self._lookback = lookback
        self._seen = deque[float](maxlen=self._lookback + 1)
        self._threshold = threshold_percent / 100
        self._size = size

    def act(self, view: MarketView) -> Iterator[Action]:
        """Follow the price if it has moved far enough."""
        quantity = self.draw_quantity(self._size)
        if view.last_price is None:
            return
        self._seen.append(view.last_price)
        if len(self._seen) <= self._lookback or not view.is_continuous:
            return
        change = view.last_price / self._seen[0] - 1
        if change > self._threshold:
            yield self.buy(quantity)
        elif change < -self._threshold:
            yield self.sell(quantity)
