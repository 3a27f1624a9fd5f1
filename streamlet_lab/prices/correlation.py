"""Paths that move together: one common Gaussian factor behind the paths of several shares.

A path's own stream depends on the seed and its symbol, the common factor on the seed alone. So the
path of a share is the same whatever other shares there are.
"""

import math
import random
from array import array
from typing import Final

from streamlet_lab.streams import stream
from streamlet_lab.units import to_number

#: With this correlation of the Gaussians, daily returns of the default model correlate as real ones
#: do: those of AAPL, MSFT and IBM from 2003-01-02 to 2013-03-01 by 0.43, 0.46 and 0.58, on average
#: by 0.49. Measured, since a volatility of its own for each share takes away some of what
#: `realised_correlation` leaves.
TYPICAL_CORRELATION: Final = 0.57


class CommonFactor:
    """What all shares have in common: a standard Gaussian for each day and each step of the grid.

    They are counted, not drawn in turn: it does not matter how many Gaussians a share's own model
    draws in between.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        self._day_stream = stream(seed, "prices/market/days")
        self._step_stream = stream(seed, "prices/market/steps")
        self._days, self._steps = array("d"), array("d")

    def day(self, index: int) -> float:
        """Return the Gaussian of a trading day, counted from 0."""
        return _draw_up_to(index, self._days, self._day_stream)

    def step(self, index: int) -> float:
        """Return the Gaussian of a step of the paths' grid."""
        return _draw_up_to(index, self._steps, self._step_stream)


class FactorStream(random.Random):
    """A path's own stream, some of whose Gaussians are mixed with those of a common factor.

    Mixed are the first Gaussian after `begin_day` and the first one after `begin_step`; every
    other draw is the own stream's. A mixed one, loading · common + √(1 − loading²) · own, is a
    standard Gaussian again, and takes as much from the own stream as an unmixed one. Two streams
    with one common factor have it correlated by the product of their loadings.

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

    def begin_step(self, index: int) -> None:
        """Mix the next Gaussian with the common one of a step of the grid."""
        self._to_mix = self._common.step(index)

    def gauss(self, mu: float = 0.0, sigma: float = 1.0) -> float:
        """Draw a Gaussian, mixed if it is the first of a day or of a step."""
        return mu + self._mixed(super().gauss(0.0, 1.0)) * sigma

    def normalvariate(self, mu: float = 0.0, sigma: float = 1.0) -> float:
        """Draw a Gaussian as `gauss` does, by another method."""
        return mu + self._mixed(super().normalvariate(0.0, 1.0)) * sigma

    def _mixed(self, own: float) -> float:
        if self._to_mix is None:
            return own
        common, self._to_mix = self._to_mix, None
        return self._loading * common + self._rest * own


def path_stream(seed: int, symbol: str, correlation: float = 0.0) -> random.Random:
    """Return the stream of a symbol's path.

    Parameters
    ----------
    seed : int
    symbol : str
    correlation : float
        Of the Gaussians of any two symbols, from 0 to 1.

    Raises
    ------
    InvalidInput
        If the correlation is not within its bounds.
    """
    own = stream(seed, f"prices/{symbol}/path")
    if to_number(correlation, 0, 1, "correlation") == 0:
        return own
    return FactorStream(own, CommonFactor(seed), math.sqrt(correlation))


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


def _draw_up_to(index: int, drawn: "array[float]", source: random.Random) -> float:
    while len(drawn) <= index:
        drawn.append(source.gauss(0.0, 1.0))
    return drawn[index]
