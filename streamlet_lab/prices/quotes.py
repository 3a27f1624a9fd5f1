"""What a source says about a stock: price and volume at one instant of market time."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, Self

from streamlet_lab.errors import InvalidInput
from streamlet_lab.units import to_decimal, to_micros

#: The description's three sources.
SOURCES: Final = ("market_data_1", "market_data_2", "external_feed")

#: Market time 0 of every simulated path (the timestamp in the description's payload).
ORIGIN: Final = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StockPrice:
    """One quote.

    Its price is in US dollars, whole micro-dollars; its volume in shares; its timestamp the market
    time in UTC. The confidence is how far the price may be off to either side, in US dollars and in
    the source's own opinion.
    """

    symbol: str
    price: Decimal
    volume: Decimal
    source: str
    timestamp: datetime = ORIGIN
    confidence: Decimal | None = None

    @classmethod
    def create(
        cls,
        symbol: str,
        price: object,
        volume: object,
        source: str,
        timestamp: datetime = ORIGIN,
        confidence: object = None,
    ) -> Self:
        """Make a quote from what a person types.

        Whether the numbers are plausible is the business of the validation rules.

        Raises
        ------
        InvalidInput
            If symbol or source is no text; price, volume or confidence is not a finite number;
            price or confidence is finer than a micro-dollar; or the confidence is negative.
        """
        for name, text in (("symbol", symbol), ("source", source)):
            if not isinstance(text, str):
                raise InvalidInput(name, text, "a text")
        amount = to_decimal(price, "price")
        to_micros(amount)
        if not isinstance(timestamp, datetime) or timestamp.tzinfo is None:
            raise InvalidInput("timestamp", str(timestamp), "a datetime with a time zone")
        shares = to_decimal(volume, "volume")
        if confidence is not None:
            confidence = to_decimal(confidence, "confidence")
            if to_micros(confidence, "confidence") < 0:
                raise InvalidInput("confidence", confidence, "zero or more dollars")
        return cls(symbol, amount, shares, source, timestamp, confidence)

    def checked(self) -> Self:
        """Return a quote that was not made by `create`, as `create` makes it."""
        return self.create(*(getattr(self, name) for name in self.__slots__))
