"""Charts of sweeps: how does a measure depend on a setting, and what do formulas say?"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from streamlet_lab.charts import layout, series, style
from streamlet_lab.charts.layout import new_chart
from streamlet_lab.errors import InvalidInput
from streamlet_lab.grid import Sweep
from streamlet_lab.intervals import TOO_FEW
from streamlet_lab.texts import one_of
from streamlet_lab.theory import denied_share
from streamlet_lab.units import to_name

#: From a value on the x-axis to the mean that is expected there; None where none is.
ClosedForm: TypeAlias = Callable[[Any], Any]

_GRID: Final = 1_000
# Whole numbers at which a closed form is drawn as steps.
_FEW: Final = 20
# Points between series at one place on the x-axis.
_ASIDE: Final = 7.0
# Labels are 1 apart; how far then are their series, and how long is half of a formula's line?
_APART: Final = 0.14
_REACH: Final = 0.35
# Inches that a label needs.
_LABEL: Final = 0.64
# Above and below what is seen on a logarithmic axis.
_ROOM: Final = 1.5
# What floating point may add to an interval without width.
_ROUNDING: Final = 1e-9
# The curve of denied orders is drawn beyond the displacement that reaches the edge of the band.
_DENIAL_GRID: Final = 600
_BEYOND: Final = 1.4
_BP: Final = 10_000


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
) -> Figure:
    """How does a measure depend on a setting? Means with 95 % intervals, over closed forms.

    Where runs are too few for an interval there is none: see
    :func:`~streamlet_lab.intervals.share_interval`. Numbers have their place on the x-axis, labels
    stand side by side. Means are joined only where there is no closed form at all.

    Parameters
    ----------
    measure, x : str
        What was measured, and the setting on the x-axis.
    by : str, optional
        The other setting, if two were varied: a series for each of its values, at most six.
    closed_form : callable, or mapping of values of ``by`` to callables, optional
        ``closed_form(value of x)`` is the mean that is expected there, or None.
    question, x_label, y_label : str, optional
        The title, and what the axes show, with units.
    """
    check_varied(swept, x=x, by=by)
    labels = 0 if swept.frame[x].dtype.kind in "iuf" else swept.frame[x].nunique()
    with new_chart(max(9, _LABEL * labels), 4.8) as figure:
        axes = figure.subplots()
        means = _draw_means(axes, swept, measure, x, by, closed_form)
        axes.set_xlabel(x_label or x)
        axes.set_ylabel(y_label or measure)
        axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))  # so that heights can be compared
        title = question or f"How does {measure} depend on {x}?"
        if (means["mean"].dropna() % 1 == 0).all() and means["mean"].max() > 1:
            axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        layout.explain(axes, title, _answer(means, x, by))
    return figure


def plot_policies(swept: Sweep) -> Figure:
    """How far can a lying leader move the price? The worst displacement by what voters check.

    The sweep is over ``prices.voter_policy`` and ``prices.aggregator``, with the measure
    ``worst_bp``: such as that of :func:`~streamlet_lab.studies.lying_leader`.
    """
    x, by = "prices.voter_policy", "prices.aggregator"
    check_varied(swept, x=x, by=by)
    with new_chart(9, 4.8) as figure:
        axes = figure.subplots()
        means = _draw_means(axes, swept, "worst_bp", x, by)
        axes.set_xlabel("What voters check of a leader's claim")
        axes.set_ylabel("Worst displacement of a final price (basis points)")
        axes.set_yscale("log", nonpositive="clip")  # an interval may reach to zero
        layout.powers(axes.yaxis)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.6g}")
        values = means[["mean", "low", "high"]].to_numpy()
        seen = values[values > 0]
        if len(seen):
            axes.set_ylim(seen.min() / _ROOM, seen.max() * _ROOM)
        answer = _answer(means, x, by, " bp")
        layout.explain(axes, "How far can a lying leader move the price?", answer)
    return figure


def plot_denial(
    swept: Sweep,
    by: str = "prices.aggregator",
    band_percent: float = 5,
    spread_percent: float = 0.5,
) -> Figure:
    """What does a displaced price cost? Fair orders denied as outside the band, by displacement.

    The sweep has the measures ``mean_bp`` and ``denied``, as has that of
    :func:`~streamlet_lab.studies.denied_trades`; `by` is the varied setting that tells series
    apart, at most six. For the percentages see :func:`~streamlet_lab.theory.denied_share`.
    """
    to_name(by, check_sweep(swept).settings, "by")
    means, places = swept.means("denied", "mean_bp"), [*swept.settings]
    denied, displaced = (own.set_index(places) for own in by_measure(means).values())
    means = denied.assign(displacement_bp=displaced["mean"]).reset_index()
    parts = series_of(means, by)
    expected = partial(denied_share, band_percent=band_percent, spread_percent=spread_percent)
    largest = max(means["displacement_bp"].max(), _BEYOND * _BP * band_percent / 100)
    grid = np.linspace(0, largest if np.isfinite(largest) else 1, _DENIAL_GRID)
    answer = "no fair order was sent"
    measured = means.dropna(subset=["mean", "displacement_bp"])
    if not measured.empty:
        worst = measured.sort_values("mean", kind="stable").iloc[-1]
        place = float(worst["displacement_bp"])
        answer = (
            f"up to {worst['mean']:.0%} of the fair orders denied, at {place:,.0f} bp "
            f"(closed form: {expected(place):.0%}); "
            f"band ±{layout.percent(band_percent)}; {intervals_in_words(measured)}"
        )
    with new_chart(9, 5) as figure:
        axes = figure.subplots()
        # No price can be pushed down to nothing.
        for way, pushed, dashes in (("up", grid, "--"), ("down", -grid[grid < _BP], ":")):
            look = {**style.CLOSED_FORM, "linestyle": dashes, "zorder": 2}
            label = f"closed form, price pushed {way}"
            axes.plot(np.abs(pushed), [*map(expected, pushed)], label=label, **look)
        for (value, own), shape in zip(parts.items(), style.SERIES, strict=False):
            marks = {**shape, "linestyle": "none", "capsize": 3, "label": series_name(by, value)}
            axes.errorbar(own["displacement_bp"], own["mean"], margins(own), **marks)
        axes.set_xlabel("Mean distance of the final price from the true one (basis points)")
        axes.set_ylabel("Fair orders denied, outside the band")
        axes.yaxis.set_major_formatter(layout.share_as_percent)
        axes.set_ylim(-0.03, 1.03)
        question = "What does a displaced price cost whoever asks a fair one?"
        layout.explain(axes, question, answer)
    return figure


def check_sweep(swept: Sweep) -> Sweep:
    """Return the sweep if it is one."""
    if not isinstance(swept, Sweep):
        raise InvalidInput("swept", type(swept).__name__, "what sweep returned")
    return swept


def check_varied(swept: Sweep, **chosen: str | None) -> None:
    """Refuse settings for a chart's parts, by name, that are not exactly those that were varied."""
    names = [name for name in chosen.values() if name is not None]
    if sorted(map(str, names)) != sorted(check_sweep(swept).settings):
        expected = f"what was varied: {', '.join(swept.settings)}"
        raise InvalidInput(", ".join(chosen), names, expected)


