"""What is scripted happens to the letter: who says what to whom, and when it arrives."""

import pytest

from streamlet_lab.config import make_config
from streamlet_lab.consensus import Proposal, Vote
from streamlet_lab.errors import InvalidInput
from streamlet_lab.simulator import Recorder, create_streamlet_network
from streamlet_lab.simulator.delays import LOST, constant_delay
from streamlet_lab.simulator.script import Delivery, ScriptedDelay, Step

from .bare import author

VOTE = Vote("test", 4, 3, b"", "node_0", b"")


def script(nodes, *steps):
    return {"kind": "script", "nodes": nodes, "parameters": {"steps": [*steps]}}


def play(steps, nodes=("node_3",), epochs=3, **settings):
    """Four nodes, epochs of 10 µs, delays of 2 µs, some with a script; arrivals by author."""
    network = {"delta": "5us", "delays": "constant", "median_delay": "2us"}
    settings = {"echo": False, "trace": True, "faults": [script(nodes, *steps)]} | settings
    config = make_config(nodes=4, epoch_length="10us", network=network, **settings)
    log, arrived = Recorder(), {}
    run = create_streamlet_network(config, [log])
    run.run(epochs)
    for received, _, receiver, _, message in log.deliveries:
        arrival = received, receiver, type(message).__name__, message.epoch
        arrived.setdefault(author(message), []).append(arrival)
    return run, arrived


def epochs_of(node):
    (tip,) = node.tree.longest
    return [block.epoch for block in node.tree.chain(tip.hash)]


def test_a_scripted_node_says_what_is_written_and_nothing_else():
    steps = ["node_3 votes 0 to node_1 at 7us", "node_3 votes 1 to node_0,observer at 21us"]
    _, arrived = play(steps, epochs=4)
    assert arrived["node_3"] == [
        (7, "node_1", "Vote", 0),
        (21, "node_0", "Vote", 1),
        (21, "observer", "Vote", 1),
    ]


def test_without_receivers_it_is_said_to_everyone():
    _, arrived = play(["node_3 votes 0 at 13us"])
    receivers = ["node_0", "node_1", "node_2", "observer"]
    assert arrived["node_3"] == [(13, name, "Vote", 0) for name in receivers]


def test_a_message_that_arrives_as_an_epoch_begins_is_in_time_for_it():
    steps = ["node_3 proposes 0 on genesis to node_0 at 10us"]
    _, arrived = play(steps, leaders=["node_3", "node_0"])
    assert arrived["node_3"] == [(10, "node_0", "Proposal", 0)]


def test_nodes_that_share_a_script_speak_of_the_same_block():
    steps = [
        "node_2,node_3 vote 0A to node_0,node_1 at 8us",
        "node_3 proposes 0A on genesis to node_0,node_1 at 1us",
        "node_3 proposes 0B on genesis to observer at 1us",
        "node_3 proposes 3 on 0A to node_0 at 31us",
    ]
    run, _ = play(steps, nodes=("node_2", "node_3"), epochs=4, leaders=["node_3"])
    trees = [node.tree for node in run.nodes.values()]
    payloads = [[block.payload for block in tree.blocks()[1:]] for tree in trees]
    assert payloads == [[b"0A", b"3"], [b"0A"], [], [b"0A", b"0B", b"3"], [b"0B"]]
    assert epochs_of(run.nodes["node_1"]) == [0, -1]
    votes = [vote.voter for vote in trees[1].votes(trees[1].longest[0].hash)]
    assert sorted(votes) == ["node_0", "node_1", "node_2", "node_3"]


def test_a_block_of_another_leader_is_found_by_its_epoch():
    steps = ["node_3 proposes 3 on 1 to node_0,node_1,node_2 at 31us"]
    run, _ = play(steps, epochs=4)
    tree = run.nodes["node_0"].tree
    assert [block.epoch for block in tree.chain(tree.blocks()[-1].hash)][:2] == [3, 1]


