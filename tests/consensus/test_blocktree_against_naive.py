"""The incremental tree shows, after every step, what follows from scratch from what arrived."""

from dataclasses import replace

from hypothesis import event, given, settings
from hypothesis import strategies as st

from streamlet_lab.consensus import Block, BlockTree, FinalityRule

from .committee import GENESIS, VOTERS, vote_for

QUORUM = 3
#: Section 4's rule with three blocks for six, so that short histories have something final.
THREE_UNCONTESTED = FinalityRule(3, 2, uncontested=True)


class NaiveView:
    """Sets of blocks and votes, and the paper's definitions read word by word."""

    def __init__(self):
        self.blocks, self.votes = {GENESIS}, set()

    def chain(self, block):
        """The block and its ancestors, genesis last; None if they are no chain from genesis."""
        if block == GENESIS:
            return [block]
        for parent in self.blocks:
            if parent.hash == block.parent:
                below = self.chain(parent)
                follows = block.epoch > parent.epoch and block.height == parent.height + 1
                return [block, *below] if below and follows else None
        return None

    def attached(self):
        return {block for block in self.blocks if self.chain(block)}

    def has_quorum(self, block):
        signed = (block.hash, block.epoch, block.height)
        votes = self.votes
        voters = {v.voter for v in votes if (v.block_hash, v.epoch, v.height) == signed}
        return block == GENESIS or len(voters) >= QUORUM

    def notarized(self):
        return {block for block in self.attached() if all(map(self.has_quorum, self.chain(block)))}

    def longest(self):
        notarized = self.notarized()
        length = max(len(self.chain(block)) for block in notarized)
        return {block for block in notarized if len(self.chain(block)) == length}

    def uncontested(self, tip):
        """The first of the last three blocks up to a tip, if their epochs are consecutive and
        nothing else, known or not, has a quorum at their heights; otherwise none."""
        three = self.chain(tip)[:3]
        heights = {block.height for block in three}
        subjects = {(v.block_hash, v.epoch, v.height) for v in self.votes}
        rivals = {
            subject[0]
            for subject in subjects
            if subject[2] in heights
            and subject[0] not in {block.hash for block in three}
            and len({v.voter for v in self.votes if (v.block_hash, v.epoch, v.height) == subject})
            >= QUORUM
        }
        consecutive = len(three) == 3 and three[0].epoch - three[2].epoch == 2
        return [three[2]] if consecutive and not rivals else []

    def seconds(self):
        """Middles of three adjacent notarized blocks with consecutive epochs."""
        chains = [self.chain(block) for block in self.notarized()]
        return {
            chain[1]
            for chain in chains
            if len(chain) >= 3
            and chain[0].epoch - chain[1].epoch == chain[1].epoch - chain[2].epoch == 1
        }


@st.composite
def histories(draw):
    """Blocks and votes of a random tree, in the order in which they were made."""
    blocks, votes = [GENESIS], []
    for index in range(draw(st.integers(4, 12))):
        # Mostly the next epoch on the last block: otherwise nothing is ever final.
        parent = draw(st.sampled_from([blocks[-1]] * 5 + [blocks[-2 % len(blocks)], GENESIS]))
        epoch = parent.epoch + draw(st.sampled_from([1] * 10 + [2, 3, 0]))
        height = parent.height + draw(st.sampled_from([1] * 19 + [2]))
        block = Block("test", epoch, height, parent.hash, bytes([index]))
        blocks.append(block)
        voters = draw(st.sampled_from([VOTERS, VOTERS[:3], VOTERS[1:]] * 3 + [VOTERS[:2]]))
        votes += [vote_for(block, voter) for voter in voters]
        mislabelled = replace(votes[-1], epoch=epoch + 1)
        votes[-1:] = draw(
            st.sampled_from([votes[-1:]] * 6 + [[mislabelled], [mislabelled, votes[-1]]])
        )
    return blocks[1:], votes


@st.composite
def arrivals(draw):
    """A random history in a random order, with repetitions."""
    blocks, votes = draw(histories())
    items = [*blocks, *votes]
    items += draw(st.lists(st.sampled_from(items), max_size=5))
    return draw(st.permutations(items))


def steps(items, *rule):
    """A tree and its naive twin after each item."""
    tree, naive = BlockTree(GENESIS, QUORUM, *rule), NaiveView()
    for item in items:
        if isinstance(item, Block):
            tree.add_block(item)
            naive.blocks.add(item)
        else:
            tree.add_vote(item)
            naive.votes.add(item)
        yield tree, naive


@settings(max_examples=120)
@given(arrivals())
def test_every_step_agrees_with_the_naive_view(items):
    notarized, finalized, tips = [GENESIS], [GENESIS], [GENESIS]
    for tree, naive in steps(items):
        assert set(tree.blocks()) == naive.attached()
        assert set(tree.notarized) == naive.notarized()
        assert set(tree.longest) == naive.longest()
        assert len(set(tree.notarized)) == len(tree.notarized)

        assert tree.notarized[: len(notarized)] == notarized
        assert tree.finalized[: len(finalized)] == finalized
        if tree.longest[0].height == tips[0].height:
            assert tree.longest[: len(tips)] == tips
        notarized, finalized, tips = [*tree.notarized], [*tree.finalized], [*tree.longest]

        assert_final_chain_follows(tree, naive)
    event("something final" if len(finalized) > 1 else "nothing final")
    event("conflict" if tree.conflicts else "no conflict")


@settings(max_examples=60)
@given(arrivals())
def test_every_step_of_section_4_agrees_with_the_naive_view(items):
    notarized, allowed = {GENESIS}, set()
    for tree, naive in steps(items, THREE_UNCONTESTED):
        # What counts are the rivals that were seen when the third block was.
        for tip in naive.notarized() - notarized:
            allowed.update(naive.uncontested(tip))
        notarized = naive.notarized()
        assert [*reversed(tree.finalized)] == naive.chain(tree.finalized[-1])
        assert tree.finalized[-1] in allowed | {GENESIS}
        assert allowed - {*tree.finalized} == {*tree.conflicts}
    event("something final" if len(tree.finalized) > 1 else "nothing final")


def assert_final_chain_follows(tree, naive):
    """The final chain ends at one block that the rule finalizes, and every other such block is
    on it or contradicts it."""
    seconds, conflicts = naive.seconds(), set(tree.conflicts)
    assert [*reversed(tree.finalized)] == naive.chain(tree.finalized[-1])
    assert tree.finalized[-1] in seconds | {GENESIS}
    assert seconds - set(tree.finalized) == conflicts
    for block in conflicts:
        assert tree.finalized[-1] not in naive.chain(block)
