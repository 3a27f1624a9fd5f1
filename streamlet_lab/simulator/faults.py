"""What a faulty node does. Each kind is a small class, registered under a name.

A fault may take duties away, may replace what its node sends, and may send more, to whomever and
whenever it likes. It holds the keys of its own node and of its accomplices, and no others.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Annotated, Any, ClassVar

from streamlet_lab.config import OBSERVER
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
from streamlet_lab.fault import Fault, Lasting
from streamlet_lab.keys import Keyring
from streamlet_lab.registers import NODE_FAULTS
from streamlet_lab.values import Whole, check_ranges


@dataclass(frozen=True, slots=True)
class Send:
    """A message that a faulty node sends.

    Parameters
    ----------
    to : tuple of str, optional
        Names of the receivers; everyone else unless given.
    delay : int, optional
        Microseconds until it arrives, at least 1; as the links will have it unless given.
    """

    message: Message
    to: tuple[str, ...] | None = None
    delay: Annotated[int, Whole(1, expected="whole microseconds, at least 1")] | None = None

    def __post_init__(self) -> None:
        if self.to is not None:
            if isinstance(self.to, str) or not isinstance(self.to, Iterable):
                raise InvalidInput("to", self.to, "a list of names of nodes")
            object.__setattr__(self, "to", tuple(self.to))
        check_ranges(self)

    def then(self, other: "Send") -> "Send":
        """Combine with how a later fault of the node sends it: fewer receivers, another delay."""
        to = self.to if other.to is None else other.to
        if self.to is not None and other.to is not None:
            to = tuple(name for name in other.to if name in self.to)
        return Send(other.message, to, self.delay if other.delay is None else other.delay)


@NODE_FAULTS.base
@dataclass(eq=False)
class NodeFault(Lasting):
    """A fault of one node; this base changes nothing. A kind adds parameters, with defaults.

    Duties and hooks are asked only while the fault is active; a node that is down sends nothing.
    The hooks `on_send`, `on_epoch`, `on_message` and `on_any_message` return, or yield, what is to
    be sent. None is nothing, but not of `on_send`, which replaces the node's own message: to send
    none it returns an empty list.

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
    node : StreamletNode
        Its node's own state machine, with its view of the chain: ``self.node.tree``.
    validators : tuple of str
        All voting nodes.
    accomplices : tuple of str
        The nodes whose keys the fault holds, its own among them.
    leader_of, now : callable
        An epoch's leader; the time in microseconds.
    epoch_length : int
        Microseconds.
    random : random.Random
        A stream of its own.
    keyring : Keyring
        Signs for accomplices only.
    vary : callable
        ``vary(payload, number)``: another payload that voters would accept as well.
    trees : mapping of str to BlockTree
        Every node's view, for those that may see everything; not to be changed.
    """

    needs_prices: ClassVar[bool] = False
    rushing: ClassVar[bool] = False

    start: int
    stop: int | None
    node: StreamletNode = field(init=False, repr=False)
    validators: tuple[str, ...] = field(init=False, repr=False)
    accomplices: tuple[str, ...] = field(init=False, default=())
    leader_of: LeaderRule = field(init=False, repr=False)
    now: Callable[[], int] = field(init=False, repr=False)
    epoch_length: int = field(init=False, repr=False)
    random: Random = field(init=False, repr=False)
    keyring: Keyring = field(init=False, repr=False)
    vary: Callable[[bytes, int], bytes] = field(init=False, repr=False)
    trees: Mapping[str, BlockTree] = field(init=False, repr=False)

    def check(self, accomplices: Sequence[str], participants: Sequence[str]) -> None:
        """Refuse, before anything runs, parameters that do not suit those who have the fault."""

    def bind(self, **given: Any) -> None:
        """Take in what a simulation gives: the attributes from ``node`` on."""
        vars(self).update(given)

    # What an honest node would do, and this one may not.

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
        """Return the application that the node uses instead, in every epoch."""
        return application

    # What it sends instead, and beyond.

    def on_send(self, message: Message) -> Iterable[Send]:
        """Replace a message that the node would send to everyone."""
        yield Send(message)

    def on_epoch(self, epoch: int) -> Iterable[Send] | None:
        """Send more at the beginning of an epoch, after the node has proposed."""
        return ()

    def on_message(self, message: Message) -> Iterable[Send] | None:
        """Send more when a message arrives that is new to the node, after the node has voted."""
        return ()

    def on_any_message(self, message: Message, sender: str) -> Iterable[Send] | None:
        """Send more the moment someone else sends a message; only if `rushing`."""
        return ()

    # What it has to work with.

    @property
    def may_return(self) -> bool:
        """Whether the node may be down for a while and come back."""
        return type(self).online is not NodeFault.online

    @property
    def name(self) -> str:
        """The name of its node."""
        return self.node.node_id

    @property
    def others(self) -> tuple[str, ...]:
        """All other voting nodes, in their order."""
        return tuple(one for one in self.validators if one != self.name)

    @property
    def victims(self) -> tuple[str, ...]:
        """The voting nodes that are neither this one nor its accomplices, in their order."""
        return tuple(one for one in self.validators if one not in self.accomplices)

    def leads(self, epoch: int) -> bool:
        """Whether its node leads an epoch; nobody leads before the first."""
        return epoch >= 0 and self.leader_of(epoch) == self.name

    def conflicting_block(self, block: Block, number: int = 1) -> Block:
        """Return another block in the same place that voters would accept as well."""
        return replace(block, payload=self.vary(block.payload, number))

    def proposal(self, block: Block, by: str | None = None) -> Proposal:
        """Return a proposal signed by this node, or by an accomplice; `InvalidInput` for others."""
        return sign_proposal(block, by or self.name, self.keyring)

    def vote(self, block: Block, by: str | None = None) -> Vote:
        """Return a vote signed by this node, or by an accomplice; `InvalidInput` for others."""
        return sign_vote(block, by or self.name, self.keyring)


def call_hook(fault: NodeFault, hook: str, *arguments: object) -> Iterator[Send]:
    """Yield what a hook wants sent, one by one; refuse what is no message to send.

    None is nothing, but not of `on_send`: a forgotten return would silence the node there.
    """
    returned = getattr(fault, hook)(*arguments)
    if returned is None and hook != "on_send":
        return
    place = f"{type(fault).__name__}.{hook}"
    expected = "messages to send, returned in a list or yielded, each as Send(message)"
    if not isinstance(returned, Iterable):
        raise InvalidInput(place, returned, expected)
    for send in returned:
        if not (isinstance(send, Send) and isinstance(send.message, Message)):
            raise InvalidInput(place, send, expected)
        yield send


def replace_sends(faults: Iterable[NodeFault], sends: Iterable[Send]) -> Iterable[Send]:
    """Let one fault of a node after the other replace what is to be sent."""
    for fault in faults:
        sends = [
            send.then(other)
            for send in sends
            for other in call_hook(fault, "on_send", send.message)
        ]
    return sends


fault_kind, fault_kinds = NODE_FAULTS.doors("a fault of nodes, a subclass of `NodeFault`")
own_fault_kinds = NODE_FAULTS.own


def offered_fault_kinds() -> tuple[str, ...]:
    """Return the kinds that do something by their name alone: all but the script."""
    return tuple(kind for kind in fault_kinds() if kind != "script")


def make_fault(fault: Fault) -> NodeFault:
    """Return what a configured fault does to one node."""
    made: NodeFault = NODE_FAULTS.make(
        fault.kind, fault.parameters, "faults.parameters", fault.start, fault.stop
    )
    return made


def make_faults(faults: Iterable[Fault], nodes: Sequence[str]) -> dict[str, list[NodeFault]]:
    """Return the faults of each node; those nodes that share one fault are accomplices."""
    made: dict[str, list[NodeFault]] = {name: [] for name in nodes}
    for fault in faults:
        accomplices = tuple(dict.fromkeys(fault.affected(tuple(nodes))))
        for name in accomplices:
            one = make_fault(fault)
            one.check(accomplices, (*nodes, OBSERVER))
            one.accomplices = accomplices
            made[name].append(one)
    return made


@fault_kind("crash")
@dataclass(eq=False)
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

    reaches: Annotated[int, Whole()] | None = None

    _has_spoken = False

    @property
    def may_return(self) -> bool:
        return self.stop is not None

    def online(self, epoch: int) -> bool:
        return self.reaches is not None and epoch == self.start

    def echoes(self, epoch: int) -> bool:
        return False

    def on_send(self, message: Message) -> Iterable[Send]:
        """Reach a few with the first message, and nobody with any other."""
        if not self._has_spoken:
            self._has_spoken = True
            reached = self.random.sample(self.others, min(self.reaches or 0, len(self.others)))
            yield Send(message, tuple(reached))


@fault_kind("silent_leader")
class SilentLeader(NodeFault):
    """The node votes, but does not propose."""

    def proposes(self, epoch: int) -> bool:
        return False


@fault_kind("withhold_votes")
class WithheldVotes(NodeFault):
    """The node proposes, but does not vote."""

    def votes(self, epoch: int) -> bool:
        return False