def test_a_step_waits_for_the_block_that_it_is_about():
    # Block 1 reaches node_3 at 12.
    assert play(["node_3 votes 1 to node_0 at 13us"])[1]["node_3"] == [(13, "node_0", "Vote", 1)]
    with pytest.raises(InvalidInput, match="about a block that node_3 has seen before 12us"):
        play(["node_3 votes 1 to node_0 at 12us"])


def test_a_step_about_one_of_two_blocks_is_refused():
    twins = [f"node_2 proposes {block} on genesis at 1us" for block in ("0A", "0B")]
    scripts = [script(["node_2"], *twins), script(["node_3"], "node_3 votes 0 at 13us")]
    with pytest.raises(InvalidInput, match="about one block 0, not 2 that node_3 has seen"):
        play([], leaders=["node_2"], faults=scripts)


def test_a_script_may_begin_later():
    _, arrived = play([], faults=[script(["node_3"]) | {"start": 1}])
    assert {epoch for _, _, _, epoch in arrived["node_3"]} == {0}


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("node_3 votes", "step"),
        ("node_3 votes 0", "step"),
        ("node_3 votes A at 3us", "step"),
        ("node_3 proposes 0 at 3us", "step"),
        ("node_2,node_3 proposes 0 on genesis at 3us", "step"),
        ("node_3 votes 0 at noon", "at"),
        ("node_3 votes 0 at 0us", "at"),
        ("node_3 proposes 2 on 2 at 3us", "on"),
    ],
)
def test_a_step_that_cannot_be_read_is_refused(text, field):
    with pytest.raises(InvalidInput) as caught:
        Step.parse(text)
    assert caught.value.field == field


@pytest.mark.parametrize("step", ["node_1 votes 0 at 3us", "node_3 votes 0 to node_4 at 3us"])
def test_a_step_by_or_to_someone_else_is_refused_before_anything_runs(step):
    with pytest.raises(InvalidInput, match=r"expected (said by node_3|to node_0, .*observer)$"):
        play([step], epochs=0)


# --- Deliveries

CASES = {
    # rule: delays of a vote of epoch 4 from node_0 to node_1, sent at 30, 31 and 70
    "deliver votes at 50us": [20, 19, 1],
    "deliver messages after 7us": [7, 7, 7],
    "lose votes sent 31us..70us": [2, LOST, 2],
    "lose votes of 4": [LOST] * 3,
    "lose votes of 2..5 from node_2,node_0 to node_1": [LOST] * 3,
    "lose proposals": [2] * 3,
    "lose votes of 5": [2] * 3,
    "lose votes from node_1": [2] * 3,
    "lose votes to observer": [2] * 3,
}


@pytest.mark.parametrize("rule", CASES)
def test_a_delivery_is_about_certain_copies(rule):
    names = ("node_0", "node_1", "node_2", "observer")
    delay = ScriptedDelay(constant_delay(2), [Delivery.parse(rule)], names)
    assert [delay(VOTE, 0, 1, time) for time in (30, 31, 70)] == CASES[rule]


def test_proposals_are_told_from_votes_and_the_first_rule_counts():
    rules = ["lose votes", "deliver messages after 9us", "deliver proposals after 1us"]
    delay = ScriptedDelay(constant_delay(2), [*map(Delivery.parse, rules)], ("node_0", "node_1"))
    run, _ = play([], epochs=0)
    proposal = Proposal(run.genesis, "node_0", b"")
    assert [delay(message, 0, 1, 0) for message in (VOTE, proposal)] == [LOST, 9]


@pytest.mark.parametrize(
    "text",
    [
        "deliver votes",
        "deliver ballots at 3us",
        "lose votes at 3us",
        "lose votes sent 3us",
        "deliver votes after 0us",
        "deliver votes at noon",
        "lose votes sent 9us..late",
    ],
)
def test_a_delivery_that_cannot_be_read_is_refused(text):
    with pytest.raises(InvalidInput):
        Delivery.parse(text)
