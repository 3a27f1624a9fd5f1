"""The log of a run: what happened when."""

from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import compress
from typing import Any, NamedTuple, TypeVar

from streamlet_lab.consensus import Block, Message, Proposal, Verdict, Vote
from streamlet_lab.simulator.monitors import Monitor

_Row = TypeVar("_Row")


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


def _pair(time: int, vote: Vote) -> tuple[int, Vote]:
    return time, vote


def _delivery(*what: Any) -> tuple[Any, ...]:
    return what


class Columnar(Sequence[_Row]):
    """Rows kept as columns, the first of whole numbers: a quarter of what as many tuples take."""

    def __init__(self, make: Callable[..., _Row], others: int) -> None:
        self._make = make
        self.columns: tuple[Any, ...] = (array("q"), *([] for _ in range(others)))

    def __len__(self) -> int:
        return len(self.columns[0])

    def __getitem__(self, index: Any) -> Any:
        return [*self][index] if isinstance(index, slice) else self._make(*self._at(index))

    def __iter__(self) -> Iterator[_Row]:
        return map(self._make, *self.columns)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and [*self] == [*other]

    def keep(self, is_needed: Callable[[_Row], bool]) -> None:
        """Drop all rows but those that are needed."""
        needed = [*map(is_needed, self)]
        times, *others = self.columns
        times[:] = array("q", compress(times, needed))
        for column in others:
            column[:] = compress(column, needed)

    def _at(self, index: int) -> Iterator[Any]:
        return (column[index] for column in self.columns)


class Recorder(Monitor):
    """Keeps everything that the frames of a result are made of; times are in microseconds."""

    def __init__(self) -> None:
        self.leaders: list[str] = []  # by epoch
        # Each proposal once, by whoever made it, and each vote once, when it was sent first.
        self.proposals: list[Record] = []
        self.votes = Columnar(_pair, 1)
        self.notarizations = Columnar(Record, 2)
        self.finalizations = Columnar(Record, 2)
        self.conflicts: list[Record] = []
        self.refusals: list[Refusal] = []
        # The arguments of `delivered`.
        self.deliveries = Columnar(_delivery, 4)
        # Every block that its epoch's leader proposed, by hash.
        self.blocks: dict[bytes, Block] = {}
        self._voted: dict[tuple[str, bytes], int] = {}  # votes, by who signed what: their epochs

    def forget(self, epoch: int, height: int) -> None:
        """Drop what tells whether a vote about an earlier epoch was sent before: none is again."""
        self._voted = {vote: about for vote, about in self._voted.items() if about >= epoch}

    def drop(self, epoch: int) -> None:
        """Drop all records about earlier epochs, once their rows are made; leaders stay."""
        self.votes.keep(lambda row: row[1].epoch >= epoch)
        for rows in (self.notarizations, self.finalizations):
            rows.keep(lambda record: record.block.epoch >= epoch)
        self.proposals = [record for record in self.proposals if record.block.epoch >= epoch]
        self.conflicts = [record for record in self.conflicts if record.block.epoch >= epoch]
        self.refusals = [refusal for refusal in self.refusals if refusal.block.epoch >= epoch]
        self.blocks = {name: one for name, one in self.blocks.items() if one.epoch >= epoch}

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
                    self._voted[voter, signed] = message.epoch
                    times, votes = self.votes.columns
                    times.append(time)
                    votes.append(message)

    def delivered(
        self, received: int, sender: str, receiver: str, sent: int, message: Message
    ) -> None:
        for column, value in zip(
            self.deliveries.columns, (received, sender, receiver, sent, message), strict=True
        ):
            column.append(value)

    def notarized(self, time: int, node: str, block: Block) -> None:
        times, nodes, blocks = self.notarizations.columns
        times.append(time)
        nodes.append(node)
        blocks.append(block)

    def finalized(self, time: int, node: str, block: Block) -> None:
        times, nodes, blocks = self.finalizations.columns
        times.append(time)
        nodes.append(node)
        blocks.append(block)

    def conflicted(self, time: int, node: str, block: Block) -> None:
        self.conflicts.append(Record(time, node, block))

    def refused(self, time: int, node: str, block: Block, verdict: Verdict) -> None:
        self.refusals.append(Refusal(time, node, block, verdict.reason))
