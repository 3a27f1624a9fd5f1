"""Estimates from independent runs, each with its confidence interval.

Three estimators, by what a run gives: a number (:func:`mean_interval`), a share of its own cases
(:func:`share_interval`), or two shares on the same prices and traders (:func:`share_difference`).
What they cover is measured in ``docs/coverage.md``.
"""

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from streamlet_lab.errors import InvalidInput
from streamlet_lab.units import to_instance, to_number, to_python, to_whole

#: With fewer runs a share has no interval, unless it is an exact one: it would be three times as
#: wide as the share.
FEWEST_RUNS: Final = 10

# What is measured in docs/coverage.md.
_CONFIDENCE: Final = 0.95

#: Notes of an interval.
TOO_FEW: Final = "too few runs"
NO_EVENT: Final = "no event: upper bound"
NO_EXCEPTION: Final = "no exception: lower bound"
NO_DIFFERENCE: Final = "no run differs: bounds"


class Share(float):
    """A share that remembers its numerator and denominator: a number like any other.

    Runs differ in how many cases they have. Who has part and whole of each run can pool them;
    who has only the quotients cannot. The whole is above 0, and the part at most the whole.

    >>> share = Share(1, 4)
    >>> share, share.part, share.whole
    (0.25, 1, 4)
    >>> Share.of(0, 0) is None
    True
    """

    part: float
    whole: float

    def __new__(cls, part: float, whole: float) -> Self:
        to_number(whole, 0, math.inf, "whole", above=True)
        if isinstance(part, bool | np.bool_):  # of one case it may be whether it is one
            part = int(part)
        to_number(part, 0, whole, "part")
        numbers: Any = (to_python(part), to_python(whole))
        part, whole = numbers
        share = super().__new__(cls, part / whole)
        share.part, share.whole = part, whole
        return share

    def __reduce__(self) -> tuple[type[Self], tuple[float, float]]:  # copies and pickles
        return type(self), (self.part, self.whole)

    @classmethod
    def of(cls, part: float, whole: float) -> Self | None:
        """Return the share, or None where there is nothing to be a share of."""
        return cls(part, whole) if whole else None


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate from ``n`` runs and its interval at 95 %; NaN where there is none.

    The mean of shares is the pooled share, which is their mean weighted by wholes. A note says what
    a reader is to know of the interval.
    """

    mean: float
    low: float
    high: float
    n: int
    estimator: str  # "t" of a mean, "cluster" of shares and of their difference, or "exact"
    note: str = ""


def mean_interval(values: Iterable[float]) -> Interval:
    """Return the mean of a sample and its Student-t interval; NaN among the values is left out.

    The interval is mean ± t · s / √n, with s the sample's standard deviation and t the quantile of
    Student's distribution with n − 1 degrees of freedom. It holds for numbers from independent runs
    that are about normal, or many. Shares have an estimator of their own, :func:`share_interval`.

    Examples
    --------
    >>> mean_interval([1.0, 2.0, 3.0])
    Interval(mean=2.0, low=-0.484..., high=4.484..., n=3, estimator='t', note='')
    """
    sample = [
        to_number(value, -math.inf, math.inf, "values")
        for value in values
        if not (isinstance(value, float | np.floating) and math.isnan(value))
    ]
    n = len(sample)
    if n < 2:
        return _without_ends(sample[0] if sample else math.nan, n, "t")
    # The statistics module is exact: equal numbers have their own value as mean, and no deviation.
    mean = statistics.mean(sample)
    margin = _student_quantile(n - 1) * statistics.stdev(sample) / math.sqrt(n)
    return Interval(mean, mean - margin, mean + margin, n, "t")


def share_interval(shares: Iterable[Share | None], *, fewest: int = FEWEST_RUNS) -> Interval:
    """Return the pooled share of independent runs, with an interval that keeps runs together.

    The estimate is the sum of the parts over the sum of the wholes. Cases of one run depend on each
    other, so that runs are resampled, not cases: the standard error is that of the jackknife that
    leaves out one run at a time. The interval is symmetric in the logit, ln(p / (1 − p)), as survey
    statistics do it, because shares of rare events are skewed; it cannot leave [0, 1]. The quantile
    is Student's, with Satterthwaite's degrees of freedom, 2n / (κ − 1) and at most n − 1, κ the
    kurtosis of what single runs do to the share: if one run has nearly all events, there are two
    degrees, however many runs there are.

    Where no run has an event, the interval ends at an exact bound. Of n independent runs without
    one, the chance q that a run has any is at most 1 − (α/2)^(1/n) (Clopper and Pearson 1934), at
    confidence 1 − α/2. The pooled share is at most q times the largest whole over the mean one (of
    these runs). Where every case is an event it is the mirror image, and where all runs have one
    and the same share, what another run may have reaches as far to both sides. If each run has one
    case, as with yes or no, the whole interval is Clopper and Pearson's.

    A run without a case is None, and left out. With fewer than ``fewest`` runs, two at least, there
    is no interval unless it is exact.

    Examples
    --------
    >>> runs = [Share(part, 60) for part in (0, 3, 0, 1, 9, 2, 0, 4, 0, 1)]
    >>> share_interval(runs)
    Interval(mean=0.0333..., low=0.0105..., high=0.1000..., n=10, estimator='cluster', note='')
    >>> unseen = share_interval([Share(0, 60)] * 10)
    >>> unseen.high, unseen.note
    (0.308..., 'no event: upper bound')
    """
    to_whole(fewest, 2, "fewest")
    parts, wholes = _columns([share for share in shares if share is not None])
    n = len(parts)
    if not n:
        return _without_ends(math.nan, 0, "cluster")
    share = float(parts.sum() / wholes.sum())
    if (wholes == 1).all() and ((parts == 0) | (parts == 1)).all():
        return _exact(int(parts.sum()), n)
    alike = bool((parts * wholes[0] == parts[0] * wholes).all())
    if n < fewest and not (alike and share in (0, 1)):
        return _without_ends(share, n, "cluster")
    if alike:
        bound = _bound(wholes)
        note = {0.0: NO_EVENT, 1.0: NO_EXCEPTION}.get(share, NO_DIFFERENCE)
        return Interval(share, share * (1 - bound), share + bound * (1 - share), n, "exact", note)
    from scipy.special import expit, logit  # a fifth of a second, which few wait for here

    margin = _margin(_left_out(parts, wholes)) / (share * (1 - share))
    low, high = (float(expit(logit(share) + side * margin)) for side in (-1, 1))
    return Interval(share, low, high, n, "cluster")


def share_difference(
    first: Iterable[Share | None], second: Iterable[Share | None], *, fewest: int = FEWEST_RUNS
) -> Interval:
    """Return the pooled share of ``second`` less that of ``first``, paired run by run.

    The two shares of a pair are of the same seed: leaving out a pair at a time keeps what they have
    in common. Error and degrees of freedom are as in :func:`share_interval`; the interval is
    symmetric around the difference, and cut off at −1 and 1. Where all pairs differ by the same,
    or by nothing, its ends are the exact bounds that follow from n pairs that are alike.
    Both have one share of each run, in the same order; a pair in which one is None is left out.
    """
    to_whole(fewest, 2, "fewest")
    first, second = [*first], [*second]
    if len(first) != len(second):
        raise InvalidInput("second", len(second), f"as many shares as of the first, {len(first)}")
    pairs = [
        (one, other)
        for one, other in zip(first, second, strict=True)
        if one is not None and other is not None
    ]
    n = len(pairs)
    if not n:
        return _without_ends(math.nan, 0, "cluster")
    sides = [_columns([pair[side] for pair in pairs]) for side in (0, 1)]
    (parts, wholes), (other_parts, other_wholes) = sides
    before, after = (float(part.sum() / whole.sum()) for part, whole in sides)
    gain = after - before
    # In products of counts, which are exact: a quotient is rounded.
    gained, of = other_parts * wholes - parts * other_wholes, wholes * other_wholes
    alike = bool((gained * of[0] == gained[0] * of).all())
    if n < fewest and (not alike or gained.any()):
        return _without_ends(gain, n, "cluster")
    if alike:
        bound = max(_bound(wholes), _bound(other_wholes))
        low, high = (gain * (1 - bound) + side * bound for side in (-1, 1))
        return Interval(gain, low, high, n, "exact", NO_DIFFERENCE)
    gains = _left_out(other_parts, other_wholes) - _left_out(parts, wholes)
    margin = _margin(gains)
    return Interval(gain, max(gain - margin, -1.0), min(gain + margin, 1.0), n, "cluster")


_Array = NDArray[np.float64]


def _columns(shares: list[Share]) -> tuple[_Array, _Array]:
    for share in shares:
        to_instance(share, Share, "shares")
    parts = np.array([share.part for share in shares], dtype=np.float64)
    return parts, np.array([share.whole for share in shares], dtype=np.float64)


def _left_out(parts: _Array, wholes: _Array) -> _Array:
    """Return the pooled share without each run."""
    left: _Array = (parts.sum() - parts) / (wholes.sum() - wholes)
    return left


def _margin(left_out: _Array) -> float:
    """Return half the width of the interval, from the estimates without one run each."""
    n = len(left_out)
    squares = (left_out - left_out.mean()) ** 2
    total = float(squares.sum())
    if not total:
        return 0.0
    kurtosis = n * float((squares**2).sum()) / total**2
    freedom = 2 * n / max(kurtosis - 1, 2 * n / (n - 1))
    return _student_quantile(freedom) * math.sqrt((n - 1) / n * total)


def _student_quantile(freedom: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + _CONFIDENCE) / 2))


def _bound(wholes: _Array) -> float:
    """Return the largest share of events of which none of these runs would have any."""
    of_runs = _exact(0, len(wholes)).high
    return min(1.0, of_runs * float(wholes.max() / wholes.mean()))


def _exact(events: int, n: int) -> Interval:
    """Return the interval of Clopper and Pearson for so many of n independent cases."""
    from scipy.special import betaincinv

    tail = (1 - _CONFIDENCE) / 2
    low = float(betaincinv(events, n - events + 1, tail)) if events else 0.0
    high = float(betaincinv(events + 1, n - events, 1 - tail)) if events < n else 1.0
    note = NO_EVENT if not events else NO_EXCEPTION if events == n else ""
    return Interval(events / n, low, high, n, "exact", note)


def _without_ends(estimate: float, n: int, estimator: str) -> Interval:
    return Interval(estimate, math.nan, math.nan, n, estimator, TOO_FEW)
