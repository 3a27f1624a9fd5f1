"""Messages about far epochs: nobody keeps them, and nobody loses what the others have."""

import pytest

from streamlet_lab.consensus import EPOCHS_AHEAD, Block
from streamlet_lab.simulator import NodeFault, Send

from . import bare
from .bare import OPAQUE, all_votes, longest

NODES = tuple(f"node_{index}" for index in range(4))
EPOCH = 20
#: Led by node_3.
EARLY = 15


class Ahead(NodeFault):
    """Sends its block of a far epoch, on blocks that it foresees, just when it may be let in."""

    def proposes(self, epoch):
        return epoch != EARLY

    def on_epoch(self, epoch):
        first = EARLY - EPOCHS_AHEAD  # the first epoch in which a node takes it in
        if epoch == first - 1:
            left = first * EPOCH - self.now()
            proposal = self.proposal(foreseen(self.node.tree.finalized[0], EARLY))
            yield Send(proposal, to=["node_0"], delay=left)
            yield Send(proposal, to=["node_1"], delay=left + 1)


class Flooding(NodeFault):
    """Signs a block and a vote for each of the next thousand epochs that it leads."""

    def on_epoch(self, epoch):
        genesis = self.node.tree.finalized[0]
        for far in range(3, 4_000, 4):
            block = Block(genesis.chain_id, far, 1, genesis.hash, b"far")
            yield Send(self.proposal(block))
            yield Send(self.vote(block))


def foreseen(genesis, epoch):
    """The block of an epoch, if all goes as well as it can."""
    block = genesis
    for e in range(epoch + 1):
        payload, _ = OPAQUE.make_payload(e, iter(()), None)
        block = Block(genesis.chain_id, e, block.height + 1, block.hash, payload)
    return block


def simulation(fault, offsets=(0,) * 5):
    faults = {"node_3": [fault]}
    return bare.simulation(epoch_length=EPOCH, faults=faults, clock_offsets=offsets)


@pytest.mark.parametrize("late", [0, 5])
def test_a_far_block_that_comes_too_early_for_one_is_not_lost_to_it(late):
    lab = simulation(Ahead(0, None), (late, 0, 0, 0, 0))
    block = foreseen(lab.genesis, EARLY)
    lab.run(EARLY - EPOCHS_AHEAD)
    assert not any(node.tree.knows(block) for node in lab.nodes.values())
    lab.run(1)
    assert all(node.tree.knows(block) for node in lab.nodes.values())
    lab.run(EPOCHS_AHEAD)
    assert all(longest(node) == [*range(1, EARLY + 2)] for node in lab.nodes.values())
    assert all(
        not node.dropped["too_early"] for name, node in lab.nodes.items() if name != "node_3"
    )


def test_a_flood_of_far_epochs_is_neither_kept_nor_passed_on():
    lab = simulation(Flooding(0, 1))
    honest = [node for name, node in lab.nodes.items() if name != "node_3"]
    for epoch in range(6):
        lab.run(1)
        newest = epoch + EPOCHS_AHEAD
        for node in honest:
            assert max(vote.epoch for vote in all_votes(node)) <= newest
            assert max(block.epoch for block in node.tree.blocks()) <= newest
            assert len(node.tree.blocks()) <= 1 + (epoch + 1) + newest // 4 + 1
        echoed = {far for (far, _), (_, count, _) in lab.network.copies.items() if count}
        assert max(echoed) <= newest
