"""The trading session of one symbol: its clock, its state, its auctions, and what its band decides.

What is not written in the log has not happened: its events alone rebuild a session.
"""

from decimal import Decimal
from fractions import Fraction
from heapq import heappop, heappush
from typing import Any, Final

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching.auction import Outcome, call_auction
from streamlet_lab.matching.book import OrderBook, Resting
from streamlet_lab.matching.engine_settings import EngineSettings
from streamlet_lab.matching.events import (
    BandMoved,
    CancelReason,
    Command,
    Expired,
    MarketState,
    Reduced,
    ReferenceMoved,
    RejectReason,
    Repriced,
    StateChanged,
    Uncrossed,
)
from streamlet_lab.matching.log import CANCELLED, REJECTED, TRADED, Log
from streamlet_lab.matching.orders import DAY, Fields, Order
from streamlet_lab.matching.reference import GIVEN, Reference
from streamlet_lab.matching.watch import NEVER, RULES, Decision, Range
from streamlet_lab.units import to_whole

#: Why nothing enters in these states.
REASON_WHILE_CLOSED: Final = {
    MarketState.HALTED: RejectReason.HALTED,
    MarketState.PAUSED: RejectReason.STALE_REFERENCE,
}

#: No price at all: a band that makes rules of its own is asked each time.
_NOWHERE: Final = (1, 0)

#: More changes than this at one instant, and the band never comes to rest.
_MOST_DECISIONS: Final = 100


