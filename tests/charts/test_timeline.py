"""The timeline shows every first arrival from where and when it was sent."""

import numpy as np
import pandas as pd
import pytest

from streamlet_lab.charts import draw_timeline, style

from .drawing import answer, drawn, find, labels, points, tick_labels
from .protocol_runs import TRACE, protocol_run


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
    axes = timeline(0, 1)
    shown = 1.15 * 0.2
    assert lines(axes, "proposal passed on") == [
        [[round(shown + 0.04, 9), 0], [round(shown + 0.1, 9), 2]]
    ]
    assert "left out" in axes.get_xlabel()
    for place, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True):
        epoch = int(place >= shown - 1e-9)
        assert float(label.get_text()) == pytest.approx(place + epoch * (1 - shown))


def test_nothing_is_left_out_where_a_message_outlasts_its_epoch():
    axes = timeline(2, 3)
    assert lines(axes, "vote from its author (1)") == [[[2, 2], [3.5, 0]]]
    assert axes.get_xlim() == pytest.approx((1.98, 4.02))
    assert "left out" not in axes.get_xlabel()
    assert lines(timeline(3, 3), "vote from its author (1)") == [[[2, 2], [3.5, 0]]]


def test_an_epoch_begins_where_its_first_messages_are_sent_whatever_its_length():
    """In binary 4.1 seconds are less than 4,100,000 microseconds, and not 41 times 0.1."""
    trace = TRACE.iloc[4:5].assign(sent_s=4.1, received_s=4.12)
    axes = timeline(41, 41, trace=trace, epoch_length=0.1, epochs=42)
    ((begin, _),) = lines(axes, "proposal from its author (1)")
    assert begin[0] == pytest.approx(points(axes, "leader")[0, 0])
    assert "left out" in axes.get_xlabel()


def test_leaders_stand_where_their_epochs_begin():
    axes = timeline(0, 1)
    np.testing.assert_allclose(points(axes, "leader of the epoch"), [[0, 0], [0.23, 1]])


def test_nodes_mark_when_they_see_blocks_notarized_and_final():
    axes = timeline(0, 1)
    seen = points(axes, "a node sees a block notarized (3)")
    np.testing.assert_allclose(seen, [[0.1, 0], [0.2, 2], [0.27, 0]])
    np.testing.assert_allclose(points(axes, "a node sees a block final (1)"), [[0.27, 0]])


def test_rows_are_nodes_from_the_top_and_name_the_faulty():
    axes = timeline(faults={"node_1": "crash"})
    assert tick_labels(axes.yaxis) == ["node_0", "node_1 (faulty)", "node_2"]
    assert axes.get_ylim() == (2.5, -0.5)


def test_no_two_kinds_of_line_differ_by_colour_alone():
    assert len({look["linestyle"] for look in style.MESSAGES.values()}) == len(style.MESSAGES)


def test_the_answer_counts():
    assert answer(timeline()) == (
        "epochs 0 to 1: 6 first arrivals, 2 of them of copies that were passed on; "
        "the slowest copy took 0.100 s"
    )
    assert answer(timeline(5, 5)).startswith("epoch 5: 0 first arrivals")


def test_of_many_epochs_only_the_starts_are_labelled_and_of_very_many_every_kth():
    assert len(tick_labels(timeline(0, 5).xaxis)) > 6
    assert tick_labels(timeline(0, 6).xaxis) == [f"{epoch}" for epoch in range(7)]
    assert tick_labels(timeline(0, 19, epochs=20).xaxis) == [
        f"{epoch}" for epoch in range(0, 20, 2)
    ]


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


def test_a_vote_on_the_way_of_a_proposal_stays_visible():
    for by in ("from its author", "passed on"):
        proposal, vote = style.MESSAGES["proposal", by], style.MESSAGES["vote", by]
        assert proposal["linewidth"] > 2 * vote["linewidth"]
        assert proposal["alpha"] <= 0.5
