"""The chart of a sweep over two settings: a cell for each pair, in its colour and in writing."""

from math import isnan
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from streamlet_lab.charts import layout
from streamlet_lab.charts.layout import new_chart
from streamlet_lab.charts.sweeps import check_varied, intervals_in_words
from streamlet_lab.errors import InvalidInput
from streamlet_lab.grid import Sweep

_CELL: Final = (1.2, 0.62)  # inches
_BESIDE: Final = (2.6, 1.7)


def plot_heat_map(
    swept: Sweep,
    measure: str,
    x: str,
    y: str,
    *,
    question: str | None = None,
    x_label: str | None = None,
    y_label: str | None = None,
    unit: str | None = None,
    number: str = ".3g",
) -> Figure:
    """How does a measure depend on two settings? A cell for each pair: its mean, its 95 % interval.

    Where no run has the measure the cell is grey. Runs that are too few have no interval: see
    :func:`~streamlet_lab.intervals.share_interval`.

    Parameters
    ----------
    measure, x, y : str
        What was measured, and the two settings that were varied. Their values stand in the order of
        the sweep, the first of ``y`` at the bottom.
    question, x_label, y_label, unit : str, optional
        The title, and what axes and colours show, with units.
    number : str
        How numbers are written: a format specification, such as ``".1%"`` for a share.
    """
    check_varied(swept, x=x, y=y)
    try:
        format(0.5, number)
    except (TypeError, ValueError):
        expected = "a format specification of numbers, such as '.3g' or '.1%'"
        raise InvalidInput("number", number, expected) from None
    means = swept.means(measure).set_index([y, x])
    columns, rows = (list(means.index.unique(setting)) for setting in (x, y))
    grid = means["mean"].unstack().reindex(index=rows, columns=columns)
    cells = (max(len(columns), 3), max(len(rows), 3))
    with new_chart(*np.array(_BESIDE) + np.array(_CELL) * cells) as figure:
        axes = figure.subplots()
        known = means["mean"].dropna()
        norm = Normalize(known.min(), known.max()) if len(known) else Normalize(0, 1)
        texts = {
            (rows.index(row), columns.index(column)): _text(number, *estimate)
            for (row, column), *estimate in means[["mean", "low", "high"]].itertuples(name=None)
        }
        layout.draw_cells(axes, grid, norm, texts, lambda value: format(value, number))
        axes.invert_yaxis()
        axes.set_xlabel(x_label or x)
        axes.set_ylabel(y_label or y)
        figure.axes[-1].set_ylabel(unit or measure)
        title = question or f"How does {measure} depend on {x} and {y}?"
        layout.head(axes, title, _answer(means, number))
    return figure


def _text(number: str, mean: float, low: float, high: float) -> str:
    if isnan(mean):
        return "none"
    ends = "" if isnan(low) or isnan(high) else f"\n{low:{number}} to {high:{number}}"
    return f"{mean:{number}}{ends}"


def _answer(means: pd.DataFrame, number: str) -> str:
    known = means.dropna(subset=["mean"])
    if known.empty:
        return "no run has this measure"
    least, most = (format(value, number) for value in (known["mean"].min(), known["mean"].max()))
    return f"means from {least} to {most}; {intervals_in_words(known)}"
