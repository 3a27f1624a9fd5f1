"""A symbol's log, read once: what became of its orders, its trades, where its band was.

What counts is what the log says, in its order; nothing is asked of the engine. Orders and trades
are many: they are read from the rows of the log, and events are made only of the rest. A run that
goes on can be read bit by bit.
"""

from collections import deque
from copy import copy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple, Self

from streamlet_lab.frames.record import Record
from streamlet_lab.frames.tables import dollars
from streamlet_lab.matching import (
    BandMoved,
    Cancelled,
    CancelReason,
    Command,
    Event,
    MarketState,
    OpenOrder,
    OrderTracker,
    Reduced,
    Reference,
    ReferenceMoved,
    Rejected,
    Replaced,
    StateChanged,
)
from streamlet_lab.matching.log import ACCEPTED, TRADED
from streamlet_lab.metrics import AT_ENTRY, AT_TRADE, STOP_REASONS, SWEPT
from streamlet_lab.simulator import Arrival
from streamlet_lab.units import to_seconds


class Moment(NamedTuple):
    """What holds from an event on."""

    state: MarketState = MarketState.OPEN
    consensus: Reference | None = None  # the latest finalized price that the market knows
    band_reference: Reference | None = None  # what the band goes by, where it has said so
    low: float | None = None  # the band, in dollars
    high: float | None = None
    reference: Reference | None = None  # what prices are held against: the band's, else consensus
    reference_price: float | None = None  # in dollars

    def age_at(self, time: int) -> float | None:
        """Return how long the reference has been known, in seconds."""
        return None if self.reference is None else to_seconds(time - self.reference.time)

    def after(self, event: Event) -> "Moment":
        """Return what holds after an event."""
        match event:
            case ReferenceMoved():
                return self._of(event.reference, self.band_reference, self.low, self.high)
            case BandMoved(low=low, high=high, reference=reference):
                return self._of(self.consensus, reference, dollars(low), dollars(high))
            case StateChanged(state=state):
                return self._replace(state=state)
        return self

    def _of(
        self,
        consensus: Reference | None,
        band_reference: Reference | None,
        low: float | None,
        high: float | None,
    ) -> "Moment":
        reference = band_reference or consensus
        price = None if reference is None else float(reference.price)
        return Moment(self.state, consensus, band_reference, low, high, reference, price)


@dataclass(slots=True, kw_only=True)
class Fate(OpenOrder):
    """An order that came, what held then, and what has become of it since."""

    arrival: Arrival
    moment: Moment


class LoggedTrade(NamedTuple):
    """A row of the log, and what held then."""

    time: int
    symbol: str
    number: int
    ticks: int  # cents
    quantity: int
    side: int  # of the aggressor
    arrived: str
    waited: str
    moment: Moment
    true_price: int


class Stop(NamedTuple):
    """An order lost shares, or a replacement, against its trader's wish."""

    event: Rejected | Cancelled | Reduced
    fate: Fate
    limit: Decimal | None
    action: str
    quantity: int
    where: str


class SymbolLog:
    """What one symbol's log says, in the order of its events."""

    def __init__(self, symbol: str) -> None:
        self.fates: list[Fate] = []  # each arrival has exactly one
        self.trades: list[LoggedTrade] = []
        self.stops: list[Stop] = []
        self.moves: list[tuple[int, Moment]] = []
        self.symbol = symbol
        self.position = 0  # in the log: it is read up to here
        self._record: Record
        self._arrivals: deque[Arrival] = deque()  # without a fate so far
        self._truth: dict[int, int] = {}
        self._traded = 0
        self._tracker = OrderTracker()
        self._open: dict[str, Any] = self._tracker.open
        self._incoming = ""  # the order that came or was replaced last, while it may be matching
        self._moment = Moment()

    def read(self, record: Record) -> Self:
        """Read what the log says beyond what was read before; the arrivals are those since then."""
        self._record = record
        arrivals = [arrival for arrival in record.arrivals if arrival.symbol == self.symbol]
        self._arrivals.extend(arrivals)
        self._truth.update({arrival.time: arrival.true_price for arrival in arrivals})
        log = record.engines[self.symbol].core.log
        for sequence in range(self.position, len(log.rows)):
            row = log.rows[sequence]
            if type(row) is not tuple:
                self._moment = self._moment.after(row)
                self._read(row)
            elif row[0] == ACCEPTED:
                self._incoming = order_id = row[2][0]
                self._open[order_id] = self._fate(sequence)
            elif row[0] == TRADED:
                self._trade(row)
            else:
                self._read(log.event(sequence))
        self.position = len(log.rows)
        return self

    def part(self) -> Self:
        """Return this as it is, without the orders that may still change; and forget the rest."""
        part = copy(self)
        part.fates = [fate for fate in self.fates if fate.status != "resting"]
        self.fates = [fate for fate in self.fates if fate.status == "resting"]
        self.trades, self.stops, self.moves, self._truth = [], [], [], {}
        return part

    def true_price(self, time: int) -> int:
        """Return the true price at an instant, in micro-dollars."""
        # Most of what happens is an order's doing, and came with the true price.
        known = self._truth.get(time)
        return self._record.true_price(self.symbol, time) if known is None else known

    def _fate(self, sequence: int) -> Fate:
        arrival, moment = self._arrivals.popleft(), self._moment
        order, price = arrival.order, arrival.order.price
        fate = Fate(order, price, price, order.quantity, sequence, arrival=arrival, moment=moment)
        self.fates.append(fate)
        return fate

    def _trade(self, row: Any) -> None:
        time = row[1]
        ticks, quantity, side, arrived, waited, *left = row[-7:]
        for order_id, rest in zip((arrived, waited), left, strict=True):
            fate = self._open[order_id]
            fate.filled += quantity
            fate.quantity = rest
            if not rest:
                self._open.pop(order_id).status = "filled"
        # Tuples are made here of what is known, in the order of their fields.
        what = (time, self.symbol, self._traded, ticks, quantity, side, arrived, waited)
        self._traded += 1
        self.trades.append(LoggedTrade(*what, self._moment, self.true_price(time)))

    def _read(self, event: Event) -> None:
        about: Any = self._open.get(getattr(event, "order_id", ""))
        if about:
            self._tracker.follow(event)
        match event:
            case Rejected(command=Command.ORDER):
                fate = self._fate(event.sequence)
                fate.status, fate.reason = "rejected", event.reason.value
                self._stop(event, fate, "rejected", fate.quantity, AT_ENTRY)
            case Rejected(command=Command.REPLACE) if about:
                self._stop(event, about, "not replaced", 0)
            case Cancelled(reason=reason) if reason is not CancelReason.REQUESTED:
                # What could not wait for an auction was ended by the one that it began.
                is_last = event.order_id == self._incoming
                where = AT_TRADE if is_last or reason is CancelReason.IN_AUCTION else SWEPT
                self._stop(event, about, "cancelled", event.quantity, where)
            case Reduced(reason=reason) if reason is not CancelReason.REQUESTED:
                self._stop(event, about, "reduced", event.quantity)
            case Replaced():
                self._incoming = event.order_id
            case BandMoved() | StateChanged():
                self._incoming = ""  # what is cancelled from here on has rested in the book
                self.moves.append((event.time, self._moment))

    def _stop(self, event: Any, fate: Fate, action: str, quantity: int, where: str = "") -> None:
        """Write down that an order lost shares, or a replacement; and whether it was stopped so."""
        where = where if event.reason in STOP_REASONS else ""
        self.stops.append(Stop(event, fate, fate.limit, action, quantity, where))
