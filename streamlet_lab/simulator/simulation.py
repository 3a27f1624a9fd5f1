"""Streamlet nodes on a network, driven by the clock. What they agree on does not matter here."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Final, Protocol

from streamlet_lab.config import OBSERVER, ExperimentConfig, check_config
from streamlet_lab.consensus import (
    EPOCHS_AHEAD,
    SIX_UNCONTESTED,
    THREE_IN_A_ROW,
    Application,
    Event,
    FinalityRule,
    LeaderRule,
    Message,
    OpaqueApplication,
    Proposal,
    StreamletNode,
    Vote,
    hashed,
    make_genesis,
    round_robin,
)
from streamlet_lab.errors import InvalidInput
from streamlet_lab.fixed import FixedDict
from streamlet_lab.keys import HeldKeys, make_keyring
from streamlet_lab.simulator.faults import (
    NodeFault,
    Send,
    call_hook,
    make_fault,
    make_faults,
    replace_sends,
)
from streamlet_lab.simulator.links import Links, clock_offsets, make_links
from streamlet_lab.simulator.monitors import Listeners, Monitor
from streamlet_lab.simulator.network import Network, Reception
from streamlet_lab.simulator.queue import EventQueue, Priority
from streamlet_lab.streams import stream
from streamlet_lab.units import to_name, to_whole

_MESSAGES: Final = (Proposal, Vote)
# A message that its sender, by its index, lets go: to whom, if not to everyone, and its delay.
_Dispatch = tuple[int, Message, Sequence[str] | None, int | None]


class SimulatedApplication(Application, Protocol):
    """What a simulation asks of an application, beside what its nodes do."""

    @property
    def genesis_payload(self) -> bytes:
        """What the first block of the chain carries."""
        ...

    def vary(self, payload: bytes, number: int) -> bytes:
        """Return another payload that voters would accept as well, for adversaries."""
        ...


class Simulation:
    """A run of the protocol that can be continued epoch by epoch.

    Parameters
    ----------
    config : ExperimentConfig
        What it says of epochs, prices and the market does not matter here.
    application : SimulatedApplication
        Shared by all honest nodes; it is pure.
    monitors : sequence of Monitor
        Who watches.
    chain_id : str, optional
        Names the chain.
    links, faults : optional
        Instead of those of the configuration; the faults by node.

    Attributes
    ----------
    node_ids : tuple of str
        The voters.
    nodes : dict of str to StreamletNode
        All participants; the last one is the observer, which has no vote.
    next_epoch : int
        The first epoch that has not been run.
    clock_offsets : tuple of int
        By how much each participant's clock is late, in microseconds.

    Raises
    ------
    InvalidInput
        If there is no such kind of fault or of delay, or it does not take its parameters.
    """

    node_type: ClassVar[type[StreamletNode]] = StreamletNode

    def __init__(
        self,
        config: ExperimentConfig,
        application: SimulatedApplication,
        monitors: Sequence[Monitor] = (),
        *,
        chain_id: str | None = None,
        links: Links | None = None,
        faults: Mapping[str, Sequence[NodeFault]] | None = None,
    ) -> None:
        chain_id = f"streamlet/{config.seed}" if chain_id is None else chain_id
        faults = make_faults(config.node_faults, config.node_ids) if faults is None else faults
        self.config = config
        self.node_ids = config.node_ids
        self.epoch_length = config.epoch_length
        self.monitors = list(monitors)
        self.next_epoch = 0
        self.queue = EventQueue()
        self.keyring = make_keyring(
            config.signatures, config.node_ids, config.seed, remember=config.remember_verifications
        )
        self.genesis = make_genesis(chain_id, application.genesis_payload)
        self.leader_of = _leader_rule(config, chain_id)
        self._epoch = self.genesis.epoch
        self._listeners = Listeners(())
        self._names = (*config.node_ids, OBSERVER)
        self._index = {name: index for index, name in enumerate(self._names)}
        self.faults = FixedDict({name: tuple(faults.get(name, ())) for name in self._names})
        self._faults = list(self.faults.values())
        nodes = ((name, self._make_node(name, application)) for name in self._names)
        self.nodes = FixedDict(nodes)
        self._participants = list(self.nodes.values())
        self._bind_faults(application.vary)
        self._rushing = [
            (index, fault)
            for index, of_node in enumerate(self._faults)
            for fault in of_node
            if fault.rushing
        ]
        self.clock_offsets = clock_offsets(config.network, config.nodes, config.seed)
        self._signing_until = [0] * len(self._names)
        self.network = self._make_network(links)

    def _make_node(self, name: str, application: Application) -> StreamletNode:
        for fault in self.faults[name]:
            application = fault.wrap(application)
        config = self.config
        node = self.node_type(
            name,
            config.node_ids,
            self.genesis,
            config.votes_needed,
            self.keyring,
            application,
            self.leader_of,
            _finality_rule(config),
        )
        node.certifies = config.network.catch_up or config.model == "crash"
        return node

    def _make_network(self, links: Links | None) -> Network:
        config = self.config
        return Network(
            self.queue,
            make_links(config.network, config.nodes, config.seed) if links is None else links,
            config.nodes,
            self._receive,
            echo=config.echo,
            unreliable=[
                index
                for index, faults in enumerate(self._faults)
                if any(fault.may_return for fault in faults)
            ],
            reception=Reception(
                not_before=partial(_taken_in_from, self.epoch_length),
                late=self.clock_offsets,
                verify_time=config.network.verify_time,
            ),
            delivered=self._delivered if config.trace else None,
        )

    def _bind_faults(self, vary: Callable[[bytes, int], bytes]) -> None:
        """Give each fault what it has to work with."""
        trees = {name: node.tree for name, node in self.nodes.items()}
        for name, faults in self.faults.items():
            for number, fault in enumerate(faults):
                fault.accomplices = fault.accomplices or (name,)
                fault.bind(
                    node=self.nodes[name],
                    validators=self.node_ids,
                    leader_of=self.leader_of,
                    now=self._now,
                    epoch_length=self.epoch_length,
                    random=stream(self.config.seed, f"adversary/{name}/{number}"),
                    keyring=HeldKeys(self.keyring, fault.accomplices),
                    vary=vary,
                    trees=trees,
                )

    def _now(self) -> int:
        return self.queue.now

    @property
    def observer(self) -> StreamletNode:
        """The node without a vote."""
        return self.nodes[OBSERVER]

    def observe(self, epoch: int) -> Callable[[str], object]:
        """Return what each node, given its name, sees of the outside world in an epoch."""
        return dict[str, object]().get  # nothing

    def run(self, epochs: int) -> None:
        """Run some more epochs; the last one ends with the deliveries at its end.

        What else is due at that instant happens first when the run is continued.
        """
        epochs = to_whole(epochs, 0, "epochs")
        self._listeners = Listeners(self.monitors)
        first = self.next_epoch
        self.next_epoch += epochs
        for epoch in range(first, self.next_epoch):
            self.queue.schedule(epoch * self.epoch_length, Priority.EPOCH, self._start_epoch, epoch)
            self.queue.run_until((epoch + 1) * self.epoch_length, Priority.REFERENCE)

    def _start_epoch(self, time: int, epoch: int) -> None:
        self._epoch = epoch
        self._listeners.tell("epoch_started", time, epoch, self.leader_of(epoch))
        observe = self.observe(epoch)
        for index, offset in enumerate(self.clock_offsets):
            entry = (index, epoch, observe(self._names[index]))
            if offset:
                self.queue.schedule(time + offset, Priority.EPOCH, self._enter, entry)
            else:
                self._enter(time, entry)

    def _enter(self, time: int, entry: tuple[int, int, object]) -> None:
        """Let one node begin an epoch: its own clock says so."""
        index, epoch, observation = entry
        node, faults = self._participants[index], self._faults[index]
        for listener in self._listeners["entered"]:
            listener(time, self._names[index], epoch)
        if not faults:
            if events := node.start_epoch(epoch, observation):
                self._act(time, index, events)
            return
        active = [fault for fault in faults if fault.active(epoch)]
        node.proposes = all(fault.proposes(epoch) for fault in active)
        node.votes = all(fault.votes(epoch) for fault in active)
        self.network.online[index] = all(fault.online(epoch) for fault in active)
        echoes = self.config.echo and all(fault.echoes(epoch) for fault in active)
        self.network.echoes[index] = echoes
        if self.network.online[index]:
            self._act(time, index, node.start_epoch(epoch, observation))
            self._call_hooks(time, index, "on_epoch", epoch)

    def _receive(self, time: int, index: int, message: Message) -> None:
        events = self._participants[index].receive(message)
        # Most messages change nothing.
        if events:
            self._act(time, index, events)
        if self._faults[index]:
            self._call_hooks(time, index, "on_message", message)

    def _delivered(
        self, received: int, sender: int, receiver: int, sent: int, message: Message
    ) -> None:
        names = self._names
        self._listeners.tell("delivered", received, names[sender], names[receiver], sent, message)

    def _active_faults(self, index: int) -> list[NodeFault]:
        epoch = self._participants[index].epoch
        return [fault for fault in self._faults[index] if fault.active(epoch)]

    def _act(self, time: int, index: int, events: Sequence[Any]) -> None:
        """Send what a node wants sent, or its faults instead, and report what else happened."""
        name, listeners = self._names[index], self._listeners
        if self._faults[index]:
            sends = [Send(event) for event in events if isinstance(event, _MESSAGES)]
            learned = self._carry(time, index, replace_sends(self._active_faults(index), sends))
            listeners.tell_of([*events, *learned], time, name)
            return
        for event in events:
            if isinstance(event, _MESSAGES):
                self._send(time, index, event)
            else:
                for listener in listeners.of_events[type(event)]:
                    listener(time, name, *event)

    def _call_hooks(self, time: int, index: int, hook: str, argument: object) -> None:
        """Let each fault of a node send more, as the faults listed after it change that."""
        faults = self._active_faults(index)
        for position, fault in enumerate(faults):
            sends = call_hook(fault, hook, argument)
            learned = self._carry(time, index, replace_sends(faults[position + 1 :], sends))
            self._listeners.tell_of(learned, time, self._names[index])

    def _carry(self, time: int, index: int, sends: Iterable[Send]) -> list[Event]:
        """Send it all; return what a faulty node learns from its faults' messages.

        What a fault says the node has not said itself, and does not know yet.
        """
        learned: list[Event] = []
        for send in sends:
            if self._faults[index]:
                learned += self._participants[index].learn(send.message)
            self._send(time, index, send.message, send.to, send.delay)
        return learned

    def _send(
        self,
        time: int,
        index: int,
        message: Message,
        to: Sequence[str] | None = None,
        delay: int | None = None,
    ) -> None:
        """Tell of a message and let it leave, once it is signed if that takes time."""
        if not self._faults[index] or self._is_genuine(message):
            for listener in self._listeners["sent"]:
                listener(time, self._names[index], message)
        if sign_time := self.config.network.sign_time:
            leaves = max(time, self._signing_until[index]) + sign_time
            self._signing_until[index] = leaves
            dispatch = (index, message, to, delay)
            self.queue.schedule(leaves, Priority.DELIVERY, self._dispatch, dispatch)
        else:
            self._dispatch(time, (index, message, to, delay))

    def _dispatch(self, time: int, dispatch: _Dispatch) -> None:
        """Hand a message to the network, at the instant at which it leaves its sender."""
        index, message, to, delay = dispatch
        if not self.network.online[index]:
            return
        if to is None and delay is None:
            self.network.broadcast(time, index, message)
        else:
            name = self._names[index]
            for receiver in self._names if to is None else to:
                to_name(receiver, self._index, "to")
                if receiver != name:
                    self.network.send(time, index, self._index[receiver], message, delay)
        if self._rushing:
            self._show_to_rushing(time, index, message)

    def _is_genuine(self, message: Message) -> bool:
        """Whether a message is signed by whom it names, and a proposal by its epoch's leader."""
        match message:
            case Vote():
                author = message.voter
            case Proposal():
                author = message.proposer
                if message.epoch < 0 or self.leader_of(message.epoch) != author:
                    return False
        return self.keyring.verify(author, message.signature, message.signed)

    def _show_to_rushing(self, time: int, sender: int, message: Message) -> None:
        """Show a message to those who see everything; what they say themselves they know."""
        if any(fault.rushing for fault in self._faults[sender]):
            return
        for index, fault in self._rushing:
            # Whoever sends may have begun an epoch that this node is about to begin.
            if self.network.online[index] and fault.active(self._epoch):
                sends = call_hook(fault, "on_any_message", message, self._names[sender])
                learned = self._carry(time, index, sends)
                self._listeners.tell_of(learned, time, self._names[index])


