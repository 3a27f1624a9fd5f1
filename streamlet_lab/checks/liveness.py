"""Liveness: what must have happened once enough honest leaders followed each other after GST.

"By the beginning of an epoch" is a node's own, by its own clock, just before it acts in it. The
last epoch of a run ends with the run, and is judged too unless a clock is late.
"""

from abc import abstractmethod
from collections.abc import Collection, Iterable
from typing import ClassVar

from streamlet_lab.checks.check import Check, CheckResult, drop_before, short
from streamlet_lab.consensus import GENESIS_EPOCH, Block
from streamlet_lab.simulator import Simulation


class Liveness(Check):
    """A claim about every honest node once some honest leaders have followed each other.

    Epochs count that begin at ``gst`` or later, in microseconds. What the claim says stays true
    once it is, so most nodes are judged when an epoch begins, all at once, and by their own clock
    only those that are behind.
    """

    leaders: ClassVar[int]  # how many honest ones the claim asks for

    def __init__(
        self, honest: Collection[str], simulation: Simulation, gst: int, **reasons: str
    ) -> None:
        super().__init__(honest, **reasons)
        self._simulation = simulation
        self._gst = gst
        # The observer is not one of the paper's nodes: it has no clock of its own.
        self._nodes = [name for name in simulation.node_ids if name in self.honest]
        self._behind: set[str] = set()
        # Where no clock is late, all nodes begin an epoch at one instant, and are judged then.
        self._clocks_are_late = any(simulation.clock_offsets)
        if not self._clocks_are_late:
            self.unheard = ("entered",)
        self._in_a_row = 0
        self._epoch = self._judged = -1
        self._last_entry = 0

    def epoch_started(self, time: int, epoch: int, leader: str) -> None:
        if not self._clocks_are_late:
            self._last_entry = time
        if epoch > self._judged:
            self._judge(epoch)
            if not self._clocks_are_late:
                self._judge_all_late(time, epoch, self._nodes)
        counts = leader in self.honest and time >= self._gst
        self._in_a_row = self._in_a_row + 1 if counts else 0
        self._epoch = epoch

    def entered(self, time: int, node: str, epoch: int) -> None:
        if node in self._nodes:
            self._last_entry = time
        if node in self._behind and epoch == self._judged:
            self._judge_late(time, node, epoch)

    def result(self) -> CheckResult:
        """Return the verdict so far, on an epoch that ends just now as well."""
        now, epoch = self._simulation.queue.now, self._epoch + 1
        if epoch > self._judged and self._last_entry + self._simulation.epoch_length <= now:
            self._judge(epoch)
            self._judge_all_late(now, epoch, sorted(self._behind))
        return super().result()

    def _judge(self, epoch: int) -> None:
        """Find out who is behind at the beginning of an epoch, if enough leaders were honest."""
        self._judged = epoch
        if self._in_a_row >= self.leaders:
            self.examined += len(self._nodes)
            self._behind = {node for node in self._nodes if not self._has_it(node, epoch)}

    def _judge_all_late(self, time: int, epoch: int, nodes: Iterable[str]) -> None:
        for node in nodes:
            if node in self._behind:
                self._judge_late(time, node, epoch)

    def _judge_late(self, time: int, node: str, epoch: int) -> None:
        self._behind.discard(node)
        if not self._has_it(node, epoch):
            self._violate(time, f"{node} begins epoch {epoch} without {self._what(epoch)}")

    @abstractmethod
    def _has_it(self, node: str, epoch: int) -> bool:
        """Whether a node has what the claim says of the beginning of an epoch."""

    @abstractmethod
    def _what(self, epoch: int) -> str:
        """Name what a node should have at the beginning of an epoch."""


class Lemma5(Liveness):
    """Three honest leaders: everyone has the last one's block notarized, and it has no rival."""

    name = "lemma_5"
    statement = (
        "after three consecutive honest leaders every honest node has the last one's block "
        "notarized, and no other block of that height ever is (Lemma 5)"
    )
    without_a_case = "no three consecutive honest leaders after GST"
    leaders = 3

    def __init__(
        self, honest: Collection[str], simulation: Simulation, gst: int, **reasons: str
    ) -> None:
        super().__init__(honest, simulation, gst, **reasons)
        # By epoch and node the newest block that it has notarized: an honest leader proposes one.
        self._notarized: dict[int, dict[str, Block]] = {}
        # By height: what the lemma says is alone there, what was notarized first, and what later.
        self._alone: dict[int, Block] = {}
        self._first: dict[int, Block] = {}
        self._others: dict[int, Block] = {}

    def epoch_started(self, time: int, epoch: int, leader: str) -> None:
        super().epoch_started(time, epoch, leader)
        self._notarized.pop(epoch - 2, None)

    def notarized(self, time: int, node: str, block: Block) -> None:
        """Look out for rivals of the blocks that should have none, to the end of the run."""
        if node in self.honest:
            self._notarized.setdefault(block.epoch, {})[node] = block
            first = self._first.setdefault(block.height, block)
            if first is not block and first.hash != block.hash:
                self._others[block.height] = block
                self._reject_rivals(time, block.height)

    def forget(self, epoch: int, height: int) -> None:
        for places in (self._alone, self._first, self._others):
            drop_before(places, height)

    def _has_it(self, node: str, epoch: int) -> bool:
        block = self._notarized.get(epoch - 1, {}).get(node)
        if block is None:
            return False
        self._alone[block.height] = block
        if block.height in self._others:
            self._reject_rivals(self._simulation.queue.now, block.height)
        return True

    def _what(self, epoch: int) -> str:
        return f"a notarized block of epoch {epoch - 1}"

    def _reject_rivals(self, time: int, height: int) -> None:
        alone, other = self._alone.get(height), self._others.get(height)
        if alone is None or other is None:
            return
        first = self._first[height]
        rival = other if first.hash == alone.hash else first
        description = f"block {short(rival)} of epoch {rival.epoch} is notarized at height {height}"
        beside = f"beside block {short(alone)} of epoch {alone.epoch}"
        self._violate(time, f"{description}, {beside}", alone, rival)


class Finality(Liveness):
    """So many honest leaders: everyone has a final block of one of them.

    Such a block was not final before they led, so the final chain has grown by a block of an honest
    leader. (The proof gives just that: the block of the leader before the last is final.)
    """

    def __init__(
        self, honest: Collection[str], simulation: Simulation, gst: int, **reasons: str
    ) -> None:
        super().__init__(honest, simulation, gst, **reasons)
        self._final: dict[str, int] = {}

    def finalized(self, time: int, node: str, block: Block) -> None:
        self._final[node] = block.epoch

    def _has_it(self, node: str, epoch: int) -> bool:
        return self._final.get(node, GENESIS_EPOCH) >= epoch - self.leaders

    def _what(self, epoch: int) -> str:
        return f"a final block of epoch {epoch - self.leaders} or later"


class Theorem6(Finality):
    """Five honest leaders after GST make a new block final."""

    name = "theorem_6"
    statement = (
        "after five consecutive honest leaders every honest node has a new final block, "
        "proposed by one of them (Theorem 6)"
    )
    without_a_case = "no five consecutive honest leaders after GST"
    leaders = 5


class SynchronousLiveness(Finality):
    """Eight honest leaders make a new block final in the synchronous model."""

    name = "synchronous_liveness"
    statement = (
        "after eight consecutive honest leaders every honest node has a new final block, "
        "proposed by one of them (section 4)"
    )
    without_a_case = "no eight consecutive honest leaders"
    leaders = 8
