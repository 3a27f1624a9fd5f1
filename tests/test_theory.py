"""Closed forms, against the numbers in the protocol's literature and by counting."""

import math
from fractions import Fraction
from inspect import isfunction
from itertools import pairwise, product
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from streamlet_lab import theory
from streamlet_lab.errors import InvalidInput
from streamlet_lab.streams import generator, stream


@pytest.mark.parametrize(("nodes", "echoed", "plain"), [(4, 60, 15), (7, 336, 48), (10, 990, 99)])
def test_messages_of_an_honest_epoch(nodes, echoed, plain):
    assert theory.messages_per_epoch(nodes) == echoed
    assert theory.messages_per_epoch(nodes, echo=False) == plain


@pytest.mark.parametrize(
    ("length", "p", "epochs"),
    [(3, 2 / 3, 7.125), (5, 2 / 3, 19.78), (3, 0.9, 3.717), (5, 0.9, 6.935), (3, 1.0, 3.0)],
)
def test_epochs_until_so_many_successes_in_a_row(length, p, epochs):
    assert theory.wait_for_run(length, p) == pytest.approx(epochs, abs=5e-4 * epochs)


SHARES = (Fraction(1, 2), Fraction(2, 3), Fraction(3, 4), Fraction(9, 10), Fraction(1))


@pytest.mark.parametrize("p", SHARES)
@pytest.mark.parametrize("length", [1, 3, 5])
def test_one_more_in_a_row_takes_one_more_trial_or_a_new_beginning(length, p):
    wait = theory.wait_for_run(length, p)
    assert wait == theory.wait_for_run(length - 1, p) + 1 + (1 - p) * wait


def sequences(trials, p):
    """Every sequence of live and silent leaders, with its probability."""
    for live in product((True, False), repeat=trials):
        yield live, p ** sum(live) * (1 - p) ** (trials - sum(live))


@pytest.mark.parametrize("p", SHARES)
@pytest.mark.parametrize(("length", "trials"), [(1, 3), (3, 2), (3, 3), (3, 9), (5, 11)])
def test_the_chance_of_a_run_is_that_of_all_sequences_with_one(length, trials, p):
    with_run = sum(
        probability
        for live, probability in sequences(trials, p)
        if any(all(live[first : first + length]) for first in range(trials - length + 1))
    )
    assert theory.chance_of_run(length, trials, p) == with_run


@pytest.mark.parametrize(
    ("p", "lag"), [(1.0, 1), (0.9, 1.4952), (0.75, 2.8148), (2 / 3, 4.125), (0.5, 10)]
)
def test_finality_lag_with_independent_leaders(p, lag):
    assert theory.finality_lag(p) == pytest.approx(lag, abs=5e-5)


def finalized_in(live):
    """The epoch that finalizes each live leader's block, as far as the epochs go.

    Genesis, before the first of them, counts as live.
    """
    live = [True, *live]
    finalized, next_end = {}, None
    for epoch in reversed(range(1, len(live))):
        if live[epoch]:
            finalized[epoch] = next_end
        if epoch >= 2 and all(live[epoch - 2 : epoch + 1]):
            next_end = epoch
    return finalized


def test_finality_lag_and_final_blocks_are_what_random_leaders_give():
    random, epochs, p = stream(4, "leaders"), 50_000, 0.75
    finalized = finalized_in([random.random() < p for _ in range(epochs)])
    lags = [end - epoch for epoch, end in finalized.items() if end is not None]
    assert sum(lags) / len(lags) == pytest.approx(theory.finality_lag(p), rel=0.02)
    assert len(lags) == pytest.approx(theory.final_blocks(epochs, p), rel=0.01)


@pytest.mark.parametrize("p", SHARES)
@pytest.mark.parametrize("epochs", [0, 1, 2, 3, 4, 11])
def test_final_blocks_are_those_of_all_sequences(epochs, p):
    mean = sum(
        probability * sum(end is not None for end in finalized_in(live).values())
        for live, probability in sequences(epochs, p)
    )
    assert theory.final_blocks(epochs, p) == mean
    assert theory.final_blocks(epochs, float(p)) == pytest.approx(float(mean))


@pytest.mark.parametrize(
    ("nodes", "silent", "lag"),
    [
        (4, {0}, Fraction(7, 3)),
        (4, {3}, Fraction(7, 3)),
        (7, {0, 1}, Fraction(2)),
        (7, {0, 3}, Fraction(19, 5)),
        (10, {0, 3, 6}, Fraction(37, 7)),
        (4, set(), Fraction(1)),
        (1, set(), Fraction(1)),
        (6, {0, 3}, None),
        (4, {0, 1, 2, 3}, None),
    ],
)
def test_finality_lag_under_round_robin(nodes, silent, lag):
    assert theory.round_robin_finality_lag(nodes, silent) == lag


