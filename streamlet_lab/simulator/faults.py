"""What can go wrong with a node. Each kind is a small class, registered under a name."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, ClassVar

from streamlet_lab.consensus import Application, Block, Verdict
from streamlet_lab.errors import InvalidInput
from streamlet_lab.fault import Fault, is_active
from streamlet_lab.prices import PriceConsensus, decode_payload
from streamlet_lab.units import CENT, round_price, to_decimal


class NodeFault:
    """A fault of one node; this base takes no duty away.

    Parameters
    ----------
    start : int
        First epoch with the fault.
    stop : int or None
        First epoch without it again.
    **parameters
        What a kind takes beside; the base takes nothing.

    Attributes
    ----------
    needs_prices : bool
        Whether the kind makes sense only where blocks carry prices.
    """

    needs_prices: ClassVar[bool] = False

    def __init__(self, start: int, stop: int | None, **parameters: Any) -> None:
        if parameters:
            raise InvalidInput("faults.parameters", parameters, "none: this kind takes none")
        self.start = start
        self.stop = stop

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

    def wrap(self, application: Application) -> Application:
        """Return the application that the node uses instead."""
        return application


_KINDS: dict[str, type[NodeFault]] = {}
_OWN_KINDS: frozenset[str] = frozenset()


def fault_kind(name: str) -> Callable[[type[NodeFault]], type[NodeFault]]:
    """Register a kind of fault under a name, so that configurations can speak of it.

    Raises
    ------
    InvalidInput
        If the name is one of the lab's own, or what it names is not a subclass of `NodeFault`.
    """

    def register(kind: type[NodeFault]) -> type[NodeFault]:
        if name in _OWN_KINDS:
            raise InvalidInput("name", name, "a name other than the lab's own kinds")
        if not (isinstance(kind, type) and issubclass(kind, NodeFault)):
            raise InvalidInput("kind", kind, "a subclass of NodeFault")
        _KINDS[name] = kind
        return kind

    return register


def fault_kinds() -> tuple[str, ...]:
    """Return the names of all registered kinds, in alphabetical order."""
    return tuple(sorted(_KINDS))


def make_fault(fault: Fault) -> NodeFault:
    """Return what a configured fault does.

    Raises
    ------
    InvalidInput
        If there is no such kind, or it does not take these parameters.
    """
    kind = _KINDS.get(fault.kind)
    if kind is None:
        raise InvalidInput("faults", fault.kind, f"one of {', '.join(fault_kinds())}")
    try:
        return kind(fault.start, fault.stop, **fault.parameters)
    except TypeError as error:
        parameters = inspect.signature(kind).parameters.values()
        names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD][2:]
        raise InvalidInput(
            "faults.parameters",
            dict(fault.parameters),
            f"for {fault.kind}: {', '.join(names) or 'none'}",
        ) from error


@fault_kind("crash")
class Crash(NodeFault):
    """The node stops at the beginning of an epoch, for good."""

    def __init__(self, start: int, stop: int | None, **parameters: Any) -> None:
        if stop is not None:
            raise InvalidInput("faults.stop", stop, "none: a crashed node does not come back")
        super().__init__(start, stop, **parameters)

    def online(self, epoch: int) -> bool:
        """Down while the fault is active."""
        return not self.active(epoch)


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


@fault_kind("lying_leader")
class LyingLeader(NodeFault):
    """The node proposes a price of its own invention when it leads, and votes for it.

    Parameters
    ----------
    price : number
        The price that it claims, US dollars.
    """

    needs_prices = True

    def __init__(
        self, start: int, stop: int | None, price: object = "9999.00", **parameters: Any
    ) -> None:
        super().__init__(start, stop, **parameters)
        amount = to_decimal(price, "faults.parameters.price")
        if amount < CENT:
            raise InvalidInput("faults.parameters.price", str(price), "a price from 0.01 on")
        self.price = round_price(amount)

    def wrap(self, application: Application) -> Application:
        """Replace the price in the payloads that the node makes."""
        return _LyingApplication(application, self)


class _LyingApplication:
    def __init__(self, honest: Application, fault: LyingLeader) -> None:
        self._honest = honest
        self._fault = fault

    def make_payload(
        self, epoch: int, ancestors: Iterator[Block], observation: object
    ) -> tuple[bytes, bytes]:
        payload, attachment = self._honest.make_payload(epoch, ancestors, observation)
        claim = decode_payload(payload)
        if not self._fault.active(epoch) or not isinstance(claim, PriceConsensus):
            return payload, attachment
        price = self._fault.price
        lie = replace(claim, consensus_price=price, volume_weighted_price=price)
        return lie.to_payload(), attachment

    def judge(self, block: Block, ancestors: Iterator[Block], observation: object) -> Verdict:
        if self._fault.active(block.epoch):
            return Verdict(accepted=True)
        return self._honest.judge(block, ancestors, observation)


_OWN_KINDS = frozenset(_KINDS)
