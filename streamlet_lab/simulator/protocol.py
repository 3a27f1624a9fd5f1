"""Streamlet nodes on a network, driven by the clock. What they agree on does not matter here."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypedDict

from streamlet_lab.config import OBSERVER, ExperimentConfig
from streamlet_lab.consensus import (
    Application,
    Message,
    OpaqueApplication,
    StreamletNode,
    make_genesis,
    round_robin,
)
from streamlet_lab.errors import InvalidInput
from streamlet_lab.keys import Ed25519Keyring, NoSignatures, make_keyring
from streamlet_lab.simulator.faults import NodeFault, make_fault
from streamlet_lab.simulator.monitors import Monitor
from streamlet_lab.simulator.network import Delay, Network, lognormal_delay
from streamlet_lab.simulator.queue import EventQueue, Priority
from streamlet_lab.streams import stream


class StreamletSimulation:
    """A run of the protocol that can be continued epoch by epoch.

    Parameters
    ----------
    node_ids : sequence of str
        The voters, in the order of the round robin.
    application : Application
        Shared by all honest nodes; it is pure.
    keyring : Ed25519Keyring or NoSignatures
    delay : callable
        See :data:`~streamlet_lab.simulator.network.Delay`.
    epoch_length : int
        Microseconds.
    quorum : int
        Votes that notarize.
    chain_id : str
    genesis_payload : bytes
    observe : callable, optional
        Epoch → what the nodes see of the outside world in it.
    faults : mapping of str to sequence of NodeFault, optional
    monitors : sequence of Monitor
        Who watches.
    echo, shortest_delay
        See :class:`~streamlet_lab.simulator.network.Network`.

    Attributes
    ----------
    nodes : dict of str to StreamletNode
        All participants; the last one is the observer, which has no vote.
    next_epoch : int
        The first epoch that has not been run.
    """

    def __init__(
        self,
        node_ids: Sequence[str],
        application: Application,
        *,
        keyring: Ed25519Keyring | NoSignatures,
        delay: Delay,
        epoch_length: int,
        quorum: int,
        chain_id: str = "streamlet-lab",
        genesis_payload: bytes = b"",
        observe: Callable[[int], object] = lambda epoch: None,
        faults: Mapping[str, Sequence[NodeFault]] | None = None,
        monitors: Sequence[Monitor] = (),
        echo: bool = True,
        shortest_delay: int = 1,
    ) -> None:
        self.queue = EventQueue()
        self.keyring = keyring
        self.epoch_length = epoch_length
        self.genesis = make_genesis(chain_id, genesis_payload)
        self.monitors = list(monitors)
        self.next_epoch = 0
        self.leader_of = round_robin(node_ids)
        self._observe = observe
        self._names = (*node_ids, OBSERVER)
        self._faults = [tuple((faults or {}).get(name, ())) for name in self._names]
        self._participants = [
            self._make_node(name, node_ids, quorum, _wrapped(application, node_faults))
            for name, node_faults in zip(self._names, self._faults, strict=True)
        ]
        self.nodes = dict(zip(self._names, self._participants, strict=True))
        self._told = [_log_lengths(node) for node in self._participants]
        self.network = Network(
            self.queue,
            delay,
            len(node_ids),
            1,
            self._receive,
            echo=echo,
            shortest_delay=shortest_delay,
        )

    def _make_node(
        self, name: str, node_ids: Sequence[str], quorum: int, application: Application
    ) -> StreamletNode:
        return StreamletNode(
            name, node_ids, self.genesis, quorum, self.keyring, application, self.leader_of
        )

    @property
    def observer(self) -> StreamletNode:
        """The node without a vote."""
        return self.nodes[OBSERVER]

    def run(self, epochs: int) -> None:
        """Run some more epochs; the last one ends with the deliveries at its end.

        What else is due at that instant happens first when the run is continued.
        """
        if epochs < 0:
            raise InvalidInput("epochs", epochs, "zero or more")
        first = self.next_epoch
        self.next_epoch += epochs
        for epoch in range(first, self.next_epoch):
            self.queue.schedule(epoch * self.epoch_length, Priority.EPOCH, self._start_epoch, epoch)
            self.queue.run_until((epoch + 1) * self.epoch_length, Priority.REFERENCE)

    def _start_epoch(self, time: int, epoch: int) -> None:
        leader = self.leader_of(epoch)
        for monitor in self.monitors:
            monitor.epoch_started(time, epoch, leader)
        observation = self._observe(epoch)
        for index, node in enumerate(self._participants):
            faults = self._faults[index]
            if faults:
                node.proposes = all(fault.proposes(epoch) for fault in faults)
                node.votes = all(fault.votes(epoch) for fault in faults)
                self.network.online[index] = all(fault.online(epoch) for fault in faults)
            if self.network.online[index]:
                self._act(time, index, node.start_epoch(epoch, observation))

    def _receive(self, time: int, index: int, message: Message) -> None:
        self._act(time, index, self._participants[index].receive(message))

    def _act(self, time: int, index: int, messages: list[Message]) -> None:
        for message in messages:
            for monitor in self.monitors:
                monitor.sent(time, self._names[index], message)
            self.network.broadcast(time, index, message)
        node, (notarized, _, _, refusals) = self._participants[index], self._told[index]
        # Nothing is finalized, or found in conflict, without something being notarized.
        if len(node.tree.notarized) > notarized or len(node.refusals) > refusals:
            self._tell(time, index)

    def _tell(self, time: int, index: int) -> None:
        """Tell the monitors what is new in a node's append-only logs."""
        node, before = self._participants[index], self._told[index]
        tree, name = node.tree, self._names[index]
        self._told[index] = _log_lengths(node)
        for monitor in self.monitors:
            for block in tree.notarized[before[0] :]:
                monitor.notarized(time, name, block)
            for block in tree.finalized[before[1] :]:
                monitor.finalized(time, name, block)
            for block in tree.conflicts[before[2] :]:
                monitor.conflicted(time, name, block)
            for block, verdict in node.refusals[before[3] :]:
                monitor.refused(time, name, block, verdict)


