"""Closed forms, against the numbers in the protocol's literature and by counting."""

import math
from fractions import Fraction
from itertools import combinations, pairwise, product
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from streamlet_lab import theory
from streamlet_lab.errors import InvalidInput
from streamlet_lab.streams import generator, stream


@pytest.mark.parametrize(("nodes", "faulty"), [(1, 0), (3, 0), (4, 1), (6, 1), (7, 2), (10, 3)])
def test_fewer_than_a_third_may_be_faulty(nodes, faulty):
    assert theory.max_faulty(nodes) == faulty


@pytest.mark.parametrize("nodes", range(1, 40))
def test_max_faulty_is_the_largest_f_below_a_third(nodes):
    faulty = theory.max_faulty(nodes)
    assert 3 * faulty < nodes <= 3 * (faulty + 1)


@pytest.mark.parametrize(
    ("nodes", "votes"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (6, 4), (7, 5), (10, 7)]
)
def test_the_quorum_is_two_thirds_rounded_up(nodes, votes):
    assert theory.quorum(nodes) == votes


@pytest.mark.parametrize("nodes", range(1, 40))
def test_any_two_quorums_share_an_honest_node(nodes):
    # What 2f + 1 does not promise: at n = 5 two sets of 3 votes share one, perhaps faulty, node.
    assert 2 * theory.quorum(nodes) - nodes > theory.max_faulty(nodes)


@pytest.mark.parametrize("nodes", range(1, 40))
def test_the_honest_nodes_alone_are_a_quorum(nodes):
    assert nodes - theory.max_faulty(nodes) >= theory.quorum(nodes)


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


def test_the_wait_for_a_run_is_the_sum_of_the_chances_that_it_has_not_come():
    without = sum(1 - theory.chance_of_run(3, trials, 0.75) for trials in range(400))
    assert without == pytest.approx(theory.wait_for_run(3, 0.75))


@pytest.mark.parametrize(
    ("p", "lag"), [(1.0, 1), (0.9, 1.4952), (0.75, 2.8148), (2 / 3, 4.125), (0.5, 10)]
)
def test_finality_lag_with_independent_leaders(p, lag):
    assert theory.finality_lag(p) == pytest.approx(lag, abs=5e-5)


@pytest.mark.parametrize("p", SHARES)
def test_finality_lag_solves_the_equations_that_it_is_derived_from(p):
    after_a_silent_leader = (1 - p) * (1 + theory.wait_for_run(3, p))
    second_in_a_row = p + after_a_silent_leader
    first_in_a_row = p * (1 + second_in_a_row) + after_a_silent_leader
    assert theory.finality_lag(p) == p * second_in_a_row + (1 - p) * first_in_a_row


def lag_probabilities(p, longest):
    """Exact probability of each lag up to the longest, from a chain of live leaders in a row.

    The chain knows how many leaders in a row are live, the block's own being the last of them;
    two stands for two or more, since the block of a run's second leader waits for one more only.
    """
    in_a_row = {0: Fraction(0), 1: 1 - p, 2: p}
    for _ in range(longest):
        yield p * in_a_row[2]
        in_a_row = {
            0: (1 - p) * sum(in_a_row.values()),
            1: p * in_a_row[0],
            2: p * in_a_row[1],
        }


@pytest.mark.parametrize("p", SHARES)
def test_finality_lag_is_the_mean_of_its_exact_distribution(p):
    mean = sum(lag * each for lag, each in enumerate(lag_probabilities(p, 300), start=1))
    assert float(theory.finality_lag(p)) == pytest.approx(float(mean), rel=1e-6)


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


@pytest.mark.parametrize("p", [Fraction(9, 10), Fraction(1)])
def test_final_blocks_of_a_run_that_is_long_beside_the_lag(p):
    epochs = 14
    mean = sum(
        probability * sum(end is not None for end in finalized_in(live).values())
        for live, probability in sequences(epochs, p)
        if probability
    )
    assert float(theory.final_blocks(epochs, p)) == pytest.approx(float(mean), abs=0.01)


@pytest.mark.parametrize("p", [0, -0.1, 1.5, Fraction(4, 3), float("nan")])
@pytest.mark.parametrize(
    "formula",
    [
        lambda p: theory.wait_for_run(3, p),
        lambda p: theory.chance_of_run(3, 9, p),
        theory.finality_lag,
        lambda p: theory.final_blocks(9, p),
    ],
)
def test_a_probability_is_above_zero_and_at_most_one(formula, p):
    with pytest.raises(InvalidInput, match="a probability above 0"):
        formula(p)


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


