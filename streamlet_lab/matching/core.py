"""The core of the engine: one deterministic writer, in integers.

Commands come in as numbers, every event goes out as one row of the log, and nothing else is made
on the way. What is not written in :mod:`streamlet_lab.matching.log` has not happened: the log
alone rebuilds the state (:mod:`streamlet_lab.matching.replay`).
"""

from fractions import Fraction
from heapq import heappop, heappush
from typing import Final, NamedTuple

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching.band import NEVER, BandWatch, Range
from streamlet_lab.matching.book import OrderBook, Resting
from streamlet_lab.matching.commands import DAY, FOK, IOC, Entry, Fields
from streamlet_lab.matching.events import CancelReason, Command, MarketState, RejectReason
from streamlet_lab.matching.log import (
    ACCEPTED,
    CANCEL_REASONS,
    CANCELLED,
    COMMANDS,
    EXPIRED,
    REDUCED,
    REFERENCE,
    REJECT_REASONS,
    REJECTED,
    REPLACED,
    STATE,
    STATES,
    TRADED,
    Log,
)
from streamlet_lab.matching.orders import Order
from streamlet_lab.matching.reference import Reference
from streamlet_lab.matching.selftrade import SelfTrade, shares_lost

_REQUESTED: Final = CANCEL_REASONS.index(CancelReason.REQUESTED)
_OUTSIDE_BAND: Final = CANCEL_REASONS.index(CancelReason.OUTSIDE_BAND)
_NO_LIQUIDITY: Final = CANCEL_REASONS.index(CancelReason.NO_LIQUIDITY)
_IMMEDIATE_OR_CANCEL: Final = CANCEL_REASONS.index(CancelReason.IMMEDIATE_OR_CANCEL)
_FILL_OR_KILL: Final = CANCEL_REASONS.index(CancelReason.FILL_OR_KILL)
_SELF_TRADE: Final = CANCEL_REASONS.index(CancelReason.SELF_TRADE)


class RestingState(NamedTuple):
    """One resting order in an :class:`EngineState`."""

    ticks: int
    priority: int
    remaining: int
    expires: int | None
    entry: Entry


class EngineState(NamedTuple):
    """Everything that decides what an engine does next, as a value that compares.

    The clock is left out: no event tells of an instant at which nothing happened.
    """

    market: MarketState
    reference: Reference | None
    bids: tuple[RestingState, ...]
    asks: tuple[RestingState, ...]
    accepted: dict[str, int]
    events: int
    trades: int


