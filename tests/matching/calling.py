"""A band of somebody's own, whose breach begins a call auction."""

from dataclasses import dataclass
from fractions import Fraction

from streamlet_lab.matching import NEVER, BandWatch, ConsensusBand, Decision, MarketState


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
        return Decision(ConsensusBand().limits(ticks), ticks)

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
            limits = ConsensusBand().limits(self.cleared)
            return Decision(limits, Fraction(self.cleared), kind="auction")
        return None
