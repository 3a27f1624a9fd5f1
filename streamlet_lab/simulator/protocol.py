"""Streamlet nodes on a network, driven by the clock. What they agree on does not matter here."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, TypedDict

from streamlet_lab.config import OBSERVER, ExperimentConfig
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
    TreeView,
    Vote,
    hashed,
    make_genesis,
    round_robin,
    scheduled,
)
from streamlet_lab.errors import InvalidInput
from streamlet_lab.keys import Ed25519Keyring, HeldKeys, IdealSignatures, make_keyring
from streamlet_lab.simulator.faults import NodeFault, Seat, Send, make_fault, make_faults
from streamlet_lab.simulator.links import Delay, clock_offsets, make_links
from streamlet_lab.simulator.monitors import Listeners, Monitor
from streamlet_lab.simulator.network import Network
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
    keyring : Ed25519Keyring or IdealSignatures
    delay : callable
        See :data:`~streamlet_lab.simulator.links.Delay`.
    epoch_length : int
        Microseconds.
    quorum : int
        Votes that notarize.
    chain_id : str
    genesis_payload : bytes
    observe : callable, optional
        Epoch → what a node, given its name, sees of the outside world in it.
    faults : mapping of str to sequence of NodeFault, optional
    monitors : sequence of Monitor
        Who watches.
    leader_of : callable, optional
        Epoch → name of the leader; round robin unless given.
    finality : FinalityRule
    certify : bool
        Whether proposals carry the notarized chain that they extend.
    clock_offsets : sequence of int, optional
        Microseconds that each participant's clock is late, the observer's last.
    sign_time, verify_time : int
        Microseconds that a node needs for a signature and for a verification.
    seed : int
        Of what adversaries draw.
    vary : callable
        ``vary(payload, number)``: another payload that voters would accept as well.
    trace : bool
        Whether monitors are told of each delivery.
    echo, shortest_delay
        See :class:`~streamlet_lab.simulator.network.Network`.

    Attributes
    ----------
    node_ids : tuple of str
        The voters.
    nodes : dict of str to StreamletNode
        All participants; the last one is the observer, which has no vote.
    next_epoch : int
        The first epoch that has not been run.
    """

    node_type: ClassVar[type[StreamletNode]] = StreamletNode

    def __init__(
        self,
        node_ids: Sequence[str],
        application: Application,
        *,
        keyring: Ed25519Keyring | IdealSignatures,
        delay: Delay,
        epoch_length: int,
        quorum: int,
        chain_id: str = "streamlet-lab",
        genesis_payload: bytes = b"",
        observe: Callable[[int], Callable[[str], object]] = lambda epoch: lambda node: None,
        faults: Mapping[str, Sequence[NodeFault]] | None = None,
        monitors: Sequence[Monitor] = (),
        leader_of: LeaderRule | None = None,
        finality: FinalityRule = THREE_IN_A_ROW,
        certify: bool = False,
        clock_offsets: Sequence[int] = (),
        sign_time: int = 0,
        verify_time: int = 0,
        seed: int = 0,
        vary: Callable[[bytes, int], bytes] = lambda payload, number: payload + b"#%d" % number,
        trace: bool = False,
        echo: bool = True,
        shortest_delay: int = 1,
    ) -> None:
        self.node_ids = tuple(node_ids)
        self.queue = EventQueue()
        self.keyring = keyring
        self.epoch_length = epoch_length
        self.genesis = make_genesis(chain_id, genesis_payload)
        self.monitors = list(monitors)
        self.next_epoch = 0
        self._epoch = self.genesis.epoch
        self.leader_of = leader_of or round_robin(node_ids)
        self._observe = observe
        self._names = (*node_ids, OBSERVER)
        self._index = {name: index for index, name in enumerate(self._names)}
        self._faults = [tuple((faults or {}).get(name, ())) for name in self._names]
        self._participants = [
            self.node_type(
                name,
                node_ids,
                self.genesis,
                quorum,
                keyring,
                _wrapped(application, node_faults),
                self.leader_of,
                finality,
                certify=certify,
            )
            for name, node_faults in zip(self._names, self._faults, strict=True)
        ]
        self.nodes = dict(zip(self._names, self._participants, strict=True))
        self._listeners = Listeners(())
        self._offsets = tuple(clock_offsets) or (0,) * len(self._names)
        self._sign_time = sign_time
        self._signing_until = [0] * len(self._names)
        self._echo = echo
        self._seat_faults(seed, vary)
        self._rushing = [
            (index, fault)
            for index, node_faults in enumerate(self._faults)
            for fault in node_faults
            if fault.rushing
        ]
        self.network = Network(
            self.queue,
            delay,
            len(node_ids),
            1,
            self._receive,
            echo=echo,
            shortest_delay=shortest_delay,
            unreliable=[
                index
                for index, node_faults in enumerate(self._faults)
                if any(fault.may_return for fault in node_faults)
            ],
            verify_time=verify_time,
            delivered=self._delivered if trace else None,
            # Just after the node has entered the first epoch in which it takes it in.
            welcome=lambda epoch: (epoch - EPOCHS_AHEAD) * epoch_length + 1,
            late=self._offsets,
        )

    def _seat_faults(self, seed: int, vary: Callable[[bytes, int], bytes]) -> None:
        trees = {name: TreeView(node.tree) for name, node in self.nodes.items()}
        for index, node_faults in enumerate(self._faults):
            for number, fault in enumerate(node_faults):
                name = self._names[index]
                accomplices = tuple(fault.partners) or (name,)
                seat = Seat(
                    node=self._participants[index],
                    validators=self.node_ids,
                    accomplices=accomplices,
                    leader_of=self.leader_of,
                    now=lambda: self.queue.now,
                    epoch_length=self.epoch_length,
                    random=stream(seed, f"adversary/{name}/{number}"),
                    keyring=HeldKeys(self.keyring, accomplices),
                    vary=vary,
                    trees=trees,
                )
                fault.join(seat)

    @property
    def faults(self) -> dict[str, tuple[NodeFault, ...]]:
        """The faults of each participant."""
        return dict(zip(self._names, self._faults, strict=True))

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
        self._listeners = Listeners(self.monitors)
        first = self.next_epoch
        self.next_epoch += epochs
        for epoch in range(first, self.next_epoch):
            self.queue.schedule(epoch * self.epoch_length, Priority.EPOCH, self._start_epoch, epoch)
            self.queue.run_until((epoch + 1) * self.epoch_length, Priority.REFERENCE)

    def _start_epoch(self, time: int, epoch: int) -> None:
        self._epoch = epoch
        self._listeners.tell("epoch_started", time, epoch, self.leader_of(epoch))
        observe = self._observe(epoch)
        for index, offset in enumerate(self._offsets):
            entry = (index, epoch, observe(self._names[index]))
            if offset:
                self.queue.schedule(time + offset, Priority.EPOCH, self._enter, entry)
            else:
                self._enter(time, entry)

    def _enter(self, time: int, entry: tuple[int, int, object]) -> None:
        """Let one node begin an epoch: its own clock says so."""
        index, epoch, observation = entry
        node, faults = self._participants[index], self._faults[index]
        self._listeners.tell("entered", time, self._names[index], epoch)
        if not faults:
            self._act(time, index, node.start_epoch(epoch, observation))
            return
        node.proposes = all(fault.proposes(epoch) for fault in faults)
        node.votes = all(fault.votes(epoch) for fault in faults)
        self.network.online[index] = all(fault.online(epoch) for fault in faults)
        self.network.echoes[index] = self._echo and all(fault.echoes(epoch) for fault in faults)
        if self.network.online[index]:
            self._act(time, index, node.start_epoch(epoch, observation))
            self._say_more(time, index, "begin", lambda fault: fault.begin(epoch))

    def _receive(self, time: int, index: int, message: Message) -> None:
        events = self._participants[index].receive(message)
        # Most messages change nothing.
        if events:
            self._act(time, index, events)
        if self._faults[index]:
            self._say_more(time, index, "heard", lambda fault: fault.heard(message))

    def _delivered(
        self, received: int, sender: int, receiver: int, sent: int, message: Message
    ) -> None:
        names = self._names
        self._listeners.tell("delivered", received, names[sender], names[receiver], sent, message)

    def _active_faults(self, index: int) -> list[NodeFault]:
        epoch = self._participants[index].epoch
        return [fault for fault in self._faults[index] if fault.active(epoch)]

    def _act(self, time: int, index: int, events: Sequence[Event]) -> None:
        """Send what a node wants sent, or its faults instead, and report what else happened."""
        sends: Iterable[Send] = [Send(event) for event in events if isinstance(event, Message)]
        if sends and self._faults[index]:
            sends = _as_said_by(self._active_faults(index), sends)
        self._carry(time, index, sends)
        self._listeners.tell_of(events, time, self._names[index])

    def _say_more(
        self, time: int, index: int, hook: str, speak: Callable[[NodeFault], Iterable[Send] | None]
    ) -> None:
        """Let each fault of a node say more; the faults listed after it have a word on how."""
        faults = self._active_faults(index)
        for position, fault in enumerate(faults):
            said = _said(fault, hook, speak(fault))
            self._carry(time, index, _as_said_by(faults[position + 1 :], said))

    def _carry(self, time: int, index: int, sends: Iterable[Send]) -> None:
        for send in sends:
            self._send(time, index, send)

    def _send(self, time: int, index: int, send: Send) -> None:
        message, name = send.message, self._names[index]
        if self._faults[index]:
            # What a fault says the node has not said itself, and does not know yet.
            self._listeners.tell_of(self._participants[index].learn(message), time, name)
        if not self._faults[index] or self._is_genuine(message):
            self._listeners.tell("sent", time, name, message)
        if self._sign_time:
            leaves = max(time, self._signing_until[index]) + self._sign_time
            self._signing_until[index] = leaves
            self.queue.schedule(leaves, Priority.DELIVERY, self._dispatch, (index, send))
        else:
            self._dispatch(time, (index, send))

    def _dispatch(self, time: int, dispatch: tuple[int, Send]) -> None:
        """Hand a message to the network, at the instant at which it leaves its sender."""
        index, send = dispatch
        message, name = send.message, self._names[index]
        if not self.network.online[index]:
            return
        if send.to is None and send.delay is None:
            self.network.broadcast(time, index, message)
        else:
            for receiver in self._names if send.to is None else send.to:
                if receiver not in self._index:
                    raise InvalidInput("to", receiver, f"one of {', '.join(self._names)}")
                if receiver != name:
                    self.network.send(time, index, self._index[receiver], message, send.delay)
        if self._rushing:
            self._let_overhear(time, index, message)

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

    def _let_overhear(self, time: int, sender: int, message: Message) -> None:
        """Show a message to those who see everything; what they say themselves they know."""
        if any(fault.rushing for fault in self._faults[sender]):
            return
        for index, fault in self._rushing:
            # Whoever sends may have begun an epoch that this node is about to begin.
            if self.network.online[index] and fault.active(self._epoch):
                said = fault.overheard(message, self._names[sender])
                self._carry(time, index, _said(fault, "overheard", said))