class TradingSession:
    """The book, the reference, the band's limits and the state of a market, and their log.

    Each method that takes an instant first lets happen what is due until then: orders expire
    before anything else at their instant.

    Its clock stands at the latest command. The reference is the latest consensus, the limits are in
    ticks.
    """

    def __init__(self, settings: EngineSettings) -> None:
        self.watch = watch = settings.band.watch(settings.pace)
        self.instrument = settings.instrument
        self.log = Log(self.instrument)
        self.book = OrderBook()
        self.now = 0
        self.reference: Reference | None = None
        self.market = MarketState.OPEN
        self.limits: Range = (0, NEVER)
        self.band_reference: Reference | None = None
        self._asked: Reference | None = None  # which was asked for in ticks last
        self._ticks: Fraction | None = None
        self._self_trade = settings.self_trade
        self._needs_reference = settings.without_reference == "reject"
        self._closed: RejectReason | None  # why orders are refused: all, or those that cannot wait
        self.adopt(None, MarketState.OPEN)
        self._listens = watch.listens
        self._expiries: list[tuple[int, int, str]] = []  # instant, acceptance, order: a heap
        self._band_is_due = False  # to what an auction left in the book
        self.alarm = NEVER  # the next instant at which something is due
        self.set_alarm()

    # The clock.

    def advance(self, time: int) -> None:
        """Move the clock, and let happen what is due until then."""
        if not self.now <= time < NEVER:
            raise InvalidInput("time", time, f"whole microseconds, not before {self.now}")
        while self.alarm <= time:
            self.now = self.alarm
            while self._expiries and self._expiries[0][0] <= self.now:
                *_, order_id = heappop(self._expiries)
                if order_id in self.book.orders:
                    self._expire(order_id)
            is_alarm = self.watch.alarm <= self.now
            if is_alarm:
                self.watch.wake(self.now)
            if is_alarm or self._listens:
                self._consult()
            else:
                self.set_alarm()
        self.now = time

    def end_day(self, time: int) -> None:
        """Let every day order expire, in the order of acceptance."""
        self.advance(time)
        for order_id in list(self.book.orders):
            if self.log.fields(order_id)[5] == DAY:
                self._expire(order_id)
        if self._listens:
            self._consult()

    def schedule_expiry(self, order_id: str) -> None:
        """Remember when an order ends by itself."""
        sequence = self.log.accepted[order_id]
        _, accepted_at, fields = self.log.rows[sequence]
        expires, day = fields[7], self.instrument.day
        if day is not None and fields[5] == DAY:
            expires = (accepted_at // day + 1) * day
        if expires is not None:
            heappush(self._expiries, (expires, sequence, order_id))

    def _expire(self, order_id: str) -> None:
        resting = self.book.orders[order_id]
        quantity = resting.remaining
        self.book.reduce(resting, quantity)
        self._write(Expired, order_id, quantity)

    def set_alarm(self) -> None:
        """Find the next instant at which something is due, and where the band is not asked.

        Called after all that a watch was told, which may have set its alarm and its limits.
        """
        self._find_free()
        alarm = self.watch.alarm
        if type(alarm) is not int or alarm <= self.now:
            expected = f"an instant after {self.now}, to which it is set"
            alarm = to_whole(alarm, self.now + 1, "alarm", None, expected)
        self.alarm = min(self._expiries[0][0] if self._expiries else NEVER, alarm)

    # The state, the reference and the band.

    def move_reference(self, reference: Reference, time: int) -> None:
        """Take in a newer consensus, and let the band make of it what it does."""
        self.advance(time)
        self._write(ReferenceMoved, reference)
        self.adopt(reference, self.market)
        decision = self.watch.on_reference(self.ticks_of(reference), reference.time, time)
        if decision is not None:
            self._apply(decision)
        self._consult()

    def halt(self, time: int) -> None:
        """Halt the market for the operator; an auction that is going on ends before."""
        self.advance(time)
        if self.market is not MarketState.HALTED:
            self._change_state(MarketState.HALTED)
            self._consult()

    def resume(self, time: int) -> None:
        """End a halt or an auction for the operator; any other state is the band's to end."""
        self.advance(time)
        if self.market in (MarketState.HALTED, MarketState.AUCTION):
            self._change_state(MarketState.OPEN)
            self._consult()

    def judged_by(self) -> Reference | None:
        """Return what prices are held against: what the band goes by, else the consensus."""
        return self.band_reference or self.reference

    def adopt(self, reference: Reference | None, market: MarketState) -> None:
        """Set the consensus and the state of the market, and nothing else."""
        self.reference, self.market = reference, market
        if market in REASON_WHILE_CLOSED:
            self._closed = REASON_WHILE_CLOSED[market]
        elif reference is None and self._needs_reference:
            self._closed = RejectReason.NO_CONSENSUS
        elif market is MarketState.AUCTION:
            self._closed = RejectReason.IN_AUCTION
        else:
            self._closed = None

    def adopt_band(self, limits: Range, reference: Reference | None) -> None:
        """Set the band's limits and what it goes by."""
        self.limits, self.band_reference = limits, reference
        self.watch.moved(limits, self.ticks_of(reference), self.now)
        self._find_free()

    def _find_free(self) -> None:
        """Set the prices at which the band need not be asked, until it is told something."""
        watch = self.watch
        is_free = watch.is_free_inside and vars(watch).keys().isdisjoint(RULES)
        self._free_low, self._free_high = (watch.low, watch.high) if is_free else _NOWHERE

    def ticks_of(self, reference: Reference | None) -> Any:
        """Return a reference in ticks as a `Fraction`, None where there is none."""
        if reference is not self._asked:  # several times for each reference
            self._asked = reference
            price = None if reference is None else reference.price
            self._ticks = None if price is None else self.instrument.fraction_of_ticks(price)
        return self._ticks

    def limits_in_dollars(self) -> tuple[Decimal | None, Decimal | None]:
        """Return the edges of the band; None where there is no such edge."""
        price, (low, high) = self.instrument.price, self.limits
        return (price(low) if low else None), (price(high) if high < NEVER else None)

    def _consult(self) -> None:
        """Do what the band decides, until it leaves everything as it is; then set the alarm."""
        bids, asks = self.book.bids, self.book.asks
        for _ in range(_MOST_DECISIONS):
            decision = self.watch.decide(self.now, bids.best(), asks.best())
            if decision is not None and self._apply(decision):
                continue
            if not self._band_is_due:
                self.set_alarm()
                return
            self._apply_band()
        raise InvalidInput("band", type(self.watch).__name__, "decisions that come to an end")

    def _apply(self, decision: Decision) -> bool:
        """Do what the band decided; return whether this changed anything."""
        limits, reference = self.limits, self.band_reference
        if decision.limits is not None and decision.limits != limits:
            expected = "two whole numbers of ticks"
            low, high = decision.limits
            low = to_whole(low, -NEVER, "limits", None, expected)
            high = to_whole(high, -NEVER, "limits", None, expected)
            limits = max(low, 0), min(max(high, 0), NEVER)
        if decision.reference is not None:
            reference = self._reference_of(decision.reference, decision.kind)
        moves = (limits, reference) != (self.limits, self.band_reference)
        if moves:
            self.adopt_band(limits, reference)
            self._write(BandMoved, *self.limits_in_dollars(), reference)
            self._apply_band()
        state = None if decision.state is None else MarketState(decision.state)
        if state is None or state is self.market or self.market is MarketState.HALTED:
            return moves
        if state is MarketState.HALTED:
            raise InvalidInput("state", state, "another state: a halt is the operator's")
        outcome = None
        if self.market is MarketState.AUCTION:
            outcome = self._auction()
            found = outcome.found
            if found is not None and not self.watch.may_clear(found.ticks, self.now):
                return moves
        self._change_state(state, outcome)
        return True

    def _reference_of(self, ticks: Fraction, kind: str) -> Reference:
        """Return the band's reference, given in ticks, as a :class:`Reference`."""
        if kind != "consensus":
            return Reference(self.instrument.price(round(ticks)), self.now, kind=kind)
        for known in (self.reference, self.band_reference):
            if known is None or known.kind not in GIVEN:
                continue
            its_ticks = self.ticks_of(known)
            if its_ticks is ticks or its_ticks == ticks:
                return known
        raise InvalidInput("reference", ticks, "the latest consensus, or another kind of reference")

    def _apply_band(self) -> None:
        """Do with the resting orders outside the limits what the band wants done with them."""
        self._band_is_due = False
        book, (low, high) = self.book, self.limits
        if self.watch.resting == "cancel":
            for resting in book.outside(low, high):
                self._withdraw(resting, CancelReason.OUTSIDE_BAND)
        elif self.watch.resting == "clip":
            for resting in book.bids.better_than(high):
                self._reprice(resting, high)
            for resting in book.asks.better_than(low):
                self._reprice(resting, low)

    def _reprice(self, resting: Resting, ticks: int) -> None:
        if not ticks:  # The band lies below the lowest price, and has no edge to wait at.
            self._withdraw(resting, CancelReason.OUTSIDE_BAND)
            return
        priority = self._write_repriced(resting.order_id, ticks, resting.remaining)
        self.book.move(resting, ticks, resting.remaining, priority)

    def _change_state(self, state: MarketState, outcome: Outcome | None = None) -> None:
        """Enter a state; before that, an auction that goes on ends, with its outcome if known."""
        if self.market is MarketState.AUCTION:
            self._uncross(outcome or self._auction())
            self._band_is_due = True
        self._write(StateChanged, state)
        self.adopt(self.reference, state)
        self.watch.entered(state, self.now)
        self.set_alarm()

    # Call auctions.

    def _auction(self) -> Outcome:
        """Find what a call auction would bring if it ended now."""
        book, reference = self.book, self.ticks_of(self.judged_by())
        return call_auction(list(book.bids), list(book.asks), reference, self._self_trade)

    def _uncross(self, outcome: Outcome) -> None:
        """End a call auction: trade at one price, in priority, what can trade there."""
        ticks, quantity, surplus = outcome.found or (0, 0, 0)
        price = self.instrument.price(ticks) if ticks else None
        self._write(Uncrossed, price, quantity, surplus)
        for resting, shares in outcome.lost.items():
            self._take_off(resting, shares, CancelReason.SELF_TRADE)
        for younger, older, side, shares in outcome.trades:
            self.book.reduce(younger, shares)
            self.book.reduce(older, shares)
            ids, left = (younger.order_id, older.order_id), (younger.remaining, older.remaining)
            self.log.rows.append((TRADED, self.now, ticks, shares, side, *ids, *left))
            if self._listens:
                self.watch.traded(ticks, shares, self.now)

    # What is taken off orders, and how it is written down.

    def _withdraw(self, resting: Resting, reason: CancelReason) -> None:
        quantity = resting.remaining
        self.book.reduce(resting, quantity)
        judged = resting.ticks if reason is CancelReason.OUTSIDE_BAND else None
        self._end(resting.order_id, quantity, reason, judged)

    def _end(
        self, order_id: str, quantity: int, reason: CancelReason, ticks: int | None = None
    ) -> None:
        reference = None if ticks is None else self.judged_by()
        outside = None if ticks is None else self._first_outside(ticks)
        what = (order_id, quantity, reason.value, ticks, reference, outside)
        self.log.rows.append((CANCELLED, self.now, *what))

    def _take_off(self, resting: Resting, quantity: int, reason: CancelReason) -> None:
        if quantity == resting.remaining:
            self._withdraw(resting, reason)
        elif quantity:
            self.book.reduce(resting, quantity)
            self._write(Reduced, resting.order_id, reason, quantity, resting.remaining)

    def reject(
        self,
        reason: RejectReason,
        command: Command,
        order_id: str,
        order: Order | Fields | None = None,
        price: Decimal | int | None = None,
        detail: str = "",
    ) -> None:
        """Write down that a command is refused; its price is in ticks where it is on the grid."""
        # Another symbol's price means nothing beside this one's reference.
        reference = None if reason is RejectReason.WRONG_SYMBOL else self.judged_by()
        outside = None
        if reason is RejectReason.OUTSIDE_BAND and isinstance(price, int):
            outside = self._first_outside(price)
        what = (order_id, reason, command, price, reference, outside, order, detail)
        self.log.rows.append((REJECTED, self.now, *what))

    def _first_outside(self, ticks: int) -> int | None:
        """Return the price next to the band, where a price lies outside; None if it is inside."""
        low, high = self.limits
        if low <= ticks <= high:  # a band's own no
            return None
        return high + 1 if ticks > high else low - 1

    def _write_repriced(self, order_id: str, ticks: int, quantity: int) -> int:
        return self._write(Repriced, order_id, self.instrument.price(ticks), quantity)

    def _write(self, event: Any, *what: object, **more: object) -> int:
        """Write down an event of this instant; return its sequence number."""
        rows = self.log.rows
        sequence = len(rows)
        rows.append(event(sequence, self.now, *what, **more))
        return sequence
