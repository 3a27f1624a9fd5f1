"""The latency chart: how long until an epoch's price is final?"""

from fractions import Fraction
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from streamlet_lab.charts import layout, style
from streamlet_lab.charts.series import fault_changes
from streamlet_lab.config import ExperimentConfig
from streamlet_lab.result import Result
from streamlet_lab.theory import finality_lag, round_robin_finality_lag
from streamlet_lab.units import to_seconds

# Above and below what is shown: a share of it, or of an epoch.
_ROOM: Final = 0.15
_LEAST_ROOM: Final = 0.05

# Kinds of delays of which ``median_delay`` is the median on every link.
_ONE_MEDIAN: Final = ("constant", "lognormal", "uniform")


class Regime(NamedTuple):
    """Epochs from `start` to before `stop` during which the same leaders are silent.

    By the closed form, their blocks are final `lag` epochs later in the mean; None is never.
    """

    start: int
    stop: int
    lag: Fraction | None


def closed_form(config: ExperimentConfig) -> list[Regime]:
    """Return what `finality_lag` (hashed leaders) or `round_robin_finality_lag` says of a run.

    It speaks where its conditions hold: three blocks in a row finalize, messages arrive in time,
    the median delay is one setting for all links, the only faults are crashes and silent leaders,
    and the same leaders are silent for a whole round at least. Without enough nodes to vote nothing
    is ever final.
    """
    names, network = config.node_ids, config.network
    faults = [fault for fault in config.node_faults if fault.affected(names)]
    late = config.epoch_length < 2 * network.delta or network.gst_in_force or network.loss
    uneven = network.delays not in _ONE_MEDIAN or network.link_delays or network.slow_nodes
    others = any(fault.kind not in ("crash", "silent_leader") for fault in faults)
    if late or uneven or others or config.model == "synchronous":
        return []
    turns = config.leaders if isinstance(config.leaders, tuple) else names
    regimes = []
    for start, stop in pairwise([0, *fault_changes(config, faults), config.epochs]):
        if stop - start < len(turns):
            continue
        active = [(fault.kind, fault.affected(names)) for fault in faults if fault.active(start)]
        silent = {name for _, nodes in active for name in nodes}
        crashed = {name for kind, nodes in active if kind == "crash" for name in nodes}
        enough = config.nodes - len(crashed) >= config.votes_needed
        if not enough or silent.issuperset(turns):
            lag = None
        elif config.leaders == "hashed":
            lag = finality_lag(1 - Fraction(len(silent), config.nodes))
        else:
            places = [place for place, name in enumerate(turns) if name in silent]
            lag = round_robin_finality_lag(len(turns), places)
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
    delay = min(config.network.median_delay, config.network.delta)
    regimes, ways = closed_form(config), 2 * to_seconds(delay)
    levels = [*nodes["min"], *nodes["max"], *epochs["latency_s"]]
    for number, regime in enumerate(regimes):
        part = epochs.iloc[regime.start : regime.stop]
        lag = np.nan if regime.lag is None else float(regime.lag) * length + ways
        for level, label, look in (
            (part["latency_s"].mean(), "mean of the simulation", style.MEAN),
            (lag, "closed form, with two median delays", style.CLOSED_FORM),
        ):
            span = [regime.start * length, regime.stop * length]
            axes.plot(span, [level, level], label=None if number else label, **look)
            levels.append(level)
    waiting = epochs["start_s"][epochs["finalized_s"].isna()]
    layout.mark_along_bottom(axes, waiting, "not final", style.MISSING)
    layout.mark_fault_changes(axes, config, config.node_faults)
    # Where nothing is final, the scale is that of the best case.
    seen = pd.Series(levels, dtype=float).dropna()
    low, high = (seen.min(), seen.max()) if len(seen) else (length, length)
    room = max(_ROOM * (high - low), _LEAST_ROOM * length)
    axes.set_ylim(max(low - room, 0), high + room)
    axes.set_ylabel("Latency (s)")
    median = epochs["latency_s"].median()
    answer = "nothing is final" if pd.isna(median) else f"median {median:.2f} s"
    if regimes:
        (start, stop, expected), mean = regimes[-1], part["latency_epochs"].mean()
        where = "" if stop - start == len(epochs) else f"in epochs {start} to {stop - 1} "
        simulated = "" if pd.isna(mean) else f"mean {mean:.2f} epochs, "
        never = "never" if expected is None else f"{float(expected):.2f} epochs"
        answer += f"; {where}{simulated}closed form: {never}"
    layout.explain_run(axes, result, "How long until an epoch's price is final?", answer)
