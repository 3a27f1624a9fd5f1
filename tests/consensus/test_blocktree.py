"""One view of blocks and votes: the scenarios A1 to A12, the quorum, and votes that count."""

from dataclasses import replace

import pytest

from streamlet_lab import InvalidInput
from streamlet_lab.consensus import Block, BlockTree
from streamlet_lab.consensus.finality import SIX_UNCONTESTED

from .committee import GENESIS, VOTERS, chain_of, extend, vote_for, votes_for

# As in the notes: a chain is written as its epochs, which are the paper's (genesis 0, the lab's
# plus one). A chain whose first epoch is there already goes on from that block.
SCENARIOS = {
    # scenario: (notarized chains, final)
    "A1": ("2-5-6-7 and 1-3", "2-5-6"),
    "A1 without 7": ("2-5-6 and 1-3", ""),
    "A2": ("1-2", "1"),
    "A3": ("2-3", ""),
    "A4": ("1-3-4-5", "1-3-4"),
    "A5": ("1-2-3-5", "1-2"),
    "A6": ("1-2-3-5-6-7", "1-2-3-5-6"),
    "A7": ("2-4-6-8", ""),
    "A8": ("1-2-4-5-7-8", "1"),
    "A11": ("1-2-3-4-5-6-7 and 7-8-10-13-14-15 and 7-9-11-12", "1-2-3-4-5-6-7-8-10-13-14"),
}

ARRIVALS = {
    "each block with its votes": lambda blocks: [
        item for block in blocks for item in (block, *votes_for(block))
    ],
    "everything backwards": lambda blocks: [
        item for block in reversed(blocks) for item in (*votes_for(block), block)
    ],
    "blocks, then votes backwards": lambda blocks: [
        *blocks,
        *(vote for block in reversed(blocks) for vote in votes_for(block)),
    ],
}


def blocks_of(chains):
    """Blocks of the chains, by the paper's epoch."""
    blocks = {0: GENESIS}
    for chain in chains.split(" and "):
        parent = GENESIS
        for epoch in map(int, chain.split("-")):
            if epoch not in blocks:
                blocks[epoch] = extend(parent, epoch - 1)
            parent = blocks[epoch]
    del blocks[0]
    return blocks


def feed(tree, items):
    for item in items:
        if isinstance(item, Block):
            tree.add_block(item)
        else:
            tree.add_vote(item)
    return tree


def notarize(tree, *blocks):
    feed(tree, (vote for block in blocks for vote in votes_for(block)))


def final(tree):
    """The finalized chain as the notes write it, without genesis."""
    return "-".join(str(block.epoch + 1) for block in tree.finalized[1:])


def longest(tree):
    """The longest notarized chains as the notes write them, in the order of the view."""
    chains = ([*tree.chain(tip.hash)][-2::-1] for tip in tree.longest)
    return ["-".join(str(block.epoch + 1) for block in chain) for chain in chains]


@pytest.fixture
def tree():
    return BlockTree(GENESIS, quorum=3)


