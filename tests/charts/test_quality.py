"""What a stale reference costs, and what each band does: means, intervals and formulas."""

import numpy as np
import pytest

from streamlet_lab.charts import plot_bands, plot_staleness
from streamlet_lab.charts.quality import _LABELS
from streamlet_lab.intervals import mean_interval
from streamlet_lab.studies.stale import _CAUSES

from .drawing import answer, explained, find, means, points, series, swept, tick_labels

NAN = float("nan")
BANDS = ["consensus", "trade_only", "keep_resting", "luld"]


def varied(setting, values, measures):
    """A sweep over one setting: by measure, the numbers of the runs at each of its values."""
    runs = [
        (value, *numbers)
        for place, value in enumerate(values)
        for numbers in zip(*(table[place] for table in measures.values()), strict=True)
    ]
    return swept([setting], [*measures], *runs)


RATES = {
    "fair_stopped_rate": ([0.10, 0.20], [0.30, 0.30]),
    "unfair_trade_rate": ([0.01, 0.01], [0.02, 0.02]),
    "entry_rate": ([0.09, 0.11], [0.20, 0.22]),
    "implied_rate": ([0.09, 0.11], [0.18, 0.20]),
    "diffusion_rate": ([0.08, 0.12], [0.21, 0.21]),
    "first_passage_rate": ([0.15, 0.15], [0.4, 0.4]),
}
COSTS = {
    "fair_stopped_rate": ([0.1, 0.2], [0.02, 0.02], [0.3, 0.5], [0.02, 0.02]),
    "repriced_share": ([0.0, 0.0], [0.1, 0.3], [0.0, 0.0], [0.2, 0.2]),
    "unfair_trade_rate": ([0.0, 0.0], [0.4, 0.6], [0.1, 0.1], [0.2, 0.2]),
    "refused_share": ([0.2, 0.3], [0.0, 0.1], [0.4, 0.4], [0.3, 0.3]),
    "swept_share": ([0.1, 0.2], [0.0, 0.0], [0.0, 0.0], [0.1, 0.1]),
}
NUMBERS = varied("epoch_length", [1.0, 2.0], RATES)
LABELS = varied("faults", ["none", "1 silent"], RATES)
COMPARED = varied("market.band", BANDS, COSTS)
SHOWN = {
    "stopped, for whatever reason": "fair_stopped_rate",
    "refused at entry by a reference": "entry_rate",
    "implied by the references' ages": "implied_rate",
}


class TestStaleness:
    def test_marks_are_the_means_and_bars_their_intervals(self):
        (axes,) = plot_staleness(NUMBERS).axes
        for label, measure in SHOWN.items():
            intervals = [mean_interval(numbers) for numbers in RATES[measure]]
            marks, bars = means(axes, label)
            np.testing.assert_allclose(marks, [[1, intervals[0].mean], [2, intervals[1].mean]])
            ends = [bar[:, 1] for bar in bars]
            np.testing.assert_allclose(ends, [[each.low, each.high] for each in intervals])
        assert axes.get_xlabel() == "Length of an epoch (s of protocol time)"
        assert axes.get_ylabel() == "Share of the limit orders with a fair price"
        assert axes.get_ylim()[0] == 0

    def test_formulas_that_were_measured_are_lines_through_their_means(self):
        (axes,) = plot_staleness(NUMBERS).axes
        for label, heights in (
            ("diffusion of these ages, outside", [0.1, 0.21]),
            ("first passage by these ages", [0.15, 0.4]),
        ):
            np.testing.assert_allclose(points(axes, label), [[1, heights[0]], [2, heights[1]]])
        black = [line for line in axes.get_lines() if line.get_color() == "#000000"]
        assert len({line.get_linestyle() for line in black}) == 2

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
        none = varied("nodes", [4], {"fair_stopped_rate": [[NAN, NAN]]})
        assert answer(plot_staleness(none).axes[0]) == "no run has an order with a fair price"

    def test_every_setting_that_staleness_varies_has_a_label(self):
        assert {each.setting for each in _CAUSES.values()} == {*_LABELS}


class TestBands:
    def test_each_panel_has_the_means_of_a_measure_with_their_intervals(self):
        panels = plot_bands(COMPARED).axes
        assert len(panels) == 3
        drawn = [series for axes in panels for series in axes.containers]
        shifts = [-0.12, 0.12, 0, -0.12, 0.12]
        for shown, table, shift in zip(drawn, COSTS.values(), shifts, strict=True):
            intervals = [mean_interval(numbers) for numbers in table]
            expected = [[each.mean, row + shift] for row, each in enumerate(intervals)]
            np.testing.assert_allclose(shown.lines[0].get_xydata(), expected)
            ends = [bar[:, 0] for bar in shown.lines[2][0].get_segments()]
            np.testing.assert_allclose(ends, [[each.low, each.high] for each in intervals])
        assert all(-0.1 < axes.get_xlim()[0] < 0 for axes in panels)
        legends = [["stopped", "moved to the edge"], [], ["as they came", "out of the book later"]]
        assert [explained(axes) for axes in panels] == legends

    def test_bands_have_readable_names_from_top_to_bottom(self):
        first = plot_bands(COMPARED).axes[0]
        names = ["consensus", "at the trade only", "keep resting", "US LULD"]
        assert tick_labels(first.yaxis) == names
        assert first.get_ylim() == (3.5, -0.5)
