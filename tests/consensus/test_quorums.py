"""How many votes notarize, and how many faulty nodes that tolerates, in each of the models."""

import pytest

from streamlet_lab import theory
from streamlet_lab.consensus import max_faulty, quorum
from streamlet_lab.errors import InvalidInput

NODES = range(1, 40)


@pytest.mark.parametrize(
    ("model", "nodes", "faulty", "votes"),
    [
        *(("byzantine", n, f, q) for n, f, q in [(1, 0, 1), (2, 0, 2), (3, 0, 2), (4, 1, 3)]),
        *(("byzantine", n, f, q) for n, f, q in [(5, 1, 4), (6, 1, 4), (7, 2, 5), (10, 3, 7)]),
        *(("crash", n, f, q) for n, f, q in [(1, 0, 1), (4, 1, 3), (5, 2, 3)]),
        *(("synchronous", n, f, q) for n, f, q in [(1, 0, 1), (4, 1, 2), (5, 2, 3)]),
    ],
)
def test_how_many_may_be_faulty_and_how_many_votes_notarize(model, nodes, faulty, votes):
    assert max_faulty(nodes, model) == faulty
    assert quorum(nodes, model) == votes


@pytest.mark.parametrize("nodes", NODES)
def test_any_two_quorums_share_an_honest_node_and_the_honest_alone_are_one(nodes):
    # What 2f + 1 does not promise: at n = 5 two sets of 3 votes share one, perhaps faulty, node.
    faulty = max_faulty(nodes)
    assert 3 * faulty < nodes <= 3 * (faulty + 1)
    assert 2 * quorum(nodes) - nodes > faulty
    assert nodes - faulty >= quorum(nodes)


@pytest.mark.parametrize("count", [max_faulty, quorum])
def test_what_is_no_number_of_nodes_or_no_model_is_refused(count):
    assert getattr(theory, count.__name__) is count
    assert count(1_000_000) > 0
    for nodes in (0, 1_000_001, -1, 1.0, "3", None, True):
        with pytest.raises(InvalidInput, match=r"^nodes: "):
            count(nodes)
    for model in ("byz", "", None, 3, ["crash"]):
        with pytest.raises(InvalidInput, match=r"^model: "):
            count(4, model)
