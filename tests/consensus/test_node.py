"""What a node says, and when: every message in any order, from anyone."""

from collections import Counter
from dataclasses import replace

import pytest

from streamlet_lab.consensus import (
    Conflicting,
    Dropped,
    Finalized,
    Message,
    Notarized,
    Proposal,
    Refused,
    Verdict,
    Vote,
)

from .committee import GENESIS, Committee, extend


class Picky:
    """Refuses payloads that say so, and notes what it is asked."""

    def __init__(self):
        self.asked = []

    def make_payload(self, epoch, ancestors, observation):
        return b"good", b""

    def judge(self, block, ancestors, observation):
        self.asked.append((block, [*ancestors], observation))
        return Verdict(block.payload != b"bad", "bad payload")


@pytest.fixture
def committee():
    return Committee()


@pytest.fixture
def node(committee):
    """A node that leads epochs 3, 7, …"""
    return committee.node("node_3")


def tell(node, *messages):
    """Let a node receive messages, and return those that it sends."""
    return [event for event in reported(node, *messages) if isinstance(event, Message)]


def reported(node, *messages):
    """Let a node receive messages, and return all that it reports."""
    return [event for message in messages for event in node.receive(message)]


def voted_for(said):
    """The blocks that a node votes for, given all that it said."""
    assert all(isinstance(message, Vote) for message in said)
    return [message.block_hash for message in said]


# Proposing


def test_a_leader_proposes_on_genesis_and_votes_for_its_own_block(committee):
    node = committee.node("node_0")
    proposal, vote = node.start_epoch(0)
    assert (proposal.block.parent, proposal.block.height) == (GENESIS.hash, 1)
    assert proposal.block.payload == b"payload of epoch 0"
    assert vote == committee.vote(proposal.block, "node_0")
    assert node.tree.ballots[vote.signed] == {vote.voter: vote}


def test_a_leader_extends_a_longest_notarized_chain(committee, node):
    first = extend(GENESIS, 0)
    second = extend(first, 1)
    unnotarized = extend(second, 2)
    tell(node, *map(committee.propose, (first, second, unnotarized)))
    tell(node, *committee.votes(first), *committee.votes(second))
    proposal, _ = node.start_epoch(3)
    assert (proposal.block.parent, proposal.block.height) == (second.hash, 3)


def test_a_leader_that_does_not_propose_still_votes_for_others(committee, node):
    node.proposes = False
    assert node.start_epoch(3) == []
    node.start_epoch(4)
    block = extend(GENESIS, 4)
    assert voted_for(tell(node, committee.propose(block))) == [block.hash]


def test_a_node_that_withholds_its_votes_still_proposes(committee, node):
    node.votes = False
    (proposal,) = node.start_epoch(3)
    assert isinstance(proposal, Proposal)
    node.start_epoch(4)
    assert tell(node, committee.propose(extend(GENESIS, 4))) == []


# Voting


def test_a_node_votes_once_in_an_epoch_for_the_first_proposal(committee, node):
    node.start_epoch(0)
    first, second = extend(GENESIS, 0, b"first"), extend(GENESIS, 0, b"second")
    assert voted_for(tell(node, committee.propose(first))) == [first.hash]
    assert tell(node, committee.propose(second), committee.propose(first)) == []
    assert tell(node, *committee.votes(second)) == []


def test_a_second_proposal_gets_no_vote_although_the_first_does_not_fit(committee, node):
    tell(node, committee.propose(extend(GENESIS, 0)), *committee.votes(extend(GENESIS, 0)))
    node.start_epoch(1)
    too_short, fitting = extend(GENESIS, 1), extend(extend(GENESIS, 0), 1)
    assert tell(node, committee.propose(too_short), committee.propose(fitting)) == []


def test_no_vote_for_a_chain_shorter_than_the_longest_notarized(committee, node):
    blocks = [extend(GENESIS, 0)]
    blocks.append(extend(blocks[0], 1))
    tell(node, *map(committee.propose, blocks))
    tell(node, *committee.votes(blocks[0]), *committee.votes(blocks[1]))
    node.start_epoch(2)
    assert tell(node, committee.propose(extend(blocks[0], 2))) == []