@pytest.mark.parametrize(
    ("nodes", "silent", "length", "share"),
    [
        (4, {0}, 3, Fraction(1, 4)),
        (4, set(), 3, Fraction(1)),
        (7, {0, 1}, 3, Fraction(3, 7)),
        (7, {0, 3}, 3, Fraction(1, 7)),
        (10, {0, 3, 6}, 3, Fraction(1, 10)),
        (4, {0}, 1, Fraction(3, 4)),
    ],
)
def test_share_of_epochs_that_complete_a_run_of_live_leaders(nodes, silent, length, share):
    assert theory.live_runs(nodes, silent, length) == share


TENTH = Fraction(1, 10)


@pytest.mark.parametrize(
    ("sources", "liars", "first", "limit"),
    [
        (3, 1, Fraction(1, 30), Fraction(1, 19)),
        (5, 2, Fraction(1, 25), Fraction(1, 14)),
        (7, 2, Fraction(1, 35), Fraction(1, 24)),
        (4, 2, Fraction(1, 20), Fraction(1, 9)),
        (4, 0, 0, 0),
    ],
)
def test_how_far_liars_push_the_mean(sources, liars, first, limit):
    assert theory.mean_displacement(sources, liars, TENTH, epochs=1) == first
    assert theory.mean_displacement(sources, liars, TENTH) == limit


@pytest.mark.parametrize("deviation", [TENTH, -TENTH, Fraction(1, 2), 0 * TENTH])
@pytest.mark.parametrize(("sources", "liars"), [(3, 1), (5, 2), (4, 2), (13, 4)])
def test_the_mean_follows_its_recurrence_and_honest_quotes_stay_valid(sources, liars, deviation):
    price = Fraction(1)
    for epoch in range(12):
        assert theory.mean_displacement(sources, liars, deviation, epoch) == price - 1
        assert abs(1 - price) <= abs(deviation) * price
        price = (sources - liars + liars * (1 + deviation) * price) / Fraction(sources)
    limit = 1 + theory.mean_displacement(sources, liars, deviation)
    assert limit == (sources - liars + liars * (1 + deviation) * limit) / Fraction(sources)


# --- How soon a price leaves a band

DAILY = 0.0238  # AAPL's volatility, per trading day
AGES = st.floats(0, 1e4)
VOLATILITIES = st.floats(0, 1)
BANDS = st.floats(0.001, 0.9)
SPREADS = st.floats(0, 1e3)


@pytest.mark.parametrize(
    ("age", "band", "share"),
    [
        # By hand: Φ(ln 0.95 / v) + Φ(−ln 1.05 / v) with v = 2.38 % √age from a table of Φ.
        (1, 0.05, 0.0156 + 0.0202),
        (4, 0.05, 0.1406 + 0.1526),
        (1, 0.10, 0.0),
    ],
)
def test_the_share_outside_an_old_band_is_that_of_two_normal_tails(age, band, share):
    assert theory.stale_outside_share(age, DAILY, band) == pytest.approx(share, abs=1.5e-4)


def outside_by_quadrature(moved, band, spread):
    """The mean of the share outside a displaced band, over displacements instead of limit prices.

    In many pieces: around where an edge of the displaced band meets each honest price, and between
    the powers of e.
    """

    def integrand(z):
        # Below a reference of e⁻⁶⁰⁰ every price is outside, above one of e⁶⁰⁰ too.
        displacement = math.expm1(min(-moved * z, 600))
        outside = theory.outside_band_share(displacement, band, spread) if displacement > -1 else 1
        return NormalDist().pdf(z) * outside

    honest = (1 + spread * deviations / 4 for deviations in range(-40, 41))
    meeting = [
        -math.log(price / (1 + edge)) / moved
        for price, edge in product(honest, (-band, band))
        if price > 0
    ]
    places = [*meeting, *(power / moved for power in range(-60, 61))]
    ends = sorted({-9.0, 9.0, *(place for place in places if -9 < place < 9)})
    pieces = pairwise(ends)
    # Full output comes without warnings, of which a noisy piece of next to nothing has some.
    found = (quad(integrand, *piece, epsabs=1e-14, full_output=1) for piece in pieces)
    return math.fsum(piece[0] for piece in found)


