"""Scripted runs: what faulty nodes send, and when single messages arrive, each one line of text.

In both, ``at`` is the time of an arrival: what matters in a worked attack is who knew what when.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, NamedTuple, Self

from pydantic import Field

from streamlet_lab.consensus import Block, Message, Proposal, Vote
from streamlet_lab.errors import InvalidInput
from streamlet_lab.simulator.coalitions import Coalition
from streamlet_lab.simulator.delays import LOST, Delay
from streamlet_lab.simulator.faults import Send, fault_kind
from streamlet_lab.units import to_microseconds

#: A block is named by its epoch, with a tag where an epoch has several: ``4``, ``4A``, ``4left``.
BLOCK_NAME: Final = r"\d{1,9}(?:[A-Za-z]\w*)?"
#: The name of the block that every chain starts with.
GENESIS: Final = "genesis"

STEP_FORM: Final = (
    "'NODE proposes BLOCK on BLOCK to NODES at TIME' or 'NODES vote BLOCK to NODES at TIME', "
    "such as 'node_3 proposes 2X on 1 to node_0,node_1 at 59us'"
)
DELIVERY_FORM: Final = (
    "'deliver WHAT of EPOCHS from NODES to NODES sent TIME..TIME at TIME' (or 'after TIME'), or "
    "'lose WHAT …' with neither; WHAT is messages, proposals or votes, such as "
    "'deliver votes of 0 to node_2,node_3 at 11us'"
)

_NODES = r"\w+(?:,\w+)*"
_STEP = re.compile(
    rf"(?:(?P<proposer>\w+) proposes (?P<proposed>{BLOCK_NAME}) on (?P<on>{BLOCK_NAME}|{GENESIS})"
    rf"|(?P<voters>{_NODES}) votes? (?P<voted>{BLOCK_NAME}))"
    rf"(?: to (?P<to>{_NODES}))? at (?P<at>\S+)",
    re.ASCII,
)
_DELIVERY = re.compile(
    r"(?P<verb>deliver|lose) (?P<what>messages|proposals|votes)"
    r"(?: of (?P<first>\d{1,9})(?:\.\.(?P<last>\d{1,9}))?)?"
    rf"(?: from (?P<senders>{_NODES}))?(?: to (?P<receivers>{_NODES}))?"
    r"(?: sent (?P<start>\S{1,60}?)\.\.(?P<stop>\S{1,60}))?"
    r"(?: (?P<when>at|after) (?P<time>\S+))?",
    re.ASCII,
)
_WHAT: Final[dict[str, Any]] = {"messages": Message, "proposals": Proposal, "votes": Vote}


def epoch_of(block: str) -> int:
    """Return the epoch in the name of a block.

    >>> epoch_of("12A")
    12
    """
    return int(re.split("[A-Za-z]", block, maxsplit=1)[0])


class Step(NamedTuple):
    """A proposal, or with no parent a vote of each of the nodes, by the names of the blocks.

    It goes to everyone unless receivers are given. The arrival is in microseconds from the
    beginning of the run.
    """

    text: str
    nodes: tuple[str, ...]
    block: str
    parent: str | None
    to: tuple[str, ...] | None
    arrival: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one line of the form :data:`STEP_FORM`, or raise `InvalidInput`.

        >>> step = Step.parse("node_2,node_3 vote 4A to node_0 at 41us")
        >>> step.nodes, step.block, step.to, step.arrival
        (('node_2', 'node_3'), '4A', ('node_0',), 41)
        """
        parts = _STEP.fullmatch(text)
        if parts is None:
            raise InvalidInput("step", text, STEP_FORM)
        arrival = to_microseconds(parts["at"], "at")
        if arrival < 1:
            raise InvalidInput("at", parts["at"], "at least 1us: messages take time")
        block, parent = parts["proposed"] or parts["voted"], parts["on"]
        if parent not in (None, GENESIS) and epoch_of(parent) >= epoch_of(block):
            raise InvalidInput("on", parent, f"a block of an epoch before {epoch_of(block)}")
        return cls(
            text=text,
            nodes=tuple((parts["proposer"] or parts["voters"]).split(",")),
            block=block,
            parent=parent,
            to=_names(parts["to"]),
            arrival=arrival,
        )


