"""The matching loop of one symbol: one deterministic writer, in whole ticks, no object an event."""

from typing import Any

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching.book import Resting
from streamlet_lab.matching.engine_settings import EngineSettings
from streamlet_lab.matching.events import (
    CancelReason,
    Command,
    MarketState,
    Reduced,
    RejectReason,
    Replaced,
)
from streamlet_lab.matching.log import ACCEPTED, CANCELLED, TRADED
from streamlet_lab.matching.orders import FOK, IOC, Fields, SelfTrade, shares_lost
from streamlet_lab.matching.session import REASON_WHILE_CLOSED, TradingSession
from streamlet_lab.matching.watch import NEVER
from streamlet_lab.units import to_whole


class MatchingCore(TradingSession):
    """Matches the orders of one symbol, priced in ticks; commands of traders come in as numbers."""

    def __init__(self, settings: EngineSettings) -> None:
        super().__init__(settings)
        self._rows, self._accepted = self.log.rows, self.log.accepted
        self._has_days = self.instrument.day is not None
        self._prevents_self_trade = self._self_trade is not SelfTrade.NONE

    def enter(self, fields: Fields, time: int) -> None:
        """Match an order."""
        if self.now <= time < self.alarm:
            self.now = time
        else:
            self.advance(time)
        order_id, side, ticks, quantity, trader, time_in_force, post_only, expires = fields
        closed, price = self._closed, ticks
        if closed is not None and not self._may_join_auction(ticks, time_in_force, post_only):
            reason = closed
        elif order_id in self._accepted:
            reason = RejectReason.DUPLICATE_ID
        elif expires is not None and expires <= time:
            reason = RejectReason.TOO_LATE
        elif (
            ticks is not None
            and not self._free_low <= ticks <= self._free_high
            and not (price := self._entry(side, ticks))
        ):
            reason = RejectReason.OUTSIDE_BAND
        elif post_only and self._crosses(side, price):
            reason = RejectReason.WOULD_TRADE
        else:
            rows = self._rows
            self._accepted[order_id] = priority = len(rows)
            rows.append((ACCEPTED, time, fields))
            if price is not None and price != ticks:
                priority = self._write_repriced(order_id, price, quantity)
            limit = NEVER if price is None else side * price
            if time_in_force == FOK and not self._can_fill(side, limit, quantity, trader):
                self._end(order_id, quantity, CancelReason.FILL_OR_KILL)
                return
            book = self.book
            own, opposite = book.sides[side]
            keys = opposite.keys
            if keys and keys[0] <= limit and closed is None:
                quantity = self._match(order_id, side, limit, quantity, trader)
            if not quantity:
                pass
            elif price is None or time_in_force >= IOC:
                self._end(order_id, quantity, self._why_not_rest(price))
            else:
                # What `OrderBook.add` does: two calls were a sixth of the time.
                book.orders[order_id] = resting = Resting()
                resting.order_id, resting.trader, resting.key = order_id, trader, -limit
                resting.remaining, resting.priority = quantity, priority
                level = own.levels.get(-limit) or own.open_level(-limit)
                resting.before = last = level.before
                resting.behind = level
                last.behind = level.before = resting
                if expires is not None or self._has_days:
                    self.schedule_expiry(order_id)
                    self.set_alarm()
            if self._listens:
                self._consult()
            return
        self.reject(reason, Command.ORDER, order_id, fields, ticks)

    def cancel(self, order_id: str, time: int) -> None:
        """Take a resting order out of the book."""
        if self.now <= time < self.alarm:
            self.now = time
        else:
            self.advance(time)
        resting = self.book.orders.pop(order_id, None)
        if resting is None:
            self.reject(RejectReason.UNKNOWN_ID, Command.CANCEL, order_id)
            return
        self._rows.append((CANCELLED, time, order_id, resting.remaining))
        # `Resting.leave` without its call, here and where orders trade.
        resting.before.behind = behind = resting.behind
        behind.before = resting.before
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
            self._take_off(resting, quantity, CancelReason.REQUESTED)
            if self._listens:
                self._consult()

    def replace(self, order_id: str, ticks: int | None, quantity: int | None, time: int) -> None:
        """Give a resting order another price or size; None leaves what there is.

        A smaller size at the same price keeps the priority. Anything else queues again, after the
        checks and the matching of a new order.
        """
        self.advance(time)
        if self.market in REASON_WHILE_CLOSED:
            self.reject(REASON_WHILE_CLOSED[self.market], Command.REPLACE, order_id)
            return
        resting = self.book.orders.get(order_id)
        if resting is None:
            self.reject(RejectReason.UNKNOWN_ID, Command.REPLACE, order_id)
            return
        ticks = resting.ticks if ticks is None else ticks
        quantity = resting.remaining if quantity is None else quantity
        if ticks != resting.ticks or quantity > resting.remaining:
            self._queue_again(resting, ticks, quantity)
            return
        self._write(Replaced, order_id, self.instrument.price(ticks), quantity, True)
        self.book.reduce(resting, resting.remaining - quantity)
        if self._listens:
            self._consult()

    def _queue_again(self, resting: Resting, ticks: int, quantity: int) -> None:
        """Check and match a resting order at another price or size, unless it is refused."""
        order_id = resting.order_id
        _, side, _, _, trader, _, post_only, _ = self.log.fields(order_id)
        price = self._entry(side, ticks)
        if not price:
            self.reject(RejectReason.OUTSIDE_BAND, Command.REPLACE, order_id, price=ticks)
            return
        if post_only and self._crosses(side, price):
            self.reject(RejectReason.WOULD_TRADE, Command.REPLACE, order_id, price=ticks)
            return
        named = self.instrument.price(ticks)
        priority = self._write(Replaced, order_id, named, quantity, False)
        if price != ticks:
            priority = self._write_repriced(order_id, price, quantity)
        if self.market is not MarketState.AUCTION:
            quantity = self._match(order_id, side, side * price, quantity, trader)
        if quantity:
            self.book.move(resting, price, quantity, priority)
        else:
            self.book.reduce(resting, resting.remaining)
        if self._listens:
            self._consult()

    def _may_join_auction(self, ticks: int | None, time_in_force: int, post_only: bool) -> bool:
        """Whether a call auction goes on that an order may join: one that can wait for its end."""
        is_call = self._closed is RejectReason.IN_AUCTION
        return is_call and ticks is not None and time_in_force < IOC and not post_only

    def _entry(self, side: int, ticks: int) -> int | None:
        """Return the price at which a limit order enters, None or 0 where the band refuses it.

        The band's answer must be whole ticks, and no worse for the trader.
        """
        if self._free_low <= ticks <= self._free_high:
            return ticks
        price: Any = self.watch.may_enter(side, ticks)
        if not price:
            return None
        read = to_whole(price, 1, "may_enter", None, "a price in whole ticks, or None to refuse")
        if side * read > side * ticks:
            expected = f"one that is no worse for its trader than the limit of {ticks} ticks"
            raise InvalidInput("price", price, expected)
        return read

    def _why_not_rest(self, ticks: int | None) -> CancelReason:
        if self.market is MarketState.AUCTION:
            return CancelReason.IN_AUCTION
        return CancelReason.NO_LIQUIDITY if ticks is None else CancelReason.IMMEDIATE_OR_CANCEL

    def _crosses(self, side: int, ticks: int | None) -> bool:
        best = self.book.sides[-side][0].best()
        return best is not None and ticks is not None and side * best <= side * ticks

    def _match(self, order_id: str, side: int, limit: int, remaining: int, trader: str) -> int:
        """Trade what can be traded; return what is left to rest or to end, 0 after an end.

        A limit is in the keys of the other side. A breach of the band may begin an auction.
        """
        now, rows, orders = self.now, self._rows, self.book.orders
        traded = self.watch.traded if self._listens else None
        own = trader if self._prevents_self_trade else ""
        _, opposite = self.book.sides[side]
        while remaining and (ticks := opposite.best()) and opposite.keys[0] <= limit:
            if not self._may_trade(ticks):
                return self._break_off(order_id, remaining, ticks)
            level = opposite.levels[opposite.keys[0]]
            while remaining and (resting := level.behind) is not level:
                if own and resting.trader == own:
                    remaining = self._prevent_self_trade(order_id, remaining, resting)
                    continue
                left, other = resting.remaining, resting.order_id
                if left > remaining:
                    quantity, remaining = remaining, 0
                    resting.remaining = left = left - quantity
                else:
                    quantity, left = left, 0
                    remaining -= quantity
                    level.behind = behind = resting.behind
                    behind.before = level
                    del orders[other]
                rows.append((TRADED, now, ticks, quantity, side, order_id, other, remaining, left))
                if traded is not None:
                    traded(ticks, quantity, now)
        return remaining

    def _may_trade(self, ticks: int) -> bool:
        return self._free_low <= ticks <= self._free_high or self.watch.may_trade(ticks)

    def _break_off(self, order_id: str, remaining: int, ticks: int) -> int:
        """Stop where the band does not let an order trade; return what is left for an auction."""
        if self.watch.on_breach == "auction":
            self._change_state(MarketState.AUCTION)
            return remaining
        # Resting would cross the book, trading would break the rule: the rest must go.
        self._end(order_id, remaining, CancelReason.OUTSIDE_BAND, ticks)
        return 0

    def _prevent_self_trade(self, order_id: str, remaining: int, resting: Resting) -> int:
        """Let two orders of one trader lose shares instead of trading; the resting one first."""
        lost, lost_resting = shares_lost(self._self_trade, remaining, resting.remaining)
        self._take_off(resting, lost_resting, CancelReason.SELF_TRADE)
        left = remaining - lost
        if lost and left:
            self._write(Reduced, order_id, CancelReason.SELF_TRADE, lost, left)
        elif lost:
            self._end(order_id, lost, CancelReason.SELF_TRADE)
        return left

    def _can_fill(self, side: int, limit: int, quantity: int, trader: str) -> bool:
        """Whether the whole order would trade at once, with what rests and what the rules say."""
        own = trader if self._prevents_self_trade else ""
        for level in self.book.sides[-side][0].occupied():
            if level.key > limit or not self._may_trade(level.ticks):
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