@pytest.mark.parametrize("spread", [0.005, 0.2, 5])
@pytest.mark.parametrize("moved", [0.0238, 0.5, 100])
def test_the_average_over_limit_prices_is_as_exact_as_it_says(moved, spread):
    for band in (0.05, 0.9):
        share = theory.stale_outside_share(1, moved, band, spread)
        assert share == pytest.approx(outside_by_quadrature(moved, band, spread), abs=1e-11)


@pytest.mark.parametrize("spread", [0.0, 0.05])
def test_random_prices_are_outside_an_old_band_as_often(spread):
    random, count = generator(1, "theory/stale"), 100_000
    age, band = 2.5, 0.05
    price = np.exp(DAILY * math.sqrt(age) * random.standard_normal(count))
    limit = price * (1 + spread * random.standard_normal(count))
    share = np.mean(abs(limit - 1) > band)
    expected = theory.stale_outside_share(age, DAILY, band, spread)
    assert share == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / count))


def exit_by_images(moved, band, images=400):
    """The exit between two barriers as the density's mirror images give it, without alternation."""
    low, high, normal = math.log1p(-band), math.log1p(band), NormalDist(0, moved)
    period = 2 * (high - low)
    return 1 - math.fsum(
        normal.cdf(high - mirror)
        - normal.cdf(low - mirror)
        - normal.cdf(mirror - high)
        + normal.cdf(mirror - 2 * high + low)
        for mirror in (image * period for image in range(-images, images + 1))
    )


@pytest.mark.parametrize("band", [0.05, 0.95])
@pytest.mark.parametrize("widths", [0.1, 0.5641, 0.5643, 1.5])
def test_the_chance_of_having_left_is_that_of_the_mirror_images(band, widths):
    # The formula changes its series at 1/√π = 0.56419 of the band's width.
    moved = widths * (math.log1p(band) - math.log1p(-band))
    share = theory.first_passage_share(1, moved, band)
    assert share == pytest.approx(exit_by_images(moved, band), abs=1e-12)


def test_while_it_is_unlikely_to_have_left_it_is_twice_as_likely_as_to_be_outside():
    # The reflection principle, with relative precision far beyond that of 1 − p.
    for age in (0.01, 0.03, 0.1):
        outside = theory.stale_outside_share(age, DAILY, 0.05)
        assert theory.first_passage_share(age, DAILY, 0.05) == pytest.approx(2 * outside, rel=1e-9)
    assert 0 < theory.first_passage_share(0.01, DAILY, 0.05) < 1e-80


def test_random_walks_leave_the_band_as_often():
    # Between two steps a Brownian bridge from x to y crosses c with probability
    # exp(−2 (c − x)(c − y) / variance); walks carry how likely they are to be inside yet.
    random, walks, steps, band = generator(2, "theory/exit/4"), 40_000, 64, 0.05
    age = 4
    variance = DAILY**2 * age / steps
    position, inside = np.zeros(walks), np.ones(walks)
    for _ in range(steps):
        after = position + math.sqrt(variance) * random.standard_normal(walks)
        for distance, distance_after in (
            (math.log1p(band) - position, math.log1p(band) - after),
            (position - math.log1p(-band), after - math.log1p(-band)),
        ):
            away = np.maximum(distance, 0) * np.maximum(distance_after, 0)
            inside *= -np.expm1(-2 * away / variance)
        position = after
    share, error = 1 - inside.mean(), inside.std() / math.sqrt(walks)
    assert share == pytest.approx(theory.first_passage_share(age, DAILY, band), abs=4 * error)


@pytest.mark.parametrize("band", [0.01, 0.05, 0.5])
def test_the_mean_time_is_the_integral_of_the_chance_to_be_inside(band):
    mean = theory.mean_first_passage(DAILY, band)
    ends = (0, mean / 10, mean, 5 * mean, 40 * mean)
    integral = math.fsum(
        quad(lambda age: 1 - theory.first_passage_share(age, DAILY, band), *piece)[0]
        for piece in pairwise(ends)
    )
    assert integral == pytest.approx(mean, rel=1e-7)
    assert theory.mean_first_passage(0, band) == math.inf


@given(AGES, VOLATILITIES, BANDS, SPREADS)
def test_shares_are_shares_and_who_is_outside_has_left(age, volatility, band, spread):
    outside = theory.stale_outside_share(age, volatility, band)
    left = theory.first_passage_share(age, volatility, band)
    assert 0 <= outside <= left + 1e-14
    assert left <= 1
    assert 0 <= theory.stale_outside_share(age, volatility, band, spread) <= 1


