"""The rejection chart: which orders does the band turn away?"""

import numpy as np
from matplotlib.axes import Axes

from streamlet_lab.charts import style
from streamlet_lab.charts.layout import (
    head,
    legend_below,
    mark_along_bottom,
    mark_size,
    percent,
    time_axis,
)
from streamlet_lab.charts.series import judged_orders, reference_prices, refusal_counts
from streamlet_lab.result import Result
from streamlet_lab.units import to_seconds


def draw_rejections(axes: Axes, result: Result, counts: Axes | None = None) -> None:
    """Draw every order's price relative to the reference at that instant, and its fate.

    Parameters
    ----------
    axes : Axes
        Where to draw the orders; from empty.
    result : Result
    counts : Axes, optional
        Where to draw how many orders were refused for each reason.
    """
    judged = judged_orders(result)
    _draw_band(axes, result)
    for (action, intent), look in style.ORDERS.items():
        group = judged[(judged["action"] == action) & (judged["intent"] == intent)]
        label = f"{action}, {intent} ({len(group)})"
        size = mark_size(len(group))
        axes.plot(group["time_s"], group["deviation_percent"], label=label, markersize=size, **look)
    if counts is not None:
        _draw_counts(counts, result)
    axes.set_ylabel("Price relative to the reference (%)")
    time_axis(axes, result)
    legend_below(axes)
    band = percent(result.config.market.band_percent)
    head(axes, f"Which orders does the ±{band} band turn away?", _answer(result))


def _answer(result: Result) -> str:
    summary = result.summary
    if not summary["orders"]:
        return "no orders were sent"
    far_refused = summary["outside_band"] - summary["honest_outside_band"]
    far_orders = summary["orders"] - summary["honest_orders"]
    return (
        f"{summary['honest_outside_band']} of {summary['honest_orders']} honest orders, "
        f"{far_refused} of {far_orders} that were sent far away"
    )


def _draw_band(axes: Axes, result: Result) -> None:
    """Draw the band from the first reference on; before, orders are marked along the bottom."""
    band, references = result.config.market.band_percent, reference_prices(result)
    edge = float(band)
    end = to_seconds(result.config.epochs * result.config.epoch_length)
    first = references["time_s"].min() if len(references) else end
    axes.axvspan(0, first, **style.NO_REFERENCE)
    axes.fill_between([first, end], -edge, edge, label=f"band, ±{percent(band)}", **style.BAND)
    axes.hlines([-edge, edge], first, end, **style.BAND_EDGE)
    times = result.orders["time_s"][result.orders["reference_price"].isna()]
    mark_along_bottom(axes, times, "no reference yet", style.UNJUDGED)


def _draw_counts(axes: Axes, result: Result) -> None:
    counts = refusal_counts(result)
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
