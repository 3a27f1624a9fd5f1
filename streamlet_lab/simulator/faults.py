"""What a faulty node does. Each kind is a small class, registered under a name.

A fault may take duties away (it is not online, does not propose, vote or echo), may replace what
the node says, and may say more, to whomever and whenever it likes. It holds the keys of its own
node and of its accomplices, and no others.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from streamlet_lab.consensus import (
    Application,
    Block,
    BlockTree,
    LeaderRule,
    Message,
    Proposal,
    StreamletNode,
    Vote,
    sign_proposal,
    sign_vote,
)
from streamlet_lab.errors import InvalidInput
from streamlet_lab.fault import Fault, is_active
from streamlet_lab.keys import Keyring
from streamlet_lab.kinds import Kinds
from streamlet_lab.prices import SOURCE_FAULTS
from streamlet_lab.values import Whole


@dataclass(frozen=True, slots=True)
class Send:
    """A message that a faulty node sends.

    Parameters
    ----------
    message : Proposal or Vote
    to : tuple of str, optional
        Names of the receivers; everyone else unless given.
    delay : int, optional
        Microseconds until it arrives, at least 1; as the links will have it unless given.
    """

    message: Message
    to: tuple[str, ...] | None = None
    delay: int | None = None

    def __post_init__(self) -> None:
        if isinstance(self.to, str):
            raise InvalidInput("to", self.to, "a list of names of nodes")
        if self.to is not None:
            object.__setattr__(self, "to", tuple(self.to))
        if self.delay is not None and not (type(self.delay) is int and self.delay >= 1):
            raise InvalidInput("delay", self.delay, "whole microseconds, at least 1")

    def then(self, other: "Send") -> "Send":
        """Return what is left when a second fault has a word on how a message is sent."""
        to = self.to if other.to is None else other.to
        if self.to is not None and other.to is not None:
            to = tuple(name for name in other.to if name in self.to)
        return Send(other.message, to, self.delay if other.delay is None else other.delay)


@dataclass(frozen=True, slots=True)
class FaultContext:
    """What a fault is given of the simulation: its node, the clock, and the keys that it holds.

    Parameters
    ----------
    node : StreamletNode
        The node's own state machine, which hears everything that the node hears.
    validators : tuple of str
        All voting nodes.
    accomplices : tuple of str
        The nodes whose keys the fault holds, its own among them.
    leader_of : callable
    now : callable
        The time, microseconds.
    epoch_length : int
        Microseconds.
    random : random.Random
        A stream of the fault's own.
    keyring : Keyring
        Only ever asked to sign for accomplices.
    vary : callable
        ``vary(payload, number)``: another payload that voters would accept as well.
    trees : mapping of str to BlockTree
        Every node's view, for those that may see everything; not to be changed.
    """

    node: StreamletNode
    validators: tuple[str, ...]
    accomplices: tuple[str, ...]
    leader_of: LeaderRule
    now: Callable[[], int]
    epoch_length: int
    random: random.Random
    keyring: Keyring
    vary: Callable[[bytes, int], bytes]
    trees: Mapping[str, BlockTree]


class NodeFault:
    """A fault of one node; this base changes nothing.

    The hooks `on_send`, `on_epoch`, `on_message` and `on_any_message` are called only while the
    fault is active and the node is up. They return, or yield, what is to be sent. None is nothing,
    but not of `on_send`, which replaces the node's own message: to send none it returns an
    empty list.

    Parameters
    ----------
    start : int
        First epoch with the fault.
    stop : int or None
        First epoch without it again.

    Attributes
    ----------
    needs_prices : bool
        Whether the kind makes sense only where blocks carry prices.
    rushing : bool
        Whether it sees every message of the others the moment it is sent.
    partners : mapping of str to NodeFault
        The faults of its accomplices, its own among them, by node.
    """

    needs_prices: ClassVar[bool] = False
    rushing: ClassVar[bool] = False

    def __init__(self, start: int, stop: int | None) -> None:
        self.start = start
        self.stop = stop
        self.partners: Mapping[str, NodeFault] = {}
        self._context: FaultContext | None = None

    # What an honest node would do, and this one may not.

    def active(self, epoch: int) -> bool:
        """Whether the fault is there in an epoch."""
        return is_active(self.start, self.stop, epoch)

    def online(self, epoch: int) -> bool:
        """Whether the node is up."""
        return True

    def proposes(self, epoch: int) -> bool:
        """Whether the node proposes when it leads."""
        return True

    def votes(self, epoch: int) -> bool:
        """Whether the node votes."""
        return True

    def echoes(self, epoch: int) -> bool:
        """Whether the node passes on what is new to it."""
        return True

    def wrap(self, application: Application) -> Application:
        """Return the application that the node uses instead."""
        return application

    # What it says instead, and beyond.

    def on_send(self, message: Message) -> Iterable[Send]:
        """Replace a message that the node would send to everyone."""
        yield Send(message)

    def on_epoch(self, epoch: int) -> Iterable[Send] | None:
        """Say more at the beginning of an epoch, after the node has proposed."""
        return ()

    def on_message(self, message: Message) -> Iterable[Send] | None:
        """Say more when a message arrives that is new to the node, after the node has voted."""
        return ()

    def on_any_message(self, message: Message, sender: str) -> Iterable[Send] | None:
        """Say more the moment someone else sends a message; only if `rushing`."""
        return ()

    # What it has to work with.

    @property
    def may_return(self) -> bool:
        """Whether the node may be down for a while and come back."""
        return type(self).online is not NodeFault.online

    @property
    def context(self) -> FaultContext:
        """What the simulation gives it."""
        assert self._context is not None, "a fault has a context once it is part of a simulation"
        return self._context

    def bind(self, context: FaultContext) -> None:
        """Become part of a simulation."""
        self._context = context

    @property
    def node(self) -> StreamletNode:
        """Its node's own state machine, with its view of the chain: ``self.node.tree``."""
        return self.context.node

    @property
    def name(self) -> str:
        """The name of its node."""
        return self.context.node.node_id

    @property
    def others(self) -> tuple[str, ...]:
        """All other voting nodes, in their order."""
        return tuple(one for one in self.context.validators if one != self.name)

    @property
    def victims(self) -> tuple[str, ...]:
        """The voting nodes that are neither this one nor its accomplices, in their order."""
        return tuple(one for one in self.context.validators if one not in self.context.accomplices)

    @property
    def random(self) -> random.Random:
        """Its own stream of random numbers."""
        return self.context.random

    def leads(self, epoch: int) -> bool:
        """Whether its node leads an epoch; nobody leads before the first."""
        return epoch >= 0 and self.context.leader_of(epoch) == self.name

    def conflicting_block(self, block: Block, number: int = 1) -> Block:
        """Return another block in the same place that voters would accept as well."""
        return replace(block, payload=self.context.vary(block.payload, number))

    def proposal(self, block: Block, by: str | None = None) -> Proposal:
        """Return a proposal signed by this node, or by an accomplice; `InvalidInput` for others."""
        return sign_proposal(block, self._signer(by), self.context.keyring)

    def vote(self, block: Block, by: str | None = None) -> Vote:
        """Return a vote signed by this node, or by an accomplice; `InvalidInput` for others."""
        return sign_vote(block, self._signer(by), self.context.keyring)

    def _signer(self, by: str | None) -> str:
        signer = self.name if by is None else by
        if signer not in self.context.accomplices:
            raise InvalidInput("by", signer, f"one of {', '.join(self.context.accomplices)}")
        return signer


