"""Limit up, limit down: the bands of the US market around its own trades."""

from collections import deque
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Final

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
from streamlet_lab.values import Whole, check_ranges

_MATCHING: Final = (MarketState.OPEN, MarketState.LIMIT)


@band("luld")
@dataclass(frozen=True, slots=True)
class LuldBand:
    """Bands around the mean of the last five minutes' trades, and a pause where they hold.

    The rules are those of the Plan to Address Extraordinary Market Volatility (Regulation NMS, in
    force since 2013), for one market that is its own primary listing exchange:

    - Bands (section V(A)(1)): no trade is farther than ``percent`` from the reference price, and
      no bid is above the upper band, no ask below the lower one: such orders are moved to the
      edge. Edges are rounded inwards to the tick. Other orders outside wait.
    - Reference price (V(A)(1), (2)): the arithmetic mean of the trades of the last ``window``,
      not weighted with their quantities. Trades of fewer shares than a ``round_lot`` do not
      count: odd lots do not update LULD references (Nasdaq Equity Technical Update 2013-33). It
      replaces the one in force once it is at least ``publish_percent`` away from it, and that one
      has been in force for ``hold``. Without trades in the window the one in force stays. The
      first is the first consensus price, which stands for the opening price (V(B)).
    - Limit state (VI(B)): begins when the best bid is at the upper band, or the best ask at the
      lower one. Trading goes on, no new reference is published. It ends when that quote is gone.
    - Pause (VI(B)(4), VII(A)): after ``limit`` in a limit state the market pauses for ``pause``,
      during which orders at any price are collected for the reopening auction.
    - Collars: the auction may clear up to twice ``percent`` away from the reference. Where its
      price would be farther away, the pause is extended by its own length, and the collars widen
      by ``percent``, as often as it takes. Listing exchanges do so in steps of 5 % and 5 minutes
      (NYSE American Rule 7.35E, 82 FR 50898), from the edge that held, and on that side only; here
      both sides widen. Two small orders that cross far away extend the pause again and again; as
      on an exchange, an operator may end it (``engine.resume``).
    - Reopening (V(C)): the price of at least a round lot that trades in the auction is the next
      reference. Where less trades, or nothing, the one in force stays. The Plan then takes the
      middle of the quotes (I, "Reopening Price"), which an order far away that never trades moves
      anywhere; at the opening it gave the middle up itself (Amendment 10, 2016). The price of this:
      a market that has moved and does not trade a round lot in the reopening pauses again. The
      reference is in force for ``hold``, and the mean begins anew with the trades after the
      reopening.

    Left out: wider bands in the last 25 minutes, those of other tiers and cheap stocks, the
    straddle state. Odd lots count as quotes. A limit state that one order takes from one band to
    the other goes on. An operator who ends a pause takes any price.

    Parameters
    ----------
    percent, publish_percent : Decimal or int
        How far the bands are from the reference, 5 for the S&P 500 and Russell 1000, and its least
        change: above 0 and at most 100, with at most two decimal places.
    window, hold, limit, pause : float or str
        What the mean is taken over; how long a reference stays in force at least, how long a limit
        state may last, and how long a pause and each extension of it do. In market time, as seconds
        or as texts such as ``"5min"``.
    round_lot : int
        The fewest shares of a trade that counts: 100 for a stock of up to $250, such as AAPL.
    """

    percent: Decimal | float | str = 5
    window: float | str = "5min"
    publish_percent: Decimal | float | str = 1
    hold: float | str = "30s"
    limit: float | str = "15s"
    pause: float | str = "5min"
    round_lot: Annotated[int, Whole(1)] = 100

    def __post_init__(self) -> None:
        check_ranges(self)
        self.watch()  # reads every parameter

    def watch(self, pace: Fraction = Fraction(1)) -> "LuldWatch":
        """Begin to watch one engine; before its first reference everything passes."""
        return LuldWatch(self, pace)


