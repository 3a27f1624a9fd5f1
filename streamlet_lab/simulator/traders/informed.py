"""Traders who know something."""

from collections.abc import Iterator

from streamlet_lab.registers import TraderContext
from streamlet_lab.simulator.traders.registry import trader_kind
from streamlet_lab.simulator.traders.trader import Percent, Shares, Trader
from streamlet_lab.simulator.traders.view import Action, MarketView


@trader_kind("informed")
class Informed(Trader):
    """Sees the true price with noise, takes quotes that are wrong, and quotes where none is.

    At each act it perceives a new value, true price × (1 + noise), and cancels what is left of its
    former order. If the best quote is better than that value by more than the edge, it takes it,
    up to the value. Otherwise it offers to buy or to sell, as chance has it, an edge away from the
    value. While orders are not matched as they come, it takes nothing.

    This is the informed trader of Glosten and Milgrom (1985), whose trades tell the others.

    Parameters
    ----------
    noise_percent : float
        Standard deviation of what it perceives around the true price.
    edge_percent : float
        What it wants to gain, at least.
    size : int, optional
        Shares of each order; 10 to 200 at random unless given.
    """

    def __init__(
        self,
        context: TraderContext,
        *,
        noise_percent: Percent = 0.2,
        edge_percent: Percent = 0.1,
        size: Shares | None = None,
    ) -> None:
        super().__init__(context)
        self._noise = noise_percent / 100
        self._edge = edge_percent / 100
        self._size = size

    def act(self, view: MarketView) -> Iterator[Action]:
        """Take a quote that is wrong, or offer one."""
        # It draws all that it may need, so that the instants of its acts do not depend on the book.
        value = view.true_price * (1 + self.random.gauss(0, self._noise))
        quantity = self.draw_quantity(self._size)
        would_rather_buy = self.random.random() < 0.5
        bid, ask = value * (1 - self._edge), value * (1 + self._edge)

        for order_id in self.orders:
            yield self.cancel(order_id)
        takes = view.is_continuous
        if takes and view.best_ask is not None and view.best_ask < bid:
            yield self.buy(quantity, value, time_in_force="ioc")
        elif takes and view.best_bid is not None and view.best_bid > ask:
            yield self.sell(quantity, value, time_in_force="ioc")
        elif would_rather_buy:
            yield self.buy(quantity, bid)
        else:
            yield self.sell(quantity, ask)
