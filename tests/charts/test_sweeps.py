"""Charts of sweeps: means and intervals where they belong, over what formulas say."""

import numpy as np
import pytest

from streamlet_lab.charts import plot_denial, plot_means, plot_policies
from streamlet_lab.intervals import mean_interval
from streamlet_lab.theory import denied_share

from .drawing import answer, find, labels, means, points, tick_labels
from .drawing import swept as sweep_of

NAN = float("nan")


def swept(settings, *runs):
    return sweep_of(settings, ["latency_s"], *runs)


#: Means 2 and 5.
ONE = swept(["network.delta"], (0.5, 1.0), (0.5, 3.0), (2.0, 5.0), (2.0, 5.0))
#: Means 1, 2 and 3, 5.
TWO = swept(
    ["network.delta", "leaders"],
    *[(0.5, "hashed", 1.0), (0.5, "hashed", 1.0), (0.5, "in turn", 1.0), (0.5, "in turn", 3.0)],
    *[(2.0, "hashed", 3.0), (2.0, "hashed", 3.0), (2.0, "in turn", 4.0), (2.0, "in turn", 6.0)],
)


def chart(shown, x="network.delta", **options):
    (axes,) = plot_means(shown, "latency_s", x, **options).axes
    return axes


def test_marks_are_the_means_and_bars_their_intervals():
    marks, bars = means(chart(ONE), "simulation")
    assert marks.tolist() == [[0.5, 2], [2, 5]]
    interval = mean_interval([1, 3])
    np.testing.assert_allclose([bar[:, 1] for bar in bars], [[interval.low, interval.high], [5, 5]])


def test_each_value_of_the_other_setting_is_a_series_with_a_look_of_its_own():
    axes = chart(TWO, by="leaders")
    assert labels(axes) == ["leaders = hashed", "leaders = in turn"]
    assert means(axes, "leaders = hashed")[0].tolist() == [[0.5, 1], [2, 3]]
    assert means(axes, "leaders = in turn")[0].tolist() == [[0.5, 2], [2, 5]]
    looks = [(line.get_color(), line.get_marker()) for line, _, _ in axes.containers]
    assert len({color for color, _ in looks}) == len({marker for _, marker in looks}) == 2


def test_labels_stand_side_by_side_and_so_do_their_series():
    runs = swept(
        ["faults", "leaders"],
        *[("one", "hashed", 1.0), ("one", "in turn", 2.0)],
        *[("none", "hashed", 3.0), ("none", "in turn", 4.0)],
    )
    axes = chart(runs, "faults", by="leaders")
    assert tick_labels(axes.xaxis) == ["one", "none"]
    first, second = (means(axes, f"leaders = {name}")[0] for name in ("hashed", "in turn"))
    assert first[:, 1].tolist() == [1, 3]
    np.testing.assert_allclose((first + second)[:, 0] / 2, [0, 1])
    assert (first[:, 0] < second[:, 0]).all()


def test_a_closed_form_is_a_dashed_black_curve_between_the_settings():
    axes = chart(ONE, closed_form=lambda delta: 2 * delta + 1)
    curve = points(axes, "closed form")
    np.testing.assert_allclose(curve[:, 1], 2 * curve[:, 0] + 1)
    assert (curve[0, 0], curve[-1, 0]) == (0.5, 2)
    assert len(curve) > 100
    line = find(axes, "closed form")
    assert (line.get_color(), line.get_linestyle()) == ("#000000", "--")


def test_a_closed_form_of_whole_numbers_is_asked_for_no_others():
    runs = swept(["nodes"], (4, 60.0), (7, 336.0))
    curve = points(chart(runs, "nodes", closed_form=lambda n: n**3 - n), "closed form")
    assert curve.tolist() == [[4, 60], [5, 120], [6, 210], [7, 336]]


def test_a_closed_form_of_labels_is_a_step_at_each():
    runs = swept(["faults"], ("none", 1.0), ("one", 2.0))
    axes = chart(runs, "faults", closed_form={"none": 1, "one": 7 / 3}.get)
    steps = find(axes, "closed form").get_segments()
    assert [step[:, 1].tolist() for step in steps] == [[1, 1], [7 / 3, 7 / 3]]
    assert [step[:, 0].mean() for step in steps] == [0, 1]


def test_every_series_can_have_a_closed_form_of_its_own_and_one_for_all_is_drawn_once():
    forms = {"hashed": lambda delta: delta, "in turn": lambda delta: 3 * delta}
    axes, dashes = chart(TWO, by="leaders", closed_form=forms), set()
    for name, factor in (("hashed", 1), ("in turn", 3)):
        curve = find(axes, f"closed form, leaders = {name}")
        dashes.add(curve.get_linestyle())
        np.testing.assert_allclose(curve.get_ydata(), factor * curve.get_xdata())
    assert len(dashes) == 2
    axes = chart(TWO, by="leaders", closed_form=float)
    assert sorted(labels(axes)) == ["closed form", "leaders = hashed", "leaders = in turn"]


def test_means_are_joined_only_where_no_formula_is():
    joined, apart = (
        {
            line.get_linestyle()
            for line, _, _ in chart(TWO, by="leaders", closed_form=form).containers
        }
        for form in (None, {"hashed": float})
    )
    assert "None" not in joined
    assert apart == {"None"}


