"""Figures of sweeps and studies: nothing on them covers anything else."""

import pytest
from matplotlib.figure import Figure

from streamlet_lab.charts import (
    plot_denial,
    plot_means,
    plot_policies,
    plot_push,
    plot_staleness,
)

from .drawing import assert_legible
from .test_denial import DENIED, LED
from .test_displacement import PUSHED, game_form, pushed
from .test_quality import LABELS, NUMBERS
from .test_sweeps import TWO

AGGREGATORS = ("mean", "vwap", "trimmed_mean", "median", "mad_filter", "pyth")
SIX = pushed(**{name: [1000, 23_333, None] for name in AGGREGATORS})
FIGURES = {
    "means": lambda: plot_means(
        TWO, "latency_s", "network.delta", by="leaders", closed_form=lambda x: x
    ),
    "policies": lambda: plot_policies(LED),
    "denial": lambda: plot_denial(DENIED),
    "push": lambda: plot_push(PUSHED),
    "push of six": lambda: plot_push(SIX, {"mean": game_form, "trimmed_mean": game_form}),
    "staleness of numbers": lambda: plot_staleness(NUMBERS, curves={"my own": lambda _: 0.1}),
    "staleness of labels": lambda: plot_staleness(LABELS, curves={"my own": lambda _: 0.1}),
}


@pytest.mark.parametrize("name", FIGURES)
def test_heading_and_legend_cover_nothing(name):
    figure = FIGURES[name]()
    assert isinstance(figure, Figure)
    assert_legible(figure)
    assert figure.axes[0].get_window_extent().width > 0.8 * figure.bbox.width
