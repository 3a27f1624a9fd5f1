"""Denied trades and lying leaders: means with intervals, and the closed form of the band."""

from statistics import NormalDist

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from streamlet_lab import Fault, InvalidInput, Sweep, sweep
from streamlet_lab.charts import Flow, denied_share, plot_denial, plot_policies
from streamlet_lab.intervals import mean_interval
from streamlet_lab.metrics import activity

from .drawing import answer, assert_apart, find, labels, points, written

PHI = NormalDist().cdf


@pytest.fixture(autouse=True)
def _headless():
    plt.switch_backend("Agg")
    yield
    plt.close("all")


def swept(settings, measures, *runs):
    frame = pd.DataFrame(runs, columns=[*settings, *measures])
    frame.insert(len(settings), "repeat", 0)
    frame.insert(len(settings) + 1, "seed", 0)
    return Sweep(frame, tuple(settings), planned=len(runs))


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


class TestClosedForm:
    @pytest.mark.parametrize("bp", [0, 100, 450, 526, 600, -500, -526])
    def test_is_the_share_of_normal_limit_prices_outside_the_band(self, bp):
        ratio = 1 + bp / 10_000
        outside = PHI((0.95 * ratio - 1) / 0.005) + 1 - PHI((1.05 * ratio - 1) / 0.005)
        assert denied_share(bp) == pytest.approx(outside, abs=1e-12)

    def test_one_liar_of_three_against_the_mean_denies_half_of_the_limit_orders(self):
        """c/p = 1/0.95: the true price is on the very edge of the band."""
        assert denied_share(10_000 / 19) == pytest.approx(0.5)

    def test_knows_the_market(self):
        wide = Flow(band_percent=10, spread_percent=1.0)
        expected = PHI((0.9 * 1.1 - 1) / 0.01)
        assert denied_share(1_000, wide) == pytest.approx(expected)

    def test_without_spread_all_or_none_are_denied(self):
        exact = Flow(spread_percent=0)
        assert [denied_share(bp, exact) for bp in (0, 526, 527, -527, -476)] == [0, 0, 1, 1, 0]

    @pytest.mark.parametrize("bp", [-10_000, -20_000, float("nan"), float("inf"), "5", True])
    def test_a_price_is_above_zero(self, bp):
        with pytest.raises(InvalidInput, match=r"displacement_bp: .* above -10000"):
            denied_share(bp)
        assert denied_share(np.float64(-9_999)) == pytest.approx(1)

    @pytest.mark.parametrize(
        ("field", "wrong"),
        [
            ("band_percent", 0),
            ("band_percent", float("inf")),
            ("spread_percent", -0.1),
        ],
    )
    def test_a_flow_is_checked(self, field, wrong):
        with pytest.raises(InvalidInput) as caught:
            Flow(**{field: wrong})
        assert caught.value.field == field

    def test_is_what_a_market_does(self):
        """A source's bias of 3 · 530 basis points moves the mean of three by 530."""
        base = {
            "epochs": 60,
            "market_time_per_epoch": "1s",
            "signatures": "none",
            "faults": [Fault("biased", count=1, parameters={"bp": 3 * 530})],
            "prices": {"max_deviation_percent": 50},
            "market": {"traders": 150},
        }

        def denied(result):
            late = {
                name: frame[frame["epoch"] > 5] if name in ("orders", "rejections") else frame
                for name, frame in result.frames.items()
            }
            numbers = activity(late)
            outside, fair = numbers["fair_stopped_outside_band"], numbers["fair_orders"]
            return {"denied": outside / fair, "n": fair}

        (row,) = sweep(base, {}, repeats=1, measure=denied).frame.itertuples()
        expected = denied_share(530)
        deviation = (expected * (1 - expected) / row.n) ** 0.5
        assert row.denied == pytest.approx(expected, abs=4 * deviation)


SEVEN = swept(["nodes"], ["mean_bp", "denied"], *[(nodes, 1.0, 0.0) for nodes in range(7)])


class TestDenial:
    def test_marks_are_means_with_intervals_at_the_mean_displacement(self):
        (axes,) = plot_denial(DENIED).axes
        (mean,) = [each for each in axes.containers if each.get_label() == "aggregator = mean"]
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
        (axes,) = plot_denial(DENIED, flow=Flow(band_percent=80)).axes
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

    def test_heading_and_legend_cover_nothing(self):
        figure = plot_denial(DENIED)
        figure.draw_without_rendering()
        (axes,) = figure.axes
        assert_apart(figure, [*written(axes), axes.yaxis.label, axes.get_legend(), axes.patch])

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
        assert [tick.get_text() for tick in axes.get_xticklabels()] == ["bounds", "evidence"]
        assert axes.get_yscale() == "log"
        assert answer(axes) == "means from 2 to 1020 bp; intervals: 95 %, 2 runs each"
        # The interval of 1 and 3 reaches below zero, which has no place here.
        low, high = axes.get_ylim()
        assert low < 2
        assert high > mean_interval([1000, 1040]).high

    def test_heading_and_legend_cover_nothing(self):
        figure = plot_policies(LED)
        figure.draw_without_rendering()
        (axes,) = figure.axes
        assert_apart(figure, [*written(axes), axes.yaxis.label, axes.get_legend(), axes.patch])

    def test_another_sweep_is_refused(self):
        with pytest.raises(InvalidInput):
            plot_policies(DENIED)
