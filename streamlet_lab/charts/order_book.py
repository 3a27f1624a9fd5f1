"""The chart of the order book: where is the liquidity, and at what prices does it trade?"""

from itertools import count
from math import ceil, floor
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.ticker import LogLocator, NullLocator
from numpy.typing import NDArray

from streamlet_lab.charts import band, layout, series, style
from streamlet_lab.liquidity import quoted_spreads
from streamlet_lab.result import Result
from streamlet_lab.units import to_seconds

# Of the best prices and of the depths, this share at each end does not decide about the scales.
_FAR: Final = 0.02
# More cells than that are less than two pixels wide.
_COLUMNS: Final = 400
_ROWS: Final = 150
# The smallest range of colours, as a factor.
_DECADE: Final = 10.0
# Points²: the mark of a mean trade where there are few, and the largest one.
_TRADE_AREA: Final = 16.0
_LARGEST_TRADE: Final = 80.0
# The smallest mark of each kind: one that is not fair is to be seen among a thousand others.
_TRADES: Final = (
    (True, "fair trade", 2.0, style.TRADE),
    (False, "unfair trade", 14.0, style.UNFAIR),
)


class DepthGrid(NamedTuple):
    """Shares in the book by time and price: the mean of the instants in a column.

    A cell is NaN where there are none, or more of the other side. The edges of the columns are
    seconds, those of the rows dollars, half a cent below a price; a row holds so many `cents`.
    """

    times: NDArray[np.float64]
    prices: NDArray[np.float64]
    bids: NDArray[np.float64]
    asks: NDArray[np.float64]
    cents: int


def depth_grid(
    result: Result, symbol: str, span: tuple[float, float], limits: tuple[float, float]
) -> DepthGrid:
    """Return what rests in one symbol's book in a span of seconds and a range of dollars."""
    book, depth = (
        frame[(frame["symbol"] == symbol) & frame["time_s"].between(*span, inclusive="left")]
        for frame in (result.book, result.depth)
    )
    instants = book["time_s"].to_numpy()
    times = np.append(instants[:: ceil(len(instants) / _COLUMNS) or 1], span[1])
    low, high = (100 * price for price in limits)
    widths = (digit * 10**power for power in count() for digit in (1, 2, 5))
    cents = next(width for width in widths if width >= (high - low) / _ROWS)
    rows = np.arange(floor(low / cents), floor(high / cents) + 2)
    samples = np.histogram(instants, times)[0]

    def shares(side: str) -> NDArray[np.float64]:
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


def draw_book(
    axes: Axes, result: Result, symbol: str | None = None, first: int = 0, last: int | None = None
) -> None:
    """Where is the liquidity, and at what prices does it trade? Depth over time, with trades.

    Each column is one sampled instant, and holds until the next; of more than 400 it is the mean of
    several. All epochs are shown unless `first` and `last` say which.
    """
    symbol, config = series.chosen_symbol(result, symbol), result.config
    first, last = series.shown_epochs(result, first, last)
    start, stop = (to_seconds(epoch * config.epoch_length) for epoch in (first, last + 1))
    book, trades = (
        frame[(frame["symbol"] == symbol) & frame["time_s"].between(start, stop)]
        for frame in (result.book, result.trades)
    )
    path, steps = series.true_path(result, symbol), series.band_steps(result, symbol)
    quotes = pd.concat([book["best_bid"], book["best_ask"]])
    typical = quotes[quotes.between(*quotes.quantile([_FAR, 1 - _FAR]))]
    held = steps.loc[steps["time_s"].between(start, stop), "reference_price"]
    limits = series.price_limits(path[start:stop], trades["price"], typical, held)
    axes.set_ylim(limits)
    band.draw_states(axes, result, symbol, steps["time_s"].iloc[-1])
    _draw_depth(axes, depth_grid(result, symbol, (start, stop), limits))
    band.draw_band_edges(axes, steps, band.band_name(config.market))
    band.draw_reference(axes, steps)
    axes.plot(path, label="true price", **style.TRUE_PATH)
    area = _TRADE_AREA * (layout.mark_size(len(trades)) / layout.mark_size(1)) ** 2
    for fair, what, least, look in _TRADES:
        own = trades[trades["fair"] == fair]
        seen = own[own["price"].between(*axes.get_ylim())]
        sizes = (area * seen["quantity"] / trades["quantity"].mean()).clip(least, _LARGEST_TRADE)
        label = f"{what} ({len(own):,}), area by shares"
        axes.scatter(seen["time_s"], seen["price"], sizes, label=label, **look)
    layout.mark_off_scale(axes, trades.set_index("time_s")["price"])
    axes.set_ylabel(f"{symbol} (US dollars)")
    axes.grid(visible=False)
    traded = (
        f"{len(trades):,} trades of {trades['quantity'].sum():,} shares, "
        f"{(~trades['fair']).sum():,} of them unfair"
    )
    spreads, quoted = quoted_spreads(book), "never both bids and asks"
    if not spreads.empty:
        quoted = (
            f"bids and asks {len(spreads) / len(book):.0%} of the time, "
            f"median spread {spreads.median():,.0f} bp"
        )
    question = "Where is the liquidity, and at what prices does it trade?"
    layout.explain_run(axes, result, question, f"{quoted}; {traded}", symbol, (start, stop))


def _draw_depth(axes: Axes, grid: DepthGrid) -> None:
    shares = np.concatenate([grid.bids, grid.asks]).ravel()
    shares = shares[~np.isnan(shares)]
    if not len(shares):
        return
    least, most = np.quantile(shares, (_FAR, 1 - _FAR))
    norm = LogNorm(least, max(most, _DECADE * least))
    beyond = "max" if shares.max() > norm.vmax else "neither"
    prices = "at each price" if grid.cents == 1 else f"in each ${grid.cents / 100:.2f}"
    # The first bar is the outer one, and has the numbers of both.
    for side, name, cells in (("sell", "asks", grid.asks), ("buy", "bids", grid.bids)):
        colors = LinearSegmentedColormap.from_list(side, style.DEPTH[side])
        look = {"cmap": colors, "norm": norm, "zorder": 0.8, **style.SIDES[side]}
        mesh = axes.pcolor(grid.times, grid.prices, np.ma.masked_invalid(cells), **look)
        bar = axes.figure.colorbar(mesh, ax=axes, extend=beyond, fraction=0.03, pad=0.02, aspect=30)
        bar.ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        bar.ax.yaxis.set_minor_locator(NullLocator())
        bar.ax.yaxis.set_major_formatter("{x:,.6g}" if side == "sell" else "")
        bar.ax.set_xlabel(name, fontsize=style.SMALL)
        bar.outline.set_visible(False)
        bar.ax.axvspan(0, 1, facecolor="none", **style.SIDES[side])
        if side == "sell":
            bar.set_label(f"Shares {prices}, logarithmic")