def longest_live_run(nodes, silent):
    return max(length for length in range(nodes) if theory.live_runs(nodes, silent, length))


def test_round_robin_with_four_nodes_has_three_live_leaders_in_a_row_at_most():
    assert {longest_live_run(4, {silent}) for silent in range(4)} == {3}


def test_round_robin_with_seven_nodes_has_five_in_a_row_only_beside_two_neighbours():
    for one, other in combinations(range(7), 2):
        neighbours = other - one in (1, 6)
        assert (longest_live_run(7, {one, other}) == 5) == neighbours
        assert longest_live_run(7, {one, other}) >= 3


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


def test_one_liar_of_three_takes_the_mean_to_the_edge_of_a_band_of_five_percent():
    price = 1 + theory.mean_displacement(3, 1, TENTH)
    assert float(price) == pytest.approx(1.0526, abs=5e-5)
    assert (price - 1) / price == Fraction(5, 100)


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


def test_with_more_than_half_of_liars_the_honest_quotes_leave_the_corridor():
    # One liar more than the formula takes: two of three. Honest quotes are valid up to 1/(1 − d).
    price, epochs = Fraction(1), 0
    while (1 - TENTH) * price <= 1:
        price, epochs = (1 + 2 * (1 + TENTH) * price) / 3, epochs + 1
    assert epochs == 2


@pytest.mark.parametrize(("sources", "liars"), [(3, 2), (3, -1), (0, 0)])
def test_up_to_half_of_the_sources_lie(sources, liars):
    with pytest.raises(InvalidInput, match="from 0 to half of the"):
        theory.mean_displacement(sources, liars, 0.1)


@pytest.mark.parametrize("deviation", [1, -1.5, float("nan")])
def test_a_corridor_is_a_share(deviation):
    with pytest.raises(InvalidInput, match="a share between -1 and 1"):
        theory.mean_displacement(3, 1, deviation)


def test_epochs_are_not_negative():
    with pytest.raises(InvalidInput, match="epochs"):
        theory.mean_displacement(3, 1, 0.1, epochs=-1)


# --- How soon a price leaves a band

DAILY = 0.0238  # AAPL's volatility, per trading day
AGES = st.floats(0, 1e4)
VOLATILITIES = st.floats(0, 1)
BANDS = st.floats(0.001, 0.9)
SPREADS = st.floats(0, 0.1)


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
    """The mean of the share outside a displaced band, piece by piece around its two steps."""

    def integrand(z):
        return NormalDist().pdf(z) * theory.outside_band_share(math.expm1(-moved * z), band, spread)

    steps = (math.log1p(-band) / moved, math.log1p(band) / moved)
    places = [step + 1.5 * piece * spread / moved for step in steps for piece in range(-8, 9)]
    ends = sorted({-9.0, 9.0, *(place for place in places if -9 < place < 9)})
    pieces = pairwise(ends)
    return math.fsum(quad(integrand, *piece, epsabs=1e-15, epsrel=1e-13)[0] for piece in pieces)


@pytest.mark.parametrize(
    ("spread", "tolerance"), [(0.0001, 1e-14), (0.005, 1e-14), (0.1, 1e-14), (0.2, 1e-7)]
)
@pytest.mark.parametrize("moved", [0.0001, 0.005, 0.0238, 0.1, 2])
@pytest.mark.parametrize("band", [0.01, 0.05, 0.9])
def test_the_average_over_limit_prices_is_as_exact_as_it_says(moved, band, spread, tolerance):
    share = theory.stale_outside_share(1, moved, band, spread)
    assert share == pytest.approx(outside_by_quadrature(moved, band, spread), abs=tolerance)


def test_what_is_not_old_or_does_not_move_turns_away_what_any_band_does():
    for spread in (0.0, 0.02):
        fresh = theory.outside_band_share(0, 0.05, spread)
        assert theory.stale_outside_share(0, DAILY, 0.05, spread) == fresh
        assert theory.stale_outside_share(9, 0, 0.05, spread) == fresh
        # From both sides of where the average changes its variable, and towards nothing at all.
        nearly = theory.stale_outside_share(1e-12, DAILY, 0.05, spread)
        assert nearly == pytest.approx(fresh, abs=1e-9)


