"""Blocks and votes for the tests, and a committee whose keys the test holds."""

from dataclasses import replace

from streamlet_lab.consensus import (
    Block,
    Certificate,
    OpaqueApplication,
    Proposal,
    StreamletNode,
    Vote,
    make_genesis,
)
from streamlet_lab.consensus.quorums import quorum
from streamlet_lab.keys import Ed25519Keyring

VOTERS = ("node_0", "node_1", "node_2", "node_3")
GENESIS = make_genesis("test")
OPAQUE = OpaqueApplication()


def extend(parent, epoch, payload=b""):
    """A block on a parent."""
    return Block(parent.chain_id, epoch, parent.height + 1, parent.hash, payload)


def chain_of(*epochs, parent=GENESIS, payload=b""):
    """Blocks of these epochs, each on the one before."""
    blocks = [parent]
    for epoch in epochs:
        blocks.append(extend(blocks[-1], epoch, payload))
    return blocks[1:]


def vote_for(block, voter):
    """A vote without a signature, as a block tree takes it: verified before."""
    return Vote(block.chain_id, block.epoch, block.height, block.hash, voter, b"")


def votes_for(block, voters=VOTERS[:3]):
    return [vote_for(block, voter) for voter in voters]


class Committee:
    """Signs whatever the test wants in anyone's name, a stranger's included."""

    def __init__(self, size=4):
        self.names = tuple(f"node_{index}" for index in range(size))
        self.quorum = quorum(size)
        self.keyring = Ed25519Keyring((*self.names, "stranger"), seed=1)

    def node(self, name="node_3", application=OPAQUE):
        return StreamletNode(name, self.names, GENESIS, self.quorum, self.keyring, application)

    def propose(self, block, proposer=None):
        """A proposal with a valid signature, of the epoch's leader unless told otherwise."""
        proposer = proposer or self.names[block.epoch % len(self.names)]
        proposal = Proposal(block, proposer, b"")
        return replace(proposal, signature=self.keyring.sign(proposer, proposal.signed))

    def vote(self, block, voter, **changes):
        """A vote with a valid signature over what it says, whatever that is."""
        vote = replace(vote_for(block, voter), **changes)
        return replace(vote, signature=self.keyring.sign(voter, vote.signed))

    def votes(self, block, voters=None):
        """As many votes as notarize the block, of the first nodes unless told otherwise."""
        voters = self.names[: self.quorum] if voters is None else voters
        return [self.vote(block, voter) for voter in voters]

    def certificate(self, blocks, votes=None, proposals=None, parent=None):
        """A certificate of a chain; true votes and proposals but for those given by block."""
        for block in blocks:
            proposal = (proposals or {}).get(block) or self.propose(block)
            parent = Certificate(
                proposal, tuple((votes or {}).get(block, self.votes(block))), parent
            )
        return parent
