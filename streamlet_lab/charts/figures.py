"""The charts on a page: which panels, how large. Notebook, files and widgets draw the same ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Final, Generic, TypeAlias, TypeVar

import matplotlib.style
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from streamlet_lab.charts.blocktree import draw_block_tree
from streamlet_lab.charts.book import draw_book
from streamlet_lab.charts.excerpt import draw_violation, violation_size
from streamlet_lab.charts.latency import draw_latency
from streamlet_lab.charts.messages import draw_messages
from streamlet_lab.charts.prices import draw_prices
from streamlet_lab.charts.rejections import draw_rejections
from streamlet_lab.charts.sources import draw_sources
from streamlet_lab.charts.style import STYLE
from streamlet_lab.charts.timeline import draw_timeline
from streamlet_lab.charts.vwap import draw_vwap
from streamlet_lab.errors import InvalidInput
from streamlet_lab.result import ProtocolRun, Result
from streamlet_lab.units import to_seconds

Shown = TypeVar("Shown")
#: What the protocol's charts show: a run with or without a market.
Run: TypeAlias = ProtocolRun | Result


@dataclass(frozen=True, slots=True)
class Page(Generic[Shown]):
    """How a chart is laid out.

    Parameters
    ----------
    size : tuple of float
        Width and height in inches.
    draw : callable
        Draws a result, or a frame, on a figure.
    """

    size: tuple[float, float]
    draw: Callable[[Figure, Shown], None]

    def put_on(self, figure: Figure, shown: Shown) -> None:
        """Draw on an empty figure, in the charts' style whatever the user's own settings are."""
        with matplotlib.style.context(STYLE, after_reset=True):
            figure.set_layout_engine("constrained")
            self.draw(figure, shown)


def draw_overview(figure: Figure, result: Result, symbol: str | None = None) -> None:
    """Draw all four charts on one figure; what its axes showed before is replaced."""
    if not figure.axes:
        figure.subplots(2, 2, gridspec_kw={"hspace": 0.06, "wspace": 0.04})
    prices, latency, vwap, rejections = figure.axes
    for axes in figure.axes:
        _wipe(axes)
    draw_prices(prices, result, symbol)
    draw_latency(latency, result)
    draw_vwap(vwap, result, symbol=symbol)
    draw_rejections(rejections, result, symbol=symbol)


def _wipe(axes: Axes) -> None:
    """Remove what was drawn; unlike ``clear``, keep the ticks, which cost a third of a redraw."""
    for artist in [*axes.lines, *axes.collections, *axes.patches, *axes.texts, *axes.child_axes]:
        artist.remove()
    axes.relim()
    axes.autoscale()


def book_page(symbol: str | None = None, first: int = 0, last: int | None = None) -> Page[Result]:
    """Lay out the order book in these epochs; of the first symbol and in all by default."""

    def draw(figure: Figure, result: Result) -> None:
        epochs, length = result.config.epochs, result.config.epoch_length
        begin, end = _span(result, first, epochs - 1 if last is None else last)
        span = to_seconds(begin * length), to_seconds((end + 1) * length)
        draw_book(figure.subplots(), result, symbol, span)

    return Page((11, 6), draw)


def market_pages(symbol: str | None = None) -> dict[str, Page[Result]]:
    """Lay out the charts of prices and orders, by name; of the first symbol by default."""

    def prices(figure: Figure, result: Result) -> None:
        draw_prices(figure.subplots(), result, symbol)

    def vwap(figure: Figure, result: Result) -> None:
        averages, difference = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        draw_vwap(difference, result, averages, symbol)

    def latency(figure: Figure, result: Result) -> None:
        draw_latency(figure.subplots(), result)

    def rejections(figure: Figure, result: Result) -> None:
        orders, counts = figure.subplots(1, 2, width_ratios=(4, 1))
        draw_rejections(orders, result, counts, symbol)

    def sources(figure: Figure, result: Result) -> None:
        draw_sources(figure.subplots(), result, symbol)

    def overview(figure: Figure, result: Result) -> None:
        draw_overview(figure, result, symbol)

    return {
        "prices": Page((9, 5), prices),
        "vwap": Page((9, 5.5), vwap),
        "latency": Page((9, 4.5), latency),
        "rejections": Page((11, 5), rejections),
        "book": book_page(symbol),
        "sources": Page((9, 5.5), sources),
        "overview": Page((14, 9.5), overview),
    }


_FIRST: Final = market_pages()
OVERVIEW: Final = _FIRST["overview"]
#: The four charts of the overview, each on a page of its own.
PAGES: Final[Mapping[str, Page[Result]]] = {
    name: _FIRST[name] for name in ("prices", "vwap", "latency", "rejections")
}
# What there is to see of each symbol; latency is that of blocks.
_OF_A_SYMBOL: Final = ("prices", "vwap", "rejections")


def pages_of(symbols: Sequence[str]) -> dict[str, Page[Result]]:
    """Lay out `PAGES`, and those of each further symbol under names such as ``prices_MSFT``."""
    pages = dict(PAGES)
    for symbol in symbols[1:]:
        own = market_pages(symbol)
        pages |= {f"{name}_{symbol}": own[name] for name in _OF_A_SYMBOL}
    return pages


def block_tree_page(first: int = 0, last: int | None = None) -> Page[Run]:
    """Lay out the block tree of these epochs; of all by default."""

    def draw(figure: Figure, run: Run) -> None:
        span = _span(run, first, run.config.epochs - 1 if last is None else last)
        frames, faulty = run.frames, run.config.faulty_nodes
        axes, finality = figure.subplots(), frames["finality"]
        draw_block_tree(axes, frames["blocks"], faulty, *span, finality=finality)

    return Page((11, 4.5), draw)


def timeline_page(first: int = 0, last: int | None = None) -> Page[Run]:
    """Lay out the timeline of these epochs; of the first and the next one by default."""

    def draw(figure: Figure, run: Run) -> None:
        config = run.config
        _check_epoch("first", first, 0, run)
        end = min(first + 1, config.epochs - 1) if last is None else last
        draw_timeline(
            figure.subplots(),
            run.frames["trace"],
            config.node_ids,
            to_seconds(config.epoch_length),
            *_span(run, first, end),
            leaders=list(run.frames["epochs"]["leader"]),
            finality=run.frames["finality"],
            faulty=config.faulty_nodes,
        )

    return Page((11, 6.5), draw)


def violation_page(blocks: pd.DataFrame) -> Page[pd.DataFrame]:
    """Lay out the two conflicting chains, as large as their text is."""

    def draw(figure: Figure, blocks: pd.DataFrame) -> None:
        draw_violation(figure.subplots(), blocks)

    return Page(violation_size(blocks), draw)


def _messages(figure: Figure, counts: pd.DataFrame) -> None:
    draw_messages(figure.subplots(), counts)


MESSAGES: Final = Page((9, 5.5), _messages)


def _span(run: Run, first: int, last: int) -> tuple[int, int]:
    """Return the epochs, if the run has them."""
    _check_epoch("first", first, 0, run)
    _check_epoch("last", last, first, run)
    return first, last


def _check_epoch(field: str, epoch: object, least: int, run: Run) -> None:
    end = run.config.epochs - 1
    if not (isinstance(epoch, Integral) and least <= int(epoch) <= end):
        raise InvalidInput(field, epoch, f"an epoch from {least} to {end}")
