"""The rejection chart: which orders does the band stop, and which of them wrongly?"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from streamlet_lab.charts import band, layout, series, style
from streamlet_lab.metrics import MARKET, VERDICTS
from streamlet_lab.result import Result
from streamlet_lab.totals import rate_in_words

#: Beside the bars, which are of orders stopped by the band.
_BARS = {
    "false": "fair",
    "turned_fair": "become fair",
    "turned_unfair": "no longer fair",
    "justified": "unfair",
    "market": "market order",
}


def draw_rejections(axes: Axes | Sequence[Axes], result: Result, symbol: str | None = None) -> None:
    """Which orders does the band stop, and which of them wrongly? The band over time.

    An order is marked at its own price. The second of two pairs of axes shows how many orders were
    stopped where, and why.
    """
    axes, counts = (axes, None) if isinstance(axes, Axes) else axes
    symbol = series.chosen_symbol(result, symbol)
    path, steps = series.true_path(result, symbol), series.band_steps(result, symbol)
    refused = series.of_symbol(result.rejections, symbol)
    trades = series.of_symbol(result.trades, symbol)
    edges = (steps[column] for column in ("reference_price", "low", "high"))
    axes.set_ylim(series.price_limits(path, *edges, trades["price"]))
    known, end_s = steps.loc[steps["reference_price"].notna(), "time_s"], steps["time_s"].iloc[-1]
    axes.axvspan(0, known.iloc[0] if len(known) else end_s, **style.NO_REFERENCE)
    band.draw_states(axes, result, symbol, end_s)
    band.draw_band(axes, steps, band.band_name(result.config.market))
    axes.plot(path, label="true price", **style.TRUE_PATH)
    band.draw_reference(axes, steps)
    _mark(axes, trades[trades["fair"]], "fair trade", style.FAIR_TRADE)
    _mark(axes, trades[~trades["fair"]], "unfair trade", style.UNFAIR_TRADE)
    stopped = refused[refused["verdict"].isin(style.STOPPED.keys())]
    at_own_price = stopped.assign(price=stopped["own_price"])
    marks = {
        verdict: _mark(axes, at_own_price[stopped["verdict"] == verdict], VERDICTS[verdict], look)
        for verdict, look in style.STOPPED.items()
    }
    layout.mark_off_scale(axes, pd.concat([trades, at_own_price]).set_index("time_s")["price"])
    unpriced = refused.loc[refused["verdict"] == MARKET, "time_s"]
    marks[MARKET] = layout.mark_along_bottom(axes, unpriced, VERDICTS[MARKET], style.NO_PRICE)
    axes.set_ylabel(f"{symbol} (US dollars)")
    numbers: dict[Any, Any] = result.market_quality.loc[symbol].to_dict()
    answer = "no orders were sent"
    if numbers["orders"]:
        answer = (
            f"fair orders stopped: {rate_in_words(numbers)}; "
            f"{numbers['orders_stopped'] - numbers['fair_orders_stopped']:,.0f} others "
            f"stopped; {numbers['unfair_trades']:,.0f} of {numbers['trades']:,.0f} trades at an "
            "unfair price"
        )
    layout.time_axis(axes, result)
    about = layout.about(result, symbol, answer)
    layout.head(axes, "Which orders does the band stop, and which of them wrongly?", about)
    layout.legend_below(axes, without=() if counts is None else [*marks.values()])
    if counts is not None:
        _draw_counts(counts, refusal_counts(result, symbol), marks)


def _mark(axes: Axes, rows: pd.DataFrame, what: str, look: style.Look) -> Line2D:
    """Mark the rows that are on the scale, and say how many there are in all."""
    seen = rows[rows["price"].between(*axes.get_ylim())]
    size = layout.mark_size(len(rows)) * (1.4 if look["marker"] == "." else 1)
    label = f"{what} ({len(rows):,})"
    (marks,) = axes.plot(seen["time_s"], seen["price"], label=label, markersize=size, **look)
    return marks


def refusal_counts(result: Result, symbol: str) -> pd.DataFrame:
    """Return how many orders the band stopped by ``where`` and ``reason``, in alphabetical order.

    The order is the same in every run, so that charts can be compared. There is a column for each
    of :data:`~streamlet_lab.metrics.VERDICTS`.
    """
    refused = series.of_symbol(result.rejections, symbol)
    stopped = refused[refused["verdict"] != ""].rename(columns={"stopped": "where"})
    counts = stopped.groupby(["where", "reason", "verdict"]).size().unstack(fill_value=0)
    return counts.reindex(columns=[*VERDICTS], fill_value=0)


def _draw_counts(axes: Axes, counts: pd.DataFrame, marks: Mapping[str, Line2D]) -> None:
    """Draw the counts as bars, and explain each verdict's bar and its mark together."""
    if counts.empty:
        axes.set_axis_off()
        return
    names = [layout.spaced(f"{where}:\n{reason}") for where, reason in counts.index]
    left, explained = np.zeros(len(counts)), {}
    for verdict, label in _BARS.items():
        own, look = counts[verdict], style.VERDICTS[verdict]
        bars = axes.barh(names, own, left=left, height=0.6, label=label, **look)
        left += own
        if own.any():
            explained[f"{label} ({own.sum():,})"] = bars[0], marks[verdict]
    axes.bar_label(bars, labels=[f"{total:,.0f}" for total in left], padding=3)
    axes.invert_yaxis()
    axes.set_xlabel("Orders stopped")
    axes.grid(visible=False)
    layout.legend_below(axes, ncols=1, pairs=explained)
