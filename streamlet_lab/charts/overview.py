"""The overview: four charts on one page."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from streamlet_lab.charts.final_prices import draw_prices
from streamlet_lab.charts.latency import draw_latency
from streamlet_lab.charts.rejections import draw_rejections
from streamlet_lab.charts.vwap import draw_vwap
from streamlet_lab.result import Result


def draw_overview(axes: Any, result: Result, symbol: str | None = None) -> None:
    """Draw prices, latency, VWAP and rejections on four axes; what they showed is replaced."""
    prices, latency, vwap, rejections = panels = np.ravel(axes)
    for panel in panels:
        _wipe(panel)
    draw_prices(prices, result, symbol)
    draw_latency(latency, result)
    draw_vwap(vwap, result, symbol)
    draw_rejections(rejections, result, symbol)


def _wipe(axes: Axes) -> None:
    """Remove what was drawn; unlike ``clear``, keep the ticks, which cost a third of a redraw."""
    for artist in [*axes.lines, *axes.collections, *axes.patches, *axes.texts, *axes.child_axes]:
        artist.remove()
    axes.relim()
    axes.autoscale()
