"""Charts of messages: every first arrival, and counts over closed forms."""

import numpy as np
import pandas as pd
import pytest

from streamlet_lab import Experiment
from streamlet_lab.charts import draw_messages, draw_timeline, plot_messages, style
from streamlet_lab.charts.traffic import CLOSED_FORMS, message_counts
from streamlet_lab.theory import messages_per_epoch

from .drawing import answer, drawn, find, labels, points, tick_labels
from .protocol_runs import TRACE, protocol_run
from .runs import run


def timeline(first=0, last=None, **run):
    return drawn(draw_timeline, protocol_run(nodes=3, **{"faults": {}, **run}), first, last)


def lines(axes, label):
    return np.asarray(find(axes, label).get_segments()).round(9).tolist()


def test_every_first_arrival_is_a_line_from_its_sender_to_its_receiver():
    axes = timeline(0, 0)
    assert lines(axes, "proposal from its author (2)") == [[[0, 0], [0.05, 1]], [[0, 0], [0.06, 2]]]
    assert lines(axes, "vote from its author (1)") == [[[0.05, 1], [0.1, 0]]]
    assert lines(axes, "vote passed on (1)") == [[[0.1, 0], [0.2, 2]]]
    assert lines(axes, "proposal passed on (0)") == []


def test_the_quiet_end_of_an_epoch_is_left_out_and_the_axis_still_tells_the_time():
    axes, shown = timeline(0, 1), 1.15 * 0.2
    way = [[[round(shown + 0.04, 9), 0], [round(shown + 0.1, 9), 2]]]
    assert lines(axes, "proposal passed on") == way
    assert "left out" in axes.get_xlabel()
    for place, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True):
        epoch = int(place >= shown - 1e-9)
        assert float(label.get_text()) == pytest.approx(place + epoch * (1 - shown))


def test_nothing_is_left_out_where_a_message_outlasts_its_epoch():
    axes = timeline(2, 3)
    for each in (axes, timeline(3, 3)):
        assert lines(each, "vote from its author (1)") == [[[2, 2], [3.5, 0]]]
    assert axes.get_xlim() == pytest.approx((1.98, 4.02))
    assert "left out" not in axes.get_xlabel()


def test_an_epoch_begins_where_its_first_messages_are_sent_whatever_its_length():
    """In binary 4.1 seconds are less than 4,100,000 microseconds, and not 41 times 0.1."""
    trace = TRACE.iloc[4:5].assign(sent_s=4.1, received_s=4.12)
    axes = timeline(41, 41, trace=trace, epoch_length=0.1, epochs=42)
    ((begin, _),) = lines(axes, "proposal from its author (1)")
    assert begin[0] == pytest.approx(points(axes, "leader")[0, 0])
    assert "left out" in axes.get_xlabel()


def test_marks_say_who_leads_and_when_nodes_see_blocks_notarized_and_final():
    axes = timeline(0, 1)
    for label, places in {
        "leader of the epoch": [[0, 0], [0.23, 1]],
        "a node sees a block notarized (3)": [[0.1, 0], [0.2, 2], [0.27, 0]],
        "a node sees a block final (1)": [[0.27, 0]],
    }.items():
        np.testing.assert_allclose(points(axes, label), places)


def test_rows_are_nodes_from_the_top_and_name_the_faulty():
    axes = timeline(faults={"node_1": "crash"})
    assert tick_labels(axes.yaxis) == ["node_0", "node_1 (faulty)", "node_2"]
    assert axes.get_ylim() == (2.5, -0.8)


def test_no_two_kinds_of_line_differ_by_colour_alone_and_a_vote_on_a_proposal_is_seen():
    assert len({look["linestyle"] for look in style.MESSAGES.values()}) == len(style.MESSAGES)
    for by in ("from its author", "passed on"):
        proposal, vote = style.MESSAGES["proposal", by], style.MESSAGES["vote", by]
        assert proposal["linewidth"] > 2 * vote["linewidth"]
        assert proposal["alpha"] <= 0.5


def test_the_answer_counts():
    assert answer(timeline()) == (
        "epochs 0 to 1: 6 first arrivals, 2 of them of copies that were passed on; "
        "the slowest copy took 0.100 s"
    )
    assert answer(timeline(5, 5)).startswith("epoch 5: 0 first arrivals")


def test_of_many_epochs_only_the_starts_are_labelled_and_of_very_many_every_kth():
    assert len(tick_labels(timeline(0, 5).xaxis)) > 6
    assert tick_labels(timeline(0, 6).xaxis) == [f"{epoch}" for epoch in range(7)]
    every_second = [f"{epoch}" for epoch in range(0, 20, 2)]
    assert tick_labels(timeline(0, 19, epochs=20).xaxis) == every_second


TWINS = TRACE.assign(block_hash=["a", "z", "a", "a", "b", "b", "x"])


def test_letters_on_their_authors_lines_tell_blocks_of_one_epoch_apart():
    axes = timeline(0, 0, trace=TWINS)
    notes = [text for text in axes.texts if hasattr(text, "xy")]
    places = {(round(x, 9), round(y, 9)): text.get_text() for text in notes for x, y in [text.xy]}
    # The proposals' 35 % along their lines, the vote's 20 %; what is passed on has none.
    assert places == {(0.0175, 0.35): "A", (0.021, 0.7): "B", (0.06, 0.8): "A"}
    assert "letter: which of the epoch's blocks" in labels(axes)


def test_too_many_letters_are_left_out():
    axes = timeline(trace=pd.concat([TWINS] * 21, ignore_index=True))
    assert not any(label.startswith("letter") for label in labels(axes))
    assert any(label.startswith("letter") for label in labels(timeline(trace=TWINS)))


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
