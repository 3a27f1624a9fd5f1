"""The latency chart: how long until an epoch's price is final?"""

from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from streamlet_lab.charts import layout, style
from streamlet_lab.charts.series import fault_changes
from streamlet_lab.config import ExperimentConfig
from streamlet_lab.result import Result
from streamlet_lab.theory import round_robin_finality_lag
from streamlet_lab.units import to_seconds


class Regime(NamedTuple):
    """Epochs from `start` to before `stop` during which the same leaders are silent.

    By the closed form, their blocks are final `lag` epochs later in the mean; None is never.
    """

    start: int
    stop: int
    lag: Fraction | None


def closed_form(config: ExperimentConfig) -> list[Regime]:
    """Return what :func:`~streamlet_lab.theory.round_robin_finality_lag` says of a run.

    It speaks where its conditions hold: messages arrive in time, the only faults are crashes and
    silent leaders, and the same leaders are silent for a whole round at least. Without enough nodes
    to vote nothing is ever final.
    """
    names = config.node_ids
    faults = [fault for fault in config.node_faults if fault.affected(names)]
    late = config.epoch_length < 2 * config.network.delta
    if late or any(fault.kind not in ("crash", "silent_leader") for fault in faults):
        return []
    regimes = []
    for start, stop in pairwise([0, *fault_changes(config, faults), config.epochs]):
        if stop - start < config.nodes:
            continue
        active = [(fault.kind, fault.affected(names)) for fault in faults if fault.active(start)]
        silent = {names.index(name) for _, nodes in active for name in nodes}
        crashed = {name for kind, nodes in active if kind == "crash" for name in nodes}
        enough = config.nodes - len(crashed) >= config.votes_needed
        lag = round_robin_finality_lag(config.nodes, silent) if enough else None
        regimes.append(Regime(start, stop, lag))
    return regimes


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
    regimes = closed_form(config)
    for number, regime in enumerate(regimes):
        mean = _within(epochs, regime)["latency_s"].mean()
        lag = np.nan if regime.lag is None else float(regime.lag) * length
        for level, label, look in (
            (mean, "mean of the simulation", style.MEAN),
            (lag, "closed form, without delays", style.CLOSED_FORM),
        ):
            span = [regime.start * length, regime.stop * length]
            axes.plot(span, [level, level], label=None if number else label, **look)
    waiting = epochs["start_s"][epochs["finalized_s"].isna()]
    layout.mark_along_bottom(axes, waiting, "not final", style.MISSING)
    layout.mark_fault_changes(axes, config, config.node_faults)
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
