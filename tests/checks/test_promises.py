"""What a configuration can count on, and the reason why not."""

import pytest

from streamlet_lab.checks import honest_nodes, why_invalid, why_not_live, why_unsafe
from streamlet_lab.config import make_config


def lying(count, **settings):
    return make_config(faults=[{"kind": "withhold_votes", "count": count}], **settings)


def test_honest_is_who_is_never_faulty():
    faults = {"node_1": "crash@5-6", "node_2": "crash@60"}
    assert honest_nodes(make_config(faults=faults)) == {"node_0", "node_2", "node_3", "observer"}


@pytest.mark.parametrize("nodes", range(1, 14))
@pytest.mark.parametrize("model", ["byzantine", "crash", "synchronous"])
def test_what_the_models_tolerate_is_safe_and_live(nodes, model):
    faults = [{"kind": "crash", "count": (nodes - 1) // (3 if model == "byzantine" else 2)}]
    config = make_config(nodes=nodes, model=model, faults=faults)
    assert (why_unsafe(config), why_invalid(config), why_not_live(config)) == ("", "", "")


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (lying(1, nodes=3), "two quorums of 2 of 3 nodes may share only 1, and 1 may lie"),
        (lying(2, nodes=4), "two quorums of 3 of 4 nodes may share only 2, and 2 may lie"),
        (lying(0, nodes=4, quorum=2), "two quorums of 2 of 4 nodes may share none, and 0 may lie"),
        (
            lying(1, nodes=5, quorum="2f+1"),
            "two quorums of 3 of 5 nodes may share only 1, and 1 may lie",
        ),
        (lying(1, nodes=4, model="crash"), ""),
        (lying(2, nodes=4, quorum=4), ""),
        (
            lying(2, nodes=4, model="synchronous"),
            "2 of 4 nodes faulty, 1 tolerated",
        ),
        (
            lying(1, nodes=4, model="synchronous", network={"gst": "3s"}),
            "bad times until 3s: the synchronous model has none",
        ),
    ],
)
def test_safety_rests_on_what_two_quorums_share(config, reason):
    assert why_unsafe(config) == reason


def test_a_fault_after_the_end_of_the_run_is_none():
    config = make_config(faults={"node_1": "withhold_votes@60", "node_2": "withhold_votes@59"})
    assert why_unsafe(config) == ""


def test_timing_is_a_matter_of_liveness_alone():
    late = make_config(epoch_length="1ms", echo=False, network={"gst": "5s"})
    assert why_unsafe(late) == ""
    assert why_not_live(late) == "epoch shorter than 2Δ; messages are not echoed"


def test_crashes_alone_endanger_no_safety():
    dead = make_config(faults=[{"kind": "crash", "count": 3}])
    assert (why_unsafe(dead), why_invalid(dead)) == ("", "")
    assert why_not_live(dead).startswith("3 of 4 nodes faulty, 1 tolerated")


def test_payloads_are_valid_unless_a_quorum_lies():
    assert why_invalid(lying(2, nodes=4)) == ""
    assert why_invalid(lying(3, nodes=4)) == "a quorum of 3 may lie"
