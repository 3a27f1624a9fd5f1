"""The description's validation rules for quotes, and what they say about each quote.

What happens when the true price leaves the corridor of the deviation rule is one of three policies:

- *strict*, the description's literal rule: ``widening_percent=0``. Once the true price stays out of
  the corridor, no honest price is valid ever again.
- *widen*, the default: the corridor grows with each block on the chain that says ``no_price``.
- *re-anchor*: after ``reanchor_after`` such blocks the quotes are measured against each other
  instead of against a price that nobody believes any more, and more of them are needed.

An epoch without a block, such as that of a silent leader, says nothing about the price, and so
changes nothing: else whoever keeps silent would let others move the price further.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple, Protocol, Self

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices.quotes import StockPrice
from streamlet_lab.units import is_within, to_decimal, to_hundredths, to_micros, to_whole

#: More shares than any market trades. Ninety-nine such quotes still sum up to the twelve digits
#: that a payload has room for.
LARGEST_VOLUME: Final = Decimal(10_000_000_000)

# As many as a payload has room for.
_MOST_DECIMALS: Final = 6


class QuoteReason(StrEnum):
    """Why a quote counts, or does not."""

    VALID = "valid"
    WRONG_SYMBOL = "wrong_symbol"
    FROM_THE_FUTURE = "from_the_future"
    OUT_OF_DATE = "out_of_date"
    REPEATED_SOURCE = "repeated_source"
    BELOW_MIN_PRICE = "below_min_price"
    ABOVE_MAX_PRICE = "above_max_price"
    BELOW_MIN_VOLUME = "below_min_volume"
    ABOVE_MAX_VOLUME = "above_max_volume"
    VOLUME_TOO_FINE = "volume_too_fine"
    OUTSIDE_DEVIATION = "outside_deviation"
    OUTSIDE_AGREEMENT = "outside_agreement"
    OUTLIER = "outlier"


# These do not use up what a source may say in an epoch: anyone could replay them to silence it.
_NOT_ASKED_FOR: Final = frozenset(
    {QuoteReason.WRONG_SYMBOL, QuoteReason.FROM_THE_FUTURE, QuoteReason.OUT_OF_DATE}
)


class QuoteCheck(NamedTuple):
    """A quote and what the rules say about it."""

    quote: StockPrice
    reason: QuoteReason

    @property
    def valid(self) -> bool:
        """Whether the quote counts."""
        return self.reason is QuoteReason.VALID


class PreviousConsensus(NamedTuple):
    """The reference of the deviation rule: the nearest priced ancestor of the block being made.

    Parameters
    ----------
    price : Decimal
    epoch : int
        Of the ancestor.
    no_prices : int
        How many blocks between it and the block being made say that there is no price.
    """

    price: Decimal
    epoch: int
    no_prices: int = 0

    def after_no_price(self) -> Self:
        """Return the reference once another block says that there is no price."""
        return self._replace(no_prices=self.no_prices + 1)


class OutlierRule(Protocol):
    """A pure function that says which of several quotes to leave out."""

    def __call__(
        self,
        quote: StockPrice,
        quotes: Sequence[StockPrice],
        previous: PreviousConsensus | None,
        epoch: int,
        /,
    ) -> bool:
        """Return whether a quote is an outlier.

        Parameters
        ----------
        quote : StockPrice
        quotes : sequence of StockPrice
            All quotes of the epoch that pass the other rules, this one among them.
        previous : PreviousConsensus, optional
            None without one, and while the chain is re-anchored.
        epoch : int
            The epoch that the quotes belong to.
        """
        ...


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
        there is no price. 0 is the description's literal rule, under which no honest price is ever
        valid again once the true price has left the corridor.
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
    min_sources: int = 2
    max_volume: Decimal = LARGEST_VOLUME
    reanchor_after: int | None = None
    reanchor_sources: int | None = None
    _deviation: int = field(init=False, repr=False, compare=False)  # hundredths of a percent
    _widening: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in (
            "min_price",
            "max_price",
            "min_volume",
            "max_volume",
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
        if not self.min_volume <= self.max_volume <= LARGEST_VOLUME:
            raise InvalidInput(
                "max_volume",
                str(self.max_volume),
                f"from min_volume {self.min_volume} to {LARGEST_VOLUME} shares",
            )
        to_whole(self.min_sources, 1, "min_sources")
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
        to_whole(after, 1, "reanchor_after")
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
        """Whether a price may follow the previous consensus; the edge passes.

        While the chain is re-anchored any price may: then it is the quotes that must agree.
        """
        if self.is_reanchoring(previous):
            return True
        allowed = self._deviation + self._widening * previous.no_prices
        return is_within(to_micros(price), to_micros(previous.price), allowed)

    def in_agreement(self, price: Decimal, quotes: Sequence[StockPrice]) -> bool:
        """Whether a price lies within the allowed deviation of the quotes' median, inclusive."""
        twice_median = twice_median_micros(quotes)
        return is_within(2 * to_micros(price), twice_median, self._deviation)


