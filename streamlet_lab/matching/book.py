"""The order book: price-time priority in integer ticks, cost independent of the resting orders.

Each side keeps a dict from price to level and a heap of these prices. A price whose last order
has gone stays in both until it comes to the top of the heap, so that taking an order out of the
book costs the same wherever it rests. The orders at one price are a linked list, in the order of
arrival.
"""

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from typing import Any, Final

BUY: Final = 1
SELL: Final = -1


class Resting:
    """An order in the book, with the shares that remain of it, between its neighbours at a price.

    Its priority is the sequence number of the event that gave it its place: less is earlier.
    """

    __slots__ = ("before", "behind", "level", "order_id", "priority", "remaining", "trader")

    before: "Resting"
    behind: "Resting"
    level: "Level"

    def __init__(self, order_id: str, trader: str, remaining: int, priority: int) -> None:
        self.order_id = order_id
        self.trader = trader
        self.remaining = remaining
        self.priority = priority


class Level:
    """The orders at one price of one side, and how many shares they are.

    The queue is a ring: ``head`` is no order, the first one stands behind it and the last before.
    """

    __slots__ = ("head", "key", "quantity", "ticks")

    def __init__(self, key: int, ticks: int) -> None:
        self.key = key
        self.ticks = ticks
        self.quantity = 0
        self.head = head = Resting("", "", 0, 0)
        head.before = head.behind = head

    def __iter__(self) -> Iterator[Resting]:
        resting = self.head.behind
        while resting is not self.head:
            yield resting
            resting = resting.behind


class BookSide:
    """One side of a book; iterates over its orders in priority.

    A key is a price in ticks, negated for bids: on both sides the best is the smallest. ``keys`` is
    a heap of them; it may have keys before the best one at which nobody rests any more.
    """

    __slots__ = ("_levels", "_sign", "keys")

    def __init__(self, side: int) -> None:
        self.keys: list[int] = []
        self._sign = -side
        self._levels: dict[int, Level] = {}

    def __iter__(self) -> Iterator[Resting]:
        for level in self.levels():
            yield from level

    def best(self) -> Level | None:
        """Return the level that trades next, None where the side is empty."""
        keys = self.keys
        while keys:
            level = self._levels[keys[0]]
            if level.quantity:
                return level
            del self._levels[heappop(keys)]
        return None

    def levels(self) -> Iterator[Level]:
        """Yield the occupied levels, best first; the side must not change meanwhile.

        The first ones cost the same however many there are: a key is looked at once the key above
        it in the heap has had its turn.
        """
        keys = self.keys
        ahead = [(key, place) for place, key in enumerate(keys[:1])]
        while ahead:
            key, place = heappop(ahead)
            level = self._levels[key]
            if level.quantity:
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
        return [resting for key in keys for resting in self._levels[key]]

    def add(self, resting: Resting, ticks: int) -> None:
        """Put an order behind all others at its price."""
        key = self._sign * ticks
        level = self._levels.get(key)
        if level is None:
            level = self._levels[key] = Level(key, ticks)
            heappush(self.keys, key)
        head = level.head
        last = head.before
        resting.before = last
        resting.behind = head
        last.behind = resting
        head.before = resting
        resting.level = level
        level.quantity += resting.remaining


class OrderBook:
    """The resting orders of one symbol in ticks; ``orders`` by id, in the order of acceptance.

    The book keeps and orders what it is given. Matching, and so never leaving an order that
    crosses the other side except while an auction collects them, is the engine's job.
    """

    __slots__ = ("asks", "bids", "orders")

    def __init__(self) -> None:
        self.bids = BookSide(BUY)
        self.asks = BookSide(SELL)
        self.orders: dict[str, Resting] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        # Orders are linked to their neighbours: thousands at one price are too deep to copy.
        orders = self.orders.values()
        fields = [(each.order_id, each.trader, each.remaining, each.priority) for each in orders]
        return _filled, (fields, [each.level.key for each in orders])

    def side(self, side: int) -> BookSide:
        """Return the resting orders of one side."""
        return self.bids if side > 0 else self.asks

    def outside(self, low: int, high: int) -> list[Resting]:
        """Return the orders of both sides that are priced outside a range in ticks, bids first."""
        return self.bids.outside(low, high) + self.asks.outside(low, high)

    def reduce(self, resting: Resting, quantity: int) -> None:
        """Take shares off a resting order: some of them or all, traded or cancelled.

        What is left keeps its priority; an order of which nothing is left is gone.
        """
        resting.level.quantity -= quantity
        resting.remaining = left = resting.remaining - quantity
        if not left:
            before, behind = resting.before, resting.behind
            before.behind = behind
            behind.before = before
            del self.orders[resting.order_id]

    def unlink(self, resting: Resting) -> None:
        """Take an order out of its queue but keep it among ``orders``, to be queued again."""
        resting.level.quantity -= resting.remaining
        resting.before.behind = resting.behind
        resting.behind.before = resting.before


def _filled(fields: Iterable[tuple[str, str, int, int]], keys: Iterable[int]) -> OrderBook:
    """Return a book with orders, given in the order of acceptance, and the keys of their levels."""
    book = OrderBook()
    resting = [Resting(*each) for each in fields]
    book.orders = {each.order_id: each for each in resting}
    queues = sorted(zip(resting, keys, strict=True), key=lambda place: place[0].priority)
    for each, key in queues:
        (book.bids if key < 0 else book.asks).add(each, abs(key))
    return book
