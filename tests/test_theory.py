"""Closed forms, against the numbers in the protocol's literature and by counting."""

from fractions import Fraction
from itertools import combinations, product

import pytest

from streamlet_lab import theory
from streamlet_lab.errors import InvalidInput
from streamlet_lab.streams import stream


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
