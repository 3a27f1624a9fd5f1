"""From valid quotes to one price by some aggregator, and the volume-weighted one beside it."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from streamlet_lab.prices.aggregators import Aggregator, mean, total_volume, vwap
from streamlet_lab.prices.quotes import StockPrice


class Aggregate(NamedTuple):
    """What a set of quotes amounts to; prices are rounded to cents, half even."""

    consensus_price: Decimal
    volume_weighted_price: Decimal
    total_volume: Decimal
    price_count: int


def aggregate(quotes: Sequence[StockPrice], aggregator: Aggregator = mean) -> Aggregate:
    """Return consensus price, VWAP, total volume and number of the quotes.

    Parameters
    ----------
    quotes : sequence of StockPrice
    aggregator : Aggregator
        What makes the consensus price; the description's simple average by default.

    Raises
    ------
    InvalidInput
        If there is no quote, or no volume to weigh with.
    """
    return Aggregate(
        consensus_price=aggregator(quotes),
        volume_weighted_price=vwap(quotes),
        total_volume=total_volume(quotes),
        price_count=len(quotes),
    )
