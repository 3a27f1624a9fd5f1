"""The order book: price-time priority in integer ticks, cost independent of the resting orders.

Each side keeps a dict from price to level and a heap of these prices. A price whose last order
has gone stays in both until it comes to the top of the heap, so that taking an order out of the
book costs the same wherever it rests. The orders at one price are a linked list, in the order of
arrival.
"""

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from operator import attrgetter
from typing import Any, Final, Self

BUY: Final = 1
SELL: Final = -1


class Resting:
    """An order in the book, with the shares that remain of it, between its neighbours at a price.

    Its priority is the sequence number of the event that gave it its place: less is earlier. The
    key is its price in ticks, negated for bids: on both sides the best is the smallest. Whoever
    makes one sets its fields: with ``__init__`` it took twice the time.
    """

    __slots__ = ("before", "behind", "key", "order_id", "priority", "remaining", "trader")

    before: "Resting"
    behind: "Resting"
    key: int
    order_id: str
    priority: int
    remaining: int
    trader: str

    @property
    def ticks(self) -> int:
        """The price."""
        return abs(self.key)

    @classmethod
    def of(cls, order_id: str, trader: str, remaining: int, priority: int, key: int) -> Self:
        """Make one."""
        made = cls()
        made.order_id, made.trader, made.remaining = order_id, trader, remaining
        made.priority, made.key = priority, key
        return made

    def leave(self) -> None:
        """Make the neighbours each other's."""
        before, behind = self.before, self.behind
        before.behind = behind
        behind.before = before


class Level(Resting):
    """The orders at one price of one side: a ring from this, which is no order, and back to it."""

    __slots__ = ()

    def __init__(self, key: int) -> None:
        self.key = key
        self.before = self.behind = self

    def __iter__(self) -> Iterator[Resting]:
        resting = self.behind
        while resting is not self:
            yield resting
            resting = resting.behind


class BookSide:
    """One side of a book; iterates over its orders in priority.

    ``keys`` is a heap of the keys of ``levels``, among which may be some before the best one at
    which nobody rests any more.
    """

    __slots__ = ("_sign", "keys", "levels")

    def __init__(self, side: int) -> None:
        self.keys: list[int] = []
        self.levels: dict[int, Level] = {}
        self._sign = -side

    def __iter__(self) -> Iterator[Resting]:
        for level in self.occupied():
            yield from level

    def best(self) -> int | None:
        """Return the price that trades next, None where the side is empty."""
        keys = self.keys
        while keys:
            level = self.levels[keys[0]]
            if level.behind is not level:
                return abs(level.key)
            del self.levels[heappop(keys)]
        return None

    def occupied(self) -> Iterator[Level]:
        """Yield the occupied levels, best first; the side must not change meanwhile.

        The first ones cost the same however many there are: a key is looked at once the key above
        it in the heap has had its turn.
        """
        keys = self.keys
        ahead = [(key, place) for place, key in enumerate(keys[:1])]
        while ahead:
            key, place = heappop(ahead)
            level = self.levels[key]
            if level.behind is not level:
                yield level
            for below in range(2 * place + 1, min(2 * place + 3, len(keys))):
                heappush(ahead, (keys[below], below))

    def outside(self, low: int, high: int) -> list[Resting]:
        """Return the orders priced below ``low`` or above ``high``, in ticks.

        First those beyond the best end, then those beyond the other, each from the outermost
        price inwards; at one price by arrival.
        """
        best, worst = (low, high) if self._sign > 0 else (-high, -low)
        beyond_worst = (key for key in self.keys if key > worst and key >= best)
        return self._before(best) + self._at(sorted(beyond_worst, reverse=True))

    def better_than(self, ticks: int) -> list[Resting]:
        """Return the orders of higher bids or lower asks than a price, in priority."""
        return self._before(self._sign * ticks)

    def _before(self, best: int) -> list[Resting]:
        return self._at(sorted(key for key in self.keys if key < best))

    def _at(self, keys: Iterable[int]) -> list[Resting]:
        return [resting for key in keys for resting in self.levels[key]]

    def open_level(self, key: int) -> Level:
        """Add a price at which nobody rests yet."""
        self.levels[key] = level = Level(key)
        heappush(self.keys, key)
        return level


class OrderBook:
    """The resting orders of one symbol in ticks; ``orders`` by id, in the order of acceptance.

    The book keeps and orders what it is given. Matching, and so never leaving an order that
    crosses the other side except while an auction collects them, is the engine's job.
    """

    __slots__ = ("asks", "bids", "orders", "sides")

    def __init__(self) -> None:
        self.bids = bids = BookSide(BUY)
        self.asks = asks = BookSide(SELL)
        self.sides = {BUY: (bids, asks), SELL: (asks, bids)}  # an order's own, and the opposite
        self.orders: dict[str, Resting] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        # Orders are linked to their neighbours: thousands at one price are too deep to copy.
        fields = attrgetter("order_id", "trader", "remaining", "priority", "key")
        return OrderBook, (), [*map(fields, self.orders.values())]

    def __setstate__(self, orders: Iterable[tuple[str, str, int, int, int]]) -> None:
        self.fill(Resting.of(*fields) for fields in orders)

    def fill(self, orders: Iterable[Resting]) -> None:
        """Put orders, given in that of their acceptance, in their places in an empty book."""
        self.orders.update((each.order_id, each) for each in orders)
        for each in sorted(self.orders.values(), key=lambda one: one.priority):
            self.add(each)

    def outside(self, low: int, high: int) -> list[Resting]:
        """Return the orders of both sides that are priced outside a range in ticks, bids first."""
        return self.bids.outside(low, high) + self.asks.outside(low, high)

    def add(self, resting: Resting) -> None:
        """Put an order behind all others at its price."""
        key = resting.key
        own = self.bids if key < 0 else self.asks
        level = own.levels.get(key) or own.open_level(key)
        self.orders[resting.order_id] = resting
        resting.before = last = level.before
        resting.behind = level
        last.behind = level.before = resting

    def move(self, resting: Resting, ticks: int, quantity: int, priority: int) -> None:
        """Queue an order again on its side, with another price and size."""
        resting.leave()
        resting.key = ticks if resting.key > 0 else -ticks
        resting.remaining, resting.priority = quantity, priority
        self.add(resting)

    def reduce(self, resting: Resting, quantity: int) -> None:
        """Take shares off a resting order: some of them or all, traded or cancelled.

        What is left keeps its priority; an order of which nothing is left is gone.
        """
        resting.remaining = left = resting.remaining - quantity
        if not left:
            resting.leave()
            del self.orders[resting.order_id]
