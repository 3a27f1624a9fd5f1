"""What all charts share: figures, headings, axes, marks of missing things, legends."""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Collection as Several
from contextlib import contextmanager
from decimal import Decimal
from itertools import takewhile
from math import sqrt
from typing import Final

import matplotlib.pyplot as plt
import matplotlib.style
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.collections import Collection, PathCollection
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Normalize
from matplotlib.container import BarContainer, Container, ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation

from streamlet_lab.charts import style
from streamlet_lab.charts.series import fault_changes
from streamlet_lab.config import ExperimentConfig
from streamlet_lab.errors import InvalidInput
from streamlet_lab.fault import Fault
from streamlet_lab.result import Result
from streamlet_lab.units import to_seconds

# Where along the bottom of a chart missing things are marked, as a share of its height.
_STRIP: Final = 0.025
_MOST_TICKS: Final = 100
# Marks in the legend that stand for what is drawn otherwise.
_KEY: Final = "key"
# A mark at the edge is seen: the share of the height that it may be beyond.
_EDGE: Final = 0.01
POINTS_PER_INCH: Final = 72
# Points from the axes to the legend, and for each further line of the ticks' labels.
_BELOW: Final = 40
_LINE: Final = 12
# What is written on a cell must be seen on it: from this brightness on black is.
_BRIGHT: Final = 0.5


class Chart(Figure):
    """A pyplot figure that a notebook shows exactly once.

    Jupyter shows pyplot's open figures at the end of a cell: one that is the cell's last value, or
    is displayed by hand, would appear a second time.
    """

    def _ipython_display_(self) -> None:
        from IPython.display import display  # only IPython calls this

        if plt.get_backend().endswith("inline"):
            opened = [plt.figure(number) for number in plt.get_fignums()]
            for figure in takewhile(lambda figure: figure is not self, opened):
                if isinstance(figure, Chart):
                    # The cell drew it earlier, so it comes first.
                    display(figure)  # type: ignore[no-untyped-call]
            plt.close(self)
        raise NotImplementedError  # IPython shows it like any other figure


@contextmanager
def chart_style(figure: Figure) -> Iterator[Figure]:
    """Draw on a figure in the style of the charts, whatever the user's own settings are."""
    with matplotlib.style.context(style.STYLE, after_reset=True):
        figure.set_layout_engine("constrained")
        yield figure


@contextmanager
def new_chart(width: float, height: float) -> Iterator[Figure]:
    """Open a pyplot figure of a size in inches, to draw on; close it if that fails."""
    # Not within the style: the first figure of all loads pyplot's backend, and the end of the style
    # would undo what that sets, so that Jupyter would show no later figure.
    figure = plt.figure(FigureClass=Chart, figsize=(width, height), facecolor=style.WHITE)
    try:
        with chart_style(figure):
            yield figure
    except BaseException:
        plt.close(figure)  # a notebook would show it empty
        raise


def to_png(figure: Figure, compress_level: int = 6) -> bytes:
    """Return a figure as PNG: drawn by Agg in the charts' style, and free of versions and dates.

    It is compressed from 1, fastest, to 9, smallest.
    """
    buffer = io.BytesIO()
    with matplotlib.style.context(style.STYLE, after_reset=True):
        # ``savefig`` would draw everything twice.
        FigureCanvasAgg(figure).print_png(  # type: ignore[no-untyped-call]
            buffer, metadata={"Software": None}, pil_kwargs={"compress_level": compress_level}
        )
    return buffer.getvalue()


def head(axes: Axes, question: str, answer: str) -> Text:
    """Write what the chart asks, and below it what this run answers; return the answer."""
    axes.set_title(question)
    place = axes.transAxes + shifted(axes, 0, 7)
    return axes.text(0, 1, answer, transform=place, fontsize=style.SMALL, color="#444444")


def explain(axes: Axes, question: str, answer: str) -> None:
    """Write question and answer above the axes, and the legend below them."""
    legend_below(axes)
    head(axes, question, answer)


def explain_run(
    axes: Axes,
    result: Result,
    question: str,
    answer: str,
    symbol: str | None = None,
    span: tuple[float, float] | None = None,
) -> None:
    """Write around a chart over time what it asks and answers, be it of one symbol of several."""
    time_axis(axes, result, span)
    explain(axes, question, about(result, symbol, answer))


