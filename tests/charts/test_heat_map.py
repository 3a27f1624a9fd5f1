"""The heat map: every pair of two settings is a cell, with its mean and interval in writing."""

import numpy as np
import pytest

from streamlet_lab.charts import plot_heat_map
from streamlet_lab.intervals import mean_interval

from .drawing import swept, tick_labels

NAN = float("nan")
RUNS = swept(
    ["network.delta", "crashed"],
    ["latency_s"],
    *[(0.5, "none", 1.0), (0.5, "none", 3.0), (0.5, "one", 4.0), (0.5, "one", 6.0)],
    *[(2.0, "none", 3.0), (2.0, "none", 3.0), (2.0, "one", NAN), (2.0, "one", NAN)],
)


def chart(**options):
    return plot_heat_map(RUNS, "latency_s", "network.delta", "crashed", **options)


def cells(axes):
    return {text.get_position(): text.get_text() for text in axes.texts[:-1]}


def test_a_cell_has_the_mean_and_the_interval_of_its_pair():
    axes, _ = chart().axes
    low, high = (
        f"{value:.3g}" for value in (mean_interval([1, 3]).low, mean_interval([1, 3]).high)
    )
    assert cells(axes)[0, 0] == f"2\n{low} to {high}"
    assert cells(axes)[1, 0] == "3\n3 to 3"
    assert cells(axes)[1, 1] == "none"
    np.testing.assert_array_equal(np.ma.filled(axes.images[0].get_array(), NAN), [[2, 3], [5, NAN]])


def test_values_stand_in_the_order_of_the_sweep_the_first_at_the_bottom():
    axes, _ = chart().axes
    assert tick_labels(axes.xaxis) == ["0.5", "2.0"]
    assert tick_labels(axes.yaxis) == ["none", "one"]
    bottom, top = axes.get_ylim()
    assert bottom < top


def test_numbers_are_written_as_asked_in_cells_answer_and_colours():
    axes, bar = chart(number=".1f", unit="Latency (s)").axes
    assert axes.texts[-1].get_text().startswith("means from 2.0 to 5.0; ")
    assert bar.get_ylabel() == "Latency (s)"
    assert all("." in label for label in tick_labels(bar.yaxis))


@pytest.mark.parametrize("means", [(NAN, NAN), (7.0, 7.0)])
def test_cells_without_a_mean_or_without_a_difference_are_drawn(means):
    runs = swept(["x", "y"], ["m"], *[(0, 0, mean) for mean in means])
    axes, _ = plot_heat_map(runs, "m", "x", "y").axes
    assert cells(axes)[0, 0].startswith("none" if np.isnan(means[0]) else "7\n")


def test_ink_differs_from_the_colour_under_it():
    axes, _ = chart().axes
    inks = {text.get_text().split("\n")[0]: text.get_color() for text in axes.texts[:-1]}
    assert inks["2"] != inks["5"]
