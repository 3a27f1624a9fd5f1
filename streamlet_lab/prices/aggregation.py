"""Ways to make one price of several quotes, under one interface, and what liars can do to each.

===========================  =====================  ================================================
name                         liars tolerated of n   up to then the price stays within
===========================  =====================  ================================================
``mean``, ``vwap``           0                      the range of the quotes
``volume_weighted_median``   0                      the range of the quotes
``trimmed_mean``             ⌊(n − 1)/3⌋            the range of the honest quotes
``median``                   ⌊(n − 1)/2⌋            the range of the honest quotes
``mad_filter``               ⌊(n − 1)/2⌋            three such ranges on either side of it
``pyth``                     ⌊(n − 1)/2⌋            the honest quotes' confidence intervals
===========================  =====================  ================================================

One liar more, and no bound holds. A liar chooses its price, volume and confidence; volumes are what
the sources say they are, so no number of liars is harmless where they weigh.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from itertools import accumulate
from typing import Any, Final

from streamlet_lab.errors import InvalidInput
from streamlet_lab.kinds import Kinds
from streamlet_lab.prices.quotes import StockPrice
from streamlet_lab.units import CENT, MONEY, to_function, to_instance

#: How many median absolute deviations from the median a quote may lie to count: two standard
#: deviations of normal noise.
MAD_CUTOFF: Final = Decimal(3)

#: Confidence of a quote without one, as a part of its price: honest venues disagree by about 1 bp.
DEFAULT_CONFIDENCE: Final = Decimal("0.0001")

# In cents: payloads have room for no more.
_LARGEST: Final = Decimal("999999999999.99")

PriceFunction = Callable[[Sequence[StockPrice]], Decimal]
Breakdown = Callable[[int], int]
PriceRange = Callable[[Sequence[StockPrice]], tuple[Decimal, Decimal]]


def price_range(quotes: Sequence[StockPrice]) -> tuple[Decimal, Decimal]:
    """Return the lowest and the highest price."""
    prices = [quote.price for quote in quotes]
    return min(prices), max(prices)


@dataclass(frozen=True, slots=True)
class Aggregator:
    """A way to make one price of several quotes; calling it rounds to the cent, half even.

    Parameters
    ----------
    function : callable
        Pure: the quotes, one or more, to a price that is not rounded yet.
    breakdown : callable
        How many liars among n sources it tolerates.
    limits : callable
        The honest quotes alone to what the price stays within, up to that number of liars.

    Examples
    --------
    >>> quotes = [StockPrice.create("AAPL", price, 500, "") for price in (150, 150.02, 165)]
    >>> mean(quotes), median(quotes)
    (Decimal('155.01'), Decimal('150.02'))
    >>> mean.breakdown(3), median.breakdown(3)
    (0, 1)
    """

    name: str
    function: PriceFunction
    breakdown: Breakdown
    limits: PriceRange = price_range

    def __call__(self, quotes: Sequence[StockPrice]) -> Decimal:
        """Return the price of the quotes."""
        if not quotes:
            raise InvalidInput("prices", [], "at least one quote")
        for quote in quotes:
            if type(quote) is not StockPrice:
                to_instance(quote, StockPrice, "prices")
        price = self.function(quotes)
        if not (isinstance(price, Decimal) and price.is_finite() and 0 <= price <= _LARGEST):
            expected = f"a finite Decimal from 0 to {_LARGEST}, which a block has room for"
            raise InvalidInput(f"aggregator {self.name}", price, expected)
        return price.quantize(CENT, context=MONEY)

    def __reduce__(self) -> tuple[Any, ...]:
        # A registered function goes by its name: what stands in its module is the aggregator.
        if self.name in _AGGREGATORS and _AGGREGATORS[self.name] is self:
            return find_aggregator, (self.name,)
        return Aggregator, (self.name, self.function, self.breakdown, self.limits)


_AGGREGATORS = Kinds[Aggregator](
    "aggregator", "aggregator", field="aggregator", besides="a function"
)
_, aggregators = _AGGREGATORS.doors("a function of quotes")


def aggregator(
    name: str, *, breakdown: Breakdown, limits: PriceRange = price_range
) -> Callable[[PriceFunction], Aggregator]:
    """Register a function of quotes under a name, so that configurations can speak of it.

    Parameters
    ----------
    name : str
        Of lowercase letters, digits and underscores; what ``prices.aggregator`` takes then.
    breakdown : callable
        How many liars among so many sources it tolerates; the lab's tests hold it to that.
    limits : callable, optional
        Between which prices it stays for these quotes; the lowest and the highest unless given.

    Examples
    --------
    >>> @aggregator("lowest", breakdown=lambda sources: 0)
    ... def lowest(quotes):
    ...     return min(quote.price for quote in quotes)
    >>> lowest([StockPrice.create("AAPL", price, 500, "") for price in (150, 151)])
    Decimal('150.00')
    """
    _AGGREGATORS.check(name)
    to_function(breakdown, "breakdown")
    to_function(limits, "limits")

    def register(function: PriceFunction) -> Aggregator:
        return _AGGREGATORS.add(name, Aggregator(name, function, breakdown, limits))

    return register


def find_aggregator(aggregator: str | PriceFunction) -> Aggregator:
    """Return the aggregator of a name, or of a function, which promises nothing about liars."""
    if isinstance(aggregator, Aggregator):
        return aggregator
    if callable(aggregator):
        return Aggregator(getattr(aggregator, "__name__", "unnamed"), aggregator, _none)
    return _AGGREGATORS[aggregator]


def total_volume(quotes: Iterable[StockPrice]) -> Decimal:
    """Return the shares of all quotes together."""
    volume = _sum([quote.volume for quote in quotes])
    if volume <= 0:
        raise InvalidInput("volume", str(volume), "more than 0 shares in all")
    return volume


# --- The lab's own


def _none(sources: int) -> int:
    return 0


def _below_a_third(sources: int) -> int:
    return (sources - 1) // 3


def _below_half(sources: int) -> int:
    return (sources - 1) // 2


@aggregator("mean", breakdown=_none)
def mean(quotes: Sequence[StockPrice]) -> Decimal:
    """Return the simple average, the description's consensus price."""
    return _mean([quote.price for quote in quotes])


