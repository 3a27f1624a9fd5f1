"""Closed forms, against the numbers in the protocol's literature and by counting."""

from fractions import Fraction
from itertools import combinations

import pytest

from streamlet_lab import theory


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
