"""Paths that move together: one common Gaussian factor behind the paths of several shares.

Within the day they share one clock, too: much happens to all of them at once, so that they
correlate as asked at every step. What a path draws from depends on the seed and its symbol, the
common factor on the seed alone. So the path of a share is the same whatever other shares there are.
"""

import math
import random
from typing import Final

from streamlet_lab.streams import StreamFamily, stream
from streamlet_lab.units import to_number

#: With this correlation of the Gaussians, daily returns of the default model correlate as real ones
#: do: those of AAPL, MSFT and IBM from 2003-01-02 to 2013-03-01 by 0.43, 0.46 and 0.58, on average
#: by 0.49. Measured, since a volatility of its own for each share takes away some of what
#: `realised_correlation` leaves.
TYPICAL_CORRELATION: Final = 0.57


class CommonFactor:
    """What all shares have in common: a standard Gaussian for each day, and more within the days.

    It belongs to its place in time: it does not matter what is asked for, nor how many Gaussians a
    share's own model draws in between.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        self._days = StreamFamily(seed, "prices/market/days")
        self._stretches = StreamFamily(seed, "prices/market/stretches")

    def day(self, index: int) -> float:
        """Return the Gaussian of a trading day, counted from 0."""
        return self._days.of(index).gauss(0.0, 1.0)

    def stretch(self, start: int, width: int) -> random.Random:
        """Return the stream of the stretch that begins here and has cuts so far apart."""
        return self._stretches.of(start, width)


class FactorStream(random.Random):
    """A stream for a path's days, some of whose Gaussians are mixed with those of a common factor.

    Mixed is the first Gaussian after `begin_day`; every other draw is the own stream's. A mixed
    one, loading · common + √(1 − loading²) · own, is a standard Gaussian again, and takes as much
    from the own stream as an unmixed one. Two streams with one common factor have it correlated by
    the product of their loadings.

    Parameters
    ----------
    own : random.Random
        Whose state is taken over as it is now.
    common : CommonFactor
    loading : float
        From 0, where the stream is the own one, to 1.

    Raises
    ------
    InvalidInput
        If the loading is not within its bounds.
    """

    def __init__(self, own: random.Random, common: CommonFactor, loading: float) -> None:
        super().__init__(0)
        self.setstate(own.getstate())
        self._common = common
        self._loading = to_number(loading, 0, 1, "loading")
        self._rest = math.sqrt(1 - loading**2)
        self._to_mix: float | None = None

    def begin_day(self, index: int) -> None:
        """Mix the next Gaussian with the common one of a day."""
        self._to_mix = self._common.day(index)

    def gauss(self, mu: float = 0.0, sigma: float = 1.0) -> float:
        """Draw a Gaussian, mixed if it is the first of a day."""
        return mu + self._mixed(super().gauss(0.0, 1.0)) * sigma

    def normalvariate(self, mu: float = 0.0, sigma: float = 1.0) -> float:
        """Draw a Gaussian as `gauss` does, by another method."""
        return mu + self._mixed(super().normalvariate(0.0, 1.0)) * sigma

    def _mixed(self, own: float) -> float:
        if self._to_mix is None:
            return own
        common, self._to_mix = self._to_mix, None
        return self._loading * common + self._rest * own


class PathStreams:
    """All that the simulated path of a symbol draws from.

    Days have a stream of their own, drawn from in turn; each stretch within a day has another one,
    which is found by its place in time. So days are the same however many stretches are looked at,
    and a stretch is the same whichever others are.

    Parameters
    ----------
    seed : int
    symbol : str
    correlation : float
        Of the Gaussians of any two symbols, from 0 to 1. Above 0 the clock within the day is the
        same for all symbols; everything else is independent.

    Raises
    ------
    InvalidInput
        If the seed is negative, or the correlation not within its bounds.
    """

    def __init__(self, seed: int, symbol: str, correlation: float = 0.0) -> None:
        self._loading = math.sqrt(to_number(correlation, 0, 1, "correlation"))
        self._rest = math.sqrt(1 - self._loading**2)
        self._common = CommonFactor(seed)
        self._days = FactorStream(
            stream(seed, f"prices/{symbol}/days"), self._common, self._loading
        )
        self._stretches = StreamFamily(seed, f"prices/{symbol}/stretches")

    @property
    def days(self) -> random.Random:
        """The stream of the days."""
        return self._days

    def begin_day(self, index: int) -> None:
        """Mix the next Gaussian of the days with the common one of this day, counted from 0."""
        if self._loading:
            self._days.begin_day(index)

    def stretch(self, start: int, width: int, count: int) -> tuple[list[float], random.Random]:
        """Return Gaussians of a stretch, and a stream that its clock goes by.

        Parameters
        ----------
        start : int
            Where it begins, in microseconds of market time.
        width : int
            How far apart its cuts are, microseconds.
        count : int
            How many Gaussians.
        """
        own = self._stretches.of(start, width)
        alone = [own.gauss(0.0, 1.0) for _ in range(count)]
        if not self._loading:
            return alone, own
        common = self._common.stretch(start, width)
        mixed = [self._loading * common.gauss(0.0, 1.0) + self._rest * one for one in alone]
        return mixed, common


def realised_correlation(correlation: float, degrees_of_freedom: float) -> float:
    """Return how far Student-t innovations correlate whose Gaussians are correlated.

    z = g·√((ν − 2)/χ²) has unit variance, and each share has a χ² of its own, independent of
    everything else. So E[z₁z₂] = ρ · (E√((ν − 2)/χ²))², where the expectation is
    √((ν − 2)/2) · Γ((ν − 1)/2) / Γ(ν/2).

    Parameters
    ----------
    correlation : float
        Of the Gaussians.
    degrees_of_freedom : float
        ν, above 2.

    Raises
    ------
    InvalidInput
        If the correlation or ν is not within its bounds.

    Examples
    --------
    >>> round(realised_correlation(0.5, 5.43), 3)
    0.433
    """
    nu = to_number(degrees_of_freedom, 2, math.inf, "degrees_of_freedom", above=True)
    # Takes longer to import than the rest of the room together.
    from scipy.special import beta

    # Γ((ν − 1)/2) / Γ(ν/2), where the two alone, or their logarithms, would lose all digits.
    ratio = float(beta((nu - 1) / 2, 1 / 2)) / math.sqrt(math.pi)
    expectation = min(math.sqrt((nu - 2) / 2) * ratio, 1.0)
    return to_number(correlation, 0, 1, "correlation") * expectation**2
