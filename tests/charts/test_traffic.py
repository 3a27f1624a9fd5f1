"""The message chart: counts of a run over closed forms that add up to the theory's."""

import numpy as np
import pandas as pd
import pytest

from streamlet_lab import Experiment
from streamlet_lab.charts import draw_messages, plot_messages
from streamlet_lab.charts.traffic import CLOSED_FORMS, message_counts
from streamlet_lab.theory import messages_per_epoch

from .drawing import answer, drawn, labels, points
from .protocol_runs import protocol_run
from .runs import run


def counted(nodes, **counts):
    """A run of one epoch with so many messages, each kind's ``(sent, echoed)``."""
    rows = [(kind, *numbers) for kind, numbers in counts.items()]
    frame = pd.DataFrame(rows, columns=["kind", "sent", "echoed"])
    return protocol_run(nodes=nodes, epochs=1, faults={}, messages=frame)


FOUR = [counted(4, proposal=(3, 9), vote=(12, votes)) for votes in (35, 37)]
SEVEN = counted(7, proposal=(6, 36), vote=(42, 252))


@pytest.mark.parametrize("nodes", [1, 2, 4, 7, 100])
def test_closed_forms_by_type_add_up(nodes):
    counts = {key: form(nodes) for key, (_, form) in CLOSED_FORMS.items()}
    assert sum(counts.values()) == messages_per_epoch(nodes)
    sent = counts["proposal", "sent"] + counts["vote", "sent"]
    assert sent == messages_per_epoch(nodes, echo=False)


@pytest.mark.parametrize("nodes", [1, 4, 7])
def test_closed_forms_by_type_are_what_a_simulation_counts(nodes):
    market = {"traders": 0}
    result = Experiment(nodes=nodes, epochs=6, signatures="none", market=market).run()
    counts = message_counts([result]).loc[nodes]
    for key, (_, form) in CLOSED_FORMS.items():
        assert counts[key] == form(nodes)


def test_counts_are_those_of_a_mean_epoch_even_where_leaders_are_silent():
    result = run("silent leader")
    silent, default = (
        message_counts([each])["proposal", "sent"] for each in (result, run("default"))
    )
    proposals = result.messages.query("kind == 'proposal'")["sent"].sum()
    assert silent.to_dict() == {4: proposals / 60}
    assert silent[4] < default[4]


def test_a_run_without_messages_has_counts_of_zero():
    none = counted(1)
    assert message_counts([none]).to_numpy().tolist() == [[0, 0, 0, 0]]
    assert len(points(drawn(draw_messages, none), "all messages (0)")) == 0


def test_marks_are_the_counts_by_type_and_their_sum_and_lines_the_closed_forms():
    axes = drawn(draw_messages, [*FOUR, SEVEN])
    assert points(axes, "proposals sent").tolist() == [[4, 3], [7, 6]]
    assert points(axes, "proposals passed on").tolist() == [[4, 9], [7, 36]]
    assert points(axes, "votes sent").tolist() == [[4, 12], [7, 42]]
    assert points(axes, "votes passed on").tolist() == [[4, 36], [7, 252]]
    assert points(axes, "all messages").tolist() == [[4, 60], [7, 336]]
    grid = np.arange(2, 33)
    for label, values in {
        "n − 1": grid - 1,
        "(n − 1)²": (grid - 1) ** 2,
        "n(n − 1)": grid * (grid - 1),
        "n(n − 1)²": grid * (grid - 1) ** 2,
        "n³ − n": grid**3 - grid,
        "n² − 1, without echo": grid**2 - 1,
    }.items():
        (line,) = [line for line in axes.get_lines() if line.get_label() == label]
        np.testing.assert_array_equal(line.get_xydata(), np.column_stack([grid, values]))


def test_one_number_of_nodes_is_told_in_numbers():
    one = drawn(draw_messages, FOUR)
    assert labels(one)[:4] == [
        "proposals sent (3)",
        "proposals passed on (9)",
        "votes sent (12)",
        "votes passed on (36)",
    ]
    assert answer(one) == "n = 4: 60 an epoch; closed form 60 with echo, 15 without"
    (several,) = plot_messages([*FOUR, SEVEN]).axes
    expected = "336 with echo, 48 without; 5.6 times as many as for n = 4"
    assert answer(several).endswith(expected)
