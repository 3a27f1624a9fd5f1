"""The order book: price-time priority, integer ticks, cost independent of the resting orders.

Each side keeps a dict from price to level and a sorted list of the occupied prices with the best
one last, where nearly everything happens. Priority inside a level is the order of arrival.
"""

from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching.orders import Order, Side


@dataclass(slots=True, eq=False)
class RestingOrder:
    """An order in the book: its price in ticks and the shares that are left of it."""

    order: Order
    ticks: int
    remaining: int


@dataclass(frozen=True, slots=True)
class PriceLevel:
    """One price of a depth snapshot: dollars, shares, number of orders."""

    price: Decimal
    quantity: int
    orders: int


@dataclass(frozen=True, slots=True)
class Depth:
    """The occupied prices of both sides, best first."""

    bids: tuple[PriceLevel, ...]
    asks: tuple[PriceLevel, ...]


@dataclass(slots=True, eq=False)
class _Level:
    """The orders at one price.

    An OrderedDict, because the first key of a plain dict is found by stepping over every key that
    was deleted before it: a long queue would be eaten in quadratic time.
    """

    price: Decimal
    quantity: int = 0
    orders: OrderedDict[str, RestingOrder] = field(default_factory=OrderedDict)


class BookSide:
    """One side of a book; iterates over its orders in priority."""

    __slots__ = ("_keys", "_levels", "_sign")

    def __init__(self, side: Side) -> None:
        # A key is a price in ticks, negated for asks: on both sides the best key is the largest.
        self._sign = 1 if side is Side.BUY else -1
        self._keys: list[int] = []
        self._levels: dict[int, _Level] = {}

    def __iter__(self) -> Iterator[RestingOrder]:
        for key in reversed(self._keys):
            yield from self._levels[key].orders.values()

    @property
    def best(self) -> Decimal | None:
        """The best price in dollars, None where the side is empty."""
        return self._levels[self._keys[-1]].price if self._keys else None

    def front(self) -> RestingOrder | None:
        """Return the order that trades next, None where the side is empty."""
        if not self._keys:
            return None
        return next(iter(self._levels[self._keys[-1]].orders.values()))

    def outside(self, low: int, high: int) -> list[RestingOrder]:
        """Return the orders priced below ``low`` or above ``high``, in ticks.

        First those beyond the best end, then those beyond the other, each from the outermost
        price inwards; at one price by arrival.
        """
        worst, best = sorted((self._sign * low, self._sign * high))
        beyond_best = self._keys[bisect_right(self._keys, best) :]
        beyond_worst = self._keys[: bisect_left(self._keys, worst)]
        return [
            resting
            for key in (*reversed(beyond_best), *beyond_worst)
            for resting in self._levels[key].orders.values()
        ]

    def depth(self, levels: int | None) -> tuple[PriceLevel, ...]:
        """Return the best prices with what rests there, best first."""
        keys = self._keys[::-1] if levels is None else self._keys[: -levels - 1 : -1]
        found = (self._levels[key] for key in keys)
        return tuple(PriceLevel(level.price, level.quantity, len(level.orders)) for level in found)

    def add(self, resting: RestingOrder, price: Decimal) -> None:
        """Put an order behind all others at its price."""
        key = self._sign * resting.ticks
        level = self._levels.get(key)
        if level is None:
            level = self._levels[key] = _Level(price)
            insort(self._keys, key)
        level.orders[resting.order.order_id] = resting
        level.quantity += resting.remaining

    def reduce(self, resting: RestingOrder, quantity: int) -> None:
        """Take shares off an order; it keeps its priority, and leaves when nothing remains."""
        key = self._sign * resting.ticks
        level = self._levels[key]
        resting.remaining -= quantity
        level.quantity -= quantity
        if resting.remaining:
            return
        del level.orders[resting.order.order_id]
        if not level.orders:
            del self._levels[key]
            del self._keys[bisect_left(self._keys, key)]


class OrderBook:
    """The resting orders of one symbol.

    The book keeps and orders what it is given. Matching, and so never adding an order that
    crosses the other side, is the engine's job.
    """

    __slots__ = ("_orders", "asks", "bids")

    def __init__(self) -> None:
        self.bids = BookSide(Side.BUY)
        self.asks = BookSide(Side.SELL)
        self._orders: dict[str, RestingOrder] = {}

    def __len__(self) -> int:
        return len(self._orders)

    @property
    def best_bid(self) -> Decimal | None:
        """The highest price that a resting order pays, in dollars; None where nobody buys."""
        return self.bids.best

    @property
    def best_ask(self) -> Decimal | None:
        """The lowest price that a resting order asks, in dollars; None where nobody sells."""
        return self.asks.best

    def depth(self, levels: int | None = None) -> Depth:
        """Return a snapshot of the best prices of both sides.

        Parameters
        ----------
        levels : int or None
            How many prices a side; all of them by default.

        Raises
        ------
        InvalidInput
            If ``levels`` is less than 1.
        """
        if levels is not None and levels < 1:
            raise InvalidInput("levels", levels, "at least 1, or None for all")
        return Depth(self.bids.depth(levels), self.asks.depth(levels))

    def side(self, side: Side) -> BookSide:
        """Return the resting orders of one side."""
        return self.bids if side is Side.BUY else self.asks

    def opposite(self, side: Side) -> BookSide:
        """Return the resting orders that an order of this side trades with."""
        return self.asks if side is Side.BUY else self.bids

    def outside(self, low: int, high: int) -> list[RestingOrder]:
        """Return the orders of both sides that are priced outside a range in ticks, bids first."""
        return self.bids.outside(low, high) + self.asks.outside(low, high)

    def add(self, order: Order, quantity: int) -> None:
        """Let a quantity of a limit order rest, behind all others at its price.

        Raises
        ------
        InvalidInput
            If it is a market order, or its id is in the book.
        """
        if order.price is None or order.ticks is None:
            raise InvalidInput("order_type", str(order.order_type), "'limit': others never rest")
        if order.order_id in self._orders:
            raise InvalidInput("order_id", order.order_id, "an id that is not in the book")
        resting = self._orders[order.order_id] = RestingOrder(order, order.ticks, quantity)
        self.side(order.side).add(resting, order.price)

    def find(self, order_id: str) -> RestingOrder | None:
        """Return a resting order, None where no such order rests."""
        return self._orders.get(order_id)

    def reduce(self, resting: RestingOrder, quantity: int) -> None:
        """Take shares off a resting order: some of them or all, traded or cancelled.

        What is left keeps its priority; an order of which nothing is left is gone.
        """
        self.side(resting.order.side).reduce(resting, quantity)
        if not resting.remaining:
            del self._orders[resting.order.order_id]
