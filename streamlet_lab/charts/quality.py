"""Charts of what a band costs: by the age of its reference, and from band to band."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from streamlet_lab.charts import style
from streamlet_lab.charts.band import BAND_NAMES
from streamlet_lab.charts.figures import Page
from streamlet_lab.charts.layout import head, legend_below
from streamlet_lab.charts.plots import _plot
from streamlet_lab.charts.sweeps import (
    draw_form,
    intervals_in_words,
    is_numeric,
    name_values,
    side_by_side,
)
from streamlet_lab.errors import InvalidInput
from streamlet_lab.grid import Sweep

#: From a value of the varied setting to a share, or a frame with the columns ``x`` and ``y``.
Curve = Callable[[Any], Any] | pd.DataFrame

#: Measures of :func:`~streamlet_lab.studies.staleness_numbers`: in runs, and as formulas have them.
_MEASURED: Final[Mapping[str, str]] = {
    "fair_stopped_rate": "stopped, for whatever reason",
    "entry_rate": "refused at entry by a reference",
    "implied_rate": "implied by the references' ages",
}
#: What the settings of :func:`~streamlet_lab.studies.staleness` are called on an axis.
_LABELS: Final[Mapping[str, str]] = {
    "network.median_delay": "Median delay of a link (s)",
    "faults": "Silent leaders",
    "prices.volatility": "Volatility (factor of all returns)",
    "market_time_per_epoch": "Market time of an epoch (s)",
    "epoch_length": "Length of an epoch (s of protocol time)",
}
_EXPECTED: Final[Mapping[str, str]] = {
    "diffusion_rate": "diffusion of these ages, outside",
    "first_passage_rate": "first passage by these ages",
}
_RATE: Final = "fair_stopped_rate"
_UNFAIR: Final = "unfair_trade_rate"
_ENTRY: Final = "entry_rate"
_IMPLIED: Final = "implied_rate"
_SIZE: Final = (9, 5.2)

_BAND: Final = "market.band"
#: What a band costs: the panels, and in each the measures by what they are called there.
_COSTS: Final[Mapping[str, Mapping[str, str]]] = {
    "Of limit orders with a fair price": {
        _RATE: "stopped",
        "repriced_share": "moved to the edge",
    },
    "Trades at an unfair price, of all trades": {_UNFAIR: ""},
    "Stopped, of all orders": {
        "refused_share": "as they came",
        "swept_share": "out of the book later",
    },
}
_NAMES: Final[Mapping[str, str]] = {
    **BAND_NAMES,
    "trade_only": "at the trade only",
    "clip": "clip to the edge",
}
# Rows are 1 apart; how far then are the marks of one band?
_APART: Final = 0.24
# Of the width of a panel: a mark at zero is to be whole.
_BEFORE_ZERO: Final = 0.03
_LEFT, _PANEL, _ROW, _AROUND = 1.7, 3.1, 0.5, 2.1  # inches


def plot_staleness(
    swept: Sweep,
    x: str | None = None,
    *,
    curves: Mapping[str, Curve] | None = None,
    question: str | None = None,
    x_label: str | None = None,
) -> Figure:
    """What does a stale reference cost? Fair orders stopped by what makes it old, beside formulas.

    Parameters
    ----------
    swept : Sweep
        With the measure ``fair_stopped_rate``. Those of
        :func:`~streamlet_lab.studies.staleness_numbers` that it has too are drawn beside it:
        ``entry_rate``, ``implied_rate``, ``diffusion_rate`` and ``first_passage_rate``.
    x : str, optional
        The varied setting; the only one by default, and there may be no other.
    curves : mapping of str to callable or DataFrame, optional
        What else is expected, by name: from a value of the setting to a share, or a frame with the
        columns ``x`` and ``y``. At most four.
    question, x_label : str, optional
        The title, and what the x-axis shows with its unit; for a setting that
        :func:`~streamlet_lab.studies.staleness` does not vary, its name by default.

    Raises
    ------
    InvalidInput
        If it is no sweep of that setting alone or has no such measure, or a curve is no such thing.

    Examples
    --------
    >>> from streamlet_lab import sweep
    >>> swept = sweep(
    ...     {"epochs": 12, "signatures": "none"},
    ...     {"prices.volatility": [1, 2]},
    ...     repeats=2,
    ...     measure=lambda result: result.market_numbers,
    ... )
    >>> plot_staleness(swept).axes[0].get_ylabel()
    'Share of the limit orders with a fair price'
    """
    setting = _only_setting(swept, x)
    given = _check_curves(curves or {})
    known = [name for name in (*_MEASURED, *_EXPECTED) if name in swept.measures]
    means = swept.means(_RATE, *(name for name in known if name != _RATE))

    def draw(figure: Figure, means: pd.DataFrame) -> None:
        axes, tables = figure.subplots(), _by_measure(means)
        values = tables[_RATE][setting]
        shown = [name for name in _MEASURED if name in tables]
        for number, name in enumerate(shown):
            own = tables[name]
            margins = [own["mean"] - own["low"], own["high"] - own["mean"]]
            look = {**style.SERIES[number], "linestyle": "none"}
            places = side_by_side(own[setting], values, number, len(shown))
            axes.errorbar(places, own["mean"], margins, capsize=3, label=_MEASURED[name], **look)
        expected: dict[str, Curve] = {
            label: tables[name].rename(columns={setting: "x", "mean": "y"})
            for name, label in _EXPECTED.items()
            if name in tables
        }
        curves = {**expected, **given}
        for (label, curve), dashes in zip(curves.items(), style.FORM_DASHES, strict=False):
            look = {**style.CLOSED_FORM, "linestyle": dashes, "zorder": 2, "label": label}
            _draw_expected(axes, curve, values, look)
        name_values(axes, values)
        axes.set_xlabel(x_label or _LABELS.get(setting, setting))
        axes.set_ylabel("Share of the limit orders with a fair price")
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.set_ylim(bottom=0)
        legend_below(axes)
        head(axes, question or "What does a stale reference cost?", _answer(tables))

    return _plot(Page(_SIZE, draw), means)


def plot_bands(swept: Sweep) -> Figure:
    """What does each band cost, and what does it let through? Three rates side by side.

    Parameters
    ----------
    swept : Sweep
        Over ``market.band`` alone, with the measures ``fair_stopped_rate``, ``repriced_share``,
        ``unfair_trade_rate``, ``refused_share`` and ``swept_share``, as
        :func:`~streamlet_lab.studies.compare_bands` has them.

    Raises
    ------
    InvalidInput
        If it is no such sweep.
    """
    _only_setting(swept, _BAND)
    means = swept.means(*(measure for measures in _COSTS.values() for measure in measures))
    bands = list(means[_BAND].drop_duplicates())
    size = (_LEFT + _PANEL * len(_COSTS), _AROUND + _ROW * max(len(bands), 3))

    def draw(figure: Figure, means: pd.DataFrame) -> None:
        tables = _by_measure(means)
        panels = figure.subplots(1, len(_COSTS), sharey=True)
        looks = iter(style.SERIES)
        for axes, (what, measures) in zip(panels, _COSTS.items(), strict=True):
            for number, (measure, label) in enumerate(measures.items()):
                own = tables[measure]
                margins = [own["mean"] - own["low"], own["high"] - own["mean"]]
                rows = np.arange(len(own)) + _APART * (number - (len(measures) - 1) / 2)
                look = {**next(looks), "linestyle": "none", "capsize": 3}
                axes.errorbar(own["mean"], rows, xerr=margins, label=label or None, **look)
            axes.set_xlabel(what)
            axes.margins(x=0.05)
            axes.set_xlim(left=-_BEFORE_ZERO * axes.get_xlim()[1])
            axes.xaxis.set_major_locator(MaxNLocator(5))
            axes.xaxis.set_major_formatter(PercentFormatter(1))
            if all(measures.values()):
                legend_below(axes)
        first = panels[0]
        first.set_yticks(range(len(bands)), [_band_name(band) for band in bands])
        first.set_ylim(len(bands) - 0.5, -0.5)
        question = "What does each band cost, and what does it let through?"
        answer = head(first, question, _compared(tables))
        answer.set_in_layout(False)  # it goes over all panels

    return _plot(Page(size, draw), means)


def _only_setting(swept: Sweep, name: str | None) -> str:
    if not isinstance(swept, Sweep):
        raise InvalidInput("swept", type(swept).__name__, "what sweep returned")
    if len(swept.settings) != 1 or name not in (None, *swept.settings):
        what = f"over {name} alone" if name else "over one setting"
        raise InvalidInput("swept", ", ".join(swept.settings), f"a sweep {what}")
    return swept.settings[0]


def _by_measure(means: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {str(measure): own for measure, own in means.groupby("measure", sort=False)}


def _check_curves(curves: Mapping[str, Curve]) -> Mapping[str, Curve]:
    if len(curves) > len(style.FORM_DASHES) - len(_EXPECTED):
        raise InvalidInput("curves", list(curves), "at most four")
    for name, curve in curves.items():
        is_frame = isinstance(curve, pd.DataFrame) and {"x", "y"} <= {*curve}
        if not is_frame and not callable(curve):
            expected = "a function, or a frame with the columns x and y"
            raise InvalidInput(f"curves[{name!r}]", type(curve).__name__, expected)
    return curves


def _draw_expected(axes: Axes, curve: Curve, values: "pd.Series[Any]", look: style.Look) -> None:
    if not isinstance(curve, pd.DataFrame):
        draw_form(axes, curve, values, look)
    elif is_numeric(values):
        axes.plot(curve["x"], curve["y"], **look)
    else:
        draw_form(axes, dict(zip(curve["x"], curve["y"], strict=True)).get, values, look)


def _answer(tables: Mapping[str, pd.DataFrame]) -> str:
    rates = tables[_RATE]
    if rates["mean"].isna().all():
        return "no run has an order with a fair price"
    parts = [f"fair orders stopped from {rates['mean'].min():.1%} to {rates['mean'].max():.1%}"]
    if _ENTRY in tables and _IMPLIED in tables:
        gaps = tables[_ENTRY]["mean"].to_numpy() - tables[_IMPLIED]["mean"].to_numpy()
        off = 100 * float(pd.Series(gaps).abs().max())
        parts.append(f"at entry off by at most {off:.2g} points from what the ages imply")
    return "; ".join([*parts, intervals_in_words(rates)])


def _compared(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say how far the bands are apart; which is better, only paired differences can tell."""
    parts = []
    for measure, what in ((_RATE, "fair orders stopped"), (_UNFAIR, "trades at an unfair price")):
        shares = tables[measure]["mean"].dropna()
        if not shares.empty:
            parts.append(f"{what}: {shares.min():.1%} to {shares.max():.1%}")
    return "; ".join([*parts, intervals_in_words(tables[_RATE])])


def _band_name(band: object) -> str:
    return _NAMES.get(str(band), str(band).replace("_", " "))
