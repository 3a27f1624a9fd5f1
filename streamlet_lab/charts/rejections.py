"""The rejection chart: which orders does the band stop, and which of them wrongly?"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from streamlet_lab.charts import band, layout, series, style
from streamlet_lab.metrics import MARKET, VERDICTS
from streamlet_lab.result import Result
from streamlet_lab.totals import rate_in_words

#: Beside the bars, which are of orders stopped.
_BARS = {
    "false": "fair",
    "turned_fair": "become fair",
    "turned_unfair": "no longer fair",
    "justified": "unfair",
    "market": "market order",
    "": "not by the band",
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
    axes.plot(path, label="underlying price", **style.TRUE_PATH)
    band.draw_reference(axes, steps)
    _mark(axes, trades[trades["fair"]], "fair trade", style.FAIR_TRADE)
    _mark(axes, trades[~trades["fair"]], "unfair trade", style.UNFAIR_TRADE)
    stopped = refused[refused["verdict"].isin(style.STOPPED.keys())]
    at_own_price = stopped.assign(price=stopped["own_price"])
    for verdict, look in style.STOPPED.items():
        _mark(axes, at_own_price[stopped["verdict"] == verdict], VERDICTS[verdict], look)
    layout.mark_off_scale(axes, pd.concat([trades, at_own_price]).set_index("time_s")["price"])
    unpriced = refused.loc[refused["verdict"] == MARKET, "time_s"]
    layout.mark_along_bottom(axes, unpriced, VERDICTS[MARKET], style.NO_PRICE)
    if counts is not None:
        _draw_counts(counts, refusal_counts(result, symbol))
    axes.set_ylabel(f"{symbol} (US dollars)")
    question = "Which orders does the band stop, and which of them wrongly?"
    numbers: dict[Any, Any] = result.market_quality.loc[symbol].to_dict()
    answer = "no orders were sent"
    if numbers["orders"]:
        answer = (
            f"fair orders stopped: {rate_in_words(numbers)}; "
            f"{numbers['orders_stopped'] - numbers['fair_orders_stopped']:,.0f} other orders "
            f"stopped; {numbers['unfair_trades']:,.0f} of {numbers['trades']:,.0f} trades at an "
            "unfair price"
        )
    layout.explain_run(axes, result, question, answer, symbol)


def _mark(axes: Axes, rows: pd.DataFrame, what: str, look: style.Look) -> None:
    """Mark the rows that are on the scale, and say how many there are in all."""
    seen = rows[rows["price"].between(*axes.get_ylim())]
    size = layout.mark_size(len(rows)) * (1.4 if look["marker"] == "." else 1)
    label = f"{what} ({len(rows):,})"
    axes.plot(seen["time_s"], seen["price"], label=label, markersize=size, **look)


def refusal_counts(result: Result, symbol: str) -> pd.DataFrame:
    """Return how many orders were stopped by ``where`` and ``reason``, most frequent first.

    With a column for each of :data:`~streamlet_lab.metrics.VERDICTS`, and the empty text, for
    orders that lost shares without being stopped: for these ``where`` is the ``action``.
    """
    refused = series.of_symbol(result.rejections, symbol)
    refused = refused[refused["action"] != "not replaced"]
    where = refused["stopped"].where(refused["verdict"] != "", refused["action"]).rename("where")
    counts = refused.groupby([where, "reason", "verdict"]).size().unstack(fill_value=0)
    counts = counts.reindex(columns=[*VERDICTS, ""], fill_value=0)
    return counts.loc[counts.sum(axis="columns").sort_values(ascending=False, kind="stable").index]


def _draw_counts(axes: Axes, counts: pd.DataFrame) -> None:
    if counts.empty:
        axes.set_axis_off()
        return
    names = [layout.spaced(f"{where}:\n{reason}") for where, reason in counts.index]
    left = np.zeros(len(counts))
    for verdict, look in style.VERDICTS.items():
        own, label = counts[verdict], _BARS[verdict]
        bars = axes.barh(names, own, left=left, height=0.6, label=label, **look)
        left += own
    axes.bar_label(bars, labels=[f"{total:,.0f}" for total in left], padding=3)
    axes.invert_yaxis()
    axes.set_xlabel("Orders stopped")
    axes.grid(visible=False)
    layout.legend_below(axes, ncols=1)
