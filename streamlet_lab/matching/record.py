"""What a market is at an instant, and how each change of it is written down."""

from fractions import Fraction
from heapq import heappop, heappush
from typing import Final, NamedTuple

from streamlet_lab.matching.band import NEVER, Range
from streamlet_lab.matching.book import OrderBook, Resting
from streamlet_lab.matching.commands import DAY, Entry
from streamlet_lab.matching.events import Command, MarketState, RejectReason
from streamlet_lab.matching.instrument import Instrument
from streamlet_lab.matching.log import (
    CANCELLED,
    CLIPPED,
    COMMANDS,
    EXPIRED,
    REDUCED,
    REJECT_REASONS,
    REJECTED,
    REPLACED,
    Log,
)
from streamlet_lab.matching.orders import Order
from streamlet_lab.matching.reference import Reference

#: Why nothing enters in these states.
CLOSED: Final = {
    MarketState.HALTED: RejectReason.HALTED,
    MarketState.PAUSED: RejectReason.STALE_REFERENCE,
}


class RestingState(NamedTuple):
    """One resting order in an :class:`EngineState`."""

    ticks: int
    priority: int
    remaining: int
    expires: int | None
    entry: Entry


class EngineState(NamedTuple):
    """Everything that decides what an engine does next, as a value that compares.

    The clock is left out: no event tells of an instant at which nothing happened. What a band
    remembers besides its limits follows from the events.
    """

    market: MarketState
    reference: Reference | None
    limits: Range | None
    band_reference: Reference | None
    bids: tuple[RestingState, ...]
    asks: tuple[RestingState, ...]
    accepted: dict[str, int]
    events: int
    trades: int


