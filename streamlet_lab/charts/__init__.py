"""Charts of a result, in matplotlib and one style.

The ``draw_…`` functions draw on axes that they are given, so that notebook, command line and
widgets show the same thing; :class:`Plots` puts them on pyplot figures and :func:`save_charts` into
files. :mod:`~streamlet_lab.charts.series` gives everything that a chart shows as a frame.
"""

from streamlet_lab.charts.figures import draw_overview
from streamlet_lab.charts.latency import draw_latency
from streamlet_lab.charts.plots import Plots, plot_protocol
from streamlet_lab.charts.png import save_charts, save_protocol_chart, to_png
from streamlet_lab.charts.prices import draw_prices
from streamlet_lab.charts.protocol import draw_protocol
from streamlet_lab.charts.rejections import draw_rejections
from streamlet_lab.charts.style import STYLE
from streamlet_lab.charts.vwap import draw_vwap

__all__ = [
    "STYLE",
    "Plots",
    "draw_latency",
    "draw_overview",
    "draw_prices",
    "draw_protocol",
    "draw_rejections",
    "draw_vwap",
    "plot_protocol",
    "save_charts",
    "save_protocol_chart",
    "to_png",
]
