"""Denied trades and lying leaders: means with intervals, and the closed form of the band."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from streamlet_lab import InvalidInput
from streamlet_lab.charts import plot_denial, plot_policies
from streamlet_lab.intervals import mean_interval
from streamlet_lab.theory import denied_share

from .drawing import answer, find, labels, points, series, swept, tick_labels

DENIED = swept(
    ["prices.aggregator", "faults"],
    ["mean_bp", "denied"],
    *[("mean", 0, 0.5, 0.0), ("mean", 0, 0.7, 0.0)],
    *[("mean", 1, 520.0, 0.38), ("mean", 1, 522.0, 0.42)],
    *[("median", 1, 0.8, 0.01), ("median", 1, 1.0, 0.01)],
)
LED = swept(
    ["prices.voter_policy", "prices.aggregator"],
    ["worst_bp"],
    *[("bounds", "mean", 1000.0), ("bounds", "mean", 1040.0)],
    *[("evidence", "mean", 1.0), ("evidence", "mean", 3.0)],
)


SEVEN = swept(["nodes"], ["mean_bp", "denied"], *[(nodes, 1.0, 0.0) for nodes in range(7)])


class TestDenial:
    def test_marks_are_means_with_intervals_at_the_mean_displacement(self):
        (axes,) = plot_denial(DENIED).axes
        mean = series(axes, "aggregator = mean")
        np.testing.assert_allclose(mean.lines[0].get_xydata(), [[0.6, 0], [521, 0.4]])
        interval = mean_interval([0.38, 0.42])
        (bars,) = mean.lines[2]
        np.testing.assert_allclose(bars.get_segments()[1][:, 1], [interval.low, interval.high])

    def test_lines_are_the_closed_form_in_both_directions(self):
        (axes,) = plot_denial(DENIED).axes
        for label, sign in (
            ("closed form, price pushed up", 1),
            ("closed form, price pushed d", -1),
        ):
            curve = points(axes, label)
            np.testing.assert_allclose(curve[:, 1], [denied_share(sign * bp) for bp in curve[:, 0]])
            assert curve[-1, 0] >= 521
        up, down = (find(axes, f"closed form, price pushed {way}") for way in ("up", "down"))
        assert up.get_linestyle() != down.get_linestyle()

    def test_no_price_is_pushed_down_to_nothing(self):
        (axes,) = plot_denial(DENIED, band_percent=80).axes
        assert points(axes, "closed form, price pushed up")[-1, 0] == pytest.approx(11_200)
        assert 9_900 < points(axes, "closed form, price pushed d")[-1, 0] < 10_000

    def test_answer_holds_the_worst_against_the_closed_form(self):
        (axes,) = plot_denial(DENIED).axes
        assert answer(axes) == (
            "aggregator = mean: 40% of the fair orders denied at 521 bp "
            f"(closed form up: {denied_share(521):.0%}); band ±5 %; intervals: 95 %, 2 runs each"
        )

    def test_without_fair_orders_it_says_so(self):
        none = swept(["prices.aggregator"], ["mean_bp", "denied"], ("mean", 1.0, float("nan")))
        figure = plot_denial(none)
        assert answer(figure.axes[0]) == "no fair order was sent"
        figure.draw_without_rendering()

    @pytest.mark.parametrize(
        ("shown", "by", "field"),
        [
            (DENIED.frame, "prices.aggregator", "swept"),
            (DENIED, "aggregator", "by"),
            (LED, "prices.aggregator", "measure"),
            (SEVEN, "nodes", "by"),
        ],
    )
    def test_what_cannot_be_shown_is_refused(self, shown, by, field):
        with pytest.raises(InvalidInput) as caught:
            plot_denial(shown, by)
        assert caught.value.field == field
        assert not plt.get_fignums()


class TestPolicies:
    def test_marks_are_the_worst_by_policy_and_aggregator_on_a_logarithmic_axis(self):
        (axes,) = plot_policies(LED).axes
        assert labels(axes) == ["aggregator = mean"]
        (mean,) = axes.containers
        assert mean.lines[0].get_xydata().tolist() == [[0, 1020], [1, 2]]
        assert tick_labels(axes.xaxis) == ["bounds", "evidence"]
        assert axes.get_yscale() == "log"
        assert answer(axes) == "means from 2 to 1020 bp; intervals: 95 %, 2 runs each"
        # The interval of 1 and 3 reaches below zero, which has no place here.
        low, high = axes.get_ylim()
        assert low < 2
        assert high > mean_interval([1000, 1040]).high
