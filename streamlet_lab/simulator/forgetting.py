"""What a run need not keep: all that nothing which may still happen has to do with."""

from collections.abc import Callable, Collection, Sequence
from typing import Final

from streamlet_lab.consensus import Vote
from streamlet_lab.simulator.adversaries import LateProposals, LateVotes
from streamlet_lab.simulator.faults import Crash, NodeFault, SilentLeader, WithheldVotes
from streamlet_lab.simulator.monitors import Monitor
from streamlet_lab.simulator.simulation import Simulation
from streamlet_lab.simulator.stock import StockSimulation

#: How often it is looked what may go, in epochs.
STRETCH: Final = 64

# Epochs that stay below what may still change: the rules look back so far at most, since they count
# epochs. References and notarization follow parents, however old: see `_first_needed`.
_MARGIN: Final = 64

# With these a node says what an honest one would, once, or less.
_HARMLESS: Final = frozenset({Crash, SilentLeader, WithheldVotes, LateVotes, LateProposals})

#: Called with the first epoch that is still needed, and the height of its final block.
Forget = Callable[[int, int], None]


class Forgetter(Monitor):
    """Drops every so often what is about epochs that are over for everyone.

    An epoch is over once no message about it or an earlier one is on its way, every node that is up
    has finalized a block of a later one, and some time has passed. Of it nothing is ever asked
    again, if nobody says anything twice, and no two chains become final. What is late by intention
    is on its way from the start. So nothing is dropped where nodes may do worse than to fall silent
    or be late, or come back; where quorums need not meet; where leaders send whole chains along;
    and where messages wait to be signed or verified. A chain may leave out any number of epochs, so
    a block that stays keeps what it stands on. ``tests/simulator/test_forgetting.py`` compares such
    runs with those that forget.

    Parameters
    ----------
    simulation : Simulation
        Not to be continued by itself: what was dropped is gone from the views of its nodes.
    keep : collection of str
        Nodes whose views stay whole.
    others : sequence of callable
        Who else has something to drop; they are asked first.
    """

    def __init__(
        self, simulation: Simulation, keep: Collection[str], others: Sequence[Forget]
    ) -> None:
        self._simulation, self._keep, self._others = simulation, keep, others
        self._may_forget = may_forget(simulation)
        self._margin = _MARGIN + simulation.config.nodes
        self._epoch = 0

    def epoch_started(self, time: int, epoch: int, leader: str) -> None:
        if self._may_forget and epoch % STRETCH == 0:
            self._forget(self._first_needed(self._first_open_epoch()))

    def _first_open_epoch(self) -> int:
        simulation = self._simulation
        network, nodes = simulation.network, list(simulation.nodes.values())
        up = [node for node, is_up in zip(nodes, network.online, strict=True) if is_up]
        epochs = [message.epoch for message in network.on_their_way()]
        epochs += [epoch for node in up for epoch in (node.epoch, node.tree.finalized[-1].epoch)]
        return min(epochs)

    def _first_needed(self, first_open: int) -> int:
        """Return where to cut: below the margin, and the parent of each block that is still open.

        Only such a block, or one that stands on it, may yet get a quorum or be voted for.
        """
        needed = [first_open - self._margin]
        for name, node in self._simulation.nodes.items():
            if name not in self._keep:
                epochs = {block.hash: block.epoch for block in node.tree.blocks()}
                for block in node.tree.blocks():
                    if block.height and block.epoch >= first_open:
                        needed.append(epochs[block.parent])
        return min(needed)

    def _forget(self, needed: int) -> None:
        """Drop what is about epochs before this one, down to the final block below it.

        That one stays: whatever is kept on the final chain has its parent, and its references.
        """
        simulation = self._simulation
        final = reversed(simulation.observer.tree.finalized)
        below = (block for block in final if block.epoch < needed)
        epoch = next((block.epoch for block in below), self._epoch)
        if epoch <= self._epoch:
            return
        self._epoch = epoch
        height = next(below).height
        for forget in self._others:
            forget(epoch, height)
        for message in simulation.network.forget(epoch):
            author = message.voter if isinstance(message, Vote) else message.proposer
            simulation.keyring.forget(author, message.signature, message.signed)
        for name, node in simulation.nodes.items():
            if name not in self._keep:
                node.tree.forget(epoch)
        if isinstance(simulation, StockSimulation):
            trees = (node.tree for name, node in simulation.nodes.items() if name not in self._keep)
            known = {block.hash for tree in trees for block in tree.blocks()}
            simulation.application.forget(known)


def may_forget(simulation: Simulation) -> bool:
    """Whether nothing that is over in a simulation can come back."""
    config = simulation.config
    network = config.network
    return (
        config.model == "byzantine"
        and 2 * config.votes_needed > config.nodes
        and not (network.catch_up or network.sign_time or network.verify_time or config.trace)
        and all(_is_harmless(fault) for faults in simulation.faults.values() for fault in faults)
    )


def _is_harmless(fault: NodeFault) -> bool:
    return type(fault) in _HARMLESS and not fault.may_return
