"""The lab's own kinds of what sources do wrong on purpose, each under a name."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Final

from streamlet_lab.prices.attacks import Direction, most_extreme
from streamlet_lab.prices.quotes import StockPrice
from streamlet_lab.prices.source_faults import SOURCE_FAULTS, Scene, SourceFault, source_fault_kind
from streamlet_lab.prices.sources import MICRO_DOLLAR
from streamlet_lab.units import CENT, MONEY, from_ticks, round_price
from streamlet_lab.values import Exact, Flag, Number, Whole

_BASIS_POINTS: Final = Decimal(10_000)

# The lab reads amounts of twelve digits; a source that shouts louder says this.
_LARGEST_AMOUNT: Final = Decimal(10**11)

# A hundred times the price, one way; a price cannot fall by more than all of it.
_Error = Annotated[Decimal, Exact(-10_000, 1_000_000)]
_Factor = Annotated[Decimal, Exact(0, 1_000_000)]
_Epochs = Annotated[int, Whole(1)]


class _Amending(SourceFault):
    """A source that says something else than what it should, but nothing in an outage."""

    def quote(self, honest: StockPrice | None, scene: Scene, receiver: str) -> StockPrice | None:
        return None if honest is None else self.amend(honest, scene, receiver)

    @abstractmethod
    def amend(self, honest: StockPrice, scene: Scene, receiver: str) -> StockPrice | None:
        """Return what it says instead."""


@source_fault_kind("biased")
@dataclass(eq=False)
class Biased(_Amending):
    """The source's price is too high by ``bp`` basis points; negative is too low.

    ``confidence_bp`` is half the width of the interval that it states around that price, basis
    points; the honest one unless given. 0 is as sure of itself as it can be.
    """

    bp: _Error = Decimal(100)
    confidence_bp: Annotated[Decimal, Exact(0, 10_000)] | None = None

    def amend(self, honest: StockPrice, scene: Scene, receiver: str) -> StockPrice:
        lie = _moved(honest, self.bp)
        if self.confidence_bp is None:
            return lie
        width = MONEY.multiply(lie.price, MONEY.divide(self.confidence_bp, _BASIS_POINTS))
        return replace(lie, confidence=round_price(width, MICRO_DOLLAR))


@source_fault_kind("stale")
@dataclass(eq=False)
class Stale(_Amending):
    """The source repeats an old price and confidence, with the present timestamp.

    They are so many epochs old, or of the first epoch with the fault (``since_start``). Where the
    source said nothing then, they are the last ones before, or else the first of all.
    """

    epochs: _Epochs = 5
    since_start: Flag = False

    def amend(self, honest: StockPrice, scene: Scene, receiver: str) -> StockPrice:
        epoch = self.start if self.since_start else scene.epoch - self.epochs
        old = _last_quote(self.source, epoch, scene)
        return replace(honest, price=old.price, confidence=old.confidence)


@source_fault_kind("replaying")
@dataclass(eq=False)
class Replaying(_Amending):
    """The source sends an old quote again as it was, so many epochs old, old timestamp included.

    Where it said nothing then, it is the last quote before, or else the first of all.
    """

    epochs: _Epochs = 20

    def amend(self, honest: StockPrice, scene: Scene, receiver: str) -> StockPrice:
        return _last_quote(self.source, scene.epoch - self.epochs, scene)


@source_fault_kind("spiking")
@dataclass(eq=False)
class Spiking(_Amending):
    """The source's price jumps up or down in a share of the epochs, and is right in the others.

    Up and down, by ``size_percent``, are equally likely.
    """

    share: Annotated[float, Number(0, 1)] = 0.1
    size_percent: Annotated[Decimal, Exact(0, 10_000)] = Decimal(20)
    # Of the epochs since the start; 0 is no spike.
    _signs: list[int] = field(default_factory=list, init=False)

    def amend(self, honest: StockPrice, scene: Scene, receiver: str) -> StockPrice:
        while len(self._signs) <= scene.epoch - self.start:
            spikes, is_up = self.random.random() < self.share, self.random.random() < 0.5
            self._signs.append((1 if is_up else -1) if spikes else 0)
        sign = self._signs[scene.epoch - self.start]
        if not sign:
            return honest
        return _moved(honest, MONEY.multiply(self.size_percent, Decimal(100 * sign)))


@source_fault_kind("volume_inflating")
@dataclass(eq=False)
class VolumeInflating(_Amending):
    """The source claims a multiple of its volume, so that its price weighs more.

    The price is too high by ``bp`` basis points: honest unless given.
    """

    factor: _Factor = Decimal(1_000)
    bp: _Error = Decimal(0)

    def amend(self, honest: StockPrice, scene: Scene, receiver: str) -> StockPrice:
        return _inflated(_moved(honest, self.bp), self.factor)


@source_fault_kind("silent")
class Silent(SourceFault):
    """The source says nothing."""

    def quote(self, honest: StockPrice | None, scene: Scene, receiver: str) -> None:
        return None


@source_fault_kind("colluding")
@dataclass(eq=False)
class Colluding(_Amending):
    """All accomplices quote the same price, at the edge of what the rules accept.

    It is in whole cents, within the price bounds and the corridor around the previous consensus; a
    cent further, and the rules would refuse it. Volumes are multiplied by ``volume_factor``.
    """

    direction: Direction = "up"
    volume_factor: _Factor = Decimal(1)

    def amend(self, honest: StockPrice, scene: Scene, receiver: str) -> StockPrice:
        low, high = scene.rules.limits(scene.previous)
        price = from_ticks(high if self.direction == "up" else low)
        return _inflated(replace(honest, price=price), self.volume_factor)


@source_fault_kind("adaptive")
@dataclass(eq=False)
class Adaptive(_Amending):
    """The accomplices see what the honest ones say, and quote what moves the price furthest.

    The search is :func:`~streamlet_lab.prices.attacks.most_extreme`: prices, volumes and
    confidences, against these rules and this aggregator.
    """

    direction: Direction = "up"

    def amend(self, honest: StockPrice, scene: Scene, receiver: str) -> StockPrice:
        return _plan(scene, self.accomplices, self.direction)[self.source]


@source_fault_kind("equivocating")
@dataclass(eq=False)
class Equivocating(_Amending):
    """The source's price is too high by ``bp`` basis points for half of the receivers.

    For the others it is too low by as many.
    """

    equivocates = True

    bp: Annotated[Decimal, Exact(0, 10_000)] = Decimal(100)

    def amend(self, honest: StockPrice, scene: Scene, receiver: str) -> StockPrice:
        return _moved(honest, self.bp if _is_first_half(receiver) else self.bp.copy_negate())


@source_fault_kind("dropping")
class Dropping(_Amending):
    """The source's quotes reach half of the receivers only; they are honest."""

    equivocates = True

    def amend(self, honest: StockPrice, scene: Scene, receiver: str) -> StockPrice | None:
        return honest if _is_first_half(receiver) else None


SOURCE_FAULTS.close()


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


# Each accomplice asks for the same plan.
@lru_cache(maxsize=16)
def _plan(
    scene: Scene, accomplices: tuple[str, ...], direction: Direction
) -> Mapping[str, StockPrice]:
    speaking = {quote.source for quote in scene.quotes}
    honest = [quote for quote in scene.quotes if quote.source not in accomplices]
    liars = [name for name in accomplices if name in speaking]
    return {lie.source: lie for lie in most_extreme(honest, liars, scene, direction)}


def _is_first_half(receiver: str) -> bool:
    # Numbered names take turns; Python's own hash differs from process to process.
    return sum(receiver.encode()) % 2 == 0
