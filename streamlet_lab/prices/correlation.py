"""Paths that move together: one common Gaussian factor behind the paths of several shares.

Within the day they share one clock, too: much happens to all of them at once, so that they
correlate as asked at every step. What a path draws from depends on the seed and its symbol, the
common factor on the seed alone. So the path of a share is the same whatever other shares there are.
"""

import math
import random
from typing import Final

from streamlet_lab.streams import StreamFamily, stream
from streamlet_lab.units import to_number, to_text

#: With this correlation of the Gaussians, daily returns of the default model correlate as real ones
#: do: those of AAPL, MSFT and IBM from 2003-01-02 to 2013-03-01 by 0.43, 0.46 and 0.58, on average
#: by 0.49. Measured: fat tails and a volatility of its own for each share take away some of it.
TYPICAL_CORRELATION: Final = 0.57


class PathStreams:
    """All that the simulated path of a symbol draws from; a value.

    Days have a stream of their own, drawn from in turn; each stretch within a day has another one,
    which is found by its place in time. So days are the same however many stretches are looked at,
    and a stretch is the same whichever others are. What symbols have in common belongs to its place
    in time, too.

    Parameters
    ----------
    correlation : float
        Of the Gaussians of any two symbols, from 0 to 1. Above 0 the clock within the day is the
        same for all symbols; everything else is independent.
    """

    def __init__(self, seed: int, symbol: str, correlation: float = 0.0) -> None:
        # Two mixtures with a common Gaussian are correlated by the product of their loadings.
        to_text(symbol, "symbol", 1)
        self._loading = math.sqrt(to_number(correlation, 0, 1, "correlation"))
        self._rest = math.sqrt(1 - self._loading**2)
        self._seed, self._symbol = seed, symbol
        self._common_stretches = StreamFamily(seed, "prices/market/stretches")
        self._stretches = StreamFamily(seed, f"prices/{symbol}/stretches")

    def days(self) -> "DayStream":
        """Return the stream of the days, from its beginning."""
        own = stream(self._seed, f"prices/{self._symbol}/days")
        common = StreamFamily(self._seed, "prices/market/days")
        return DayStream(own, common, self._loading, self._rest)

    def stretch(self, start: int, width: int, count: int) -> tuple[list[float], random.Random]:
        """Return so many Gaussians of a stretch, and a stream that its clock goes by.

        It begins at the market time ``start``, and its cuts are ``width`` apart, in microseconds.
        """
        own = self._stretches.of(start, width)
        alone = [own.gauss(0.0, 1.0) for _ in range(count)]
        if not self._loading:
            return alone, own
        common = self._common_stretches.of(start, width)
        mixed = [self._loading * common.gauss(0.0, 1.0) + self._rest * one for one in alone]
        return mixed, common


class DayStream(random.Random):
    """A stream whose first Gaussian of a day is mixed with a common one; all else is its own.

    A mixed one, loading · common + √(1 − loading²) · own, is a standard Gaussian again, and takes
    as much from the own stream as an unmixed one.
    """

    def __init__(
        self, own: random.Random, common: StreamFamily, loading: float, rest: float
    ) -> None:
        super().__init__(0)
        self.setstate(own.getstate())
        self._common = common
        self._loading = loading
        self._rest = rest
        self._to_mix: float | None = None

    def begin_day(self, index: int) -> None:
        """Mix the next Gaussian with the common one of this day, counted from 0."""
        if self._loading:
            self._to_mix = self._common.of(index).gauss(0.0, 1.0)

    def gauss(self, mu: float = 0.0, sigma: float = 1.0) -> float:
        return mu + self._mixed(super().gauss(0.0, 1.0)) * sigma

    def normalvariate(self, mu: float = 0.0, sigma: float = 1.0) -> float:
        return mu + self._mixed(super().normalvariate(0.0, 1.0)) * sigma

    def _mixed(self, own: float) -> float:
        if self._to_mix is None:
            return own
        common, self._to_mix = self._to_mix, None
        return self._loading * common + self._rest * own