@pytest.mark.parametrize("arrival", ARRIVALS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(tree, scenario, arrival):
    chains, expected = SCENARIOS[scenario]
    feed(tree, ARRIVALS[arrival](list(blocks_of(chains).values())))
    assert final(tree) == expected
    assert tree.conflicts == []


def test_a9_notarizations_out_of_order(tree):
    blocks = blocks_of("1-2-3-4-5-6-7")
    feed(tree, blocks.values())
    notarize(tree, blocks[1], blocks[3], blocks[5], blocks[7])
    assert final(tree) == ""
    notarize(tree, blocks[2])
    assert final(tree) == "1-2"
    notarize(tree, blocks[4])
    assert final(tree) == "1-2-3-4"
    notarize(tree, blocks[6])
    assert final(tree) == "1-2-3-4-5-6"


def test_a10_a_hole(tree):
    blocks = blocks_of("1-2-3-4-5")
    feed(tree, blocks.values())
    notarize(tree, blocks[1], blocks[3], blocks[4], blocks[5])
    assert (final(tree), longest(tree)) == ("", ["1"])
    notarize(tree, blocks[2])
    assert (final(tree), longest(tree)) == ("1-2-3-4", ["1-2-3-4-5"])


def test_a10_a_block_that_is_missing(tree):
    blocks = blocks_of("1-2-3-4-5")
    missing = blocks.pop(2)
    feed(tree, blocks.values())
    notarize(tree, *blocks.values(), missing)
    assert (final(tree), longest(tree)) == ("", ["1"])
    assert blocks[4].hash not in tree
    assert tree.knows(blocks[4])
    tree.add_block(missing)
    assert (final(tree), longest(tree)) == ("1-2-3-4", ["1-2-3-4-5"])


def test_a12_in_one_view_is_a_conflict_and_does_not_move_the_final_chain(tree):
    blocks = blocks_of("2-5-6-7 and 1-3-8-9-10")
    feed(tree, [*blocks.values()])
    notarize(tree, *blocks.values())
    assert final(tree) == "2-5-6"
    assert tree.conflicts == [blocks[9]]


def test_genesis_is_notarized_and_final(tree):
    assert tree.longest == tree.notarized == tree.finalized == [GENESIS]
    assert tree.is_notarized(GENESIS.hash)
    assert GENESIS.hash in tree


def test_forks_of_one_length_are_all_longest_in_the_order_in_which_they_became_so(tree):
    blocks = blocks_of("1-2-3 and 1-4-5 and 1-6")
    feed(tree, blocks.values())
    notarize(tree, blocks[1], blocks[6])
    assert longest(tree) == ["1-6"]
    notarize(tree, blocks[2])
    assert longest(tree) == ["1-6", "1-2"]
    notarize(tree, blocks[4], blocks[5])
    assert longest(tree) == ["1-4-5"]
    notarize(tree, blocks[3])
    assert longest(tree) == ["1-4-5", "1-2-3"]


def test_votes_of_one_node_count_once(tree):
    block = extend(GENESIS, 0)
    feed(tree, [block, *votes_for(block, ["node_0", "node_1", "node_1", "node_0", "node_1"])])
    assert not tree.is_notarized(block.hash)
    assert [vote.voter for vote in tree.votes(block.hash)] == ["node_0", "node_1"]


def test_votes_for_two_blocks_of_an_epoch_are_not_added_up(tree):
    one, other = extend(GENESIS, 0, b"one"), extend(GENESIS, 0, b"other")
    feed(tree, [one, other, *votes_for(one, VOTERS[:2]), *votes_for(other, VOTERS[2:])])
    assert tree.longest == [GENESIS]


def test_votes_may_come_before_their_block(tree):
    block = extend(GENESIS, 0)
    notarize(tree, block)
    assert tree.longest == [GENESIS]
    tree.add_block(block)
    assert tree.longest == [block]


@pytest.mark.parametrize("change", [{"epoch": 1}, {"height": 2}])
@pytest.mark.parametrize("votes_come_first", [False, True])
def test_a_vote_that_names_another_epoch_or_height_does_not_count(tree, change, votes_come_first):
    block = extend(GENESIS, 0)
    votes = [*votes_for(block, VOTERS[:2]), replace(vote_for(block, "node_2"), **change)]
    feed(tree, [*votes, block] if votes_come_first else [block, *votes])
    assert not tree.is_notarized(block.hash)
    assert tree.votes(block.hash) == votes[:2]
    tree.add_vote(vote_for(block, "node_2"))
    assert tree.is_notarized(block.hash)
    assert len(tree.votes(block.hash)) == 3


@pytest.mark.parametrize(
    ("epoch", "height"),
    [(4, 2), (3, 2), (5, 3), (5, 1), (5, 0)],
    ids=["same epoch", "earlier epoch", "too high", "parent's height", "genesis' height"],
)
@pytest.mark.parametrize("parent_comes_first", [False, True])
def test_a_block_that_breaks_the_rules_of_chains_is_dropped(
    tree, epoch, height, parent_comes_first
):
    parent = extend(GENESIS, 4)
    broken = Block("test", epoch, height, parent.hash, b"")
    on_it = extend(broken, 9)
    feed(tree, [parent, broken, on_it] if parent_comes_first else [on_it, broken, parent])
    notarize(tree, parent, broken, on_it)
    assert tree.blocks() == [GENESIS, parent]
    assert tree.longest == [parent]


def test_a_block_that_is_not_here_has_no_votes_that_are_told(tree):
    block = extend(GENESIS, 0)
    assert tree.votes(block.hash) == []
    notarize(tree, block)
    assert tree.votes(block.hash) == []
    tree.add_block(block)
    assert len(tree.votes(block.hash)) == 3


def test_another_genesis_is_no_block_of_the_tree(tree):
    other = Block("test", -1, 0, b"", b"other")
    feed(tree, [other, extend(other, 0)])
    assert tree.blocks() == [GENESIS]


def test_a_tree_that_forgets_goes_on_above_what_it_dropped():
    tree, blocks = BlockTree(GENESIS, 3), chain_of(0, 1, 2, 9, 10, 11)
    for block in blocks[:3]:
        tree.add_block(block)
        for vote in votes_for(block):
            tree.add_vote(vote)
    tree.forget(1)
    assert tree.blocks() == tree.notarized == [GENESIS, *blocks[1:3]]
    assert tree.finalized == [GENESIS, blocks[1]]
    assert blocks[0].ballot not in tree.ballots
    for block in blocks[3:]:
        tree.add_block(block)
        for vote in votes_for(block):
            tree.add_vote(vote)
    assert tree.finalized == [GENESIS, *blocks[1:5]]


def test_a_tree_whose_rule_asks_for_other_quorums_forgets_nothing():
    tree = BlockTree(GENESIS, 3, SIX_UNCONTESTED)
    with pytest.raises(InvalidInput, match="rule"):
        tree.forget(1)
