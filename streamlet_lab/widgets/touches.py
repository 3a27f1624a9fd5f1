"""What a person does to a run at an instant, as settings of an experiment.

The run that :func:`touched` describes is the same until the instant: whatever was sent, received,
quoted, ordered or traded before it. From then on it is as plain a run as any, which can be copied
as code. Where a touch undoes what the settings have for later, only that part of them changes.

Faults are given by epochs, so that a node changes at the start of the first epoch that begins at
the instant or after it; all else happens at the instant itself.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Self

from streamlet_lab.config import ExperimentConfig, Partition, PriceJump, TraderConfig
from streamlet_lab.errors import InvalidInput
from streamlet_lab.fault import Fault
from streamlet_lab.fixed import fixed
from streamlet_lab.kinds import read_parameters
from streamlet_lab.simulator.traders.scripted import read_order
from streamlet_lab.texts import nearest
from streamlet_lab.units import format_duration, to_microseconds, to_seconds, to_text
from streamlet_lab.values import Whole, check_ranges

Kind = Literal["crash", "equivocate", "revive", "cut", "heal", "jump", "order"]

_AT_EPOCHS: Final = ("crash", "equivocate", "revive")
#: How many nodes each kind may name, and which values it needs or may have.
_NODES: Final[Mapping[str, tuple[int, ...]]] = {
    **dict.fromkeys(_AT_EPOCHS, (1,)),
    "cut": (1, 2),
    "heal": (0, 1, 2),
    "jump": (0,),
    "order": (0,),
}
_COUNTS: Final = {
    (0,): "none",
    (1,): "one node",
    (1, 2): "the two ends of a link, or one node to cut off",
    (0, 1, 2): "the two ends of a link, one node, or none to heal everything",
}
_NEEDED: Final = {"jump": ("percent",), "order": ("side", "quantity")}
_ALLOWED: Final = {**_NEEDED, "order": ("side", "quantity", "price")}


@dataclass(frozen=True, slots=True)
class Touch:
    """One thing that is done to a run at an instant.

    Parameters
    ----------
    at : int
        Protocol time, microseconds.
    kind : str
        ``"crash"``, ``"equivocate"``: what a node does from then on; ``"revive"``: it is up and
        honest again; ``"cut"``, ``"heal"``: a link; ``"jump"``: of the true price; ``"order"``:
        somebody's own.
    nodes : tuple of str
        The node; the two ends of a link, or the one node that is cut off from all others; to heal
        everything, none.
    percent : Decimal, optional
        By how much the price jumps.
    side, quantity, price : optional
        Of the order; without a price it is a market order.
    """

    at: Annotated[int, Whole()]
    kind: Kind
    nodes: tuple[str, ...] = ()
    percent: Decimal | None = None
    side: str | None = None
    quantity: int | None = None
    price: Decimal | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.nodes, list | tuple):
            raise InvalidInput("nodes", self.nodes, "a list of names of nodes")
        object.__setattr__(self, "nodes", tuple(to_text(name, "nodes", 1) for name in self.nodes))
        check_ranges(self)
        if len(self.nodes) not in _NODES[self.kind]:
            raise InvalidInput("nodes", list(self.nodes), _COUNTS[_NODES[self.kind]])
        for item in fields(self)[3:]:
            value = getattr(self, item.name)
            if value is None and item.name in _NEEDED.get(self.kind, ()):
                raise InvalidInput(item.name, None, f"a value, which the {self.kind} needs")
            if value is not None and item.name not in _ALLOWED.get(self.kind, ()):
                raise InvalidInput(item.name, value, f"none: '{self.kind}' has none")

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """Read a table of the fields, whose ``at`` is seconds, or a text such as ``"4200ms"``.

        >>> Touch.read({"at": 4.2, "kind": "crash", "nodes": ["node_3"]}).at
        4200000
        """
        given = document
        if isinstance(document, Mapping) and "at" in document:
            given = {**document, "at": to_microseconds(document["at"], "at")}
        return cls(**read_parameters(cls, given))

    @property
    def words(self) -> str:
        """What it is called.

        >>> Touch(4_200_000, "cut", ("node_0", "node_1")).words
        'cut node_0 and node_1 at 4.2 s'
        """
        what = " and ".join(self.nodes)
        return f"{self.kind} {what}{' ' if what else ''}at {_seconds(self.at)}"

    def effective_at(self, config: ExperimentConfig) -> int:
        """Return when it takes effect, microseconds: at its instant, or when an epoch begins."""
        return self.epoch(config) * config.epoch_length if self.kind in _AT_EPOCHS else self.at

    def epoch(self, config: ExperimentConfig) -> int:
        """Return the first epoch that begins at the instant or after it."""
        return -(-self.at // config.epoch_length)


def read_touches(documents: object) -> tuple[Touch, ...]:
    """Read a list of touches as the browser sends it; see :meth:`Touch.read`."""
    if not isinstance(documents, list | tuple):
        raise InvalidInput("touches", documents, "a list of touches")
    return tuple(_read(number, document) for number, document in enumerate(documents))


def _read(number: int, document: Any) -> Touch:
    try:
        return Touch.read(document)
    except InvalidInput as error:
        place = f"touches.{number}" + (f".{error.field}" if error.field else "")
        raise InvalidInput(place, error.value, error.expected) from None


def touched(config: ExperimentConfig, touches: Iterable[Touch]) -> ExperimentConfig:
    """Return the configuration of the run that goes on as the touches say, in order of time.

    Raises
    ------
    InvalidInput
        If one of them cannot be done there; its field begins with the :attr:`Touch.words`.

    Examples
    --------
    >>> config = ExperimentConfig(nodes=4)
    >>> crash = Touch(4_200_000, "crash", ("node_3",))
    >>> revive = Touch(9_000_000, "revive", ("node_3",))
    >>> touched(config, [crash, revive]).faults
    (Fault(kind='crash', nodes=('node_3',), count=None, start=5, stop=9, parameters={}),)
    """
    for touch in sorted(touches, key=lambda touch: touch.at):
        try:
            _check_place(config, touch)
            config = _CHANGES[touch.kind](config, touch)
        except InvalidInput as error:
            place = f"{touch.words}: {error.field}"
            raise InvalidInput(place, error.value, error.expected) from None
    return config


def _check_place(config: ExperimentConfig, touch: Touch) -> None:
    """Refuse what is done after the end, or to nodes that there are not."""
    end = config.epochs * config.epoch_length
    if touch.effective_at(config) >= end:
        expected = f"an instant before the end of the run at {_seconds(end)}"
        if touch.kind in _AT_EPOCHS:
            last = _seconds(end - config.epoch_length)
            expected = f"an instant up to {last}, when the last epoch begins: a node changes then"
        raise InvalidInput("at", _seconds(touch.at), expected)
    for name in touch.nodes:
        if name not in config.node_ids:
            expected = f"a node from node_0 to {config.node_ids[-1]}"
            raise InvalidInput("nodes", name, expected + nearest(name, config.node_ids))
    if len(set(touch.nodes)) < len(touch.nodes):
        raise InvalidInput("nodes", touch.nodes[0], "two nodes: no link leads from one to itself")


def _seconds(time: int) -> str:
    return f"{to_seconds(time):.12g} s"


# --- Faults


def _break(config: ExperimentConfig, touch: Touch) -> ExperimentConfig:
    (name,), epoch = touch.nodes, touch.epoch(config)
    known = {fault.kind for fault in _active(config, name, epoch)}
    if touch.kind in known:
        raise InvalidInput("nodes", name, f"a node without the fault {touch.kind!r} there")
    if "crash" in known:
        raise InvalidInput("nodes", name, "a node that is up there")
    fault = Fault(touch.kind, nodes=(name,), start=epoch)
    return config.model_copy(update={"faults": (*config.faults, fault)})


def _revive(config: ExperimentConfig, touch: Touch) -> ExperimentConfig:
    (name,), epoch = touch.nodes, touch.epoch(config)
    active = _active(config, name, epoch)
    if not active:
        raise InvalidInput("nodes", name, "a node with a fault there: this one is up, and honest")
    kept: list[Fault] = []
    added: list[Fault] = []
    for position, fault in enumerate(config.faults):
        if fault not in active:
            kept.append(fault)
            continue
        begun = fault.start < epoch
        named = replace(fault, nodes=_nodes_of(config, fault), count=None)
        others = tuple(one for one in named.nodes if one != name)
        if others and begun and fault.kind != "crash":
            # Accomplices until then: from there on the others are on their own.
            kept.append(replace(fault, stop=epoch))
            added.append(replace(named, nodes=others, start=epoch))
            continue
        if others:
            kept.append(replace(named, nodes=others))
        if begun:
            kept.append(replace(named, nodes=(name,), stop=epoch))
        elif any(name in _nodes_of(config, each) for each in config.faults[position + 1 :]):
            # What stands behind it in the node's list keeps its place, by which it draws.
            kept.append(replace(named, nodes=(name,), start=config.epochs, stop=None))
    return config.model_copy(update={"faults": (*kept, *added)})


def _nodes_of(config: ExperimentConfig, fault: Fault) -> tuple[str, ...]:
    """Return the names of the nodes that have a fault; none for a fault of sources."""
    return fault.affected(config.node_ids) if fault in config.node_faults else ()


def _active(config: ExperimentConfig, name: str, epoch: int) -> list[Fault]:
    """Return the faults that a node has in an epoch."""
    faults = config.node_faults
    return [each for each in faults if name in _nodes_of(config, each) and each.active(epoch)]


# --- Links


def _cut(config: ExperimentConfig, touch: Touch) -> ExperimentConfig:
    ends = _ends(config, touch)
    if not ends[1]:
        raise InvalidInput("nodes", touch.nodes[0], "one of two nodes or more")
    there = _under_way(config, touch.at)
    if any(all(_part(each, a, b) for a in ends[0] for b in ends[1]) for each in there):
        raise InvalidInput("nodes", " and ".join(touch.nodes), "what is not cut already")
    # Nothing that it holds back arrives while the run lasts, unless it is healed.
    stop = (config.epochs + 1) * config.epoch_length
    times: dict[str, Any] = {"start": format_duration(touch.at), "stop": format_duration(stop)}
    partition = Partition(groups=ends, **times)
    return _with_partitions(config, [*config.network.partitions, partition])


def _heal(config: ExperimentConfig, touch: Touch) -> ExperimentConfig:
    there = _under_way(config, touch.at)
    healed = there
    if touch.nodes:
        ends = {frozenset(end) for end in _ends(config, touch)}
        healed = [each for each in there if {frozenset(group) for group in each.groups} == ends]
    if not healed:
        wider = [each for each in there if len(touch.nodes) == 2 and _part(each, *touch.nodes)]
        for groups in (" | ".join(", ".join(group) for group in each.groups) for each in wider):
            expected = f"a link that was cut by itself: this one is, with others, between {groups}"
            raise InvalidInput("nodes", " and ".join(touch.nodes), expected)
        given = " and ".join(touch.nodes)
        raise InvalidInput("nodes", given or "everything", "what is cut at that instant")
    return _with_partitions(
        config,
        [
            each if each not in healed else each.model_copy(update={"stop": touch.at})
            for each in config.network.partitions
            if each not in healed or each.start < touch.at
        ],
    )


def _ends(config: ExperimentConfig, touch: Touch) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the two ends of what is cut; those of a node's links to all are it and the others."""
    first, *second = touch.nodes
    return (first,), tuple(second or (one for one in config.node_ids if one != first))


