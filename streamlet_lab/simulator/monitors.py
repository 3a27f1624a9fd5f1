"""The hook through which others watch a simulation; they cannot change it."""

from collections.abc import Callable

from streamlet_lab.consensus import Block, Message, Verdict

#: ``progress(epoch, epochs)``.
Progress = Callable[[int, int], None]


class Monitor:
    """Told of everything that happens in a simulation; overrides what it cares about.

    Times are in microseconds, nodes are named, the observer included.
    """

    def epoch_started(self, time: int, epoch: int, leader: str) -> None:
        """An epoch begins, before any node has acted in it."""

    def sent(self, time: int, node: str, message: Message) -> None:
        """A node sends a message of its own to everyone."""

    def notarized(self, time: int, node: str, block: Block) -> None:
        """A node sees a block at the end of a notarized chain for the first time."""

    def finalized(self, time: int, node: str, block: Block) -> None:
        """A node adds a block to its finalized chain."""

    def conflicted(self, time: int, node: str, block: Block) -> None:
        """The rule would finalize a block that contradicts what the node has finalized."""

    def refused(self, time: int, node: str, block: Block, verdict: Verdict) -> None:
        """A voter finds a leader's block unacceptable."""


class ProgressReport(Monitor):
    """Calls ``progress(epoch, epochs)`` at the beginning of each epoch."""

    def __init__(self, progress: Progress, epochs: int) -> None:
        self._progress = progress
        self._epochs = epochs

    def epoch_started(self, time: int, epoch: int, leader: str) -> None:
        """Pass it on."""
        self._progress(epoch, self._epochs)
