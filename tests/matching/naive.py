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


class NaiveMatcher:
    def __init__(self, *, percent=5, without_reference="reject"):
        self.percent = Fraction(percent)
        self.without_reference = without_reference
        self.reference = None
        self.waiting = []
        self.accepted = set()
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

    def rest(self, order_id, side, price, quantity):
        self.waiting.append(Waiting(self.arrivals, order_id, side, price, quantity))
        self.arrivals += 1

    def order(self, order_id, side, quantity, price):
        """Price None is a market order."""
        if order_id in self.accepted:
            return [("rejected", order_id, "duplicate_id")]
        if self.reference is None and self.without_reference == "reject":
            return [("rejected", order_id, "no_consensus")]
        if price is not None and not self.inside(price):
            return [("rejected", order_id, "outside_band")]
        self.accepted.add(order_id)
        said = [("accepted", order_id)]
        while quantity > 0:
            others = self.queue(OPPOSITE[side])
            if price is not None and side == "buy":
                others = [w for w in others if w.price <= price]
            if price is not None and side == "sell":
                others = [w for w in others if w.price >= price]
            if not others:
                break
            other = others[0]
            if not self.inside(other.price):
                return [*said, ("cancelled", order_id, "outside_band", quantity)]
            shares = min(quantity, other.quantity)
            pair = (order_id, other.order_id)
            buyer, seller = pair if side == "buy" else reversed(pair)
            said.append(("traded", buyer, seller, other.price, shares, side))
            quantity -= shares
            other.quantity -= shares
            self.waiting = [w for w in self.waiting if w.quantity > 0]
        if quantity > 0 and price is None:
            said.append(("cancelled", order_id, "no_liquidity", quantity))
        elif quantity > 0:
            self.rest(order_id, side, price, quantity)
        return said

    def cancel(self, order_id):
        for w in self.waiting:
            if w.order_id == order_id:
                self.waiting.remove(w)
                return [("cancelled", order_id, "requested", w.quantity)]
        return [("rejected", order_id, "unknown_id")]

    def move(self, reference):
        self.reference = reference
        said = []
        for side in ("buy", "sell"):
            out = [w for w in self.waiting if w.side == side and not self.inside(w.price)]
            above = sorted((w for w in out if w.price > reference), key=lambda w: -w.price)
            below = sorted((w for w in out if w.price < reference), key=lambda w: w.price)
            for w in above + below if side == "buy" else below + above:
                self.waiting.remove(w)
                said.append(("cancelled", w.order_id, "outside_band", w.quantity))
        return said
