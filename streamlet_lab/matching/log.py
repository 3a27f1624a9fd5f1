"""The engine's log: plain tuples for what orders bring, the event itself for all else.

The position of a row is its sequence number. Four kinds of rows are tuples, and become events when
they are read. Those of numbers and texts cost the garbage collector nothing, which was a third of
the engine's time:

===========  ===================================================================================
ACCEPTED     time, fields of the order
TRADED       time, ticks, quantity, side of the aggressor, its order's id, the resting order's id,
             shares left of the one, shares left of the other
CANCELLED    time, order id, quantity; unless its trader asked for it also reason, ticks that were
             judged, reference, first price outside of the band in ticks
REJECTED     time, order id, reason, command, price that was judged (in ticks, or in dollars where
             it is not on the grid), reference, first price outside of the band in ticks, order or
             its fields, detail
===========  ===================================================================================
"""

from abc import abstractmethod
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from threading import Lock
from typing import Any, Final, TypeVar, overload

from streamlet_lab.matching.engine_settings import EngineSettings
from streamlet_lab.matching.events import Accepted, Cancelled, CancelReason, Event, Rejected, Traded
from streamlet_lab.matching.instrument import Instrument
from streamlet_lab.matching.orders import Fields, Order, Side, Trade, fields_at, unchecked_order
from streamlet_lab.units import CENT

ACCEPTED: Final = 0
TRADED: Final = 1
CANCELLED: Final = 2
REJECTED: Final = 3

_REASONS: Final = {reason.value: reason for reason in CancelReason}
_REQUESTED: Final = (CancelReason.REQUESTED.value, None, None, None)

# Readers in several threads look for the trades; one for all logs, which are copied.
_TAPING: Final = Lock()

_Read = TypeVar("_Read")


def fields_of(order: Order, instrument: Instrument) -> Fields:
    """Convert an order for the core; refuse one that is not on the instrument's grids."""
    instrument.check_quantity(order.quantity)
    return fields_at(order, None if order.price is None else instrument.ticks(order.price))


def order_of(fields: Fields, instrument: Instrument) -> Order:
    """Convert an order back."""
    order, ticks = unchecked_order(instrument.symbol, fields), fields[2]
    if ticks is None or instrument.tick == CENT:
        return order
    return replace(order, price=instrument.price(ticks))


def order_ids(row: Any) -> tuple[str, ...]:
    """Return the ids of the orders that a row is about; of a trade first the buyer's."""
    if type(row) is tuple:
        kind = row[0]
        if kind == TRADED:
            side, arrived, waited = row[-5:-2]
            return (arrived, waited) if side > 0 else (waited, arrived)
        return (row[2][0] if kind == ACCEPTED else row[2],)
    return (row.order_id,) if hasattr(row, "order_id") else ()


