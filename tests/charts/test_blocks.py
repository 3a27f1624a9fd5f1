"""Charts of blocks: where each is, what became of it, and two chains that conflict."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamlet_lab.charts import draw_block_tree, draw_violation, style
from streamlet_lab.charts.blocks import branches, lanes
from streamlet_lab.errors import InvalidInput

from .drawing import answer, assert_apart, drawn, labels, points, tick_labels, written
from .protocol_runs import FORKED, VIOLATION, protocol_run, tree


def chart(first=0, last=None, **run):
    """The tree of a run without faults unless it has some."""
    return drawn(draw_block_tree, protocol_run(**{"faults": {}, **run}), first, last)


def finality(*rows):
    return pd.DataFrame(rows, columns=["node", "block_hash", "finalized_s"])


class TestTree:
    def test_every_block_is_there_by_fate_and_leader(self):
        axes = chart(faults=None)
        for label, places in {
            "final, honest leader (2)": [[0, 0], [1, 0]],
            "final, faulty leader (1)": [[3, 0]],
            "only notarized, honest leader (1)": [[2, 1]],
            "only notarized, faulty leader (1)": [[6, 0]],
            "not notarized, honest leader (1)": [[5, 1]],
            "not notarized, faulty leader (1)": [[6, -1]],
            "genesis": [[-1, 0]],
        }.items():
            assert points(axes, label).tolist() == places
        assert points(axes, "no proposal (1)")[:, 0].tolist() == [4]

    def test_fate_is_the_filling_and_the_leader_the_shape(self):
        """So that neither takes colour."""
        shapes, fillings = {}, {}
        for (fate, leader), look in style.BLOCKS.items():
            hollow = look["markerfacecolor"] == style.WHITE
            shapes.setdefault(leader, set()).add(look["marker"])
            fillings.setdefault(fate, set()).add((hollow, look["fillstyle"]))
        for looks, count in ((shapes, 2), (fillings, 4)):
            assert {len(own) for own in looks.values()} == {1}
            assert len(set.union(*looks.values())) == count

    def test_edges_lead_to_the_parents_and_turn_where_no_block_is(self):
        edges, consecutive = chart().collections
        ends = {(tuple(path[0]), tuple(path[-1])) for path in edges.get_segments()}
        genesis, a, b, c = (-1, 0), (0, 0), (1, 0), (3, 0)
        x, y, d, z = (2, 1), (5, 1), (6, 0), (6, -1)
        assert ends == {(genesis, a), (a, b), (a, x), (b, c), (x, y), (c, d), (c, z)}
        for path in edges.get_segments():
            slanted = [(a, b) for a, b in pairwise(path) if a[1] != b[1]]
            assert all(b[0] == a[0] + 0.5 for a, b in slanted)
        marked = {(tuple(path[0]), tuple(path[-1])) for path in consecutive.get_segments()}
        assert marked == {(genesis, a), (a, b)}

    def test_small_trees_show_votes(self):
        axes = chart()
        votes = {text.xy: int(text.get_text()) for text in axes.texts if hasattr(text, "xy")}
        assert len(votes) == 7
        assert all(count == epoch + 1 for (epoch, _), count in votes.items())
        large = tree(*[(f"{epoch}", f"{epoch - 1}", epoch, "final", "n") for epoch in range(41)])
        assert axes.get_xlabel().endswith("the number at a block: its votes")
        assert chart(blocks=large, epochs=41).get_xlabel() == "Epoch"
        assert tick_labels(axes.xaxis)[:5] == ["0\n0", "1\n1", "2\n2", "3\n3", "4\n0"]

    def test_some_epochs_are_shown_with_their_blocks_only(self):
        axes = chart(2, 4)
        assert [label for label in labels(axes) if label.endswith(")")] == [
            "final, honest leader (1)",
            "only notarized, honest leader (1)",
            "no proposal (1)",
        ]
        assert "genesis" not in labels(axes)
        assert axes.get_xlim() == pytest.approx((1.4, 4.6))
        assert axes.get_ylim() == (-1, 2)

    def test_the_answer_counts(self):
        begin = "as the observer sees it, "
        assert answer(chart()) == (
            f"{begin}3 of 7 proposed blocks are final, 3 on a fork; "
            "1 epoch had no proposal; 1 epoch had several"
        )
        assert answer(chart(0, 1)) == f"{begin}2 of 2 proposed blocks are final, 0 on a fork"
        silent = chart(0, 9, epochs=10)
        assert answer(silent).endswith("; 4 epochs had no proposal; 1 epoch had several")
        np.testing.assert_array_equal(points(silent, "no proposal (4)")[:, 0], [4, 7, 8, 9])

    def test_what_only_other_honest_nodes_finalized_has_a_mark_of_its_own(self):
        seen = finality(("node_0", "d", 7.1), ("node_1", "z", None), ("node_3", "x", 3.0))
        axes = chart(faults=None, finality=seen)
        assert points(axes, "final elsewhere, faulty leader (1)").tolist() == [[6, 0]]
        assert "DISAGREE" not in answer(axes)

    @pytest.mark.parametrize("span", [(), (0, 0)])
    @pytest.mark.parametrize(
        "seen",
        [
            finality(("node_0", "x", 3.0)),  # against the observer
            finality(("node_0", "d", 7.1), ("node_1", "z", 7.2)),  # between others
        ],
    )
    def test_a_conflict_of_final_chains_is_said_first_whichever_epochs_are_shown(self, seen, span):
        said = answer(chart(*span, finality=seen))
        assert said.startswith("HONEST NODES DISAGREE about what is final; as the")


def grown(*blocks):
    """A tree of blocks, each as in ``"name parent epoch status"``."""
    rows = [block.split() for block in blocks]
    return tree(*[(name, parent, int(at), status, "n") for name, parent, at, status in rows])


CHAIN = [f"{epoch} {epoch - 1} {epoch} final" for epoch in range(9)]
LONGER = ["x g 2 notarized", "y x 3 notarized", "z y 5 notarized"]
ENDED = ["a g 0 final", "x g 1 open", "y g 2 open", "y2 y 3 open", "z y 4 open"]


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        # The final chain goes on along the longest notarized one, and forks lie beside it.
        (FORKED, {"a": 0, "b": 0, "c": 0, "d": 0, "x": 1, "y": 1, "z": -1}),
        # A fork that is longer but not final leaves the middle to the final chain.
        (
            grown("a g 0 final", "b a 1 notarized", *LONGER),
            {"a": 0, "b": 0, "x": 1, "y": 1, "z": 1},
        ),
        # The earlier of two equals is the main chain.
        (grown("a g 0 notarized", "b g 1 notarized"), {"a": 0, "b": 1}),
        # A lane is used again after a fork has ended,
        (grown(*CHAIN, "x 0 3 open", "y 2 3 open", "z 4 6 open"), {"x": 1, "y": -1, "z": 1}),
        # though not by one that would seem to go on from it.
        (grown(*CHAIN[:6], "x 0 2 open", "y 2 4 open"), {"x": 1, "y": -1}),
        # The middle stays free after the main chain has ended.
        (grown(*ENDED), {"a": 0, "x": 1, "y": -1, "y2": -1, "z": -2}),
    ],
)
def test_lanes_of_forks_beside_the_chain_that_they_left(blocks, expected):
    places = dict(zip(blocks["block_hash"], lanes(blocks), strict=True))
    assert {name: places[name] for name in expected} == expected


@st.composite
def trees(draw):
    rows, grown = [], [("g", -1)]
    for epoch in range(draw(st.integers(1, 25))):
        for copy in range(draw(st.integers(0, 2))):
            parent = draw(st.sampled_from([name for name, begun in grown if begun < epoch]))
            name = f"{epoch}.{copy}"
            grown.append((name, epoch))
            rows.append((name, parent, epoch, draw(st.sampled_from(["notarized", "open"])), "n"))
    return tree(*rows)


@given(trees())
def test_no_two_edges_of_a_lane_overlap(blocks):
    placed = blocks.assign(lane=lanes(blocks))
    begun = dict(zip(blocks["block_hash"], blocks["epoch"], strict=True))
    spans = {}
    for row in placed.itertuples():
        spans.setdefault(row.lane, []).append((begun.get(row.parent_hash, -1), row.epoch))
    for edges in spans.values():
        edges.sort()
        assert all(end <= start for (_, end), (start, _) in pairwise(edges))


@given(trees())
def test_every_block_is_followed_by_one_of_its_children_on_its_lane(blocks):
    placed = blocks.assign(lane=lanes(blocks))
    lane = dict(zip(placed["block_hash"], placed["lane"], strict=True))
    for parent, children in placed.groupby("parent_hash"):
        assert (children["lane"] == lane.get(parent, 0)).sum() == 1


def conflict(blocks=VIOLATION):
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
    shown = texts(conflict())
    told = {place: [text.get_text() for text in lines] for place, lines in shown.items()}
    assert " ".join(told[0, 0]) == (
        "epoch 2, by node_2 final at node_0 node_1 node_2 votes: node_0 node_1 node_2 node_3"
    )
    assert told[2, 1] == ["epoch 4, by node_0", "votes:", "node_0", "node_1", "node_2"]
    final = ["epoch 3, by node_3", "final at node_2", "votes:", "node_2", "node_3", "node_4"]
    assert told[1, -1] == final
    assert {*told} == {(0, 0), (1, 1), (2, 1), (1, -1), (3, -1)}


def test_suspects_are_bold_on_both_chains_and_nowhere_else():
    for (_, lane), lines in texts(conflict()).items():
        bold = {text.get_text() for text in lines if text.get_weight() == "bold"}
        named = {text.get_text() for text in lines}
        assert bold == (named & {"node_2", "node_3"} if lane else set())


def test_marks_tell_what_is_final_and_edges_lead_to_the_parents():
    axes = conflict()
    assert points(axes, "final at").tolist() == [[0, 0], [1, 1], [1, -1]]
    assert points(axes, "final nowhere").tolist() == [[2, 1], [3, -1]]
    (edges,) = axes.collections
    ends = [(tuple(path[0]), tuple(path[-1])) for path in edges.get_segments()]
    assert ends == [((0, 0), (1, 1)), ((1, 1), (2, 1)), ((0, 0), (1, -1)), ((1, -1), (3, -1))]
    assert tick_labels(axes.xaxis) == ["2", "3", "4", "7"]


def test_chains_that_have_no_block_in_common_part_at_genesis():
    axes = conflict(VIOLATION.iloc[1:])
    assert points(axes, "genesis").tolist() == [[0, 0]]
    assert tick_labels(axes.xaxis)[0] == "genesis"
    assert len(axes.collections[0].get_segments()) == 4
    assert "genesis" not in labels(conflict())


def test_the_answer_names_both_finalizers_and_the_suspects():
    assert answer(conflict()) == (
        "upper chain final at node_0, node_1, lower at node_2; votes on both (bold): node_3, node_2"
    )
    many = VIOLATION.assign(finalized_by="n0 n1 n2 n3 n4", voters="v")
    assert answer(conflict(many)) == (
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