class MatchingCore:
    """Matches the orders of one symbol, priced in ticks.

    Each method that takes an instant first lets happen what is due until then: orders expire
    before anything else at their instant.

    Parameters
    ----------
    watch : BandWatch
        The band that is asked.
    self_trade : SelfTrade
        What happens where an order would trade with another one of its trader.
    needs_reference : bool
        Whether orders are refused before the first reference.
    day : int or None
        Length of a trading day in microseconds; None where days end only with :meth:`end_day`.

    Attributes
    ----------
    log : Log
    book : OrderBook
    now : int
        The instant of the latest command, in microseconds.
    reference : Reference or None
    market : MarketState
    """

    def __init__(
        self, watch: BandWatch, self_trade: SelfTrade, needs_reference: bool, day: int | None
    ) -> None:
        self.watch = watch
        self._may_enter = watch.may_enter
        self.log = log = Log()
        self._rows, self._accepted = log.rows, log.accepted
        self.book = OrderBook()
        self.now = 0
        self.reference: Reference | None
        self.market: MarketState
        self._self_trade = self_trade
        self._prevents_self_trade = self_trade is not SelfTrade.NONE
        self._needs_reference = needs_reference
        self._day = day
        self._expiries: list[tuple[int, int, str]] = []  # instant, acceptance, order: a heap
        self._alarm = watch.alarm  # the next instant at which something is due
        self._closed: RejectReason | None  # why every order is refused
        self.adopt(None, MarketState.OPEN)

    def advance(self, time: int) -> None:
        """Move the clock, and let happen what is due until then.

        Raises
        ------
        InvalidInput
            If the time runs backwards.
        """
        if time < self.now:
            raise InvalidInput("time", time, f"whole microseconds, not before {self.now}")
        while self._alarm <= time:
            self.now = self._alarm
            self._expire()
            if self.watch.alarm <= self.now:
                self._clear(self.watch.move_clock(self.now))
            self._set_alarm()
        self.now = time

    def enter(self, fields: Fields, time: int) -> None:
        """Match an order."""
        if self.now <= time < self._alarm:
            self.now = time
        else:
            self.advance(time)
        order_id, side, ticks, quantity, trader, time_in_force, post_only, expires = fields
        accepted = self._accepted
        if self._closed is not None:
            reason = self._closed
        elif order_id in accepted:
            reason = RejectReason.DUPLICATE_ID
        elif expires is not None and expires <= time:
            reason = RejectReason.TOO_LATE
        elif ticks is not None and not self._may_enter(side, ticks):
            reason = RejectReason.OUTSIDE_BAND
        elif post_only and self._crosses(side, ticks):
            reason = RejectReason.WOULD_TRADE
        else:
            rows = self._rows
            accepted[order_id] = sequence = len(rows)
            rows.append((ACCEPTED, time, fields))
            limit = NEVER if ticks is None else side * ticks
            if time_in_force == FOK and not self._can_fill(side, limit, quantity, trader):
                self._end(order_id, quantity, _FILL_OR_KILL)
                return
            book = self.book
            own, opposite = (book.bids, book.asks) if side > 0 else (book.asks, book.bids)
            if opposite.keys and opposite.keys[0] <= limit:
                quantity = self._match(order_id, side, limit, quantity, trader)
                if not quantity:
                    return
            if ticks is None:
                self._end(order_id, quantity, _NO_LIQUIDITY)
            elif time_in_force >= IOC:
                self._end(order_id, quantity, _IMMEDIATE_OR_CANCEL)
            else:
                book.orders[order_id] = resting = Resting(order_id, trader, quantity, sequence)
                own.add(resting, ticks)
                if expires is not None or self._day is not None:
                    self.schedule_expiry(order_id, sequence)
            return
        self.reject(reason, Command.ORDER, order_id, ticks, Entry._make(fields))

    def cancel(self, order_id: str, time: int) -> None:
        """Take a resting order out of the book."""
        if self.now <= time < self._alarm:
            self.now = time
        else:
            self.advance(time)
        resting = self.book.orders.get(order_id)
        if resting is None:
            self.reject(RejectReason.UNKNOWN_ID, Command.CANCEL, order_id)
            return
        quantity = resting.remaining
        self.book.reduce(resting, quantity)
        self._rows.append((CANCELLED, time, _REQUESTED, order_id, quantity, None, None))

    def reduce(self, order_id: str, quantity: int, time: int) -> None:
        """Take shares off a resting order, which keeps its priority; all of them is a cancel."""
        self.advance(time)
        resting = self.book.orders.get(order_id)
        if resting is None:
            self.reject(RejectReason.UNKNOWN_ID, Command.REDUCE, order_id)
        elif quantity > resting.remaining:
            detail = f"{quantity} shares are more than the {resting.remaining} that are left"
            self.reject(RejectReason.INVALID_QUANTITY, Command.REDUCE, order_id, detail=detail)
        else:
            self._take_off(resting, quantity, _REQUESTED)

    def replace(self, order_id: str, ticks: int | None, quantity: int | None, time: int) -> None:
        """Give a resting order another price or size; None leaves what there is.

        A smaller size at the same price keeps the priority. Anything else queues again, after the
        checks and the matching of a new order.
        """
        self.advance(time)
        if self.market is MarketState.HALTED:
            self.reject(RejectReason.HALTED, Command.REPLACE, order_id)
            return
        resting = self.book.orders.get(order_id)
        if resting is None:
            self.reject(RejectReason.UNKNOWN_ID, Command.REPLACE, order_id)
            return
        ticks = resting.level.ticks if ticks is None else ticks
        quantity = resting.remaining if quantity is None else quantity
        if ticks == resting.level.ticks and quantity <= resting.remaining:
            self._record_replacement(order_id, ticks, quantity, True)
            self.book.reduce(resting, resting.remaining - quantity)
            return
        entry = self.log.entry(order_id)
        side = entry.side
        if not self._may_enter(side, ticks):
            self.reject(RejectReason.OUTSIDE_BAND, Command.REPLACE, order_id, ticks)
            return
        if entry.post_only and self._crosses(side, ticks):
            self.reject(RejectReason.WOULD_TRADE, Command.REPLACE, order_id, ticks)
            return
        sequence = len(self.log.rows)
        self._record_replacement(order_id, ticks, quantity, False)
        self.book.lift(resting)
        remaining = self._match(order_id, side, side * ticks, quantity, entry.trader)
        if remaining:
            resting.remaining, resting.priority = remaining, sequence
            self.book.add(resting, side, ticks)
        else:
            del self.book.orders[order_id]

    def move_reference(self, reference: Reference, ticks: Fraction, time: int) -> None:
        """Move the band, and cancel the resting orders that may not stay."""
        self.advance(time)
        self.log.rows.append((REFERENCE, time, reference))
        self.adopt(reference, self.market)
        self._clear(self.watch.move_reference(ticks, time))
        self._set_alarm()

    def set_market(self, state: MarketState, time: int) -> None:
        """Halt or open the market; to set what is already so changes nothing."""
        self.advance(time)
        if state is not self.market:
            self.log.rows.append((STATE, time, STATES.index(state)))
            self.adopt(self.reference, state)

    def end_day(self, time: int) -> None:
        """Let every day order expire, in the order of acceptance."""
        self.advance(time)
        for resting in list(self.book.orders.values()):
            if self.log.entry(resting.order_id).time_in_force == DAY:
                self._lapse(resting)

    def adopt(self, reference: Reference | None, market: MarketState) -> None:
        """Set the reference and the state of the market, and nothing else."""
        self.reference, self.market = reference, market
        if market is MarketState.HALTED:
            self._closed = RejectReason.HALTED
        elif reference is None and self._needs_reference:
            self._closed = RejectReason.NO_CONSENSUS
        else:
            self._closed = None

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
        reference = None if reason is RejectReason.WRONG_SYMBOL else self.reference
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
            self._set_alarm()

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

    def _set_alarm(self) -> None:
        first = self._expiries[0][0] if self._expiries else NEVER
        self._alarm = min(first, self.watch.alarm)

    def _expire(self) -> None:
        while self._expiries and self._expiries[0][0] <= self.now:
            resting = self.book.orders.get(heappop(self._expiries)[2])
            if resting is not None:
                self._lapse(resting)

    def _lapse(self, resting: Resting) -> None:
        quantity = resting.remaining
        self.book.reduce(resting, quantity)
        self.log.rows.append((EXPIRED, self.now, resting.order_id, quantity))

    def _clear(self, allowed: Range | None) -> None:
        if allowed is not None:
            for resting in self.book.outside(*allowed):
                self._withdraw(resting, _OUTSIDE_BAND, resting.level.ticks)

    def _withdraw(self, resting: Resting, reason: int, ticks: int | None = None) -> None:
        quantity = resting.remaining
        self.book.reduce(resting, quantity)
        self._end(resting.order_id, quantity, reason, ticks)

    def _end(self, order_id: str, quantity: int, reason: int, ticks: int | None = None) -> None:
        reference = None if ticks is None else self.reference
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

    def _record_replacement(self, order_id: str, ticks: int, quantity: int, keeps: bool) -> None:
        self.log.rows.append((REPLACED, self.now, order_id, ticks, quantity, keeps))

    def _crosses(self, side: int, ticks: int | None) -> bool:
        best = self.book.opposite(side).best()
        return best is not None and ticks is not None and best.key <= side * ticks

    def _match(self, order_id: str, side: int, limit: int, remaining: int, trader: str) -> int:
        """Trade what can be traded; return what is left to rest or to end, 0 after an end.

        A limit is in the keys of the other side.
        """
        book, now, rows, tape = self.book, self.now, self.log.rows, self.log.tape
        reduce, may_trade = book.reduce, self.watch.may_trade
        opposite = book.asks if side > 0 else book.bids
        own = trader if self._prevents_self_trade else ""
        while remaining:
            level = opposite.best()
            if level is None or level.key > limit:
                break
            ticks, head = level.ticks, level.head
            while remaining and level.quantity:
                if not may_trade(ticks):
                    # Resting would cross the book, trading would break the rule: the rest must go.
                    self._end(order_id, remaining, _OUTSIDE_BAND, ticks)
                    return 0
                resting = head.behind
                if own and resting.trader == own:
                    remaining = self._keep_apart(order_id, remaining, resting)
                    continue
                left = resting.remaining
                quantity = remaining if remaining < left else left
                remaining -= quantity
                left -= quantity
                reduce(resting, quantity)
                trade_id = len(tape)
                tape.append(len(rows))
                rows.append(
                    (
                        TRADED,
                        now,
                        trade_id,
                        ticks,
                        quantity,
                        side,
                        order_id,
                        resting.order_id,
                        remaining,
                        left,
                    )
                )
        return remaining

    def _keep_apart(self, order_id: str, remaining: int, resting: Resting) -> int:
        """Let two orders of one trader lose shares instead of trading; the resting one first."""
        lost, lost_resting = shares_lost(self._self_trade, remaining, resting.remaining)
        self._take_off(resting, lost_resting, _SELF_TRADE)
        left = remaining - lost
        if lost and left:
            self._record_reduction(order_id, _SELF_TRADE, lost, left)
        elif lost:
            self._end(order_id, lost, _SELF_TRADE)
        return left

    def _can_fill(self, side: int, limit: int, quantity: int, trader: str) -> bool:
        """Whether the whole order would trade at once, with what rests and what the rules say."""
        own = trader if self._prevents_self_trade else ""
        for level in self.book.opposite(side).levels():
            if level.key > limit or not self.watch.may_trade(level.ticks):
                return False
            for resting in level:
                if own and resting.trader == own:
                    lost, _ = shares_lost(self._self_trade, quantity, resting.remaining)
                    if lost:
                        return False
                    continue
                quantity -= resting.remaining
                if quantity <= 0:
                    return True
        return False
