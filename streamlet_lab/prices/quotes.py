"""What a source says about a stock: price and volume at one instant of market time."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Self

from streamlet_lab.errors import InvalidInput
from streamlet_lab.units import to_micros
from streamlet_lab.values import check_ranges, unchecked

#: The description's three sources.
SOURCES: Final = ("market_data_1", "market_data_2", "external_feed")

#: Market time 0 of every simulated path (the timestamp in the description's payload).
ORIGIN: Final = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StockPrice:
    """One quote.

    Its price is in US dollars, whole micro-dollars; its volume in shares; its timestamp the market
    time in UTC. The confidence is how far the price may be off to either side, in US dollars and in
    the source's own opinion. Numbers and texts of them become decimals; whether they are plausible
    is the business of the validation rules.

    Raises
    ------
    InvalidInput
        If symbol or source is no text; price, volume or confidence is not a finite number; price or
        confidence is finer than a micro-dollar; the confidence is negative; or the timestamp has no
        time zone.
    """

    symbol: str
    price: Decimal
    volume: Decimal
    source: str
    timestamp: datetime = ORIGIN
    confidence: Decimal | None = None

    def __post_init__(self) -> None:
        check_ranges(self)
        to_micros(self.price)
        if self.confidence is not None and to_micros(self.confidence, "confidence") < 0:
            raise InvalidInput("confidence", self.confidence, "zero or more dollars")

    @classmethod
    def create(
        cls,
        symbol: str,
        price: Any,
        volume: Any,
        source: str,
        timestamp: datetime = ORIGIN,
        confidence: Any = None,
    ) -> Self:
        """Make a quote from what a person types: the constructor, for any kinds of numbers."""
        return cls(symbol, price, volume, source, timestamp, confidence)


unchecked_quote: Final = unchecked(StockPrice)
