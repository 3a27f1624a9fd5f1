"""Closed forms, to be drawn beside what the simulator measures.

Each function states where its formula comes from. Nothing here looks at a simulation.

Numbers may be Python's own or numpy's. Counts are at most a million, which is as far as any sum
here is worth adding up. What is no such number, or out of its range, raises `InvalidInput`, as does
a mean that is beyond every float; that of a fraction is exact. A share is never below 0 or above 1,
whatever was rounded on the way.
"""

import math
from collections.abc import Collection, Iterable
from fractions import Fraction
from typing import Final, TypeVar

from streamlet_lab.consensus.quorums import max_faulty as max_faulty
from streamlet_lab.consensus.quorums import quorum as quorum
from streamlet_lab.errors import InvalidInput
from streamlet_lab.units import to_number, to_whole

#: A probability, or what is computed from one; fractions give exact answers.
Number = TypeVar("Number", float, Fraction)

# Of nodes, epochs, sources.
_MOST: Final = 1_000_000
# Of a series that converges like a theta function.
_TERMS: Final = 5
# Standard deviations from the mean; beyond them lie 2e-19 of a normal variate.
_REACH: Final = 9.0
# Around the edge of the band, in standard deviations of the price: where an average bends.
_BENDS: Final = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
# The logarithm of nearly the largest float.
_LARGEST_LOG: Final = 700.0
_LARGEST: Final = "so large that the mean is a number below 1.8e308, or a Fraction"


def messages_per_epoch(nodes: int, *, echo: bool = True) -> int:
    """Messages sent in an epoch in which every node is honest.

    One proposal and n votes leave their author for n − 1 others; with echoing each of the n − 1
    receivers sends each of the n + 1 messages on to n − 1 others (section 3, "echo").
    """
    nodes = _count(nodes, "nodes", 1)
    copies = (nodes + 1) * (nodes - 1)
    return copies * nodes if echo else copies


def wait_for_run(length: int, p: Number) -> Number:
    """Mean number of trials until ``length`` successes in a row, each with probability ``p``.

    The classic Σ p^−i, i = 1 … length: whoever has k − 1 in a row tries once more and, failing,
    begins again, so that E_k = E_(k−1) + 1 + (1 − p) E_k.
    """
    length, p = _count(length, "length"), _probability(p)
    if p == 1:
        return length * p
    if isinstance(p, Fraction):
        return (p**-length - 1) / (1 - p)
    try:
        return math.expm1(-length * math.log(p)) / (1 - p)
    except OverflowError:
        raise InvalidInput("p", p, _LARGEST) from None