class ProtocolSettings(TypedDict):
    """What a configuration says about the protocol, whatever the nodes agree on."""

    keyring: Ed25519Keyring | NoSignatures
    delay: Delay
    epoch_length: int
    quorum: int
    faults: dict[str, list[NodeFault]]
    echo: bool
    shortest_delay: int


def protocol_settings(config: ExperimentConfig) -> ProtocolSettings:
    """Return the arguments of a simulation that follow from a configuration.

    Raises
    ------
    InvalidInput
        If there is no such kind of fault, or it does not take its parameters.
    """
    faults: dict[str, list[NodeFault]] = {name: [] for name in config.node_ids}
    for fault in config.faults:
        for name in fault.affected(config.node_ids):
            faults[name].append(make_fault(fault))
    network = config.network
    return ProtocolSettings(
        keyring=make_keyring(
            config.signatures,
            config.node_ids,
            config.seed,
            remember=config.remember_verifications,
        ),
        delay=lognormal_delay(
            stream(config.seed, "network"),
            network.median_delay,
            network.delay_spread,
            network.delta,
            network.fastest,
        ),
        epoch_length=config.epoch_length,
        quorum=config.votes_needed,
        faults=faults,
        echo=config.echo,
        shortest_delay=min(network.fastest, network.delta),
    )


def create_streamlet_network(
    config: ExperimentConfig, monitors: Sequence[Monitor] = ()
) -> StreamletSimulation:
    """Return a network that runs the bare protocol, with payloads that mean nothing.

    Raises
    ------
    InvalidInput
        If a fault needs prices.

    Examples
    --------
    >>> network = create_streamlet_network(ExperimentConfig(nodes=4))
    >>> network.run(epochs=8)
    >>> [block.epoch for block in network.observer.tree.finalized]
    [-1, 0, 1, 2, 3, 4, 5, 6]
    """
    settings = protocol_settings(config)
    for fault in config.faults:
        if make_fault(fault).needs_prices:
            raise InvalidInput("faults", fault.kind, "a kind that makes sense without prices")
    return StreamletSimulation(config.node_ids, OpaqueApplication(), monitors=monitors, **settings)


def _log_lengths(node: StreamletNode) -> tuple[int, int, int, int]:
    tree = node.tree
    return len(tree.notarized), len(tree.finalized), len(tree.conflicts), len(node.refusals)


def _wrapped(application: Application, faults: Sequence[NodeFault]) -> Application:
    for fault in faults:
        application = fault.wrap(application)
    return application
