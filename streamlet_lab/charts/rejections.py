"""The rejection chart: which orders does the band turn away?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from streamlet_lab.charts import style
from streamlet_lab.charts.layout import (
    head,
    legend_below,
    mark_along_bottom,
    mark_size,
    of_symbol,
    percent,
    time_axis,
)
from streamlet_lab.charts.series import (
    chosen_symbol,
    judged_orders,
    reference_prices,
    refusal_counts,
)
from streamlet_lab.result import Result
from streamlet_lab.units import to_seconds


def draw_rejections(
    axes: Axes, result: Result, counts: Axes | None = None, symbol: str | None = None
) -> None:
    """Draw every order's price relative to the reference at that instant, and its fate.

    Parameters
    ----------
    axes : Axes
        Where to draw the orders; from empty.
    result : Result
    counts : Axes, optional
        Where to draw how many orders were refused for each reason.
    symbol : str, optional
        Orders for what; for the first symbol by default.
    """
    chosen = chosen_symbol(result, symbol)
    judged = judged_orders(result, chosen)
    _draw_band(axes, result, chosen)
    for (action, intent), look in style.ORDERS.items():
        group = judged[(judged["action"] == action) & (judged["intent"] == intent)]
        label = f"{action}, {intent} ({len(group)})"
        size = mark_size(len(group))
        axes.plot(group["time_s"], group["deviation_percent"], label=label, markersize=size, **look)
    if counts is not None:
        _draw_counts(counts, refusal_counts(result, chosen))
    axes.set_ylabel("Price relative to the reference (%)")
    time_axis(axes, result)
    legend_below(axes)
    band = percent(result.config.market.band_percent)
    question = f"Which orders does the ±{band} band turn away?"
    head(axes, question, of_symbol(result, chosen, _answer(result, chosen)))


def _answer(result: Result, symbol: str) -> str:
    orders, refused = (
        frame[frame["symbol"] == symbol] for frame in (result.orders, result.rejections)
    )
    if orders.empty:
        return "no orders were sent"
    by_band = refused[refused["reason"] == "outside_band"]
    turned_away, sent = (
        {intent: int((frame["intent"] == intent).sum()) for intent in ("honest", "far")}
        for frame in (by_band, orders)
    )
    return (
        f"{turned_away['honest']} of {sent['honest']} honest orders, "
        f"{turned_away['far']} of {sent['far']} that were sent far away"
    )


def _draw_band(axes: Axes, result: Result, symbol: str) -> None:
    """Draw the band from the first reference on; before, orders are marked along the bottom."""
    band, references = result.config.market.band_percent, reference_prices(result, symbol)
    edge = float(band)
    end = to_seconds(result.config.epochs * result.config.epoch_length)
    first = references["time_s"].min() if len(references) else end
    axes.axvspan(0, first, **style.NO_REFERENCE)
    axes.fill_between([first, end], -edge, edge, label=f"band, ±{percent(band)}", **style.BAND)
    axes.hlines([-edge, edge], first, end, **style.BAND_EDGE)
    orders = result.orders[result.orders["symbol"] == symbol]
    times = orders["time_s"][orders["reference_price"].isna()]
    mark_along_bottom(axes, times, "no reference yet", style.UNJUDGED)


def _draw_counts(axes: Axes, counts: pd.DataFrame) -> None:
    if counts.empty:
        axes.set_axis_off()
        return
    names = [f"{action}:\n{reason.replace('_', ' ')}" for action, reason in counts.index]
    left = np.zeros(len(counts))
    for intent, look in style.INTENT_BARS.items():
        bars = axes.barh(names, counts[intent], left=left, height=0.6, label=intent, **look)
        left += counts[intent]
    axes.bar_label(bars, labels=[f"{total:,.0f}" for total in left], padding=3)
    axes.invert_yaxis()
    axes.set_xlabel("Refused orders")
    axes.grid(visible=False)
    legend_below(axes)