def as_said_by(faults: Iterable[NodeFault], sends: Iterable[Send]) -> Iterable[Send]:
    """Let one fault of a node after the other replace what is to be sent."""
    for fault in faults:
        sends = [
            send.then(replaced)
            for send in sends
            for replaced in read_said(fault, "on_send", fault.on_send(send.message))
        ]
    return sends


def read_said(fault: NodeFault, hook: str, said: object) -> Iterator[Send]:
    """Yield what a hook says, one by one as it says it; refuse what is no message to send.

    None is nothing, but not of `on_send`: a forgotten return would silence the node there.
    """
    if said is None and hook != "on_send":
        return
    place = f"{type(fault).__name__}.{hook}"
    expected = "messages to send, returned in a list or yielded, each as Send(message)"
    if not isinstance(said, Iterable):
        raise InvalidInput(place, said, expected)
    for send in said:
        if not (isinstance(send, Send) and isinstance(send.message, Message)):
            raise InvalidInput(place, send, expected)
        yield send


def _accept(kind: object) -> None:
    if not (isinstance(kind, type) and issubclass(kind, NodeFault)):
        raise InvalidInput("kind", kind, "a subclass of NodeFault")


_KINDS = Kinds[type[NodeFault]]("fault_kind", "kind", field="faults", accept=_accept)
fault_kinds = _KINDS.names
own_fault_kinds = _KINDS.own
close_register = _KINDS.close


