"""What sources do wrong on purpose. Each kind is a small class, registered under a name.

A dishonest source sees everything: what all sources would honestly say, the rules, the aggregator
and the price that the deviation rule compares with. It speaks in its own name only, and a source
in an outage is silent, whatever its fault.
"""

import inspect
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import lru_cache
from random import Random
from typing import ClassVar, Final, TypeVar

from streamlet_lab.errors import InvalidInput
from streamlet_lab.fault import Fault, is_active
from streamlet_lab.kinds import Kinds
from streamlet_lab.prices.aggregators import Aggregator
from streamlet_lab.prices.attacks import Direction, most_extreme
from streamlet_lab.prices.feeds import QuoteFeed
from streamlet_lab.prices.quotes import StockPrice
from streamlet_lab.prices.sources import MICRO_DOLLAR
from streamlet_lab.prices.validation import OutlierRule, PreviousConsensus, PriceValidation
from streamlet_lab.streams import stream
from streamlet_lab.units import CENT, MONEY, from_ticks, round_price, to_decimal

_BASIS_POINTS: Final = Decimal(10_000)
_PERCENT: Final = Decimal(100)

# A hundred times the price, one way; a price cannot fall by more than all of it.
_LOWEST_BP, _HIGHEST_BP = Decimal(-10_000), Decimal(1_000_000)
_LARGEST_PERCENT: Final = Decimal(10_000)
_LARGEST_FACTOR: Final = Decimal(1_000_000)

# The lab reads amounts of twelve digits; a source that shouts louder says this.
_LARGEST_AMOUNT: Final = Decimal(10**11)


@dataclass(frozen=True, slots=True)
class Scene:
    """What a dishonest source sees when it is to quote: everything.

    Parameters
    ----------
    epoch : int
    symbol : str
    timestamp : datetime
        Of the epoch's honest quotes.
    quotes : tuple of StockPrice
        What all sources would honestly say in this epoch, those in an outage left out.
    previous : PreviousConsensus or None
        What the deviation rule compares with, at the tip of the chain.
    rules : PriceValidation
    aggregator : Aggregator
    sources : tuple of str
        All sources' names, in order.
    earlier : callable
        An epoch to what all sources would honestly have said in it.
    outlier : OutlierRule, optional
        What else a quote must pass.
    """

    epoch: int
    symbol: str
    timestamp: datetime
    quotes: tuple[StockPrice, ...]
    previous: PreviousConsensus | None
    rules: PriceValidation
    aggregator: Aggregator
    sources: tuple[str, ...]
    earlier: Callable[[int], tuple[StockPrice, ...]]
    outlier: OutlierRule | None = None


class SourceFault(ABC):
    """A fault of one source, for one symbol.

    Parameters
    ----------
    start : int
        First epoch with the fault.
    stop : int or None
        First epoch without it again.

    A kind takes what it needs beside, each with a default.

    Attributes
    ----------
    equivocates : bool
        Whether it may say different things to different receivers.
    source : str
        Whose fault it is.
    accomplices : tuple of str
        The sources that share the fault, this one among them, in order.
    random : random.Random
        A stream of its own.
    """

    equivocates: ClassVar[bool] = False

    source: str
    accomplices: tuple[str, ...]
    random: Random

    def __init__(self, start: int, stop: int | None) -> None:
        self.start = start
        self.stop = stop

    def join(self, source: str, accomplices: tuple[str, ...], random: Random) -> None:
        """Take its place among the sources."""
        self.source = source
        self.accomplices = accomplices
        self.random = random

    def active(self, epoch: int) -> bool:
        """Whether the fault is there in an epoch."""
        return is_active(self.start, self.stop, epoch)

    @abstractmethod
    def quote(self, honest: StockPrice | None, scene: Scene, receiver: str) -> StockPrice | None:
        """Return what the source says instead; None if nothing.

        It is asked while the fault is active, in the order of the epochs, and once in each; a kind
        that equivocates, or comes after one that does, once for every receiver.

        Parameters
        ----------
        honest : StockPrice or None
            What it would say without this fault; None if nothing.
        scene : Scene
        receiver : str
            Who hears it; empty unless the kind equivocates.
        """


K = TypeVar("K", bound=type[SourceFault])


def _check_kind(kind: object) -> None:
    is_kind = isinstance(kind, type) and issubclass(kind, SourceFault)
    if not is_kind or inspect.isabstract(kind):
        raise InvalidInput("kind", kind, "a subclass of SourceFault with a method `quote`")


_KINDS = Kinds[type[SourceFault]]("source_fault_kind", "kind", field="faults", accept=_check_kind)


