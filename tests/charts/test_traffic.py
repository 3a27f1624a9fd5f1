"""The message chart: counts of a run over closed forms that add up to the theory's."""

import numpy as np
import pandas as pd
import pytest

from streamlet_lab import Experiment, InvalidInput
from streamlet_lab.charts import draw_messages, message_counts, plot_messages
from streamlet_lab.charts.traffic import CLOSED_FORMS
from streamlet_lab.theory import messages_per_epoch

from .drawing import answer, drawn, labels, points
from .protocol_runs import protocol_run
from .runs import run

COUNTS = pd.DataFrame(
    [
        (4, "proposal", 3.0, 9.0),
        (4, "vote", 12.0, 35.0),
        (4, "proposal", 3.0, 9.0),
        (4, "vote", 12.0, 37.0),
        (7, "proposal", 6.0, 36.0),
        (7, "vote", 42.0, 252.0),
    ],
    columns=["nodes", "kind", "sent", "echoed"],
)


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
    for row in message_counts([result]).itertuples():
        for column in ("sent", "echoed"):
            form = CLOSED_FORMS[row.kind, column][1]
            assert getattr(row, column) == form(nodes)


def test_counts_are_those_of_a_mean_epoch_even_where_leaders_are_silent():
    result = run("silent leader")
    counts = message_counts([result, run("default")])
    assert counts["nodes"].tolist() == [4] * 4
    assert counts["kind"].tolist() == ["proposal", "vote"] * 2
    proposals = result.messages.query("kind == 'proposal'")["sent"].sum()
    assert counts.loc[0, "sent"] == proposals / 60 < counts.loc[2, "sent"]


def test_a_run_without_messages_has_counts_of_zero():
    none = run("default").messages.iloc[:0]
    counts = message_counts([protocol_run(nodes=1, faults={}, messages=none)])
    assert counts[["sent", "echoed"]].to_numpy().tolist() == [[0, 0], [0, 0]]
    axes = drawn(draw_messages, counts)
    assert len(points(axes, "all messages (0)")) == 0


def test_marks_are_the_counts_by_type_and_their_sum():
    axes = drawn(draw_messages, COUNTS)
    assert points(axes, "proposals sent").tolist() == [[4, 3], [7, 6]]
    assert points(axes, "proposals passed on").tolist() == [[4, 9], [7, 36]]
    assert points(axes, "votes sent").tolist() == [[4, 12], [7, 42]]
    assert points(axes, "votes passed on").tolist() == [[4, 36], [7, 252]]
    assert points(axes, "all messages").tolist() == [[4, 60], [7, 336]]


def test_lines_are_the_closed_forms():
    axes = drawn(draw_messages, COUNTS)
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
    one = drawn(draw_messages, COUNTS[COUNTS["nodes"] == 4])
    assert labels(one)[:4] == [
        "proposals sent (3)",
        "proposals passed on (9)",
        "votes sent (12)",
        "votes passed on (36)",
    ]
    assert answer(one) == "n = 4: 60 an epoch; closed form 60 with echo, 15 without"
    several = answer(drawn(draw_messages, COUNTS))
    assert several.endswith("336 with echo, 48 without; 5.6 times as many as for n = 4")


def test_one_run_several_or_a_frame_can_be_shown():
    runs = [run("default"), run("16 nodes")]
    for shown in (runs, message_counts(runs)):
        assert answer(plot_messages(shown).axes[0]).startswith("n = 16: ")
    assert answer(runs[0].plot.messages().axes[0]).startswith("n = 4: ")


@pytest.mark.parametrize(("shown", "value"), [([], []), ({"a": 1}, "dict")])
def test_what_is_not_a_list_of_runs_is_refused(shown, value):
    with pytest.raises(InvalidInput, match="one run or more, as a list") as caught:
        plot_messages(shown)
    assert (caught.value.field, caught.value.value) == ("shown", value)
