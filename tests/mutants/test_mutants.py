"""The planted bugs of mutants.toml; some with the test that catches each: it fails under its bug.

``python3 lab.py mutants`` tries out all of them.
"""

import ast
from collections import Counter
from functools import partial

import pytest
import test_paper
from consensus import test_certificates, test_node
from consensus.committee import Committee
from simulator import test_coalitions, test_faults

from streamlet_lab.consensus import BlockTree, StreamletNode
from streamlet_lab.simulator import Simulation
from tools.mutants import ROOT, load_mutants

from .planting import plant


def with_a_node(test, *arguments, name="node_2"):
    """A test of one node and its committee, to be called without anything."""

    def check():
        committee = Committee()
        test(committee, committee.node(name), *arguments)

    return check


def false_votes(forgery):
    test = test_certificates.test_false_votes_notarize_nothing_and_keep_no_true_one_away
    return with_a_node(test, forgery, (0, 1))


CAUGHT = {
    "votes of a certificate are not verified": (
        StreamletNode._catch_up,
        false_votes("signed for another block"),
    ),
    "strangers vote": (
        StreamletNode._reason_to_drop_vote,
        false_votes("signed, but one by a stranger"),
    ),
    "votes for another chain count": (
        StreamletNode._reason_to_drop_vote,
        with_a_node(
            test_node.test_a_forged_vote_is_dropped_and_the_true_one_still_counts, "another chain"
        ),
    ),
    "a certificate needs no quorum": (
        StreamletNode._is_below,
        false_votes("one fewer than a quorum"),
    ),
    "a quorum vouches for a proposal": (
        StreamletNode._catch_up,
        with_a_node(test_certificates.test_a_quorum_does_not_vouch_for_a_proposal, "no signature"),
    ),
    "a block with a false height gets a vote": (
        StreamletNode._extends_longest,
        with_a_node(
            test_node.test_no_vote_for_a_block_that_lies_about_its_height, 1, name="node_3"
        ),
    ),
    "a rival at the tip's height is overlooked": (
        BlockTree._final_below,
        partial(test_paper.test_section_4_one_rival_at_any_of_the_six_lengths_is_enough, 5),
    ),
    "nobody is told of a conflict": (
        BlockTree._finalize,
        test_coalitions.test_c1_a_view_that_sees_both_chains_tells_of_the_conflict_once,
    ),
    "a conflict is told again and again": (
        BlockTree._finalize,
        test_coalitions.test_c1_a_view_that_sees_both_chains_tells_of_the_conflict_once,
    ),
    "a node sends what it signed before it crashed": (
        Simulation._dispatch,
        partial(
            test_faults.test_a_node_that_crashes_between_signing_and_sending_has_said_nothing,
            "crash@1",
            False,
        ),
    ),
    "a rushing fault sees while its node is down": (
        Simulation._show_to_rushing,
        test_faults.test_a_rushing_fault_sees_nothing_while_its_node_is_down,
    ),
}


@pytest.mark.parametrize("bug", CAUGHT)
def test_a_planted_bug_is_caught(bug):
    function, check = CAUGHT[bug]
    check()
    with plant(bug, function), pytest.raises(AssertionError):
        check()
    check()


def test_every_mutant_changes_one_line_of_the_package_and_names_its_tests():
    for mutant in load_mutants():
        ast.parse(mutant.plant((ROOT / mutant.file).read_text()))
        assert mutant.before != mutant.after
        assert mutant.tests
        assert all((ROOT / test).is_file() for test in mutant.tests), mutant.name


def test_no_two_mutants_are_the_same():
    mutants = load_mutants()

    assert len({mutant.name for mutant in mutants}) == len(mutants)
    assert len({(mutant.file, mutant.before, mutant.after) for mutant in mutants}) == len(mutants)


def test_mutants_are_spread_over_the_package():
    rooms = Counter(mutant.room for mutant in load_mutants())
    least = {
        "consensus": 12,
        "simulator": 10,
        "prices": 12,
        "matching": 14,
        "checks": 6,
        "metrics": 6,
    }

    assert all(rooms[room] >= count for room, count in least.items()), rooms


def test_a_change_of_what_is_not_there_is_refused():
    refused = pytest.raises(ValueError, match="strangers vote: 0 times")

    with refused, plant("strangers vote", BlockTree._final_below):
        pass
