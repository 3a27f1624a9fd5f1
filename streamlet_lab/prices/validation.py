"""The description's validation rules for quotes.

What happens when the true price leaves the corridor of the deviation rule is one of three policies:

- *strict*, the description's literal rule: ``widening_percent=0``. Once the true price stays out of
  the corridor, no honest price is valid ever again.
- *widen*, the default: the corridor grows with each block on the chain that says ``no_price``.
- *re-anchor*: after ``reanchor_after`` such blocks the quotes are measured against each other
  instead of against a price that nobody believes any more, and more of them are needed.

An epoch without a block, such as that of a silent leader, says nothing about the price, and so
changes nothing: else whoever keeps silent would let others move the price further.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Annotated, Final

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices.quotes import StockPrice
from streamlet_lab.units import MONEY, is_within, to_hundredths, to_micros, to_whole
from streamlet_lab.values import Whole, check_ranges, unchecked

#: More shares than any market trades. Ninety-nine such quotes still sum up to the twelve digits
#: that a payload has room for.
LARGEST_VOLUME: Final = Decimal(10_000_000_000)

_ANY_PRICE: Final = Decimal("-Infinity"), Decimal("Infinity")


@dataclass(frozen=True, slots=True)
class PreviousConsensus:
    """The reference of the deviation rule: the nearest priced ancestor of the block being made.

    Its price is above zero, in US dollars and whole micro-dollars; ``epoch`` is that of the
    ancestor, −1 of genesis, and ``no_prices`` how many blocks between the two say that there is no
    price.
    """

    price: Decimal
    epoch: Annotated[int, Whole(-1)]
    no_prices: Annotated[int, Whole()] = 0

    def __post_init__(self) -> None:
        check_ranges(self)
        if to_micros(self.price) <= 0:
            raise InvalidInput("price", self.price, "a price above zero")

    def after_no_price(self) -> "PreviousConsensus":
        """Return the reference once another block says that there is no price."""
        return unchecked_previous(self.price, self.epoch, self.no_prices + 1)


unchecked_previous: Final = unchecked(PreviousConsensus)


@dataclass(frozen=True, slots=True)
class PriceValidation:
    """The rules; defaults are the description's for the simulated AAPL.

    Parameters
    ----------
    min_price, max_price : Decimal
        Bounds in US dollars, inclusive.
    min_volume : Decimal
        Fewest shares that make a quote count.
    max_deviation_percent : Decimal
        Largest distance from the previous consensus, in percent of it, inclusive; in hundredths.
    widening_percent : Decimal
        Percentage points that the deviation rule gains with each block on the chain that says that
        there is no price; in hundredths.
    min_sources : int
        Fewest valid quotes that make a consensus price.
    max_volume : Decimal
        Most shares that a quote may claim, inclusive; at most :data:`LARGEST_VOLUME`.
    reanchor_after : int, optional
        After so many blocks on the chain that say that there is no price, quotes count that lie
        within ``max_deviation_percent`` of the median of the otherwise valid ones, wherever the
        previous consensus was. Takes the place of the widening, which must be 0. None is never.
    reanchor_sources : int, optional
        Fewest valid quotes that make a price then; needed with ``reanchor_after``. More than two
        thirds of the sources, as for a quorum of nodes, tolerate that less than a third of them
        lies or is silent.
    """

    min_price: Decimal = Decimal(50)
    max_price: Decimal = Decimal(500)
    min_volume: Decimal = Decimal(100)
    max_deviation_percent: Decimal = Decimal(10)
    widening_percent: Decimal = Decimal(10)
    min_sources: Annotated[int, Whole(1)] = 2
    max_volume: Decimal = LARGEST_VOLUME
    reanchor_after: Annotated[int, Whole(1)] | None = None
    reanchor_sources: Annotated[int, Whole(1)] | None = None
    _deviation: int = field(init=False, repr=False, compare=False)  # hundredths of a percent
    _widening: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_ranges(self)
        if not 0 < self.min_price < self.max_price:
            raise InvalidInput(
                "min_price", str(self.min_price), f"more than 0, below max_price {self.max_price}"
            )
        if self.min_volume <= 0:
            raise InvalidInput("min_volume", str(self.min_volume), "more than 0 shares")
        if not self.min_volume <= self.max_volume <= LARGEST_VOLUME:
            raise InvalidInput(
                "max_volume",
                str(self.max_volume),
                f"from min_volume {self.min_volume} to {LARGEST_VOLUME} shares",
            )
        self._check_reanchoring()
        deviation = to_hundredths(self.max_deviation_percent, "max_deviation_percent")
        widening = to_hundredths(self.widening_percent, "widening_percent")
        object.__setattr__(self, "_deviation", deviation)
        object.__setattr__(self, "_widening", widening)

    def _check_reanchoring(self) -> None:
        after, sources = self.reanchor_after, self.reanchor_sources
        if after is None:
            if sources is not None:
                raise InvalidInput("reanchor_sources", sources, "None without reanchor_after")
            return
        to_whole(sources, self.min_sources, "reanchor_sources")
        if self.widening_percent:
            raise InvalidInput(
                "widening_percent", str(self.widening_percent), "0 with reanchor_after"
            )

    def is_reanchoring(self, previous: PreviousConsensus | None) -> bool:
        """Whether too many blocks had no price to measure quotes against the previous consensus."""
        if self.reanchor_after is None or previous is None:
            return False
        return previous.no_prices >= self.reanchor_after

    def sources_needed(self, previous: PreviousConsensus | None) -> int:
        """Return the fewest valid quotes that make an epoch's price."""
        if self.reanchor_sources is not None and self.is_reanchoring(previous):
            return self.reanchor_sources
        return self.min_sources

    def within_deviation(self, price: Decimal, previous: PreviousConsensus) -> bool:
        """Whether a price may follow the previous consensus: any while the chain is re-anchored."""
        low, high = self.corridor(previous)
        return low <= price <= high

    def corridor(self, previous: PreviousConsensus | None) -> tuple[Decimal, Decimal]:
        """Return the lowest and the highest price that may follow: no bounds but of deviation."""
        if previous is None or self.is_reanchoring(previous):
            return _ANY_PRICE
        reference = to_micros(previous.price)
        reach = self._allowed(previous) * reference // 10_000
        return (
            Decimal(reference - reach).scaleb(-6, MONEY),
            Decimal(reference + reach).scaleb(-6, MONEY),
        )

    def limits(self, previous: PreviousConsensus | None) -> tuple[int, int]:
        """Return the lowest and the highest price that bounds and deviation let pass, in cents.

        The lowest is above the highest where none passes.
        """
        low, high = _cents(self.min_price, ROUND_CEILING), _cents(self.max_price, ROUND_FLOOR)
        if previous is None or self.is_reanchoring(previous):
            return low, high
        lowest, highest = self.corridor(previous)
        return max(low, _cents(lowest, ROUND_CEILING)), min(high, _cents(highest, ROUND_FLOOR))

    def _allowed(self, previous: PreviousConsensus) -> int:
        return self._deviation + self._widening * previous.no_prices

    def in_agreement(self, price: Decimal, quotes: Sequence[StockPrice]) -> bool:
        """Whether a price lies within the allowed deviation of the quotes' median, inclusive."""
        twice_median = twice_median_micros(quotes)
        return is_within(2 * to_micros(price), twice_median, self._deviation)


def twice_median_micros(quotes: Sequence[StockPrice]) -> int:
    """Return two times the median price, in micro-dollars: a whole number for any quotes."""
    ranked = sorted(to_micros(quote.price) for quote in quotes)
    half = len(ranked) // 2
    return ranked[half] + ranked[-1 - half]


def _cents(price: Decimal, rounding: str) -> int:
    return int(MONEY.multiply(price, Decimal(100)).to_integral_value(rounding))
