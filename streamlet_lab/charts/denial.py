"""The chart of denied trades: what does a displaced price cost whoever asks a fair one?"""

from functools import partial
from typing import Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from streamlet_lab.charts import layout, style
from streamlet_lab.charts.figures import new_chart
from streamlet_lab.charts.sweeps import (
    check_sweep,
    intervals_in_words,
    margins,
    series_name,
    series_of,
)
from streamlet_lab.errors import InvalidInput
from streamlet_lab.grid import Sweep
from streamlet_lab.theory import denied_share

_GRID: Final = 600
# The curve is drawn beyond the displacement that reaches the edge of the band.
_BEYOND: Final = 1.4
_BP: Final = 10_000


def plot_denial(
    swept: Sweep,
    by: str = "prices.aggregator",
    band_percent: float = 5,
    spread_percent: float = 0.5,
) -> Figure:
    """What does a displaced price cost? Fair orders denied as outside the band, by displacement.

    Parameters
    ----------
    swept : Sweep
        With the measures ``mean_bp`` and ``denied``, such as that of
        :func:`~streamlet_lab.studies.denied_trades`.
    by : str
        The varied setting that tells series apart, at most six.
    band_percent, spread_percent : float
        See :func:`~streamlet_lab.theory.denied_share`.
    """
    if by not in check_sweep(swept).settings:
        raise InvalidInput("by", by, f"one of {', '.join(swept.settings)}")
    settings = list(swept.settings)
    means = swept.means("denied").merge(swept.means("mean_bp")[[*settings, "mean"]], on=settings)
    means = means.rename(columns={"mean_x": "denied", "mean_y": "displacement_bp"})
    parts = series_of(means, by)
    expected = partial(denied_share, band_percent=band_percent, spread_percent=spread_percent)
    largest = max(means["displacement_bp"].max(), _BEYOND * _BP * band_percent / 100)
    grid = np.linspace(0, largest if np.isfinite(largest) else 1, _GRID)
    answer = "no fair order was sent"
    measured = means.dropna(subset=["denied", "displacement_bp"])
    if not measured.empty:
        worst = measured.sort_values("denied", kind="stable").iloc[-1]
        place = float(worst["displacement_bp"])
        answer = (
            f"{series_name(by, worst[by])}: {worst['denied']:.0%} of the fair orders denied at "
            f"{place:,.0f} bp (closed form up: {expected(place):.0%}); "
            f"band ±{layout.percent(band_percent)}; {intervals_in_words(measured)}"
        )
    with new_chart(9, 5) as figure:
        axes = figure.subplots()
        # No price can be pushed down to nothing.
        for way, places, dashes in (("up", grid, "--"), ("down", -grid[grid < _BP], ":")):
            look = {**style.CLOSED_FORM, "linestyle": dashes, "zorder": 2}
            label = f"closed form, price pushed {way}"
            axes.plot(np.abs(places), [*map(expected, places)], label=label, **look)
        for (value, own), shape in zip(parts.items(), style.SERIES, strict=False):
            marks = {**shape, "linestyle": "none", "capsize": 3, "label": series_name(by, value)}
            axes.errorbar(own["displacement_bp"], own["denied"], margins(own, "denied"), **marks)
        axes.set_xlabel("Mean distance of the final price from the true one (basis points)")
        axes.set_ylabel("Fair orders denied, outside the band")
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.set_ylim(-0.03, 1.03)
        question = "What does a displaced price cost whoever asks a fair one?"
        layout.explain(axes, question, answer)
    return figure