def about(result: Result, symbol: str | None, answer: str) -> str:
    """Say which symbol an answer is about, where there are several."""
    return f"{symbol}: {answer}" if symbol and len(result.config.symbols) > 1 else answer


def time_axis(axes: Axes, result: Result, span: tuple[float, float] | None = None) -> None:
    """Let the x-axis show the whole run, or a span of it, in seconds of protocol time."""
    config, begin = result.config, result.epochs["timestamp"].iloc[0][: len("2024-01-15")]
    start, end = span or (0, to_seconds(config.epochs * config.epoch_length))
    room = 0.01 * (end - start)
    axes.set_xlim(start - room, end + room)
    axes.xaxis.set_major_locator(MaxNLocator(10, steps=[1, 2, 5, 10]))
    epoch, market = _duration(config.epoch_length), _duration(config.market_time_per_epoch)
    axes.set_xlabel(f"Protocol time (s); an epoch is {epoch}, {market} of the market from {begin}")


def powers(axis: Axis) -> None:
    """Let a logarithmic axis write powers, which are formulas, unlike every text of others."""
    for tick in (*axis.get_major_ticks(_MOST_TICKS), *axis.get_minor_ticks(_MOST_TICKS)):
        tick.label1.set_parse_math(True)


def legend_below(
    axes: Axes,
    *others: Axes,
    ncols: int = 3,
    without: Several[Artist] = (),
    pairs: Mapping[str, tuple[Artist, ...]] | None = None,
) -> None:
    """Explain the marks of these axes below the x-axis of the first, where no data can be.

    What has no mark, or none within the axes, needs no explanation. Artists that are explained
    together may be given, by what they mean.
    """
    named = [handle for each in (*others, axes) for handle in each.get_legend_handles_labels()[0]]
    handles = [handle for handle in named if handle not in without and _is_seen(handle)]
    more_lines = max((tick.get_text().count("\n") for tick in axes.get_xticklabels()), default=0)
    place = axes.transAxes + shifted(axes, 0, -_BELOW - _LINE * more_lines)
    explained = {str(handle.get_label()): handle for handle in handles} if pairs is None else pairs
    axes.legend(
        [*explained.values()],
        [*explained],
        loc="upper left",
        bbox_to_anchor=(0, 0),
        bbox_transform=place,
        ncols=ncols,
        handler_map={tuple: HandlerTuple(ndivide=None)},
    )


def add_key(axes: Axes, what: str, look: style.Look) -> None:
    """Explain in the legend what is drawn otherwise than by series, such as texts."""
    axes.plot([], [], label=what, gid=_KEY, **look)


def mark_along_bottom(axes: Axes, times: "pd.Series[float]", what: str, look: style.Look) -> Line2D:
    """Mark along the bottom when something happened that has no place on the y-axis."""
    (marks,) = axes.plot(
        times,
        np.full(len(times), _STRIP),
        transform=axes.get_xaxis_transform(),
        label=f"{what} ({len(times)})",
        markersize=8,
        # Thin enough that thousands of marks make a tone instead of a bar.
        markeredgewidth=min(1.5, 200 / max(len(times), 1)),
        **look,
    )
    return marks


def mark_off_scale(axes: Axes, prices: "pd.Series[float]", joined: float = 0.0) -> None:
    """Mark at the edges of the scale which prices, by time in seconds, lie beyond them.

    Those at most so many seconds apart are one line.
    """
    places: list[tuple[float, float]] = []
    limits = axes.get_ylim()
    below, above = prices[prices < limits[0]], prices[prices > limits[1]]
    for edge, wild in zip(limits, (below, above), strict=True):
        times = np.unique(wild.index.to_numpy(dtype=float))
        stretches = np.split(times, np.flatnonzero(np.diff(times) > joined) + 1)
        for stretch in stretches if len(times) else ():
            places += [(time, edge) for time in np.unique(stretch[[0, -1]])]
            places.append((np.nan, edge))
    if places:
        label = f"off the scale ({len(below) + len(above)})"
        axes.plot(*zip(*places, strict=True), label=label, clip_on=False, **style.OFF_SCALE)


def mark_fault_changes(axes: Axes, config: ExperimentConfig, faults: Iterable[Fault]) -> None:
    """Draw a line at the epochs where one of these faults begins or ends."""
    for number, epoch in enumerate(fault_changes(config, faults)):
        label = None if number else "a fault begins or ends"
        axes.axvline(to_seconds(epoch * config.epoch_length), label=label, **style.FAULT)


