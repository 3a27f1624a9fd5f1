"""The VWAP chart: does weighting by volume change the price?"""

from collections.abc import Sequence

from matplotlib.axes import Axes

from streamlet_lab.charts import layout, series, style
from streamlet_lab.result import Result


def draw_vwap(axes: Axes | Sequence[Axes], result: Result, symbol: str | None = None) -> None:
    """Does weighting by volume change the price? Both averages and their difference.

    On one pair of axes it is the difference only.
    """
    averages, lower = (None, axes) if isinstance(axes, Axes) else axes
    symbol = series.chosen_symbol(result, symbol)
    prices = series.agreed_prices(result, symbol)
    count = int(prices["vwap"].count())
    size = layout.mark_size(count)
    time, difference, cent = prices["time_s"], prices["difference_bp"], prices["one_cent_bp"]
    lower.axhline(0, **style.ZERO)
    lower.vlines(time, 0, difference, **style.STEM)
    label = "consensus − VWAP"
    lower.plot(time, difference, label=label, markersize=size, **style.DIFFERENCE)
    lower.step(time, cent, where="post", label="± one cent", **style.ONE_CENT)
    lower.step(time, -cent, where="post", **style.ONE_CENT)
    if not count:
        lower.set_ylim(-1, 1)
    lower.set_ylabel("Difference (basis points)")
    layout.time_axis(lower, result)
    if averages is None:
        layout.legend_below(lower)
    else:
        aggregator = result.config.prices.aggregator_name
        name = "simple average" if aggregator == "mean" else layout.spaced(aggregator)
        for column, label, scale, look in (
            ("vwap", "VWAP", 1.6, style.VWAP),
            ("consensus_price", f"consensus ({name})", 0.7, style.CONSENSUS),
        ):
            averages.plot(time, prices[column], label=label, markersize=scale * size, **look)
        averages.set_ylabel("Price (US dollars)")
        layout.legend_below(lower, averages)
    answer = (
        f"{(difference == 0).sum()} of {count} agreed prices are equal to the cent; "
        f"the largest difference is {difference.abs().max():.1f} bp"
        if count
        else "no price was agreed"
    )
    question = "Does weighting by volume change the price?"
    layout.head(averages or lower, question, layout.about(result, symbol, answer))
