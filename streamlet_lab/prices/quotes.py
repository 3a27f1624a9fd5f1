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

    Parameters
    ----------
    symbol : str
    price : Decimal
        US dollars, in whole micro-dollars.
    volume : Decimal
        Shares.
    source : str
        Who quotes.
    timestamp : datetime
        Market time of the quote, UTC.
    """

    symbol: str
    price: Decimal
    volume: Decimal
    source: str
    timestamp: datetime = ORIGIN

    @classmethod
    def create(
        cls,
        symbol: str,
        price: object,
        volume: object,
        source: str,
        timestamp: datetime = ORIGIN,
    ) -> Self:
        """Make a quote from what a person types.

        Whether the numbers are plausible is the business of the validation rules; here they only
        have to be numbers.

        Raises
        ------
        InvalidInput
            If price or volume is not a finite number, or the price is finer than a micro-dollar.
        """
        amount = to_decimal(price, "price")
        to_micros(amount)
        if not isinstance(timestamp, datetime) or timestamp.tzinfo is None:
            raise InvalidInput("timestamp", str(timestamp), "a datetime with a time zone")
        return cls(symbol, amount, to_decimal(volume, "volume"), source, timestamp)
