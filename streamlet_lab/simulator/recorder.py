"""The log of a run: what happened when, as plain tuples."""

from typing import NamedTuple

from streamlet_lab.consensus import Block, Message, Proposal, Verdict, Vote
from streamlet_lab.simulator.monitors import Monitor


class ProposalRecord(NamedTuple):
    """A leader sent a block, to everyone or to some."""

    time: int
    node: str
    block: Block


class VoteRecord(NamedTuple):
    """A node sent its vote, to everyone or to some."""

    time: int
    node: str
    epoch: int
    block_hash: bytes


class ViewRecord(NamedTuple):
    """Something about a block became true in one node's view."""

    time: int
    node: str
    block: Block


class RefusalRecord(NamedTuple):
    """A node would not vote for a leader's block."""

    time: int
    node: str
    block: Block
    reason: str


class DeliveryRecord(NamedTuple):
    """A message arrived at a node for the first time, by this copy."""

    received: int
    sender: str
    receiver: str
    sent: int
    message: Message


class Recorder(Monitor):
    """Keeps everything that the frames of a result are made of.

    Attributes
    ----------
    leaders : list of str
        By epoch.
    proposals : list of ProposalRecord
    votes : list of VoteRecord
    notarizations, finalizations, conflicts : list of ViewRecord
    refusals : list of RefusalRecord
    deliveries : list of DeliveryRecord
        Only of a run that is traced.
    blocks : dict of bytes to Block
        Every block that its epoch's leader proposed, by hash.
    """

    def __init__(self) -> None:
        self.leaders: list[str] = []
        self.proposals: list[ProposalRecord] = []
        self.votes: list[VoteRecord] = []
        self.notarizations: list[ViewRecord] = []
        self.finalizations: list[ViewRecord] = []
        self.conflicts: list[ViewRecord] = []
        self.refusals: list[RefusalRecord] = []
        self.deliveries: list[DeliveryRecord] = []
        self.blocks: dict[bytes, Block] = {}
        self._voted: set[tuple[object, ...]] = set()

    def epoch_started(self, time: int, epoch: int, leader: str) -> None:
        """Note the leader."""
        self.leaders.append(leader)

    def sent(self, time: int, node: str, message: Message) -> None:
        """Note each proposal and each vote once, however often it is sent."""
        match message:
            case Proposal(block, proposer):
                if block.hash not in self.blocks:
                    self.blocks[block.hash] = block
                    self.proposals.append(ProposalRecord(time, proposer, block))
            case Vote(voter=voter, subject=subject):
                if (voter, *subject) not in self._voted:
                    self._voted.add((voter, *subject))
                    self.votes.append(VoteRecord(time, voter, message.epoch, message.block_hash))

    def delivered(
        self, received: int, sender: str, receiver: str, sent: int, message: Message
    ) -> None:
        """Note each first arrival."""
        self.deliveries.append(DeliveryRecord(received, sender, receiver, sent, message))

    def notarized(self, time: int, node: str, block: Block) -> None:
        """Note when the node saw it."""
        self.notarizations.append(ViewRecord(time, node, block))

    def finalized(self, time: int, node: str, block: Block) -> None:
        """Note when the node saw it."""
        self.finalizations.append(ViewRecord(time, node, block))

    def conflicted(self, time: int, node: str, block: Block) -> None:
        """Note when the node saw it."""
        self.conflicts.append(ViewRecord(time, node, block))

    def refused(self, time: int, node: str, block: Block, verdict: Verdict) -> None:
        """Note the reason."""
        self.refusals.append(RefusalRecord(time, node, block, verdict.reason))
