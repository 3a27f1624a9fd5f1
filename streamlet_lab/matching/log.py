"""The engine's log: plain tuples while it matches, typed events on reading.

A row begins with its kind and the instant; its position in the log is its sequence number.

===========  ====================================================================================
kind         the rest of the row
===========  ====================================================================================
ACCEPTED     fields of the entry, a plain tuple
REJECTED     reason, command, order id, price, reference, order (or its entry), detail
TRADED       trade id, ticks, quantity, side of the aggressor, id of the aggressor, id of the
             resting order, shares left of the first, shares left of the second
CANCELLED    reason, order id, quantity, ticks that were judged, reference
REDUCED      order id, reason, quantity, shares left
REPLACED     order id, ticks, quantity, whether it keeps its priority
EXPIRED      order id, quantity
REFERENCE    reference
STATE        state
BAND         lowest and highest price in ticks, reference
CLIPPED      order id, ticks, quantity
UNCROSSED    ticks or None, quantity, surplus
===========  ====================================================================================

Reasons, commands and states are positions in their enumerations. The price of a rejection is in
ticks, or a ``Decimal`` where it lies on no grid. A row of nothing but numbers and texts costs the
garbage collector nothing: this is a third of the speed.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, TypeAlias

from streamlet_lab.matching.band import NEVER
from streamlet_lab.matching.commands import Entry, Fields
from streamlet_lab.matching.events import (
    Accepted,
    BandMoved,
    Cancelled,
    CancelReason,
    Clipped,
    Command,
    Event,
    Expired,
    MarketState,
    Reduced,
    ReferenceMoved,
    Rejected,
    RejectReason,
    Replaced,
    StateChanged,
    Traded,
    Uncrossed,
)
from streamlet_lab.matching.instrument import Instrument
from streamlet_lab.matching.orders import Order, Side, Trade
from streamlet_lab.matching.reference import Reference

ACCEPTED: Final = 0
REJECTED: Final = 1
TRADED: Final = 2
CANCELLED: Final = 3
REDUCED: Final = 4
REPLACED: Final = 5
EXPIRED: Final = 6
REFERENCE: Final = 7
STATE: Final = 8
BAND: Final = 9
CLIPPED: Final = 10
UNCROSSED: Final = 11

Row: TypeAlias = tuple[Any, ...]


REJECT_REASONS: Final = tuple(RejectReason)
CANCEL_REASONS: Final = tuple(CancelReason)
COMMANDS: Final = tuple(Command)
STATES: Final = tuple(MarketState)


class Log:
    """The rows of one engine, and where to find in them.

    Attributes
    ----------
    rows : list of Row
        Every event.
    tape : list of int
        Sequence numbers of the trades.
    accepted : dict of str to int
        Sequence number at which each id was accepted.
    orders : dict of str to Order
        Orders by their ids, where somebody has made them already.
    """

    __slots__ = ("accepted", "orders", "rows", "tape")

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.tape: list[int] = []
        self.accepted: dict[str, int] = {}
        self.orders: dict[str, Order] = {}

    def entry(self, order_id: str) -> Entry:
        """Return an accepted order as it came."""
        return Entry._make(self.rows[self.accepted[order_id]][2])

    def order(self, order_id: str, instrument: Instrument) -> Order:
        """Return an accepted order as it came, with its price in dollars."""
        order = self.orders.get(order_id)
        if order is None:
            order = self.orders[order_id] = self.entry(order_id).order(instrument)
        return order


class EventReader:
    """Makes events and trades of the rows of a log.

    Parameters
    ----------
    log : Log
    instrument : Instrument
    """

    __slots__ = ("_instrument", "_log", "_make")

    def __init__(self, log: Log, instrument: Instrument) -> None:
        self._log = log
        self._instrument = instrument
        # By kind: the readers stand in the order of the kinds.
        self._make: tuple[Callable[..., Event], ...] = (
            self._accepted,
            self._rejected,
            self._traded,
            self._cancelled,
            self._reduced,
            self._replaced,
            Expired,
            ReferenceMoved,
            self._state_changed,
            self._band_moved,
            self._clipped,
            self._uncrossed,
        )

    def event(self, sequence: int) -> Event:
        """Make the event with a sequence number."""
        kind, *row = self._log.rows[sequence]
        return self._make[kind](sequence, *row)

    def trade(self, trade_id: int) -> Trade:
        """Make the trade with an id."""
        _, *row = self._log.rows[self._log.tape[trade_id]]
        return self._make_trade(*row)

    def _make_trade(
        self,
        time: int,
        trade_id: int,
        ticks: int,
        quantity: int,
        side: int,
        arrived: str,
        waited: str,
        *_: int,
    ) -> Trade:
        instrument = self._instrument
        price = instrument.price(ticks)
        if side > 0:
            buy, sell, aggressor = arrived, waited, Side.BUY
        else:
            buy, sell, aggressor = waited, arrived, Side.SELL
        return Trade(trade_id, time, instrument.symbol, price, quantity, buy, sell, aggressor)

    def _accepted(self, sequence: int, time: int, fields: Fields) -> Accepted:
        return Accepted(sequence, time, self._log.order(fields[0], self._instrument))

    def _rejected(
        self,
        sequence: int,
        time: int,
        reason: int,
        command: int,
        order_id: str,
        price: int | Decimal | None,
        reference: Reference | None,
        order: Order | Entry | None,
        detail: str,
    ) -> Rejected:
        if isinstance(price, int):
            price = self._instrument.price(price)
        if isinstance(order, Entry):
            order = order.order(self._instrument)
        return Rejected(
            sequence,
            time,
            order_id,
            price,
            reference,
            REJECT_REASONS[reason],
            order,
            COMMANDS[command],
            detail,
        )

    def _traded(self, sequence: int, *row: Any) -> Traded:
        first, second = row[-2:]
        trade = self._make_trade(*row)
        buy, sell = (first, second) if trade.aggressor is Side.BUY else (second, first)
        return Traded(sequence, trade, buy, sell)

    def _cancelled(
        self,
        sequence: int,
        time: int,
        reason: int,
        order_id: str,
        quantity: int,
        ticks: int | None,
        reference: Reference | None,
    ) -> Cancelled:
        price = None if ticks is None else self._instrument.price(ticks)
        order, why = self._log.order(order_id, self._instrument), CANCEL_REASONS[reason]
        return Cancelled(sequence, time, order_id, price, reference, why, order, quantity)

    def _reduced(
        self, sequence: int, time: int, order_id: str, reason: int, quantity: int, remaining: int
    ) -> Reduced:
        why = CANCEL_REASONS[reason]
        return Reduced(sequence, time, order_id, why, quantity, remaining)

    def _replaced(
        self, sequence: int, time: int, order_id: str, ticks: int, quantity: int, keeps: bool
    ) -> Replaced:
        price = self._instrument.price(ticks)
        return Replaced(sequence, time, order_id, price, quantity, keeps)

    def _state_changed(self, sequence: int, time: int, state: int) -> StateChanged:
        return StateChanged(sequence, time, STATES[state])

    def _band_moved(
        self, sequence: int, time: int, low: int, high: int, reference: Reference | None
    ) -> BandMoved:
        lowest = self._instrument.price(low) if low else None
        highest = self._instrument.price(high) if high < NEVER else None
        return BandMoved(sequence, time, lowest, highest, reference)

    def _clipped(
        self, sequence: int, time: int, order_id: str, ticks: int, quantity: int
    ) -> Clipped:
        return Clipped(sequence, time, order_id, self._instrument.price(ticks), quantity)

    def _uncrossed(
        self, sequence: int, time: int, ticks: int | None, quantity: int, surplus: int
    ) -> Uncrossed:
        price = None if ticks is None else self._instrument.price(ticks)
        return Uncrossed(sequence, time, price, quantity, surplus)
