"""Planted bugs of one line, each with the test that catches it: a test that misses its bug is none.

A check fails under its bug and passes without it.
"""

from functools import partial

import pytest
import test_paper
from consensus import test_certificates, test_node
from consensus.committee import Committee
from simulator import test_adversaries, test_faults

from streamlet_lab.consensus import BlockTree, StreamletNode
from streamlet_lab.simulator import Simulation

from .planting import one_line_changed


def with_a_node(test, *arguments, name="node_2"):
    """A test of one node and its committee, to be called without anything."""

    def check():
        committee = Committee()
        test(committee, committee.node(name), *arguments)

    return check


def false_votes(forgery):
    test = test_certificates.test_false_votes_notarize_nothing_and_keep_no_true_one_away
    return with_a_node(test, forgery, (0, 1))


BUGS = {
    "votes of a certificate are not verified": (
        (StreamletNode._catch_up, "self._reason_to_drop_vote(vote) not in _GENUINE", "False"),
        false_votes("signed for another block"),
    ),
    "strangers vote in a certificate": (
        (StreamletNode._reason_to_drop_vote, "vote.voter not in self._validators", "False"),
        false_votes("signed, but one by a stranger"),
    ),
    "votes for another chain count": (
        (StreamletNode._reason_to_drop_vote, "vote.chain_id != self._chain_id", "False"),
        false_votes("signed for another chain"),
    ),
    "a certificate needs no quorum": (
        (StreamletNode._is_below, " == self.tree.quorum", ""),
        false_votes("one fewer than a quorum"),
    ),
    "a quorum vouches for a proposal": (
        (
            StreamletNode._catch_up,
            "self._reason_to_drop_proposal(link.proposal) not in _GENUINE or ",
            "",
        ),
        with_a_node(test_certificates.test_a_quorum_does_not_vouch_for_a_proposal, "no signature"),
    ),
    "a block with a false height gets a vote": (
        (StreamletNode._extends_longest, "and block.hash in self.tree", ""),
        with_a_node(
            test_node.test_no_vote_for_a_block_that_lies_about_its_height, 1, name="node_3"
        ),
    ),
    "a rival at the tip's height is overlooked": (
        (BlockTree._is_alone, "last + 1", "last"),
        partial(test_paper.test_section_4_one_rival_at_any_of_the_six_lengths_is_enough, 5),
    ),
    "nobody is told of a conflict": (
        (BlockTree._finalize, "return [Conflicting(newest.block)]", "return []"),
        test_adversaries.test_c1_a_view_that_sees_both_chains_tells_of_the_conflict_once,
    ),
    "a conflict is told again and again": (
        (BlockTree._finalize, "[Conflicting(newest.block)]", "[*map(Conflicting, self.conflicts)]"),
        test_adversaries.test_c1_a_view_that_sees_both_chains_tells_of_the_conflict_once,
    ),
    "a node sends what it signed before it crashed": (
        (Simulation._dispatch, "not self.network.online[index]", "False"),
        partial(
            test_faults.test_a_node_that_crashes_between_signing_and_sending_has_said_nothing,
            "crash@1",
            False,
        ),
    ),
    "a rushing fault sees while its node is down": (
        (Simulation._let_overhear, "self.network.online[index] and ", ""),
        test_faults.test_a_rushing_fault_sees_nothing_while_its_node_is_down,
    ),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_caught(bug):
    change, check = BUGS[bug]
    check()
    with one_line_changed(*change), pytest.raises(AssertionError):
        check()
    check()


def test_a_change_of_what_is_not_there_is_refused():
    with (
        pytest.raises(AssertionError, match=r"is 0 times in BlockTree\._is_alone"),
        one_line_changed(BlockTree._is_alone, "first - 1", "first"),
    ):
        pass