class Log:
    """The rows of one engine, and where to find the trades and the accepted orders in them."""

    __slots__ = ("_forgotten", "_instrument", "_tape", "_taped", "accepted", "rows")

    def __init__(self, instrument: Instrument) -> None:
        self.rows: list[Any] = []
        self.accepted: dict[str, int] = {}
        self._instrument = instrument
        self._forgotten = 0
        self._tape: list[int] = []
        self._taped = 0  # rows among which the trades were looked for

    def count(self) -> int:
        """Return how many events there are."""
        return len(self.rows)

    def count_trades(self) -> int:
        """Return how many trades there are."""
        return len(self.tape)

    @property
    def tape(self) -> list[int]:
        """The sequence numbers of the trades; a trade's place here is its id."""
        rows = self.rows
        if self._taped < len(rows):
            with _TAPING:
                stop, new = len(rows), []
                for position in range(self._taped, stop):
                    row = rows[position]
                    if type(row) is tuple and row[0] == TRADED:
                        new.append(position)
                self._tape += new
                self._taped = stop  # last: who sees it sees the whole tape
        return self._tape

    @property
    def last_price(self) -> int | None:
        """The price of the latest trade in ticks, None before the first."""
        tape = self.tape
        return self.rows[tape[-1]][2] if tape else None

    def fields(self, order_id: str) -> Fields:
        """Return an accepted order as the core took it."""
        fields: Fields = self.rows[self.accepted[order_id]][2]
        return fields

    def order(self, order_id: str) -> Order:
        """Return an order that equals the accepted one as it came."""
        return order_of(self.fields(order_id), self._instrument)

    def event(self, sequence: int) -> Event:
        """Return the event with a sequence number."""
        row = self.rows[sequence]
        if type(row) is not tuple:
            if row is None:
                raise LookupError(f"event {sequence} was forgotten: only its total is kept")
            event: Event = row
            return event
        kind, time, *rest = row
        if kind == ACCEPTED:
            return Accepted(sequence, time, order_of(rest[0], self._instrument))
        if kind == TRADED:
            return self._traded(sequence, row)
        if kind == REJECTED:
            return self._rejected(sequence, row)
        order_id, quantity, reason, ticks, reference, outside = (*rest, *_REQUESTED)[:6]
        price, outside = self._price(ticks), self._price(outside)
        why = _REASONS[reason]
        return Cancelled(sequence, time, order_id, price, reference, why, quantity, outside=outside)

    def _price(self, price: Any) -> Any:
        """Return a price in dollars that may be there in ticks."""
        return self._instrument.price(price) if isinstance(price, int) else price

    def _traded(self, sequence: int, row: Any) -> Traded:
        _, time, ticks, quantity, side, arrived, waited, *left = row
        number = bisect_left(self.tape, sequence)
        what = (number, time, self._instrument.symbol, self._instrument.price(ticks), quantity)
        if side > 0:
            return Traded(sequence, Trade(*what, arrived, waited, Side.BUY), *left)
        return Traded(sequence, Trade(*what, waited, arrived, Side.SELL), *reversed(left))

    def _rejected(self, sequence: int, row: Any) -> Rejected:
        _, time, order_id, reason, command, price, reference, outside, order, detail = row
        if isinstance(order, tuple):
            order = order_of(order, self._instrument)
        price, outside = order.price if order else self._price(price), self._price(outside)
        what = (price, reference, reason, order, command, detail)
        return Rejected(sequence, time, order_id, *what, outside=outside)

    def _row_of(self, event: Traded) -> Any:
        trade, left = event.trade, (event.buy_remaining, event.sell_remaining)
        ids = trade.buy_order_id, trade.sell_order_id
        side = 1 if trade.aggressor is Side.BUY else -1
        ticks = self._instrument.ticks(trade.price)
        return (TRADED, trade.time, ticks, trade.quantity, side, *ids[::side], *left[::side])

    def answer(self, start: int) -> "Answer":
        """Return the events from a sequence number until now."""
        answer = Answer()
        answer.log, answer.start, answer.stop = self, start, len(self.rows)
        return answer

    def trade(self, trade_id: int) -> Trade:
        """Return the trade with an id."""
        event = self.event(self.tape[trade_id])
        assert isinstance(event, Traded)
        return event.trade

    def forget(self, order_ids: Iterable[str]) -> None:
        """Drop all rows, which were read, but those of orders that are not over.

        Positions stay what they are. What still rests keeps its own row, and these ids are as if
        they had never been accepted.
        """
        for order_id in order_ids:
            if (position := self.accepted.pop(order_id, None)) is not None:
                self.rows[position] = None
        kept = {*self.accepted.values(), *self.tape[-1:]}
        for position in range(self._forgotten, len(self.rows)):
            if position not in kept:
                self.rows[position] = None
        self._tape[:-1] = [0] * (len(self._tape) - 1)
        self._forgotten = len(self.rows)

    def append(self, event: Event) -> None:
        """Write down an event that another engine's log shows."""
        row: Any = event
        if isinstance(event, Accepted):
            order = event.order
            self.accepted[order.order_id] = event.sequence
            row = (ACCEPTED, event.time, fields_of(order, self._instrument))
        elif isinstance(event, Traded):
            row = self._row_of(event)
        self.rows.append(row)


class _View(Sequence[_Read]):
    """Positions of a log, read when somebody looks; equal to any sequence that shows the same."""

    __slots__ = ()

    @abstractmethod
    def _positions(self) -> range: ...

    @abstractmethod
    def _read(self, position: int) -> _Read: ...

    def __len__(self) -> int:
        return len(self._positions())

    @overload
    def __getitem__(self, index: int) -> _Read: ...
    @overload
    def __getitem__(self, index: slice) -> list[_Read]: ...
    def __getitem__(self, index: int | slice) -> _Read | list[_Read]:
        found = self._positions()[index]
        return self._read(found) if isinstance(found, int) else [*map(self._read, found)]

    def __iter__(self) -> Iterator[_Read]:
        return map(self._read, self._positions())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def __add__(self, other: Iterable[_Read]) -> list[_Read]:
        return [*self, *other]

    def __radd__(self, other: Iterable[_Read]) -> list[_Read]:
        return [*other, *self]

    def __repr__(self) -> str:
        return repr(list(self))


class LogView(_View[_Read]):
    """All that a log has by now, and will have.

    The settings are those of the engine: with them its events rebuild it.
    """

    __slots__ = ("_count", "_make", "settings")

    def __init__(
        self, count: Callable[[], int], make: Callable[[int], _Read], settings: EngineSettings
    ) -> None:
        self._count = count
        self._make = make
        self.settings = settings

    def _positions(self) -> range:
        return range(self._count())

    def _read(self, position: int) -> _Read:
        return self._make(position)


class Answer(_View[Event]):
    """The events of one command: it stays the same, whatever is written down later.

    ``start`` and ``stop`` are their sequence numbers. A copy is a list, without the log.
    """

    __slots__ = ("log", "start", "stop")

    log: Log
    start: int
    stop: int

    def _positions(self) -> range:
        return range(self.start, self.stop)

    def _read(self, position: int) -> Event:
        return self.log.event(position)

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)
