"""Charts of what a band costs: by the age of its reference, and from band to band."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from streamlet_lab.charts import layout, style
from streamlet_lab.charts.band import BAND_NAMES
from streamlet_lab.charts.layout import new_chart
from streamlet_lab.charts.sweeps import (
    by_measure,
    check_sweep,
    draw_series,
    intervals_in_words,
    margins,
)
from streamlet_lab.errors import InvalidInput
from streamlet_lab.grid import Sweep

_RATE: Final = "fair_stopped_rate"
_UNFAIR: Final = "unfair_trade_rate"
#: Measures of :func:`~streamlet_lab.studies.staleness_numbers`: in runs, and as formulas have them.
_MEASURED: Final[Mapping[str, str]] = {
    _RATE: "stopped, for whatever reason",
    "entry_rate": "refused at entry by a reference",
    "implied_rate": "implied by the references' ages",
}
_EXPECTED: Final[Mapping[str, str]] = {
    "diffusion_rate": "diffusion of these ages, outside",
    "first_passage_rate": "first passage by these ages",
}
#: What the settings of :func:`~streamlet_lab.studies.staleness` are called on an axis.
_LABELS: Final[Mapping[str, str]] = {
    "network.median_delay": "Median delay of a link (s)",
    "faults": "Silent leaders",
    "prices.volatility": "Volatility (factor of all returns)",
    "market_time_per_epoch": "Market time of an epoch (s)",
    "epoch_length": "Length of an epoch (s of protocol time)",
}

_BAND: Final = "market.band"
#: What a band costs: the panels, and in each the measures by what they are called there.
_COSTS: Final[Mapping[str, Mapping[str, str]]] = {
    "Of limit orders with a fair price": {_RATE: "stopped", "repriced_share": "moved to the edge"},
    "Trades at an unfair price, of all trades": {_UNFAIR: ""},
    "Stopped, of all orders": {
        "refused_share": "as they came",
        "swept_share": "out of the book later",
    },
}
_NAMES: Final = {**BAND_NAMES, "trade_only": "at the trade only", "clip": "clip to the edge"}
# Rows are 1 apart; how far then are the marks of one band?
_APART: Final = 0.24
# Of the width of a panel: a mark at zero is to be whole.
_BEFORE_ZERO: Final = 0.03
_LEFT, _PANEL, _ROW, _AROUND = 1.7, 3.1, 0.5, 2.1  # inches


def plot_staleness(swept: Sweep) -> Figure:
    """What does a stale reference cost? Fair orders stopped by what makes it old, beside formulas.

    The sweep is over one setting, with the measure ``fair_stopped_rate``. Those of
    :func:`~streamlet_lab.studies.staleness_numbers` that it has too are drawn beside it:
    ``entry_rate``, ``implied_rate``, ``diffusion_rate`` and ``first_passage_rate``.
    """
    setting = _only_setting(swept)
    known = {*swept.measures, _RATE}
    means = swept.means(*(name for name in (*_MEASURED, *_EXPECTED) if name in known))
    tables = by_measure(means)
    shown = {label: tables[name] for name, label in _MEASURED.items() if name in tables}
    formulas = {
        label: tables[name].set_index(setting)["mean"]
        for name, label in _EXPECTED.items()
        if name in tables
    }
    with new_chart(9, 5.2) as figure:
        axes = figure.subplots()
        draw_series(axes, shown, setting, formulas)
        axes.set_xlabel(_LABELS.get(setting, setting))
        axes.set_ylabel("Share of the limit orders with a fair price")
        axes.yaxis.set_major_formatter(layout.share_as_percent)
        axes.set_ylim(bottom=0)
        layout.explain(axes, "What does a stale reference cost?", _cost(tables))
    return figure


def plot_bands(swept: Sweep) -> Figure:
    """What does each band cost, and what does it let through? Three rates side by side.

    The sweep is over ``market.band`` alone, with the measures ``fair_stopped_rate``,
    ``repriced_share``, ``unfair_trade_rate``, ``refused_share`` and ``swept_share``, as
    :func:`~streamlet_lab.studies.compare_bands` has them.
    """
    _only_setting(swept, _BAND)
    means = swept.means(*(measure for measures in _COSTS.values() for measure in measures))
    bands, tables = list(means[_BAND].drop_duplicates()), by_measure(means)
    size = (_LEFT + _PANEL * len(_COSTS), _AROUND + _ROW * max(len(bands), 3))
    looks = iter(style.SERIES)
    with new_chart(*size) as figure:
        panels = figure.subplots(1, len(_COSTS), sharey=True)
        for axes, (what, measures) in zip(panels, _COSTS.items(), strict=True):
            for number, (measure, label) in enumerate(measures.items()):
                own = tables[measure]
                rows = np.arange(len(own)) + _APART * (number - (len(measures) - 1) / 2)
                look = {**next(looks), "linestyle": "none", "capsize": 3}
                axes.errorbar(own["mean"], rows, xerr=margins(own), label=label or None, **look)
            axes.set_xlabel(what)
            axes.margins(x=0.05)
            axes.set_xlim(left=-_BEFORE_ZERO * axes.get_xlim()[1])
            axes.xaxis.set_major_locator(MaxNLocator(5))
            axes.xaxis.set_major_formatter(layout.share_as_percent)
            if all(measures.values()):
                layout.legend_below(axes)
        first = panels[0]
        names = [_NAMES.get(str(band), layout.spaced(band)) for band in bands]
        first.set_yticks(range(len(bands)), names)
        first.set_ylim(len(bands) - 0.5, -0.5)
        question = "What does each band cost, and what does it let through?"
        answer = layout.head(first, question, _compared(tables))
        answer.set_in_layout(False)  # it goes over all panels
    return figure


def _only_setting(swept: Sweep, name: str | None = None) -> str:
    if len(check_sweep(swept).settings) != 1 or name not in (None, *swept.settings):
        what = f"over {name} alone" if name else "over one setting"
        raise InvalidInput("swept", ", ".join(swept.settings), f"a sweep {what}")
    return swept.settings[0]


def _cost(tables: Mapping[str, pd.DataFrame]) -> str:
    rates = tables[_RATE]
    if rates["mean"].isna().all():
        return "no run has an order with a fair price"
    parts = [f"fair orders stopped from {rates['mean'].min():.1%} to {rates['mean'].max():.1%}"]
    if {"entry_rate", "implied_rate"} <= {*tables}:
        gaps = tables["entry_rate"]["mean"].to_numpy() - tables["implied_rate"]["mean"].to_numpy()
        off = 100 * float(pd.Series(gaps).abs().max())
        parts.append(f"at entry within {off:.2g} points of the ages' share")
    return "; ".join([*parts, intervals_in_words(rates)])


def _compared(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say how far the bands are apart; which is better, only paired differences can tell."""
    parts = []
    for measure, what in ((_RATE, "fair orders stopped"), (_UNFAIR, "trades at an unfair price")):
        shares = tables[measure]["mean"].dropna()
        if not shares.empty:
            parts.append(f"{what}: {shares.min():.1%} to {shares.max():.1%}")
    return "; ".join([*parts, intervals_in_words(tables[_RATE])])
