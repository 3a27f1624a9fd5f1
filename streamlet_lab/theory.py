"""Closed forms, to be drawn beside what the simulator measures.

Each function states where its formula comes from. Nothing here looks at a simulation.
"""

import math
from collections.abc import Callable, Collection
from fractions import Fraction
from statistics import NormalDist
from typing import Final, Literal, TypeVar

from streamlet_lab.errors import InvalidInput

#: A probability, or what is computed from one; fractions give exact answers.
Number = TypeVar("Number", float, Fraction)

# Trapezoidal rule for an average over a standard normal variate.
_STEP: Final = 0.25
_REACH: Final = 36
_NORMAL: Final = NormalDist()
# Of a series that converges like a theta function.
_TERMS: Final = 5

#: What the paper assumes: Byzantine nodes and partial synchrony (section 3), crashes and partial
#: synchrony (appendix A), or Byzantine nodes and a network that is always in time (section 4).
FaultModel = Literal["byzantine", "crash", "synchronous"]


def max_faulty(nodes: int, model: FaultModel = "byzantine") -> int:
    """Largest number of faulty nodes that *n* nodes tolerate.

    The largest f with 3f < n for Byzantine nodes in partial synchrony (section 3), with 2f < n in
    the two other models (section 4, appendix A).
    """
    return (nodes - 1) // (3 if model == "byzantine" else 2)


