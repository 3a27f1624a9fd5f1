"""What a stale reference costs, and what each band does: means, intervals and formulas."""

import numpy as np
import pandas as pd
import pytest

from streamlet_lab import Sweep
from streamlet_lab.charts import plot_bands, plot_staleness
from streamlet_lab.charts.quality import _LABELS
from streamlet_lab.intervals import mean_interval
from streamlet_lab.studies.stale import _CAUSES

from .drawing import answer, explained, find, points, series, tick_labels

NAN = float("nan")
BANDS = ["consensus", "trade_only", "keep_resting", "luld"]


def swept(setting, **measures):
    """A sweep: by measure, the values of the setting with the numbers of the runs."""
    rows = []
    first = next(iter(measures.values()))
    for value, numbers in first.items():
        for repeat in range(len(numbers)):
            own = {name: table[value][repeat] for name, table in measures.items()}
            rows.append({setting: value, "repeat": repeat, "seed": repeat, **own})
    return Sweep(pd.DataFrame(rows), (setting,), planned=len(rows))


RATES = {
    "fair_stopped_rate": {1.0: [0.10, 0.20], 2.0: [0.30, 0.30]},
    "unfair_trade_rate": {1.0: [0.01, 0.01], 2.0: [0.02, 0.02]},
    "entry_rate": {1.0: [0.09, 0.11], 2.0: [0.20, 0.22]},
    "implied_rate": {1.0: [0.09, 0.11], 2.0: [0.18, 0.20]},
    "diffusion_rate": {1.0: [0.08, 0.12], 2.0: [0.21, 0.21]},
    "first_passage_rate": {1.0: [0.15, 0.15], 2.0: [0.4, 0.4]},
}
NUMBERS = swept("epoch_length", **RATES)
LABELS = swept(
    "faults",
    **{
        name: dict(zip(("none", "1 silent"), table.values(), strict=True))
        for name, table in RATES.items()
    },
)
SHOWN = {
    "stopped, for whatever reason": "fair_stopped_rate",
    "refused at entry by a reference": "entry_rate",
    "implied by the references' ages": "implied_rate",
}


class TestStaleness:
    def test_marks_are_the_means_and_bars_their_intervals(self):
        (axes,) = plot_staleness(NUMBERS).axes
        for label, measure in SHOWN.items():
            drawn = series(axes, label)
            intervals = [mean_interval(numbers) for numbers in RATES[measure].values()]
            expected = [[x, each.mean] for x, each in zip((1, 2), intervals, strict=True)]
            np.testing.assert_allclose(drawn.lines[0].get_xydata(), expected)
            (bars,) = drawn.lines[2]
            ends = [bar[:, 1] for bar in bars.get_segments()]
            np.testing.assert_allclose(ends, [[each.low, each.high] for each in intervals])

    def test_formulas_that_were_measured_are_lines_through_their_means(self):
        (axes,) = plot_staleness(NUMBERS).axes
        for label, heights in (
            ("diffusion of these ages, outside", [0.1, 0.21]),
            ("first passage by these ages", [0.15, 0.4]),
        ):
            np.testing.assert_allclose(points(axes, label), [[1, heights[0]], [2, heights[1]]])
        dashes = {
            line.get_linestyle() for line in axes.get_lines() if line.get_color() == "#000000"
        }
        assert len(dashes) == 2

    def test_labels_stand_side_by_side_with_steps(self):
        (axes,) = plot_staleness(LABELS).axes
        assert tick_labels(axes.xaxis) == ["none", "1 silent"]
        places = np.array([series(axes, name).lines[0].get_xdata() for name in SHOWN], dtype=float)
        np.testing.assert_allclose(np.mean(places, axis=0), [0, 1])
        assert (np.diff(places, axis=0) > 0).all()
        steps = find(axes, "first passage").get_segments()
        np.testing.assert_allclose([step[:, 1] for step in steps], [[0.15] * 2, [0.4] * 2])
        assert [step[:, 0].mean() for step in steps] == pytest.approx([0, 1])

    def test_a_run_without_orders_says_so(self):
        (axes,) = plot_staleness(swept("nodes", fair_stopped_rate={4: [NAN, NAN]})).axes
        assert answer(axes) == "no run has an order with a fair price"

    def test_axes_say_what_they_show(self):
        (axes,) = plot_staleness(NUMBERS).axes
        assert axes.get_xlabel() == "Length of an epoch (s of protocol time)"
        assert axes.get_ylabel() == "Share of the limit orders with a fair price"
        assert axes.get_ylim()[0] == 0

    def test_every_setting_that_staleness_varies_has_a_label(self):
        assert {each.setting for each in _CAUSES.values()} == {*_LABELS}


COSTS = {
    measure: dict(zip(BANDS, runs, strict=True))
    for measure, runs in {
        "fair_stopped_rate": ([0.1, 0.2], [0.02, 0.02], [0.3, 0.5], [0.02, 0.02]),
        "repriced_share": ([0.0, 0.0], [0.1, 0.3], [0.0, 0.0], [0.2, 0.2]),
        "unfair_trade_rate": ([0.0, 0.0], [0.4, 0.6], [0.1, 0.1], [0.2, 0.2]),
        "refused_share": ([0.2, 0.3], [0.0, 0.1], [0.4, 0.4], [0.3, 0.3]),
        "swept_share": ([0.1, 0.2], [0.0, 0.0], [0.0, 0.0], [0.1, 0.1]),
    }.items()
}
COMPARED = swept("market.band", **COSTS)


class TestBands:
    def test_each_panel_has_the_means_of_a_measure_with_their_intervals(self):
        panels = plot_bands(COMPARED).axes
        assert len(panels) == 3
        drawn = [series for axes in panels for series in axes.containers]
        shifts = [-0.12, 0.12, 0, -0.12, 0.12]
        for shown, table, shift in zip(drawn, COSTS.values(), shifts, strict=True):
            intervals = [mean_interval(numbers) for numbers in table.values()]
            expected = [[each.mean, row + shift] for row, each in enumerate(intervals)]
            np.testing.assert_allclose(shown.lines[0].get_xydata(), expected)
            (bars,) = shown.lines[2]
            ends = [bar[:, 0] for bar in bars.get_segments()]
            np.testing.assert_allclose(ends, [[each.low, each.high] for each in intervals])
        assert all(-0.1 < axes.get_xlim()[0] < 0 for axes in panels)
        assert explained(panels[2]) == ["as they came", "out of the book later"]
        assert explained(panels[0]) == ["stopped", "moved to the edge"]
        assert not explained(panels[1])

    def test_bands_have_readable_names_from_top_to_bottom(self):
        first = plot_bands(COMPARED).axes[0]
        assert tick_labels(first.yaxis) == [
            "consensus",
            "at the trade only",
            "keep resting",
            "US LULD",
        ]
        assert first.get_ylim() == (3.5, -0.5)
