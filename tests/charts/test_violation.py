"""The picture of a violation names the blocks, who finalized them, and who voted on both sides."""

import pytest

from streamlet_lab.charts import draw_violation
from streamlet_lab.charts.violation import branches
from streamlet_lab.errors import InvalidInput

from .drawing import answer, assert_apart, drawn, labels, points, tick_labels, written
from .protocol_runs import VIOLATION, protocol_run


def chart(blocks=VIOLATION):
    return drawn(draw_violation, protocol_run(violation=blocks))


def texts(axes):
    """The lines about each block, by its place, from the top."""
    lines = {}
    for text in axes.texts:
        if hasattr(text, "xy"):
            lines.setdefault(text.xy, []).append((-text.xyann[1], text))
    return {
        place: [text for _, text in sorted(each, key=lambda line: line[0])]
        for place, each in lines.items()
    }


def test_branches_part_after_the_last_common_block():
    assert branches(VIOLATION).tolist() == [0, 1, 1, -1, -1]
    assert branches(VIOLATION.iloc[1:]).tolist() == [1, 1, -1, -1]


@pytest.mark.parametrize("rows", [[], [0], [0, 1, 2]])
def test_one_chain_is_no_violation(rows):
    run = protocol_run(violation=VIOLATION.iloc[rows])
    with pytest.raises(InvalidInput, match="without a violation there are none"):
        run.plot.violation()


def test_every_block_is_there_with_its_epoch_leader_finalizers_and_voters():
    shown = texts(chart())
    told = {place: [text.get_text() for text in lines] for place, lines in shown.items()}
    assert " ".join(told[0, 0]) == (
        "epoch 2, by node_2 final at node_0 node_1 node_2 votes: node_0 node_1 node_2 node_3"
    )
    assert told[2, 1] == ["epoch 4, by node_0", "votes:", "node_0", "node_1", "node_2"]
    final = ["epoch 3, by node_3", "final at node_2", "votes:", "node_2", "node_3", "node_4"]
    assert told[1, -1] == final
    assert {*told} == {(0, 0), (1, 1), (2, 1), (1, -1), (3, -1)}


def test_suspects_are_bold_on_both_chains_and_nowhere_else():
    for (_, lane), lines in texts(chart()).items():
        bold = {text.get_text() for text in lines if text.get_weight() == "bold"}
        named = {text.get_text() for text in lines}
        assert bold == (named & {"node_2", "node_3"} if lane else set())


def test_marks_tell_what_is_final_and_edges_lead_to_the_parents():
    axes = chart()
    assert points(axes, "final at").tolist() == [[0, 0], [1, 1], [1, -1]]
    assert points(axes, "final nowhere").tolist() == [[2, 1], [3, -1]]
    (edges,) = axes.collections
    ends = [(tuple(path[0]), tuple(path[-1])) for path in edges.get_segments()]
    assert ends == [((0, 0), (1, 1)), ((1, 1), (2, 1)), ((0, 0), (1, -1)), ((1, -1), (3, -1))]
    assert tick_labels(axes.xaxis) == ["2", "3", "4", "7"]


def test_chains_that_have_no_block_in_common_part_at_genesis():
    axes = chart(VIOLATION.iloc[1:])
    assert points(axes, "genesis").tolist() == [[0, 0]]
    assert tick_labels(axes.xaxis)[0] == "genesis"
    assert len(axes.collections[0].get_segments()) == 4
    assert "genesis" not in labels(chart())


def test_the_answer_names_both_finalizers_and_the_suspects():
    assert answer(chart()) == (
        "upper chain final at node_0, node_1, lower at node_2; votes on both (bold): node_3, node_2"
    )
    many = VIOLATION.assign(finalized_by="n0 n1 n2 n3 n4", voters="v")
    assert answer(chart(many)) == (
        "upper chain final at 5 nodes, lower at 5 nodes; votes on both (bold): v"
    )


@pytest.mark.parametrize("voters", [3, 16])
def test_no_text_covers_another(voters):
    names = " ".join(f"node_{index}" for index in range(voters))
    run = protocol_run(violation=VIOLATION.assign(voters=names, finalized_by=names))
    figure = run.plot.violation()
    figure.draw_without_rendering()
    (axes,) = figure.axes
    assert_apart(figure, [*written(axes), axes.get_legend()])
