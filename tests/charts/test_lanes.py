"""Every block has a place of its own, and a chain stays where it is."""

from itertools import pairwise

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from streamlet_lab.charts.lanes import lanes

from .protocol_runs import FORKED, tree


def by_name(blocks):
    return dict(zip(blocks["block_hash"], lanes(blocks), strict=True))


def test_the_final_chain_goes_on_along_the_longest_notarized_one_and_forks_lie_beside_it():
    expected = {"a": 0, "b": 0, "c": 0, "d": 0, "x": 1, "y": 1, "z": -1}
    assert by_name(FORKED) == expected


def test_a_fork_that_is_longer_but_not_final_leaves_the_middle_to_the_final_chain():
    blocks = tree(
        ("a", "g", 0, "final", "n"),
        ("b", "a", 1, "notarized", "n"),
        ("x", "g", 2, "notarized", "n"),
        ("y", "x", 3, "notarized", "n"),
        ("z", "y", 5, "notarized", "n"),
    )
    assert by_name(blocks) == {"a": 0, "b": 0, "x": 1, "y": 1, "z": 1}


def test_the_earlier_of_two_equals_is_the_main_chain():
    blocks = tree(("a", "g", 0, "notarized", "n"), ("b", "g", 1, "notarized", "n"))
    assert by_name(blocks) == {"a": 0, "b": 1}


def test_a_lane_is_used_again_after_a_fork_has_ended():
    chain = [(f"{epoch}", f"{epoch - 1}", epoch, "final", "n") for epoch in range(9)]
    forks = [("x", "0", 3, "open", "n"), ("y", "2", 3, "open", "n"), ("z", "4", 6, "open", "n")]
    places = by_name(tree(*chain, *forks))
    assert (places["x"], places["y"], places["z"]) == (1, -1, 1)


def test_a_fork_does_not_seem_to_go_on_from_another_that_ended_where_it_leaves():
    chain = [(f"{epoch}", f"{epoch - 1}", epoch, "final", "n") for epoch in range(6)]
    places = by_name(tree(*chain, ("x", "0", 2, "open", "n"), ("y", "2", 4, "open", "n")))
    assert (places["x"], places["y"]) == (1, -1)


def test_the_middle_stays_free_after_the_main_chain_has_ended():
    blocks = tree(
        ("a", "g", 0, "final", "n"),
        ("x", "g", 1, "open", "n"),
        ("y", "g", 2, "open", "n"),
        ("y2", "y", 3, "open", "n"),
        ("z", "y", 4, "open", "n"),
    )
    assert by_name(blocks) == {"a": 0, "x": 1, "y": -1, "y2": -1, "z": -2}


def test_the_index_is_that_of_the_blocks():
    part = FORKED.set_index(pd.Index(range(10, 17)))
    assert list(lanes(part).index) == list(part.index)


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
