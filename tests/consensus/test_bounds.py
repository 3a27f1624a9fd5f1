"""What an attack costs a node: counts of steps, verifications and messages kept, never time."""

from dataclasses import replace

import pytest

from streamlet_lab.consensus import EPOCHS_AHEAD, Block, BlockTree, Dropped
from streamlet_lab.keys import Ed25519Keyring

from .committee import GENESIS, Committee, chain_of, extend, votes_for

# Walks through the tree


class Counted(dict):
    """Counts how often anyone looks for a block, such as another's parent."""

    steps = 0

    def __getitem__(self, name):
        self.steps += 1
        return super().__getitem__(name)

    def get(self, name):
        self.steps += 1
        return super().get(name)


def final_and_fork(length):
    """Three blocks, of which two are final, and a long chain beside them."""
    return [*chain_of(*range(3)), *chain_of(*range(10, 10 + length))]


def final_and_comb(length):
    """The same, and on each block of the fork two more that finalize it again."""
    fork = chain_of(*range(10, 10 + length))
    teeth = [
        tooth
        for block in fork
        for tooth in chain_of(block.epoch + 1, block.epoch + 2, parent=block, payload=b"tooth")
    ]
    return [*chain_of(*range(3)), *fork, *teeth]


def votes_last(blocks):
    return [*blocks, *(vote for block in blocks for vote in votes_for(block))]


def votes_backwards(blocks):
    """The first three blocks are final before the fork is notarized, all at once."""
    fork = (vote for block in reversed(blocks[3:]) for vote in votes_for(block))
    return [*blocks, *(vote for block in blocks[:3] for vote in votes_for(block)), *fork]


def steps(items):
    tree = BlockTree(GENESIS, quorum=3)
    entries = tree._entries = Counted(tree._entries)
    for item in items:
        if isinstance(item, Block):
            tree.add_block(item)
        else:
            tree.add_vote(item)
    return entries.steps, tree


@pytest.mark.parametrize("arrival", [votes_last, votes_backwards])
@pytest.mark.parametrize("make", [final_and_fork, final_and_comb])
def test_a_fork_against_the_final_chain_costs_the_same_for_each_block(make, arrival):
    for length in (50, 100, 200, 400):
        blocks = make(length)
        count, tree = steps(arrival(blocks))
        assert tree.finalized == [GENESIS, *blocks[:2]]
        assert len(tree.conflicts) >= length - 2
        assert count <= 8 * len(blocks)


# Messages kept


@pytest.fixture
def committee():
    return Committee()


def kept(node, blocks):
    return [block for block in blocks if node.tree.knows(block)]


def test_nothing_of_a_far_epoch_is_kept_whoever_signed_it(committee):
    node = committee.node()
    node.start_epoch(5)
    far = [extend(GENESIS, 5 + ahead) for ahead in range(1, 400)]
    for block in far:
        node.receive(committee.propose(block))
        for vote in committee.votes(block, ["node_0"]):
            node.receive(vote)
    assert kept(node, far) == far[:EPOCHS_AHEAD]
    assert len(node.tree.ballots) == EPOCHS_AHEAD
    assert node.dropped[Dropped.TOO_EARLY] == 2 * (len(far) - EPOCHS_AHEAD)
    # They are looked up by epoch, and those of epochs that are over are gone.
    assert len(node._first_proposals) == EPOCHS_AHEAD
    node.start_epoch(5 + EPOCHS_AHEAD)
    assert len(node._first_proposals) == 1


def test_far_epochs_cost_no_verification(committee):
    node = committee.node()
    block = extend(GENESIS, EPOCHS_AHEAD)
    messages = [committee.propose(block), committee.vote(block, "node_0")]
    before = committee.keyring.verifications
    for message in messages:
        node.receive(message)
    assert committee.keyring.verifications == before
    node.start_epoch(0)
    for message in messages:
        node.receive(message)
    assert committee.keyring.verifications == before + 2
    assert kept(node, [block])


# Certificates


@pytest.fixture
def counting():
    """A committee that verifies everything each time it is asked."""
    committee = Committee()
    committee.keyring = Ed25519Keyring((*committee.names, "stranger"), seed=1, remember=False)
    return committee


CHAIN = chain_of(*range(40))
TIP = extend(CHAIN[-1], 40)
OLDEST, NEWEST = CHAIN[0], CHAIN[-1]