def by_measure(means: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the means of each measure."""
    return {str(measure): own for measure, own in means.groupby("measure", sort=False)}


def series_of(means: pd.DataFrame, by: str | None) -> dict[Any, pd.DataFrame]:
    """Return the rows of every value of a setting, if there are not more than can be told apart."""
    parts = {None: means} if by is None else dict(list(means.groupby(by, sort=False)))
    if len(parts) > len(style.SERIES):
        raise InvalidInput("by", by, f"a setting with at most {len(style.SERIES)} values")
    return parts


def series_name(by: str | None, value: object) -> str:
    """Name the means of one value of a setting."""
    return "simulation" if by is None else layout.spaced(f"{by.rpartition('.')[2]} = {value}")


def margins(means: pd.DataFrame, middle: str = "mean") -> list["pd.Series[float]"]:
    """Return the two margins of intervals, as errorbars take them."""
    return [means[middle] - means["low"], means["high"] - means[middle]]


def draw_series(
    axes: Axes,
    parts: Mapping[str, pd.DataFrame],
    x: str,
    curves: "Mapping[str, pd.Series[float]]",
    *,
    joined: bool = False,
) -> None:
    """Draw series of means with intervals over a setting, and curves over it, by their labels.

    Numbers have places on the x-axis; other values are labels, at which the series stand side by
    side, and a curve is a step at each.
    """
    values = pd.concat([part[x] for part in parts.values()]).drop_duplicates()
    is_numeric = values.dtype.kind in "iuf"
    for number, (label, part) in enumerate(parts.items()):
        places = part[x]
        if not is_numeric:
            beside = _APART * (number - (len(parts) - 1) / 2)
            places = places.map(list(values).index) + beside
        line = {} if joined and is_numeric else {"linestyle": "none"}
        look = {**style.SERIES[number], **line, "label": label, "capsize": 3}
        drawn = axes.errorbar(places, part["mean"], margins(part), **look)
        if is_numeric:  # so that no interval lies on another
            aside = layout.shifted(axes, _ASIDE * (number - (len(parts) - 1) / 2), 0)
            for artist in drawn.get_children():
                artist.set_transform(axes.transData + aside)
    for (label, curve), dashes in zip(curves.items(), style.FORM_DASHES, strict=False):
        look = {**style.CLOSED_FORM, "linestyle": dashes, "zorder": 2, "label": label}
        if is_numeric:
            # Between few whole numbers nothing is expected.
            few = curve.index.dtype.kind in "iu" and len(curve) <= _FEW
            axes.plot(curve, drawstyle="steps-mid" if few else "default", **look)
        else:
            steps = np.arange(len(values))
            axes.hlines(curve.reindex(values), steps - _REACH, steps + _REACH, **look)
    if is_numeric:
        axes.margins(x=0.03)
        if values.dtype.kind in "iu":
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
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


def _draw_means(
    axes: Axes,
    swept: Sweep,
    measure: str,
    x: str,
    by: str | None,
    closed_form: ClosedForm | Mapping[Any, ClosedForm] | None = None,
) -> pd.DataFrame:
    """Draw the means of a sweep, and return them with what is ``expected``."""
    means = swept.means(measure).assign(expected=np.nan)
    parts, values = series_of(means, by), means[x].drop_duplicates()
    curves: dict[str, pd.Series[float]] = {}
    if isinstance(closed_form, Mapping):
        for value, form in closed_form.items():
            if value not in parts:
                raise InvalidInput("closed_form", value, one_of(value, parts))
            means.loc[parts[value].index, "expected"] = _evaluate(form, parts[value][x])
            curves[f"closed form, {series_name(by, value)}"] = _curve(form, values)
    elif closed_form is not None:
        means["expected"] = _evaluate(closed_form, means[x])
        curves["closed form"] = _curve(closed_form, values)
    named = {series_name(by, value): part for value, part in parts.items()}
    draw_series(axes, named, x, curves, joined=not curves)
    return means


def _evaluate(form: ClosedForm, places: Iterable[Any]) -> NDArray[np.float64]:
    return np.array([form(place) for place in places], dtype=float)


def _curve(form: ClosedForm, values: "pd.Series[Any]") -> "pd.Series[float]":
    """Evaluate a closed form between numbers, or at each label."""
    places: Any = values
    if values.dtype.kind in "iu":
        places = np.arange(values.min(), values.max() + 1)
    elif values.dtype.kind == "f":
        places = np.linspace(values.min(), values.max(), _GRID)
    return pd.Series(_evaluate(form, places), places)


def _answer(means: pd.DataFrame, x: str, by: str | None, unit: str = "") -> str:
    if means["mean"].isna().all():
        return "no run has this measure"
    places = means[x].astype(str)
    if by is not None:
        places += " (" + means[by].astype(str) + ")"
    values = means["mean"].set_axis(places.str.replace("\n", " "))
    answer = series.extremes(values, lambda mean: f"{mean:,.4g}{unit}")
    judged = means.dropna(subset=["low", "expected"])
    if judged.empty:
        return f"{answer}; {intervals_in_words(means)}"
    low, high = judged["low"] - _ROUNDING, judged["high"] + _ROUNDING
    hold = judged["expected"].between(low, high).sum()
    runs = _runs_in_words(means)
    return f"{answer}; closed form in {hold} of {len(judged)} intervals (95 %, {runs})"


def _runs_in_words(means: pd.DataFrame) -> str:
    least, most = means["n"].min(), means["n"].max()
    return f"{most} runs each" if least == most else f"{least} to {most} runs each"