@pytest.mark.parametrize("falsely", [0, 1], ids=["genesis", "a shorter chain"])
def test_no_vote_for_a_block_that_lies_about_its_height(committee, node, falsely):
    # Its parent is notarized and its height one more than that of the longest chain.
    first, second = extend(GENESIS, 0), extend(extend(GENESIS, 0), 1)
    for block in (first, second):
        tell(node, committee.propose(block), *committee.votes(block))
    node.start_epoch(2)
    false = replace(extend((GENESIS, first)[falsely], 2), height=3)
    assert tell(node, committee.propose(false)) == []
    # It was the leader's first proposal of the epoch, so there is no vote for another either.
    assert tell(node, committee.propose(extend(second, 2))) == []


@pytest.mark.parametrize("epoch", [5, 6], ids=["the same", "later"])
def test_no_vote_for_a_block_whose_parent_is_not_of_an_earlier_epoch(committee, node, epoch):
    parent = extend(GENESIS, epoch)
    node.start_epoch(5)
    assert tell(node, committee.propose(extend(parent, 5, b"child"))) == []
    assert tell(node, *committee.votes(parent), committee.propose(parent)) == []
    assert node.tree.longest == [parent]


def test_no_vote_on_a_parent_that_is_not_notarized_beside_one_that_is(committee, node):
    notarized, other = extend(GENESIS, 0, b"notarized"), extend(GENESIS, 0, b"other")
    tell(node, committee.propose(notarized), committee.propose(other))
    tell(node, *committee.votes(notarized))
    node.start_epoch(1)
    assert tell(node, committee.propose(extend(other, 1))) == []


def test_no_vote_for_a_block_that_others_have_notarized_already(committee, node):
    node.start_epoch(0)
    block = extend(GENESIS, 0)
    assert tell(node, *committee.votes(block), committee.propose(block)) == []
    assert node.tree.longest == [block]


def test_a_vote_for_any_of_several_longest_notarized_chains(committee, node):
    forks = [extend(GENESIS, 0), extend(GENESIS, 1)]
    for fork in forks:
        tell(node, committee.propose(fork), *committee.votes(fork))
    assert node.tree.longest == forks
    for epoch, fork in zip((4, 5), forks, strict=True):
        node.start_epoch(epoch)
        block = extend(fork, epoch)
        assert voted_for(tell(node, committee.propose(block))) == [block.hash]


def test_no_vote_for_a_block_of_an_epoch_that_is_over(committee, node):
    node.start_epoch(0)
    node.start_epoch(1)
    block = extend(GENESIS, 0)
    assert tell(node, committee.propose(block)) == []
    assert block.hash in node.tree


def test_an_observer_follows_the_chain_and_never_votes(committee):
    observer = committee.node("observer")
    parent = GENESIS
    for epoch in range(5):
        assert observer.start_epoch(epoch) == []
        parent = extend(parent, epoch)
        assert tell(observer, committee.propose(parent), *committee.votes(parent)) == []
    assert [block.epoch for block in observer.tree.finalized] == [-1, 0, 1, 2, 3]


# The first trap: a proposal that does not fit yet is looked at again in its epoch


def make_pending(committee, node):
    """Epoch 1: its proposal is here before its parent's notarization."""
    parent = extend(GENESIS, 0)
    child = extend(parent, 1)
    node.start_epoch(0)
    tell(node, committee.propose(parent))
    node.start_epoch(1)
    assert tell(node, committee.propose(child)) == []
    return parent, child


def test_b5_a_pending_proposal_gets_the_vote_when_its_parent_is_notarized(committee, node):
    parent, child = make_pending(committee, node)
    first, second = committee.votes(parent, ["node_0", "node_1"])
    assert tell(node, first) == []
    assert voted_for(tell(node, second)) == [child.hash]
    assert tell(node, *committee.votes(parent), *committee.votes(child)) == []


def test_a_pending_proposal_gets_no_vote_in_the_next_epoch(committee, node):
    parent, _ = make_pending(committee, node)
    assert node.start_epoch(2) == []
    assert tell(node, *committee.votes(parent)) == []
    assert node.tree.longest == [parent]


def test_a_proposal_on_an_unknown_parent_waits_for_it(committee, node):
    parent = extend(GENESIS, 0)
    child = extend(parent, 1)
    node.start_epoch(1)
    assert tell(node, committee.propose(child), *committee.votes(parent)) == []
    assert child.hash not in node.tree
    assert voted_for(tell(node, committee.propose(parent))) == [child.hash]


