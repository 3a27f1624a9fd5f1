"""The list of the charts of a run. What is listed in `Plots` appears wherever charts are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import Any, Concatenate, Final, Generic, ParamSpec

import numpy as np
from matplotlib.figure import Figure

from streamlet_lab.charts.blocks import draw_block_tree, draw_violation, violation_size
from streamlet_lab.charts.final_prices import draw_prices, draw_vwap
from streamlet_lab.charts.latency import draw_latency
from streamlet_lab.charts.layout import chart_style, new_chart, to_png
from streamlet_lab.charts.order_book import draw_book
from streamlet_lab.charts.rejections import draw_rejections
from streamlet_lab.charts.source_quotes import draw_sources
from streamlet_lab.charts.style import WHITE
from streamlet_lab.charts.traffic import draw_messages, draw_timeline
from streamlet_lab.charts.votes import draw_finality, draw_votes
from streamlet_lab.files import write_atomically
from streamlet_lab.result import Result

Options = ParamSpec("Options")

_DPI: Final = 150


@dataclass(frozen=True, slots=True)
class Page(Generic[Options]):
    """A chart of a run, and how it is laid out; a method of the class that lists it.

    It is drawn on empty axes, or on an array of them if `panels` has ``Figure.subplots`` divide the
    page. The `size` is in inches. It may need a `market`; if `saved`, `save_charts` writes it.
    """

    draw: Callable[Concatenate[Any, Any, Options], None]
    size: tuple[float, float] | Callable[[Result], tuple[float, float]]
    panels: Mapping[str, Any] = field(default_factory=dict)
    market: bool = True
    saved: bool = False

    def make(
        self, run: Result, dpi: float, *args: Options.args, **options: Options.kwargs
    ) -> Figure:
        """Draw on a new figure, which pyplot does not know."""
        figure = Figure(figsize=self._size(run), dpi=dpi, facecolor=WHITE)
        with chart_style(figure):
            self.draw(figure.subplots(**self.panels), run, *args, **options)
        return figure

    def _size(self, run: Result) -> tuple[float, float]:
        return self.size(run) if callable(self.size) else self.size

    def __get__(self, plots: "Plots | None", owner: type) -> Callable[Options, Figure]:
        if plots is None:
            return self  # type: ignore[return-value]
        if not plots.offers(self):
            raise AttributeError("this is a chart of a market, and the run has none")

        @wraps(self.draw)
        def method(*args: Options.args, **options: Options.kwargs) -> Figure:
            with new_chart(*self._size(plots.run)) as figure:
                self.draw(figure.subplots(**self.panels), plots.run, *args, **options)
            return figure

        whole = signature(self.draw)
        own = list(whole.parameters.values())[2:]
        method.__signature__ = whole.replace(parameters=own)  # type: ignore[attr-defined]
        return method


def draw_overview(axes: Any, result: Result, symbol: str | None = None) -> None:
    """Draw prices, latency, VWAP and rejections on four axes; what they showed is replaced."""
    prices, latency, vwap, rejections = panels = np.ravel(axes)
    for panel in panels:
        # Unlike ``clear`` this keeps the ticks, which cost a third of a redraw.
        drawn = (panel.lines, panel.collections, panel.patches, panel.texts, panel.child_axes)
        for artist in [artist for group in drawn for artist in group]:
            artist.remove()
        panel.relim()
        panel.autoscale()
    draw_prices(prices, result, symbol)
    draw_latency(latency, result)
    draw_vwap(vwap, result, symbol)
    draw_rejections(rejections, result, symbol)


class Plots:
    """The charts of a run, as pyplot figures; those of prices and orders need a market.

    A notebook shows a figure with the cell that draws it, whether or not ``plt.show()`` follows; in
    a script ``plt.show()`` opens the windows. Where there are several symbols, a chart of prices or
    orders shows one: the first unless another is named. A symbol or epochs that the run does not
    have are an :class:`~streamlet_lab.errors.InvalidInput`.

    Examples
    --------
    >>> from streamlet_lab import Experiment
    >>> plots = Experiment(epochs=12).run().plot
    >>> plots  # doctest: +NORMALIZE_WHITESPACE
    Plots: prices(), vwap(), latency(), rejections(), book(), sources(), overview(),
    block_tree(), timeline(), votes(), finality(), messages(), violation()
    """

    prices = Page(
        draw_prices, (9, 6), {"nrows": 2, "sharex": True, "height_ratios": (3, 1)}, saved=True
    )
    vwap = Page(
        draw_vwap, (9, 5.5), {"nrows": 2, "sharex": True, "height_ratios": (3, 2)}, saved=True
    )
    latency = Page(draw_latency, (9, 4.5), saved=True)
    rejections = Page(draw_rejections, (11, 5), {"ncols": 2, "width_ratios": (4, 1)}, saved=True)
    book = Page(draw_book, (11, 6))
    sources = Page(draw_sources, (9, 5.5))
    overview = Page(
        draw_overview,
        (14, 9.5),
        {"nrows": 2, "ncols": 2, "gridspec_kw": {"hspace": 0.06, "wspace": 0.04}},
    )
    block_tree = Page(draw_block_tree, (11, 4.5), market=False)
    timeline = Page(draw_timeline, (11, 6.5), market=False)
    votes = Page(draw_votes, (11, 6.5), market=False)
    finality = Page(draw_finality, (11, 4.5), market=False)
    messages = Page(draw_messages, (9, 5.5), market=False)
    violation = Page(draw_violation, violation_size, market=False)

    def __init__(self, run: Result) -> None:
        self.run = run

    def offers(self, page: Page[...]) -> bool:
        """Return whether the run has what the chart shows."""
        return not page.market or self.run.has_market

    def __repr__(self) -> str:
        return f"Plots: {', '.join(f'{n}()' for n, page in PAGES.items() if self.offers(page))}"


#: Every chart of a run, by name.
PAGES: Final[Mapping[str, Page[...]]] = {
    name: page for name, page in vars(Plots).items() if isinstance(page, Page)
}


def plot_messages(runs: Sequence[Result]) -> Figure:
    """How does the number of messages grow with that of the nodes, from run to run?"""
    with new_chart(9, 5.5) as figure:
        draw_messages(figure.subplots(), runs)
    return figure


def save_charts(run: Result, directory: str | Path) -> list[Path]:
    """Write charts of a run as PNG into a directory, which is made if it is not there.

    They are ``prices.png``, ``vwap.png``, ``latency.png`` and ``rejections.png``, and for a further
    symbol MSFT ``prices_MSFT.png``, ``vwap_MSFT.png`` and ``rejections_MSFT.png``; of a run without
    a market it is the block tree, ``protocol.png``. Files of the same names are replaced.
    """
    if not run.has_market:
        figures = {"protocol": PAGES["block_tree"].make(run, _DPI)}
    else:
        saved = {name: page for name, page in PAGES.items() if page.saved}
        figures = {name: page.make(run, _DPI) for name, page in saved.items()}
        for symbol in run.config.symbols[1:]:
            for name, page in saved.items():
                if "symbol" in signature(page.draw).parameters:
                    figures[f"{name}_{symbol}"] = page.make(run, _DPI, symbol=symbol)
    paths = {Path(directory) / f"{name}.png": figure for name, figure in figures.items()}
    for path, figure in paths.items():
        write_atomically(path, to_png(figure))
    return list(paths)
