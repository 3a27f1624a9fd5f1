"""The band around the consensus price, with its policies at entry, at rest and for a stale one."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching.events import MarketState
from streamlet_lab.matching.watch import (
    NEVER,
    BandWatch,
    Decision,
    RestingPolicy,
    band,
    limits_around,
    read_duration,
    read_percent,
)
from streamlet_lab.values import check_ranges

EntryPolicy = Literal["reject", "clip", "ignore"]
StalePolicy = Literal["keep", "widen", "halt"]

#: A band that is as wide as this reaches down to zero, and does not widen any more.
_WIDEST: Final = 10_000


@band("consensus")
@dataclass(frozen=True, slots=True)
class ConsensusBand:
    """A trade may deviate from the consensus by 5 % and no more; the edge itself passes.

    The default is the description's rule: asked at entry and at each execution, and where the
    reference moves, resting orders that are now outside are cancelled. Each execution is checked
    whatever the policies. Comparisons are made in integers.

    Parameters
    ----------
    percent : Decimal or int
        The largest deviation, in percent of the reference: above 0 and at most 100, with at most
        two decimal places.
    at_entry : {"reject", "clip", "ignore"}
        What becomes of a limit price outside: the order is refused; it enters at the edge if it
        is aggressive (a bid above the band, an ask below) and else as it is, to wait until the
        band comes; or it enters as it is.
    resting : {"cancel", "clip", "keep"}
        What becomes of resting orders outside when the band moves: cancelled; moved to its edge
        if they are aggressive, where they stay; or left where they are.
    stale : {"keep", "widen", "halt"}
        What an old reference does: nothing; the band gains ``percent`` points with each full
        ``stale_after`` of age, up to 100; or the market pauses at that age, until there is a
        newer one.
    stale_after : float, str or None
        The age in market time, as seconds or as a text such as ``"3min"``; None where stale
        references are kept.
    """

    percent: Decimal | float | str = 5
    at_entry: EntryPolicy = "reject"
    resting: RestingPolicy = "cancel"
    stale: StalePolicy = "keep"
    stale_after: float | str | None = None

    def __post_init__(self) -> None:
        check_ranges(self)
        if (self.stale == "keep") != (self.stale_after is None):
            expected = "None, because stale references are kept"
            if self.stale != "keep":
                expected = f"a duration such as '3min', because stale is {self.stale!r}"
            raise InvalidInput("stale_after", self.stale_after, expected)
        self.watch()  # reads the numbers

    def watch(self, pace: Fraction = Fraction(1)) -> BandWatch:
        """Begin to watch one engine; before its first reference everything passes."""
        return ConsensusWatch(self, pace)


def _with_policies(at_entry: EntryPolicy, resting: RestingPolicy) -> Callable[..., ConsensusBand]:
    def make(
        percent: Decimal | float | str = 5,
        stale: StalePolicy = "keep",
        stale_after: float | str | None = None,
    ) -> ConsensusBand:
        return ConsensusBand(percent, at_entry, resting, stale, stale_after)

    return make


# Prices are checked at the trade only: any may enter and rest, and block the book for others.
band("trade_only")(_with_policies("ignore", "keep"))

# At entry and at the trade; resting orders stay where they are.
band("keep_resting")(_with_policies("reject", "keep"))

# Aggressive prices are moved to the edge of the band, at entry and whenever it moves.
band("clip")(_with_policies("clip", "clip"))


class ConsensusWatch(BandWatch):
    """A :class:`ConsensusBand` at work."""

    is_free_inside = True

    def __init__(self, band: ConsensusBand, pace: Fraction) -> None:
        self.resting = band.resting
        self._at_entry = band.at_entry
        self._stale = band.stale
        self._hundredths = read_percent(band.percent, "percent")
        self._lasts: Fraction | None = None
        if band.stale_after is not None:
            self._lasts = read_duration(band.stale_after, "stale_after") * pace
        self._ticks: Fraction | None = None
        self._since = 0  # when the reference became final
        self._state = MarketState.OPEN

    def may_enter(self, side: int, ticks: int) -> int | None:
        """Let a price in that is inside; one outside as the policy says."""
        if self.low <= ticks <= self.high or self._at_entry == "ignore":
            return ticks
        if self._at_entry == "reject":
            return None
        return self.clipped(side, ticks)

    def on_reference(self, ticks: Fraction, since: int, time: int) -> Decision | None:
        """Lay the band around a new reference, as is right for its age."""
        self._ticks, self._since = ticks, since
        self.wake(time)
        return self.decide(time, None, None)

    def entered(self, state: MarketState, time: int) -> None:
        """Remember the state."""
        self._state = state

    def wake(self, time: int) -> None:
        """Set the alarm to the next full multiple of the age at which anything changes."""
        times = self._times(time)
        may_widen = (times + 1) * self._hundredths < _WIDEST
        changes = not times if self._stale == "halt" else may_widen
        self.alarm = NEVER
        if self._lasts is not None and changes:
            self.alarm = self._since + math.ceil((times + 1) * self._lasts)

    def decide(self, time: int, best_bid: int | None, best_ask: int | None) -> Decision | None:
        """Do what is right for the age: widen, pause, or open again."""
        if self._ticks is None:
            return None
        times = self._times(time)
        widths = 1 + times if self._stale == "widen" else 1
        state = None
        if self._stale == "halt" and times:
            state = MarketState.PAUSED
        elif self._state is MarketState.PAUSED:
            state = MarketState.OPEN
        limits = limits_around(self._ticks, min(widths * self._hundredths, _WIDEST))
        return Decision(limits, self._ticks, state)

    def _times(self, time: int) -> int:
        """How many times the age is full that counts."""
        return 0 if self._lasts is None else math.floor((time - self._since) / self._lasts)
