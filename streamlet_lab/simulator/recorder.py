"""The log of a run: what happened when."""

from typing import NamedTuple

from streamlet_lab.consensus import Block, Message, Proposal, Verdict, Vote
from streamlet_lab.simulator.monitors import Monitor


class Record(NamedTuple):
    """When a node proposed a block, or saw it notarized, final or in conflict."""

    time: int
    node: str
    block: Block


class Refusal(NamedTuple):
    """When a node refused a leader's block, and why."""

    time: int
    node: str
    block: Block
    reason: str


class Recorder(Monitor):
    """Keeps everything that the frames of a result are made of; times are in microseconds.

    Attributes
    ----------
    leaders : list of str
        By epoch.
    proposals, notarizations, finalizations, conflicts : list of Record
        Each proposal once, by whoever made it.
    refusals : list of Refusal
    votes : list of (int, Vote)
        Each vote once, and when it was sent first.
    deliveries : list of tuple
        The arguments of :meth:`Monitor.delivered`.
    blocks : dict of bytes to Block
        Every block that its epoch's leader proposed, by hash.
    """

    def __init__(self) -> None:
        self.leaders: list[str] = []
        self.proposals: list[Record] = []
        self.votes: list[tuple[int, Vote]] = []
        self.notarizations: list[Record] = []
        self.finalizations: list[Record] = []
        self.conflicts: list[Record] = []
        self.refusals: list[Refusal] = []
        self.deliveries: list[tuple[int, str, str, int, Message]] = []
        self.blocks: dict[bytes, Block] = {}
        self._voted: set[tuple[object, ...]] = set()

    def epoch_started(self, time: int, epoch: int, leader: str) -> None:
        """Note the leader."""
        self.leaders.append(leader)

    def sent(self, time: int, node: str, message: Message) -> None:
        """Note a proposal or a vote, unless it was sent before."""
        match message:
            case Proposal(block, proposer):
                if block.hash not in self.blocks:
                    self.blocks[block.hash] = block
                    self.proposals.append(Record(time, proposer, block))
            case Vote(voter=voter, subject=subject):
                if (voter, *subject) not in self._voted:
                    self._voted.add((voter, *subject))
                    self.votes.append((time, message))

    def delivered(
        self, received: int, sender: str, receiver: str, sent: int, message: Message
    ) -> None:
        """Note a first arrival."""
        self.deliveries.append((received, sender, receiver, sent, message))

    def notarized(self, time: int, node: str, block: Block) -> None:
        """Note when the node saw it."""
        self.notarizations.append(Record(time, node, block))

    def finalized(self, time: int, node: str, block: Block) -> None:
        """Note when the node saw it."""
        self.finalizations.append(Record(time, node, block))

    def conflicted(self, time: int, node: str, block: Block) -> None:
        """Note when the node saw it."""
        self.conflicts.append(Record(time, node, block))

    def refused(self, time: int, node: str, block: Block, verdict: Verdict) -> None:
        """Note the reason."""
        self.refusals.append(Refusal(time, node, block, verdict.reason))
