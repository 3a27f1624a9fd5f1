"""The description's validation rules for quotes, and what they say about each quote."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices.quotes import StockPrice
from streamlet_lab.units import is_within, to_decimal, to_hundredths, to_micros


class QuoteReason(StrEnum):
    """Why a quote counts, or does not."""

    VALID = "valid"
    WRONG_SYMBOL = "wrong_symbol"
    REPEATED_SOURCE = "repeated_source"
    BELOW_MIN_PRICE = "below_min_price"
    ABOVE_MAX_PRICE = "above_max_price"
    BELOW_MIN_VOLUME = "below_min_volume"
    OUTSIDE_DEVIATION = "outside_deviation"


class QuoteCheck(NamedTuple):
    """A quote and what the rules say about it."""

    quote: StockPrice
    reason: QuoteReason

    @property
    def valid(self) -> bool:
        """Whether the quote counts."""
        return self.reason is QuoteReason.VALID


class PreviousConsensus(NamedTuple):
    """The reference of the deviation rule: the nearest priced ancestor of the block being made."""

    price: Decimal
    epoch: int


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
        Percentage points that the deviation rule gains with each epoch that passed without a price
        on the chain. 0 is the description's literal rule, under which no honest price is ever valid
        again once the true price has left the corridor.
    min_sources : int
        Fewest valid quotes that make a consensus price.
    """

    min_price: Decimal = Decimal(50)
    max_price: Decimal = Decimal(500)
    min_volume: Decimal = Decimal(100)
    max_deviation_percent: Decimal = Decimal(10)
    widening_percent: Decimal = Decimal(10)
    min_sources: int = 2
    _deviation: int = field(init=False, repr=False, compare=False)  # hundredths of a percent
    _widening: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in (
            "min_price",
            "max_price",
            "min_volume",
            "max_deviation_percent",
            "widening_percent",
        ):
            object.__setattr__(self, name, to_decimal(getattr(self, name), name))
        if not 0 < self.min_price < self.max_price:
            raise InvalidInput(
                "min_price", str(self.min_price), f"more than 0, below max_price {self.max_price}"
            )
        if self.min_volume <= 0:
            raise InvalidInput("min_volume", str(self.min_volume), "more than 0 shares")
        if self.min_sources < 1:
            raise InvalidInput("min_sources", self.min_sources, "at least 1")
        deviation = to_hundredths(self.max_deviation_percent, "max_deviation_percent")
        widening = to_hundredths(self.widening_percent, "widening_percent")
        object.__setattr__(self, "_deviation", deviation)
        object.__setattr__(self, "_widening", widening)

    def within_deviation(self, price: Decimal, previous: PreviousConsensus, epoch: int) -> bool:
        """Whether a price of an epoch may follow the previous consensus; the edge passes."""
        missed = epoch - previous.epoch - 1
        allowed = self._deviation + self._widening * missed
        return is_within(to_micros(price), to_micros(previous.price), allowed)


def check_quotes(
    quotes: Iterable[StockPrice],
    rules: PriceValidation,
    symbol: str,
    epoch: int,
    previous: PreviousConsensus | None,
) -> tuple[QuoteCheck, ...]:
    """Apply the rules to each quote of an epoch, in order.

    Parameters
    ----------
    quotes : iterable of StockPrice
    rules : PriceValidation
    symbol : str
        The symbol that the quotes must be for.
    epoch : int
        The epoch that the quotes belong to.
    previous : PreviousConsensus, optional
        Without one the deviation rule does not apply.
    """
    checks = []
    sources: set[str] = set()
    for quote in quotes:
        checks.append(QuoteCheck(quote, _reason(quote, rules, symbol, epoch, previous, sources)))
        sources.add(quote.source)
    return tuple(checks)


def _reason(
    quote: StockPrice,
    rules: PriceValidation,
    symbol: str,
    epoch: int,
    previous: PreviousConsensus | None,
    sources_so_far: set[str],
) -> QuoteReason:
    if quote.symbol != symbol:
        return QuoteReason.WRONG_SYMBOL
    if quote.source in sources_so_far:
        return QuoteReason.REPEATED_SOURCE
    if quote.price < rules.min_price:
        return QuoteReason.BELOW_MIN_PRICE
    if quote.price > rules.max_price:
        return QuoteReason.ABOVE_MAX_PRICE
    if quote.volume < rules.min_volume:
        return QuoteReason.BELOW_MIN_VOLUME
    if previous is not None and not rules.within_deviation(quote.price, previous, epoch):
        return QuoteReason.OUTSIDE_DEVIATION
    return QuoteReason.VALID
