"""An order as the engine's core takes it: numbers only, priced in ticks."""

from decimal import Decimal
from typing import Final, NamedTuple, TypeAlias

from streamlet_lab.matching.instrument import Instrument
from streamlet_lab.matching.orders import Order, OrderType, Side, TimeInForce

#: Times in force as numbers; those from ``IOC`` on never rest.
DAY: Final = 0
GTC: Final = 1
GTT: Final = 2
IOC: Final = 3
FOK: Final = 4

_TIMES_IN_FORCE: Final = tuple(TimeInForce)


#: The fields of an :class:`Entry` as a plain tuple, which is what the core takes and writes down:
#: it is unpacked three times as fast, and the garbage collector forgets it.
Fields: TypeAlias = tuple[str, int, int | None, int, str, int, bool, int | None]


class Entry(NamedTuple):
    """An order in ticks, with names for its fields.

    Parameters
    ----------
    order_id : str
    side : int
        1 for a buy, -1 for a sell.
    ticks : int or None
        The limit price; None for a market order.
    quantity : int
        Shares.
    trader : str
    time_in_force : int
        One of ``DAY``, ``GTC``, ``GTT``, ``IOC``, ``FOK``.
    post_only : bool
    expires : int or None
        The instant at which a ``GTT`` order ends, in microseconds.
    """

    order_id: str
    side: int
    ticks: int | None
    quantity: int
    trader: str = ""
    time_in_force: int = DAY
    post_only: bool = False
    expires: int | None = None

    def order(self, instrument: Instrument) -> Order:
        """Convert back."""
        price: Decimal | None = None if self.ticks is None else instrument.price(self.ticks)
        return Order(
            self.order_id,
            instrument.symbol,
            Side.BUY if self.side > 0 else Side.SELL,
            OrderType.MARKET if price is None else OrderType.LIMIT,
            self.quantity,
            price,
            self.trader,
            _TIMES_IN_FORCE[self.time_in_force],
            self.expires,
            self.post_only,
        )


def fields_of(order: Order, instrument: Instrument) -> Fields:
    """Convert an order for the core.

    Raises
    ------
    InvalidInput
        If its price does not lie on the instrument's grid.
    """
    return (
        order.order_id,
        1 if order.side is Side.BUY else -1,
        None if order.price is None else instrument.ticks(order.price),
        order.quantity,
        order.trader,
        _TIMES_IN_FORCE.index(order.time_in_force),
        order.post_only,
        order.expires,
    )