def chance_of_run(length: int, trials: int, p: Number) -> Number:
    """Probability of ``length`` successes in a row somewhere among ``trials`` trials.

    De Moivre's recurrence (*The Doctrine of Chances*, 1738): the first run ends with trial t if no
    run ended before trial t − length, that trial failed, and all since then succeeded. With
    p = 1 − f/n it is how likely hashed leaders are to meet the premise of Lemma 5 (length 3) or
    Theorem 6 (length 5) within so many epochs.

    Examples
    --------
    >>> chance_of_run(3, 4, Fraction(1, 2))
    Fraction(3, 16)
    """
    length, trials, p = _count(length, "length"), _count(trials, "trials"), _probability(p)
    run = p**length
    so_far = [0 * p] * length + [run]
    for trial in range(length + 1, trials + 1):
        ends_now = (1 - so_far[trial - length - 1]) * (1 - p) * run
        so_far.append(min(so_far[-1] + ends_now, 0 * p + 1))
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

    Examples
    --------
    >>> finality_lag(Fraction(2, 3))
    Fraction(33, 8)
    """
    p = _probability(p)
    lag = (1 + p - p * p) / p / p / p
    if lag == math.inf:
        raise InvalidInput("p", p, _LARGEST)
    return lag


def final_blocks(epochs: int, p: Number) -> Number:
    """Mean number of final blocks after so many epochs, under the premises of `finality_lag`.

    The sum over all epochs of how likely each brings a block, p, and that block is final by the
    end: with k more epochs to come F₂(k) = p + (1 − p) F₀(k − 1) if the leader before was live too,
    as genesis is, else F₁(k) = p F₂(k − 1) + (1 − p) F₀(k − 1), where
    F₀(k) = p F₁(k − 1) + (1 − p) F₀(k − 1), and no epoch is too few: F(0) = 0. In a long run it
    grows by p with each epoch, and p·L blocks wait at any time (Little's law).

    Examples
    --------
    >>> final_blocks(3, Fraction(1, 2))  # 2 with three live leaders, 1 with the first two alone
    Fraction(3, 8)
    """
    epochs, p = _count(epochs, "epochs"), _probability(p)
    none = one = two = total = 0 * p
    for left in range(epochs):
        before_was_live = 0 * p + 1 if left == epochs - 1 else p
        total += p * (before_was_live * two + (1 - before_was_live) * one)
        none, one, two = p * one + (1 - p) * none, p * two + (1 - p) * none, p + (1 - p) * none
    return total


def live_runs(nodes: int, silent: Collection[int], length: int = 3) -> Fraction:
    """Share of epochs that complete a run of ``length`` live leaders under round robin.

    Exact, by counting one cycle: a run of three live leaders is what finalizes a block.

    Parameters
    ----------
    nodes : int
    silent : collection of int
        Whose turns pass without a block: numbers from 0, below ``nodes``.
    length : int
    """
    nodes, length = _count(nodes, "nodes", 1), _count(length, "length")
    live = _live(nodes, silent)
    in_a_row = complete = 0
    for epoch in range(2 * nodes):  # the first cycle says what the second begins with
        in_a_row = in_a_row + 1 if live[epoch % nodes] else 0
        complete += epoch >= nodes and in_a_row >= min(length, nodes)
    return Fraction(complete, nodes)


def round_robin_finality_lag(nodes: int, silent: Collection[int]) -> Fraction | None:
    """Mean number of epochs from a block's own epoch to the epoch that finalizes it.

    Round robin with silent leaders, no forks, messages in time: the block of epoch e is final in
    the first epoch t > e in which t − 2, t − 1 and t all have live leaders and t − 1 ≥ e.

    Parameters
    ----------
    nodes, silent
        As of `live_runs`.

    Returns
    -------
    Fraction or None
        None where no three consecutive leaders are live, so that nothing is ever final.
    """
    nodes = _count(nodes, "nodes", 1)
    live = _live(nodes, silent)
    in_a_row = waited = 0
    waiting: list[int] = []
    for epoch in range(3 * nodes):  # blocks of the second cycle; the third finalizes the last
        in_a_row = in_a_row + 1 if live[epoch % nodes] else 0
        if in_a_row >= 3:
            waited += sum(epoch - earlier for earlier in waiting)
            waiting.clear()
        if in_a_row and nodes <= epoch < 2 * nodes:
            waiting.append(epoch)
    return None if waiting or not waited else Fraction(waited, sum(live))


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

    Examples
    --------
    >>> mean_displacement(3, 1, Fraction(1, 10)), mean_displacement(3, 1, Fraction(1, 10), epochs=1)
    (Fraction(1, 19), Fraction(1, 30))
    """
    sources = _count(sources, "sources", 1)
    liars = to_whole(liars, 0, "liars", sources // 2)
    deviation = _exact(deviation, "deviation", -1, 1, above=True, below=True)
    share = Fraction(liars, sources)
    first = share * deviation
    closing = 1 - share - first  # 1 − s (1 + d), without the digits that 1 + d would lose
    limit = first / closing
    if epochs is None:
        return limit
    epochs = _count(epochs, "epochs")
    growth = share + first
    if isinstance(limit, Fraction) or growth < 1 / 2:
        return limit * (1 - growth**epochs)
    return -limit * math.expm1(epochs * math.log1p(-closing))


def outside_band_share(displacement: float, band: float, spread: float) -> float:
    """Return which share of honest limit prices a band around a displaced reference turns away.

    With the reference at c, the true price p and the band b, an honest limit price is normal around
    p with standard deviation σp, and acceptable from (1 − b)c to (1 + b)c. So it is

        Φ(((1 − b) c/p − 1) / σ) + 1 − Φ(((1 + b) c/p − 1) / σ).

    Parameters
    ----------
    displacement : float
        c/p − 1, above −1.
    band, spread : float
        b and σ, as shares.

    Examples
    --------
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

    It is :func:`outside_band_share`; by default for the band and the zero-intelligence traders of
    a market where nothing else is said.

    Parameters
    ----------
    displacement_bp : float
        How far the reference is above the true price, in basis points of it: above −10,000.
    band_percent, spread_percent : float
        Largest deviation from the reference, and standard deviation of limit prices around the true
        one.

    Raises
    ------
    InvalidInput
        If one is not in its range.

    Examples
    --------
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

    Parameters
    ----------
    age : float
        How long ago, in the unit of time that the volatility is for: years with an annual one,
        trading days with a daily one.
    volatility : float
        Standard deviation of the logarithm of the price after one unit of time.
    band, spread : float
        b and σ, as shares.

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
    spread = to_number(spread, 0, math.inf, "spread")
    if not moved:
        return outside_band_share(0.0, band, spread)
    if moved == math.inf:
        return 1.0

    def outside(log_limit: float) -> float:
        return _normal_below((low - log_limit) / moved) + _normal_below((log_limit - high) / moved)

    if not spread:
        return _share(outside(0.0))
    # Takes longer to import than the rest of the package.
    from scipy.integrate import quad

    def outside_by_limit(z: float) -> float:
        share = outside(math.log1p(spread * z)) if spread * z > -1 else 1.0
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
    and its square less the time are martingales (Feller, as there).

    Parameters
    ----------
    volatility, band : float
        As for `stale_outside_share`.

    Returns
    -------
    float
        In the unit of time that the volatility is for; infinite without volatility.

    Examples
    --------
    >>> round(mean_first_passage(0.0238, 0.05), 2)
    4.42
    """
    deviation = _deviation(1.0, volatility)
    low, high = _log_band(band)
    if not deviation:
        return math.inf
    mean = (-low / deviation) * (high / deviation)
    if mean == math.inf:
        raise InvalidInput("volatility", volatility, f"0, or {_LARGEST}")
    return mean


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


def _count(value: object, field: str, low: int = 0) -> int:
    return to_whole(value, low, field, _MOST)


def _probability(p: Number) -> Number:
    return _exact(p, "p", 0, 1, above=True)


def _exact(
    value: Number, field: str, low: float, high: float, *, above: bool = False, below: bool = False
) -> Number:
    """Return a checked number as a float, but a fraction as it is."""
    number = to_number(value, low, high, field, above=above, below=below)
    return value if isinstance(value, Fraction) else number


def _live(nodes: int, silent: Iterable[int]) -> list[bool]:
    """Say of each node whether it is live."""
    if not isinstance(silent, Iterable):
        raise InvalidInput("silent", silent, "a collection of nodes, each by its number")
    live = [True] * nodes
    for node in silent:
        live[to_whole(node, 0, "silent", nodes - 1)] = False
    return live
