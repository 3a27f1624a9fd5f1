"""Charts in matplotlib and one style.

A chart of a run is a function ``draw_…(axes, run, …)``, which draws on axes that it is given.
Listed in :class:`~streamlet_lab.charts.plots.Plots`, it is a method of ``run.plot``, and, if it is
to be saved, a file of :func:`save_charts`. The ``plot_…`` functions show sweeps and studies, each
on a pyplot figure.
"""

from streamlet_lab.charts.blocks import draw_block_tree as draw_block_tree
from streamlet_lab.charts.blocks import draw_violation as draw_violation
from streamlet_lab.charts.displacement import plot_displacement as plot_displacement
from streamlet_lab.charts.displacement import plot_push as plot_push
from streamlet_lab.charts.final_prices import draw_prices as draw_prices
from streamlet_lab.charts.final_prices import draw_vwap as draw_vwap
from streamlet_lab.charts.heat_map import plot_heat_map as plot_heat_map
from streamlet_lab.charts.latency import draw_latency as draw_latency
from streamlet_lab.charts.layout import to_png as to_png
from streamlet_lab.charts.narrowing import plot_narrowing as plot_narrowing
from streamlet_lab.charts.order_book import draw_book as draw_book
from streamlet_lab.charts.plots import Plots as Plots
from streamlet_lab.charts.plots import draw_overview as draw_overview
from streamlet_lab.charts.plots import plot_messages as plot_messages
from streamlet_lab.charts.plots import save_charts as save_charts
from streamlet_lab.charts.quality import plot_bands as plot_bands
from streamlet_lab.charts.quality import plot_staleness as plot_staleness
from streamlet_lab.charts.rejections import draw_rejections as draw_rejections
from streamlet_lab.charts.source_quotes import draw_sources as draw_sources
from streamlet_lab.charts.style import STYLE as STYLE
from streamlet_lab.charts.stylized_facts import plot_facts as plot_facts
from streamlet_lab.charts.sweeps import plot_denial as plot_denial
from streamlet_lab.charts.sweeps import plot_means as plot_means
from streamlet_lab.charts.sweeps import plot_policies as plot_policies
from streamlet_lab.charts.traffic import draw_messages as draw_messages
from streamlet_lab.charts.traffic import draw_timeline as draw_timeline
from streamlet_lab.charts.votes import draw_finality as draw_finality
from streamlet_lab.charts.votes import draw_votes as draw_votes
from streamlet_lab.theory import denied_share as denied_share
