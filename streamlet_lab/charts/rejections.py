"""The rejection chart: which orders does the band stop, and which of them wrongly?"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from streamlet_lab.charts import style
from streamlet_lab.charts.band import band_name, draw_band, draw_reference, draw_states
from streamlet_lab.charts.layout import (
    head,
    legend_below,
    mark_along_bottom,
    mark_off_scale,
    mark_size,
    of_symbol,
    time_axis,
)
from streamlet_lab.charts.series import (
    band_steps,
    chosen_symbol,
    judged,
    price_limits,
    refusal_counts,
    state_spans,
    true_path,
)
from streamlet_lab.metrics import MARKET, VERDICTS, rate_in_words
from streamlet_lab.result import Result

#: Beside the bars, which are of orders stopped.
_BARS = {
    "false": "fair",
    "turned_fair": "become fair",
    "turned_unfair": "no longer fair",
    "justified": "unfair",
    "market": "market order",
    "": "not by the band",
}
_TRADES = ((True, "fair trade", style.FAIR_TRADE), (False, "unfair trade", style.UNFAIR_TRADE))


def draw_rejections(
    axes: Axes, result: Result, counts: Axes | None = None, symbol: str | None = None
) -> None:
    """Draw the band around the path, and what was stopped or let through, by what was right.

    An order is marked at its own price.

    Parameters
    ----------
    axes : Axes
        Where to draw prices over time; from empty.
    result : Result
    counts : Axes, optional
        Where to draw how many orders were stopped where, and why.
    symbol : str, optional
        Orders for what; for the first symbol by default.
    """
    chosen = chosen_symbol(result, symbol)
    path, steps = true_path(result, chosen), band_steps(result, chosen)
    stopped, unpriced, trades = judged(result, chosen)
    edges = (steps[column] for column in ("reference_price", "low", "high"))
    axes.set_ylim(price_limits(path, *edges, trades["price"]))
    _shade_before(axes, steps)
    draw_states(axes, state_spans(result, chosen))
    draw_band(axes, steps, band_name(result.config.market))
    axes.plot(path, label="underlying price", **style.TRUE_PATH)
    draw_reference(axes, steps)
    for fair, what, look in _TRADES:
        _mark(axes, trades[trades["fair"] == fair], what, look)
    at_own_price = stopped.assign(price=stopped["own_price"])
    for verdict, look in style.STOPPED.items():
        own = at_own_price[at_own_price["verdict"] == verdict]
        _mark(axes, own, VERDICTS[verdict], look)
    mark_off_scale(axes, pd.concat([trades, at_own_price]).set_index("time_s")["price"])
    mark_along_bottom(axes, unpriced["time_s"], VERDICTS[MARKET], style.NO_PRICE)
    if counts is not None:
        _draw_counts(counts, refusal_counts(result, chosen))
    axes.set_ylabel(f"{chosen} (US dollars)")
    time_axis(axes, result)
    legend_below(axes)
    question = "Which orders does the band stop, and which of them wrongly?"
    head(axes, question, of_symbol(result, chosen, _answer(result, chosen)))


def _answer(result: Result, symbol: str) -> str:
    numbers: dict[Any, Any] = result.market_quality.loc[symbol].to_dict()
    if not numbers["orders"]:
        return "no orders were sent"
    return (
        f"fair orders stopped: {rate_in_words(numbers)}; "
        f"{numbers['orders_stopped'] - numbers['fair_orders_stopped']:,.0f} other orders stopped; "
        f"{numbers['unfair_trades']:,.0f} of {numbers['trades']:,.0f} trades at an unfair price"
    )


def _mark(axes: Axes, rows: pd.DataFrame, what: str, look: style.Look) -> None:
    """Mark the rows that are on the scale, and say how many there are in all."""
    seen = rows[rows["price"].between(*axes.get_ylim())]
    size = mark_size(len(rows)) * (1.4 if look["marker"] == "." else 1)
    label = f"{what} ({len(rows):,})"
    axes.plot(seen["time_s"], seen["price"], label=label, markersize=size, **look)


def _shade_before(axes: Axes, steps: pd.DataFrame) -> None:
    """Shade the time before the first reference."""
    known = steps.loc[steps["reference_price"].notna(), "time_s"]
    first = known.iloc[0] if len(known) else steps["time_s"].iloc[-1]
    axes.axvspan(0, first, **style.NO_REFERENCE)


def _draw_counts(axes: Axes, counts: pd.DataFrame) -> None:
    if counts.empty:
        axes.set_axis_off()
        return
    names = [f"{where}:\n{reason}".replace("_", " ") for where, reason in counts.index]
    left = np.zeros(len(counts))
    for verdict, look in style.VERDICTS.items():
        bars = axes.barh(
            names, counts[verdict], left=left, height=0.6, label=_BARS[verdict], **look
        )
        left += counts[verdict]
    axes.bar_label(bars, labels=[f"{total:,.0f}" for total in left], padding=3)
    axes.invert_yaxis()
    axes.set_xlabel("Orders stopped")
    axes.grid(visible=False)
    legend_below(axes, ncols=1)
