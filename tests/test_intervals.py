"""Estimates with intervals: by hand, at their edges, and how often they hold the truth."""

import math
import pickle
import random
from statistics import NormalDist, mean, stdev

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from streamlet_lab import InvalidInput, Share, mean_interval, share_difference, share_interval
from streamlet_lab.intervals import FEWEST_RUNS

# Means.


def test_interval_of_a_sample_computed_by_hand():
    # Mean 5, deviation √((9 + 1 + 1 + 9) / 3) = √(20/3); Student's t is 3.18245 for 3 degrees.
    interval = mean_interval([2, 4, 6, 8])
    margin = 3.182446 * math.sqrt(20 / 3) / 2
    assert (interval.mean, interval.n) == (5, 4)
    assert (interval.low, interval.high) == pytest.approx((5 - margin, 5 + margin))


def test_equal_numbers_have_an_interval_without_width():
    # In floating point the mean of 0.1, 0.1 and 0.1 may be another number.
    interval = mean_interval([0.1] * 3)
    assert (interval.mean, interval.low, interval.high) == (0.1, 0.1, 0.1)


def test_one_number_has_a_mean_and_no_interval_and_none_has_no_mean():
    interval, nothing = mean_interval([3.5, math.nan]), mean_interval([math.nan])
    assert (interval.mean, interval.n, nothing.n) == (3.5, 1, 0)
    assert all(map(math.isnan, (interval.low, interval.high, nothing.mean)))


def test_numbers_are_finite():
    with pytest.raises(InvalidInput, match="finite"):
        mean_interval([1.0, math.inf])


def test_the_interval_covers_the_true_mean_as_often_as_it_says():
    drawn, normal, samples = random.Random(1), NormalDist(10, 3), 4_000
    covered = 0
    for _ in range(samples):
        sample = [normal.inv_cdf(drawn.random()) for _ in range(5)]
        interval = mean_interval(sample)
        covered += interval.low <= 10 <= interval.high
    # Three standard deviations of a share; a normal quantile instead of t would be at 0.88.
    tolerance = 3 * math.sqrt(0.95 * 0.05 / samples)
    assert covered / samples == pytest.approx(0.95, abs=tolerance)


def test_a_mean_of_shares_is_that_of_their_quotients():
    shares = [Share(1, 2), Share(3, 4), None, Share(1, 4)]
    interval = mean_interval(share for share in shares if share is not None)
    assert (interval.mean, type(interval.mean)) == (0.5, float)


# Shares.


def test_a_share_keeps_both_of_its_numbers_in_a_copy():
    copy = pickle.loads(pickle.dumps(Share(3, 12)))
    assert (copy, copy.part, copy.whole) == (0.25, 3, 12)


def test_a_pooled_share_computed_by_hand():
    # 6 of 30. Without the first run 5/20, without the second 5/20, without the third 2/20: mean
    # 0.2, squares 0.0025 + 0.0025 + 0.01, times 2/3: 0.01. κ = 3 · 0.0001125 / 0.000225 = 1.5, so
    # that 2n/(κ − 1) = 12 is more than the two degrees of freedom, whose t is 4.30265.
    interval = share_interval([Share(1, 10), Share(1, 10), Share(4, 10)], fewest=3)
    margin = 4.302653 * 0.1 / (0.2 * 0.8)
    low, high = (1 / (1 + 4 * math.exp(-side * margin)) for side in (-1, 1))
    assert (interval.mean, interval.n, interval.estimator) == (pytest.approx(0.2), 3, "cluster")
    assert (interval.low, interval.high) == pytest.approx((low, high), rel=1e-6)


def test_a_run_counts_by_its_cases():
    shares = [Share(1, 10), Share(9, 30)] * 6
    assert share_interval(shares).mean == pytest.approx(60 / 240)
    found = share_difference(shares, [Share(2, 10), Share(9, 30)] * 6)
    assert found.mean == pytest.approx(6 / 240)


