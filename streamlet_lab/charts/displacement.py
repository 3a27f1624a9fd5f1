"""Charts of displacements: how far do liars push each aggregator, and how fast?"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from streamlet_lab.charts import layout, series, style
from streamlet_lab.charts.layout import check_frame, new_chart, spaced
from streamlet_lab.errors import InvalidInput
from streamlet_lab.units import to_name

_PAIR: Final = ["sources", "liars"]
_CELL: Final = (1.45, 0.5)  # inches
_BESIDE: Final = (3.2, 1.7)
_LETTER: Final = (0.1, 0.068)  # inches of a letter at most: of a name, and of the answer
_LARGEST_MARK: Final = 9.5  # points
_MARKS_ABREAST: Final = 430.0  # points: how wide all marks of an aggregator together may be
_SMALLEST_SCALE: Final = 0.3
# Between two magnitudes of ten, the smallest range of colours.
_DECADE: Final = 10.0


def plot_displacement(frame: pd.DataFrame) -> Figure:
    """How far can liars push each aggregator? The worst of all seeds, by sources and liars.

    The frame is that of :func:`~streamlet_lab.studies.displacement`.
    """
    check_frame(frame, "aggregator", *_PAIR, "locked_out", "worst_bp")
    groups = frame.groupby(["aggregator", *_PAIR], sort=False)
    cells = groups.agg(bp=("worst_bp", "max"), locked_out=("locked_out", "mean"))
    rows = list(frame["aggregator"].unique())
    pairs = list(frame[_PAIR].drop_duplicates().itertuples(index=False, name=None))
    answer = _best_and_worst(cells.reset_index())
    # The answer begins behind the longest name.
    written = _LETTER[0] * max(map(len, map(str, rows))) + _LETTER[1] * len(answer)
    width = max(_BESIDE[0] + _CELL[0] * max(len(pairs), 3), written)
    with new_chart(width, _BESIDE[1] + _CELL[1] * max(len(rows), 3)) as figure:
        axes = figure.subplots()
        _draw_cells(axes, cells, rows, pairs)
        axes.set_xlabel("Number in a cell: worst displacement in basis points, worst of all runs")
        if cells["locked_out"].any():
            label = "locked out: no quotes are valid in the end"
            axes.add_patch(Rectangle((0, 0), 0, 0, label=label, **style.LOCKED_OUT))
            layout.legend_below(axes)
        layout.head(axes, "How far can liars push each aggregator?", answer)
    return figure


def plot_push(
    frame: pd.DataFrame, closed_form: Mapping[str, Callable[[int], float]] | None = None
) -> Figure:
    """How fast do liars push the price, and where does it end? Displacement epoch by epoch.

    The frame has the columns ``aggregator`` (at most six), ``epoch`` and ``displacement_bp``, which
    is NaN in epochs without a price. ``closed_form[aggregator](epoch)`` is the displacement in
    basis points that is expected in it.
    """
    check_frame(frame, "aggregator", "epoch", "displacement_bp")
    names, forms = list(frame["aggregator"].unique()), closed_form or {}
    if len(names) > len(style.SERIES):
        raise InvalidInput("frame", names, f"at most {len(style.SERIES)} aggregators")
    for name in forms:
        to_name(name, names, "closed_form")
    epochs = range(int(frame["epoch"].min()), int(frame["epoch"].max()) + 1)
    curves = {
        name: pd.Series([float(form(each)) for each in epochs], epochs)
        for name, form in forms.items()
    }
    reached = frame["displacement_bp"].abs().groupby(frame["aggregator"], sort=False).max()
    gaps = []
    with new_chart(9, 5) as figure:
        axes = figure.subplots()
        fitting = _MARKS_ABREAST / (_LARGEST_MARK * len(epochs))
        scale = min(max(fitting, _SMALLEST_SCALE), 1)
        axes.axhline(0, **style.ZERO)
        for number, name in enumerate(names):
            own = frame[frame["aggregator"] == name]
            missed = int(own["displacement_bp"].isna().sum())
            label = f"{spaced(name)}, no price in {missed} epochs" if missed else spaced(name)
            # Aggregators often agree: of marks in one place the later is smaller, and on top.
            size = (_LARGEST_MARK - number) * scale
            look = {**style.SERIES[number], "markersize": size, "zorder": 3}
            if name in curves:
                look["linestyle"] = "none"  # so that the line of the closed form is seen
                gaps.append((own["displacement_bp"] - own["epoch"].map(curves[name])).abs().max())
            axes.plot(own["epoch"], own["displacement_bp"], label=label, **look)
        for (name, curve), dashes in zip(curves.items(), style.FORM_DASHES, strict=False):
            look = {**style.CLOSED_FORM, "linestyle": dashes, "zorder": 4}
            axes.plot(curve, label=f"closed form, {spaced(name)}", **look)
        axes.set_xlabel("Epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylabel("Above the true price (basis points)")
        answer, gap = _extremes(reached), pd.Series(gaps, dtype=float).max()
        if not np.isnan(gap):
            answer += f"; closed form: off by at most {_number(gap)} bp"
        layout.explain(axes, "How fast do liars push the price, and where does it end?", answer)
    return figure


def _draw_cells(
    axes: Axes, cells: pd.DataFrame, rows: list[str], pairs: list[tuple[int, int]]
) -> None:
    # Zero has no place on a logarithmic scale: it looks like the smallest that is not.
    positive = cells["bp"][cells["bp"] > 0]
    low = float(positive.min()) if len(positive) else 1.0
    high = max(float(positive.max()) if len(positive) else low, low * _DECADE)
    grid = cells["bp"].clip(lower=low).unstack(_PAIR).reindex(index=rows, columns=pairs)
    texts = {}
    for (name, *pair), bp, locked in cells.itertuples(name=None):
        place = row, column = rows.index(name), pairs.index((pair[0], pair[1]))
        texts[place] = "no price" if np.isnan(bp) else _number(bp)
        if locked:
            texts[place] += "\nlocked out" if locked == 1 else f"\nlocked out: {locked:.0%}"
            axes.add_patch(Rectangle((column - 0.46, row - 0.42), 0.92, 0.84, **style.LOCKED_OUT))
    grid = grid.rename(index=spaced)
    grid.columns = pd.Index([f"{liars} of {all_} sources" for all_, liars in pairs])
    bar = layout.draw_cells(axes, grid, LogNorm(low, high), texts, _number)
    bar.set_label("Displacement (basis points), logarithmic")
    layout.powers(bar.ax.yaxis)


def _best_and_worst(cells: pd.DataFrame) -> str:
    """Say what each aggregator is worth; where half of the sources lie, none is worth anything."""
    few = 2 * cells["liars"] < cells["sources"]
    shown = cells[few] if few.any() else cells
    answer = _extremes(shown.groupby("aggregator", sort=False)["bp"].max())
    return f"fewer than half lying: {answer}" if len(shown) < len(cells) else answer


def _extremes(worst: "pd.Series[float]") -> str:
    if worst.isna().all():
        return "no price came about"
    return f"worst: {series.extremes(worst.rename(spaced), lambda bp: f'{_number(bp)} bp')}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= _DECADE else f"{value:.1f}"
