"""Dynamic and static price ranges whose breach begins a volatility auction."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from streamlet_lab.matching.events import MarketState
from streamlet_lab.matching.watch import (
    NEVER,
    CallWatch,
    Decision,
    Range,
    band,
    limits_around,
    read_duration,
    read_percent,
)
from streamlet_lab.values import check_ranges


@band("volatility_auction")
@dataclass(frozen=True, slots=True)
class VolatilityAuctionBand:
    """An execution too far from the last trade or the last auction waits for an auction.

    The rules are those of Deutsche Börse's T7 market model for Xetra, volatility interruptions in
    continuous trading:

    - Orders enter at any price. Before each execution its price is held against two ranges: the
      dynamic one around the last trade, and the wider static one around the price of the last
      auction. At first both are around the first consensus price, which stands for the opening
      auction; later ones do not matter.
    - An order trades up to the edge. Where its next price is outside of a range, a call phase
      begins, which the rest of the order joins if it can wait.
    - The ranges stay where they are while one order is matched, and follow its last trade after.
    - After ``call`` the auction finds a price; both ranges are then around it. Without a price
      they stay.
    - A price of the auction that is more than ``percent`` away from the last trade extends the call
      phase by its own length. The corridor in which it may clear is ``percent`` wider after each,
      as in Xetra's model of automated corridor expansion (Xetra circular 044/24, whose class 5 has
      ranges of 3 and 6 %, and corridors of 5, 10 and 15 %; here they go on widening). Two small
      orders that cross far away extend it again and again, until an operator ends it.

    Left out: the random end of the call phase. An operator who ends it takes any price, as on
    Xetra. One share is a round lot there, so that each trade counts.

    Parameters
    ----------
    percent, dynamic_percent : Decimal or int
        How far the static range reaches around the last auction's price, and the dynamic one around
        the last trade's: above 0 and at most 100, with at most two decimal places.
    call : float or str
        How long a call phase lasts in market time, and each extension of it, as seconds or as a
        text such as ``"2min"``.
    """

    percent: Decimal | float | str = 5
    dynamic_percent: Decimal | float | str = Decimal("2.5")
    call: float | str = "2min"

    def __post_init__(self) -> None:
        check_ranges(self)
        self.watch()  # reads every parameter

    def watch(self, pace: Fraction = Fraction(1)) -> "VolatilityAuctionWatch":
        """Begin to watch one engine; before its first reference everything passes."""
        return VolatilityAuctionWatch(self, pace)


class VolatilityAuctionWatch(CallWatch):
    """A :class:`VolatilityAuctionBand` at work."""

    is_free_inside = True
    on_breach = "auction"
    resting = "keep"

    def __init__(self, band: VolatilityAuctionBand, pace: Fraction) -> None:
        super().__init__(read_duration(band.call, "call", pace))
        self._static = read_percent(band.percent, "percent")
        self._dynamic = read_percent(band.dynamic_percent, "dynamic_percent")
        self._auction_price: Fraction | None = None
        self._last_price: Fraction | None = None
        self._kind = "consensus"  # where the last price comes from
        self._told: Fraction | None = None  # the last price that stands in the log

    def may_enter(self, side: int, ticks: int) -> int:
        """Let any price in."""
        return ticks

    def traded(self, ticks: int, quantity: int, time: int) -> None:
        """Remember the price, for the dynamic range; that of an auction for both."""
        if self._auction_price is None:
            return  # without an opening there are no ranges yet
        self._last_price = Fraction(ticks)
        self._kind = "trades"
        if self._state is MarketState.AUCTION:
            self._auction_price = self._last_price
            self._kind = "auction"

    def moved(self, limits: Range, reference: Fraction | None, time: int) -> None:
        """Remember what is known of the ranges."""
        self.low, self.high = limits
        self._told = reference

    def wake(self, time: int) -> None:
        """Wake when the call phase, or its present extension, is over."""
        self.alarm = self._end_of_call(time) if self._state is MarketState.AUCTION else NEVER

    def may_clear(self, ticks: int, time: int) -> bool:
        """Let an auction end inside the corridor, which widens with each call that is over."""
        if self._last_price is None:
            return True
        low, high = limits_around(self._last_price, self._calls(time) * self._static)
        return low <= ticks <= high

    def on_reference(self, ticks: Fraction, since: int, time: int) -> Decision | None:
        """Begin with the first consensus."""
        if self._auction_price is None:
            self._auction_price = self._last_price = ticks
        return None

    def decide(self, time: int, best_bid: int | None, best_ask: int | None) -> Decision | None:
        """End a call phase that is over; let the ranges follow the prices."""
        if self._state is MarketState.AUCTION:
            return self._end_call(time)
        if self._auction_price is None or self._last_price is None:
            return None
        static = limits_around(self._auction_price, self._static)
        dynamic = limits_around(self._last_price, self._dynamic)
        limits = max(static[0], dynamic[0]), min(static[1], dynamic[1])
        if (*limits, self._last_price) == (self.low, self.high, self._told):
            return None
        return Decision(limits, self._last_price, kind=self._kind)