def _under_way(config: ExperimentConfig, time: int) -> list[Partition]:
    return [each for each in config.network.partitions if each.start <= time < each.stop]


def _part(partition: Partition, one: str, other: str) -> bool:
    """Whether two nodes do not reach each other, in either direction."""
    group_of = {name: group for group in partition.groups for name in group}
    known = one in group_of and other in group_of
    return known and not partition.one_way and group_of[one] != group_of[other]


def _with_partitions(config: ExperimentConfig, partitions: Sequence[Partition]) -> ExperimentConfig:
    network = config.network.model_copy(update={"partitions": tuple(partitions)})
    return config.model_copy(update={"network": network})


# --- Price and orders


def _jump(config: ExperimentConfig, touch: Touch) -> ExperimentConfig:
    """Let the price of every symbol jump, also of those that have jumps of their own."""
    given: dict[str, Any] = {"at": format_duration(touch.at), "percent": f"{touch.percent}"}
    jump = PriceJump(**given)
    prices = config.prices
    assets = {
        symbol: asset.model_copy(update={"jumps": (*asset.jumps, jump)})
        if "jumps" in asset.model_fields_set
        else asset
        for symbol, asset in prices.assets.items()
    }
    changed = prices.model_copy(update={"jumps": (*prices.jumps, jump), "assets": fixed(assets)})
    return config.model_copy(update={"prices": changed})


def _order(config: ExperimentConfig, touch: Touch) -> ExperimentConfig:
    order = {"at": format_duration(touch.at), "side": touch.side, "quantity": touch.quantity}
    if touch.price is not None:
        order["price"] = str(touch.price)
    read_order(order)  # which refuses it in fewer words than the whole configuration would
    *others, last = config.market.traders or [None]
    if last is None or last.kind != _SCRIPTED or last.count > 1:
        others, last = [*config.market.traders], TraderConfig(kind=_SCRIPTED)
    written = [*last.parameters.get("script", ()), order]
    parameters = fixed({**last.parameters, "script": written})
    last = last.model_copy(update={"parameters": parameters})
    market = config.market.model_copy(update={"traders": (*others, last)})
    return config.model_copy(update={"market": market})


_SCRIPTED: Final = "scripted"

_CHANGES: Final[Mapping[Kind, Callable[[ExperimentConfig, Touch], ExperimentConfig]]] = {
    "crash": _break,
    "equivocate": _break,
    "revive": _revive,
    "cut": _cut,
    "heal": _heal,
    "jump": _jump,
    "order": _order,
}
