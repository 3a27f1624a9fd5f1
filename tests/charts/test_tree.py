"""The block tree shows every block: where, what became of it, and whose it is."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamlet_lab.charts import draw_block_tree, style
from streamlet_lab.charts.tree import lanes

from .drawing import answer, drawn, labels, points
from .protocol_runs import FORKED, protocol_run, tree


def chart(first=0, last=None, **run):
    """The tree of a run without faults unless it has some."""
    return drawn(draw_block_tree, protocol_run(**{"faults": {}, **run}), first, last)


SHOWN = {
    "final, honest leader (2)": [(0, 0), (1, 0)],
    "final, faulty leader (1)": [(3, 0)],
    "only notarized, honest leader (1)": [(2, 1)],
    "only notarized, faulty leader (1)": [(6, 0)],
    "not notarized, honest leader (1)": [(5, 1)],
    "not notarized, faulty leader (1)": [(6, -1)],
}


def test_every_block_is_there_by_fate_and_leader():
    axes = chart(faults=None)
    for label, places in SHOWN.items():
        assert points(axes, label).tolist() == [list(place) for place in places]
    assert points(axes, "genesis").tolist() == [[-1, 0]]
    assert points(axes, "no proposal (1)")[:, 0].tolist() == [4]


def test_fate_is_the_filling_and_the_leader_the_shape():
    """So that neither takes colour."""
    shapes = {
        leader: {style.BLOCKS[key]["marker"] for key in style.BLOCKS if key[1] == leader}
        for leader in ("honest", "faulty")
    }
    assert {len(markers) for markers in shapes.values()} == {1}
    assert shapes["honest"] != shapes["faulty"]
    fillings = {
        status: {
            (look["markerfacecolor"] == style.WHITE, look["fillstyle"])
            for key, look in style.BLOCKS.items()
            if key[0] == status
        }
        for status in ("final", "final elsewhere", "only notarized", "not notarized")
    }
    assert {len(filling) for filling in fillings.values()} == {1}
    assert len(set.union(*fillings.values())) == 4


def test_edges_lead_from_every_block_to_its_parent():
    axes = chart()
    (edges,) = axes.collections
    ends = {(tuple(path[0]), tuple(path[-1])) for path in edges.get_segments()}
    genesis, a, b, c = (-1, 0), (0, 0), (1, 0), (3, 0)
    x, y, d, z = (2, 1), (5, 1), (6, 0), (6, -1)
    assert ends == {(genesis, a), (a, b), (a, x), (b, c), (x, y), (c, d), (c, z)}


def test_an_edge_to_another_lane_gets_there_where_no_block_is():
    (edges,) = chart().collections
    for path in edges.get_segments():
        slanted = [(a, b) for a, b in pairwise(path) if a[1] != b[1]]
        assert all(b[0] == a[0] + 0.5 for a, b in slanted)


def test_small_trees_show_votes():
    axes = chart()
    votes = {text.xy: text.get_text() for text in axes.texts if hasattr(text, "xy")}
    shown = {(epoch, lane): int(vote) for (epoch, lane), vote in votes.items()}
    assert len(shown) == 7
    assert all(vote == epoch + 1 for (epoch, _), vote in shown.items())
    large = tree(*[(f"{epoch}", f"{epoch - 1}", epoch, "final", "n") for epoch in range(41)])
    assert "number: votes" in labels(axes)
    assert "number: votes" not in labels(chart(blocks=large, epochs=41))


def test_some_epochs_are_shown_with_their_blocks_only():
    axes = chart(2, 4)
    assert [label for label in labels(axes) if label.endswith(")")] == [
        "final, honest leader (1)",
        "only notarized, honest leader (1)",
        "no proposal (1)",
    ]
    assert "genesis" not in labels(axes)
    assert axes.get_xlim() == pytest.approx((1.4, 4.6))
    assert axes.get_ylim() == (-1, 2)


def test_the_answer_counts():
    forked = answer(chart())
    assert forked == (
        "as the observer sees it, 3 of 7 proposed blocks are final, forks hold 3; "
        "1 epoch had no proposal; "
        "1 epoch had several"
    )
    whole = answer(chart(0, 1))
    assert whole == "as the observer sees it, 2 of 2 proposed blocks are final, forks hold 0"
    silent = chart(0, 9, epochs=10)
    assert answer(silent).endswith("; 4 epochs had no proposal; 1 epoch had several")
    np.testing.assert_array_equal(points(silent, "no proposal (4)")[:, 0], [4, 7, 8, 9])


def finality(*rows):
    return pd.DataFrame(rows, columns=["node", "block_hash", "finalized_s"])


def test_what_only_other_honest_nodes_finalized_has_a_mark_of_its_own():
    seen = finality(("node_0", "d", 7.1), ("node_1", "z", None), ("node_3", "x", 3.0))
    axes = chart(faults=None, finality=seen)
    assert points(axes, "final elsewhere, faulty leader (1)").tolist() == [[6, 0]]
    assert "DISAGREE" not in answer(axes)


def test_a_conflict_of_final_chains_is_said_first():
    """Whether the observer has one of the chains or not, and whichever epochs are shown."""
    against_the_observer = finality(("node_0", "x", 3.0))
    between_others = finality(("node_0", "d", 7.1), ("node_1", "z", 7.2))
    for seen in (against_the_observer, between_others):
        for span in ((), (0, 0)):
            axes = chart(*span, finality=seen)
            assert answer(axes).startswith("HONEST NODES DISAGREE about what is final; as the")


CHAIN = [(f"{epoch}", f"{epoch - 1}", epoch, "final", "n") for epoch in range(9)]


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        # The final chain goes on along the longest notarized one, and forks lie beside it.
        (FORKED, {"a": 0, "b": 0, "c": 0, "d": 0, "x": 1, "y": 1, "z": -1}),
        # A fork that is longer but not final leaves the middle to the final chain.
        (
            tree(
                ("a", "g", 0, "final", "n"),
                ("b", "a", 1, "notarized", "n"),
                ("x", "g", 2, "notarized", "n"),
                ("y", "x", 3, "notarized", "n"),
                ("z", "y", 5, "notarized", "n"),
            ),
            {"a": 0, "b": 0, "x": 1, "y": 1, "z": 1},
        ),
        # The earlier of two equals is the main chain.
        (tree(("a", "g", 0, "notarized", "n"), ("b", "g", 1, "notarized", "n")), {"a": 0, "b": 1}),
        # A lane is used again after a fork has ended,
        (
            tree(
                *CHAIN,
                ("x", "0", 3, "open", "n"),
                ("y", "2", 3, "open", "n"),
                ("z", "4", 6, "open", "n"),
            ),
            {"x": 1, "y": -1, "z": 1},
        ),
        # though not by one that would seem to go on from it.
        (
            tree(*CHAIN[:6], ("x", "0", 2, "open", "n"), ("y", "2", 4, "open", "n")),
            {"x": 1, "y": -1},
        ),
        # The middle stays free after the main chain has ended.
        (
            tree(
                ("a", "g", 0, "final", "n"),
                ("x", "g", 1, "open", "n"),
                ("y", "g", 2, "open", "n"),
                ("y2", "y", 3, "open", "n"),
                ("z", "y", 4, "open", "n"),
            ),
            {"a": 0, "x": 1, "y": -1, "y2": -1, "z": -2},
        ),
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