class ProtocolSettings(TypedDict):
    """What a configuration says about the protocol, whatever the nodes agree on."""

    keyring: Ed25519Keyring | IdealSignatures
    delay: Delay
    epoch_length: int
    quorum: int
    faults: dict[str, list[NodeFault]]
    leader_of: LeaderRule
    finality: FinalityRule
    certify: bool
    clock_offsets: tuple[int, ...]
    sign_time: int
    verify_time: int
    seed: int
    trace: bool
    echo: bool
    shortest_delay: int


def protocol_settings(config: ExperimentConfig, chain_id: str) -> ProtocolSettings:
    """Return the arguments of a simulation that follow from a configuration.

    Raises
    ------
    InvalidInput
        If there is no such kind of fault or of delay, or it does not take its parameters.
    """
    network = config.network
    links = make_links(network, config.nodes, config.seed)
    return ProtocolSettings(
        keyring=make_keyring(
            config.signatures,
            config.node_ids,
            config.seed,
            remember=config.remember_verifications,
        ),
        delay=links.delay,
        epoch_length=config.epoch_length,
        quorum=config.votes_needed,
        faults=make_faults(config.node_faults, config.node_ids),
        leader_of=_leader_rule(config, chain_id),
        finality=SIX_UNCONTESTED if config.model == "synchronous" else THREE_IN_A_ROW,
        certify=network.catch_up or config.model == "crash",
        clock_offsets=clock_offsets(network, config.nodes, config.seed),
        sign_time=network.sign_time,
        verify_time=network.verify_time,
        seed=config.seed,
        trace=config.trace,
        echo=config.echo,
        shortest_delay=links.shortest,
    )


