"""The chart of the sources: how far apart are they, and who is out of line?"""

import pandas as pd
from matplotlib.axes import Axes

from streamlet_lab.charts import layout, series, style
from streamlet_lab.config import ExperimentConfig
from streamlet_lab.result import Result
from streamlet_lab.units import to_seconds


def draw_sources(axes: Axes, result: Result, symbol: str | None = None) -> None:
    """How far apart are the sources, and who is out of line? Quotes against the true price.

    Of more sources than can be told apart those that are furthest from it at some time are named.
    """
    symbol, config = series.chosen_symbol(result, symbol), result.config
    quotes = series.of_symbol(result.quotes, symbol)
    quotes = quotes.assign(
        time_s=quotes["epoch"] * to_seconds(config.epoch_length),
        deviation_bp=(quotes["price"] / quotes["true_price"] - 1) * 10_000,
    )
    furthest = quotes["deviation_bp"].abs().groupby(quotes["source"]).max()
    axes.axhline(0, **style.ZERO)
    labels, size = _labels(config, furthest), layout.mark_size(quotes["time_s"].nunique())
    others = quotes[~quotes["source"].isin(list(labels))]
    if not others.empty:
        label = f"{others['source'].nunique()} other sources"
        axes.plot(others["time_s"], others["deviation_bp"], label=label, **style.OTHER_SOURCES)
    for number, (name, label) in enumerate(labels.items()):
        own, scale = quotes[quotes["source"] == name], 1.5 if number % 2 else 1
        marks = {**style.SOURCES[number], "label": label, "markersize": scale * size}
        axes.plot(own["time_s"], own["deviation_bp"], **marks)
    for reason, group in quotes[~quotes["valid"]].groupby("reason"):
        label = f"does not count: {layout.spaced(reason)} ({len(group)})"
        look = style.NOT_COUNTED[str(reason)]
        axes.plot(group["time_s"], group["deviation_bp"], label=label, **look)
    prices = series.agreed_prices(result, symbol)
    axes.plot(prices["time_s"], prices["deviation_bp"], label="agreed price", **style.AGREED)
    layout.mark_fault_changes(axes, config, config.source_faults)
    axes.set_ylabel(f"{symbol}: above its true price (basis points)")
    question = "How far apart are the sources, and who is out of line?"
    answer = "nothing was quoted"
    if not quotes.empty:
        answer = (
            f"half of the quotes are within {quotes['deviation_bp'].abs().median():.1f} bp of the "
            f"true price; {furthest.idxmax()} is furthest, {furthest.max():,.0f} bp; "
            f"{(~quotes['valid']).sum()} of {len(quotes)} do not count"
        )
    layout.explain_run(axes, result, question, answer, symbol)


def _labels(config: ExperimentConfig, furthest: "pd.Series[float]") -> dict[str, str]:
    """Return how the sources are called that get a mark of their own."""
    names, told_apart = config.prices.source_names, furthest.nlargest(len(style.SOURCES)).index
    labels = {name: name for name in names if name in told_apart}
    for name in labels:
        faults = [each.kind for each in config.source_faults if name in each.affected(names)]
        if faults:
            labels[name] = f"{name} ({layout.spaced(', '.join(faults))})"
    return labels