@pytest.mark.parametrize(
    ("closed_form", "hold", "judged"),
    [
        (lambda delta: 2 * delta + 1, 2, 2),
        # The first interval reaches to 2 + 12.706, the second has no width.
        (lambda delta: 14.7, 1, 2),
        (lambda delta: 14.71, 0, 2),
        (lambda delta: 5 + 1e-12, 2, 2),
        (lambda delta: 5 - 1e-12, 2, 2),
        (lambda delta: 5.001, 1, 2),
        ({0.5: 2}.get, 1, 1),
    ],
)
def test_the_answer_counts_the_intervals_that_hold_the_closed_form(closed_form, hold, judged):
    assert answer(chart(ONE, closed_form=closed_form)) == (
        "from 2 at 0.5 to 5 at 2.0; "
        f"closed form in {hold} of {judged} intervals (95 %, 2 runs each)"
    )
    assert answer(chart(ONE)) == "from 2 at 0.5 to 5 at 2.0; intervals: 95 %, 2 runs each"


def test_runs_without_the_measure_are_left_out():
    runs = swept(["epochs"], (1, NAN), (1, NAN), (2, 4.0), (2, NAN), (3, 4.0), (3, 6.0))
    axes = chart(runs, "epochs", closed_form=lambda epochs: 5)
    assert answer(axes) == (
        "from 4 at 2 to 5 at 3; closed form in 1 of 1 intervals (95 %, 0 to 2 runs each)"
    )
    assert answer(chart(swept(["epochs"], (1, NAN)), "epochs")) == "no run has this measure"


def test_titles_and_labels_are_names_unless_given():
    for axes, texts in (
        (chart(ONE), ["How does latency_s depend on network.delta?", "network.delta", "latency_s"]),
        (chart(ONE, question="Why?", x_label="Δ (s)", y_label="s"), ["Why?", "Δ (s)", "s"]),
    ):
        assert [axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()] == texts


def test_zero_is_in_sight():
    assert chart(swept(["epochs"], (1, 90.0), (2, 91.0)), "epochs").get_ylim()[0] == 0
    assert chart(swept(["epochs"], (1, -90.0), (2, 91.0)), "epochs").get_ylim()[0] < -90


DENIED = sweep_of(
    ["prices.aggregator", "faults"],
    ["mean_bp", "denied"],
    *[("mean", 0, 0.5, 0.0), ("mean", 0, 0.7, 0.0)],
    *[("mean", 1, 520.0, 0.38), ("mean", 1, 522.0, 0.42)],
    *[("median", 1, 0.8, 0.01), ("median", 1, 1.0, 0.01)],
)
LED = sweep_of(
    ["prices.voter_policy", "prices.aggregator"],
    ["worst_bp"],
    *[("bounds", "mean", 1000.0), ("bounds", "mean", 1040.0)],
    *[("evidence", "mean", 1.0), ("evidence", "mean", 3.0)],
)


class TestDenial:
    def test_marks_are_means_with_intervals_over_the_closed_form_in_both_directions(self):
        (axes,) = plot_denial(DENIED).axes
        marks, bars = means(axes, "aggregator = mean")
        np.testing.assert_allclose(marks, [[0.6, 0], [521, 0.4]])
        interval = mean_interval([0.38, 0.42])
        np.testing.assert_allclose(bars[1][:, 1], [interval.low, interval.high])
        up, down = (find(axes, f"closed form, price pushed {way}") for way in ("up", "down"))
        for line, sign in ((up, 1), (down, -1)):
            bp, shares = line.get_data()
            np.testing.assert_allclose(shares, [denied_share(sign * each) for each in bp])
            assert bp[-1] >= 521
        assert up.get_linestyle() != down.get_linestyle()
        assert answer(axes) == (
            "up to 40% of the fair orders denied, at 521 bp "
            f"(closed form: {denied_share(521):.0%}); band ±5 %; intervals: 95 %, 2 runs each"
        )

    def test_no_price_is_pushed_down_to_nothing(self):
        (axes,) = plot_denial(DENIED, band_percent=80).axes
        assert points(axes, "closed form, price pushed up")[-1, 0] == pytest.approx(11_200)
        assert 9_900 < points(axes, "closed form, price pushed d")[-1, 0] < 10_000

    def test_without_fair_orders_it_says_so(self):
        figure = plot_denial(
            sweep_of(["prices.aggregator"], ["mean_bp", "denied"], ("mean", 1.0, NAN))
        )
        assert answer(figure.axes[0]) == "no fair order was sent"
        figure.draw_without_rendering()


class TestPolicies:
    def test_marks_are_the_worst_by_policy_and_aggregator_on_a_logarithmic_axis(self):
        (axes,) = plot_policies(LED).axes
        assert labels(axes) == ["aggregator = mean"]
        (mean,) = axes.containers
        assert mean.lines[0].get_xydata().tolist() == [[0, 1020], [1, 2]]
        assert tick_labels(axes.xaxis) == ["bounds", "evidence"]
        assert axes.get_yscale() == "log"
        assert answer(axes) == (
            "from 2 bp at evidence (mean) to 1,020 bp at bounds (mean); "
            "intervals: 95 %, 2 runs each"
        )
        # The interval of 1 and 3 reaches below zero, which has no place here.
        low, high = axes.get_ylim()
        assert low < 2
        assert high > mean_interval([1000, 1040]).high
