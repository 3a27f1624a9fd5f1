"""Traders without a thought."""

from collections.abc import Iterator

from streamlet_lab.simulator.traders import parameters
from streamlet_lab.simulator.traders.kinds import trader_kind
from streamlet_lab.simulator.traders.trader import Seat, Trader
from streamlet_lab.simulator.traders.view import Action, MarketView
from streamlet_lab.units import to_number


@trader_kind("zero_intelligence")
class ZeroIntelligence(Trader):
    """Buys or sells at random, at a price around the true one (after Gode and Sunder 1993).

    It never looks at the book, the reference or its orders: the same seed sends the same orders
    into any market.

    Parameters
    ----------
    seat : Seat
    spread_percent : float
        Standard deviation of its limit prices around the true price.
    market_order_share : float
        Share of its orders that are market orders.
    size : int, optional
        Shares of each order; 10 to 200 at random unless given.
    """

    def __init__(
        self,
        seat: Seat,
        *,
        spread_percent: float = 0.5,
        market_order_share: float = 0.2,
        size: int | None = None,
    ) -> None:
        super().__init__(seat)
        self._spread = parameters.percent("spread_percent", spread_percent)
        self._market_share = to_number(market_order_share, 0, 1, "market_order_share")
        self._size = parameters.size(size)

    def act(self, view: MarketView) -> Iterator[Action]:
        """Send one order."""
        send = self.buy if self.random.random() < 0.5 else self.sell
        quantity = self.draw_quantity(self._size)
        distance = self.random.gauss(0, self._spread)
        is_market_order = self.random.random() < self._market_share
        yield send(quantity, None if is_market_order else view.true_price * (1 + distance))