def test_a_pending_proposal_gets_no_vote_once_it_is_too_short(committee, node):
    parent, _ = make_pending(committee, node)
    other = extend(extend(GENESIS, 0, b"other"), 1, b"other")
    fork = extend(GENESIS, 0, b"other")
    tell(node, committee.propose(fork), committee.propose(other))
    tell(node, *committee.votes(other), *committee.votes(fork))
    assert node.tree.longest == [other]
    assert tell(node, *committee.votes(parent)) == []


def test_a_proposal_for_a_future_epoch_waits_for_its_epoch(committee, node):
    block = extend(GENESIS, 2)
    node.start_epoch(0)
    assert tell(node, committee.propose(block)) == []
    assert node.start_epoch(1) == []
    assert voted_for(node.start_epoch(2)) == [block.hash]


def test_of_two_proposals_for_a_future_epoch_the_first_is_voted_for(committee, node):
    first, second = extend(GENESIS, 2, b"first"), extend(GENESIS, 2, b"second")
    tell(node, committee.propose(first), committee.propose(second))
    assert voted_for(node.start_epoch(2)) == [first.hash]


# What is reported


def test_a_node_reports_what_happens_in_the_order_in_which_it_happens(committee, node):
    one = extend(GENESIS, 0)
    two = extend(one, 1)
    three = extend(two, 2)
    node.start_epoch(0)
    vote = committee.vote(one, "node_3")
    assert node.receive(committee.propose(one)) == [vote]
    first, second, third = committee.votes(one)
    assert [node.receive(first), node.receive(first)] == [(), ()]
    tell(node, committee.propose(three), *committee.votes(three), committee.propose(two))
    tell(node, *committee.votes(two))
    assert node.receive(second) == [
        Notarized(one),
        Notarized(two),
        Finalized(one),
        Notarized(three),
        Finalized(two),
    ]
    assert node.receive(third) == ()


def test_a_node_reports_each_conflict_once(committee, node):
    for start, payload in ((0, b""), (3, b"rival")):
        parent, events = GENESIS, []
        for epoch in range(start, start + 3):
            parent = extend(parent, epoch, payload)
            events += reported(node, committee.propose(parent), *committee.votes(parent))
    assert [event for event in events if not isinstance(event, Notarized)] == [
        Conflicting(next(node.tree.chain(parent.parent)))
    ]
    assert len(node.tree.finalized) == 3


# Votes and duplicates


def test_duplicates_change_nothing_and_are_counted(committee, node):
    node.start_epoch(0)
    block = extend(GENESIS, 0)
    messages = [committee.propose(block), committee.vote(block, "node_0")]
    tell(node, *messages)
    assert tell(node, *messages, *messages) == []
    assert node.dropped == Counter({Dropped.DUPLICATE: 4})
    assert not node.tree.is_notarized(block.hash)


def test_a_waiting_proposal_is_a_duplicate_too(committee, node):
    proposal = committee.propose(extend(extend(GENESIS, 0), 1))
    tell(node, proposal, proposal)
    assert node.dropped == Counter({Dropped.DUPLICATE: 1})


# Forgeries


FORGED_PROPOSALS = {
    # what is wrong: (how it is made, why it is dropped)
    "signature is another message's": (
        lambda c, block: replace(
            c.propose(block), signature=c.propose(extend(GENESIS, 0, b"x")).signature
        ),
        Dropped.BAD_SIGNATURE,
    ),
    "signature is another node's": (
        lambda c, block: replace(c.propose(block, "node_1"), proposer="node_0"),
        Dropped.BAD_SIGNATURE,
    ),
    "signature is over a vote": (
        lambda c, block: replace(c.propose(block), signature=c.vote(block, "node_0").signature),
        Dropped.BAD_SIGNATURE,
    ),
    "no signature": (
        lambda c, block: replace(c.propose(block), signature=b""),
        Dropped.BAD_SIGNATURE,
    ),
    "another validator proposes": (
        lambda c, block: c.propose(block, "node_1"),
        Dropped.NOT_THE_LEADER,
    ),
    "a stranger proposes": (lambda c, block: c.propose(block, "stranger"), Dropped.NOT_THE_LEADER),
    "epoch before the first": (
        lambda c, block: c.propose(replace(block, epoch=-4)),
        Dropped.NOT_THE_LEADER,
    ),
    "another chain": (
        lambda c, block: c.propose(replace(block, chain_id="other")),
        Dropped.OTHER_CHAIN,
    ),
}

