"""The chart of a sweep: means and intervals where they belong, over what formulas say."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from streamlet_lab import InvalidInput
from streamlet_lab.charts import plot_means
from streamlet_lab.intervals import mean_interval

from .drawing import answer, find, labels, points, series, tick_labels
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


def marks(axes, name):
    """Where a series has its marks."""
    return series(axes, name).lines[0].get_xydata()


def test_marks_are_the_means_and_bars_their_intervals():
    axes = chart(ONE)
    assert marks(axes, "mean").tolist() == [[0.5, 2], [2, 5]]
    interval = mean_interval([1, 3])
    (bars,) = series(axes, "mean").lines[2]
    ends = [bar[:, 1] for bar in bars.get_segments()]
    np.testing.assert_allclose(ends, [[interval.low, interval.high], [5, 5]])


def test_each_value_of_the_other_setting_is_a_series_with_a_look_of_its_own():
    axes = chart(TWO, by="leaders")
    assert labels(axes) == ["leaders = hashed", "leaders = in turn"]
    assert marks(axes, "leaders = hashed").tolist() == [[0.5, 1], [2, 3]]
    assert marks(axes, "leaders = in turn").tolist() == [[0.5, 2], [2, 5]]
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
    first, second = (marks(axes, f"leaders = {name}") for name in ("hashed", "in turn"))
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


def test_every_series_can_have_a_closed_form_of_its_own():
    forms = {"hashed": lambda delta: delta, "in turn": lambda delta: 3 * delta}
    axes = chart(TWO, by="leaders", closed_form=forms)
    for name, factor in (("hashed", 1), ("in turn", 3)):
        curve = points(axes, f"closed form, leaders = {name}")
        np.testing.assert_allclose(curve[:, 1], factor * curve[:, 0])
    assert (
        len({find(axes, f"closed form, leaders = {name}").get_linestyle() for name in forms}) == 2
    )


def test_one_closed_form_for_all_is_drawn_once():
    axes = chart(TWO, by="leaders", closed_form=lambda delta: delta)
    assert sorted(labels(axes)) == ["closed form", "leaders = hashed", "leaders = in turn"]


def test_means_are_joined_only_where_no_formula_is():
    styles = {
        name: [
            line.get_linestyle() for line, _, _ in chart(TWO, by="leaders", **options).containers
        ]
        for name, options in {"joined": {}, "apart": {"closed_form": {"hashed": float}}}.items()
    }
    assert "None" not in styles["joined"]
    assert styles["apart"] == ["None", "None"]


@pytest.mark.parametrize(
    ("closed_form", "hold"),
    [
        (lambda delta: 2 * delta + 1, "2 of 2 intervals (95 %, 2 runs each) hold the closed form"),
        # The first interval reaches to 2 + 12.706, the second has no width.
        (lambda delta: 14.7, "1 of 2 intervals (95 %, 2 runs each) hold the closed form"),
        (lambda delta: 14.71, "0 of 2 intervals (95 %, 2 runs each) hold the closed form"),
        (lambda delta: 5 + 1e-12, "2 of 2 intervals (95 %, 2 runs each) hold the closed form"),
        (lambda delta: 5 - 1e-12, "2 of 2 intervals (95 %, 2 runs each) hold the closed form"),
        (lambda delta: 5.001, "1 of 2 intervals (95 %, 2 runs each) hold the closed form"),
        ({0.5: 2}.get, "1 of 1 intervals (95 %, 2 runs each) hold the closed form"),
        (None, "intervals: 95 %, 2 runs each"),
    ],
)
def test_the_answer_counts_the_intervals_that_hold_the_closed_form(closed_form, hold):
    assert answer(chart(ONE, closed_form=closed_form)) == f"means from 2 to 5; {hold}"


def test_runs_without_the_measure_are_left_out():
    runs = swept(["epochs"], (1, NAN), (1, NAN), (2, 4.0), (2, NAN), (3, 4.0), (3, 6.0))
    axes = chart(runs, "epochs", closed_form=lambda epochs: 5)
    assert answer(axes) == (
        "means from 4 to 5; 1 of 1 intervals (95 %, 0 to 2 runs each) hold the closed form"
    )
    assert answer(chart(swept(["epochs"], (1, NAN)), "epochs")) == "no run has this measure"


def test_titles_and_labels_are_names_unless_given():
    axes = chart(ONE)
    assert axes.get_title(loc="left") == "How does latency_s depend on network.delta?"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("network.delta", "latency_s")
    axes = chart(ONE, question="What does Δ cost?", x_label="Δ (s)", y_label="Latency (s)")
    assert axes.get_title(loc="left") == "What does Δ cost?"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Δ (s)", "Latency (s)")


def test_zero_is_in_sight():
    assert chart(swept(["epochs"], (1, 90.0), (2, 91.0)), "epochs").get_ylim()[0] == 0
    assert chart(swept(["epochs"], (1, -90.0), (2, 91.0)), "epochs").get_ylim()[0] < -90


def test_a_logarithmic_axis_shows_all_that_is_above_zero():
    runs = swept(["epochs"], (1, 1.0), (1, 3.0), (2, 1000.0), (2, 1000.0))
    axes = chart(runs, "epochs", y_scale="log")
    assert axes.get_yscale() == "log"
    low, high = axes.get_ylim()
    assert 0 < low < 2
    assert 1000 < high < 2 * mean_interval([1, 3]).high * 1000
    assert chart(swept(["epochs"], (1, NAN)), "epochs", y_scale="log").get_yscale() == "log"


SEVEN = swept(["epochs", "nodes"], *[(1, nodes, 1.0) for nodes in range(7)])


@pytest.mark.parametrize(
    ("shown", "measure", "x", "options", "field"),
    [
        (ONE, "latency", "network.delta", {}, "measure"),
        (ONE, "latency_s", "delta", {}, "x, by"),
        (ONE, "latency_s", "network.delta", {"by": "leaders"}, "x, by"),
        (TWO, "latency_s", "network.delta", {}, "x, by"),
        (ONE, "latency_s", "network.delta", {"y_scale": "square"}, "y_scale"),
        (SEVEN, "latency_s", "epochs", {"by": "nodes"}, "by"),
        (
            TWO,
            "latency_s",
            "network.delta",
            {"by": "leaders", "closed_form": {"sorted": float}},
            "closed_form",
        ),
    ],
)
def test_what_the_sweep_does_not_have_is_refused(shown, measure, x, options, field):
    with pytest.raises(InvalidInput) as caught:
        plot_means(shown, measure, x, **options)
    assert caught.value.field == field
    assert not plt.get_fignums()


def test_a_frame_is_no_sweep():
    with pytest.raises(InvalidInput, match="what sweep returned") as caught:
        chart(ONE.frame)
    assert (caught.value.field, caught.value.value) == ("swept", "DataFrame")
