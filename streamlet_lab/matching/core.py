"""The core of the engine: one deterministic writer, in integers.

Commands come in as numbers, every event goes out as one row of the log, and nothing else is made
on the way. What is not written in :mod:`streamlet_lab.matching.log` has not happened: the log
alone rebuilds the state (:mod:`streamlet_lab.matching.replay`).
"""

from fractions import Fraction
from typing import Final

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching.auction import Outcome, call_auction
from streamlet_lab.matching.band import NEVER, BandWatch, Decision, Range
from streamlet_lab.matching.book import BUY, SELL, Resting
from streamlet_lab.matching.commands import DAY, FOK, IOC, Entry, Fields
from streamlet_lab.matching.events import CancelReason, Command, MarketState, RejectReason
from streamlet_lab.matching.instrument import Instrument
from streamlet_lab.matching.log import (
    ACCEPTED,
    BAND,
    CANCEL_REASONS,
    CANCELLED,
    REFERENCE,
    STATE,
    STATES,
    TRADED,
    UNCROSSED,
)
from streamlet_lab.matching.record import CLOSED, MarketRecord
from streamlet_lab.matching.reference import GIVEN, Reference
from streamlet_lab.matching.selftrade import SelfTrade, shares_lost

_REQUESTED: Final = CANCEL_REASONS.index(CancelReason.REQUESTED)
_OUTSIDE_BAND: Final = CANCEL_REASONS.index(CancelReason.OUTSIDE_BAND)
_NO_LIQUIDITY: Final = CANCEL_REASONS.index(CancelReason.NO_LIQUIDITY)
_IMMEDIATE_OR_CANCEL: Final = CANCEL_REASONS.index(CancelReason.IMMEDIATE_OR_CANCEL)
_FILL_OR_KILL: Final = CANCEL_REASONS.index(CancelReason.FILL_OR_KILL)
_SELF_TRADE: Final = CANCEL_REASONS.index(CancelReason.SELF_TRADE)
_IN_AUCTION: Final = CANCEL_REASONS.index(CancelReason.IN_AUCTION)

#: More changes than this at one instant, and the band never comes to rest.
_MOST_DECISIONS: Final = 100


