"""How the cost of runs grows with nodes, epochs, orders and runs: a table and a chart.

Every time is divided by that of one default run of 100 epochs without signatures, which is measured
beside each point, so that the numbers are the same on a fast machine and on a slow one. A line is
fitted through the logarithms of the last three points: its slope is the exponent with which the
cost grows.

usage: python tools/measure_costs.py [--rounds N] [--chart FILE]
"""

import argparse
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator

import streamlet_lab as sl
from streamlet_lab.charts import style, to_png
from streamlet_lab.charts.layout import legend_below, new_chart
from streamlet_lab.engines import Engine

PLAIN: Mapping[str, Any] = {"signatures": "none"}
UNIT = {**PLAIN, "epochs": 100}
BOTH = ("finalized_blocks", "median_latency_s")  # what both engines measure
#: A fit takes so many points, the last ones: what a run costs once is not what grows.
FITTED = 3


class Series(NamedTuple):
    """What is run at each size, and what it is called."""

    label: str
    work: Callable[[int], object]
    sizes: Sequence[int]


class Panel(NamedTuple):
    """With what the cost grows, and the series that show it."""

    grows: str
    x_label: str
    series: Sequence[Series]


class Measured(NamedTuple):
    """The costs of a series, in default runs of 100 epochs, and their exponent."""

    series: Series
    costs: list[float]

    @property
    def exponent(self) -> float:
        """The slope of the line through the logarithms."""
        points = np.log([self.series.sizes, self.costs])[:, -FITTED:]
        return float(np.polyfit(points[0], points[1], 1)[0])


def play(settings: Mapping[str, Any]) -> object:
    """Run the whole system, and read what people read."""
    return sl.Experiment(**{**UNIT, **settings}).run().summary


def play_many(engine: Engine, runs: int, nodes: int = 4) -> object:
    """Make many runs of 100 epochs, and measure what both engines can."""
    return sl.sweep({**UNIT, "nodes": nodes}, {}, repeats=runs, engine=engine, measure=BOTH)


PANELS = (
    Panel(
        "nodes",
        "Nodes",
        [
            Series("whole system", lambda n: play({"nodes": n}), (4, 7, 10, 16, 32, 64)),
            Series(
                "protocol alone", lambda n: sl.run_protocol(**UNIT, nodes=n), (4, 7, 10, 16, 32, 64)
            ),
            Series("ten runs, batched", lambda n: play_many("batched", 10, n), (4, 16, 64)),
        ],
    ),
    Panel(
        "epochs",
        "Epochs",
        [
            Series(
                f"record={record!r}",
                partial(lambda kept, n: play({"epochs": n, "record": kept}), record),
                (30, 100, 300, 1000, 3000),
            )
            for record in ("all", "summary")
        ],
    ),
    Panel(
        "orders",
        "Traders, each of which sends an order in five epochs",
        [
            Series(
                "whole system", lambda n: play({"market": {"traders": n}}), (10, 20, 50, 100, 200)
            )
        ],
    ),
    Panel(
        "runs",
        "Runs of 100 epochs",
        [
            Series("full engine", partial(play_many, "full"), (1, 3, 10, 30)),
            Series("batched engine", partial(play_many, "batched"), (1, 10, 100, 1000, 10_000)),
        ],
    ),
)


def cost(work: Callable[[], object], rounds: int) -> float:
    """Return how many default runs some work takes: the median of rounds, each beside one."""
    return statistics.median(seconds(work) / seconds(partial(play, {})) for _ in range(rounds))


def seconds(work: Callable[[], object]) -> float:
    """Return how long some work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(series: Series, rounds: int) -> Measured:
    """Measure a series at each of its sizes."""
    return Measured(series, [cost(partial(series.work, size), rounds) for size in series.sizes])


def draw(panels: Mapping[str, Sequence[Measured]], path: Path) -> None:
    """Draw the costs on logarithmic axes, each with its exponent in the legend."""
    with new_chart(11, 9) as figure:
        for axes, panel in zip(figure.subplots(2, 2).flat, PANELS, strict=True):
            for look, measured in zip(style.SERIES, panels[panel.grows], strict=False):
                label = f"{measured.series.label}: exponent {measured.exponent:.2f}"
                axes.plot(measured.series.sizes, measured.costs, **look, label=label)
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.margins(0.05)
            sizes = sorted({size for series in panel.series for size in series.sizes})
            axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
            axes.minorticks_off()
            axes.set_xlabel(panel.x_label)
            axes.set_ylabel("Cost (default runs of 100 epochs)")
            axes.set_title(f"How does the cost grow with {panel.grows}?")
            legend_below(axes, ncols=2)
    path.write_bytes(to_png(figure))


def table(panels: Mapping[str, Sequence[Measured]]) -> str:
    """Return the costs as a table of Markdown."""
    lines = [
        "| grows | what | cost, in default runs of 100 epochs | exponent |",
        "|---|---|---|---|",
    ]
    for grows, series in panels.items():
        for one in series:
            costs = ", ".join(
                f"{size:,}: {value:.3g}"
                for size, value in zip(one.series.sizes, one.costs, strict=True)
            )
            lines.append(f"| {grows} | {one.series.label} | {costs} | {one.exponent:.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print the table, and draw the chart where one is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--chart", type=Path)
    options = parser.parse_args()
    play({})  # the first run imports what it needs
    panels = {
        panel.grows: [measure(series, options.rounds) for series in panel.series]
        for panel in PANELS
    }
    print(table(panels))
    if options.chart is not None:
        draw(panels, options.chart)


if __name__ == "__main__":
    main()
