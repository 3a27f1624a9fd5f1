"""The chart of a sweep: how does a measure depend on a setting, and what do formulas say?"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from streamlet_lab.charts import layout, style
from streamlet_lab.charts.figures import new_chart
from streamlet_lab.errors import InvalidInput
from streamlet_lab.grid import Sweep
from streamlet_lab.intervals import TOO_FEW
from streamlet_lab.units import to_name

#: From a value on the x-axis to the mean that is expected there; None where none is.
ClosedForm: TypeAlias = Callable[[Any], Any]
_Values: TypeAlias = "pd.Series[Any]"

_GRID: Final = 1_000
# Labels are 1 apart; how far then are their series, and how long is half of a formula's line?
_APART: Final = 0.14
_REACH: Final = 0.35
# Above and below what is seen on a logarithmic axis.
_ROOM: Final = 1.5
# What floating point may add to an interval without width.
_ROUNDING: Final = 1e-9


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
    :func:`~streamlet_lab.intervals.share_interval`. Numbers have their place on the x-axis, labels
    stand side by side. Means are joined only where there is no closed form at all.

    Parameters
    ----------
    swept : Sweep
    measure, x : str
        What was measured, and the setting on the x-axis.
    by : str, optional
        The other setting, if two were varied: a series for each of its values, at most six.
    closed_form : callable, or mapping of values of ``by`` to callables, optional
        ``closed_form(value of x)`` is the mean that is expected there, or None.
    question, x_label, y_label : str, optional
        The title, and what the axes show, with units.
    y_scale : {"linear", "log"}
        Linear, with zero in sight; or logarithmic: what is not above zero is not seen there.
    unit : str
        Of the measure, for the line below the title.
    """
    chosen = [x] if by is None else [x, by]
    if sorted(chosen) != sorted(check_sweep(swept).settings):
        raise InvalidInput("x, by", chosen, f"what was varied: {', '.join(swept.settings)}")
    to_name(y_scale, ("linear", "log"), "y_scale")
    means = swept.means(measure)
    parts = series_of(means, by)
    forms = _forms(closed_form, parts)
    for value, form in forms.items():
        means.loc[parts[value].index, "expected"] = _evaluate(form, parts[value][x])
    with new_chart(9, 4.8) as figure:
        axes = figure.subplots()
        named = {series_name(by, value): part for value, part in parts.items()}
        draw_series(axes, named, x, _labelled(forms, by, len(parts)), joined=not forms)
        axes.set_xlabel(x_label or x)
        axes.set_ylabel(y_label or measure)
        _scale(axes, means, y_scale)
        title = question or f"How does {measure} depend on {x}?"
        layout.explain(axes, title, _answer(means, unit))
    return figure


