"""A matcher without any cleverness: one list, sorted anew at every step, exact fractions.

It shares no code with the package and says only in words and tuples what it does, so that the
engine can be compared with it after every operation.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from fractions import Fraction

CENT = Fraction(1, 100)

CLOSED = {"halted": "halted", "paused": "stale_reference"}
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


@dataclass
class NaiveMatcher:
    percent: int = 5
    without_reference: str = "reject"
    self_trade: str = "none"
    day: int | None = None
    lot: int = 1
    at_entry: str = "reject"
    resting: str = "cancel"  # what happens to what rests outside a moved band
    stale: str = "keep"
    stale_after: int | None = None
    call: int | None = None  # how long an auction lasts that a breach of the band begins
    collar: int | None = None  # percent by which its price may be off after each such time

    now: int = 0
    reference: tuple | None = None  # price, instant: the consensus
    band: tuple | None = None  # low, high, price, instant, kind
    state: str = "open"
    auction_began: int | None = None
    waiting: list = field(default_factory=list)
    accepted: list = field(default_factory=list)
    arrivals: int = 0

    def queue(self, side):
        """The waiting orders of a side, next to trade first."""
        best_first = -1 if side == "buy" else 1
        mine = [w for w in self.waiting if w.side == side]
        return sorted(mine, key=lambda w: (best_first * w.price, w.arrival))

    def inside(self, price):
        if self.band is None:
            return True
        low, high, *_ = self.band
        return (low is None or low <= price) and price <= high

    def enters(self, side, price):
        """The price at which an order enters; None where it does not."""
        if self.inside(price) or self.at_entry == "ignore":
            return price
        if self.at_entry == "reject":
            return None
        low, high, *_ = self.band
        if side == "buy":
            return high if price > high else price
        return low if low is not None and price < low else price

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
        elif self.state in CLOSED:
            reason = CLOSED[self.state]
        elif self.reference is None and self.without_reference == "reject":
            reason = "no_consensus"
        elif self.state == "auction" and (price is None or lasts in ("ioc", "fok") or post_only):
            reason = "in_auction"
        elif order_id in self.accepted:
            reason = "duplicate_id"
        elif expires is not None and expires <= time:
            reason = "too_late"
        elif price is not None and self.enters(side, price) is None:
            reason = "outside_band"
        elif post_only and self.meets(side, self.enters(side, price)):
            reason = "would_trade"
        if reason is not None:
            return [("rejected", order_id, reason)]
        self.accepted.append(order_id)
        said = [("accepted", order_id)]
        if price is not None and self.enters(side, price) != price:
            price = self.enters(side, price)
            said.append(("clipped", order_id, price, quantity))
        if lasts == "fok" and not self.fills(side, quantity, price, trader):
            return [*said, ("cancelled", order_id, "fill_or_kill", quantity)]
        if lasts == "day" and self.day is not None:
            expires = (time // self.day + 1) * self.day
        after, quantity = self.trade(order_id, side, quantity, price, trader)
        said += after
        if quantity > 0 and self.state == "auction" and (price is None or lasts in ("ioc", "fok")):
            said.append(("cancelled", order_id, "in_auction", quantity))
        elif quantity > 0 and price is None:
            said.append(("cancelled", order_id, "no_liquidity", quantity))
        elif quantity > 0 and lasts in ("ioc", "fok"):
            said.append(("cancelled", order_id, "immediate_or_cancel", quantity))
        elif quantity > 0:
            more = {"trader": trader, "lasts": lasts, "expires": expires, "post_only": post_only}
            self.rest(order_id, side, price, quantity, **more, accepted=len(self.accepted))
        return said

    def fills(self, side, quantity, price, trader):
        """Whether an order would trade whole: tried out on a copy of everything."""
        trial = deepcopy(self)
        said, _ = trial.trade("trial", side, quantity, price, trader)
        return quantity == sum(one[4] for one in said if one[0] == "traded")

    def trade(self, order_id, side, quantity, price, trader):
        said = []
        while quantity > 0 and self.state != "auction":
            others = self.meets(side, price)
            if not others:
                break
            other = others[0]
            if not self.inside(other.price) and self.call is not None:
                said += self.enter("auction")
                break
            if not self.inside(other.price):
                return [*said, ("cancelled", order_id, "outside_band", quantity)], 0
            shares = min(quantity, other.quantity)
            if trader and trader == other.trader and self.self_trade != "none":
                mine, theirs = self.losses(quantity, other.quantity)
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

    def losses(self, newer, older):
        """How many shares a trader's two orders lose instead of trading."""
        shares = min(newer, older)
        return (
            {"cancel_oldest": 0, "decrement": shares}.get(self.self_trade, newer),
            {"cancel_newest": 0, "decrement": shares}.get(self.self_trade, older),
        )

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
        if self.state in CLOSED:
            return [("rejected", order_id, CLOSED[self.state])]
        if w is None:
            return [("rejected", order_id, "unknown_id")]
        price = w.price if price is None else price
        quantity = w.quantity if quantity is None else quantity
        if price == w.price and quantity <= w.quantity:
            w.quantity = quantity
            return [("replaced", order_id, price, quantity, True)]
        asked, price = price, self.enters(w.side, price)
        if price is None:
            return [("rejected", order_id, "outside_band")]
        if w.post_only and self.meets(w.side, price):
            return [("rejected", order_id, "would_trade")]
        replaced = [("replaced", order_id, asked, quantity, False)]
        if asked != price:
            replaced.append(("clipped", order_id, price, quantity))
        self.waiting.remove(w)
        said, left = self.trade(order_id, w.side, quantity, price, w.trader)
        if left:
            more = {name: vars(w)[name] for name in ("trader", "lasts", "expires", "post_only")}
            self.rest(order_id, w.side, price, left, **more, accepted=w.accepted)
        return replaced + said

    def move(self, price, since):
        self.reference = (price, since)
        said = [("moved", price)]
        said += self.lay(price, since, "consensus", self.widths())
        if self.state == "paused" and not self.is_stale():
            said += self.enter("open")
        return said + self.look()

    def widths(self):
        """How many times as wide as at first the band is."""
        if self.stale != "widen" or self.reference is None:
            return 1
        return 1 + (self.now - self.reference[1]) // self.stale_after

    def is_stale(self):
        if self.stale != "halt" or self.reference is None:
            return False
        return self.now - self.reference[1] >= self.stale_after

    def lay(self, price, since, kind, widths=1):
        """Lay the band around a price, and see to what it leaves outside."""
        share = min(Fraction(self.percent * widths, 100), 1)
        low = high = price
        while low > 0 and (price - (low - CENT)) / price <= share:
            low -= CENT
        while (high + CENT - price) / price <= share:
            high += CENT
        band = (low or None, high, price, since, kind)
        if band == self.band:
            return []
        self.band = band
        return [("band", *band[:3], kind), *self.see_to_what_rests()]

    def see_to_what_rests(self):
        """What the band does with orders outside."""
        said, (low, high, price, *_) = [], self.band
        for side in ("buy", "sell"):
            out = [w for w in self.waiting if w.side == side and not self.inside(w.price)]
            above = [w for w in out if w.price > price]
            below = [w for w in out if w.price < price]
            above.sort(key=lambda w: (-w.price, w.arrival))
            below.sort(key=lambda w: (w.price, w.arrival))
            if self.resting == "cancel":
                for w in above + below if side == "buy" else below + above:
                    self.waiting.remove(w)
                    said.append(("cancelled", w.order_id, "outside_band", w.quantity))
            elif self.resting == "clip":
                for w in above if side == "buy" else below:
                    w.price, w.arrival = high if side == "buy" else low, self.arrivals
                    self.arrivals += 1
                    said.append(("clipped", w.order_id, w.price, w.quantity))
        return said

    def look(self):
        """What the band does of itself at this instant."""
        if self.reference is None:
            return []
        said = []
        if self.stale == "widen":
            said += self.lay(*self.reference, "consensus", self.widths())
        if self.is_stale() and self.state == "open":
            said += self.enter("paused")
        if self.state == "auction" and self.now in self.ends_of_calls():
            said += self.enter("open")
        return said

    def ends_of_calls(self):
        """The instants, until now, at which the auction may end: how far its price is off says."""
        ends = []
        end = self.auction_began + self.call
        while end <= self.now:
            ends.append(end)
            end += self.call
        if self.collar is None or not ends:
            return ends
        price = deepcopy(self).uncross()[0][1]
        middle = self.band[2]
        is_near = price is None or abs(price / middle - 1) <= len(ends) * Fraction(self.collar, 100)
        return ends if is_near else []

    def enter(self, state):
        """Another state; an auction is over before it."""
        said = self.uncross() if self.state == "auction" else []
        self.state = state
        self.auction_began = self.now if state == "auction" else None
        prices = [one[3] for one in said if one[0] == "traded"]
        said.append(("state", state))
        if prices:
            said += self.lay(prices[-1], self.now, "auction")
        elif said[0][0] == "uncrossed":
            said += self.see_to_what_rests()
        return said

    def uncross(self):
        """Trade at one price; before that, take off what would meet its own trader there."""
        taken = []  # the orders that lose shares, each with what is left of it
        asked = {w.order_id: w.quantity for w in self.waiting}
        while True:
            price, quantity, surplus = self.clearing_price()
            lost, trades = deepcopy(self).cross(price)
            if not lost:
                break
            for order_id, shares in lost:
                w = self.find(order_id)
                w.quantity -= shares
                taken.append(w)
            self.waiting = [w for w in self.waiting if w.quantity > 0]
        said = [("uncrossed", price, quantity, surplus)]
        for side in ("buy", "sell"):
            mine = {w.order_id: w for w in taken if w.side == side}.values()
            best_first = -1 if side == "buy" else 1
            for w in sorted(mine, key=lambda w: (best_first * w.price, w.arrival)):
                before = asked[w.order_id]
                said += self.lose(w.order_id, before - w.quantity, before)
        self.cross(price)
        return said + trades

    def cross(self, price):
        """Match at a price; return what orders lose and how they trade."""
        lost, trades = [], []
        while price is not None:
            buys, sells = self.queue("buy"), self.queue("sell")
            if not buys or not sells or buys[0].price < price or sells[0].price > price:
                break
            buy, sell = buys[0], sells[0]
            older, newer = sorted((buy, sell), key=lambda w: w.arrival)
            if newer.trader and newer.trader == older.trader and self.self_trade != "none":
                mine, theirs = self.losses(newer.quantity, older.quantity)
                lost += [(w.order_id, n) for w, n in ((newer, mine), (older, theirs)) if n]
                newer.quantity -= mine
                older.quantity -= theirs
            else:
                shares = min(buy.quantity, sell.quantity)
                buy.quantity -= shares
                sell.quantity -= shares
                trades.append(("traded", buy.order_id, sell.order_id, price, shares, newer.side))
            self.waiting = [w for w in self.waiting if w.quantity > 0]
        return lost, trades

    def clearing_price(self):
        """Try every price: most shares, least left over, pressure, nearest to the reference."""
        buys, sells = self.queue("buy"), self.queue("sell")
        if not buys or not sells or buys[0].price < sells[0].price:
            return None, 0, 0
        tried = {}
        price = sells[0].price
        while price <= buys[0].price:
            bid = sum(w.quantity for w in buys if w.price >= price)
            offered = sum(w.quantity for w in sells if w.price <= price)
            tried[price] = (min(bid, offered), bid - offered)
            price += CENT
        most = max(quantity for quantity, _ in tried.values())
        least = min(abs(over) for quantity, over in tried.values() if quantity == most)
        left = [p for p, (n, over) in tried.items() if (n, abs(over)) == (most, least)]
        bought = [p for p in left if tried[p][1] > 0]
        sold = [p for p in left if tried[p][1] < 0]
        if bought or sold:
            left = bought[-1:] + sold[:1]
        near = (left[0] + left[-1]) / 2 if self.band is None else self.band[2]
        price = min(left, key=lambda p: (abs(p - near), (p / CENT) % 2))
        return price, *tried[price]

    def pass_time(self, time):
        """Let happen, instant by instant, what is due until a time."""
        said = []
        while self.now < time:
            self.now += 1
            due = [w for w in self.waiting if w.expires is not None and w.expires <= self.now]
            said += self.expire(sorted(due, key=lambda w: (w.expires, w.accepted)))
            said += self.look()
        return said

    def end_day(self):
        due = [w for w in self.waiting if w.lasts == "day"]
        return self.expire(sorted(due, key=lambda w: w.accepted))

    def expire(self, due):
        for w in due:
            self.waiting.remove(w)
        return [("expired", w.order_id, w.quantity) for w in due]

    def halt(self):
        return [] if self.state == "halted" else self.enter("halted") + self.look()

    def resume(self):
        return self.enter("open") + self.look() if self.state in ("halted", "auction") else []
