"""The VWAP chart: does weighting by volume change the price?"""

import pandas as pd
from matplotlib.axes import Axes

from streamlet_lab.charts import style
from streamlet_lab.charts.layout import head, legend_below, mark_size, of_symbol, time_axis
from streamlet_lab.charts.series import agreed_prices, chosen_symbol
from streamlet_lab.result import Result


def draw_vwap(
    axes: Axes, result: Result, averages: Axes | None = None, symbol: str | None = None
) -> None:
    """Draw how far the consensus price is from the volume-weighted average of the same quotes.

    Parameters
    ----------
    axes : Axes
        Where to draw the difference, epoch by epoch; from empty.
    result : Result
    averages : Axes, optional
        Where to draw both averages, above the difference.
    symbol : str, optional
        Whose prices; the first symbol's by default.
    """
    chosen = chosen_symbol(result, symbol)
    prices = agreed_prices(result, chosen)
    count = int(prices["vwap"].count())
    size = mark_size(count)
    time, difference, cent = prices["time_s"], prices["difference_bp"], prices["one_cent_bp"]
    axes.axhline(0, **style.ZERO)
    axes.vlines(time, 0, difference, **style.STEM)
    label = "consensus − VWAP"
    axes.plot(time, difference, label=label, markersize=size, **style.DIFFERENCE)
    axes.step(time, cent, where="post", label="± one cent", **style.ONE_CENT)
    axes.step(time, -cent, where="post", **style.ONE_CENT)
    if not count:
        axes.set_ylim(-1, 1)
    axes.set_ylabel("Difference (basis points)")
    time_axis(axes, result)
    if averages is None:
        legend_below(axes)
    else:
        _draw_averages(averages, prices, size, result.config.prices.aggregator_name)
        legend_below(axes, averages)
    answer = (
        f"{(difference == 0).sum()} of {count} agreed prices are equal to the cent; "
        f"the largest difference is {difference.abs().max():.1f} bp"
        if count
        else "no price was agreed"
    )
    question = "Does weighting by volume change the price?"
    head(averages or axes, question, of_symbol(result, chosen, answer))


def _draw_averages(axes: Axes, prices: pd.DataFrame, size: float, aggregator: str) -> None:
    name = "simple average" if aggregator == "mean" else aggregator.replace("_", " ")
    for column, label, scale, look in (
        ("vwap", "VWAP", 1.6, style.VWAP),
        ("consensus_price", f"consensus ({name})", 0.7, style.CONSENSUS),
    ):
        axes.plot(prices["time_s"], prices[column], label=label, markersize=scale * size, **look)
    axes.set_ylabel("Price (US dollars)")
