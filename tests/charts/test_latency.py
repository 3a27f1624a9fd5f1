"""The latency chart, and where its closed form speaks."""

from fractions import Fraction

import numpy as np
import pytest

from streamlet_lab import Experiment, Fault
from streamlet_lab.charts import draw_latency
from streamlet_lab.charts.latency import Regime, closed_form
from streamlet_lab.config import make_config
from streamlet_lab.theory import finality_lag, round_robin_finality_lag

from .drawing import drawn, find, labels, points, rows
from .runs import run

ALWAYS = Fraction(1)
ONE_OF_FOUR = round_robin_finality_lag(4, {3})


@pytest.mark.parametrize(
    ("settings", "regimes"),
    [
        ({}, [Regime(0, 60, ALWAYS)]),
        ({"faults": {"node_3": "crash"}}, [Regime(0, 60, ONE_OF_FOUR)]),
        ({"faults": {"node_3": "crash@20"}}, [Regime(0, 20, ALWAYS), Regime(20, 60, ONE_OF_FOUR)]),
        (
            {"faults": {"node_1": "silent_leader@10-30"}},
            [
                Regime(0, 10, ALWAYS),
                Regime(10, 30, round_robin_finality_lag(4, {1})),
                Regime(30, 60, ALWAYS),
            ],
        ),
        # No three consecutive leaders are live.
        ({"faults": [Fault("silent_leader", count=2)]}, [Regime(0, 60, None)]),
        # Four of seven leaders could finalize, but the quorum is five.
        ({"nodes": 7, "faults": [Fault("crash", count=3)]}, [Regime(0, 60, None)]),
        (
            {"nodes": 7, "faults": [Fault("silent_leader", count=3)]},
            [Regime(0, 60, round_robin_finality_lag(7, {4, 5, 6}))],
        ),
        (
            {"leaders": "hashed", "faults": {"node_3": "silent_leader"}},
            [Regime(0, 60, finality_lag(Fraction(3, 4)))],
        ),
        # ●●○●●●○ of two nodes.
        (
            {
                "leaders": [f"node_{name}" for name in "0030003"],
                "faults": {"node_3": "silent_leader"},
            },
            [Regime(0, 60, Fraction(19, 5))],
        ),
        # Shorter than a round: no mean to speak of.
        ({"faults": {"node_3": "crash@57"}}, [Regime(0, 57, ALWAYS)]),
        # Conditions of the theorem that do not hold.
        ({"faults": {"node_3": "lying_leader"}}, []),
        ({"epoch_length": "900ms"}, []),
        ({"model": "synchronous"}, []),
        ({"network": {"gst": "5s"}}, []),
        ({"network": {"loss": 0.1}}, []),
        # The setting is not the median delay of every link.
        ({"network": {"delays": "regions"}}, []),
        ({"network": {"slow_nodes": {"node_1": 3}}}, []),
        ({"network": {"link_delays": {"node_0>node_1": "90ms"}}}, []),
        # A fault that nobody has is none.
        ({"faults": [Fault("lying_leader", count=0)]}, [Regime(0, 60, ALWAYS)]),
    ],
)
def test_closed_form_speaks_where_its_conditions_hold(settings, regimes):
    assert closed_form(make_config(epochs=60, **settings)) == regimes


@pytest.mark.parametrize("silent", [set(), {3}, {4, 5}, {0, 2}])
def test_closed_form_is_what_a_simulation_of_whole_rounds_measures(silent):
    nodes, rounds = 6, 12
    faults = {f"node_{index}": "silent_leader" for index in silent}
    settings = {"nodes": nodes, "faults": faults, "market": {"traders": 0}}
    result = Experiment(epochs=nodes * (rounds + 2), signatures="none", **settings).run()
    # The blocks of the first round may extend genesis, which is final already.
    lags = result.epochs["latency_epochs"].iloc[nodes : nodes * (rounds + 1)].dropna()
    (regime,) = closed_form(result.config)
    assert Fraction(int(lags.sum()), len(lags)) == regime.lag


def test_shows_every_latency_and_marks_epochs_that_are_not_final():
    result = run("crash in the middle")
    epochs, axes = result.epochs, drawn(draw_latency, result)
    shown = points(axes, "seen by the observer")
    np.testing.assert_array_equal(shown, rows(epochs, "start_s", "latency_s"))
    waiting = epochs["start_s"][epochs["finalized_s"].isna()]
    assert points(axes, "not final (11)")[:, 0].tolist() == waiting.tolist()


def test_shows_simulation_and_closed_form_side_by_side():
    result = run("silent leader")
    axes = drawn(draw_latency, result)
    mean = result.epochs["latency_s"].mean()
    np.testing.assert_allclose(points(axes, "mean of the sim"), [[0, mean], [60, mean]])
    np.testing.assert_allclose(points(axes, "closed form"), [[0, 7 / 3 + 0.1], [60, 7 / 3 + 0.1]])


def test_closed_form_changes_where_the_fault_begins():
    axes = drawn(draw_latency, run("crash in the middle"))
    dashed = [line for line in axes.get_lines() if line.get_linestyle() == "--"]
    assert [line.get_xdata()[0] for line in dashed] == [0, 20]
    assert [line.get_ydata()[0] for line in dashed] == pytest.approx([1.1, 7 / 3 + 0.1])


def test_closed_form_is_in_seconds_with_two_median_delays():
    axes = drawn(draw_latency, run("slow epochs"))
    assert points(axes, "closed form")[0, 1] == pytest.approx(2 + 2 * 0.05)


def test_the_scale_is_that_of_the_data():
    low, high = drawn(draw_latency, run("default")).get_ylim()
    latency = run("default").finality["latency_s"]
    assert 0.95 * latency.min() < low < latency.min() < latency.max() < high


@pytest.mark.parametrize("case", ["one lying leader", "short epochs"])
def test_no_closed_form_where_its_conditions_do_not_hold(case):
    shown = labels(drawn(draw_latency, run(case)))
    assert not any(label.startswith(("closed form", "mean")) for label in shown)


def test_spread_over_the_nodes_is_that_of_the_finality_frame():
    result = run("default")
    segments = find(drawn(draw_latency, result), "range over nodes").get_segments()
    seen = result.finality.query("epoch == 7")["latency_s"]
    np.testing.assert_allclose(segments[7], [[7, seen.min()], [7, seen.max()]])
