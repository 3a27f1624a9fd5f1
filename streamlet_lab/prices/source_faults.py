"""Sources that may be dishonest: what a fault of a source is, and what each receiver gets to know.

A dishonest source sees everything, and speaks in its own name only. The lab's own kinds are in
:mod:`streamlet_lab.prices.dishonest`; in an outage they are silent as well.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from random import Random
from typing import ClassVar, Final

from streamlet_lab.errors import InvalidInput
from streamlet_lab.fault import Fault, Lasting
from streamlet_lab.kinds import Kinds
from streamlet_lab.prices.feeds import QuoteFeed
from streamlet_lab.prices.quotes import StockPrice
from streamlet_lab.prices.rounds import PriceRound
from streamlet_lab.registers import NODE_FAULTS
from streamlet_lab.streams import stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene(PriceRound):
    """What a dishonest source sees when it is to quote: the round, and what the others say.

    Parameters
    ----------
    quotes : tuple of StockPrice
        What all sources would honestly say in this epoch, those in an outage left out.
    earlier : callable
        An epoch to what all sources would honestly have said in it.
    """

    quotes: tuple[StockPrice, ...]
    earlier: Callable[[int], tuple[StockPrice, ...]]


#: All kinds of faults of sources by their names; no fault of nodes has one of these names.
SOURCE_FAULTS: Final = Kinds["type[SourceFault]"](
    "source_fault_kind", "kind", field="faults", beside=NODE_FAULTS
)
source_fault_kind, source_fault_kinds = SOURCE_FAULTS.doors(
    "a fault of sources, a subclass of `SourceFault`"
)


@SOURCE_FAULTS.base
@dataclass(eq=False)
class SourceFault(Lasting, ABC):
    """A fault of one source, for one symbol; a kind takes what it needs beside, with defaults.

    Parameters
    ----------
    start, stop : int
        First epoch with the fault, and first one without it again; None is for ever.

    Attributes
    ----------
    equivocates : bool
        Whether it may say different things to different receivers.
    source : str
    accomplices : tuple of str
        The sources that share the fault, this one among them, in order.
    random : random.Random
        A stream of its own.

    Examples
    --------
    >>> @source_fault_kind("shy")
    ... class Shy(SourceFault):
    ...     def quote(self, honest, scene, receiver):
    ...         return honest if scene.epoch % 2 else None
    >>> "shy" in source_fault_kinds()
    True
    """

    equivocates: ClassVar[bool] = False

    start: int
    stop: int | None
    source: str = field(init=False)
    accomplices: tuple[str, ...] = field(init=False)
    random: Random = field(init=False)

    @abstractmethod
    def quote(self, honest: StockPrice | None, scene: Scene, receiver: str) -> StockPrice | None:
        """Return what the source says instead; None if nothing.

        It is asked while the fault is active, in the order of the epochs, and once in each; a kind
        that equivocates, or comes after one that does, once for every receiver. ``honest`` is what
        it would say without this fault, None if nothing; ``receiver`` is the name of who receives
        it, empty unless the kind equivocates.
        """


def make_source_faults(
    faults: Iterable[Fault], sources: Sequence[str], seed: int, symbol: str
) -> dict[str, list[SourceFault]]:
    """Return the faults of each source for one symbol; who shares a fault is an accomplice."""
    made: dict[str, list[SourceFault]] = {name: [] for name in sources}
    for number, fault in enumerate(faults):
        accomplices = tuple(dict.fromkeys(fault.affected(tuple(sources))))
        for name in accomplices:
            one: SourceFault = SOURCE_FAULTS.make(
                fault.kind, fault.parameters, "faults.parameters", fault.start, fault.stop
            )
            one.source, one.accomplices = name, accomplices
            one.random = stream(seed, f"prices/{symbol}/fault/{name}/{number}")
            made[name].append(one)
    return made


# What a source says: to each receiver, or to everyone, whose name is empty.
_Said = Mapping[str, StockPrice | None]


class Sources:
    """All sources of a symbol, honest or not: what each receiver gets to know of them.

    Parameters
    ----------
    feed : QuoteFeed
        What they would honestly say.
    faults : mapping of str to sequence of SourceFault
        By source; of several, each changes what those before it say.
    """

    def __init__(self, feed: QuoteFeed, faults: Mapping[str, Sequence[SourceFault]]) -> None:
        self.feed = feed
        self._faults = {source.name: faults.get(source.name, ()) for source in feed.sources}
        self._last: tuple[int, Mapping[str, tuple[StockPrice, ...]]] | None = None

    def said(
        self, known: PriceRound, receivers: Sequence[str]
    ) -> Mapping[str, tuple[StockPrice, ...]]:
        """Return what each receiver is told in an epoch.

        Dishonest sources know what the quotes are measured by. All who are told the same are given
        one and the same tuple, which is that of the feed where no fault is active. Sources speak
        once in an epoch, and in the order of the epochs: asked for the same epoch again, they have
        said what they have said, whatever else the round is.
        """
        epoch, quotes = known.epoch, self.feed.quotes(known.epoch)
        active = {
            name: [fault for fault in faults if fault.active(epoch)]
            for name, faults in self._faults.items()
        }
        if not any(active.values()):
            return dict.fromkeys(receivers, quotes)
        if self._last is None or self._last[0] != epoch:
            measure = {item.name: getattr(known, item.name) for item in fields(PriceRound)}
            scene = Scene(**measure, quotes=quotes, earlier=self.feed.quotes)
            honest = {quote.source: quote for quote in quotes}
            said = [
                _say(honest.get(name), faults, scene, receivers) for name, faults in active.items()
            ]
            self._last = epoch, _by_receiver(said, receivers)
        return self._last[1]


def _say(
    honest: StockPrice | None, faults: Iterable[SourceFault], scene: Scene, receivers: Sequence[str]
) -> _Said:
    said: _Said = {"": honest}
    for fault in faults:
        if fault.equivocates:
            said = {name: said.get(name, said.get("")) for name in receivers}
        said = {name: _ask(fault, quote, scene, name) for name, quote in said.items()}
    return said


def _ask(
    fault: SourceFault, honest: StockPrice | None, scene: Scene, receiver: str
) -> StockPrice | None:
    try:
        quote: object = fault.quote(honest, scene, receiver if fault.equivocates else "")
    except InvalidInput as error:
        field = f"faults: {error.field} of {fault.source}"
        raise InvalidInput(field, error.value, error.expected) from error
    if quote is None:
        return None
    if not (isinstance(quote, StockPrice) and quote.source == fault.source):
        expected = f"a quote of {fault.source}, or None, from {type(fault).__name__}.quote"
        raise InvalidInput("faults", quote, expected)
    return quote


def _by_receiver(
    said: Sequence[_Said], receivers: Sequence[str]
) -> dict[str, tuple[StockPrice, ...]]:
    """Sort by receiver what was said by source; equal tuples become one."""
    shared: dict[tuple[StockPrice, ...], tuple[StockPrice, ...]] = {}
    received = {}
    for name in receivers:
        quotes = tuple(filter(None, (one.get(name, one.get("")) for one in said)))
        received[name] = shared.setdefault(quotes, quotes)
    return received