@aggregator("vwap", breakdown=_none)
def vwap(quotes: Sequence[StockPrice]) -> Decimal:
    """Return the average weighted by volume, the description's second price."""
    turnover = _sum([MONEY.multiply(quote.price, quote.volume) for quote in quotes])
    return MONEY.divide(turnover, total_volume(quotes))


@aggregator("median", breakdown=_below_half)
def median(quotes: Sequence[StockPrice]) -> Decimal:
    """Return the middle price, or the mean of the two middle ones."""
    return _middle([quote.price for quote in quotes])


@aggregator("trimmed_mean", breakdown=_below_a_third)
def trimmed_mean(quotes: Sequence[StockPrice]) -> Decimal:
    """Return the mean without the ⌊(n − 1)/3⌋ lowest and as many highest prices."""
    prices = sorted(quote.price for quote in quotes)
    cut = _below_a_third(len(prices))
    return _mean(prices[cut : len(prices) - cut])


def _mad_limits(honest: Sequence[StockPrice]) -> tuple[Decimal, Decimal]:
    # The median stays within the honest range, and the MAD below the length of it.
    low, high = price_range(honest)
    reach = MONEY.multiply(MAD_CUTOFF, MONEY.subtract(high, low))
    return MONEY.subtract(low, reach), MONEY.add(high, reach)


@aggregator("mad_filter", breakdown=_below_half, limits=_mad_limits)
def mad_filter(quotes: Sequence[StockPrice]) -> Decimal:
    """Return the mean of the prices within :data:`MAD_CUTOFF` deviations of the median."""
    prices = [quote.price for quote in quotes]
    middle = _middle(prices)
    distances = [MONEY.abs(MONEY.subtract(price, middle)) for price in prices]
    farthest = MONEY.multiply(MAD_CUTOFF, _middle(distances))
    return _mean(
        [price for price, distance in zip(prices, distances, strict=True) if distance <= farthest]
    )


@aggregator("volume_weighted_median", breakdown=_none)
def volume_weighted_median(quotes: Sequence[StockPrice]) -> Decimal:
    """Return the price below and above which half of the volume lies; in a gap its middle."""
    half = MONEY.divide(total_volume(quotes), Decimal(2))
    ranked = sorted(quotes, key=lambda quote: quote.price)
    volumes = accumulate((quote.volume for quote in ranked), MONEY.add)
    steps = [(volume, quote.price) for volume, quote in zip(volumes, ranked, strict=True)]
    lower = next(price for volume, price in steps if volume >= half)
    upper = next(price for volume, price in steps if volume > half)
    return _mean([lower, upper])


def _votes(quotes: Sequence[StockPrice]) -> Iterator[Decimal]:
    for quote in quotes:
        confidence = quote.confidence
        if confidence is None:
            confidence = MONEY.multiply(quote.price, DEFAULT_CONFIDENCE)
        yield MONEY.subtract(quote.price, confidence)
        yield quote.price
        yield MONEY.add(quote.price, confidence)


def _pyth_limits(honest: Sequence[StockPrice]) -> tuple[Decimal, Decimal]:
    return min(_votes(honest)), max(_votes(honest))


@aggregator("pyth", breakdown=_below_half, limits=_pyth_limits)
def pyth(quotes: Sequence[StockPrice]) -> Decimal:
    """Return the price of the Pyth network, with equal weights.

    Each source has three votes: its price, and both ends of its confidence interval. The price is
    the median of all votes. A quote without a confidence is given :data:`DEFAULT_CONFIDENCE`.

    Source: "Pyth Price Aggregation Proposal", https://pyth.network/blog/pyth-price-aggregation-proposal.
    """
    return _middle(_votes(quotes))


_AGGREGATORS.close()


# --- Arithmetic that the caller's decimal context does not change


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return reduce(MONEY.add, amounts, Decimal(0))


def _mean(amounts: Sequence[Decimal]) -> Decimal:
    return MONEY.divide(_sum(amounts), Decimal(len(amounts)))


def _middle(amounts: Iterable[Decimal]) -> Decimal:
    ranked = sorted(amounts)
    half = len(ranked) // 2
    return _mean([ranked[half], ranked[-1 - half]])
