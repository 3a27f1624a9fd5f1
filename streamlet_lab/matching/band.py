"""The band around the reference price outside of which nothing trades."""

import math
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Final, Protocol

from streamlet_lab.errors import InvalidInput
from streamlet_lab.units import is_within, to_hundredths

#: Later than any instant of a run.
NEVER: Final = 1 << 62

#: The lowest and the highest price, in ticks, at which orders may rest.
Range = tuple[int, int]


class BandWatch(Protocol):
    """A band at work in one engine: what the engine asks, and tells, with prices in ticks.

    Attributes
    ----------
    alarm : int
        The next instant at which the engine must call :meth:`move_clock`, in microseconds;
        ``NEVER`` where the band does not look at the clock.
    """

    alarm: int

    def may_enter(self, side: int, ticks: int) -> bool:
        """Whether a limit price is let in; ``side`` is 1 for a buy, -1 for a sell."""
        ...

    def may_trade(self, ticks: int) -> bool:
        """Whether the next execution may happen at this price; asked just before it."""
        ...

    def move_reference(self, ticks: Fraction, time: int) -> Range | None:
        """Take in a new reference; return where orders may rest, None to leave them alone."""
        ...

    def move_clock(self, time: int) -> Range | None:
        """Act on an alarm and set the next one, which must be later; return as above."""
        ...


class Band(Protocol):
    """A rule about prices, as a value: the same one serves many engines."""

    def watch(self) -> BandWatch:
        """Begin to watch one engine that has no reference yet."""
        ...


@dataclass(frozen=True, slots=True)
class ConsensusBand:
    """The description's rule: a trade may deviate from the consensus by 5 % and no more.

    It is asked at entry and at each execution; where the reference moves, resting orders that
    are now outside are cancelled. The edge itself passes. Comparisons are made in integers.

    Parameters
    ----------
    percent : Decimal or int
        The largest deviation, in percent of the reference, with at most two decimal places.

    Raises
    ------
    InvalidInput
        If the percentage is not above 0 and at most 100, or is finer than a hundredth.
    """

    percent: Decimal | int = 5
    hundredths: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        hundredths = to_hundredths(self.percent, "percent")
        if not 0 < hundredths <= 10_000:
            raise InvalidInput("percent", self.percent, "more than 0 and at most 100")
        object.__setattr__(self, "hundredths", hundredths)

    def allows(self, price_ticks: int, reference_ticks: int) -> bool:
        """Whether a price lies inside the band around a reference, both in ticks."""
        return is_within(price_ticks, reference_ticks, self.hundredths)

    def limits(self, reference_ticks: int | Fraction) -> Range:
        """Return the lowest and the highest price that the band allows, in ticks.

        The same rule as :meth:`allows`, solved for the price. The reference need not lie on the
        grid; the limits do.
        """
        reach = Fraction(self.hundredths, 10_000) * reference_ticks
        return math.ceil(reference_ticks - reach), math.floor(reference_ticks + reach)

    def watch(self) -> "ConsensusWatch":
        """Begin to watch one engine; before its first reference everything passes."""
        return ConsensusWatch(self)


class ConsensusWatch:
    """A :class:`ConsensusBand` at work: one range for entry, trade and rest."""

    __slots__ = ("_band", "_high", "_low", "alarm")

    def __init__(self, band: ConsensusBand) -> None:
        self._band = band
        self._low, self._high = 0, NEVER
        self.alarm = NEVER

    def may_enter(self, side: int, ticks: int) -> bool:
        """Whether the price is inside the band."""
        return self._low <= ticks <= self._high

    def may_trade(self, ticks: int) -> bool:
        """Whether the price is inside the band."""
        return self._low <= ticks <= self._high

    def move_reference(self, ticks: Fraction, time: int) -> Range | None:
        """Lay the band around a new reference."""
        self._low, self._high = self._band.limits(ticks)
        return self._low, self._high

    def move_clock(self, time: int) -> Range | None:
        """Leave everything as it is: this band does not look at the clock."""
        return None