def mark_size(count: int) -> float:
    """Return a marker size in points at which this many marks do not run into one another."""
    return 4.5 * min(max(sqrt(80 / max(count, 1)), 0.35), 1)


def draw_cells(
    axes: Axes,
    grid: pd.DataFrame,
    norm: Normalize,
    texts: Mapping[tuple[int, int], str],
    write: Callable[[float], str],
) -> Colorbar:
    """Draw a table of numbers: dark is much, and what is missing grey. Return the bar of colours.

    A text stands in the cell of its row and column; `write` has the numbers beside the bar.
    """
    axes.set_facecolor(style.NOT_STUDIED)
    numbers = grid.to_numpy(dtype=float)
    shown = np.ma.masked_invalid(numbers)
    image = axes.imshow(shown, cmap=style.DISPLACEMENTS, norm=norm, aspect="auto")
    for (row, column), text in texts.items():
        axes.annotate(text, (column, row), color=ink_on(image, numbers[row, column]), **style.CELL)
    axes.set_xticks(range(grid.shape[1]), [str(name) for name in grid.columns])
    axes.set_yticks(range(grid.shape[0]), [str(name) for name in grid.index])
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    bar = axes.figure.colorbar(image, ax=axes)
    bar.ax.yaxis.set_major_formatter(lambda value, _: write(value))
    bar.outline.set_visible(False)
    return bar


def ink_on(image: ScalarMappable, value: float) -> str:
    """Return black or white: what can be read on the colour of a value."""
    red, green, blue, _ = image.to_rgba(np.array(value))
    bright = np.isnan(value) or 0.299 * red + 0.587 * green + 0.114 * blue > _BRIGHT
    return style.BLACK if bright else style.WHITE


def share_as_percent(share: float, _: object = None) -> str:
    """Write a share on an axis as a percentage, without needless zeros."""
    return f"{100 * share:g}%"


def percent(amount: Decimal | float) -> str:
    """Write an amount in percent, without needless zeros."""
    return f"{Decimal(str(amount)).normalize():f} %"


def spaced(name: object) -> str:
    """Write a name of the code as words."""
    return str(name).replace("_", " ")


def check_frame(frame: object, *columns: str) -> None:
    """Refuse what is no frame with rows and these columns."""
    known = list(frame) if isinstance(frame, pd.DataFrame) else type(frame).__name__
    if not isinstance(frame, pd.DataFrame) or frame.empty or not {*columns} <= {*frame}:
        raise InvalidInput("frame", known, f"a frame with rows, and with {', '.join(columns)}")


def _is_seen(handle: Artist | Container) -> bool:
    """Whether something is there to be explained: a series without data has no mark."""
    match handle:
        case Line2D():
            if handle.get_gid() == _KEY or handle.axes is None:
                return True
            low, high = sorted(handle.axes.get_ylim())  # autoscales, which is late otherwise
            places = np.asarray(handle.get_xydata(), dtype=float)
            places = handle.get_transform().transform(places[np.isfinite(places).all(axis=1)])
            heights = handle.axes.transData.inverted().transform(places)[:, 1]
            room = _EDGE * (high - low)
            return bool(len(heights)) and heights.min() < high + room and heights.max() > low - room
        case ErrorbarContainer():
            return _is_seen(handle.lines[0])
        case BarContainer():
            return any(bar.get_width() and bar.get_height() for bar in handle.patches)
        case PathCollection():
            return np.asarray(handle.get_offsets()).size > 0
        case Collection():
            return any(np.asarray(path.vertices).size for path in handle.get_paths())
        case _:
            return True


def shifted(axes: Axes, right: float, up: float) -> ScaledTranslation:
    """Return a shift by points, whatever the size of the axes."""
    inches = right / POINTS_PER_INCH, up / POINTS_PER_INCH
    return ScaledTranslation(*inches, axes.figure.dpi_scale_trans)


def _duration(microseconds: int) -> str:
    for unit, size in (("h", 3_600_000_000), ("min", 60_000_000), ("s", 1_000_000)):
        if microseconds >= size:
            return f"{microseconds / size:g} {unit}"
    return f"{microseconds / 1_000:g} ms"
