"""The hooks through which others watch a simulation; they cannot change it."""

from collections.abc import Callable, Collection, Iterable
from typing import Any, Final

from streamlet_lab.consensus import (
    Block,
    Conflicting,
    Finalized,
    Message,
    Notarized,
    Refused,
    Verdict,
)
from streamlet_lab.units import to_function, to_instance

#: ``progress(epoch, epochs)``.
Progress = Callable[[int, int], None]

#: Which hook reports an event of a node: as ``hook(time, node, *event)``.
NODE_HOOKS: Final = {
    Notarized: "notarized",
    Finalized: "finalized",
    Conflicting: "conflicted",
    Refused: "refused",
}


class Monitor:
    """Watches a simulation: its hooks are called as things happen; override some.

    Times are in microseconds, nodes are named, the observer included.

    Attributes
    ----------
    unheard : collection of str
        Hooks that need not be called in this run, although they are overridden.
    """

    unheard: Collection[str] = ()

    def epoch_started(self, time: int, epoch: int, leader: str) -> None:
        """An epoch begins, before any node has acted in it."""

    def entered(self, time: int, node: str, epoch: int) -> None:
        """A node's own clock says that an epoch begins; it has not acted in it yet."""

    def sent(self, time: int, node: str, message: Message) -> None:
        """A node sends a message: an honest one to everyone, a faulty one perhaps to some.

        The message may be an accomplice's, or one that was sent before. Forgeries, and proposals
        of those who do not lead, are nobody's message and not reported.
        """

    def delivered(
        self, received: int, sender: str, receiver: str, sent: int, message: Message
    ) -> None:
        """A message arrives at a node for the first time, by this copy. Only if traced."""

    def notarized(self, time: int, node: str, block: Block) -> None:
        """See :class:`~streamlet_lab.consensus.Notarized`."""

    def finalized(self, time: int, node: str, block: Block) -> None:
        """See :class:`~streamlet_lab.consensus.Finalized`."""

    def conflicted(self, time: int, node: str, block: Block) -> None:
        """See :class:`~streamlet_lab.consensus.Conflicting`."""

    def refused(self, time: int, node: str, block: Block, verdict: Verdict) -> None:
        """See :class:`~streamlet_lab.consensus.Refused`."""


class Listeners(dict[str, list[Callable[..., None]]]):
    """By the name of a hook, those of a run's monitors that override it: few, or none."""

    def __init__(self, monitors: Iterable[Monitor]) -> None:
        everyone = tuple(to_instance(one, Monitor, "monitors") for one in monitors)
        for hook, default in vars(Monitor).items():
            if callable(default):
                self[hook] = [
                    getattr(one, hook)
                    for one in everyone
                    if getattr(type(one), hook) != default and hook not in one.unheard
                ]
        #: The same by the kind of event that they report.
        self.of_events: dict[Any, list[Callable[..., None]]] = {
            kind: self[hook] for kind, hook in NODE_HOOKS.items()
        }

    def tell(self, hook: str, *what: Any) -> None:
        """Call a hook of all who override it."""
        for listener in self[hook]:
            listener(*what)

    def tell_of(self, events: Iterable[Any], time: int, node: str) -> None:
        """Report the events of a node, but not its messages: they may never leave it."""
        for event in events:
            for listener in self.of_events.get(type(event), ()):
                listener(time, node, *event)


class ProgressReport(Monitor):
    """Calls ``progress(epoch, epochs)`` at the beginning of each epoch."""

    def __init__(self, progress: Progress, epochs: int) -> None:
        self._progress, self._epochs = to_function(progress, "progress"), epochs

    def epoch_started(self, time: int, epoch: int, leader: str) -> None:
        self._progress(epoch, self._epochs)
