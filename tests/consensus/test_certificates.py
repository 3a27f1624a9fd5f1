"""A notarized chain that comes with a proposal: what is new in it counts as if it had come alone,
and whoever made it is believed nothing."""

from dataclasses import replace

import pytest

from streamlet_lab.consensus import Proposal, Vote

from .committee import GENESIS, Committee, chain_of, extend
from .test_node import FORGED_PROPOSALS, tell, voted_for


@pytest.fixture
def committee():
    return Committee()


@pytest.fixture
def node(committee):
    """A node that leads epochs 2, 6, …"""
    return committee.node("node_2")


def carrier(committee, parent, epoch, made):
    """A proposal on a block, with a certificate, by the leader of its epoch."""
    return replace(committee.propose(extend(parent, epoch, b"carrier")), certificate=made)


def show(committee, node, made, epoch=5):
    """Let a node, in that epoch, receive a certificate with a proposal on the last block in it."""
    if node.epoch < epoch:
        node.start_epoch(epoch)
    return tell(node, carrier(committee, made.proposal.block, epoch, made))


# A true one


def test_whoever_has_missed_everything_catches_up_and_votes(committee, node):
    blocks = chain_of(0, 1, 3)
    said = show(committee, node, committee.certificate(blocks))
    assert node.tree.notarized == [GENESIS, *blocks]
    assert node.tree.finalized == [GENESIS, blocks[0]]
    assert voted_for(said) == [extend(blocks[-1], 5, b"carrier").hash]


def test_what_is_missing_may_be_in_the_middle(committee, node):
    blocks = chain_of(0, 1, 2, 3)
    for block in (blocks[0], blocks[2], blocks[3]):
        tell(node, committee.propose(block), *committee.votes(block))
    assert node.tree.longest == [blocks[0]]
    show(committee, node, committee.certificate(blocks))
    assert node.tree.longest == [blocks[3]]
    assert node.tree.finalized[-1] == blocks[2]


# Votes that nobody cast


def signed_elsewhere(committee, block):
    other = extend(GENESIS, 9, b"what they did vote for")
    return [
        replace(vote, signature=committee.vote(other, vote.voter).signature)
        for vote in committee.votes(block)
    ]


FALSE_VOTES = {
    "signed for another block": signed_elsewhere,
    "signed by one for all": lambda c, block: [
        replace(c.vote(block, "node_0"), voter=name) for name in c.names[: c.quorum]
    ],
    "not signed": lambda c, block: [replace(vote, signature=b"") for vote in c.votes(block)],
    "signed, but one by a stranger": lambda c, block: c.votes(
        block, ["node_0", "node_1", "stranger"]
    ),
    "signed for another chain": lambda c, block: [
        c.vote(block, name, chain_id="other") for name in c.names[: c.quorum]
    ],
    "signed with another height": lambda c, block: [
        c.vote(block, name, height=block.height + 1) for name in c.names[: c.quorum]
    ],
    "signed with another epoch": lambda c, block: [
        c.vote(block, name, epoch=block.epoch + 1) for name in c.names[: c.quorum]
    ],
    "for the block's twin": lambda c, block: c.votes(replace(block, payload=b"twin")),
    "one fewer than a quorum": lambda c, block: c.votes(block)[:-1],
    "one of them again and again": lambda c, block: [*c.votes(block)[:-1]] * 3,
    "none": lambda c, block: [],
}


@pytest.mark.parametrize("below", [(), (0, 1)], ids=["on genesis", "on a true chain"])
@pytest.mark.parametrize("forgery", FALSE_VOTES)
def test_false_votes_notarize_nothing_and_keep_no_true_one_away(committee, node, forgery, below):
    *true, block = chain_of(*below, 3)
    false = FALSE_VOTES[forgery](committee, block)
    show(committee, node, committee.certificate([*true, block], {block: false}))
    # Whether a node takes the true part of what a liar sends does not matter.
    assert {*node.tree.notarized} <= {GENESIS, *true}
    assert not node.tree.knows(block)
    for vote in [vote for votes in node.tree.ballots.values() for vote in votes.values()]:
        assert vote.chain_id == GENESIS.chain_id
        assert committee.keyring.verify(vote.voter, vote.signature, vote.signed)
        assert vote.voter != "stranger"
    for one in (*true, block):
        tell(node, committee.propose(one), *committee.votes(one))
    assert node.tree.longest == [block]


