"""Traders who profit from a lie of their accomplices."""

from collections.abc import Iterator
from typing import ClassVar

from streamlet_lab.registers import TraderContext
from streamlet_lab.simulator.traders.registry import trader_kind
from streamlet_lab.simulator.traders.trader import Percent, Shares, Trader
from streamlet_lab.simulator.traders.view import Action, Intent, MarketView


@trader_kind("manipulator")
class Manipulator(Trader):
    """Waits until the reference is displaced, and trades with whoever quotes around it.

    It knows the true price, and that a lying feed pushes the reference away from it. While the
    reference is too high, it sells to those who bid more than the true price; while it is too low,
    it buys from those who ask less. It never rests an order, and waits
    while orders are not matched as they come. The lie is the work of others: faults of nodes or of
    sources. An old reference looks like a displaced one, so a threshold that is meant for lies
    alone must be larger than what the true price moves in the age of a reference.

    Parameters
    ----------
    threshold_percent : float
        It waits until the reference is farther than this from the true price.
    edge_percent : float
        It trades where it gains more than this.
    size : int, optional
        Shares of each order; 10 to 200 at random unless given.
    """

    intent: ClassVar[Intent] = "manipulating"

    def __init__(
        self,
        context: TraderContext,
        *,
        threshold_percent: Percent = 1.0,
        edge_percent: Percent = 0.1,
        size: Shares | None = None,
    ) -> None:
        super().__init__(context)
        self._threshold = threshold_percent / 100
        self._edge = edge_percent / 100
        self._size = size

    def act(self, view: MarketView) -> Iterator[Action]:
        """Sell dear or buy cheap, if the lie has made that possible."""
        quantity = self.draw_quantity(self._size)
        if view.reference is None or not view.is_continuous:
            return
        true = view.true_price
        pushed_up = view.reference > true * (1 + self._threshold)
        pushed_down = view.reference < true * (1 - self._threshold)
        dear, cheap = true * (1 + self._edge), true * (1 - self._edge)
        if pushed_up and view.best_bid is not None and view.best_bid > dear:
            yield self.sell(quantity, dear, time_in_force="ioc")
        elif pushed_down and view.best_ask is not None and view.best_ask < cheap:
            yield self.buy(quantity, cheap, time_in_force="ioc")