def source_fault_kind(name: str) -> Callable[[K], K]:
    """Register a kind of fault of sources under a name, so that configurations can speak of it.

    Parameters
    ----------
    name : str
        Of lowercase letters, digits and underscores.

    Raises
    ------
    InvalidInput
        If it is no such name or one of the lab's own, or what it names is not a subclass of
        `SourceFault` that says what to quote.

    Examples
    --------
    >>> @source_fault_kind("shy")
    ... class Shy(SourceFault):
    ...     def quote(self, honest, scene, receiver):
    ...         return honest if scene.epoch % 2 else None
    >>> "shy" in source_fault_kinds()
    True
    """
    return _KINDS.register(name)


def source_fault_kinds() -> tuple[str, ...]:
    """Return the names of all registered kinds, in alphabetical order."""
    return _KINDS.names()


def own_source_fault_kinds() -> tuple[str, ...]:
    """Return the names of the lab's own kinds, whatever others have registered."""
    return _KINDS.own()


def reserve_kinds(names: Iterable[str]) -> None:
    """Keep the names of kinds of nodes free: configurations name both in one place."""
    _KINDS.reserve(names)


def equivocates(kind: str) -> bool:
    """Whether a source with a fault of this kind may say different things to different nodes."""
    return _KINDS[kind].equivocates


def make_source_faults(
    faults: Iterable[Fault], sources: Sequence[str], seed: int, symbol: str
) -> dict[str, list[SourceFault]]:
    """Return the faults of each source for one symbol; who shares a fault is an accomplice.

    Parameters
    ----------
    faults : iterable of Fault
        Each of kinds of sources; their `nodes` are sources.
    sources : sequence of str
        All sources' names, in order.
    seed : int
        Each fault of each source draws from a stream of its own.
    symbol : str

    Raises
    ------
    InvalidInput
        If there is no such kind or source, or the kind does not take these parameters.
    """
    made: dict[str, list[SourceFault]] = {name: [] for name in sources}
    for number, fault in enumerate(faults):
        if fault.count is not None and fault.count > len(sources):
            raise InvalidInput("faults", fault.count, f"a count of at most {len(sources)} sources")
        accomplices = tuple(dict.fromkeys(fault.affected(tuple(sources))))
        for name in accomplices:
            if name not in made:
                raise InvalidInput("faults", name, f"a source: {', '.join(sources)}")
            one = _make(fault)
            own = stream(seed, f"prices/{symbol}/fault/{name}/{number}")
            one.join(name, accomplices, own)
            made[name].append(one)
    return made


def _make(fault: Fault) -> SourceFault:
    made: SourceFault = _KINDS.make(
        fault.kind, fault.parameters, "faults.parameters", fault.start, fault.stop
    )
    return made


class Sources:
    """All sources of a symbol, honest or not: what each receiver hears of them.

    Parameters
    ----------
    feed : QuoteFeed
        What they would honestly say.
    faults : mapping of str to sequence of SourceFault
        By source. Where a source has several, each has the word on what those before it say.
    """

    def __init__(self, feed: QuoteFeed, faults: Mapping[str, Sequence[SourceFault]]) -> None:
        self.feed = feed
        self._names = tuple(source.name for source in feed.sources)
        self._faults = {name: tuple(ones) for name, ones in faults.items() if ones}
        self._last: tuple[int, Mapping[str, tuple[StockPrice, ...]]] | None = None

    def said(
        self,
        epoch: int,
        previous: PreviousConsensus | None,
        rules: PriceValidation,
        aggregator: Aggregator,
        receivers: Sequence[str],
        outlier: OutlierRule | None = None,
    ) -> Mapping[str, tuple[StockPrice, ...]]:
        """Return what each receiver hears in an epoch.

        All who hear the same are given one and the same tuple, which is that of the feed where no
        fault is active. Sources speak once in an epoch, and in the order of the epochs: asked for
        the same epoch again, they have said what they have said, whatever the other arguments.

        Parameters
        ----------
        epoch : int
        previous, rules, aggregator
            What dishonest sources see; see :class:`Scene`.
        receivers : sequence of str
            Names of all who listen.
        outlier : OutlierRule, optional
            See :class:`Scene`.

        Raises
        ------
        InvalidInput
            If a fault says something else than a quote of its source.
        """
        active = {
            name: [fault for fault in faults if fault.active(epoch)]
            for name, faults in self._faults.items()
        }
        if not any(active.values()):
            return dict.fromkeys(receivers, self.feed.quotes(epoch))
        if self._last is None or self._last[0] != epoch:
            scene = self._scene(epoch, previous, rules, aggregator, outlier)
            honest = {quote.source: quote for quote in scene.quotes}
            said = [
                _say(honest.get(name), active.get(name, ()), scene, receivers)
                for name in self._names
            ]
            self._last = epoch, _by_receiver(said, receivers)
        return self._last[1]

    def _scene(
        self,
        epoch: int,
        previous: PreviousConsensus | None,
        rules: PriceValidation,
        aggregator: Aggregator,
        outlier: OutlierRule | None,
    ) -> Scene:
        feed = self.feed
        return Scene(
            epoch,
            feed.symbol,
            feed.timestamp(epoch),
            feed.quotes(epoch),
            previous,
            rules,
            aggregator,
            self._names,
            feed.quotes,
            outlier,
        )