class LuldWatch(CallWatch):
    """A :class:`LuldBand` at work."""

    is_free_inside = True
    resting = "clip"

    def __init__(self, band: LuldBand, pace: Fraction) -> None:
        super().__init__(read_duration(band.pause, "pause", pace))
        self._hundredths = read_percent(band.percent, "percent")
        self._least_change = read_percent(band.publish_percent, "publish_percent")
        self._window = read_duration(band.window, "window", pace)
        self._hold = read_duration(band.hold, "hold", pace)
        self._limit = read_duration(band.limit, "limit", pace)
        self._round_lot = band.round_lot
        self._reference: Fraction | None = None
        self._held_until = 0
        self._trades: deque[tuple[int, int]] = deque()  # instant and price, of the window
        self._sum = 0  # of their prices
        self._reopening_price: int | None = None  # until it is in force
        self._reopening_quantity = 0

    def may_enter(self, side: int, ticks: int) -> int:
        """Move an aggressive price to the edge; in a call phase let any price in."""
        return ticks if self._state is MarketState.AUCTION else self.clipped(side, ticks)

    def traded(self, ticks: int, quantity: int, time: int) -> None:
        """Add a round lot to the window; those of an auction make the reopening price instead."""
        if self._state is MarketState.AUCTION:
            self._reopening_quantity += quantity
            if self._reopening_quantity >= self._round_lot:
                self._reopening_price = ticks
            return
        if quantity < self._round_lot:
            return
        self._trades.append((time, ticks))
        self._sum += ticks
        self.wake(time)

    def moved(self, limits: Range, reference: Fraction | None, time: int) -> None:
        """Hold a new reference from now on."""
        self.low, self.high = limits
        self._reference = reference
        self._held_until = time + self._hold
        self._reopening_price = None
        self.wake(time)

    def entered(self, state: MarketState, time: int) -> None:
        """Start the timer of the state; begin anew with the trades after an auction."""
        if state is MarketState.AUCTION:
            self._trades.clear()
            self._sum = 0
            self._reopening_price = None
            self._reopening_quantity = 0
        elif self._state is MarketState.AUCTION:
            self._held_until = time + self._hold
        super().entered(state, time)

    def wake(self, time: int) -> None:
        """Forget what has left the window; wake when the next trade leaves it or a time is over."""
        trades = self._trades
        while trades and trades[0][0] + self._window <= time:
            self._sum -= trades.popleft()[1]
        instants = [self._held_until]
        if trades:
            instants.append(trades[0][0] + self._window)
        if self._state is MarketState.LIMIT:
            instants.append(self._since + self._limit)
        elif self._state is MarketState.AUCTION:
            instants.append(self._end_of_call(time))
        self.alarm = min((instant for instant in instants if instant > time), default=NEVER)

    def may_clear(self, ticks: int, time: int) -> bool:
        """Let an auction end inside the collars, which widen with each pause that is over."""
        if self._reference is None:
            return True
        widths = 1 + self._calls(time)
        low, high = limits_around(self._reference, widths * self._hundredths)
        return low <= ticks <= high

    def on_reference(self, ticks: Fraction, since: int, time: int) -> Decision | None:
        """Begin with the first consensus; later ones do not matter."""
        if self._reference is not None:
            return None
        return Decision(limits_around(ticks, self._hundredths), ticks)

    def decide(self, time: int, best_bid: int | None, best_ask: int | None) -> Decision | None:
        """Bring the band up to date; then hold the best quotes against it."""
        state, elapsed = self._state, time - self._since
        if state is MarketState.AUCTION:
            return self._end_call(time)
        if self._reopening_price is not None:
            return self._move(Fraction(self._reopening_price), "auction")
        decision = self._publish(time)
        if decision is not None or state not in _MATCHING:
            return decision
        # Bids above and asks below the band have been moved to its edge, and cannot be beyond.
        is_at_edge = best_bid == self.high or best_ask == self.low
        if state is MarketState.LIMIT and is_at_edge and elapsed >= self._limit:
            return Decision(state=MarketState.AUCTION)
        wanted = MarketState.LIMIT if is_at_edge else MarketState.OPEN
        return None if wanted is state else Decision(state=wanted)

    def _publish(self, time: int) -> Decision | None:
        """Return the mean of the window, if it is the next reference."""
        reference, trades = self._reference, self._trades
        if self._state is not MarketState.OPEN or time < self._held_until:
            return None
        if reference is None or not trades:
            return None
        # Both times the number of trades: in integers, because it is asked after each command.
        mean, present = self._sum * reference.denominator, len(trades) * reference.numerator
        if abs(mean - present) * 10_000 < self._least_change * present:
            return None
        decision = self._move(Fraction(self._sum, len(trades)), "trades")
        return None if decision.reference == reference else decision

    def _move(self, ticks: Fraction, kind: str) -> Decision:
        reference = Fraction(round(ticks))  # so it stands in the log
        return Decision(limits_around(reference, self._hundredths), reference, kind=kind)