class MarketRecord:
    """The book, the reference, the band's limits and the state of a market, and their log.

    Parameters
    ----------
    needs_reference : bool
        Whether orders are refused before the first reference.
    instrument : Instrument
        What is traded.

    Attributes
    ----------
    log : Log
    book : OrderBook
    now : int
        The instant of the latest command, in microseconds.
    reference : Reference or None
        The latest consensus.
    market : MarketState
    limits : Range or None
        Where trades may happen, in ticks; None before the band has said so.
    band_reference : Reference or None
        What the band goes by; None before it goes by anything.
    """

    def __init__(self, needs_reference: bool, instrument: Instrument) -> None:
        self.instrument = instrument
        self.log = Log()
        self.book = OrderBook()
        self.now = 0
        self.reference: Reference | None
        self.market: MarketState
        self.limits: Range | None = None
        self.band_reference: Reference | None = None
        self._needs_reference = needs_reference
        self._day = instrument.day
        self._expiries: list[tuple[int, int, str]] = []  # instant, acceptance, order: a heap
        self._closed: RejectReason | None  # why orders are refused: all, or those that cannot wait
        self.adopt(None, MarketState.OPEN)

    def ticks_of(self, reference: Reference | None) -> Fraction | None:
        """Return a reference in ticks, None where there is none."""
        return None if reference is None else self.instrument.fraction_of_ticks(reference.price)

    def adopt(self, reference: Reference | None, market: MarketState) -> None:
        """Set the consensus and the state of the market, and nothing else."""
        self.reference, self.market = reference, market
        if market in CLOSED:
            self._closed = CLOSED[market]
        elif reference is None and self._needs_reference:
            self._closed = RejectReason.NO_CONSENSUS
        elif market is MarketState.AUCTION:
            self._closed = RejectReason.IN_AUCTION
        else:
            self._closed = None

    def adopt_band(self, limits: Range, reference: Reference | None) -> None:
        """Set the band's limits and what it goes by, and nothing else."""
        self.limits, self.band_reference = limits, reference

    def reject(
        self,
        reason: RejectReason,
        command: Command,
        order_id: str,
        price: object = None,
        order: Entry | Order | None = None,
        detail: str = "",
    ) -> None:
        """Write down that a command is refused."""
        # Another symbol's price means nothing beside this one's reference.
        reference = None if reason is RejectReason.WRONG_SYMBOL else self._judge()
        self.log.rows.append(
            (
                REJECTED,
                self.now,
                REJECT_REASONS.index(reason),
                COMMANDS.index(command),
                order_id,
                price,
                reference,
                order,
                detail,
            )
        )

    def schedule_expiry(self, order_id: str, sequence: int) -> None:
        """Remember when an order ends that was accepted with a sequence number."""
        expires = self.expiry(self.log.entry(order_id), sequence)
        if expires is not None:
            heappush(self._expiries, (expires, sequence, order_id))

    def next_expiry(self) -> int:
        """Return the next instant at which an order may expire, ``NEVER`` where none does."""
        return self._expiries[0][0] if self._expiries else NEVER

    def expiry(self, entry: Entry, sequence: int) -> int | None:
        """Return the instant at which an order ends by itself, None where it does not."""
        if entry.time_in_force == DAY and self._day is not None:
            accepted_at: int = self.log.rows[sequence][1]
            return (accepted_at // self._day + 1) * self._day
        return entry.expires

    def state(self) -> EngineState:
        """Return the full state as a value."""
        return EngineState(
            self.market,
            self.reference,
            self.limits,
            self.band_reference,
            tuple(map(self._show, self.book.bids)),
            tuple(map(self._show, self.book.asks)),
            dict(self.log.accepted),
            len(self.log.rows),
            len(self.log.tape),
        )

    def _show(self, resting: Resting) -> RestingState:
        entry = self.log.entry(resting.order_id)
        expires = self.expiry(entry, self.log.accepted[entry.order_id])
        ticks, priority, remaining = resting.level.ticks, resting.priority, resting.remaining
        return RestingState(ticks, priority, remaining, expires, entry)

    def _judge(self) -> Reference | None:
        """Return what prices are held against."""
        return self.band_reference or self.reference

    def _expire(self) -> None:
        while self._expiries and self._expiries[0][0] <= self.now:
            resting = self.book.orders.get(heappop(self._expiries)[2])
            if resting is not None:
                self._lapse(resting)

    def _lapse(self, resting: Resting) -> None:
        quantity = resting.remaining
        self.book.reduce(resting, quantity)
        self.log.rows.append((EXPIRED, self.now, resting.order_id, quantity))

    def _withdraw(self, resting: Resting, reason: int, ticks: int | None = None) -> None:
        quantity = resting.remaining
        self.book.reduce(resting, quantity)
        self._end(resting.order_id, quantity, reason, ticks)

    def _end(self, order_id: str, quantity: int, reason: int, ticks: int | None = None) -> None:
        reference = None if ticks is None else self._judge()
        self.log.rows.append((CANCELLED, self.now, reason, order_id, quantity, ticks, reference))

    def _take_off(self, resting: Resting, quantity: int, reason: int) -> None:
        if quantity == resting.remaining:
            self._withdraw(resting, reason)
        elif quantity:
            self.book.reduce(resting, quantity)
            order_id = resting.order_id
            self._record_reduction(order_id, reason, quantity, resting.remaining)

    def _record_reduction(self, order_id: str, reason: int, quantity: int, remaining: int) -> None:
        self.log.rows.append((REDUCED, self.now, order_id, reason, quantity, remaining))

    def _record_replacement(self, order_id: str, ticks: int, quantity: int, keeps: bool) -> int:
        """Return the sequence number, the priority of what queues again."""
        self.log.rows.append((REPLACED, self.now, order_id, ticks, quantity, keeps))
        return len(self.log.rows) - 1

    def _record_clip(self, order_id: str, ticks: int | None, quantity: int) -> int:
        """Return the sequence number, the order's priority at the edge."""
        self.log.rows.append((CLIPPED, self.now, order_id, ticks, quantity))
        return len(self.log.rows) - 1
