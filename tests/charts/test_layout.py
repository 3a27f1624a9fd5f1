"""What all charts share: marks at the edges, and legends without what is not there."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from streamlet_lab.charts.layout import add_key, legend_below, mark_off_scale, percent

from .drawing import explained, points


@pytest.fixture
def axes():
    axes = Figure().subplots()
    axes.set_ylim(0, 10)
    return axes


class TestOffScale:
    PRICES = pd.Series({1.0: 99.0, 2.0: 20.0, 3.0: 5.0, 4.0: 30.0, 6.0: -1.0, 7.0: -2.0})

    def test_each_is_marked_at_the_edge_that_it_is_beyond(self, axes):
        mark_off_scale(axes, self.PRICES)
        marks = points(axes, "off the scale (5)")
        marks = marks[np.isfinite(marks[:, 0])]
        assert marks.tolist() == [[6, 0], [7, 0], [1, 10], [2, 10], [4, 10]]
        assert axes.get_ylim() == (0, 10)

    def test_a_stretch_is_a_line_from_mark_to_mark(self, axes):
        mark_off_scale(axes, self.PRICES, joined=1.0)
        marks = points(axes, "off the scale (5)")
        parts = np.split(marks[:, 0], np.flatnonzero(np.isnan(marks[:, 0])))
        assert [part[~np.isnan(part)].tolist() for part in parts] == [[6, 7], [1, 2], [4], []]
        assert axes.get_lines()[0].get_linestyle() == ":"

    def test_several_at_one_instant_have_one_mark(self, axes):
        mark_off_scale(axes, pd.Series([20.0, 30.0], [1.0, 1.0]))
        assert points(axes, "off the scale (2)")[0].tolist() == [1, 10]
        assert len(points(axes, "off the scale (2)")) == 2

    def test_nothing_is_drawn_where_all_is_on_the_scale(self, axes):
        mark_off_scale(axes, pd.Series({1.0: 0.0, 2.0: 10.0, 3.0: np.nan}))
        assert not axes.get_lines()


class TestLegend:
    def test_series_without_data_are_not_explained(self, axes):
        axes.plot([], [], label="empty line")
        axes.plot([1, 2], [np.nan, np.nan], label="missing line")
        axes.vlines([], [], [], label="no stems")
        axes.scatter([], [], label="no points")
        axes.errorbar([1], [np.nan], [0.1], label="no means")
        axes.bar([1, 2], [0, 0], label="no bars")
        axes.fill_between([1, 2], [np.nan] * 2, [1, 2], label="no area")
        legend_below(axes)
        assert explained(axes) == []

    def test_all_others_are(self, axes):
        axes.plot([1, 2], [np.nan, 3], label="line")
        axes.axhline(3, label="level")
        axes.vlines([1], [0], [1], label="stems")
        axes.scatter([1], [1], label="points")
        axes.errorbar([1], [3], [0.1], label="means")
        axes.bar([1, 2], [0, 1], label="bars")
        axes.fill_between([1, 2], [0, 0], [1, 2], label="area")
        axes.axvspan(1, 2, label="span")
        add_key(axes, "key", {"marker": "o"})
        legend_below(axes)
        names = {"line", "level", "stems", "points", "means", "bars", "area", "span", "key"}
        assert {*explained(axes)} == names

    def test_those_of_other_axes_too(self):
        upper, lower = Figure().subplots(2)
        upper.plot([1], [1], label="above")
        upper.plot([], [], label="nothing")
        lower.plot([1], [1], label="below")
        legend_below(lower, upper)
        assert explained(lower) == ["above", "below"]


@pytest.mark.parametrize(
    ("amount", "text"), [(5, "5 %"), (5.0, "5 %"), (0.25, "0.25 %"), (100, "100 %")]
)
def test_percentages_have_no_needless_zeros(amount, text):
    assert percent(amount) == text