@fault_kind("script")
@dataclass(eq=False)
class Script(Coalition):
    """The nodes say what is written, and nothing else: they do not propose, vote or echo.

    Each step is carried out at the beginning of an epoch, its node's last one before the arrival,
    and the message is on its way until then. A block that the script proposes has its name for a
    payload, so it is the same whoever speaks of it; any other is found by its epoch in the
    speaker's view, for which a step may wait until the time of its arrival.

    Parameters
    ----------
    steps : list of str
        Each of the form :data:`STEP_FORM`, said by nodes that share the script.

    Attributes
    ----------
    blocks : dict of str to Block
        The script's own blocks that this node has spoken of, by name.
    """

    steps: Annotated[Sequence[str], Field()] = ()
    blocks: dict[str, Block] = field(init=False, default_factory=dict)

    _until = 0

    def __post_init__(self) -> None:
        self._steps = [Step.parse(text) for text in self.steps]
        self._parents: dict[str, str] = {}
        for step in self._steps:
            if step.parent and self._parents.setdefault(step.block, step.parent) != step.parent:
                expected = f"{step.block} on {self._parents[step.block]}, as before"
                raise InvalidInput("step", step.text, expected)

    def check(self, accomplices: Sequence[str], participants: Sequence[str]) -> None:
        """Refuse steps of nodes that do not share the script, or to nodes that do not exist."""
        for step in self._steps:
            if not {*step.nodes} <= {*accomplices}:
                raise InvalidInput("step", step.text, f"said by {', '.join(accomplices)}")
            if not {*(step.to or ())} <= {*participants}:
                raise InvalidInput("step", step.text, f"to {', '.join(participants)}")

    def bind(self, **given: Any) -> None:
        """Sort the steps that its node is to carry out by the time of their arrival."""
        super().bind(**given)
        own = (step for step in self._steps if self.name in step.nodes)
        self._waiting = sorted(own, key=lambda step: step.arrival)

    def on_epoch(self, epoch: int) -> Iterable[Send]:
        self._until = self.now() + self.epoch_length
        return self._send_what_is_due()

    def on_message(self, message: Message) -> Iterable[Send]:
        return self._send_what_is_due()

    def _send_what_is_due(self) -> list[Send]:
        now, sends, waiting = self.now(), [], []
        for step in self._waiting:
            if step.arrival <= now:
                expected = f"about a block that {self.name} has seen before {step.arrival}us"
                raise InvalidInput("step", step.text, expected)
            block = self._block(step.block, step) if step.arrival <= self._until else None
            if block is None:
                waiting.append(step)
            else:
                message = self.proposal(block) if step.parent else self.vote(block)
                sends.append(Send(message, step.to, step.arrival - now))
        self._waiting = waiting
        return sends

    def _block(self, name: str, step: Step) -> Block | None:
        """Return a block; None if it is not the script's own and not seen yet."""
        if name == GENESIS:
            return self.node.tree.finalized[0]
        if name not in self._parents:
            return self._seen(name, step)
        parent = self._block(self._parents[name], step)
        if parent is None:
            return None
        block = Block(
            parent.chain_id, epoch_of(name), parent.height + 1, parent.hash, name.encode()
        )
        return self.blocks.setdefault(name, block)

    def _seen(self, name: str, step: Step) -> Block | None:
        found = [block for block in self.node.tree.blocks() if str(block.epoch) == name]
        if len(found) > 1:
            expected = f"about one block {name}, not {len(found)} that {self.name} has seen"
            raise InvalidInput("step", step.text, expected)
        return found[0] if found else None


class Delivery(NamedTuple):
    """When certain copies of messages arrive, instead of when the links would have it.

    What is not given may be anything: the epochs of the messages, the times in microseconds at
    which a copy is sent, its sender (also one who passes it on) and receiver. A copy arrives at a
    time, but one microsecond after it is sent at the earliest, or after a delay; with neither it is
    lost for good.
    """

    what: Any
    epochs: range | None
    senders: tuple[str, ...] | None
    receivers: tuple[str, ...] | None
    sent: range | None
    at: int | None
    after: int | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one line of the form :data:`DELIVERY_FORM`, or raise `InvalidInput`.

        >>> delivery = Delivery.parse("lose messages to node_3 sent 30us..70us")
        >>> delivery.receivers, delivery.sent
        (('node_3',), range(30, 70))
        """
        parts = _DELIVERY.fullmatch(text)
        if parts is None or (parts["verb"] == "deliver") != (parts["when"] is not None):
            raise InvalidInput("delivery", text, DELIVERY_FORM)
        time = to_microseconds(parts["time"], "time") if parts["time"] else None
        if parts["when"] == "after" and not time:
            raise InvalidInput("after", parts["time"], "at least 1us: messages take time")
        first, start = parts["first"], parts["start"]
        return cls(
            what=_WHAT[parts["what"]],
            epochs=range(int(first), int(parts["last"] or first) + 1) if first else None,
            senders=_names(parts["senders"]),
            receivers=_names(parts["receivers"]),
            sent=range(to_microseconds(start), to_microseconds(parts["stop"])) if start else None,
            at=time if parts["when"] == "at" else None,
            after=time if parts["when"] == "after" else None,
        )

    def applies(self, message: Message, sender: str, receiver: str, time: int) -> bool:
        """Whether the rule is about a copy that is sent at a time."""
        return (
            isinstance(message, self.what)
            and (self.epochs is None or message.epoch in self.epochs)
            and (self.senders is None or sender in self.senders)
            and (self.receivers is None or receiver in self.receivers)
            and (self.sent is None or time in self.sent)
        )

    def delay(self, time: int) -> int:
        """Return the delay of a copy that is sent at a time."""
        if self.at is not None:
            return max(self.at - time, 1)
        return LOST if self.after is None else self.after


@dataclass(frozen=True, slots=True)
class ScriptedDelay:
    """The delays of the links, but for what the first rule that applies says.

    Nothing bounds what is scripted: not Δ, nor the end of bad times. ``names`` are those of all
    participants, the observer's last.
    """

    usual: Delay
    deliveries: Sequence[Delivery]
    names: Sequence[str]

    def __call__(self, message: Message, sender: int, receiver: int, time: int) -> int:
        # Drawn in any case, so that the other copies' delays are those without the rules.
        drawn = self.usual(message, sender, receiver, time)
        for rule in self.deliveries:
            if rule.applies(message, self.names[sender], self.names[receiver], time):
                return rule.delay(time)
        return drawn


def _names(written: str | None) -> tuple[str, ...] | None:
    return tuple(written.split(",")) if written else None
