"""The latency chart: how long until an epoch's price is final?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from streamlet_lab.charts import layout, series, style
from streamlet_lab.result import Result
from streamlet_lab.units import to_seconds


def draw_latency(axes: Axes, result: Result) -> None:
    """How long until an epoch's price is final? Simulation, and the closed form where it holds."""
    config, epochs = result.config, result.epochs
    length = to_seconds(config.epoch_length)
    size = layout.mark_size(len(epochs))
    final = result.finality.dropna(subset=["latency_s"])
    nodes = final.groupby("epoch")["latency_s"].agg(["min", "max"])
    times = nodes.index.to_numpy() * length
    range_look = {"linewidth": 1.8 * size, **style.NODES}
    axes.vlines(times, nodes["min"], nodes["max"], label="range over nodes", **range_look)
    label = "seen by the observer"
    axes.plot(epochs["start_s"], epochs["latency_s"], label=label, markersize=size, **style.FINAL)
    regimes = series.closed_form(config)
    for number, regime in enumerate(regimes):
        levels = [
            (_within(epochs, regime)["latency_s"].mean(), "mean of the simulation", style.MEAN)
        ]
        if regime.lag is not None:
            form = "closed form, without delays"
            levels.append((float(regime.lag) * length, form, style.CLOSED_FORM))
        for level, label, look in levels:
            span = [regime.start * length, regime.stop * length]
            axes.plot(span, [level, level], label=None if number else label, **look)
    waiting = epochs["start_s"][epochs["finalized_s"].isna()]
    layout.mark_along_bottom(axes, waiting, "not final", style.MISSING)
    layout.mark_fault_changes(axes, config, series.fault_changes(config))
    slowest = pd.concat([nodes["max"], epochs["latency_s"]]).max()
    # Where nothing is final, the scale is that of the best case.
    axes.set_ylim(0, 1.1 * (length if pd.isna(slowest) else slowest))
    axes.set_ylabel("Latency (s)")
    scales = (lambda time: np.divide(time, length), lambda count: np.multiply(count, length))
    in_epochs = axes.secondary_yaxis("right", functions=scales)
    in_epochs.yaxis.set_major_locator(MaxNLocator(integer=True))
    in_epochs.set_ylabel("Latency (epochs)")
    layout.time_axis(axes, result)
    layout.explain(axes, "How long until an epoch's price is final?", _answer(epochs, regimes))


def _answer(epochs: pd.DataFrame, regimes: list[series.Regime]) -> str:
    latency = epochs["latency_s"].median()
    measured = "nothing is final" if pd.isna(latency) else f"median {latency:.2f} s"
    if not regimes:
        return measured
    last = regimes[-1]
    whole = last.stop - last.start == len(epochs)
    where = "" if whole else f"in epochs {last.start} to {last.stop - 1} "
    lag = _within(epochs, last)["latency_epochs"].mean()
    simulated = "" if pd.isna(lag) else f"mean {lag:.2f} epochs, "
    expected = "never" if last.lag is None else f"{float(last.lag):.2f} epochs"
    return f"{measured}; {where}{simulated}closed form: {expected}"


def _within(epochs: pd.DataFrame, regime: series.Regime) -> pd.DataFrame:
    return epochs.iloc[regime.start : regime.stop]