def _taken_in_from(epoch_length: int, epoch: int) -> int:
    """Return the time just after a node enters the first epoch in which it takes in another's."""
    return (epoch - EPOCHS_AHEAD) * epoch_length + 1


def _leader_rule(config: ExperimentConfig, chain_id: str) -> LeaderRule:
    match config.leaders:
        case "round_robin":
            return round_robin(config.node_ids)
        case "hashed":
            return hashed(config.node_ids, chain_id)
        case schedule:
            return round_robin(schedule)


def _finality_rule(config: ExperimentConfig) -> FinalityRule:
    return SIX_UNCONTESTED if config.model == "synchronous" else THREE_IN_A_ROW


def create_streamlet_network(
    config: ExperimentConfig, monitors: Sequence[Monitor] = (), *, links: Links | None = None
) -> Simulation:
    """Return a network that runs the bare protocol, with payloads that mean nothing.

    Raises `InvalidInput` if a fault needs prices.

    Examples
    --------
    >>> network = create_streamlet_network(ExperimentConfig(nodes=4))
    >>> network.run(epochs=8)
    >>> [block.epoch for block in network.observer.tree.finalized]
    [-1, 0, 1, 2, 3, 4, 5, 6]
    """
    for fault in check_config(config).faults:
        if fault in config.source_faults or make_fault(fault).needs_prices:
            raise InvalidInput("faults", fault.kind, "a kind that makes sense without prices")
    return Simulation(config, OpaqueApplication(), monitors, links=links)