# Proposals that nobody made, under votes that were cast


@pytest.mark.parametrize("forgery", FORGED_PROPOSALS)
def test_a_quorum_does_not_vouch_for_a_proposal(committee, node, forgery):
    make, _ = FORGED_PROPOSALS[forgery]
    block = extend(GENESIS, 0)
    forged = make(committee, block)
    votes = committee.votes(forged.block)
    child = extend(forged.block, 1)
    made = committee.certificate([forged.block], {forged.block: votes}, {forged.block: forged})
    show(committee, node, committee.certificate([child], parent=made))
    assert not node.tree.knows(forged.block)
    assert node.tree.longest == [GENESIS]
    tell(node, committee.propose(block), *committee.votes(block))
    assert node.tree.is_notarized(block.hash)


def test_a_link_that_is_not_the_parent_notarizes_no_chain(committee, node):
    first, second, third = chain_of(0, 1, 2)
    cut = committee.certificate([third], parent=committee.certificate([first]))
    show(committee, node, cut)
    assert {*node.tree.notarized} <= {GENESIS, first}
    for block in (first, second, third):
        tell(node, committee.propose(block), *committee.votes(block))
    assert node.tree.longest == [third]


def test_a_certified_block_breaks_no_rule_of_chains(committee, node):
    (parent,) = chain_of(2)
    for broken in (replace(extend(parent, 3), height=3), extend(parent, 2), extend(parent, 1)):
        show(committee, node, committee.certificate([parent, broken]))
        assert broken.hash not in node.tree
    assert {*node.tree.notarized} <= {GENESIS, parent}


# What an honest leader sends along


def leader_of(committee, name="node_3"):
    node = committee.node(name)
    node.certifies = True
    return node


def links(made):
    """A certificate and those below it."""
    return [] if made is None else [made, *links(made.parent)]


def test_a_leader_certifies_the_chain_that_it_extends(committee, node):
    leader, blocks = leader_of(committee), chain_of(0, 1, 2)
    stale = extend(blocks[0], 5, b"not notarized")
    for block in (*blocks, stale):
        tell(leader, committee.propose(block))
    for block in blocks:
        tell(leader, *committee.votes(block, committee.names[::-1]))
    proposal, _ = leader.start_epoch(7)
    assert isinstance(proposal, Proposal)
    assert [link.proposal.block for link in links(proposal.certificate)] == blocks[::-1]
    for link in links(proposal.certificate):
        assert len({vote.voter for vote in link.votes}) == len(link.votes) == committee.quorum
        assert all(isinstance(vote, Vote) for vote in link.votes)
    node.start_epoch(7)
    assert voted_for(tell(node, proposal)) == [proposal.block.hash]


def test_later_certificates_share_earlier_ones_and_follow_the_longest_chain(committee):
    leader, blocks = leader_of(committee), chain_of(0, 1)
    fork = extend(blocks[0], 4), extend(extend(blocks[0], 4), 5)
    made = []
    for epoch, block in zip((3, 7, 11, 15), (None, *blocks, fork[1]), strict=True):
        if block is fork[1]:
            tell(leader, committee.propose(fork[0]), *committee.votes(fork[0]))
        if block is not None:
            tell(leader, committee.propose(block), *committee.votes(block))
        made.append(leader.start_epoch(epoch)[0].certificate)
    assert made[0] is None
    assert [link.proposal.block.epoch for link in links(made[3])] == [5, 4, 0]
    assert links(made[3])[-1] is made[1]
    assert made[2].parent is made[1]


def test_who_does_not_certify_sends_nothing_along(committee, node):
    (block,) = chain_of(0)
    tell(node, committee.propose(block), *committee.votes(block))
    assert node.start_epoch(6)[0].certificate is None