def plot_policies(swept: Sweep) -> Figure:
    """How far can a lying leader move the price? The worst displacement by what voters check.

    Parameters
    ----------
    swept : Sweep
        Over ``prices.voter_policy`` and ``prices.aggregator``, with the measure ``worst_bp``, such
        as that of :func:`~streamlet_lab.studies.lying_leader`.
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


def check_sweep(swept: Sweep) -> Sweep:
    """Return the sweep if it is one."""
    if not isinstance(swept, Sweep):
        raise InvalidInput("swept", type(swept).__name__, "what sweep returned")
    return swept


def series_of(means: pd.DataFrame, by: str | None) -> dict[Any, pd.DataFrame]:
    """Return the rows of every value of a setting, if there are not more than can be told apart."""
    parts = {None: means} if by is None else dict(list(means.groupby(by, sort=False)))
    if len(parts) > len(style.SERIES):
        raise InvalidInput("by", by, f"a setting with at most {len(style.SERIES)} values")
    return parts


def series_name(by: str | None, value: object) -> str:
    """Name the means of one value of a setting."""
    return "mean" if by is None else f"{by.rpartition('.')[2]} = {value}"


def margins(means: pd.DataFrame, middle: str = "mean") -> list[_Values]:
    """Return the two margins of intervals, as errorbars take them."""
    return [means[middle] - means["low"], means["high"] - means[middle]]


def draw_series(
    axes: Axes,
    parts: Mapping[str, pd.DataFrame],
    x: str,
    forms: Mapping[str, ClosedForm | pd.DataFrame],
    *,
    joined: bool = False,
) -> None:
    """Draw series of means with intervals over a setting, and formulas, by their labels.

    Numbers have places on the x-axis; other values are labels, at which the series stand side by
    side. A formula is a curve between numbers, a step at each label. In place of it there may be
    its values, a frame with the columns ``x`` and ``y``.
    """
    values = pd.concat([part[x] for part in parts.values()]).drop_duplicates()
    is_numeric = values.dtype.kind in "iuf"
    for number, (label, part) in enumerate(parts.items()):
        places = part[x]
        if not is_numeric:
            beside = _APART * (number - (len(parts) - 1) / 2)
            places = places.map(list(values).index) + beside
        look = {**style.SERIES[number], "label": label, "capsize": 3}
        if not (joined and is_numeric):
            look["linestyle"] = "none"
        axes.errorbar(places, part["mean"], margins(part), **look)
    for (label, form), dashes in zip(forms.items(), style.FORM_DASHES, strict=False):
        look = {**style.CLOSED_FORM, "linestyle": dashes, "zorder": 2, "label": label}
        if is_numeric:
            axes.plot(*_curve(form, values), **look)
        else:
            at = form.set_index("x")["y"].get if isinstance(form, pd.DataFrame) else form
            steps = np.arange(len(values))
            axes.hlines(_evaluate(at, values), steps - _REACH, steps + _REACH, **look)
    if is_numeric:
        axes.margins(x=0.03)
    else:
        axes.set_xticks(range(len(values)), labels=[str(value) for value in values])
        axes.set_xlim(-0.5, len(values) - 0.5)


def intervals_in_words(means: pd.DataFrame) -> str:
    """Say what the intervals of means are, and where there are none."""
    runs, missing = _runs_in_words(means), means["note"] == TOO_FEW
    if missing.all():
        return f"no intervals: {runs}, too few"
    rest = "; none where runs are too few" if missing.any() else ""
    return f"intervals: 95 %, {runs}{rest}"


def _evaluate(form: ClosedForm, places: Iterable[Any]) -> NDArray[np.float64]:
    return np.array([form(place) for place in places], dtype=float)


def _curve(form: ClosedForm | pd.DataFrame, values: _Values) -> tuple[Any, Any]:
    if isinstance(form, pd.DataFrame):
        return form["x"], form["y"]
    low, high = values.min(), values.max()
    whole = values.dtype.kind in "iu"
    places = np.arange(low, high + 1) if whole else np.linspace(low, high, _GRID)
    return places, _evaluate(form, places)


def _forms(
    given: ClosedForm | Mapping[Any, ClosedForm] | None, parts: Mapping[Any, pd.DataFrame]
) -> dict[Any, ClosedForm]:
    """Return the closed form of every series that has one."""
    forms = given if isinstance(given, Mapping) else dict.fromkeys(parts, given)
    if unknown := [value for value in forms if value not in parts]:
        raise InvalidInput("closed_form", unknown[0], f"one of {', '.join(map(str, parts))}")
    return {value: form for value in parts if (form := forms.get(value)) is not None}


def _labelled(forms: Mapping[Any, ClosedForm], by: str | None, count: int) -> dict[str, ClosedForm]:
    """Return each form once, named after the series that it is for unless it is for all."""
    names: dict[ClosedForm, list[str]] = {}
    for value, form in forms.items():
        names.setdefault(form, []).append(series_name(by, value))
    return {
        "closed form" if len(own) == count else f"closed form, {' and '.join(own)}": form
        for form, own in names.items()
    }


def _scale(axes: Axes, means: pd.DataFrame, scale: str) -> None:
    """Scale the y-axis with zero in sight, or logarithmic around what can be seen there."""
    if scale == "linear":
        axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))  # so that heights can be compared
        return
    # An interval may reach to zero.
    values = means[["mean", "low", "high"]].to_numpy()
    seen = values[values > 0]
    axes.set_yscale("log", nonpositive="clip")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    if len(seen):
        axes.set_ylim(seen.min() / _ROOM, seen.max() * _ROOM)


def _answer(means: pd.DataFrame, unit: str) -> str:
    if means["mean"].isna().all():
        return "no run has this measure"
    answer = f"means from {means['mean'].min():.4g} to {means['mean'].max():.4g} {unit}".rstrip()
    if "expected" not in means or means.dropna(subset=["low", "expected"]).empty:
        return f"{answer}; {intervals_in_words(means)}"
    judged = means.dropna(subset=["low", "expected"])
    low, high = judged["low"] - _ROUNDING, judged["high"] + _ROUNDING
    hold = judged["expected"].between(low, high).sum()
    runs = _runs_in_words(means)
    return f"{answer}; {hold} of {len(judged)} intervals (95 %, {runs}) hold the closed form"


def _runs_in_words(means: pd.DataFrame) -> str:
    least, most = means["n"].min(), means["n"].max()
    return f"{most} runs each" if least == most else f"{least} to {most} runs each"
