"""What rests in the book, as cells of time and price: no drawing here."""

from math import ceil, floor
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamlet_lab.charts.series import chosen_symbol
from streamlet_lab.result import Result

Grid = NDArray[np.float64]

# More cells than that are less than two pixels wide.
_COLUMNS: Final = 400
_ROWS: Final = 150


class DepthGrid(NamedTuple):
    """Shares in the book by time and price: the mean of the instants in a column.

    A cell is NaN where there are none, or more of the other side. The edges of the columns are
    seconds, those of the rows dollars, half a cent below a price; a row holds so many `cents`.
    """

    times: Grid
    prices: Grid
    bids: Grid
    asks: Grid
    cents: int


def depth_grid(
    result: Result,
    span: tuple[float, float],
    limits: tuple[float, float],
    symbol: str | None = None,
) -> DepthGrid:
    """Return what rests in one symbol's book in a span of seconds and a range of dollars."""
    chosen, (start, stop) = chosen_symbol(result, symbol), span
    book, depth = (
        frame[(frame["symbol"] == chosen) & (frame["time_s"] >= start) & (frame["time_s"] < stop)]
        for frame in (result.book, result.depth)
    )
    instants = book["time_s"].to_numpy()
    times = np.append(instants[:: ceil(len(instants) / _COLUMNS) or 1], stop)
    low, high = (100 * price for price in limits)
    cents = _round_width((high - low) / _ROWS)
    first, last = floor(low / cents), floor(high / cents)
    rows = np.arange(first, last + 2)
    samples = np.histogram(instants, times)[0]

    def shares(side: str) -> Grid:
        """Return the mean shares of one side in each cell."""
        own = depth[depth["side"] == side]
        places = own["price_cents"].to_numpy() // cents, own["time_s"].to_numpy()
        counts, _, _ = np.histogram2d(*places, (rows - 0.5, times), weights=own["quantity"])
        return np.asarray(counts / samples)

    bids, asks = shares("buy"), shares("sell")
    more_asks = asks > bids
    prices = (rows * cents - 0.5) / 100
    bids = np.where(more_asks | (bids == 0), np.nan, bids)
    return DepthGrid(times, prices, bids, np.where(more_asks, asks, np.nan), cents)


def _round_width(least: float) -> int:
    """Return a round number of cents, at least one and this many."""
    magnitude = 1
    while 5 * magnitude < least:
        magnitude *= 10
    return next(digit * magnitude for digit in (1, 2, 5) if digit * magnitude >= least)