def test_one_run_with_all_events_leaves_two_degrees_of_freedom():
    # Left out, the share is 0 once and 6/190 nineteen times: κ = 18.05…, 2n/(κ − 1) = 2.3457.
    interval = share_interval([Share(6, 10)] + [Share(0, 10)] * 19)
    left_out = [0.0] + [6 / 190] * 19
    error = math.sqrt(19 / 20 * sum((one - mean(left_out)) ** 2 for one in left_out))
    kurtosis = scipy.stats.kurtosis(left_out, fisher=False)
    freedom = 40 / (kurtosis - 1)
    assert 2 < freedom < 2.5
    margin = scipy.stats.t(freedom).ppf(0.975) * error / (0.03 * 0.97)
    odds = 0.03 / 0.97 * math.exp(margin)
    assert interval.high == pytest.approx(odds / (1 + odds))


SHARES = st.lists(
    st.integers(1, 50).flatmap(
        lambda whole: st.integers(0, whole).map(lambda part: Share(part, whole))
    ),
    min_size=FEWEST_RUNS,
    max_size=30,
)


@given(SHARES, st.randoms(use_true_random=False))
def test_an_interval_of_shares_is_in_order_in_bounds_and_without_order_of_runs(shares, drawn):
    interval = share_interval(shares)
    assert 0 <= interval.low <= interval.mean <= interval.high <= 1
    shuffled = drawn.sample(shares, len(shares))
    other = share_interval([None, *shuffled])
    assert (other.low, other.high) == pytest.approx((interval.low, interval.high), abs=1e-9)
    assert other.n == interval.n == len(shares)


@given(SHARES)
def test_shares_of_what_is_left_are_the_mirror_image(shares):
    interval = share_interval(shares)
    mirrored = share_interval([Share(one.whole - one.part, one.whole) for one in shares])
    ends = (1 - mirrored.high, 1 - mirrored.mean, 1 - mirrored.low)
    assert ends == pytest.approx((interval.low, interval.mean, interval.high), abs=1e-9)


@given(SHARES.filter(lambda shares: max(one.whole for one in shares) > 1), st.integers(2, 9))
def test_cases_that_always_come_together_count_once(shares, times):
    # Who sees each case several times over knows no more of it.
    interval = share_interval(shares)
    more = share_interval([Share(times * one.part, times * one.whole) for one in shares])
    ends = (more.low, more.mean, more.high)
    assert ends == pytest.approx((interval.low, interval.mean, interval.high), abs=1e-9)


@pytest.mark.parametrize(("runs", "bound"), [(1, 0.975), (10, 0.308498), (40, 0.088097)])
def test_no_event_bounds_the_chance_that_a_run_has_one(runs, bound):
    # 1 − 0.025^(1/n): with that chance n runs have none in 2.5 % of cases.
    interval = share_interval([Share(0, 60)] * runs)
    assert (interval.mean, interval.low, interval.estimator) == (0, 0, "exact")
    assert interval.high == pytest.approx(bound, abs=1e-6)
    assert (1 - interval.high) ** runs == pytest.approx(0.025)
    assert interval.note == "no event: upper bound"


def test_events_may_sit_in_the_largest_wholes():
    # Mean 20, largest 40: runs with events, a share q of all, may have 2 q of the cases.
    even, uneven = (
        [Share(0, whole) for whole in wholes] for wholes in ([20] * 30, [10, 10, 40] * 10)
    )
    assert share_interval(uneven).high == pytest.approx(2 * share_interval(even).high)
    assert share_interval([Share(0, 1_000), Share(0, 1)]).high == 1


def test_without_exception_the_bound_is_the_mirror_image():
    interval = share_interval([Share(60, 60)] * 10)
    assert (interval.mean, interval.high) == (1, 1)
    assert interval.low == pytest.approx(1 - 0.308498, abs=1e-6)
    assert interval.note == "no exception: lower bound"