def test_a_price_without_limit_is_outside_in_the_end():
    assert theory.stale_outside_share(1e12, DAILY, 0.05) == pytest.approx(1, abs=1e-5)
    assert theory.stale_outside_share(1e12, DAILY, 0.05, 0.005) == pytest.approx(1, abs=1e-5)
    assert theory.first_passage_share(1e12, DAILY, 0.05) == 1


def test_the_unit_of_time_is_that_of_the_volatility():
    yearly = DAILY * math.sqrt(252)
    for share in (theory.stale_outside_share, theory.first_passage_share):
        assert share(3 / 252, yearly, 0.05) == pytest.approx(share(3, DAILY, 0.05), rel=1e-12)
    mean = theory.mean_first_passage(yearly, 0.05)
    assert 252 * mean == pytest.approx(theory.mean_first_passage(DAILY, 0.05), rel=1e-12)


@pytest.mark.parametrize("spread", [0.0, 0.005, 0.05])
def test_random_prices_are_outside_an_old_band_as_often(spread):
    random, count = generator(1, "theory/stale"), 400_000
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


@pytest.mark.parametrize("band", [0.001, 0.05, 0.5, 0.95])
@pytest.mark.parametrize("widths", [0.1, 0.3, 0.5641, 0.5642, 0.5643, 0.8, 1.5, 4])
def test_the_chance_of_having_left_is_that_of_the_mirror_images(band, widths):
    # The formula changes its series at 1/√π = 0.56419 of the band's width.
    moved = widths * (math.log1p(band) - math.log1p(-band))
    share = theory.first_passage_share(1, moved, band)
    assert share == pytest.approx(exit_by_images(moved, band), abs=1e-12)


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


def test_while_it_is_unlikely_to_have_left_it_is_twice_as_likely_as_to_be_outside():
    # The reflection principle, with relative precision far beyond that of 1 − p.
    for age in (0.01, 0.03, 0.1):
        outside = theory.stale_outside_share(age, DAILY, 0.05)
        assert theory.first_passage_share(age, DAILY, 0.05) == pytest.approx(2 * outside, rel=1e-9)
    assert 0 < theory.first_passage_share(0.01, DAILY, 0.05) < 1e-80


@pytest.mark.parametrize("age", [1, 4, 12])
def test_random_walks_leave_the_band_as_often(age):
    # Between two steps a Brownian bridge from x to y crosses c with probability
    # exp(−2 (c − x)(c − y) / variance); walks carry how likely they are to be inside yet.
    random, walks, steps, band = generator(2, f"theory/exit/{age}"), 40_000, 64, 0.05
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
    assert 0 <= theory.stale_outside_share(age, volatility, band, spread) <= 1 + 1e-14


@given(st.lists(AGES, min_size=2, max_size=2), VOLATILITIES, BANDS)
def test_the_older_the_more_and_the_wider_the_fewer(ages, volatility, band):
    young, old = sorted(ages)
    for share in (theory.stale_outside_share, theory.first_passage_share):
        assert share(young, volatility, band) <= share(old, volatility, band) + 1e-14
        assert share(old, volatility, band / 2) >= share(old, volatility, band) - 1e-14
        assert share(old, volatility / 2, band) <= share(old, volatility, band) + 1e-14


@pytest.mark.parametrize(
    ("wrong", "field", "expected"),
    [
        ((-1, 0.1, 0.05), "age", "zero or more"),
        ((math.nan, 0.1, 0.05), "age", "zero or more"),
        ((math.inf, 0.1, 0.05), "age", "finite"),
        ((1, -0.1, 0.05), "volatility", "zero or more"),
        ((1, math.inf, 0.05), "volatility", "finite"),
        ((1, 0.1, 0), "band", "between 0 and 1"),
        ((1, 0.1, 1), "band", "between 0 and 1"),
        ((1, 0.1, math.nan), "band", "between 0 and 1"),
    ],
)
def test_ages_volatilities_and_bands_that_cannot_be(wrong, field, expected):
    formulas = [theory.stale_outside_share, theory.first_passage_share]
    if field != "age":
        formulas.append(lambda _, *others: theory.mean_first_passage(*others))
    for formula in formulas:
        with pytest.raises(InvalidInput, match=expected) as caught:
            formula(*wrong)
        assert caught.value.field == field


@pytest.mark.parametrize("spread", [-0.1, math.nan, math.inf])
def test_a_spread_is_a_share(spread):
    with pytest.raises(InvalidInput, match="spread"):
        theory.stale_outside_share(1, DAILY, 0.05, spread)
