"""The price chart: does the final price keep up with the market?"""

import pandas as pd
from matplotlib.axes import Axes

from streamlet_lab.charts import band, layout, series, style
from streamlet_lab.result import Result
from streamlet_lab.units import to_seconds


def within_band(result: Result, symbol: str) -> "pd.Series[bool]":
    """Return for every epoch whether the underlying price starts it inside the market's band.

    It does not where there is no band yet; on a side without an edge nothing is outside.
    """
    starts = series.epoch_prices(result, symbol)[["start_s", "true_price"]]
    steps = series.band_steps(result, symbol)
    held = pd.merge_asof(starts, steps, left_on="start_s", right_on="time_s")
    price = held["true_price"]
    outside = (price < held["low"]) | (price > held["high"])
    return held["reference_price"].notna() & ~outside


def draw_prices(axes: Axes, result: Result, symbol: str | None = None) -> None:
    """Does the final price keep up with the market? Path, quotes, consensus and band.

    The scale is that of the path, the final prices and the band: a wild claim does not flatten
    them, and is marked at the edge.
    """
    symbol, config = series.chosen_symbol(result, symbol), result.config
    epochs, epoch_s = series.epoch_prices(result, symbol), to_seconds(config.epoch_length)
    size = layout.mark_size(len(epochs))
    priced = epochs["claim"] == "price_consensus"
    prices = epochs[priced].set_index("start_s")["consensus_price"]
    is_final = epochs["finalized_s"].notna()[priced].to_numpy()
    final, proposed = prices[is_final], prices[~is_final]
    axes.plot(epochs["start_s"], epochs["true_price"], label="underlying price", **style.TRUE_PATH)
    axes.plot(final, label=f"final price ({len(final)})", markersize=size, **style.FINAL)
    band.draw_band(axes, series.band_steps(result, symbol), band.band_name(config.market))
    quotes = series.of_symbol(result.quotes, symbol)
    quoted = pd.Series(quotes["price"].to_numpy(), quotes["epoch"] * epoch_s)
    low, high = axes.get_ylim()
    for shown, label, scale, look in (
        (quoted, "quotes", 2, style.QUOTES),
        (proposed, f"not final ({len(proposed)})", 1, style.NOT_FINAL),
    ):
        axes.plot(shown[shown.between(low, high)], label=label, markersize=scale * size, **look)
    axes.set_ylim(low, high)
    layout.mark_off_scale(axes, pd.concat([quoted, proposed]), joined=1.5 * epoch_s)
    layout.mark_along_bottom(axes, epochs["start_s"][~priced], "no price", style.MISSING)
    layout.mark_fault_changes(axes, config, config.faults)
    axes.set_ylabel(f"{symbol} (US dollars)")
    answer = (
        f"{len(final)} of {len(epochs)} epochs have a final price; "
        f"the market is inside the band at the start of {within_band(result, symbol).sum()}"
    )
    question = "Does the final price keep up with the market?"
    layout.explain_run(axes, result, question, answer, symbol)
