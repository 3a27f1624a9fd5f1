"""The chart of denied trades: what does a displaced price cost whoever asks a fair one?"""

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from streamlet_lab.charts import style
from streamlet_lab.charts.figures import Page
from streamlet_lab.charts.layout import head, legend_below, percent
from streamlet_lab.charts.plots import _plot
from streamlet_lab.charts.sweeps import intervals_in_words
from streamlet_lab.errors import InvalidInput
from streamlet_lab.grid import Sweep
from streamlet_lab.theory import outside_band_share
from streamlet_lab.units import to_number

_SIZE: Final = (9, 5)
_GRID: Final = 600
# The curve is drawn beyond the displacement that reaches the edge of the band.
_BEYOND: Final = 1.4
_BP: Final = 10_000


@dataclass(frozen=True, slots=True)
class Flow:
    """Fair limit orders, and the band that they meet.

    Parameters
    ----------
    band_percent : float
        Largest deviation from the reference, above 0.
    spread_percent : float
        Standard deviation of limit prices around the true one, at least 0.

    Raises
    ------
    InvalidInput
        If one is no such number.
    """

    band_percent: float = 5
    spread_percent: float = 0.5

    def __post_init__(self) -> None:
        to_number(self.band_percent, 0, math.inf, "band_percent", above=True)
        to_number(self.spread_percent, 0, math.inf, "spread_percent")


_DEFAULT: Final = Flow()


def denied_share(displacement_bp: float, flow: Flow = _DEFAULT) -> float:
    """Return which share of fair limit orders a band around a displaced price stops.

    See :func:`~streamlet_lab.theory.outside_band_share`.

    Parameters
    ----------
    displacement_bp : float
        How far the reference is above the true price, in basis points of it: above −10,000.
    flow : Flow
        The orders; those of zero-intelligence traders unless given.

    Raises
    ------
    InvalidInput
        If the displacement is not above −10,000, or not finite.

    Examples
    --------
    >>> round(denied_share(10_000 / 19), 3)  # one liar of three against the mean
    0.5
    """
    displaced = to_number(displacement_bp, -_BP, math.inf, "displacement_bp", above=True)
    return outside_band_share(displaced / _BP, flow.band_percent / 100, flow.spread_percent / 100)


def plot_denial(swept: Sweep, by: str = "prices.aggregator", flow: Flow = _DEFAULT) -> Figure:
    """What does a displaced price cost? Fair orders denied as outside the band, by displacement.

    Parameters
    ----------
    swept : Sweep
        With the measures ``mean_bp`` and ``denied``, such as that of
        :func:`~streamlet_lab.studies.denied_trades`.
    by : str
        The varied setting that tells series apart, at most six.
    flow : Flow
        That of the sweep; the default one unless given.

    Raises
    ------
    InvalidInput
        If it is no sweep, or has no such setting or measure, or too many series.
    """
    if not isinstance(swept, Sweep):
        raise InvalidInput("swept", type(swept).__name__, "what sweep returned")
    if by not in swept.settings:
        raise InvalidInput("by", by, f"one of {', '.join(swept.settings)}")
    settings = list(swept.settings)
    means = swept.means("denied").merge(swept.means("mean_bp")[[*settings, "mean"]], on=settings)
    means = means.rename(columns={"mean_x": "denied", "mean_y": "displacement_bp"})
    if means[by].nunique() > len(style.SERIES):
        raise InvalidInput("by", by, f"a setting with at most {len(style.SERIES)} values")

    def draw(figure: Figure, means: pd.DataFrame) -> None:
        axes = figure.subplots()
        _draw_forms(axes, float(means["displacement_bp"].max()), flow)
        groups = means.groupby(by, sort=False)
        for (name, own), look in zip(groups, style.SERIES, strict=False):
            margins = [own["denied"] - own["low"], own["high"] - own["denied"]]
            axes.errorbar(
                own["displacement_bp"],
                own["denied"],
                margins,
                capsize=3,
                label=_named(by, name),
                **{**look, "linestyle": "none"},
            )
        axes.set_xlabel("Mean distance of the final price from the true one (basis points)")
        axes.set_ylabel("Fair orders denied, outside the band")
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.set_ylim(-0.03, 1.03)
        legend_below(axes)
        question = "What does a displaced price cost whoever asks a fair one?"
        head(axes, question, _answer(means, by, flow))

    return _plot(Page(_SIZE, draw), means)


def _draw_forms(axes: Axes, largest: float, flow: Flow) -> None:
    """Draw the closed form for both directions: the band is relative, so that they differ."""
    end = max(largest, _BEYOND * _BP * flow.band_percent / 100)
    grid = np.linspace(0, end if np.isfinite(end) else 1, _GRID)
    for sign, label, dashes in ((1, "pushed up", "--"), (-1, "pushed down", ":")):
        # No price can be pushed down to nothing.
        places = grid if sign > 0 else grid[grid < _BP]
        values = [denied_share(sign * place, flow) for place in places]
        look = {**style.CLOSED_FORM, "linestyle": dashes, "zorder": 2}
        axes.plot(places, values, label=f"closed form, price {label}", **look)


def _answer(means: pd.DataFrame, by: str, flow: Flow) -> str:
    measured = means.dropna(subset=["denied", "displacement_bp"])
    if measured.empty:
        return "no fair order was sent"
    worst = measured.sort_values("denied", kind="stable").iloc[-1]
    place = float(worst["displacement_bp"])
    return (
        f"{_named(by, worst[by])}: {worst['denied']:.0%} of the fair orders denied at "
        f"{place:,.0f} bp (closed form up: {denied_share(place, flow):.0%}); "
        f"band ±{percent(Decimal(str(flow.band_percent)))}; {intervals_in_words(measured)}"
    )


def _named(by: str, value: object) -> str:
    return f"{by.rpartition('.')[2]} = {value}"