def fault_kind(name: str) -> Callable[[type[NodeFault]], type[NodeFault]]:
    """Register a kind of fault of nodes; see :meth:`~streamlet_lab.kinds.Kinds.register`."""
    _KINDS.check(name)
    if name in SOURCE_FAULTS:
        raise InvalidInput("name", name, "a name that no kind of fault of sources has")

    def register(kind: type[NodeFault]) -> type[NodeFault]:
        _KINDS.add(name, kind)
        SOURCE_FAULTS.reserve([name])
        return kind

    return register


def offered_fault_kinds() -> tuple[str, ...]:
    """Return the kinds that do something by their name alone: all but the script."""
    return tuple(kind for kind in fault_kinds() if kind != "script")


def make_fault(fault: Fault) -> NodeFault:
    """Return what a configured fault does to one node.

    Raises
    ------
    InvalidInput
        If there is no such kind, or it does not take these parameters.
    """
    kind = _find_kind(fault.kind)
    made: NodeFault = _KINDS.make(
        kind, fault.parameters, "faults.parameters", fault.start, fault.stop
    )
    return made


def _find_kind(name: str) -> type[NodeFault]:
    try:
        return _KINDS[name]
    except InvalidInput as error:
        of_sources = ", ".join(SOURCE_FAULTS)
        expected = f"{error.expected}; kinds of sources are {of_sources}"
        raise InvalidInput(error.field, error.value, expected) from error


def make_faults(faults: Iterable[Fault], nodes: Sequence[str]) -> dict[str, list[NodeFault]]:
    """Return the faults of each node; those nodes that share one fault are accomplices."""
    made: dict[str, list[NodeFault]] = {name: [] for name in nodes}
    for fault in faults:
        partners = {name: make_fault(fault) for name in fault.affected(tuple(nodes))}
        for name, one in partners.items():
            one.partners = partners
            made[name].append(one)
    return made


@fault_kind("crash")
class Crash(NodeFault):
    """The node goes down at the beginning of an epoch, and may come back at that of another.

    It keeps what it knew and misses what was sent in the meantime. Unless leaders send their
    notarized chain along (``network.catch_up``), it may never catch up.

    Parameters
    ----------
    reaches : int, optional
        It goes down in the middle of its first broadcast of the epoch instead, which reaches only
        so many of the others (appendix A).
    """

    def __init__(
        self, start: int, stop: int | None, reaches: Annotated[int, Whole()] | None = None
    ) -> None:
        super().__init__(start, stop)
        self.reaches = reaches
        self._last_words = False

    def online(self, epoch: int) -> bool:
        """Down while the fault is active, but for an epoch in which it still begins to speak."""
        speaks = self.reaches is not None and epoch == self.start
        return speaks or not self.active(epoch)

    def echoes(self, epoch: int) -> bool:
        """Not while the fault is active."""
        return not self.active(epoch)

    def on_send(self, message: Message) -> Iterable[Send]:
        """Reach a few with the first message, and nobody with any other."""
        if not self._last_words:
            self._last_words = True
            others = self.random.sample(self.others, min(self.reaches or 0, len(self.others)))
            yield Send(message, tuple(others))

    @property
    def may_return(self) -> bool:
        """Only if the fault has an end."""
        return self.stop is not None


@fault_kind("silent_leader")
class SilentLeader(NodeFault):
    """The node votes, but does not propose."""

    def proposes(self, epoch: int) -> bool:
        """Not while the fault is active."""
        return not self.active(epoch)


@fault_kind("withhold_votes")
class WithheldVotes(NodeFault):
    """The node proposes, but does not vote."""

    def votes(self, epoch: int) -> bool:
        """Not while the fault is active."""
        return not self.active(epoch)
