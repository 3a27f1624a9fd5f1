"""The chart of a sweep over two settings: a cell for each pair, in its colour and in writing."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from streamlet_lab.charts import layout, style
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
    means = swept.means(measure)
    columns, rows = list(means[x].unique()), list(means[y].unique())
    width, height = (
        beside + cell * max(len(values), 3)
        for beside, cell, values in zip(_BESIDE, _CELL, (columns, rows), strict=True)
    )
    with new_chart(width, height) as figure:
        axes = figure.subplots()
        _draw_cells(axes, means, (x, columns), (y, rows), number)
        axes.set_xticks(range(len(columns)), [str(value) for value in columns])
        axes.set_yticks(range(len(rows)), [str(value) for value in rows])
        axes.tick_params(length=0)
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        axes.set_xlabel(x_label or x)
        axes.set_ylabel(y_label or y)
        figure.axes[-1].set_ylabel(unit or measure)
        title = question or f"How does {measure} depend on {x} and {y}?"
        layout.head(axes, title, _answer(means, number))
    return figure


def _draw_cells(
    axes: Axes,
    means: pd.DataFrame,
    columns: tuple[str, Sequence[Any]],
    rows: tuple[str, Sequence[Any]],
    number: str,
) -> None:
    (x, across), (y, up) = columns, rows
    grid = np.full((len(up), len(across)), np.nan)
    places = [
        (up.index(row), across.index(column))
        for row, column in zip(means[y], means[x], strict=True)
    ]
    for place, mean in zip(places, means["mean"], strict=True):
        grid[place] = mean
    axes.set_facecolor(style.NOT_STUDIED)
    known = grid[np.isfinite(grid)]
    norm = Normalize(known.min(), known.max()) if known.size else Normalize(0, 1)
    image = axes.imshow(
        np.ma.masked_invalid(grid),
        cmap=style.DISPLACEMENTS,
        norm=norm,
        aspect="auto",
        origin="lower",
    )
    estimates = means[["mean", "low", "high"]].itertuples(index=False, name=None)
    for (row, column), estimate in zip(places, estimates, strict=True):
        mean, low, high = (format(value, number) for value in estimate)
        text = "none" if np.isnan(estimate[0]) else mean
        if not np.isnan(estimate[1:]).any():
            text += f"\n{low} to {high}"
        ink = layout.ink_on(image, estimate[0])
        axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=style.SMALL)
    bar = axes.figure.colorbar(image, ax=axes)
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: format(value, number)))
    bar.outline.set_visible(False)


def _answer(means: pd.DataFrame, number: str) -> str:
    known = means.dropna(subset=["mean"])
    if known.empty:
        return "no run has this measure"
    least, most = (format(value, number) for value in (known["mean"].min(), known["mean"].max()))
    return f"means from {least} to {most}; {intervals_in_words(known)}"