@given(st.lists(AGES, min_size=2, max_size=2), VOLATILITIES, BANDS)
def test_the_older_the_more_and_the_wider_the_fewer(ages, volatility, band):
    young, old = sorted(ages)
    for share in (theory.stale_outside_share, theory.first_passage_share):
        assert share(young, volatility, band) <= share(old, volatility, band) + 1e-14
        assert share(old, volatility, band / 2) >= share(old, volatility, band) - 1e-14
        assert share(old, volatility / 2, band) <= share(old, volatility, band) + 1e-14


# --- What each formula takes

_SHARE_ENDS = [5e-324, 1 - 1e-16, np.float64(0.5)], [0, 1, -1e-300, 1.5, "0.5", None, True]
_PROBABILITY = [1, 1.0, 0.5, Fraction(1), np.float64(1)], [0, -0.1, 1 + 1e-15, Fraction(4, 3), True]
_POSITIVE = [5e-324, 1e300, Fraction(1, 3), np.int64(3)], [0, -5e-324, 10**400, "1", None, True]
_FROM_ZERO = [0, 0.0, 5e-324, 1e300, np.float32(0)], [-5e-324, 10**400, -1, "1", None, False, 1j]
_ODD = [1.0, "3", None, True, math.nan, -1, Fraction(3)]
_COUNT = [0, 1_000, np.int64(4)], [1_000_001, *_ODD]
_SILENT = [set(), [3, 3], {np.int64(3)}], [{4}, {-1}, {True}, {1.0}, {"node_1"}, 3, None]
_MOVED = {"age": _FROM_ZERO, "volatility": _FROM_ZERO}
_COUNT_FROM_1 = [1, 1_000, np.int64(4)], [0, 1_000_001, *_ODD]

#: Each formula, arguments that are fine, and of each argument what just is and what just is not.
DOMAINS = [
    (theory.messages_per_epoch, {"nodes": 4}, {"nodes": _COUNT_FROM_1}),
    (theory.wait_for_run, {"length": 3, "p": 0.5}, {"length": _COUNT, "p": _PROBABILITY}),
    (
        theory.chance_of_run,
        {"length": 3, "trials": 9, "p": 0.5},
        {"length": _COUNT, "trials": _COUNT, "p": _PROBABILITY},
    ),
    (theory.finality_lag, {"p": 0.5}, {"p": _PROBABILITY}),
    (theory.final_blocks, {"epochs": 9, "p": 0.5}, {"epochs": _COUNT, "p": _PROBABILITY}),
    (
        theory.live_runs,
        {"nodes": 4, "silent": {0}},
        {"nodes": _COUNT_FROM_1, "silent": _SILENT, "length": _COUNT},
    ),
    (
        theory.round_robin_finality_lag,
        {"nodes": 4, "silent": {0}},
        {"nodes": _COUNT_FROM_1, "silent": _SILENT},
    ),
    (
        theory.mean_displacement,
        {"sources": 3, "liars": 1, "deviation": 0.1, "epochs": 5},
        {
            "sources": ([2, 1_000_000, np.int64(3)], [0, 1_000_001, *_ODD]),
            "liars": ([0, 1, np.int64(1)], [2, -1, 1.0, True, None]),
            "deviation": ([-1 + 1e-16, 1 - 1e-16, 0, Fraction(1, 10)], [-1, 1, "0.1", True]),
            "epochs": ([0, None, 1_000_000, np.int64(4)], [-1, 1_000_001, 1.0, True]),
        },
    ),
    (
        theory.outside_band_share,
        {"displacement": 0.0, "band": 0.05, "spread": 0.01},
        {
            "displacement": ([-1 + 1e-16, 0, 1e300, np.float64(0.1)], [-1, -2, "0", None, True]),
            "band": _POSITIVE,
            "spread": _FROM_ZERO,
        },
    ),
    (
        theory.denied_share,
        {"displacement_bp": 1},
        {
            "displacement_bp": ([-1e4 + 1e-11, 0, 1e300], [-10_000, "5", None, True]),
            "band_percent": ([1e-300, 5], _POSITIVE[1]),
            "spread_percent": _FROM_ZERO,
        },
    ),
    (
        theory.stale_outside_share,
        {"age": 1, "volatility": 0.02, "band": 0.05, "spread": 0.01},
        {**_MOVED, "band": _SHARE_ENDS, "spread": _FROM_ZERO},
    ),
    (
        theory.first_passage_share,
        {"age": 1, "volatility": 0.02, "band": 0.05},
        {**_MOVED, "band": _SHARE_ENDS},
    ),
    (
        theory.mean_first_passage,
        {"volatility": 0.02, "band": 0.05},
        {"volatility": ([0, 1e-100, 1e300], [-5e-324, 1e-160, "1", True]), "band": _SHARE_ENDS},
    ),
]
EDGES = [
    pytest.param(formula, fine, field, *ends, id=f"{formula.__name__}-{field}")
    for formula, fine, fields in DOMAINS
    for field, ends in fields.items()
]


