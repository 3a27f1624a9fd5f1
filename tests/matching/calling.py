"""A band of somebody's own, whose breach begins a call auction."""

from dataclasses import dataclass
from fractions import Fraction

from streamlet_lab.matching import NEVER, BandWatch, ConsensusBand, Decision, MarketState


@dataclass(frozen=True)
class Calling:
    """A band of 5 % whose breach begins a call auction; its price is the next reference."""

    call: int
    resting: str = "keep"

    def watch(self, pace=1):
        return CallingWatch(self.call, self.resting)


class CallingWatch(BandWatch):
    listens = True
    on_breach = "auction"

    def __init__(self, call, resting):
        self.resting = resting
        self.call, self.state, self.ends, self.cleared = call, MarketState.OPEN, None, None

    def may_enter(self, side, ticks):
        return ticks

    def on_reference(self, ticks, since, time):
        return Decision(ConsensusBand().limits(ticks), ticks)

    def traded(self, ticks, quantity, time):
        self.cleared = ticks if self.state is MarketState.AUCTION else None

    def moved(self, limits, reference, time):
        super().moved(limits, reference, time)
        self.cleared = None

    def entered(self, state, time):
        self.state = state
        self.ends = self.alarm = time + self.call if state is MarketState.AUCTION else NEVER

    def decide(self, time, best_bid, best_ask):
        if self.state is MarketState.AUCTION and time >= self.ends:
            return Decision(state=MarketState.OPEN)
        if self.state is not MarketState.AUCTION and self.cleared is not None:
            limits = ConsensusBand().limits(self.cleared)
            return Decision(limits, Fraction(self.cleared), kind="auction")
        return None
