"""The hook through which others watch a simulation; they cannot change it."""

from collections.abc import Callable, Iterable
from typing import Any

from streamlet_lab.consensus import Block, Message, Verdict

#: ``progress(epoch, epochs)``.
Progress = Callable[[int, int], None]


class Monitor:
    """Told of everything that happens in a simulation; overrides what it cares about.

    Times are in microseconds, nodes are named, the observer included.
    """

    def epoch_started(self, time: int, epoch: int, leader: str) -> None:
        """An epoch begins, before any node has acted in it."""

    def entered(self, time: int, node: str, epoch: int) -> None:
        """A node's own clock says that an epoch begins; it has not acted in it yet."""

    def sent(self, time: int, node: str, message: Message) -> None:
        """A node says something: an honest one to everyone, a faulty one perhaps to some.

        The message may be an accomplice's, or one that was sent before; forgeries, and proposals
        of those who do not lead, are nobody's message and not told.
        """

    def delivered(
        self, received: int, sender: str, receiver: str, sent: int, message: Message
    ) -> None:
        """A message arrives at a node for the first time, by this copy. Only if traced."""

    def notarized(self, time: int, node: str, block: Block) -> None:
        """A node sees a block at the end of a notarized chain for the first time."""

    def finalized(self, time: int, node: str, block: Block) -> None:
        """A node adds a block to its finalized chain."""

    def conflicted(self, time: int, node: str, block: Block) -> None:
        """The rule would finalize a block that contradicts what the node has finalized."""

    def refused(self, time: int, node: str, block: Block, verdict: Verdict) -> None:
        """A voter finds a leader's block unacceptable."""


class Audience:
    """The monitors of a run, by what they listen to: most hooks have few listeners or none."""

    def __init__(self, monitors: Iterable[Monitor]) -> None:
        everyone = tuple(monitors)

        def listening(hook: str) -> list[Callable[..., Any]]:
            unheard = getattr(Monitor, hook)
            return [getattr(one, hook) for one in everyone if getattr(type(one), hook) != unheard]

        self.epoch_started = listening("epoch_started")
        self.entered = listening("entered")
        self.sent = listening("sent")
        self.delivered = listening("delivered")
        self.notarized = listening("notarized")
        self.finalized = listening("finalized")
        self.conflicted = listening("conflicted")
        self.refused = listening("refused")


class ProgressReport(Monitor):
    """Calls ``progress(epoch, epochs)`` at the beginning of each epoch."""

    def __init__(self, progress: Progress, epochs: int) -> None:
        self._progress = progress
        self._epochs = epochs

    def epoch_started(self, time: int, epoch: int, leader: str) -> None:
        """Pass it on."""
        self._progress(epoch, self._epochs)
