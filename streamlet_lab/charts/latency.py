"""The latency chart: how long until an epoch's price is final?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from streamlet_lab.charts import style
from streamlet_lab.charts.layout import (
    head,
    legend_below,
    mark_along_bottom,
    mark_fault_changes,
    mark_size,
    time_axis,
)
from streamlet_lab.charts.series import Regime, closed_form, fault_changes, latency_range
from streamlet_lab.result import Result
from streamlet_lab.units import to_seconds


def draw_latency(axes: Axes, result: Result) -> None:
    """Draw finalization latency by epoch, beside the closed form where that holds.

    Parameters
    ----------
    axes : Axes
        Drawn on, from empty.
    result : Result
    """
    config, epochs = result.config, result.epochs
    length = to_seconds(config.epoch_length)
    size = mark_size(len(epochs))
    nodes = latency_range(result)
    axes.vlines(
        nodes.index.to_numpy() * length,
        nodes["min"],
        nodes["max"],
        label="range over nodes",
        linewidth=1.8 * size,
        **style.NODES,
    )
    label = "seen by the observer"
    axes.plot(epochs["start_s"], epochs["latency_s"], label=label, markersize=size, **style.FINAL)
    regimes = closed_form(config)
    for number, regime in enumerate(regimes):
        _draw_regime(axes, result, regime, labelled=number == 0)
    waiting = epochs["start_s"][epochs["finalized_s"].isna()]
    mark_along_bottom(axes, waiting, "not final", style.MISSING)
    mark_fault_changes(axes, config, fault_changes(config))
    slowest = pd.concat([nodes["max"], epochs["latency_s"]]).max()
    # Where nothing is final, the scale is that of the best case.
    axes.set_ylim(0, 1.1 * (length if pd.isna(slowest) else slowest))
    axes.set_ylabel("Latency (s)")
    in_epochs = axes.secondary_yaxis(
        "right",
        functions=(lambda time: np.divide(time, length), lambda count: np.multiply(count, length)),
    )
    in_epochs.yaxis.set_major_locator(MaxNLocator(integer=True))
    in_epochs.set_ylabel("Latency (epochs)")
    time_axis(axes, result)
    legend_below(axes)
    head(axes, "How long until an epoch's price is final?", _answer(epochs, regimes))


def _draw_regime(axes: Axes, result: Result, regime: Regime, *, labelled: bool) -> None:
    length = to_seconds(result.config.epoch_length)
    span = [regime.start * length, regime.stop * length]
    simulated = _within(result.epochs, regime)["latency_s"].mean()
    levels = [(simulated, "mean of the simulation", style.MEAN)]
    if regime.lag is not None:
        label = "closed form, without delays"
        levels.append((float(regime.lag) * length, label, style.CLOSED_FORM))
    for level, label, look in levels:
        axes.plot(span, [level, level], label=label if labelled else None, **look)


def _answer(epochs: pd.DataFrame, regimes: list[Regime]) -> str:
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


def _within(epochs: pd.DataFrame, regime: Regime) -> pd.DataFrame:
    return epochs.iloc[regime.start : regime.stop]