def with_certificate(committee, *given):
    """The proposal of the tip, with a certificate of the chain below it."""
    return replace(committee.propose(TIP), certificate=committee.certificate(CHAIN, *given))


def with_votes(committee, block, votes):
    return with_certificate(committee, {block: [*votes]})


def forged(message):
    return replace(message, signature=bytes(64))


# A proposal that is signed with a certificate that is false, and how many verifications it costs.
FALSE = {
    "a thousand votes": (
        lambda c: with_votes(c, OLDEST, [forged(c.vote(OLDEST, "node_0"))] * 1000),
        1,
    ),
    "too few votes": (lambda c: with_votes(c, NEWEST, c.votes(NEWEST)[:2]), 1),
    "one voter three times": (lambda c: with_votes(c, OLDEST, [c.vote(OLDEST, "node_0")] * 3), 1),
    "a chain that ends in the air": (
        lambda c: replace(c.propose(TIP), certificate=c.certificate(CHAIN[1:])),
        1,
    ),
    "strangers' votes": (
        lambda c: with_votes(c, OLDEST, [*c.votes(OLDEST, ["stranger"]), *c.votes(OLDEST)[:2]]),
        2,
    ),
    "votes of another chain": (
        lambda c: with_votes(c, OLDEST, [c.vote(OLDEST, v, chain_id="x") for v in c.names[:3]]),
        1,
    ),
    "forged votes": (lambda c: with_votes(c, OLDEST, map(forged, c.votes(OLDEST))), 3),
    "the last vote forged": (
        lambda c: with_votes(c, OLDEST, [*c.votes(OLDEST)[:2], forged(c.vote(OLDEST, "node_2"))]),
        5,
    ),
    "a forged block under a quorum": (
        lambda c: with_certificate(c, {}, {OLDEST: forged(c.propose(OLDEST))}),
        2,
    ),
}


def ready_node(committee):
    node = committee.node()
    node.start_epoch(40)
    return node


@pytest.mark.parametrize("falsehood", FALSE)
def test_a_false_certificate_costs_few_verifications_and_changes_nothing(counting, falsehood):
    make, cost = FALSE[falsehood]
    node, proposal = ready_node(counting), make(counting)
    before = counting.keyring.verifications
    node.receive(proposal)
    assert counting.keyring.verifications - before == cost
    # Its leader did sign the proposal itself; without the chain it waits.
    assert kept(node, [*CHAIN, TIP]) == [TIP]
    assert node.tree.ballots == {}
    assert node.tree.notarized == [GENESIS]


def test_a_false_certificate_does_not_keep_out_the_true_one(counting):
    node = ready_node(counting)
    for make, _ in FALSE.values():
        node.receive(make(counting))
    true = with_certificate(counting)
    *_, vote = node.receive(true)
    assert vote.block_hash == TIP.hash
    assert node.tree.longest == [NEWEST]


def test_a_true_certificate_costs_each_signature_once(counting):
    node = ready_node(counting)
    true = with_certificate(counting)
    before = counting.keyring.verifications
    node.receive(true)
    assert counting.keyring.verifications - before == 1 + 4 * len(CHAIN)
    node.receive(true)
    assert counting.keyring.verifications - before == 1 + 4 * len(CHAIN)


@pytest.mark.parametrize("known", [False, True])
def test_a_certificate_that_nobody_signed_for_is_not_looked_at(counting, known):
    node = ready_node(counting)
    if known:
        node.receive(counting.propose(TIP))
    true = with_certificate(counting)
    before = counting.keyring.verifications
    node.receive(replace(true, signature=bytes(64)))
    assert counting.keyring.verifications - before == 1
    assert kept(node, CHAIN) == []
    assert node.tree.ballots == {}


def test_what_came_along_with_a_proposal_is_not_passed_on(committee):
    node = committee.node("node_3")
    node.certifies = True
    blocks = chain_of(*range(3))
    garbage = committee.certificate(chain_of(*range(5), payload=b"garbage"))
    node.start_epoch(2)
    for block in blocks:
        node.receive(replace(committee.propose(block), certificate=garbage))
        for vote in committee.votes(block):
            node.receive(vote)
    proposal, _ = node.start_epoch(3)
    link, length = proposal.certificate, 0
    while link is not None:
        assert link.proposal.certificate is None
        link, length = link.parent, length + 1
    assert length == len(blocks)
