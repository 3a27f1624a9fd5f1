"""The log of a run: what happened when."""

from typing import Any, Final, NamedTuple

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


# One call less than the constructor, for each of ten records in an epoch.
_record: Final[Any] = tuple.__new__


class Recorder(Monitor):
    """Keeps everything that the frames of a result are made of; times are in microseconds."""

    def __init__(self) -> None:
        self.leaders: list[str] = []  # by epoch
        # Each proposal once, by whoever made it, and each vote once, when it was sent first.
        self.proposals: list[Record] = []
        self.votes: list[tuple[int, Vote]] = []
        self.notarizations: list[Record] = []
        self.finalizations: list[Record] = []
        self.conflicts: list[Record] = []
        self.refusals: list[Refusal] = []
        # The arguments of `delivered`.
        self.deliveries: list[tuple[int, str, str, int, Message]] = []
        # Every block that its epoch's leader proposed, by hash.
        self.blocks: dict[bytes, Block] = {}
        self._voted: set[tuple[str, bytes]] = set()

    def epoch_started(self, time: int, epoch: int, leader: str) -> None:
        self.leaders.append(leader)

    def sent(self, time: int, node: str, message: Message) -> None:
        match message:
            case Proposal(block, proposer):
                if block.hash not in self.blocks:
                    self.blocks[block.hash] = block
                    self.proposals.append(Record(time, proposer, block))
            case Vote(voter=voter, signed=signed):
                if (voter, signed) not in self._voted:
                    self._voted.add((voter, signed))
                    self.votes.append((time, message))

    def delivered(
        self, received: int, sender: str, receiver: str, sent: int, message: Message
    ) -> None:
        self.deliveries.append((received, sender, receiver, sent, message))

    def notarized(self, time: int, node: str, block: Block) -> None:
        self.notarizations.append(_record(Record, (time, node, block)))

    def finalized(self, time: int, node: str, block: Block) -> None:
        self.finalizations.append(_record(Record, (time, node, block)))

    def conflicted(self, time: int, node: str, block: Block) -> None:
        self.conflicts.append(Record(time, node, block))

    def refused(self, time: int, node: str, block: Block, verdict: Verdict) -> None:
        self.refusals.append(Refusal(time, node, block, verdict.reason))
