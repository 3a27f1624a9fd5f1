"""What becomes of accepted orders, read from the events alone."""

from dataclasses import dataclass
from decimal import Decimal

from streamlet_lab.matching.events import (
    Accepted,
    Cancelled,
    Event,
    Expired,
    Reduced,
    Replaced,
    Repriced,
    Traded,
)
from streamlet_lab.matching.orders import Order, Side


@dataclass(slots=True)
class OpenOrder:
    """An order since it was accepted.

    Attributes
    ----------
    order : Order
        As it came.
    price : Decimal or None
        Where it rests, in dollars; None for a market order.
    limit : Decimal or None
        The price that its trader named last: where the band has moved the order, not where it is.
    quantity : int
        Shares that are left of it.
    priority : int
        Sequence number of the event that gave it its place.
    status : {"resting", "filled", "cancelled", "expired"}
    reason : str
        Why it was cancelled.
    filled : int
        Shares that were traded.
    repriced : bool
        Whether the band has ever moved it.
    """

    order: Order
    price: Decimal | None
    limit: Decimal | None
    quantity: int
    priority: int
    status: str = "resting"
    reason: str = ""
    filled: int = 0
    repriced: bool = False

    @property
    def side(self) -> Side:
        """Whether it buys or sells."""
        return self.order.side


class OrderTracker:
    """Follows events, each once and in their order.

    The orders that have not ended are ``open`` by their ids, in the order of acceptance.
    """

    __slots__ = ("open",)

    def __init__(self) -> None:
        self.open: dict[str, OpenOrder] = {}

    def follow(self, event: Event) -> list[OpenOrder]:
        """Take in an event, and return the orders that it is about.

        Orders whose acceptance was not seen are left out.
        """
        if isinstance(event, Accepted):
            came = event.order
            opened = OpenOrder(came, came.price, came.price, came.quantity, event.sequence)
            self.open[came.order_id] = opened
            return [opened]
        if isinstance(event, Traded):
            ids = [event.trade.buy_order_id, event.trade.sell_order_id]
        else:
            ids = [getattr(event, "order_id", "")]
        changed = [self.open[order_id] for order_id in ids if order_id in self.open]
        for order in changed:
            match event:
                case Traded(trade=trade):
                    order.filled += trade.quantity
                    self._take(order, trade.quantity, "filled")
                case Cancelled():
                    order.reason = event.reason.value
                    self._take(order, event.quantity, "cancelled")
                case Expired():
                    self._take(order, event.quantity, "expired")
                case Reduced():
                    order.quantity = event.remaining
                case Replaced():
                    order.price = order.limit = event.price
                    order.quantity = event.quantity
                    if not event.keeps_priority:
                        order.priority = event.sequence
                case Repriced():
                    order.price, order.priority = event.price, event.sequence
                    order.repriced = True
        return changed

    def _take(self, order: OpenOrder, quantity: int, status: str) -> None:
        order.quantity -= quantity
        if not order.quantity:
            order.status = status
            del self.open[order.order.order_id]