def quorum(nodes: int, model: FaultModel = "byzantine") -> int:
    """Votes that notarize a block.

    At least 2n/3 for Byzantine nodes in partial synchrony (section 3), more than n/2 for crashes
    (appendix A), at least n/2 in the synchronous model (section 4).
    """
    match model:
        case "byzantine":
            return -(-2 * nodes // 3)
        case "crash":
            return nodes // 2 + 1
        case "synchronous":
            return -(-nodes // 2)


def messages_per_epoch(nodes: int, *, echo: bool = True) -> int:
    """Messages sent in an epoch in which every node is honest.

    One proposal and n votes leave their author for n − 1 others; with echoing each of the n − 1
    receivers sends each of the n + 1 messages on to n − 1 others (section 3, "echo").
    """
    copies = (nodes + 1) * (nodes - 1)
    return copies * nodes if echo else copies


def wait_for_run(length: int, p: Number) -> Number:
    """Mean number of trials until ``length`` successes in a row, each with probability ``p``.

    The classic Σ p^−i, i = 1 … length: whoever has k − 1 in a row tries once more and, failing,
    begins again, so that E_k = E_(k−1) + 1 + (1 − p) E_k.

    Raises
    ------
    InvalidInput
        If ``p`` is not above 0 and at most 1.
    """
    _check_probability(p)
    return sum((p**-i for i in range(1, length + 1)), start=0 * p)


def chance_of_run(length: int, trials: int, p: Number) -> Number:
    """Probability of ``length`` successes in a row somewhere among ``trials`` trials.

    De Moivre's recurrence (*The Doctrine of Chances*, 1738): the first run ends with trial t if no
    run ended before trial t − length, that trial failed, and all since then succeeded. With
    p = 1 − f/n it is how likely hashed leaders are to meet the premise of Lemma 5 (length 3) or
    Theorem 6 (length 5) within so many epochs.

    Raises
    ------
    InvalidInput
        If ``p`` is not above 0 and at most 1.

    Examples
    --------
    >>> chance_of_run(3, 4, Fraction(1, 2))
    Fraction(3, 16)
    """
    _check_probability(p)
    so_far = [0 * p] * length + [p**length]
    for trial in range(length + 1, trials + 1):
        ends_now = (1 - so_far[trial - length - 1]) * (1 - p) * p**length
        so_far.append(so_far[-1] + ends_now)
    return so_far[trials]


def finality_lag(p: Number) -> Number:
    """Mean number of epochs from a block's own epoch to the epoch that finalizes it.

    Leaders are live with probability ``p``, each independently, as hashed leaders are with
    p = 1 − f/n when f nodes are silent; no forks, messages in time. A block is final with the first
    three live leaders in a row whose second is its own leader or a later one. Let A be the wait if
    the leader before was live too, B if not, and E₃ = ``wait_for_run(3, p)`` the wait from scratch:

        L = pA + (1 − p)B,   A = p + (1 − p)(1 + E₃),   B = p(1 + A) + (1 − p)(1 + E₃).

    With (1 − p)E₃ = p⁻³ − 1 this is A = p⁻³, B = (1 + p)A, and so L = (1 + p − p²) / p³: 1 at
    p = 1, 10 at p = 1/2.

    Raises
    ------
    InvalidInput
        If ``p`` is not above 0 and at most 1.

    Examples
    --------
    >>> finality_lag(Fraction(2, 3))
    Fraction(33, 8)
    """
    _check_probability(p)
    return (1 + p - p * p) / p**3


def final_blocks(epochs: int, p: Number) -> Number:
    """Mean number of final blocks after so many epochs, under the premises of `finality_lag`.

    Each epoch brings a block with probability p, and p·L blocks wait for finality at any time
    (Little's law), which leaves p (epochs − L). It holds once the run is long beside the lag.

    Raises
    ------
    InvalidInput
        If ``p`` is not above 0 and at most 1.
    """
    return p * (epochs - finality_lag(p))


def live_runs(nodes: int, silent: Collection[int], length: int = 3) -> Fraction:
    """Share of epochs that complete a run of ``length`` live leaders under round robin.

    Exact, by counting one cycle: a run of three live leaders is what finalizes a block.
    """
    complete = sum(
        all((end - back) % nodes not in silent for back in range(length)) for end in range(nodes)
    )
    return Fraction(complete, nodes)


def round_robin_finality_lag(nodes: int, silent: Collection[int]) -> Fraction | None:
    """Mean number of epochs from a block's own epoch to the epoch that finalizes it.

    Round robin with silent leaders, no forks, messages in time: the block of epoch e is final in
    the first epoch t > e in which t − 2, t − 1 and t all have live leaders and t − 1 ≥ e.

    Returns
    -------
    Fraction or None
        None where no three consecutive leaders are live, so that nothing is ever final.
    """
    if not live_runs(nodes, silent):
        return None
    live = [leader not in silent for leader in range(nodes)]

    def final_in(epoch: int) -> int:
        end = epoch + 1
        while not all(live[(end - back) % nodes] for back in range(3)):
            end += 1
        return end

    proposers = [epoch for epoch in range(nodes) if live[epoch]]
    return Fraction(sum(final_in(epoch) - epoch for epoch in proposers), len(proposers))


def mean_displacement(
    sources: int, liars: int, deviation: Number, epochs: int | None = None
) -> Number:
    """How far lying sources push the simple average of all quotes, as a share of the true price.

    With s = liars/sources, honest quotes at the true price p, and the liars' quotes at the edge of
    the corridor, the price of an epoch follows from the one before, beginning with c = p:

        c' = (1 − s) p + s (1 + d) c.

    After t epochs c/p − 1 is x (1 − (s (1 + d))ᵗ) with the limit x = s d / (1 − s (1 + d)): s d
    after the first, and 1/19 in the end with one liar of three and d = 10 %. While no more than
    half of the sources lie, honest quotes stay inside the corridor for ever; with more they do not,
    and this recurrence ends.

    Parameters
    ----------
    sources, liars : int
    deviation : float or Fraction
        How far a valid quote may be above the price before, as a share of it; below 0 for liars who
        push down.
    epochs : int, optional
        The limit of many epochs unless given.

    Raises
    ------
    InvalidInput
        If more than half of the sources are liars, the deviation is not between −1 and 1, or the
        epochs are fewer than 0.

    Examples
    --------
    >>> mean_displacement(3, 1, Fraction(1, 10)), mean_displacement(3, 1, Fraction(1, 10), epochs=1)
    (Fraction(1, 19), Fraction(1, 30))
    """
    if not 0 <= 2 * liars <= sources or sources < 1:
        raise InvalidInput("liars", liars, f"from 0 to half of the {sources} sources")
    if not -1 < deviation < 1:
        raise InvalidInput("deviation", deviation, "a share between -1 and 1, such as 0.1")
    if epochs is not None and epochs < 0:
        raise InvalidInput("epochs", epochs, "zero or more, or None")
    share = Fraction(liars, sources)
    growth = share * (1 + deviation)
    limit = share * deviation / (1 - growth)
    return limit if epochs is None else limit * (1 - growth**epochs)


def outside_band_share(displacement: float, band: float, spread: float) -> float:
    """Return which share of honest limit prices a band around a displaced reference turns away.

    With the reference at c, the true price p and the band b, an honest limit price is normal around
    p with standard deviation σp, and acceptable from (1 − b)c to (1 + b)c. So it is

        Φ(((1 − b) c/p − 1) / σ) + 1 − Φ(((1 + b) c/p − 1) / σ).

    Parameters
    ----------
    displacement : float
        c/p − 1.
    band, spread : float
        b and σ, as shares.

    Raises
    ------
    InvalidInput
        If the band is not above 0, or the spread is below.

    Examples
    --------
    >>> round(outside_band_share(1 / 19, 0.05, 0.005), 9)  # the edge lies at the true price
    0.5
    """
    if not band > 0:
        raise InvalidInput("band", band, "a share above 0")
    if not spread >= 0:
        raise InvalidInput("spread", spread, "a share, zero or more")
    low, high = ((1 + sign * band) * (1 + displacement) - 1 for sign in (-1, 1))
    if not spread:
        return float(not low <= 0 <= high)
    honest = NormalDist(0, spread)
    return honest.cdf(low) + 1 - honest.cdf(high)


def stale_outside_share(age: float, volatility: float, band: float, spread: float = 0.0) -> float:
    """Return which share of honest limit prices a band around an old true price turns away.

    The reference is what the true price was at some time before. Since then its logarithm has
    moved by X, normal with mean 0 and standard deviation v = volatility·√age: a geometric Brownian
    motion whose logarithm has no drift, as the simulated ``"gbm"`` path without a trend and away
    from its bounds. An honest limit price is normal around the true price p with standard deviation
    σp. Without spread the share is exactly

        Φ(ln(1 − b) / v) + Φ(−ln(1 + b) / v),

    with it the mean of `outside_band_share` at the displacement e^−X − 1. That is computed by the
    trapezoidal rule, over X or over the limit price, whichever is wider, so that what is averaged
    is smooth. The error is below 1e−14 up to a spread of 0.1; at 0.2, where limit prices below zero
    begin to count, below 1e−7.

    Parameters
    ----------
    age : float
        How long ago, in the unit of time that the volatility is for: years with an annual one,
        trading days with a daily one.
    volatility : float
        Standard deviation of the logarithm of the price after one unit of time.
    band, spread : float
        b and σ, as shares.

    Raises
    ------
    InvalidInput
        If age, volatility or spread is below 0, or the band is not between 0 and 1.

    Examples
    --------
    Two days old, at 2.38 % a day, and three weeks old:

    >>> round(stale_outside_share(2, 0.0238, 0.05), 4)
    0.1374
    >>> round(stale_outside_share(15, 0.0238, 0.05), 4)
    0.5872
    """
    moved = _deviation(age, volatility)
    low, high = _log_band(band)
    if not 0 <= spread < math.inf:
        raise InvalidInput("spread", spread, "a share, zero or more")
    if not moved:
        return outside_band_share(0.0, band, spread)
    if spread > moved:
        return _normal_mean(lambda z: outside_band_share(math.exp(-moved * z) - 1, band, spread))

    def outside(z: float) -> float:
        if 1 + spread * z <= 0:
            return 1.0
        limit = math.log(1 + spread * z)
        return _normal_below((low - limit) / moved) + _normal_below((limit - high) / moved)

    return _normal_mean(outside) if spread else outside(0.0)


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

    Parameters
    ----------
    age, volatility, band : float
        As for `stale_outside_share`.

    Raises
    ------
    InvalidInput
        If age or volatility is below 0, or the band is not between 0 and 1.

    Examples
    --------
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
        return math.fsum(
            (-1) ** m * math.erfc((barrier + m * width) / scale)
            for m in range(_TERMS)
            for barrier in (-low, high)
        )
    still_inside = math.fsum(
        4
        / (k * math.pi)
        * math.sin(k * math.pi * -low / width)
        * math.exp(-((k * math.pi * moved / width) ** 2) / 2)
        for k in range(1, 2 * _TERMS, 2)
    )
    return 1 - still_inside


def mean_first_passage(volatility: float, band: float) -> float:
    """Return after how long a price leaves a band around its start, on average.

    For the price of `first_passage_share`, −ln(1 − b) ln(1 + b) / volatility²: the Brownian motion
    and its square less the time are martingales (Feller, as there).

    Parameters
    ----------
    volatility, band : float
        As for `stale_outside_share`.

    Returns
    -------
    float
        In the unit of time that the volatility is for; infinite without volatility.

    Raises
    ------
    InvalidInput
        If the volatility is below 0, or the band is not between 0 and 1.

    Examples
    --------
    >>> round(mean_first_passage(0.0238, 0.05), 2)
    4.42
    """
    variance = _deviation(1.0, volatility) ** 2
    low, high = _log_band(band)
    return -low * high / variance if variance else math.inf


def _deviation(age: float, volatility: float) -> float:
    """Return the standard deviation of the logarithm of the price after a time."""
    for name, value in (("age", age), ("volatility", volatility)):
        if not 0 <= value < math.inf:
            raise InvalidInput(name, value, "a finite number, zero or more")
    return volatility * math.sqrt(age)


def _log_band(band: float) -> tuple[float, float]:
    if not 0 < band < 1:
        raise InvalidInput("band", band, "a share between 0 and 1, such as 0.05")
    return math.log1p(-band), math.log1p(band)


def _normal_below(z: float) -> float:
    """Φ, with its full relative precision far below the mean too."""
    return math.erfc(-z / math.sqrt(2)) / 2


def _normal_mean(function: Callable[[float], float]) -> float:
    """Return the mean of a smooth function of a standard normal variate."""
    points = (_STEP * step for step in range(-_REACH, _REACH + 1))
    return math.fsum(_STEP * _NORMAL.pdf(z) * function(z) for z in points)


def _check_probability(p: float | Fraction) -> None:
    if not 0 < p <= 1:
        raise InvalidInput("p", p, "a probability above 0 and at most 1")
