"""One epoch's quotes of one symbol: which of them count, and what price they make."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, NamedTuple

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices.aggregation import Aggregator, mean, total_volume, vwap
from streamlet_lab.prices.payload import NoPrice, PriceConsensus, unchecked_consensus
from streamlet_lab.prices.quotes import ORIGIN, StockPrice
from streamlet_lab.prices.validation import PreviousConsensus, PriceValidation
from streamlet_lab.units import to_flag, to_instance
from streamlet_lab.values import Whole, check_ranges

Quotes = Sequence[StockPrice]

# Of a volume: a payload has room for so many decimals.
_FINEST_EXPONENT: Final = -6


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


#: A pure function that says whether to leave out a quote, given all of an epoch that pass the other
#: rules, the previous consensus (None while the chain is re-anchored, too) and the epoch.
OutlierRule = Callable[[StockPrice, Quotes, PreviousConsensus | None, int], bool]


class Evaluation(NamedTuple):
    """What an honest node makes of an epoch's quotes."""

    checks: tuple[QuoteCheck, ...]
    claim: PriceConsensus | NoPrice
    previous: PreviousConsensus | None


@dataclass(frozen=True, slots=True)
class PriceRound:
    """What the quotes of one epoch are measured by, and what makes one price of them.

    Parameters
    ----------
    symbol : str
        What the quotes must be for.
    previous : PreviousConsensus or None
        Without one the deviation rule does not apply.
    timestamp : datetime, optional
        Market time of the epoch, which every quote must bear: an earlier one is a quote of another
        epoch, replayed. Without it any time will do, and a claim bears that of the latest quote.
    aggregator : Aggregator
        What makes the consensus price; the description's simple average by default.
    outlier : OutlierRule, optional
        Which quotes do not count although they pass the rules.

    Examples
    --------
    >>> quotes = [StockPrice.create("AAPL", price, 500, f"venue_{price}") for price in (150, 170)]
    >>> round_9 = PriceRound(PriceValidation(), "AAPL", 9, PreviousConsensus(Decimal(150), 8))
    >>> [str(check.reason) for check in round_9.check(quotes)]
    ['valid', 'outside_deviation']
    """

    rules: PriceValidation
    symbol: str
    epoch: Annotated[int, Whole()]
    previous: PreviousConsensus | None
    timestamp: datetime | None = None
    aggregator: Aggregator = mean
    outlier: OutlierRule | None = None

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.outlier is not None and not callable(self.outlier):
            raise InvalidInput("outlier", self.outlier, "a function, or None")

    def check(self, quotes: Iterable[StockPrice]) -> tuple[QuoteCheck, ...]:
        """Apply the rules to each quote; the first one that it breaks is its reason.

        A quote's own rules come first. Those that compare quotes with each other follow, each for
        the quotes that are valid up to there: agreement while re-anchoring, then the outlier rule.
        """
        if not isinstance(quotes, Iterable):
            raise InvalidInput("prices", quotes, "a list of quotes")
        checks = []
        sources: set[str] = set()
        corridor = self.rules.corridor(self.previous)
        for quote in quotes:
            if type(quote) is not StockPrice:
                to_instance(quote, StockPrice, "prices")
            reason = self._reason(quote, sources, *corridor)
            checks.append(QuoteCheck(quote, reason))
            if reason not in _NOT_ASKED_FOR:
                sources.add(quote.source)
        if self.rules.is_reanchoring(self.previous):
            checks = _leave_out(checks, QuoteReason.OUTSIDE_AGREEMENT, self._disagrees)
        if self.outlier is not None:
            checks = _leave_out(checks, QuoteReason.OUTLIER, self._is_outlier)
        return tuple(checks)

    def evaluate(self, quotes: Iterable[StockPrice]) -> Evaluation:
        """Validate quotes and aggregate the valid ones.

        The claim is a :class:`NoPrice` with its reason if too few quotes are valid.
        """
        checks = self.check(quotes)
        valid = valid_quotes(checks)
        needed = self.rules.sources_needed(self.previous)
        if len(valid) < needed:
            reason = f"{len(valid)} of {len(checks)} sources valid, {needed} needed"
            timestamp = self._time_of(quote for quote, _ in checks)
            return Evaluation(checks, NoPrice(self.symbol, reason, timestamp), self.previous)
        return Evaluation(checks, self.aggregate(valid), self.previous)

    def aggregate(self, quotes: Sequence[StockPrice]) -> PriceConsensus:
        """Make one price of quotes that are taken to be valid, rounded to cents, half even."""
        price, volume = self.aggregator(quotes), total_volume(quotes)
        time = self._time_of(quotes)
        return unchecked_consensus(self.symbol, price, vwap(quotes), volume, len(quotes), time, "")

    def _time_of(self, quotes: Iterable[StockPrice]) -> datetime:
        return self.timestamp or max((quote.timestamp for quote in quotes), default=ORIGIN)

    def _reason(
        self, quote: StockPrice, sources_so_far: set[str], low: Decimal, high: Decimal
    ) -> QuoteReason:
        rules, timestamp = self.rules, self.timestamp
        if quote.symbol != self.symbol:
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
        # As written: a sum keeps trailing zeros, too.
        if quote.volume.as_tuple().exponent < _FINEST_EXPONENT:  # type: ignore[operator]
            return QuoteReason.VOLUME_TOO_FINE
        if not low <= quote.price <= high:
            return QuoteReason.OUTSIDE_DEVIATION
        return QuoteReason.VALID

    def _disagrees(self, quote: StockPrice, quotes: Quotes) -> bool:
        return not self.rules.in_agreement(quote.price, quotes)

    def _is_outlier(self, quote: StockPrice, quotes: Quotes) -> bool:
        assert self.outlier is not None
        previous = None if self.rules.is_reanchoring(self.previous) else self.previous
        return to_flag(self.outlier(quote, quotes, previous, self.epoch), "outlier rule")


def valid_quotes(checks: Iterable[QuoteCheck]) -> tuple[StockPrice, ...]:
    """Return the quotes that count."""
    return tuple([quote for quote, reason in checks if reason is QuoteReason.VALID])


def _leave_out(
    checks: Sequence[QuoteCheck], reason: QuoteReason, is_bad: Callable[[StockPrice, Quotes], bool]
) -> list[QuoteCheck]:
    """Give a reason to those of the valid quotes that are bad among all of these."""
    quotes = valid_quotes(checks)
    return [
        check._replace(reason=reason) if check.valid and is_bad(check.quote, quotes) else check
        for check in checks
    ]
