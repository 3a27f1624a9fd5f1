"""The chart of an answer that narrows: a difference and its interval by the number of runs."""

from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from streamlet_lab.charts import layout, style
from streamlet_lab.charts.layout import new_chart
from streamlet_lab.charts.sweeps import check_sweep, check_varied, intervals_in_words, margins
from streamlet_lab.errors import InvalidInput
from streamlet_lab.grid import Sweep

# Runs of each point that are looked at: these times the powers of ten.
_STEPS = (1, 2, 5)
_FIRST = 5


def plot_narrowing(
    swept: Sweep,
    measure: str,
    setting: str,
    first: Any,
    second: Any,
    *,
    question: str | None = None,
    y_label: str | None = None,
) -> Figure:
    """How many runs does an answer need? ``second − first`` by the number of runs, with intervals.

    The runs are the first 5, 10, 20, 50 … of each point, so that later intervals contain what
    earlier ones were made of. The dashed lines are the closed form: an interval around the last
    mean, as wide as 1/√runs makes it.

    Parameters
    ----------
    measure, setting, first, second : str, and values of the setting
        As in :meth:`Sweep.difference <streamlet_lab.grid.Sweep.difference>`; no other setting was
        varied.
    question, y_label : str, optional
        The title, and what the y-axis shows, with its unit.

    Raises
    ------
    InvalidInput
        If there are fewer than 5 runs of a point.
    """
    check_varied(swept, setting=setting)
    repeats = int(check_sweep(swept).frame["repeat"].max()) + 1
    if repeats < _FIRST:
        raise InvalidInput("swept", repeats, f"at least {_FIRST} repeats")
    counts = [count for count in _counts(repeats) if count < repeats] + [repeats]
    estimated = partial(swept.difference, measure, setting, first, second)
    estimates = pd.concat([estimated(repeats=count).assign(runs=count) for count in counts])
    last = estimates.iloc[-1]
    runs = np.geomspace(counts[0], repeats, 200)
    half = (last["high"] - last["low"]) / 2 * np.sqrt(repeats / runs)
    with new_chart(9, 4.8) as figure:
        axes = figure.subplots()
        axes.axhline(0, **style.ZERO)
        look = {**style.SERIES[0], "linestyle": "none", "capsize": 3, "label": "difference"}
        axes.errorbar(estimates["runs"], estimates["mean"], margins(estimates), **look)
        for sign, label in ((1, "closed form, 1/√runs"), (-1, None)):
            axes.plot(runs, last["mean"] + sign * half, label=label, **style.CLOSED_FORM)
        axes.set_xscale("log")
        axes.margins(x=0.03)
        axes.set_xticks(counts, labels=[f"{count:,}" for count in counts])
        axes.minorticks_off()
        axes.set_xlabel(f"Runs of {first}, and as many of {second}, on the same seeds")
        axes.set_ylabel(y_label or f"{measure}: {second} less {first}")
        title = question or f"How many runs does {measure} need?"
        layout.explain(axes, title, _answer(estimates))
    return figure


def _counts(repeats: int) -> list[int]:
    powers = 10 ** np.arange(int(np.log10(repeats)) + 1)
    counts = (int(power) * step for power, step in product(powers, _STEPS))
    return [count for count in counts if count >= _FIRST]


def _answer(estimates: pd.DataFrame) -> str:
    known = estimates.dropna(subset=["low", "high"])
    if known.empty:
        return intervals_in_words(estimates)
    ends = (known.iloc[0], known.iloc[-1])
    written = (f"{each['low']:.3g} to {each['high']:.3g}, {each['runs']:,} runs" for each in ends)
    few = "" if len(known) == len(estimates) else f"; none for {estimates.iloc[0]['runs']} runs"
    return f"intervals (95 %): {'; '.join(written)}{few}".replace("-", "−")
