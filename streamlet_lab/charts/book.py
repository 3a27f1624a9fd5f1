"""The chart of the order book: where is the liquidity, and at what prices does it trade?"""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from streamlet_lab.charts import style
from streamlet_lab.charts.band import band_name, draw_band_edges, draw_reference, draw_states
from streamlet_lab.charts.depth import DepthGrid, depth_grid
from streamlet_lab.charts.layout import (
    head,
    legend_below,
    mark_off_scale,
    mark_size,
    of_symbol,
    time_axis,
)
from streamlet_lab.charts.series import (
    band_steps,
    chosen_symbol,
    price_limits,
    state_spans,
    true_path,
)
from streamlet_lab.errors import InvalidInput
from streamlet_lab.metrics import quoted_spreads
from streamlet_lab.result import Result
from streamlet_lab.units import to_seconds

# Of the best prices and of the depths, this share at each end does not decide about the scales.
_FAR: Final = 0.02
# The smallest range of colours, as a factor.
_DECADE: Final = 10.0
# Points²: the mark of a mean trade where there are few, and the largest one.
_TRADE_AREA: Final = 16.0
_LARGEST_TRADE: Final = 80.0
_SIDES: Final = {"buy": "bids", "sell": "asks"}
# The smallest mark of each kind: one that is not fair is to be seen among a thousand others.
_TRADES: Final = (
    (True, "fair trade", 2.0, style.TRADE),
    (False, "unfair trade", 14.0, style.UNFAIR),
)


def draw_book(
    axes: Axes, result: Result, symbol: str | None = None, span: tuple[float, float] | None = None
) -> None:
    """Draw what rests in the book over time, the best prices, trades, the band and the path.

    Each column is one sampled instant, and holds until the next; of more than 400 it is the mean of
    several.

    Parameters
    ----------
    axes : Axes
        Drawn on, from empty; colour bars take room from them.
    result : Result
    symbol : str, optional
        Whose book; the first symbol's by default.
    span : tuple of float, optional
        From and to when, seconds of protocol time; the whole run by default.

    Raises
    ------
    InvalidInput
        If the run has no such symbol, or its book was not sampled in that time.
    """
    chosen, config = chosen_symbol(result, symbol), result.config
    start, stop = _read_span(result, span)
    book, trades = (
        frame[(frame["symbol"] == chosen) & frame["time_s"].between(start, stop)]
        for frame in (result.book, result.trades)
    )
    path, steps = true_path(result, chosen), band_steps(result, chosen)
    quotes = pd.concat([book["best_bid"], book["best_ask"]])
    typical = quotes[quotes.between(*quotes.quantile([_FAR, 1 - _FAR]))]
    limits = price_limits(path[start:stop], trades["price"], typical)
    axes.set_ylim(limits)
    draw_states(axes, state_spans(result, chosen))
    grid = depth_grid(result, (start, stop), limits, chosen)
    _draw_depth(axes, grid)
    draw_band_edges(axes, steps, band_name(config.market))
    draw_reference(axes, steps)
    for side, column in (("buy", "best_bid"), ("sell", "best_ask")):
        label = column.replace("_", " ")
        axes.step(book["time_s"], book[column], where="post", label=label, **style.BEST[side])
    axes.plot(path, label="underlying price", **style.TRUE_PATH)
    _draw_trades(axes, trades)
    axes.set_ylabel(f"{chosen} (US dollars)")
    axes.grid(visible=False)
    time_axis(axes, result, (start, stop))
    legend_below(axes)
    question = "Where is the liquidity, and at what prices does it trade?"
    head(axes, question, of_symbol(result, chosen, _answer(book, trades)))


def _read_span(result: Result, span: tuple[float, float] | None) -> tuple[float, float]:
    whole = 0.0, to_seconds(result.config.epochs * result.config.epoch_length)
    if span is None:
        return whole
    expected = f"two instants from 0 to {whole[1]:g} s with a sample of the book from one to other"
    try:
        start, stop = map(float, span)
    except (TypeError, ValueError):
        raise InvalidInput("span", span, expected) from None
    times = result.book["time_s"]
    if not whole[0] <= start < stop <= whole[1] or not times.between(start, stop, "left").any():
        raise InvalidInput("span", span, expected)
    return start, stop


def _draw_depth(axes: Axes, grid: DepthGrid) -> None:
    shares = np.concatenate([grid.bids, grid.asks]).ravel()
    shares = shares[~np.isnan(shares)]
    if not len(shares):
        return
    least, most = np.quantile(shares, (_FAR, 1 - _FAR))
    norm = LogNorm(least, max(most, _DECADE * least))
    figure = axes.get_figure(root=True)
    assert figure is not None
    beyond = "max" if shares.max() > norm.vmax else "neither"
    prices = "at each price" if grid.cents == 1 else f"in each ${grid.cents / 100:.2f}"
    # The first bar is the outer one, and has the numbers of both.
    for side, cells, labelled in (("sell", grid.asks, True), ("buy", grid.bids, False)):
        colors = LinearSegmentedColormap.from_list(side, style.DEPTH[side])
        mesh = axes.pcolormesh(grid.times, grid.prices, cells, cmap=colors, norm=norm, zorder=0.8)
        bar = figure.colorbar(mesh, ax=axes, extend=beyond, fraction=0.03, pad=0.02, aspect=30)
        bar.ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        bar.ax.yaxis.set_minor_locator(NullLocator())
        text = (lambda value, _: f"{value:,.6g}") if labelled else (lambda value, _: "")
        bar.ax.yaxis.set_major_formatter(FuncFormatter(text))
        bar.ax.set_xlabel(_SIDES[side], fontsize="small")
        bar.outline.set_visible(False)
        if labelled:
            bar.set_label(f"Shares {prices}, logarithmic")


def _draw_trades(axes: Axes, trades: pd.DataFrame) -> None:
    area = _TRADE_AREA * (mark_size(len(trades)) / mark_size(1)) ** 2
    for fair, what, least, look in _TRADES:
        own = trades[trades["fair"] == fair]
        seen = own[own["price"].between(*axes.get_ylim())]
        sizes = (area * seen["quantity"] / trades["quantity"].mean()).clip(least, _LARGEST_TRADE)
        label = f"{what} ({len(own):,}), area by shares"
        axes.scatter(seen["time_s"], seen["price"], sizes, label=label, **look)
    mark_off_scale(axes, trades.set_index("time_s")["price"])


def _answer(book: pd.DataFrame, trades: pd.DataFrame) -> str:
    spreads = quoted_spreads(book)
    traded = (
        f"{len(trades):,} trades of {trades['quantity'].sum():,} shares, "
        f"{(~trades['fair']).sum():,} of them unfair"
    )
    if spreads.empty:
        return f"never both bids and asks; {traded}"
    return (
        f"bids and asks {len(spreads) / len(book):.0%} of the time, "
        f"median spread {spreads.median():,.0f} bp; {traded}"
    )
