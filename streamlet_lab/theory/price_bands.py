"""How far liars push an average, and how soon a price leaves a band around its reference."""

import math
from fractions import Fraction
from typing import Final

from streamlet_lab.errors import InvalidInput
from streamlet_lab.theory.domains import TOO_LARGE, Number, to_count, to_exact
from streamlet_lab.units import to_number, to_whole

# Of a series that converges like a theta function.
_TERMS: Final = 5
# Standard deviations from the mean; beyond them lie 2e-19 of a normal variate.
_REACH: Final = 9.0
# Around the edge of the band, in standard deviations of the price: where an average bends.
_BENDS: Final = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
# The logarithm of nearly the largest float.
_LARGEST_LOG: Final = 700.0


def mean_displacement(
    sources: int, liars: int, deviation: Number, epochs: int | None = None
) -> Number:
    """How far lying sources push the simple average of all quotes, as a share of the true price.

    With s = liars/sources, honest quotes at the true price p, and the liars' quotes at the edge of
    the corridor, the price of an epoch follows from the one before, beginning with c = p:

        c' = (1 − s) p + s (1 + d) c.

    After t epochs c/p − 1 is x (1 − (s (1 + d))ᵗ) with the limit x = s d / (1 − s (1 + d)), which
    is returned unless ``epochs`` are given: s d after the first, and 1/19 in the end with one liar
    of three and d = 10 %. While no more than half of the sources lie, honest quotes stay inside the
    corridor for ever; with more they do not, and this recurrence ends. The ``deviation`` d is below
    0 for liars who push down.

    >>> mean_displacement(3, 1, Fraction(1, 10)), mean_displacement(3, 1, Fraction(1, 10), epochs=1)
    (Fraction(1, 19), Fraction(1, 30))
    """
    sources = to_count(sources, "sources", 1)
    liars = to_whole(liars, 0, "liars", sources // 2)
    deviation = to_exact(deviation, "deviation", -1, 1, above=True, below=True)
    share = Fraction(liars, sources)
    first = share * deviation
    closing = 1 - share - first  # 1 − s (1 + d), without the digits that 1 + d would lose
    limit = first / closing
    if epochs is None:
        return limit
    epochs = to_count(epochs, "epochs")
    growth = share + first
    if isinstance(limit, Fraction) or growth < 1 / 2:
        return limit * (1 - growth**epochs)
    return -limit * math.expm1(epochs * math.log1p(-closing))


def outside_band_share(displacement: float, band: float, spread: float) -> float:
    """Return which share of honest limit prices a band around a displaced reference turns away.

    With the reference at c, the true price p and the band b, an honest limit price is normal around
    p with standard deviation σp, and acceptable from (1 − b)c to (1 + b)c. So with the displacement
    c/p − 1 and the spread σ it is

        Φ(((1 − b) c/p − 1) / σ) + 1 − Φ(((1 + b) c/p − 1) / σ).

    >>> round(outside_band_share(1 / 19, 0.05, 0.005), 9)  # the edge lies at the true price
    0.5
    """
    displacement = to_number(displacement, -1, math.inf, "displacement", above=True)
    band = to_number(band, 0, math.inf, "band", above=True)
    spread = to_number(spread, 0, math.inf, "spread")
    low, high = ((1 + sign * band) * (1 + displacement) - 1 for sign in (-1, 1))
    if not spread:
        return float(not low <= 0 <= high)
    return _share(_normal_below(low / spread) + _normal_below(-high / spread))


def denied_share(
    displacement_bp: float, band_percent: float = 5, spread_percent: float = 0.5
) -> float:
    """Return which share of fair limit orders a band around a displaced price stops.

    It is :func:`outside_band_share` of a displacement in basis points; by default for the band and
    the noise traders of a market where nothing else is said.

    >>> round(denied_share(10_000 / 19), 3)  # one liar of three against the mean
    0.5
    """
    displaced = to_number(displacement_bp, -10_000, math.inf, "displacement_bp", above=True)
    band = to_number(band_percent, 0, math.inf, "band_percent", above=True)
    spread = to_number(spread_percent, 0, math.inf, "spread_percent")
    return outside_band_share(displaced / 10_000, band / 100, spread / 100)


def stale_outside_share(age: float, volatility: float, band: float, spread: float = 0.0) -> float:
    """Return which share of honest limit prices a band around an old true price turns away.

    The reference is what the true price was at some time before. Since then its logarithm has
    moved by X, normal with mean 0 and standard deviation v = volatility·√age: a geometric Brownian
    motion whose logarithm has no drift, as the simulated ``"gbm"`` path without a trend and away
    from its bounds. An honest limit price is normal around the true price p with standard deviation
    σp. Without spread the share is exactly

        Φ(ln(1 − b) / v) + Φ(−ln(1 + b) / v),

    with it the mean over a standard normal Z of what this is for the limit price (1 + σZ) p: both
    logarithms less ln(1 + σZ), and 1 where the limit price is below zero. That is computed by
    adaptive quadrature (QUADPACK), in pieces between the places where the limit price leaves the
    band. The error is below 1e−11.

    The age is in the unit of time that the volatility is for: years with an annual one, trading
    days with a daily one. Two days old, at 2.38 % a day, and three weeks old:

    >>> [round(stale_outside_share(days, 0.0238, 0.05), 4) for days in (2, 15)]
    [0.1374, 0.5872]
    """
    moved = _deviation(age, volatility)
    low, high = _log_band(band)
    spread = to_number(spread, 0, math.inf, "spread")
    if not moved:
        return outside_band_share(0.0, band, spread)
    if moved == math.inf:
        return 1.0
    if not spread:
        return _share(_outside(0.0, low, high, moved))
    return _mean_outside(spread, low, high, moved)


def first_passage_share(age: float, volatility: float, band: float) -> float:
    """Return how likely a price has left a band around its start by a certain age.

    The price is that of `stale_outside_share`, and the band is open from 1 − b to 1 + b times the
    start: it matters whether the price was ever outside, not whether it is now. In logarithms this
    is the exit of a Brownian motion from between two barriers, a = −ln(1 − b) below and
    c = ln(1 + b) above. With w = a + c and v = volatility·√age, the reflection principle gives

        Σ (−1)^m [erfc((a + m w) / (v√2)) + erfc((c + m w) / (v√2))],  m = 0, 1, 2, …

    and the eigenfunctions of the interval give, for k = 1, 3, 5, …,

        1 − Σ 4/(k π) sin(k π a / w) exp(−k² π² v² / (2 w²)).

    Both are exact at any age (Feller, *An Introduction to Probability Theory and Its Applications*,
    vol. II, section X.5; Darling and Siegert 1953). The first converges fast while v is small, the
    second afterwards; each is taken where five terms leave an error below 1e−15.

    >>> round(first_passage_share(1, 0.0238, 0.05), 4)
    0.0715
    """
    moved = _deviation(age, volatility)
    low, high = _log_band(band)
    width = high - low
    if not moved:
        return 0.0
    if moved < width / math.sqrt(math.pi):
        scale = moved * math.sqrt(2)
        left = math.fsum(
            (-1) ** m * math.erfc((barrier + m * width) / scale)
            for m in range(_TERMS)
            for barrier in (-low, high)
        )
        return _share(left)
    in_widths = math.pi * moved / width
    rate = in_widths * in_widths / 2  # a power would raise where this is infinite
    still_inside = math.fsum(
        4 / (k * math.pi) * math.sin(k * math.pi * -low / width) * math.exp(-k * k * rate)
        for k in range(1, 2 * _TERMS, 2)
    )
    return _share(1 - still_inside)


def mean_first_passage(volatility: float, band: float) -> float:
    """Return after how long a price leaves a band around its start, on average.

    For the price of `first_passage_share`, −ln(1 − b) ln(1 + b) / volatility²: the Brownian motion
    and its square less the time are martingales (Feller, as there). It is in the unit of time that
    the volatility is for, and infinite without volatility.

    >>> round(mean_first_passage(0.0238, 0.05), 2)
    4.42
    """
    deviation = _deviation(1.0, volatility)
    low, high = _log_band(band)
    if not deviation:
        return math.inf
    mean = (-low / deviation) * (high / deviation)
    if mean == math.inf:
        raise InvalidInput("volatility", volatility, f"0, or {TOO_LARGE}")
    return mean


def _outside(log_limit: float, low: float, high: float, moved: float) -> float:
    """Chance that a limit price is outside a band whose logarithm has moved since."""
    return _normal_below((low - log_limit) / moved) + _normal_below((log_limit - high) / moved)


def _mean_outside(spread: float, low: float, high: float, moved: float) -> float:
    # Takes longer to import than the rest of the package.
    from scipy.integrate import quad

    def outside_by_limit(z: float) -> float:
        share = _outside(math.log1p(spread * z), low, high, moved) if spread * z > -1 else 1.0
        return math.exp(-z * z / 2) * share

    start = max(-_REACH, -1 / spread)
    highest = min(math.log1p(spread * _REACH), _LARGEST_LOG)
    moves = [sign * moved * bend for sign in (-1, 1) for bend in _BENDS]
    logs = (edge + move for edge in (low, high) for move in moves)
    bends = [0.0, *(math.expm1(log_limit) / spread for log_limit in logs if log_limit < highest)]
    integral, *_ = quad(
        outside_by_limit,
        start,
        _REACH,
        points=[bend for bend in bends if start < bend < _REACH],
        limit=1_000,
        epsabs=1e-13,
        epsrel=1e-12,
        full_output=1,
    )
    return _share(integral / math.sqrt(2 * math.pi) + _normal_below(start))


def _deviation(age: float, volatility: float) -> float:
    """Return the standard deviation of the logarithm of the price after a time."""
    age = to_number(age, 0, math.inf, "age")
    return to_number(volatility, 0, math.inf, "volatility") * math.sqrt(age)


def _log_band(band: float) -> tuple[float, float]:
    band = to_number(band, 0, 1, "band", above=True, below=True)
    return math.log1p(-band), math.log1p(band)


def _normal_below(z: float) -> float:
    """Φ, with its full relative precision far below the mean too."""
    return math.erfc(-z / math.sqrt(2)) / 2


def _share(computed: float) -> float:
    """Take off what rounding added to a share."""
    return min(max(computed, 0.0), 1.0)