@pytest.mark.parametrize("yes", [0, 1, 7, 12])
def test_runs_of_one_case_each_have_the_exact_interval(yes):
    interval = share_interval([Share(True, 1)] * yes + [Share(False, 1)] * (12 - yes))
    exact = scipy.stats.binomtest(yes, 12).proportion_ci(method="exact")
    assert (interval.low, interval.high) == pytest.approx((exact.low, exact.high))
    assert interval.estimator == "exact"


def test_too_few_runs_have_a_share_and_no_interval():
    runs = [Share(1, 10), Share(2, 10)] * (FEWEST_RUNS // 2)
    enough, few = share_interval(runs), share_interval(runs[1:])
    assert enough.low < enough.mean < enough.high
    assert enough.note == ""
    assert (few.mean, few.n, few.note) == (14 / 90, FEWEST_RUNS - 1, "too few runs")
    assert math.isnan(few.low)
    assert math.isnan(few.high)
    assert share_interval(runs[1:], fewest=2).low > 0


def test_no_run_with_a_case_has_no_share():
    interval = share_interval([None, None])
    assert math.isnan(interval.mean)
    assert (interval.n, interval.note) == (0, "too few runs")


@pytest.mark.parametrize(
    "estimate", [share_interval, lambda shares, **o: share_difference(shares, shares, **o)]
)
def test_what_is_no_number_of_runs_is_refused(estimate):
    with pytest.raises(InvalidInput, match="fewest"):
        estimate([Share(1, 4)] * 20, fewest=1)


# Differences of shares.


def pairs(count, seed=0):
    """Runs that share their weather: the second has more events in the same wholes."""
    drawn = np.random.Generator(np.random.PCG64(seed))
    chance, wholes = drawn.beta(2, 8, count), drawn.integers(20, 60, count)
    first = [Share(int(drawn.binomial(n, p)), int(n)) for n, p in zip(wholes, chance, strict=True)]
    extra = [int(drawn.binomial(one.whole - one.part, 0.1)) for one in first]
    return first, [
        Share(one.part + more, one.whole) for one, more in zip(first, extra, strict=True)
    ]


def naive_difference(first, second):
    """The jackknife in plain Python."""

    def pooled(shares):
        return sum(one.part for one in shares) / sum(one.whole for one in shares)

    n = len(first)
    left_out = []
    for run in range(n):
        sides = (side[:run] + side[run + 1 :] for side in (first, second))
        before, after = map(pooled, sides)
        left_out.append(after - before)
    error = math.sqrt((n - 1) ** 2 / n) * stdev(left_out)
    freedom = min(n - 1, 2 * n / (scipy.stats.kurtosis(left_out, fisher=False) - 1))
    margin = scipy.stats.t(freedom).ppf(0.975) * error
    gain = pooled(second) - pooled(first)
    return gain - margin, gain, gain + margin


@pytest.mark.parametrize("seed", range(5))
def test_a_difference_of_shares_again_naively(seed):
    first, second = pairs(15, seed)
    found = share_difference(first, second)
    ends = (found.low, found.mean, found.high)
    assert ends == pytest.approx(naive_difference(first, second))
    assert (found.n, found.estimator, found.note) == (15, "cluster", "")


def test_pairs_take_out_what_both_have_in_common():
    first, second = pairs(30)
    paired, apart = share_difference(first, second), share_difference(first, second[::-1])
    assert paired.mean == pytest.approx(apart.mean)
    assert paired.high - paired.low < 0.5 * (apart.high - apart.low)


def test_the_difference_the_other_way_round_is_its_negative():
    first, second = pairs(12)
    there, back = share_difference(first, second), share_difference(second, first)
    assert (-back.high, -back.mean, -back.low) == pytest.approx((there.low, there.mean, there.high))


def test_a_pair_without_one_of_both_is_left_out():
    first, second = pairs(12)
    found = share_difference([Share(1, 2), *first, None], [None, *second, Share(1, 2)])
    assert found == share_difference(first, second)
    with pytest.raises(InvalidInput, match="as many shares"):
        share_difference(first, second[1:])


def test_too_few_pairs_have_a_difference_and_no_interval():
    few = share_difference(*pairs(FEWEST_RUNS - 1))
    assert few.mean > 0
    assert math.isnan(few.low)
    assert few.note == "too few runs"
    assert share_difference([], []).n == 0


def test_a_difference_is_at_most_one():
    first = [Share(0, 4)] * 11 + [Share(3, 4)]
    second = [Share(4, 4)] * 11 + [Share(3, 4)]
    found = share_difference(first, second)
    assert (found.mean, found.high) == (11 / 12, 1)


# How often the truth is inside.


def test_the_interval_of_shares_covers_what_the_t_of_rates_does_not():
    """Beta-binomial runs with a mean share of 4.76 %, of which nearly half have no event."""
    drawn = np.random.Generator(np.random.PCG64(7))
    samples, runs, truth = 1_500, 20, 0.3 / 6.3
    wholes = drawn.integers(30, 90, (samples, runs))
    parts = drawn.binomial(wholes, drawn.beta(0.3, 6, (samples, runs)))
    covered = {mean_interval: 0, share_interval: 0}
    for part, whole in zip(parts.tolist(), wholes.tolist(), strict=True):
        shares = list(map(Share, part, whole))
        for estimate in covered:
            interval = estimate(shares)
            covered[estimate] += interval.low <= truth <= interval.high
    assert covered[share_interval] / samples >= 0.92
    assert covered[mean_interval] / samples < 0.90


def test_the_bound_without_events_holds_for_clusters_of_any_size():
    """Rare runs in which half of all cases are events: most samples have none of them."""
    drawn = np.random.Generator(np.random.PCG64(8))
    held = 0
    for _ in range(400):
        bad = drawn.random(20) < 0.1
        interval = share_interval([Share(30 * int(one), 60) for one in bad])
        held += interval.low <= 0.05 <= interval.high
    assert held / 400 >= 0.92


# --- Runs that are all alike


@pytest.mark.parametrize("part", [1, 30, 59])
def test_runs_with_one_and_the_same_share_leave_room_for_others(part):
    """Twenty equal runs do not say that there is no other: the bounds are those of no event."""
    of_runs = share_interval([Share(0, 60)] * 20).high
    interval = share_interval([Share(part, 60)] * 20)
    assert interval.low == pytest.approx(part / 60 * (1 - of_runs))
    assert interval.high == pytest.approx(part / 60 + of_runs * (1 - part / 60))
    assert interval.note == "no run differs: bounds"
    assert share_interval([Share(part, 60), Share(2 * part, 120)] * 10).note == interval.note


@pytest.mark.parametrize("wholes", [(60, 60), (60, 61), (50, 70)])
@pytest.mark.parametrize("parts", [(0, 0), (30, 30)])
def test_pairs_that_do_not_differ_have_bounds_whatever_their_wholes(parts, wholes):
    first = [Share(parts[0], wholes[0])] * 12
    second = [Share(parts[1], wholes[1])] * 12
    interval = share_difference(first, second)
    assert interval.low < interval.mean < interval.high
    assert interval.high - interval.low > 0.2
    assert (interval.note, interval.estimator) == ("no run differs: bounds", "exact")
    if wholes == (60, 60):
        assert interval.high == -interval.low == pytest.approx(1 - 0.025 ** (1 / 12))


@pytest.mark.parametrize(
    ("part", "whole", "field"), [(3, 2, "part"), (-1, 3, "part"), (1, 0, "whole"), (1, -1, "whole")]
)
def test_a_share_is_of_a_whole(part, whole, field):
    with pytest.raises(InvalidInput, match=field):
        Share(part, whole)
