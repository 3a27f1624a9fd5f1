"""Charts in matplotlib and one style.

A chart of a run is a function in a file of its own, ``draw_…(axes, run, …)``, which draws on axes
that it is given. Listed in :class:`~streamlet_lab.charts.plots.Plots`, it is a method of
``run.plot``, a picture of the explorer and, if it is to be saved, a file of :func:`save_charts`.
The ``plot_…`` functions show sweeps and studies, each on a pyplot figure.
:mod:`~streamlet_lab.charts.series` gives what the charts of a market show as frames.
"""

from streamlet_lab.charts.blocktree import draw_block_tree
from streamlet_lab.charts.book import draw_book
from streamlet_lab.charts.denial import plot_denial
from streamlet_lab.charts.displacement import plot_displacement, plot_push
from streamlet_lab.charts.excerpt import draw_violation
from streamlet_lab.charts.facts import plot_facts
from streamlet_lab.charts.figures import to_png
from streamlet_lab.charts.latency import draw_latency
from streamlet_lab.charts.messages import draw_messages, message_counts
from streamlet_lab.charts.overview import draw_overview
from streamlet_lab.charts.plots import Plots, plot_messages, save_charts, save_protocol_chart
from streamlet_lab.charts.prices import draw_prices
from streamlet_lab.charts.quality import plot_bands, plot_staleness
from streamlet_lab.charts.rejections import draw_rejections
from streamlet_lab.charts.sources import draw_sources
from streamlet_lab.charts.style import STYLE
from streamlet_lab.charts.sweeps import plot_means, plot_policies
from streamlet_lab.charts.timeline import draw_timeline
from streamlet_lab.charts.vwap import draw_vwap
from streamlet_lab.theory import denied_share

__all__ = [
    "STYLE",
    "Plots",
    "denied_share",
    "draw_block_tree",
    "draw_book",
    "draw_latency",
    "draw_messages",
    "draw_overview",
    "draw_prices",
    "draw_rejections",
    "draw_sources",
    "draw_timeline",
    "draw_violation",
    "draw_vwap",
    "message_counts",
    "plot_bands",
    "plot_denial",
    "plot_displacement",
    "plot_facts",
    "plot_means",
    "plot_messages",
    "plot_policies",
    "plot_push",
    "plot_staleness",
    "save_charts",
    "save_protocol_chart",
    "to_png",
]
