"""The chart of a sweep: how does a measure depend on a setting, and what do formulas say?"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from streamlet_lab.charts import style
from streamlet_lab.charts.figures import Page
from streamlet_lab.charts.layout import head, legend_below
from streamlet_lab.charts.plots import _plot
from streamlet_lab.errors import InvalidInput
from streamlet_lab.grid import Sweep
from streamlet_lab.intervals import TOO_FEW

#: From a value on the x-axis to the mean that is expected there; None where none is.
ClosedForm: TypeAlias = Callable[[Any], Any]

_SIZE: Final = (9, 4.8)
_GRID: Final = 1_000
# Labels are 1 apart; how far then are their series, and how long is half of a formula's line?
_APART: Final = 0.14
_REACH: Final = 0.35
# Above and below what is seen on a logarithmic axis.
_ROOM: Final = 1.5
# What floating point may add to an interval without width.
_ROUNDING: Final = 1e-9


class _Series(NamedTuple):
    """The means of one value of ``by``, with what its form says in a column ``expected``."""

    name: str
    means: pd.DataFrame
    form: ClosedForm | None


def plot_means(
    swept: Sweep,
    measure: str,
    x: str,
    *,
    by: str | None = None,
    closed_form: ClosedForm | Mapping[Any, ClosedForm] | None = None,
    question: str | None = None,
    x_label: str | None = None,
    y_label: str | None = None,
    y_scale: Literal["linear", "log"] = "linear",
    unit: str = "",
) -> Figure:
    """How does a measure depend on a setting? Means with 95 % intervals, over closed forms.

    Where runs are too few for an interval there is none: see
    :func:`~streamlet_lab.intervals.share_interval`.

    Parameters
    ----------
    swept : Sweep
    measure : str
        What was measured.
    x : str
        The setting on the x-axis: numbers have their place on it, labels stand side by side.
    by : str, optional
        The other setting, if two were varied: a series for each of its values, at most six.
    closed_form : callable, or mapping of values of ``by`` to callables, optional
        ``closed_form(value of x)`` is the mean that is expected there, or None. One for all series,
        or one each; a series that the mapping lacks has none. Means are joined only where there is
        no closed form at all.
    question : str, optional
        The title.
    x_label, y_label : str, optional
        What the axes show, with units; the names of setting and measure by default.
    y_scale : {"linear", "log"}
        Linear, with zero in sight; or logarithmic, for measures of different magnitude: what is not
        above zero is not seen there.
    unit : str
        Of the measure, for the line below the title.

    Raises
    ------
    InvalidInput
        If it is no sweep, there is no such measure, the varied settings are others than ``x`` and
        ``by``, or ``by`` has more than six values or lacks one that has a closed form; or there is
        no such scale.

    Examples
    --------
    >>> from streamlet_lab import run_protocol, sweep
    >>> base = {"epochs": 9, "signatures": "none", "network.delays": "constant"}
    >>> swept = sweep(base, {"network.median_delay": [0.1, 0.2]}, repeats=2, run=run_protocol)
    >>> figure = plot_means(
    ...     swept, "mean_latency_s", "network.median_delay", closed_form=lambda d: 1 + 2 * d
    ... )
    >>> figure.axes[0].texts[0].get_text()
    'means from 1.2 to 1.4; 2 of 2 intervals (95 %, 2 runs each) hold the closed form'
    """
    if not isinstance(swept, Sweep):
        raise InvalidInput("swept", type(swept).__name__, "what sweep returned")
    if y_scale not in ("linear", "log"):
        raise InvalidInput("y_scale", y_scale, "'linear' or 'log'")
    chosen = [x] if by is None else [x, by]
    if sorted(chosen) != sorted(swept.settings):
        raise InvalidInput("x, by", chosen, f"what was varied: {', '.join(swept.settings)}")
    shown = _series(swept.means(measure), x, by, closed_form)

    def draw(figure: Figure, series: Sequence[_Series]) -> None:
        axes = figure.subplots()
        _draw(axes, series, x)
        axes.set_xlabel(x_label or x)
        axes.set_ylabel(y_label or measure)
        if y_scale == "log":
            _scale_by_means(axes, pd.concat([each.means for each in series]))
        else:
            # Zero is in sight, so that heights can be compared.
            axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))
        legend_below(axes)
        head(axes, question or f"How does {measure} depend on {x}?", _answer(series, unit))

    return _plot(Page(_SIZE, draw), shown)


def plot_policies(swept: Sweep) -> Figure:
    """How far can a lying leader move the price? The worst displacement by what voters check.

    Parameters
    ----------
    swept : Sweep
        Over ``prices.voter_policy`` and ``prices.aggregator``, with the measure ``worst_bp``, such
        as that of :func:`~streamlet_lab.studies.lying_leader`.

    Raises
    ------
    InvalidInput
        If it is no such sweep.
    """
    return plot_means(
        swept,
        "worst_bp",
        "prices.voter_policy",
        by="prices.aggregator",
        question="How far can a lying leader move the price?",
        x_label="What voters check of a leader's claim",
        y_label="Worst displacement of a final price (basis points)",
        y_scale="log",
        unit="bp",
    )


def _series(
    means: pd.DataFrame,
    x: str,
    by: str | None,
    closed_form: ClosedForm | Mapping[Any, ClosedForm] | None,
) -> list[_Series]:
    parts: dict[Any, pd.DataFrame] = (
        {None: means} if by is None else dict(list(means.groupby(by, sort=False)))
    )
    if len(parts) > len(style.SERIES):
        raise InvalidInput("by", by, f"a setting with at most {len(style.SERIES)} values")
    forms = closed_form if isinstance(closed_form, Mapping) else dict.fromkeys(parts, closed_form)
    for value in forms:
        if value not in parts:
            raise InvalidInput("closed_form", value, f"one of {', '.join(map(str, parts))}")
    series = []
    for value, part in parts.items():
        form = forms.get(value)
        expected = math.nan if form is None else _values(form, part[x])
        name = "mean" if by is None else f"{by.rpartition('.')[2]} = {value}"
        series.append(_Series(name, part.assign(expected=expected), form))
    return series


def _values(form: ClosedForm, places: Iterable[Any]) -> "np.ndarray[Any, np.dtype[np.float64]]":
    return np.array([form(place) for place in places], dtype=float)


def _draw(axes: Axes, series: Sequence[_Series], x: str) -> None:
    values = pd.concat([each.means[x] for each in series]).drop_duplicates()
    forms = _labelled(series)
    joined = is_numeric(values) and not forms
    for number, (name, means, _) in enumerate(series):
        places = side_by_side(means[x], values, number, len(series))
        look = {**style.SERIES[number], **({} if joined else {"linestyle": "none"})}
        margins = [means["mean"] - means["low"], means["high"] - means["mean"]]
        axes.errorbar(places, means["mean"], margins, capsize=3, label=name, **look)
    for (form, label), dashes in zip(forms.items(), style.FORM_DASHES, strict=False):
        look = {**style.CLOSED_FORM, "linestyle": dashes, "zorder": 2, "label": label}
        draw_form(axes, form, values, look)
    name_values(axes, values)


def side_by_side(
    own: "pd.Series[Any]", values: "pd.Series[Any]", number: int, count: int
) -> "pd.Series[float]":
    """Return where a series has its marks: at numbers, or beside the others' at labels.

    Parameters
    ----------
    own : Series
        The values of the setting that the series has.
    values : Series
        All of them, in their order, each once.
    number, count : int
        Which of how many series it is.
    """
    if is_numeric(values):
        return own
    return own.map(list(values).index) + _APART * (number - (count - 1) / 2)


def name_values(axes: Axes, values: "pd.Series[Any]") -> None:
    """Let the x-axis show the values of a setting: numbers, or labels side by side."""
    if is_numeric(values):
        axes.margins(x=0.03)
    else:
        axes.set_xticks(range(len(values)), labels=[str(value) for value in values])
        axes.set_xlim(-0.5, len(values) - 0.5)


def draw_form(axes: Axes, form: ClosedForm, values: "pd.Series[Any]", look: style.Look) -> None:
    """Draw a formula: as a curve between numbers, as a step at each label."""
    (_draw_curve if is_numeric(values) else _draw_steps)(axes, form, values, look)


def is_numeric(values: "pd.Series[Any]") -> bool:
    """Whether values have places on an axis of their own; others are labels."""
    return values.dtype.kind in "iuf"


def _scale_by_means(axes: Axes, means: pd.DataFrame) -> None:
    """Make the y-axis logarithmic around what can be seen there: an interval may reach to zero."""
    values = means[["mean", "low", "high"]].to_numpy()
    seen = values[values > 0]
    axes.set_yscale("log", nonpositive="clip")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    if len(seen):
        axes.set_ylim(seen.min() / _ROOM, seen.max() * _ROOM)


def _labelled(series: Sequence[_Series]) -> dict[ClosedForm, str]:
    """Each form once, with the series that it is for unless it is for all."""
    names: dict[ClosedForm, list[str]] = {}
    for each in series:
        if each.form is not None:
            names.setdefault(each.form, []).append(each.name)
    return {
        form: "closed form" if len(own) == len(series) else f"closed form, {' and '.join(own)}"
        for form, own in names.items()
    }


def _draw_curve(axes: Axes, form: ClosedForm, values: "pd.Series[Any]", look: style.Look) -> None:
    low, high = values.min(), values.max()
    whole = values.dtype.kind in "iu"
    places = np.arange(low, high + 1) if whole else np.linspace(low, high, _GRID)
    axes.plot(places, _values(form, places), **look)


def _draw_steps(axes: Axes, form: ClosedForm, values: "pd.Series[Any]", look: style.Look) -> None:
    places = np.arange(len(values))
    axes.hlines(_values(form, values), places - _REACH, places + _REACH, **look)


def _answer(series: Sequence[_Series], unit: str) -> str:
    means = pd.concat([each.means for each in series])
    if means["mean"].isna().all():
        return "no run has this measure"
    answer = f"means from {means['mean'].min():.4g} to {means['mean'].max():.4g} {unit}".rstrip()
    judged = means.dropna(subset=["low", "expected"])
    if judged.empty:
        return f"{answer}; {intervals_in_words(means)}"
    below = judged["low"] - _ROUNDING <= judged["expected"]
    hold = (below & (judged["expected"] <= judged["high"] + _ROUNDING)).sum()
    runs = runs_in_words(means)
    return f"{answer}; {hold} of {len(judged)} intervals (95 %, {runs}) hold the closed form"


def intervals_in_words(means: pd.DataFrame) -> str:
    """Say what the intervals of means are, and where there are none."""
    runs, missing = runs_in_words(means), means["note"] == TOO_FEW
    if missing.all():
        return f"no intervals: {runs}, too few"
    rest = "; none where runs are too few" if missing.any() else ""
    return f"intervals: 95 %, {runs}{rest}"


def runs_in_words(means: pd.DataFrame) -> str:
    """Say how many runs there are for each mean."""
    least, most = means["n"].min(), means["n"].max()
    return f"{most} runs each" if least == most else f"{least} to {most} runs each"