FORGED_VOTES = {
    "signature is another block's": (
        lambda c, block: replace(
            c.vote(block, "node_2"), signature=c.vote(extend(GENESIS, 0), "node_2").signature
        ),
        Dropped.BAD_SIGNATURE,
    ),
    "signature is another node's": (
        lambda c, block: replace(c.vote(block, "node_1"), voter="node_2"),
        Dropped.BAD_SIGNATURE,
    ),
    "signature is over a proposal": (
        lambda c, block: replace(
            c.vote(block, "node_2"), signature=c.propose(block, "node_2").signature
        ),
        Dropped.BAD_SIGNATURE,
    ),
    "another epoch than was signed": (
        lambda c, block: replace(c.vote(block, "node_2"), epoch=1),
        Dropped.BAD_SIGNATURE,
    ),
    "a stranger votes": (lambda c, block: c.vote(block, "stranger"), Dropped.NOT_A_VALIDATOR),
    "another chain": (
        lambda c, block: c.vote(block, "node_2", chain_id="other"),
        Dropped.OTHER_CHAIN,
    ),
}


@pytest.mark.parametrize("forgery", FORGED_PROPOSALS)
def test_a_forged_proposal_is_dropped_and_the_true_one_still_gets_the_vote(
    committee, node, forgery
):
    make, reason = FORGED_PROPOSALS[forgery]
    node.start_epoch(0)
    block = extend(GENESIS, 0, b"true")
    forged = make(committee, block)
    assert tell(node, forged) == []
    assert not node.tree.knows(forged.block)
    assert node.dropped == Counter({reason: 1})
    assert voted_for(tell(node, committee.propose(block))) == [block.hash]


@pytest.mark.parametrize("forgery", FORGED_VOTES)
def test_a_forged_vote_is_dropped_and_the_true_one_still_counts(committee, node, forgery):
    make, reason = FORGED_VOTES[forgery]
    block = extend(GENESIS, 0, b"true")
    tell(node, committee.propose(block), *committee.votes(block, ["node_0", "node_1"]))
    assert tell(node, make(committee, block)) == []
    assert not node.tree.is_notarized(block.hash)
    assert node.dropped == Counter({reason: 1})
    tell(node, committee.vote(block, "node_2"))
    assert node.tree.is_notarized(block.hash)


@pytest.mark.parametrize("change", [{"epoch": 1}, {"height": 2}])
def test_a_mislabelled_vote_does_not_hide_its_voters_true_one(committee, node, change):
    # Otherwise a Byzantine voter splits the views for ever: who gets the mislabelled vote first
    # never sees notarized what all others do, and has no vote for anything on top of it.
    block = extend(GENESIS, 0)
    tell(node, committee.propose(block), *committee.votes(block, ["node_0", "node_1"]))
    tell(node, committee.vote(block, "node_2", **change), committee.vote(block, "node_2"))
    assert node.tree.is_notarized(block.hash)


# The application


def test_a_refused_block_gets_no_vote_and_is_reported_once(committee):
    node = committee.node(application=Picky())
    node.start_epoch(0)
    bad, good = extend(GENESIS, 0, b"bad"), extend(GENESIS, 0, b"good")
    refused = Refused(bad, Verdict(False, "bad payload"))
    assert reported(node, committee.propose(bad), committee.propose(good)) == [refused]
    # It is not judged again, and may still be notarized.
    assert reported(node, *committee.votes(bad)) == [Notarized(bad)]


def test_the_application_sees_the_ancestors_and_the_observation_of_the_epoch(committee):
    application = Picky()
    node = committee.node(application=application)
    parent = extend(GENESIS, 0)
    block = extend(parent, 1)
    node.start_epoch(0, "seen in epoch 0")
    tell(node, committee.propose(parent), *committee.votes(parent))
    node.start_epoch(1, "seen in epoch 1")
    tell(node, committee.propose(block))
    assert application.asked == [
        (parent, [GENESIS], "seen in epoch 0"),
        (block, [parent, GENESIS], "seen in epoch 1"),
    ]


def test_what_a_node_learned_gets_its_vote_when_something_is_notarized(committee, node):
    first, other = extend(GENESIS, 0), extend(GENESIS, 1)
    block = extend(first, 2)
    tell(node, committee.propose(first), committee.propose(other), *committee.votes(first))
    node.start_epoch(2)
    assert not node.learn(committee.propose(block))
    assert voted_for(tell(node, *committee.votes(other))) == [block.hash]
