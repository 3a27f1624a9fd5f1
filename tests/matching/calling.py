"""What the tests of the engine share: orders, engines, and a band whose breach begins a call."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from streamlet_lab.matching import (
    NEVER,
    BandWatch,
    ConsensusMatchingEngine,
    Decision,
    MarketState,
    Order,
    Reference,
)
from streamlet_lab.matching.watch import limits_around

SECOND = 1_000_000


def limit(order_id, side, price, quantity=10, trader="", **conditions):
    return Order.limit(order_id, "AAPL", side, quantity, price, trader, **conditions)


def market(order_id, side, quantity=10, trader="", **conditions):
    return Order.market(order_id, "AAPL", side, quantity, trader, **conditions)


def engine_at(price, instrument="AAPL", time=0, **settings):
    """An engine whose reference is a price in dollars since some instant."""
    engine = ConsensusMatchingEngine(instrument, **settings)
    move(engine, price, time)
    return engine


def move(engine, price, time=None):
    """Move the reference, which became final at this instant."""
    time = engine.now if time is None else time
    return engine.set_reference(Reference(Decimal(price), time), time)


def orders_of(engine):
    return [*engine.book.bids, *engine.book.asks]


def ids(orders):
    return [one.order.order_id for one in orders]


def kinds(events):
    return [type(event) for event in events]


def state_of(engine):
    """All that decides what an engine does next, but for its clock; last, how many events.

    What a band remembers besides its limits follows from the events.
    """
    limits = engine.market, engine.reference, engine.band_limits, engine.band_reference
    accepted = dict(engine.core.log.accepted)
    return (*limits, *orders_of(engine), accepted, len(engine.trades), len(engine.events))


def assert_only_refused(engine, before, times=1):
    """Nothing has changed since a state but that so many events were written."""
    assert state_of(engine) == (*before[:-1], before[-1] + times)


class Network:
    """Finalizes what it is told to."""

    latest = None

    def reference(self):
        return self.latest


@dataclass(frozen=True)
class Calling:
    """A band of 5 % whose breach begins a call auction; its price is the next reference.

    The auction goes on while its price would be farther away than the collar times the calls.
    """

    call: int
    resting: str = "keep"
    collar: int | None = None  # percent

    def watch(self, pace=1):
        return CallingWatch(self)


class CallingWatch(BandWatch):
    listens = True
    on_breach = "auction"

    def __init__(self, band):
        self.resting, self.call, self.collar = band.resting, band.call, band.collar
        self.state, self.since, self.cleared, self.middle = MarketState.OPEN, 0, None, None

    def may_enter(self, side, ticks):
        return ticks

    def on_reference(self, ticks, since, time):
        return Decision(limits_around(ticks, 500), ticks)

    def traded(self, ticks, quantity, time):
        self.cleared = ticks if self.state is MarketState.AUCTION else None

    def moved(self, limits, reference, time):
        super().moved(limits, reference, time)
        self.cleared, self.middle = None, reference

    def entered(self, state, time):
        self.state, self.since = state, time
        self.wake(time)

    def wake(self, time):
        ends = self.since + self.call
        while ends <= time:
            ends += self.call
        self.alarm = ends if self.state is MarketState.AUCTION else NEVER

    def may_clear(self, ticks, time):
        if self.collar is None:
            return True
        calls = (time - self.since) // self.call
        return abs(ticks - self.middle) * 100 <= self.collar * calls * self.middle

    def decide(self, time, best_bid, best_ask):
        is_over = time > self.since and (time - self.since) % self.call == 0
        if self.state is MarketState.AUCTION and is_over:
            return Decision(state=MarketState.OPEN)
        if self.state is not MarketState.AUCTION and self.cleared is not None:
            return Decision(
                limits_around(self.cleared, 500), Fraction(self.cleared), kind="auction"
            )
        return None
