"""Traders who follow the price."""

from collections import deque
from collections.abc import Iterator

from streamlet_lab.simulator.traders import parameters
from streamlet_lab.simulator.traders.kinds import trader_kind
from streamlet_lab.simulator.traders.trader import Seat, Trader
from streamlet_lab.simulator.traders.view import Action, MarketView
from streamlet_lab.units import to_whole


@trader_kind("momentum")
class Momentum(Trader):
    """Buys what has risen and sells what has fallen, with market orders.

    At each act it compares the last price with the one that it saw a number of acts ago. It knows
    neither the true price nor the reference. While orders are not matched as they come, it looks
    on.

    Parameters
    ----------
    seat : Seat
    lookback : int
        How many of its own acts it looks back.
    threshold_percent : float
        It follows a move that is larger than this.
    size : int, optional
        Shares of each order; 10 to 200 at random unless given.
    """

    def __init__(
        self,
        seat: Seat,
        *,
        lookback: int = 5,
        threshold_percent: float = 0.5,
        size: int | None = None,
    ) -> None:
        super().__init__(seat)
        self._lookback = to_whole(lookback, 1, "lookback", 100_000)
        self._seen = deque[float](maxlen=self._lookback + 1)
        self._threshold = parameters.percent("threshold_percent", threshold_percent)
        self._size = parameters.size(size)

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
