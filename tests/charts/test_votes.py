"""The charts of votes: what each node knows when, which vote makes the quorum, and the sum."""

import numpy as np
import pandas as pd
import pytest

from streamlet_lab import InvalidInput, run_protocol
from streamlet_lab.charts import draw_finality, draw_votes
from streamlet_lab.charts.votes import votes_heard

from .drawing import answer, drawn, explained, find, points

RUN = run_protocol(epochs=6, nodes=4, signatures="none", trace=True)


def notarized(epoch, observer):
    """When nodes, or the observer, saw an epoch's block notarized: from another frame."""
    seen = RUN.finality[RUN.finality["epoch"] == epoch].set_index("node")["notarized_s"]
    return seen.loc[["observer"]] if observer else seen.drop("observer").sort_index()


def test_a_node_has_a_quorum_when_the_run_says_that_it_sees_the_block_notarized():
    heard = votes_heard(RUN, 2)
    full = heard[heard["number"] == 3].set_index("node")["known_s"]
    expected = pd.concat([notarized(2, observer=False), notarized(2, observer=True)])
    assert full.sort_index().tolist() == expected.sort_index().tolist()
    own = heard[heard["node"] == heard["author"]]
    assert len(own) == 4
    assert (own["known_s"] == own["voted_s"]).all()
    assert (heard["known_s"] >= heard["voted_s"]).all()


def test_stairs_reach_the_quorum_where_the_block_is_notarized():
    axes = drawn(draw_votes, RUN, 2)
    expected = 1000 * (notarized(2, observer=False).to_numpy() - 2)
    marks = points(axes, "block notarized (4)")
    np.testing.assert_allclose(np.sort(marks[:, 0]), np.sort(expected))
    assert marks[:, 1] == pytest.approx(np.floor(marks[:, 1] + 1) - 0.62 * 3 / 4)
    first, last = sorted(expected)[:: len(expected) - 1]
    assert answer(axes) == (
        f"epoch 2: 4 of 4 nodes have 3 of 4 votes after {first:.0f} to {last:.0f} ms"
    )
    assert "quorum: 3 votes" in explained(axes)


@pytest.mark.parametrize("node", ["observer", "node_3"])
def test_the_sum_over_three_epochs_is_the_latency_that_the_run_has(node):
    axes = drawn(draw_finality, RUN, 1, node)
    seen = RUN.finality.query("node == @node and epoch == 2")
    assert f"the block of epoch 2 is final {seen['latency_s'].item():.3f} s after" in answer(axes)
    assert len(find(axes, "quorum: vote 3 of 4").get_segments()) == 3


def test_without_a_quorum_no_latency_is_claimed():
    down = run_protocol(epochs=4, nodes=4, faults={"node_1": "crash"}, trace=True)
    assert answer(drawn(draw_votes, down, 1)).endswith("no node has a quorum of 3 votes")
    assert "is not final by these" in answer(drawn(draw_finality, down, 0))


@pytest.mark.parametrize(
    ("draw", "options", "field"),
    [
        (draw_votes, {"epoch": 6}, "epoch"),
        (draw_finality, {"first": 4}, "first"),
        (draw_finality, {"node": "node_9"}, "node"),
    ],
)
def test_what_the_run_does_not_have_is_refused(draw, options, field):
    with pytest.raises(InvalidInput) as caught:
        drawn(draw, RUN, **options)
    assert caught.value.field == field