def test_every_formula_has_its_domain_in_the_table():
    elsewhere = {"max_faulty", "quorum"}
    public = {name for name, value in vars(theory).items() if isfunction(value)} - elsewhere
    assert {formula.__name__ for formula, _, _ in DOMAINS} == public


@pytest.mark.parametrize(("formula", "fine", "field", "inside", "outside"), EDGES)
def test_what_is_just_inside_passes_and_what_is_just_outside_is_refused(
    formula, fine, field, inside, outside
):
    for value in inside:
        formula(**{**fine, field: value})
    for value in [*outside, math.nan, math.inf, -math.inf, np.True_, np.array([1.0])]:
        with pytest.raises(InvalidInput) as caught:
            formula(**{**fine, field: value})
        assert caught.value.field == field


@pytest.mark.parametrize(
    ("formula", "arguments", "field"),
    [
        (theory.wait_for_run, (3, 1e-110), "p"),
        (theory.wait_for_run, (1_000_000, 0.5), "p"),
        (theory.finality_lag, (1e-110,), "p"),
        (theory.mean_first_passage, (1e-160, 0.05), "volatility"),
    ],
)
def test_a_mean_beyond_every_float_is_refused(formula, arguments, field):
    with pytest.raises(InvalidInput, match=r"so large that the mean is a number below 1\.8e308"):
        formula(*arguments)


@pytest.mark.parametrize("length", [1, 3, 50])
@pytest.mark.parametrize("p", [1e-6, 0.1, 0.5, 0.9, 1 - 1e-9, 1 - 2**-53])
def test_the_wait_for_a_run_is_as_exact_with_floats(length, p):
    exact = theory.wait_for_run(length, Fraction(p))
    assert theory.wait_for_run(length, p) == pytest.approx(float(exact), rel=1e-12)


@pytest.mark.parametrize("deviation", [-1 + 1e-16, 0.1, 1 - 2**-53])
@pytest.mark.parametrize("epochs", [None, 7, 1_000])
@pytest.mark.parametrize(("sources", "liars"), [(2, 1), (3, 1), (99, 1)])
def test_the_displacement_is_as_exact_with_floats(sources, liars, deviation, epochs):
    if epochs == 1_000:
        epochs = 40 if sources == 99 else 200  # of exact fractions with many digits
    exact = theory.mean_displacement(sources, liars, Fraction(deviation), epochs)
    displacement = theory.mean_displacement(sources, liars, deviation, epochs)
    assert displacement == pytest.approx(float(exact), rel=1e-12)


_ANY = st.one_of(
    st.integers(),
    st.integers(-3, 12),
    st.floats(),
    st.floats(-0.1, 1.1),
    st.floats(0, 1e-100),
    st.sampled_from([0, 1, -1, 0.0, 5e-324, 1.0, 1 - 2**-53, 1e308, 10**400, True]),
)
_PROBABILITIES = ("chance_of_run", "live_runs")  # and all shares


