"""What a person says about a fault: which kind, which nodes or sources, from when to when."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set, ValuesView
from dataclasses import dataclass, field
from typing import Annotated, Any, Self

from streamlet_lab.errors import InvalidInput
from streamlet_lab.fixed import fixed
from streamlet_lab.units import to_text, to_whole
from streamlet_lab.values import Text, Whole, check_ranges, to_plain

_SHORT_FAULT = re.compile(r"([^@]+)(?:@(\d{1,18})(?:-(\d{1,18}))?)?", re.ASCII)


class Lasting:
    """What lasts from epoch ``start`` on until before ``stop``, if there is one."""

    __slots__ = ()
    start: int
    stop: int | None

    def active(self, epoch: int) -> bool:
        """Whether it is there in an epoch."""
        return self.start <= epoch and (self.stop is None or epoch < self.stop)


@dataclass(frozen=True, slots=True)
class Fault(Lasting):
    """Something that goes wrong with some nodes, or sources of quotes, for some epochs.

    Parameters
    ----------
    kind : str
        A registered kind: of nodes, such as ``"crash"`` or ``"silent_leader"``, or of sources, such
        as ``"biased"`` or ``"colluding"``.
    nodes : tuple of str
        Which nodes or sources; or else
    count : int, optional
        how many of the last ones.
    start : int
        First epoch with the fault.
    stop : int, optional
        First epoch without it again; None is for ever.
    parameters : mapping
        What the kind takes.
    """

    kind: Annotated[str, Text(1)]
    nodes: tuple[str, ...] = ()
    count: Annotated[int, Whole()] | None = None
    start: Annotated[int, Whole()] = 0
    stop: Annotated[int, Whole()] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.nodes, str) or not isinstance(self.nodes, Iterable):
            raise InvalidInput("nodes", self.nodes, "a list of names of nodes")
        object.__setattr__(self, "nodes", tuple(to_text(name, "nodes", 1) for name in self.nodes))
        check_ranges(self)
        if self.stop is not None:
            to_whole(self.stop, self.start + 1, "stop")
        if (self.count is None) == (not self.nodes):
            expected = "no names beside a count" if self.nodes else "names of nodes, or a count"
            raise InvalidInput("nodes", self.nodes, expected)
        if not isinstance(self.parameters, Mapping):
            raise InvalidInput("parameters", self.parameters, "names with values")
        try:
            object.__setattr__(self, "parameters", fixed(to_plain(self.parameters)))
        except InvalidInput as error:
            raise InvalidInput(f"parameters.{error.field}", error.value, error.expected) from None

    @classmethod
    def parse(cls, node: str, text: str) -> Self:
        """Read the short form ``kind``, ``kind@start`` or ``kind@start-stop`` for one of them."""
        parts = _SHORT_FAULT.fullmatch(text) if isinstance(text, str) else None
        if parts is None:
            expected = "a kind with epochs as numbers, such as 'crash@4' or 'silent_leader@4-8'"
            raise InvalidInput("faults", text, expected)
        kind, start, stop = parts.groups()
        return cls(kind, (node,), None, int(start or 0), int(stop) if stop else None)

    def affected(self, nodes: tuple[str, ...]) -> tuple[str, ...]:
        """Return the nodes that have the fault, out of all."""
        return self.nodes if self.count is None else nodes[len(nodes) - self.count :]


def read_faults(value: object) -> list[Fault | Mapping[str, Any]]:
    """Read faults as people write them, and return a list of faults, and tables with their fields.

    That is ``"node_3=crash@4,external_feed=biased"``, ``{"node_3": "crash@4"}``, a fault, a table,
    or a list of all these.
    """
    match value:
        case Fault():
            return [value]
        case str():
            texts = [item.strip().partition("=") for item in value.split(",")]
            for node, equals, kind in texts:
                if not (node and equals and kind):
                    raise InvalidInput("faults", value, "NODE=KIND, such as 'node_3=crash@4'")
            return [Fault.parse(node, kind) for node, _, kind in texts]
        case Mapping() if not Fault.__dataclass_fields__.keys().isdisjoint(value):
            return [value]
        case Mapping():
            return [
                {**kind, "nodes": [node]} if isinstance(kind, Mapping) else Fault.parse(node, kind)
                for node, kind in value.items()
            ]
        case Sequence() | Set() | ValuesView() | Iterator():
            items = [*value]
            if all(isinstance(each, Fault | str | Mapping) for each in items):
                return [fault for each in items for fault in read_faults(each)]
    expected = "'node_3=crash@4', {'node_3': 'crash@4'}, a Fault, or a list of these"
    raise InvalidInput("faults", value, expected)
