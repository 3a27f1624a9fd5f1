"""The price chart: does the final price keep up with the market?"""

import pandas as pd
from matplotlib.axes import Axes

from streamlet_lab.charts import style
from streamlet_lab.charts.band import band_name, draw_band
from streamlet_lab.charts.layout import (
    head,
    legend_below,
    mark_along_bottom,
    mark_fault_changes,
    mark_off_scale,
    mark_size,
    of_symbol,
    time_axis,
)
from streamlet_lab.charts.series import (
    band_steps,
    chosen_symbol,
    epoch_prices,
    fault_changes,
    source_fault_changes,
    within_band,
)
from streamlet_lab.result import Result
from streamlet_lab.units import to_seconds


def draw_prices(axes: Axes, result: Result, symbol: str | None = None) -> None:
    """Draw the underlying price, quotes, consensus prices, and the band around the final one.

    Parameters
    ----------
    axes : Axes
        Drawn on, from empty.
    result : Result
    symbol : str, optional
        Whose price; the first symbol's by default.
    """
    chosen = chosen_symbol(result, symbol)
    epochs = epoch_prices(result, chosen)
    size = mark_size(len(epochs))
    priced = epochs["claim"] == "price_consensus"
    final = epochs[priced & epochs["finalized_s"].notna()]
    axes.plot(epochs["start_s"], epochs["true_price"], label="underlying price", **style.TRUE_PATH)
    axes.plot(
        final["start_s"],
        final["consensus_price"],
        label=f"final price ({len(final)})",
        markersize=size,
        **style.FINAL,
    )
    draw_band(axes, band_steps(result, chosen), band_name(result.config.market))
    quotes = result.quotes[result.quotes["symbol"] == chosen]
    starts = quotes["epoch"] * to_seconds(result.config.epoch_length)
    quoted = pd.Series(quotes["price"].to_numpy(), starts)
    not_final = epochs[priced & epochs["finalized_s"].isna()]
    proposed = pd.Series(not_final["consensus_price"].to_numpy(), not_final["start_s"])
    _draw_claims(axes, quoted, proposed, size, to_seconds(result.config.epoch_length))
    mark_along_bottom(axes, epochs["start_s"][~priced], "no price", style.MISSING)
    config = result.config
    changes = {*fault_changes(config), *source_fault_changes(config)}
    mark_fault_changes(axes, config, sorted(changes))
    axes.set_ylabel(f"{chosen} (US dollars)")
    time_axis(axes, result)
    legend_below(axes)
    inside = within_band(result, chosen).sum()
    answer = (
        f"{len(final)} of {len(epochs)} epochs have a final price; "
        f"the market is inside the band at the start of {inside}"
    )
    question = "Does the final price keep up with the market?"
    head(axes, question, of_symbol(result, chosen, answer))


def _draw_claims(
    axes: Axes,
    quoted: "pd.Series[float]",
    proposed: "pd.Series[float]",
    size: float,
    epoch_s: float,
) -> None:
    """Draw what was quoted, and what was proposed and did not become final.

    The scale stays that of the path and the final prices: a wild claim must not flatten them, and
    is marked at the edge.
    """
    low, high = axes.get_ylim()
    for prices, label, look in (
        (quoted, "quotes", {**style.QUOTES, "markersize": 2 * size}),
        (proposed, f"not final ({len(proposed)})", {**style.NOT_FINAL, "markersize": size}),
    ):
        axes.plot(prices[prices.between(low, high)], label=label, **look)
    axes.set_ylim(low, high)
    mark_off_scale(axes, pd.concat([quoted, proposed]), joined=1.5 * epoch_s)