@pytest.mark.parametrize(("formula", "fine", "fields"), DOMAINS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_number_gives_a_finite_value_in_its_range_or_is_refused(formula, fine, fields, data):
    numbers = {name: _ANY for name in fields if name not in ("model", "silent")}
    given_some = data.draw(st.fixed_dictionaries({}, optional=numbers))
    try:
        found = formula(**{**fine, **given_some})
    except InvalidInput:
        return
    if found is None:
        assert formula is theory.round_robin_finality_lag
    elif formula is theory.mean_first_passage and given_some.get("volatility") == 0:
        assert found == math.inf
    else:
        assert math.isfinite(found)
        least = -1 if formula is theory.mean_displacement else 0
        is_share = formula.__name__.endswith("_share") or formula.__name__ in _PROBABILITIES
        most = 1 if is_share else math.inf
        assert least <= found <= most


@pytest.mark.parametrize("bp", [0, 100, 526, -526])
def test_denied_is_what_lies_outside_the_band(bp):
    ratio, phi = 1 + bp / 10_000, NormalDist().cdf
    outside = phi((0.95 * ratio - 1) / 0.005) + 1 - phi((1.05 * ratio - 1) / 0.005)
    assert theory.denied_share(bp) == pytest.approx(outside, abs=1e-12)
    outside = phi((0.9 * ratio - 1) / 0.01) + 1 - phi((1.1 * ratio - 1) / 0.01)
    assert theory.denied_share(bp, 10, 1.0) == pytest.approx(outside, abs=1e-12)


def test_without_spread_all_or_nothing_is_denied():
    shares = [theory.denied_share(bp, spread_percent=0) for bp in (0, 526, 527, -527, -476)]
    assert shares == [0, 0, 1, 1, 0]


def test_the_wait_for_a_run_is_the_sum_of_the_chances_that_it_has_not_come():
    without = sum(1 - theory.chance_of_run(3, trials, 0.75) for trials in range(400))
    assert without == pytest.approx(theory.wait_for_run(3, 0.75))


def lag_probabilities(p, longest):
    """Exact probability of each lag up to the longest, from a chain of live leaders in a row.

    The chain knows how many leaders in a row are live, the block's own being the last of them;
    two stands for two or more, since the block of a run's second leader waits for one more only.
    """
    in_a_row = {0: Fraction(0), 1: 1 - p, 2: p}
    for _ in range(longest):
        yield p * in_a_row[2]
        in_a_row = {0: (1 - p) * sum(in_a_row.values()), 1: p * in_a_row[0], 2: p * in_a_row[1]}


@pytest.mark.parametrize("p", SHARES)
def test_finality_lag_is_the_mean_of_its_exact_distribution(p):
    mean = sum(lag * each for lag, each in enumerate(lag_probabilities(p, 300), start=1))
    assert float(theory.finality_lag(p)) == pytest.approx(float(mean), rel=1e-6)


def test_in_a_long_run_as_many_blocks_wait_as_littles_law_says():
    # But for genesis, which the first block need not wait for.
    longer, shorter = (theory.final_blocks(epochs, 0.75) for epochs in (400, 300))
    assert longer - shorter == pytest.approx(75)
    assert longer == pytest.approx(0.75 * (400 - theory.finality_lag(0.75)), abs=0.5)


def test_the_unit_of_time_is_that_of_the_volatility():
    yearly = DAILY * math.sqrt(252)
    for share in (theory.stale_outside_share, theory.first_passage_share):
        assert share(3 / 252, yearly, 0.05) == pytest.approx(share(3, DAILY, 0.05), rel=1e-12)
    mean = theory.mean_first_passage(yearly, 0.05)
    assert 252 * mean == pytest.approx(theory.mean_first_passage(DAILY, 0.05), rel=1e-12)


@pytest.mark.parametrize("moved", [0.2, 0.5, 1, 1.2, 2, 4])
def test_a_narrow_band_is_symmetric_and_has_the_known_series(moved):
    # P(max |B| < c) = 4/π Σ (−1)^k/(2k + 1) exp(−(2k + 1)² π² t / 8 c²): Feller II, X.5.
    band = 1e-7
    inside = math.fsum(
        4
        / math.pi
        * (-1) ** k
        / (2 * k + 1)
        * math.exp(-(((2 * k + 1) * math.pi * moved) ** 2) / 8)
        for k in range(200)
    )
    share = theory.first_passage_share(1, moved * band, band)
    assert share == pytest.approx(1 - inside, abs=1e-7)


def test_fractions_have_no_largest_one():
    tiny = Fraction(1, 10**110)
    assert theory.wait_for_run(3, tiny) == sum(tiny**-length for length in (1, 2, 3))
    assert theory.finality_lag(tiny) == (1 + tiny - tiny**2) / tiny**3


def test_extremes_of_age_and_spread_have_their_limits():
    assert theory.stale_outside_share(1, 100, 0.05, 200) == pytest.approx(0.9996, abs=4e-4)
    assert theory.stale_outside_share(1e300, 1e300, 0.05, 0.5) == 1
    assert theory.stale_outside_share(1, 0.02, 0.05, 1e300) == pytest.approx(1)
    assert theory.first_passage_share(1e300, 1e300, 0.05) == 1
    assert theory.stale_outside_share(1e12, DAILY, 0.05, 0.005) == pytest.approx(1, abs=1e-5)
    assert theory.mean_first_passage(1e200, 0.05) == 0  # of about 1e-403
