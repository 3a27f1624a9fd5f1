"""From valid quotes to one price: the simple average, and the volume-weighted one beside it."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices.quotes import StockPrice
from streamlet_lab.units import MONEY, round_price


class Aggregate(NamedTuple):
    """What a set of quotes amounts to; prices are rounded to cents, half even."""

    consensus_price: Decimal
    volume_weighted_price: Decimal
    total_volume: Decimal
    price_count: int


def aggregate(quotes: Sequence[StockPrice]) -> Aggregate:
    """Return simple average, VWAP, total volume and number of the quotes.

    Raises
    ------
    InvalidInput
        If there is no quote, or no volume to weigh with.
    """
    if not quotes:
        raise InvalidInput("prices", [], "at least one quote")
    price_sum = turnover = volume = Decimal(0)
    for quote in quotes:
        price_sum = MONEY.add(price_sum, quote.price)
        turnover = MONEY.add(turnover, MONEY.multiply(quote.price, quote.volume))
        volume = MONEY.add(volume, quote.volume)
    if volume <= 0:
        raise InvalidInput("volume", str(volume), "more than 0 shares in all")
    return Aggregate(
        consensus_price=round_price(MONEY.divide(price_sum, Decimal(len(quotes)))),
        volume_weighted_price=round_price(MONEY.divide(turnover, volume)),
        total_volume=volume,
        price_count=len(quotes),
    )