def twice_median_micros(quotes: Sequence[StockPrice]) -> int:
    """Return two times the median price, in micro-dollars: a whole number for any quotes."""
    ranked = sorted(to_micros(quote.price) for quote in quotes)
    half = len(ranked) // 2
    return ranked[half] + ranked[-1 - half]


def check_quotes(
    quotes: Iterable[StockPrice],
    rules: PriceValidation,
    symbol: str,
    epoch: int,
    previous: PreviousConsensus | None,
    timestamp: datetime | None = None,
    outlier: OutlierRule | None = None,
) -> tuple[QuoteCheck, ...]:
    """Apply the rules to each quote of an epoch; the first one that it breaks is its reason.

    A quote's own rules come first. Those that compare quotes with each other follow, each for the
    quotes that are valid up to there: agreement while re-anchoring, then the outlier rule.

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
    timestamp : datetime, optional
        Market time of the epoch, which every quote must bear: an earlier one is a quote of another
        epoch, replayed. Without it any time will do.
    outlier : OutlierRule, optional
        See :mod:`streamlet_lab.prices.outliers`.

    Raises
    ------
    InvalidInput
        If the outlier rule answers anything but True or False.
    """
    checks = []
    sources: set[str] = set()
    for quote in quotes:
        reason = _reason(quote, rules, symbol, previous, timestamp, sources)
        checks.append(QuoteCheck(quote, reason))
        if reason not in _NOT_ASKED_FOR:
            sources.add(quote.source)
    if rules.is_reanchoring(previous):
        checks = _check_agreement(checks, rules)
        previous = None
    if outlier is not None:
        checks = _check_outliers(checks, outlier, previous, epoch)
    return tuple(checks)


def _reason(
    quote: StockPrice,
    rules: PriceValidation,
    symbol: str,
    previous: PreviousConsensus | None,
    timestamp: datetime | None,
    sources_so_far: set[str],
) -> QuoteReason:
    if quote.symbol != symbol:
        return QuoteReason.WRONG_SYMBOL
    if timestamp is not None and quote.timestamp > timestamp:
        return QuoteReason.FROM_THE_FUTURE
    if timestamp is not None and quote.timestamp < timestamp:
        return QuoteReason.OUT_OF_DATE
    if quote.source in sources_so_far:
        return QuoteReason.REPEATED_SOURCE
    if quote.price < rules.min_price:
        return QuoteReason.BELOW_MIN_PRICE
    if quote.price > rules.max_price:
        return QuoteReason.ABOVE_MAX_PRICE
    if quote.volume < rules.min_volume:
        return QuoteReason.BELOW_MIN_VOLUME
    if quote.volume > rules.max_volume:
        return QuoteReason.ABOVE_MAX_VOLUME
    if _decimals(quote.volume) > _MOST_DECIMALS:
        return QuoteReason.VOLUME_TOO_FINE
    if previous is not None and not rules.within_deviation(quote.price, previous):
        return QuoteReason.OUTSIDE_DEVIATION
    return QuoteReason.VALID


def _check_agreement(checks: Sequence[QuoteCheck], rules: PriceValidation) -> list[QuoteCheck]:
    quotes = _valid_quotes(checks)
    return [
        check._replace(reason=QuoteReason.OUTSIDE_AGREEMENT)
        if check.valid and not rules.in_agreement(check.quote.price, quotes)
        else check
        for check in checks
    ]


def _check_outliers(
    checks: Sequence[QuoteCheck],
    outlier: OutlierRule,
    previous: PreviousConsensus | None,
    epoch: int,
) -> list[QuoteCheck]:
    quotes = _valid_quotes(checks)
    judged = []
    for check in checks:
        if check.valid:
            verdict: object = outlier(check.quote, quotes, previous, epoch)
            if not isinstance(verdict, bool):
                raise InvalidInput("outlier rule", verdict, "True or False from each call")
            if verdict:
                check = check._replace(reason=QuoteReason.OUTLIER)
        judged.append(check)
    return judged


def _valid_quotes(checks: Iterable[QuoteCheck]) -> tuple[StockPrice, ...]:
    return tuple(check.quote for check in checks if check.valid)


def _decimals(amount: Decimal) -> int:
    """Return the decimal places as written: a sum keeps trailing zeros, too."""
    exponent = amount.as_tuple().exponent
    assert isinstance(exponent, int)
    return -exponent
