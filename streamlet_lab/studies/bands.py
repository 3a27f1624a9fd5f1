"""What each band does to one and the same order flow, and who gains from it."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, Unpack

import pandas as pd

from streamlet_lab.grid import Sweep
from streamlet_lab.metrics import share_of
from streamlet_lab.result import Result
from streamlet_lab.studies.common import Options, check_result, compare, read_names

#: The bands of the comparison unless others are named.
BANDS: Final = ("consensus", "trade_only", "keep_resting", "clip", "luld", "volatility_auction")


def compare_bands(
    bands: str | Iterable[str] = BANDS,
    *,
    settings: Mapping[str, Any] = MappingProxyType({}),
    epochs: int = 200,
    **options: Unpack[Options],
) -> Sweep:
    """Run the same orders against each band, and measure :func:`band_numbers`.

    The default traders never look at the book: what they send is the same whatever the band does.

    Parameters
    ----------
    bands : str or iterable of str
        Names of :func:`~streamlet_lab.matching.bands`.
    settings : mapping
        Of all runs; those of a section with a dot, ``{"market.band_percent": 3}``. The times of
        ``"luld"`` are minutes of market time: compare it with
        ``{"market_time_per_epoch": "1min"}``, since an epoch is a day otherwise.
    epochs : int
    **options
        ``repeats``, ``seed``, ``until``, ``workers``, ``executor``, ``store``, ``progress`` and
        ``on_error`` of :func:`~streamlet_lab.sweep`.
    """
    over = {"market.band": read_names("bands", bands)}
    return compare(over, {"epochs": epochs}, settings, band_numbers, **options)


def band_numbers(result: Result) -> dict[str, float | None]:
    """Return ``result.market_numbers``, and shares of the orders that the band was hard on.

    Of all orders: ``refused_share``, those stopped at their entry or at a trade; ``swept_share``,
    those taken out of the book later. Of fair orders: ``blocked_share``, those stopped because the
    price of what rested in the book was not fair; ``repriced_share``, those whose price the band
    moved to its edge. None for what there is nothing to measure of.
    """
    check_result(result)
    numbers = result.market_numbers
    shares = ("refused_share", "swept_share", "blocked_share", "repriced_share")
    return {**{name: share_of(name, numbers) for name in shares}, **numbers}


def gains(result: Result) -> "pd.Series[float]":
    """Return what each kind of trader gained, in dollars, by the true price at each trade.

    Who buys a share gains the true price less what was paid; the seller loses as much. So the
    gains of all kinds add up to zero.
    """
    check_result(result)
    kinds = result.orders.drop_duplicates("order_id").set_index("order_id")["kind"]
    trades = result.trades
    gain = trades["quantity"] * (trades["true_price"] - trades["price"])
    bought, sold = (
        gain.groupby(trades[f"{side}_order_id"].map(kinds)).sum() for side in ("buy", "sell")
    )
    gained: pd.Series[float] = bought.sub(sold, fill_value=0)
    return gained.rename("gain ($)").rename_axis("kind")
