"""A matcher without any cleverness: one list, sorted anew at every step, exact fractions.

It shares no code with the package and says only in words and tuples what it does, so that the
engine can be compared with it after every operation.
"""

from dataclasses import dataclass
from fractions import Fraction

OPPOSITE = {"buy": "sell", "sell": "buy"}


@dataclass
class Waiting:
    arrival: int
    order_id: str
    side: str
    price: Fraction
    quantity: int
    trader: str = ""
    lasts: str = "gtc"
    expires: int | None = None
    post_only: bool = False
    accepted: int = 0


class NaiveMatcher:
    def __init__(
        self,
        *,
        percent=5,
        without_reference="reject",
        self_trade="none",
        day=None,
        lot=1,
        keeps=False,
    ):
        self.percent = Fraction(percent)
        self.without_reference = without_reference
        self.self_trade = self_trade
        self.day = day
        self.lot = lot
        self.keeps = keeps  # what rests outside the band
        self.reference = None
        self.halted = False
        self.waiting = []
        self.accepted = []
        self.arrivals = 0

    def queue(self, side):
        """The waiting orders of a side, next to trade first."""
        best_first = -1 if side == "buy" else 1
        mine = [w for w in self.waiting if w.side == side]
        return sorted(mine, key=lambda w: (best_first * w.price, w.arrival))

    def inside(self, price):
        if self.reference is None:
            return True
        return abs(price - self.reference) / self.reference <= self.percent / 100

    def rest(self, order_id, side, price, quantity, **more):
        self.waiting.append(Waiting(self.arrivals, order_id, side, price, quantity, **more))
        self.arrivals += 1

    def find(self, order_id):
        return next((w for w in self.waiting if w.order_id == order_id), None)

    def meets(self, side, price):
        """The orders that a new one may meet at its price, next to trade first."""
        others = self.queue(OPPOSITE[side])
        if price is not None and side == "buy":
            others = [w for w in others if w.price <= price]
        if price is not None and side == "sell":
            others = [w for w in others if w.price >= price]
        return others

    def order(
        self,
        order_id,
        side,
        quantity,
        price,
        *,
        time=0,
        trader="",
        lasts="day",
        expires=None,
        post_only=False,
    ):
        """Price None is a market order."""
        reason = None
        if quantity % self.lot:
            reason = "off_lot"
        elif price is not None and (price * 100).denominator != 1:
            reason = "off_tick"
        elif self.halted:
            reason = "halted"
        elif order_id in self.accepted:
            reason = "duplicate_id"
        elif self.reference is None and self.without_reference == "reject":
            reason = "no_consensus"
        elif expires is not None and expires <= time:
            reason = "too_late"
        elif price is not None and not self.inside(price):
            reason = "outside_band"
        elif post_only and self.meets(side, price):
            reason = "would_trade"
        if reason is not None:
            return [("rejected", order_id, reason)]
        self.accepted.append(order_id)
        said = [("accepted", order_id)]
        if lasts == "fok" and not self.fills(side, quantity, price, trader):
            return [*said, ("cancelled", order_id, "fill_or_kill", quantity)]
        if lasts == "day" and self.day is not None:
            expires = (time // self.day + 1) * self.day
        after, quantity = self.trade(order_id, side, quantity, price, trader)
        said += after
        if quantity > 0 and price is None:
            said.append(("cancelled", order_id, "no_liquidity", quantity))
        elif quantity > 0 and lasts in ("ioc", "fok"):
            said.append(("cancelled", order_id, "immediate_or_cancel", quantity))
        elif quantity > 0:
            more = {"trader": trader, "lasts": lasts, "expires": expires, "post_only": post_only}
            self.rest(order_id, side, price, quantity, **more, accepted=len(self.accepted))
        return said

    def fills(self, side, quantity, price, trader):
        """Whether an order would trade whole: tried out on a copy of everything."""
        trial = NaiveMatcher(percent=self.percent, self_trade=self.self_trade)
        trial.reference = self.reference
        trial.waiting = [Waiting(**vars(w)) for w in self.waiting]
        said, _ = trial.trade("trial", side, quantity, price, trader)
        return quantity == sum(one[4] for one in said if one[0] == "traded")

    def trade(self, order_id, side, quantity, price, trader):
        said = []
        while quantity > 0:
            others = self.meets(side, price)
            if not others:
                break
            other = others[0]
            if not self.inside(other.price):
                return [*said, ("cancelled", order_id, "outside_band", quantity)], 0
            shares = min(quantity, other.quantity)
            if trader and trader == other.trader and self.self_trade != "none":
                mine = {"cancel_oldest": 0, "decrement": shares}.get(self.self_trade, quantity)
                theirs = {"cancel_newest": 0, "decrement": shares}.get(
                    self.self_trade, other.quantity
                )
                said += self.lose(other.order_id, theirs, other.quantity)
                other.quantity -= theirs
                said += self.lose(order_id, mine, quantity)
                quantity -= mine
            else:
                pair = (order_id, other.order_id)
                buyer, seller = pair if side == "buy" else reversed(pair)
                said.append(("traded", buyer, seller, other.price, shares, side))
                quantity -= shares
                other.quantity -= shares
            self.waiting = [w for w in self.waiting if w.quantity > 0]
        return said, quantity

    def lose(self, order_id, shares, quantity):
        if not shares:
            return []
        if shares == quantity:
            return [("cancelled", order_id, "self_trade", shares)]
        return [("reduced", order_id, "self_trade", shares, quantity - shares)]

    def cancel(self, order_id):
        w = self.find(order_id)
        if w is None:
            return [("rejected", order_id, "unknown_id")]
        self.waiting.remove(w)
        return [("cancelled", order_id, "requested", w.quantity)]

    def reduce(self, order_id, shares):
        w = self.find(order_id)
        if shares < 1:
            return [("rejected", order_id, "invalid_quantity")]
        if shares % self.lot:
            return [("rejected", order_id, "off_lot")]
        if w is None:
            return [("rejected", order_id, "unknown_id")]
        if shares > w.quantity:
            return [("rejected", order_id, "invalid_quantity")]
        if shares == w.quantity:
            return self.cancel(order_id)
        w.quantity -= shares
        return [("reduced", order_id, "requested", shares, w.quantity)]

    def replace(self, order_id, price, quantity):
        w = self.find(order_id)
        if quantity is not None and quantity < 1:
            return [("rejected", order_id, "invalid_quantity")]
        if quantity is not None and quantity % self.lot:
            return [("rejected", order_id, "off_lot")]
        if self.halted:
            return [("rejected", order_id, "halted")]
        if w is None:
            return [("rejected", order_id, "unknown_id")]
        price = w.price if price is None else price
        quantity = w.quantity if quantity is None else quantity
        if price == w.price and quantity <= w.quantity:
            w.quantity = quantity
            return [("replaced", order_id, price, quantity, True)]
        if not self.inside(price):
            return [("rejected", order_id, "outside_band")]
        if w.post_only and self.meets(w.side, price):
            return [("rejected", order_id, "would_trade")]
        self.waiting.remove(w)
        said, left = self.trade(order_id, w.side, quantity, price, w.trader)
        if left:
            more = {name: vars(w)[name] for name in ("trader", "lasts", "expires", "post_only")}
            self.rest(order_id, w.side, price, left, **more, accepted=w.accepted)
        return [("replaced", order_id, price, quantity, False), *said]

    def move(self, reference):
        self.reference = reference
        said = [("moved", reference)]
        if self.keeps:
            return said
        for side in ("buy", "sell"):
            out = [w for w in self.waiting if w.side == side and not self.inside(w.price)]
            above = [w for w in out if w.price > reference]
            below = [w for w in out if w.price < reference]
            above.sort(key=lambda w: (-w.price, w.arrival))
            below.sort(key=lambda w: (w.price, w.arrival))
            for w in above + below if side == "buy" else below + above:
                self.waiting.remove(w)
                said.append(("cancelled", w.order_id, "outside_band", w.quantity))
        return said

    def pass_time(self, time):
        """Let orders expire whose instant is not after ``time``."""
        due = [w for w in self.waiting if w.expires is not None and w.expires <= time]
        return self.expire(sorted(due, key=lambda w: (w.expires, w.accepted)))

    def end_day(self):
        due = [w for w in self.waiting if w.lasts == "day"]
        return self.expire(sorted(due, key=lambda w: w.accepted))

    def expire(self, due):
        for w in due:
            self.waiting.remove(w)
        return [("expired", w.order_id, w.quantity) for w in due]

    def set_halted(self, halted):
        changed, self.halted = halted != self.halted, halted
        return [("state", "halted" if halted else "open")] if changed else []
