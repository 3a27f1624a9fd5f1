"""The price charts: does the final price keep up, and what does weighting by volume change?"""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from streamlet_lab.charts import band, layout, series, style
from streamlet_lab.result import Result
from streamlet_lab.units import to_seconds


def within_band(result: Result, symbol: str) -> "pd.Series[bool]":
    """Return for every epoch whether the true price starts it inside the market's band.

    It does not where there is no band yet; on a side without an edge nothing is outside.
    """
    starts = series.epoch_prices(result, symbol)[["start_s", "true_price"]]
    steps = series.band_steps(result, symbol)
    held = pd.merge_asof(starts, steps, left_on="start_s", right_on="time_s")
    price = held["true_price"]
    outside = (price < held["low"]) | (price > held["high"])
    return held["reference_price"].notna() & ~outside


def draw_prices(axes: Axes | Sequence[Axes], result: Result, symbol: str | None = None) -> None:
    """Does the final price keep up with the market? Path, quotes, consensus and band.

    A line leads from the instant at which a price was quoted to its mark, when it was final. The
    scale is that of the path, the final prices and the band: what is further away is marked at the
    edge. The second of two pairs of axes shows how far each agreed price is from the true one.
    """
    axes, differences = (axes, None) if isinstance(axes, Axes) else axes
    symbol, config = series.chosen_symbol(result, symbol), result.config
    epochs, epoch_s = series.epoch_prices(result, symbol), to_seconds(config.epoch_length)
    size = layout.mark_size(len(epochs))
    priced = epochs[epochs["claim"] == "price_consensus"]
    final = priced.dropna(subset=["finalized_s"])
    waiting = priced[priced["finalized_s"].isna()].set_index("start_s")["consensus_price"]
    axes.plot(epochs["start_s"], epochs["true_price"], label="true price", **style.TRUE_PATH)
    label = f"final price ({len(final)})"
    prices = final.set_index("finalized_s")["consensus_price"]
    axes.plot(prices, label=label, markersize=size, **style.FINAL)
    band.draw_band(axes, series.band_steps(result, symbol), band.band_name(config.market))
    ends = final["start_s"], final["finalized_s"]
    axes.hlines(final["consensus_price"], *ends, label="from quoted to final", **style.WAIT)
    quotes = series.of_symbol(result.quotes, symbol)
    quoted = pd.Series(quotes["price"].to_numpy(), quotes["epoch"] * epoch_s)
    low, high = axes.get_ylim()
    for shown, label, scale, look in (
        (quoted, "quotes", 2, style.QUOTES),
        (waiting, f"not final ({len(waiting)})", 1, style.NOT_FINAL),
    ):
        axes.plot(shown[shown.between(low, high)], label=label, markersize=scale * size, **look)
    axes.set_ylim(low, high)
    layout.mark_off_scale(axes, pd.concat([quoted, waiting]), joined=1.5 * epoch_s)
    missing = epochs["start_s"].drop(priced.index)
    layout.mark_along_bottom(axes, missing, "no price", style.MISSING)
    layout.mark_fault_changes(axes, config, config.faults)
    axes.set_ylabel(f"{symbol} (US dollars)")
    answer = (
        f"{len(final)} of {len(epochs)} epochs have a final price; "
        f"the true price is in the band at the start of {within_band(result, symbol).sum()}"
    )
    lowest, panels = (axes, ()) if differences is None else (differences, (axes,))
    if differences is not None:
        off = 10_000 * (final["consensus_price"] / final["true_price"] - 1)
        label = "final − true price when quoted"
        label += f", at most {off.abs().max():,.1f} bp" if len(final) else ""
        _draw_differences(differences, final["start_s"], off, label)
    layout.time_axis(lowest, result)
    layout.legend_below(lowest, *panels)
    question = "Does the final price keep up with the market?"
    layout.head(axes, question, layout.about(result, symbol, answer))


def _draw_differences(
    axes: Axes, times: "pd.Series[float]", off: "pd.Series[float]", what: str
) -> None:
    """Draw differences in basis points, of which none may be there, as stems from zero."""
    axes.axhline(0, **style.ZERO)
    axes.vlines(times, 0, off, **style.STEM)
    axes.plot(times, off, label=what, markersize=layout.mark_size(len(off)), **style.DIFFERENCE)
    if not off.notna().any():
        axes.set_ylim(-1, 1)
    axes.set_ylabel("Difference\n(basis points)")


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
    _draw_differences(lower, time, difference, "consensus − VWAP")
    lower.step(time, cent, where="post", label="± one cent", **style.ONE_CENT)
    lower.step(time, -cent, where="post", **style.ONE_CENT)
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
