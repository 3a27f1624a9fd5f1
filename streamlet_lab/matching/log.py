"""The engine's log: plain tuples for what every order brings, the event itself for all else.

The position of a row is its sequence number. Three kinds of rows are tuples of numbers and texts,
which cost the garbage collector nothing (a third of the engine's speed), and become events when
they are read:

===========  ===================================================================================
ACCEPTED     time, fields of the order
TRADED       time, trade id, ticks, quantity, side of the aggressor, its order's id, the resting
             order's id, shares left of the one, shares left of the other
CANCELLED    time, reason, order id, quantity, ticks that were judged, reference, first price
             outside of the band
===========  ===================================================================================
"""

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from typing import Any, Final, TypeAlias, TypeVar, overload

from streamlet_lab.matching.engine_settings import EngineSettings
from streamlet_lab.matching.events import Accepted, Cancelled, CancelReason, Event, Traded
from streamlet_lab.matching.instrument import Instrument
from streamlet_lab.matching.orders import Order, OrderType, Side, TimeInForce, Trade

ACCEPTED: Final = 0
TRADED: Final = 1
CANCELLED: Final = 2

#: Times in force as numbers; those from ``IOC`` on never rest.
DAY: Final = 0
GTC: Final = 1
GTT: Final = 2
IOC: Final = 3
FOK: Final = 4

#: An order as the core takes it: id, side (1 buys, -1 sells), ticks (None: a market order),
#: quantity, trader, time in force, whether it is post-only, and when a ``GTT`` order ends.
Fields: TypeAlias = tuple[str, int, int | None, int, str, int, bool, int | None]

_TIMES_IN_FORCE: Final = tuple(TimeInForce)
_REASONS: Final = {reason.value: reason for reason in CancelReason}

_Read = TypeVar("_Read")


def fields_of(order: Order, instrument: Instrument) -> Fields:
    """Convert an order for the core; refuse one that is not on the instrument's grids."""
    instrument.check_quantity(order.quantity)
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


def order_of(fields: Fields, instrument: Instrument) -> Order:
    """Convert an order back."""
    order_id, side, ticks, quantity, trader, time_in_force, post_only, expires = fields
    return Order(
        order_id,
        instrument.symbol,
        Side.BUY if side > 0 else Side.SELL,
        OrderType.MARKET if ticks is None else OrderType.LIMIT,
        quantity,
        None if ticks is None else instrument.price(ticks),
        trader,
        _TIMES_IN_FORCE[time_in_force],
        expires,
        post_only,
    )


def order_ids(row: Any) -> tuple[str, ...]:
    """Return the ids of the orders that a row is about; of a trade first the buyer's."""
    if type(row) is tuple:
        kind = row[0]
        if kind == TRADED:
            side, arrived, waited = row[-5:-2]
            return (arrived, waited) if side > 0 else (waited, arrived)
        return (row[2][0] if kind == ACCEPTED else row[3],)
    return (row.order_id,) if hasattr(row, "order_id") else ()


class Log:
    """The rows of one engine, and where to find the trades and the accepted orders in them."""

    __slots__ = ("_forgotten", "_instrument", "accepted", "orders", "rows", "tape")

    def __init__(self, instrument: Instrument) -> None:
        self.rows: list[Any] = []
        self.tape: list[int] = []
        self.accepted: dict[str, int] = {}
        self.orders: dict[str, Order] = {}  # as they came, where somebody has made them already
        self._instrument = instrument
        self._forgotten = 0

    @property
    def last_price(self) -> int | None:
        """The price of the latest trade in ticks, None before the first."""
        tape = self.tape
        return self.rows[tape[-1]][-7] if tape else None

    def fields(self, order_id: str) -> Fields:
        """Return an accepted order as the core took it."""
        fields: Fields = self.rows[self.accepted[order_id]][2]
        return fields

    def order(self, order_id: str) -> Order:
        """Return an accepted order as it came."""
        order = self.orders.get(order_id)
        if order is None:
            order = self.orders[order_id] = order_of(self.fields(order_id), self._instrument)
        return order

    def event(self, sequence: int) -> Event:
        """Return the event with a sequence number."""
        row = self.rows[sequence]
        if type(row) is not tuple:
            event: Event = row
            return event
        kind, time, *rest = row
        if kind == ACCEPTED:
            return Accepted(sequence, time, self.order(rest[0][0]))
        if kind == CANCELLED:
            reason, order_id, quantity, ticks, reference, outside = rest
            price = None if ticks is None else self._instrument.price(ticks)
            why = _REASONS[reason]
            return Cancelled(
                sequence, time, order_id, price, reference, why, quantity, outside=outside
            )
        number, ticks, quantity, side, arrived, waited, *left = rest
        what = (number, time, self._instrument.symbol, self._instrument.price(ticks), quantity)
        if side > 0:
            return Traded(sequence, Trade(*what, arrived, waited, Side.BUY), *left)
        return Traded(sequence, Trade(*what, waited, arrived, Side.SELL), *reversed(left))

    def trade(self, trade_id: int) -> Trade:
        """Return the trade with an id."""
        event = self.event(self.tape[trade_id])
        assert isinstance(event, Traded)
        return event.trade

    def forget(self, before: int, order_ids: Iterable[str]) -> None:
        """Drop rows that were read: those before a position, and of orders that are over.

        Positions stay what they are. What still rests keeps its own row, and these ids are as if
        they had never been accepted.
        """
        for order_id in order_ids:
            if (position := self.accepted.pop(order_id, None)) is not None:
                self.rows[position] = None
            self.orders.pop(order_id, None)
        kept = {*self.accepted.values(), *self.tape[-1:]}
        for position in range(self._forgotten, before):
            if position not in kept:
                self.rows[position] = None
        self.tape[:-1] = [0] * (len(self.tape) - 1)
        self._forgotten = before

    def append(self, event: Event) -> None:
        """Write down an event that another engine's log shows."""
        row: Any = event
        if isinstance(event, Accepted):
            order = event.order
            self.accepted[order.order_id] = event.sequence
            self.orders[order.order_id] = order
            row = (ACCEPTED, event.time, fields_of(order, self._instrument))
        elif isinstance(event, Traded):
            row = self._row_of(event)
            self.tape.append(event.sequence)
        self.rows.append(row)

    def _row_of(self, event: Traded) -> Any:
        trade, left = event.trade, (event.buy_remaining, event.sell_remaining)
        ids = trade.buy_order_id, trade.sell_order_id
        side = 1 if trade.aggressor is Side.BUY else -1
        what = (trade.trade_id, self._instrument.ticks(trade.price), trade.quantity, side)
        return (TRADED, trade.time, *what, *ids[::side], *left[::side])


class LogView(Sequence[_Read]):
    """Part of a log, made at the moment of reading; equal to any sequence that shows the same.

    The settings are those of the engine: with them its events rebuild it.
    """

    __slots__ = ("_make", "_positions", "settings")

    def __init__(
        self, positions: Sized, make: Callable[[int], _Read], settings: EngineSettings
    ) -> None:
        self._positions = positions
        self._make = make
        self.settings = settings

    def __len__(self) -> int:
        return len(self._positions)

    @overload
    def __getitem__(self, index: int) -> _Read: ...
    @overload
    def __getitem__(self, index: slice) -> list[_Read]: ...
    def __getitem__(self, index: int | slice) -> _Read | list[_Read]:
        found = range(len(self))[index]
        return self._make(found) if isinstance(found, int) else [*map(self._make, found)]

    def __iter__(self) -> Iterator[_Read]:
        return map(self._make, range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def __repr__(self) -> str:
        return repr(list(self))
