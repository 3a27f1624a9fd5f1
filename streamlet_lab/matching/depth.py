"""What a person sees of the book: orders, best prices and depth, now and over time, in dollars."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import islice
from typing import NamedTuple

from streamlet_lab.matching.book import BookSide, OrderBook, Resting
from streamlet_lab.matching.events import Event
from streamlet_lab.matching.instrument import Instrument
from streamlet_lab.matching.log import Log
from streamlet_lab.matching.orders import Order, Side
from streamlet_lab.matching.tracker import OrderTracker
from streamlet_lab.units import to_text, to_whole


class PriceLevel(NamedTuple):
    """One price of a depth snapshot: dollars, shares, number of orders."""

    price: Decimal
    quantity: int
    orders: int


class Depth(NamedTuple):
    """The occupied prices of both sides, best first."""

    bids: tuple[PriceLevel, ...]
    asks: tuple[PriceLevel, ...]


class RestingOrder(NamedTuple):
    """An order as it came, where it rests now, and the shares that are left of it.

    The priority is the sequence number of the event that gave it its place: at one price, less
    trades first.
    """

    order: Order
    price: Decimal
    remaining: int
    priority: int


class BookView:
    """The resting orders of an engine, to look at."""

    __slots__ = ("_book", "_instrument", "_log")

    def __init__(self, book: OrderBook, log: Log, instrument: Instrument) -> None:
        self._book = book
        self._log = log
        self._instrument = instrument

    def __len__(self) -> int:
        return len(self._book.orders)

    @property
    def bids(self) -> list[RestingOrder]:
        """The orders to buy, in priority."""
        return [*map(self._show, self._book.bids)]

    @property
    def asks(self) -> list[RestingOrder]:
        """The orders to sell, in priority."""
        return [*map(self._show, self._book.asks)]

    @property
    def best_bid(self) -> Decimal | None:
        """The highest price that a resting order pays, in dollars; None where nobody buys."""
        return self._best(self._book.bids)

    @property
    def best_ask(self) -> Decimal | None:
        """The lowest price that a resting order asks, in dollars; None where nobody sells."""
        return self._best(self._book.asks)

    def depth(self, levels: int | None = None) -> Depth:
        """Return a snapshot of so many prices of each side, at least 1; of all by default."""
        levels = _read_levels(levels)
        sides = (self._book.bids, self._book.asks)
        return Depth(*(tuple(islice(self._levels(side), levels)) for side in sides))

    def find(self, order_id: str) -> RestingOrder | None:
        """Return a resting order, None where no such order rests."""
        resting = self._book.orders.get(to_text(order_id, "order_id"))
        return None if resting is None else self._show(resting)

    def _best(self, side: BookSide) -> Decimal | None:
        best = side.best()
        return None if best is None else self._instrument.price(best)

    def _levels(self, side: BookSide) -> Iterator[PriceLevel]:
        for level in side.occupied():
            shares = [resting.remaining for resting in level]
            yield PriceLevel(self._instrument.price(level.ticks), sum(shares), len(shares))

    def _show(self, resting: Resting) -> RestingOrder:
        order = self._log.order(resting.order_id)
        price = self._instrument.price(resting.ticks)
        return RestingOrder(order, price, resting.remaining, resting.priority)


def depth_over_time(
    events: Iterable[Event], times: Iterable[int], levels: int | None = None
) -> Iterator[tuple[int, Depth]]:
    """Yield snapshots of the book, each with everything that happened until its instant.

    Parameters
    ----------
    events : iterable of Event
        A log, from its beginning.
    times : iterable of int
        The instants in microseconds; they must not run backwards.
    levels : int or None
        How many prices a side; all of them by default.

    Examples
    --------
    >>> from streamlet_lab.matching import ConsensusMatchingEngine, Order
    >>> engine = ConsensusMatchingEngine("AAPL", without_reference="allow")
    >>> _ = engine.submit(Order.limit("b-1", "AAPL", "buy", 10, "150.00"), time=5)
    >>> [len(depth.bids) for _, depth in depth_over_time(engine.events, [4, 5])]
    [0, 1]
    """
    levels = _read_levels(levels)
    prices, remaining = _Prices(), iter(events)
    event, before = next(remaining, None), 0
    for time in times:
        time = to_whole(time, before, "times", expected=f"an instant not before {before}")
        before = time
        while event is not None and event.time <= time:
            prices.follow(event)
            event = next(remaining, None)
        yield time, prices.depth(levels)


def _read_levels(levels: int | None) -> int | None:
    if levels is None:
        return None
    return to_whole(levels, 1, "levels", None, "a whole number of at least 1, or None for all")


class _Prices:
    """Shares and orders at each price, kept up event by event."""

    def __init__(self) -> None:
        self._tracker = OrderTracker()
        self._sides: dict[Side, dict[Decimal, list[int]]] = {side: {} for side in Side}
        self._counted: dict[str, tuple[Side, Decimal, int]] = {}

    def follow(self, event: Event) -> None:
        """Take in an event."""
        for opened in self._tracker.follow(event):
            order, price, quantity = opened.order, opened.price, opened.quantity
            if order.order_id in self._counted:
                side, former, shares = self._counted.pop(order.order_id)
                self._count(side, former, -shares, -1)
            # What never rests ends within its own command, and is never seen in the book.
            if quantity and price is not None and order.time_in_force.rests:
                self._count(order.side, price, quantity, 1)
                self._counted[order.order_id] = order.side, price, quantity

    def depth(self, levels: int | None) -> Depth:
        """Return a snapshot."""
        bids = sorted(self._sides[Side.BUY].items(), reverse=True)[:levels]
        asks = sorted(self._sides[Side.SELL].items())[:levels]
        return Depth(*(tuple(PriceLevel(at, *here) for at, here in side) for side in (bids, asks)))

    def _count(self, side: Side, price: Decimal, shares: int, orders: int) -> None:
        level = self._sides[side].setdefault(price, [0, 0])
        level[0] += shares
        level[1] += orders
        if not level[1]:
            del self._sides[side][price]
