"""The chart of the sources: how far apart are they, and who is out of line?"""

import pandas as pd
from matplotlib.axes import Axes

from streamlet_lab.charts import style
from streamlet_lab.charts.layout import (
    basis_point_axis,
    head,
    legend_below,
    mark_fault_changes,
    mark_size,
    of_symbol,
    time_axis,
)
from streamlet_lab.charts.series import (
    agreed_prices,
    chosen_symbol,
    quote_deviations,
    source_fault_changes,
)
from streamlet_lab.config import ExperimentConfig
from streamlet_lab.result import Result


def draw_sources(axes: Axes, result: Result, symbol: str | None = None) -> None:
    """Draw every quote, and the price that was agreed on, against the true price.

    Of more sources than can be told apart those that are furthest from it at some time are named.

    Parameters
    ----------
    axes : Axes
        Drawn on, from empty.
    result : Result
    symbol : str, optional
        Quotes of what; of the first symbol by default.
    """
    chosen, config = chosen_symbol(result, symbol), result.config
    quotes = quote_deviations(result, chosen)
    furthest = quotes["deviation_bp"].abs().groupby(quotes["source"]).max()
    axes.axhline(0, **style.ZERO)
    _draw_quotes(axes, quotes, _labels(config, furthest))
    for reason, group in quotes[~quotes["valid"]].groupby("reason"):
        label = f"does not count: {str(reason).replace('_', ' ')} ({len(group)})"
        look = style.NOT_COUNTED[str(reason)]
        axes.plot(group["time_s"], group["deviation_bp"], label=label, **look)
    prices = agreed_prices(result, chosen)
    axes.plot(prices["time_s"], prices["deviation_bp"], label="agreed price", **style.AGREED)
    mark_fault_changes(axes, config, source_fault_changes(config))
    basis_point_axis(axes, f"{chosen}: above its true price (basis points)")
    time_axis(axes, result)
    legend_below(axes)
    question = "How far apart are the sources, and who is out of line?"
    head(axes, question, of_symbol(result, chosen, _answer(quotes, furthest)))


def _labels(config: ExperimentConfig, furthest: "pd.Series[float]") -> dict[str, str]:
    """Return how the sources are called that get a mark of their own."""
    names = config.prices.source_names
    told_apart = furthest.nlargest(len(style.SOURCES)).index
    faults = {
        name: [fault.kind for fault in config.source_faults if name in fault.affected(names)]
        for name in names
    }
    return {
        name: f"{name} ({', '.join(faults[name]).replace('_', ' ')})" if faults[name] else name
        for name in names
        if name in told_apart
    }


def _draw_quotes(axes: Axes, quotes: pd.DataFrame, labels: dict[str, str]) -> None:
    size = mark_size(quotes["time_s"].nunique())
    others = quotes[~quotes["source"].isin(list(labels))]
    if not others.empty:
        label = f"{others['source'].nunique()} other sources"
        axes.plot(others["time_s"], others["deviation_bp"], label=label, **style.OTHER_SOURCES)
    for number, ((name, label), look) in enumerate(
        zip(labels.items(), style.SOURCES, strict=False)
    ):
        own = quotes[quotes["source"] == name]
        scale = 1.5 if number % 2 else 1
        axes.plot(own["time_s"], own["deviation_bp"], label=label, markersize=scale * size, **look)


def _answer(quotes: pd.DataFrame, furthest: "pd.Series[float]") -> str:
    if quotes.empty:
        return "nothing was quoted"
    typical = quotes["deviation_bp"].abs().median()
    return (
        f"half of the quotes are within {typical:.1f} bp of the true price; {furthest.idxmax()} "
        f"is furthest, {furthest.max():,.0f} bp; "
        f"{(~quotes['valid']).sum()} of {len(quotes)} do not count"
    )