# What a source says: to each receiver, or to everyone, whose name is empty.
_Said = Mapping[str, StockPrice | None]


def _say(
    honest: StockPrice | None,
    faults: Iterable[SourceFault],
    scene: Scene,
    receivers: Sequence[str],
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
    quote: object = fault.quote(honest, scene, receiver if fault.equivocates else "")
    if quote is None:
        return None
    if not (isinstance(quote, StockPrice) and quote.source == fault.source):
        expected = f"a quote of {fault.source}, or None, from {type(fault).__name__}.quote"
        raise InvalidInput("faults", quote, expected)
    try:
        return StockPrice.create(
            quote.symbol,
            quote.price,
            quote.volume,
            quote.source,
            quote.timestamp,
            quote.confidence,
        )
    except InvalidInput as error:
        field = f"faults: {error.field} of {fault.source}"
        raise InvalidInput(field, error.value, error.expected) from error


def _by_receiver(
    said: Sequence[_Said], receivers: Sequence[str]
) -> dict[str, tuple[StockPrice, ...]]:
    """Sort by receiver what was said by source; equal tuples become one."""
    shared: dict[tuple[StockPrice, ...], tuple[StockPrice, ...]] = {}
    heard = {}
    for name in receivers:
        words = (one.get(name, one.get("")) for one in said)
        quotes = tuple(quote for quote in words if quote is not None)
        heard[name] = shared.setdefault(quotes, quotes)
    return heard


# --- The lab's own kinds


class _Amending(SourceFault):
    """A source that says something else than what it should, but nothing in an outage."""

    def quote(self, honest: StockPrice | None, scene: Scene, receiver: str) -> StockPrice | None:
        """Return what it says instead of its honest quote."""
        return None if honest is None else self.amend(honest, scene, receiver)

    @abstractmethod
    def amend(self, honest: StockPrice, scene: Scene, receiver: str) -> StockPrice | None:
        """Return what it says instead."""


@source_fault_kind("biased")
class Biased(_Amending):
    """The source quotes too high a price, or too low.

    Parameters
    ----------
    bp : number
        How much too high, basis points; negative is too low.
    confidence_bp : number, optional
        Half the width of the interval that it states around that price, basis points; the honest
        one unless given. 0 is as sure of itself as it can be.
    """

    def __init__(
        self, start: int, stop: int | None, bp: object = 100, confidence_bp: object = None
    ) -> None:
        super().__init__(start, stop)
        self._bp = _number("bp", bp, _LOWEST_BP, _HIGHEST_BP)
        self._confidence: Decimal | None = None
        if confidence_bp is not None:
            self._confidence = _number("confidence_bp", confidence_bp, Decimal(0), _BASIS_POINTS)

    def amend(self, honest: StockPrice, scene: Scene, receiver: str) -> StockPrice:
        """Return its quote at another price."""
        lie = _moved(honest, self._bp)
        if self._confidence is None:
            return lie
        width = MONEY.multiply(lie.price, MONEY.divide(self._confidence, _BASIS_POINTS))
        return replace(lie, confidence=round_price(width, MICRO_DOLLAR))


@source_fault_kind("stale")
class Stale(_Amending):
    """The source repeats an old price and confidence, with the present timestamp.

    Parameters
    ----------
    epochs : int
        How many epochs ago the price was right. Where the source said nothing then, it is the last
        price before, or else the first of all.
    since_start : bool
        The price is that of the first epoch with the fault instead.
    """

    def __init__(
        self, start: int, stop: int | None, epochs: object = 5, since_start: object = False
    ) -> None:
        super().__init__(start, stop)
        self._epochs = _count("epochs", epochs)
        if not isinstance(since_start, bool):
            raise InvalidInput("since_start", since_start, "true or false")
        self._since_start = since_start

    def amend(self, honest: StockPrice, scene: Scene, receiver: str) -> StockPrice:
        """Return the old price as if it were new."""
        epoch = self.start if self._since_start else scene.epoch - self._epochs
        old = _last_quote(self.source, epoch, scene)
        return replace(honest, price=old.price, confidence=old.confidence)


@source_fault_kind("replaying")
class Replaying(_Amending):
    """The source sends an old quote again as it was, old timestamp included.

    Parameters
    ----------
    epochs : int
        How many epochs old. Where the source said nothing then, it is the last quote before, or
        else the first of all.
    """

    def __init__(self, start: int, stop: int | None, epochs: object = 20) -> None:
        super().__init__(start, stop)
        self._epochs = _count("epochs", epochs)

    def amend(self, honest: StockPrice, scene: Scene, receiver: str) -> StockPrice:
        """Return the old quote."""
        return _last_quote(self.source, scene.epoch - self._epochs, scene)


@source_fault_kind("spiking")
class Spiking(_Amending):
    """The source's price jumps up or down in some epochs, and is right in the others.

    Parameters
    ----------
    share : number
        Of the epochs, from 0 to 1.
    size_percent : number
        Of a jump; up and down are equally likely.
    """

    def __init__(
        self, start: int, stop: int | None, share: object = 0.1, size_percent: object = 20
    ) -> None:
        super().__init__(start, stop)
        self._share = float(_number("share", share, Decimal(0), Decimal(1)))
        percent = _number("size_percent", size_percent, Decimal(0), _LARGEST_PERCENT)
        self._bp = MONEY.multiply(percent, _PERCENT)
        self._signs: list[int] = []  # of the epochs since the start; 0 is no spike

    def amend(self, honest: StockPrice, scene: Scene, receiver: str) -> StockPrice:
        """Return its quote, sometimes far off."""
        while len(self._signs) <= scene.epoch - self.start:
            spikes, is_up = self.random.random() < self._share, self.random.random() < 0.5
            self._signs.append((1 if is_up else -1) if spikes else 0)
        sign = self._signs[scene.epoch - self.start]
        return _moved(honest, MONEY.multiply(self._bp, Decimal(sign))) if sign else honest


@source_fault_kind("volume_inflating")
class VolumeInflating(_Amending):
    """The source claims a volume that it has not, so that its price weighs more.

    Parameters
    ----------
    factor : number
        How many times the true volume.
    bp : number
        How much too high its price is, basis points; honest unless given.
    """

    def __init__(
        self, start: int, stop: int | None, factor: object = 1_000, bp: object = 0
    ) -> None:
        super().__init__(start, stop)
        self._factor = _number("factor", factor, Decimal(0), _LARGEST_FACTOR)
        self._bp = _number("bp", bp, _LOWEST_BP, _HIGHEST_BP)

    def amend(self, honest: StockPrice, scene: Scene, receiver: str) -> StockPrice:
        """Return its quote with another volume."""
        return _inflated(_moved(honest, self._bp), self._factor)


@source_fault_kind("silent")
class Silent(SourceFault):
    """The source says nothing."""

    def quote(self, honest: StockPrice | None, scene: Scene, receiver: str) -> None:
        """Return nothing."""


@source_fault_kind("colluding")
class Colluding(_Amending):
    """All accomplices quote the same price, at the edge of what the rules accept.

    It is in whole cents, within the price bounds and the corridor around the previous consensus; a
    cent further, and the rules would refuse it.

    Parameters
    ----------
    direction : {"up", "down"}
    volume_factor : number
        How many times the true volume they claim.
    """

    def __init__(
        self, start: int, stop: int | None, direction: object = "up", volume_factor: object = 1
    ) -> None:
        super().__init__(start, stop)
        self._direction = _direction(direction)
        self._factor = _number("volume_factor", volume_factor, Decimal(0), _LARGEST_FACTOR)

    def amend(self, honest: StockPrice, scene: Scene, receiver: str) -> StockPrice:
        """Return its quote at the edge."""
        return _inflated(replace(honest, price=_edge(scene, self._direction)), self._factor)


@source_fault_kind("adaptive")
class Adaptive(_Amending):
    """The accomplices see what the honest ones say, and quote what moves the price furthest.

    The search is :func:`~streamlet_lab.prices.attacks.most_extreme`: prices, volumes and
    confidences, against these rules and this aggregator.

    Parameters
    ----------
    direction : {"up", "down"}
    """

    def __init__(self, start: int, stop: int | None, direction: object = "up") -> None:
        super().__init__(start, stop)
        self._direction = _direction(direction)

    def amend(self, honest: StockPrice, scene: Scene, receiver: str) -> StockPrice:
        """Return its part of the accomplices' plan."""
        return _plan(scene, self.accomplices, self._direction)[self.source]


@source_fault_kind("equivocating")
class Equivocating(_Amending):
    """The source quotes too high a price to half of the receivers, and too low to the others.

    Parameters
    ----------
    bp : number
        How much too high, and too low, basis points.
    """

    equivocates = True

    def __init__(self, start: int, stop: int | None, bp: object = 100) -> None:
        super().__init__(start, stop)
        self._bp = _number("bp", bp, Decimal(0), _BASIS_POINTS)

    def amend(self, honest: StockPrice, scene: Scene, receiver: str) -> StockPrice:
        """Return its quote at a price for this receiver."""
        return _moved(honest, self._bp if _is_first_half(receiver) else self._bp.copy_negate())


@source_fault_kind("dropping")
class Dropping(_Amending):
    """The source's quotes reach half of the receivers only; they are honest."""

    equivocates = True

    def amend(self, honest: StockPrice, scene: Scene, receiver: str) -> StockPrice | None:
        """Return its quote for some, and nothing for the others."""
        return honest if _is_first_half(receiver) else None


_KINDS.close()


def _number(name: str, value: object, low: Decimal, high: Decimal) -> Decimal:
    field = f"{name}"
    number = to_decimal(value, field)
    if not low <= number <= high:
        raise InvalidInput(field, value, f"a number from {low} to {high}")
    return number


def _count(name: str, value: object) -> int:
    if type(value) is not int or value < 1:
        raise InvalidInput(f"{name}", value, "a whole number of at least 1")
    return value


def _direction(value: object) -> Direction:
    if value == "up":
        return "up"
    if value == "down":
        return "down"
    raise InvalidInput("direction", value, "'up' or 'down'")


def _moved(quote: StockPrice, bp: Decimal) -> StockPrice:
    factor = MONEY.add(1, MONEY.divide(bp, _BASIS_POINTS))
    price = round_price(min(MONEY.multiply(quote.price, factor), _LARGEST_AMOUNT))
    return replace(quote, price=max(price, CENT))


def _inflated(quote: StockPrice, factor: Decimal) -> StockPrice:
    shares = min(MONEY.multiply(quote.volume, factor), _LARGEST_AMOUNT)
    return replace(quote, volume=round_price(shares, Decimal(1)))


def _last_quote(source: str, epoch: int, scene: Scene) -> StockPrice:
    """Return what a source honestly said in an epoch or last before, or else first after."""
    backwards, forwards = range(epoch, -1, -1), range(max(epoch, 0), scene.epoch + 1)
    for each in (*backwards, *forwards):
        for quote in scene.earlier(each):
            if quote.source == source:
                return quote
    raise AssertionError("a source that has something to say now has said something")


def _edge(scene: Scene, direction: Direction) -> Decimal:
    """Return the last price in cents, upwards or downwards, that the rules accept."""
    rules, previous = scene.rules, scene.previous
    lowest, highest = _cents(rules.min_price, ROUND_CEILING), _cents(rules.max_price, ROUND_FLOOR)
    end, step = (highest, 1) if direction == "up" else (lowest, -1)
    if previous is None:
        return from_ticks(end)
    known = min(max(_cents(previous.price, ROUND_FLOOR), lowest), highest)
    way = range(known, end + step, step)
    refused = bisect_left(
        way, True, key=lambda at: not rules.within_deviation(from_ticks(at), previous)
    )
    return from_ticks(way[max(refused - 1, 0)])


def _cents(price: Decimal, rounding: str) -> int:
    return int(MONEY.multiply(price, _PERCENT).to_integral_value(rounding))


# Each accomplice asks for the same plan.
@lru_cache(maxsize=16)
def _plan(
    scene: Scene, accomplices: tuple[str, ...], direction: Direction
) -> Mapping[str, StockPrice]:
    speaking = {quote.source for quote in scene.quotes}
    lies = most_extreme(
        [quote for quote in scene.quotes if quote.source not in accomplices],
        [name for name in accomplices if name in speaking],
        scene.rules,
        scene.symbol,
        scene.epoch,
        scene.previous,
        scene.aggregator,
        direction,
        scene.timestamp,
        scene.outlier,
    )
    return {lie.source: lie for lie in lies}


def _is_first_half(receiver: str) -> bool:
    # Numbered names take turns; Python's own hash differs from process to process.
    return sum(receiver.encode()) % 2 == 0