class MatchingCore(MarketRecord):
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
    instrument : Instrument
        What is traded.
    """

    def __init__(
        self,
        watch: BandWatch,
        self_trade: SelfTrade,
        needs_reference: bool,
        instrument: Instrument,
    ) -> None:
        super().__init__(needs_reference, instrument)
        self.watch = watch
        self._may_enter = watch.may_enter
        self._listens = watch.listens
        self._rows, self._accepted = self.log.rows, self.log.accepted
        self._self_trade = self_trade
        self._prevents_self_trade = self_trade is not SelfTrade.NONE
        self._unsettled = False  # whether an auction left orders to which the band was not applied
        self._alarm = NEVER  # the next instant at which something is due
        self.set_alarm()

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
            rings = self.watch.alarm <= self.now
            if rings:
                self.watch.wake(self.now)
            if rings or self._listens:
                self._consult()
            else:
                self.set_alarm()
        self.now = time

    def enter(self, fields: Fields, time: int) -> None:
        """Match an order."""
        if self.now <= time < self._alarm:
            self.now = time
        else:
            self.advance(time)
        order_id, side, ticks, quantity, trader, time_in_force, post_only, expires = fields
        accepted, closed, price = self._accepted, self._closed, ticks
        if closed is not None and not self._collects(ticks, time_in_force, post_only):
            reason = closed
        elif order_id in accepted:
            reason = RejectReason.DUPLICATE_ID
        elif expires is not None and expires <= time:
            reason = RejectReason.TOO_LATE
        elif ticks is not None and not (price := self._may_enter(side, ticks)):
            reason = RejectReason.OUTSIDE_BAND
        elif post_only and self._crosses(side, price):
            reason = RejectReason.WOULD_TRADE
        else:
            if price is not ticks:
                self._check_entry(side, ticks, price)
            rows = self._rows
            accepted[order_id] = priority = len(rows)
            rows.append((ACCEPTED, time, fields))
            if price != ticks:
                priority = self._record_clip(order_id, price, quantity)
            limit = NEVER if price is None else side * price
            if time_in_force == FOK and not self._can_fill(side, limit, quantity, trader):
                self._end(order_id, quantity, _FILL_OR_KILL)
                return
            book = self.book
            own, opposite = (book.bids, book.asks) if side > 0 else (book.asks, book.bids)
            if opposite.keys and opposite.keys[0] <= limit and closed is None:
                quantity = self._match(order_id, side, limit, quantity, trader)
            if not quantity:
                pass
            elif price is None or time_in_force >= IOC:
                self._end(order_id, quantity, self._why_not_rest(price))
            else:
                book.orders[order_id] = resting = Resting(order_id, trader, quantity, priority)
                own.add(resting, price)
                if expires is not None or self._day is not None:
                    self.schedule_expiry(order_id, accepted[order_id])
                    self.set_alarm()
            if self._listens:
                self._consult()
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
        if self._listens:
            self._consult()

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
            if self._listens:
                self._consult()

    def replace(self, order_id: str, ticks: int | None, quantity: int | None, time: int) -> None:
        """Give a resting order another price or size; None leaves what there is.

        A smaller size at the same price keeps the priority. Anything else queues again, after the
        checks and the matching of a new order.
        """
        self.advance(time)
        if self.market in CLOSED:
            self.reject(CLOSED[self.market], Command.REPLACE, order_id)
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
            if self._listens:
                self._consult()
        else:
            self._queue_again(resting, ticks, quantity)

    def _queue_again(self, resting: Resting, ticks: int, quantity: int) -> None:
        """Check and match a resting order at another price or size, unless it is refused."""
        order_id = resting.order_id
        entry = self.log.entry(order_id)
        side = entry.side
        price = self._may_enter(side, ticks)
        if not price:
            self.reject(RejectReason.OUTSIDE_BAND, Command.REPLACE, order_id, ticks)
            return
        if entry.post_only and self._crosses(side, price):
            self.reject(RejectReason.WOULD_TRADE, Command.REPLACE, order_id, ticks)
            return
        self._check_entry(side, ticks, price)
        priority = self._record_replacement(order_id, ticks, quantity, False)
        if price != ticks:
            priority = self._record_clip(order_id, price, quantity)
        self.book.lift(resting)
        if self.market is not MarketState.AUCTION:
            quantity = self._match(order_id, side, side * price, quantity, entry.trader)
        if quantity:
            resting.remaining, resting.priority = quantity, priority
            self.book.add(resting, side, price)
        else:
            del self.book.orders[order_id]
        if self._listens:
            self._consult()

    def move_reference(self, reference: Reference, ticks: Fraction, time: int) -> None:
        """Take in a newer consensus, and let the band make of it what it does."""
        self.advance(time)
        self.log.rows.append((REFERENCE, time, reference))
        self.adopt(reference, self.market)
        decision = self.watch.on_reference(ticks, reference.time, time)
        if decision is not None:
            self._apply(decision)
        self._consult()

    def halt(self, time: int) -> None:
        """Halt the market for the operator; an auction that is going on ends before."""
        self.advance(time)
        if self.market is not MarketState.HALTED:
            self._operate(MarketState.HALTED)

    def resume(self, time: int) -> None:
        """End a halt or an auction for the operator; any other state is the band's to end."""
        self.advance(time)
        if self.market in (MarketState.HALTED, MarketState.AUCTION):
            self._operate(MarketState.OPEN)

    def end_day(self, time: int) -> None:
        """Let every day order expire, in the order of acceptance."""
        self.advance(time)
        for resting in list(self.book.orders.values()):
            if self.log.entry(resting.order_id).time_in_force == DAY:
                self._lapse(resting)
        if self._listens:
            self._consult()

    def set_alarm(self) -> None:
        """Find the next instant at which something is due.

        Raises
        ------
        InvalidInput
            If the band's alarm does not lie ahead.
        """
        alarm = self.watch.alarm
        if alarm <= self.now:
            raise InvalidInput("alarm", alarm, f"an instant after {self.now}, to which it is set")
        self._alarm = min(self.next_expiry(), alarm)

    def _operate(self, state: MarketState) -> None:
        self._change_state(state)
        self._consult()

    def _consult(self) -> None:
        """Do what the band decides, until it leaves everything as it is; then set the alarm."""
        bids, asks = self.book.bids, self.book.asks
        for _ in range(_MOST_DECISIONS):
            bid, ask = bids.best(), asks.best()
            best_bid = None if bid is None else bid.ticks
            best_ask = None if ask is None else ask.ticks
            decision = self.watch.decide(self.now, best_bid, best_ask)
            if decision is not None and self._apply(decision):
                continue
            if not self._unsettled:
                self.set_alarm()
                return
            self._settle()
        raise InvalidInput("band", type(self.watch).__name__, "decisions that come to an end")

    def _apply(self, decision: Decision) -> bool:
        """Do what the band decided; return whether this changed anything."""
        limits, reference = self.limits, self.band_reference
        if decision.limits is not None:
            low, high = decision.limits
            if type(low) is not int or type(high) is not int:
                raise InvalidInput("limits", decision.limits, "two whole numbers of ticks")
            limits = max(low, 0), min(max(high, 0), NEVER)
        if decision.reference is not None:
            reference = self._reference_of(decision.reference, decision.kind)
        moves = (limits, reference) != (self.limits, self.band_reference)
        if moves:
            self._move_band(limits or (0, NEVER), reference)
        state = None if decision.state is None else MarketState(decision.state)
        if state is None or state is self.market or self.market is MarketState.HALTED:
            return moves
        if state is MarketState.HALTED:
            raise InvalidInput("state", state, "another state: a halt is the operator's")
        outcome = None
        if self.market is MarketState.AUCTION:
            outcome = self._outcome()
            found = outcome.found
            if found is not None and not self.watch.may_clear(found.ticks, self.now):
                return moves
        self._change_state(state, outcome)
        return True

    def _reference_of(self, ticks: Fraction, kind: str) -> Reference:
        """Put what the band goes by as people read it."""
        if kind != "consensus":
            return Reference(self.instrument.price(round(ticks)), self.now, kind=kind)
        for known in (self.reference, self.band_reference):
            if known is not None and known.kind in GIVEN and self.ticks_of(known) == ticks:
                return known
        raise InvalidInput("reference", ticks, "the latest consensus, or another kind of reference")

    def _move_band(self, limits: Range, reference: Reference | None) -> None:
        self.log.rows.append((BAND, self.now, *limits, reference))
        self.adopt_band(limits, reference)
        self.watch.moved(limits, self.ticks_of(reference), self.now)
        self._settle()

    def _settle(self) -> None:
        """Do with the resting orders outside the limits what the band wants done with them."""
        self._unsettled = False
        book, limits = self.book, self.limits
        if limits is None:
            return
        match self.watch.resting:
            case "cancel":
                for resting in book.outside(*limits):
                    self._withdraw(resting, _OUTSIDE_BAND, resting.level.ticks)
            case "clip":
                for resting in book.bids.better_than(limits[1]):
                    self._clip(resting, BUY, limits[1])
                for resting in book.asks.better_than(limits[0]):
                    self._clip(resting, SELL, limits[0])
            case "keep":
                pass

    def _check_entry(self, side: int, ticks: int | None, price: int | None) -> None:
        """Refuse what a band must not answer, before anything has happened."""
        assert ticks is not None
        assert price is not None
        if type(price) is not int:
            raise InvalidInput("may_enter", price, "a price in whole ticks, or None to refuse")
        if side * price > side * ticks:
            expected = f"one that is no worse for its trader than the limit of {ticks} ticks"
            raise InvalidInput("price", price, expected)

    def _clip(self, resting: Resting, side: int, ticks: int) -> None:
        if not ticks:  # The band lies below the lowest price, and has no edge to wait at.
            self._withdraw(resting, _OUTSIDE_BAND, resting.level.ticks)
            return
        resting.priority = self._record_clip(resting.order_id, ticks, resting.remaining)
        self.book.lift(resting)
        self.book.add(resting, side, ticks)

    def _change_state(self, state: MarketState, outcome: Outcome | None = None) -> None:
        """Enter a state; before that, an auction that goes on ends, with its outcome if known."""
        if self.market is MarketState.AUCTION:
            self._uncross(outcome or self._outcome())
            self._unsettled = True
        self.log.rows.append((STATE, self.now, STATES.index(state)))
        self.adopt(self.reference, state)
        self.watch.entered(state, self.now)
        self.set_alarm()

    def _collects(self, ticks: int | None, time_in_force: int, post_only: bool) -> bool:
        """Whether a call auction goes on that an order may join: one that can wait for its end."""
        is_call = self._closed is RejectReason.IN_AUCTION
        return is_call and ticks is not None and time_in_force < IOC and not post_only

    def _why_not_rest(self, ticks: int | None) -> int:
        if self.market is MarketState.AUCTION:
            return _IN_AUCTION
        return _NO_LIQUIDITY if ticks is None else _IMMEDIATE_OR_CANCEL

    def _outcome(self) -> Outcome:
        """Find what a call auction would bring if it ended now."""
        book, reference = self.book, self.ticks_of(self._judge())
        return call_auction(list(book.bids), list(book.asks), reference, self._self_trade)

    def _uncross(self, outcome: Outcome) -> None:
        """End a call auction: trade at one price, in priority, what can trade there."""
        found, lost = outcome
        self.log.rows.append((UNCROSSED, self.now, *(found or (None, 0, 0))))
        for resting, shares in lost.items():
            self._take_off(resting, shares, _SELF_TRADE)
        if found is None:
            return
        bids, asks, ticks = self.book.bids, self.book.asks, found.ticks
        while (bid := bids.best()) and (ask := asks.best()) and bid.ticks >= ticks >= ask.ticks:
            buy, sell = bid.head.behind, ask.head.behind
            younger, older = (buy, sell) if buy.priority > sell.priority else (sell, buy)
            quantity = min(buy.remaining, sell.remaining)
            self.book.reduce(buy, quantity)
            self.book.reduce(sell, quantity)
            side = BUY if younger is buy else SELL
            ids, remain = (younger.order_id, older.order_id), (younger.remaining, older.remaining)
            trade_id = len(self.log.tape)
            self.log.tape.append(len(self.log.rows))
            row = (TRADED, self.now, trade_id, ticks, quantity, side, *ids, *remain)
            self.log.rows.append(row)
            if self._listens:
                self.watch.traded(ticks, quantity, self.now)

    def _crosses(self, side: int, ticks: int | None) -> bool:
        best = self.book.opposite(side).best()
        return best is not None and ticks is not None and best.key <= side * ticks

    def _match(self, order_id: str, side: int, limit: int, remaining: int, trader: str) -> int:
        """Trade what can be traded; return what is left to rest or to end, 0 after an end.

        A limit is in the keys of the other side. A breach of the band may begin an auction.
        """
        book, now, rows, tape = self.book, self.now, self.log.rows, self.log.tape
        reduce, may_trade = book.reduce, self.watch.may_trade
        traded = self.watch.traded if self._listens else None
        opposite = book.asks if side > 0 else book.bids
        own = trader if self._prevents_self_trade else ""
        while remaining:
            level = opposite.best()
            if level is None or level.key > limit:
                break
            ticks, head = level.ticks, level.head
            while remaining and level.quantity:
                if not may_trade(ticks):
                    if self.watch.on_breach == "auction":
                        self._change_state(MarketState.AUCTION)
                        return remaining
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
                if traded is not None:
                    traded(ticks, quantity, now)
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
                if quantity <= resting.remaining:
                    return True
                quantity -= resting.remaining
        return False