def _leader_rule(config: ExperimentConfig, chain_id: str) -> LeaderRule:
    match config.leaders:
        case "round_robin":
            return round_robin(config.node_ids)
        case "hashed":
            return hashed(config.node_ids, chain_id)
        case schedule:
            return scheduled(schedule)


def create_streamlet_network(
    config: ExperimentConfig,
    monitors: Sequence[Monitor] = (),
    *,
    reroute: Callable[[Delay], Delay] | None = None,
) -> StreamletSimulation:
    """Return a network that runs the bare protocol, with payloads that mean nothing.

    Parameters
    ----------
    config : ExperimentConfig
        What it says of prices and the market does not matter, nor the number of epochs.
    monitors : sequence of Monitor
        Who watches.
    reroute : callable, optional
        Makes other delays of those that the configuration says.

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
    chain_id = f"streamlet/{config.seed}"
    settings = protocol_settings(config, chain_id)
    for fault in config.faults:
        if fault in config.source_faults or make_fault(fault).needs_prices:
            raise InvalidInput("faults", fault.kind, "a kind that makes sense without prices")
    if reroute is not None:
        settings["delay"], settings["shortest_delay"] = reroute(settings["delay"]), 1
    return StreamletSimulation(
        config.node_ids, OpaqueApplication(), monitors=monitors, chain_id=chain_id, **settings
    )


def _as_said_by(faults: Iterable[NodeFault], sends: Iterable[Send]) -> Iterable[Send]:
    """Let one fault of a node after the other replace what is to be sent."""
    for fault in faults:
        sends = [
            send.then(replaced)
            for send in sends
            for replaced in _said(fault, "say", fault.say(send.message))
        ]
    return sends


def _said(fault: NodeFault, hook: str, said: object) -> Iterator[Send]:
    """Yield what a hook says, one by one as it says it; refuse what is no message to send.

    None is nothing, but for `say`: there it would silence the node where a return was forgotten.
    """
    if said is None and hook != "say":
        return
    place = f"{type(fault).__name__}.{hook}"
    expected = "messages to send, returned in a list or yielded, each as Send(message)"
    if not isinstance(said, Iterable):
        raise InvalidInput(place, said, expected)
    for send in said:
        if not (isinstance(send, Send) and isinstance(send.message, Message)):
            raise InvalidInput(place, send, expected)
        yield send


def _wrapped(application: Application, faults: Sequence[NodeFault]) -> Application:
    for fault in faults:
        application = fault.wrap(application)
    return application
