"""Traders who live on the spread."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching import Side
from streamlet_lab.simulator.traders.trader import Action, MarketView, Shares, Trader, trader_kind
from streamlet_lab.units import CENT, MONEY, from_ticks
from streamlet_lab.values import Number


@trader_kind("market_maker")
@dataclass(eq=False, repr=False, kw_only=True)
class MarketMaker(Trader):
    """Quotes both sides around what it takes for fair, and leans against its inventory.

    It does not know the true price. Fair is the weighted mean of the reference and the last trade,
    or the one of them that there is; as long as there is neither, it does not quote. Its
    reservation price is the fair one, shifted against its position in a straight line:

        reservation = fair × (1 − skew × position / inventory limit)

    This has the form of s − q·γ·σ²·(T − t) in Avellaneda and Stoikov (2008, "High-frequency
    trading in a limit order book", Quantitative Finance 8(3)), with the product of risk aversion,
    variance and horizon as one constant, because a run has no closing bell. The quotes lie half a
    spread below and above it. A side whose fill would take the position beyond the limit is not
    quoted, so the position never passes it.

    At each act it leaves a quote that is still right in its place in the queue, and puts a new one
    in the place of any other: at most one rests on a side, and its own never cross. Quotes are not
    post-only: they wait in call auctions too, and one that meets a better price of somebody else
    trades there.
    """

    half_spread_percent: Annotated[float, Number(0.001, 50)] = 0.1  # from the reservation price
    size: Shares = 100  # of each quote
    inventory_limit: Shares = 1_000  # of the position, long or short; at least the size
    skew_percent: Annotated[float, Number(0, 50)] = 0.2  # of the fair price, at the limit
    reference_weight: Annotated[float, Number(0, 1)] = 0.5  # the last trade has the rest

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.inventory_limit < self.size:
            expected = f"at least the size of a quote, {self.size} shares"
            raise InvalidInput("inventory_limit", self.inventory_limit, expected)

    def act(self, view: MarketView) -> Iterator[Action]:
        wanted = self._quotes(view)
        kept = set[Side]()
        for order_id, order in self.orders.items():
            if order.price == wanted.get(order.side) and order.quantity == self.size:
                kept.add(order.side)
            else:
                yield self.cancel(order_id)
        for side, price in wanted.items():
            if side not in kept:
                send = self.buy if side is Side.BUY else self.sell
                yield send(self.size, price)

    def _quotes(self, view: MarketView) -> dict[Side, Decimal]:
        fair = self._fair(view)
        if fair is None:
            return {}
        skew, half_spread = self.skew_percent / 100, self.half_spread_percent / 100
        reservation = fair * (1 - skew * self.position / self.inventory_limit)
        # At the ends of the grid both could fall on one price.
        ask = max(self.on_grid(reservation * (1 + half_spread)), from_ticks(2))
        below_ask = MONEY.subtract(ask, CENT)
        bid = min(self.on_grid(reservation * (1 - half_spread)), below_ask)
        quotes = {}
        if self.position + self.size <= self.inventory_limit:
            quotes[Side.BUY] = bid
        if self.position - self.size >= -self.inventory_limit:
            quotes[Side.SELL] = ask
        return quotes

    def _fair(self, view: MarketView) -> float | None:
        if view.reference is None or view.last_price is None:
            return view.last_price if view.reference is None else view.reference
        weight = self.reference_weight
        return weight * view.reference + (1 - weight) * view.last_price
