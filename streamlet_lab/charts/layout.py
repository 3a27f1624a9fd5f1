"""What all charts share: headings, the time axis, marks of missing things, legends."""

from collections.abc import Iterable
from decimal import Decimal
from math import sqrt
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from matplotlib.transforms import ScaledTranslation

from streamlet_lab.charts import style
from streamlet_lab.config import ExperimentConfig
from streamlet_lab.result import Result
from streamlet_lab.units import to_seconds

# Where along the bottom of a chart missing things are marked, as a share of its height.
_STRIP: Final = 0.025
_POINTS_PER_INCH: Final = 72
# What honest sources differ by is well below, what liars do well above.
_LINEAR_BP: Final = 10.0


def head(axes: Axes, question: str, answer: str) -> None:
    """Write what the chart asks, and below it what this run answers."""
    axes.set_title(question)
    place = axes.transAxes + _up(axes, 7)
    axes.text(0, 1, answer, transform=place, fontsize="small", color="#444444")


def of_symbol(result: Result, symbol: str, answer: str) -> str:
    """Say which symbol an answer is about, where there are several."""
    return answer if len(result.config.symbols) == 1 else f"{symbol}: {answer}"


def basis_point_axis(axes: Axes, label: str) -> None:
    """Let the y-axis show what is drawn in basis points, be it 1 or 1,000 of them.

    It is linear around zero; beyond 10 basis points, if anything is there, it is logarithmic.
    """
    largest = max(map(abs, axes.dataLim.intervaly), default=0)
    if largest > _LINEAR_BP:
        axes.set_yscale("symlog", linthresh=_LINEAR_BP)
        axes.autoscale_view(scalex=False)  # the margins are to be those of the new scale
        decades = _LINEAR_BP * 10.0 ** np.arange(np.ceil(np.log10(largest / _LINEAR_BP)) + 1)
        ticks = [_LINEAR_BP / 2, *decades]
        axes.yaxis.set_major_locator(FixedLocator([*(-tick for tick in ticks), 0, *ticks]))
        axes.yaxis.set_minor_locator(NullLocator())
        label = f"{label}\nlogarithmic beyond ±{_LINEAR_BP:g}"
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _signed(value)))
    axes.set_ylabel(label)


def time_axis(axes: Axes, result: Result) -> None:
    """Let the x-axis show the whole run, in seconds of protocol time."""
    config, begin = result.config, result.epochs["timestamp"].iloc[0][: len("2024-01-15")]
    end = to_seconds(config.epochs * config.epoch_length)
    axes.set_xlim(-0.01 * end, 1.01 * end)
    axes.xaxis.set_major_locator(MaxNLocator(10, steps=[1, 2, 5, 10]))
    epoch, market = _duration(config.epoch_length), _duration(config.market_time_per_epoch)
    axes.set_xlabel(f"Protocol time (s); an epoch is {epoch}, {market} of the market from {begin}")


def legend_below(axes: Axes, *others: Axes) -> None:
    """Explain the marks of these axes below the x-axis of the first, where no data can be."""
    handles = [handle for each in (*others, axes) for handle in each.get_legend_handles_labels()[0]]
    place = axes.transAxes + _up(axes, -40)
    axes.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0, 0), bbox_transform=place, ncols=3
    )


def mark_along_bottom(axes: Axes, times: "pd.Series[float]", what: str, look: style.Look) -> None:
    """Mark along the bottom when something happened that has no place on the y-axis."""
    axes.plot(
        times,
        np.full(len(times), _STRIP),
        transform=axes.get_xaxis_transform(),
        label=f"{what} ({len(times)})",
        markersize=8,
        # Thin enough that thousands of marks make a tone instead of a bar.
        markeredgewidth=min(1.5, 200 / max(len(times), 1)),
        **look,
    )


def mark_fault_changes(axes: Axes, config: ExperimentConfig, epochs: Iterable[int]) -> None:
    """Draw a line at the epochs where a fault begins or ends."""
    for number, epoch in enumerate(epochs):
        label = None if number else "a fault begins or ends"
        axes.axvline(to_seconds(epoch * config.epoch_length), label=label, **style.FAULT)


def mark_size(count: int) -> float:
    """Return a marker size in points at which this many marks do not run into one another."""
    return 4.5 * min(max(sqrt(80 / max(count, 1)), 0.35), 1)


def percent(amount: Decimal) -> str:
    """Write an amount in percent, without needless zeros."""
    return f"{amount.normalize():f} %"


def _signed(value: float) -> str:
    return "0" if value == 0 else f"{value:+,.6g}".replace("-", "−")


def _up(axes: Axes, points: float) -> ScaledTranslation:
    """Return a shift upwards by a number of points, whatever the size of the axes."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    return ScaledTranslation(0, points / _POINTS_PER_INCH, figure.dpi_scale_trans)


def _duration(microseconds: int) -> str:
    for unit, size in (("h", 3_600_000_000), ("min", 60_000_000), ("s", 1_000_000)):
        if microseconds >= size:
            return f"{microseconds / size:g} {unit}"
    return f"{microseconds / 1_000:g} ms"
