"""The chart of stylized facts: which model of prices is like real AAPL?"""

from math import ceil
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from streamlet_lab.charts import style
from streamlet_lab.charts.layout import check_frame, new_chart, spaced
from streamlet_lab.charts.sweeps import margins
from streamlet_lab.errors import InvalidInput

_REAL: Final = "real"
_COLUMNS: Final = ("model", "fact", "value", "median", "low", "high", "inside")
_ACROSS: Final = 3
_PANEL: Final = (3.1, 0.24)  # inches: its width, and the height of a model's row
_AROUND: Final = (1.1, 0.95, 1.1)  # beside all panels, below each row of them, and around all
_PAD: Final = 0.1  # inches between what is above and what is below; the legend too
_UNITS: Final = {"standard_deviation": " (% a day)"}


def plot_facts(frame: pd.DataFrame) -> Figure:
    """Which model of prices is like real AAPL? Each fact by model, beside the real one.

    A bar has the middle 95 % of a model's paths: see :mod:`streamlet_lab.prices.facts`.
    The frame is that of :func:`~streamlet_lab.prices.facts.compare_facts`.
    """
    check_frame(frame, *_COLUMNS)
    models = [name for name in frame["model"].unique() if name != _REAL]
    if not models:
        raise InvalidInput("frame", [*frame["model"].unique()], "at least one model to compare")
    facts = list(frame["fact"].unique())
    down, across = ceil(len(facts) / _ACROSS), min(len(facts), _ACROSS)
    beside, below, around = _AROUND
    height = around + down * (below + _PANEL[1] * (len(models) + 1))
    inside = frame.groupby("model")["inside"].agg(["sum", "size"]).loc[models]
    counts = [f"{spaced(name)} {passed} of {count}" for name, passed, count in inside.itertuples()]
    with new_chart(beside + _PANEL[0] * across, height) as figure:
        figure.set_layout_engine("constrained", h_pad=_PAD)
        spaces = {"wspace": 0.1, "hspace": 0.08}
        panels = figure.subplots(down, across, sharey=True, squeeze=False, gridspec_kw=spaces)
        for axes, fact in zip(panels.flat, facts, strict=False):
            _draw_fact(axes, frame[frame["fact"] == fact], models)
            title = f"{spaced(fact).capitalize()}{_UNITS.get(fact, '')}"
            axes.set_title(title, fontsize="medium", pad=5)
        for axes in panels.flat[len(facts) :]:
            axes.set_axis_off()
        handles, labels = panels[0, 0].get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="outside lower left", ncols=len(labels), borderaxespad=0.8
        )
        # Above all panels; the second line of the title makes room for the answer.
        look = {"ha": "left", "fontsize": 11.5, "weight": "bold"}
        question = figure.suptitle("Which model of prices is like real AAPL?\n ", x=0.01, **look)
        answer = f"facts in which real AAPL could be a path: {', '.join(counts)}"
        look = {"xycoords": question, "fontsize": style.SMALL, "color": "#444444"}
        panels[0, 0].annotate(answer, (0, 0), **look).set_in_layout(False)
    return figure


def _draw_fact(axes: Axes, rows: pd.DataFrame, models: list[str]) -> None:
    real = rows[rows["model"] == _REAL].iloc[0]
    own = rows.set_index("model").loc[models]
    axes.axvline(real["value"], label="real AAPL", **style.REAL)
    for inside, label, look in (
        (True, "paths of a model (median, middle 95 %): real AAPL inside", style.INSIDE),
        (False, "real AAPL outside", style.OUTSIDE),
    ):
        chosen = own[own["inside"] == inside]
        places = np.flatnonzero(own["inside"] == inside)
        reach = margins(chosen, "median")
        axes.errorbar(chosen["median"], places, xerr=reach, capsize=3, label=label, **look)
    axes.set_yticks(range(len(models)), [spaced(name) for name in models])
    axes.set_ylim(len(models) - 0.5, -0.5)
    axes.margins(x=0.08)
    axes.xaxis.set_major_locator(MaxNLocator(4))
