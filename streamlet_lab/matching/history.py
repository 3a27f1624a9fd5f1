"""The depth of the book over time, read from the events."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching.depth import Depth, PriceLevel
from streamlet_lab.matching.events import (
    Accepted,
    Cancelled,
    Clipped,
    Event,
    Expired,
    Reduced,
    Replaced,
    Traded,
)
from streamlet_lab.matching.orders import Side


def depth_over_time(
    events: Iterable[Event], times: Iterable[int], levels: int | None = None
) -> Iterator[tuple[int, Depth]]:
    """Yield snapshots of the book, each with everything that happened until its instant.

    Parameters
    ----------
    events : iterable of Event
        A log, from its beginning.
    times : iterable of int
        The instants in microseconds, in their order.
    levels : int or None
        How many prices a side; all of them by default.

    Yields
    ------
    tuple of int and Depth
        The instant, and the occupied prices of both sides, best first.

    Raises
    ------
    InvalidInput
        If ``levels`` is less than 1, or the instants run backwards.

    Examples
    --------
    >>> from streamlet_lab.matching import ConsensusMatchingEngine, Order
    >>> engine = ConsensusMatchingEngine("AAPL", without_reference="allow")
    >>> _ = engine.submit(Order.limit("b-1", "AAPL", "buy", 10, "150.00"), time=5)
    >>> [len(depth.bids) for _, depth in depth_over_time(engine.events, [4, 5])]
    [0, 1]
    """
    if levels is not None and levels < 1:
        raise InvalidInput("levels", levels, "at least 1, or None for all")
    prices, remaining = _Prices(), iter(events)
    event, before = next(remaining, None), 0
    for time in times:
        if time < before:
            raise InvalidInput("times", time, f"an instant not before {before}")
        before = time
        while event is not None and event.time <= time:
            prices.follow(event)
            event = next(remaining, None)
        yield time, prices.depth(levels)


@dataclass(slots=True)
class _Open:
    side: Side
    price: Decimal
    quantity: int


class _Prices:
    """Shares and orders at each price, kept up event by event."""

    def __init__(self) -> None:
        self._orders: dict[str, _Open] = {}
        self._levels: dict[Side, dict[Decimal, list[int]]] = {side: {} for side in Side}

    def follow(self, event: Event) -> None:
        """Take in an event."""
        match event:
            case Accepted(_, _, order):
                # What never rests ends within its own command, and is never seen in the book.
                if order.time_in_force.rests and order.price is not None:
                    self._open(order.order_id, order.side, order.price, order.quantity)
            case Traded(_, trade):
                self._take(trade.buy_order_id, trade.quantity)
                self._take(trade.sell_order_id, trade.quantity)
            case Cancelled() | Expired() | Reduced():
                self._take(event.order_id, event.quantity)
            case Replaced(_, _, order_id, price, quantity) | Clipped(
                _, _, order_id, price, quantity
            ):
                moved = self._orders.get(order_id)
                if moved is not None:
                    self._take(order_id, moved.quantity)
                    self._open(order_id, moved.side, price, quantity)

    def depth(self, levels: int | None) -> Depth:
        """Return a snapshot."""
        bids = sorted(self._levels[Side.BUY].items(), reverse=True)[:levels]
        asks = sorted(self._levels[Side.SELL].items())[:levels]
        return Depth(*(tuple(PriceLevel(at, *here) for at, here in side) for side in (bids, asks)))

    def _open(self, order_id: str, side: Side, price: Decimal, quantity: int) -> None:
        self._orders[order_id] = _Open(side, price, quantity)
        level = self._levels[side].setdefault(price, [0, 0])
        level[0] += quantity
        level[1] += 1

    def _take(self, order_id: str, quantity: int) -> None:
        order = self._orders.get(order_id)
        if order is None:
            return
        level = self._levels[order.side][order.price]
        order.quantity -= quantity
        level[0] -= quantity
        if not order.quantity:
            del self._orders[order_id]
            level[1] -= 1
            if not level[1]:
                del self._levels[order.side][order.price]
