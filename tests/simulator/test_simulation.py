"""Nodes on the clock: what happens when, who is told, and what each fault takes away."""

import pytest

from streamlet_lab.config import make_config
from streamlet_lab.consensus import (
    SIX_UNCONTESTED,
    THREE_IN_A_ROW,
    OpaqueApplication,
    Proposal,
    Verdict,
    Vote,
)
from streamlet_lab.simulator import Monitor, Recorder, Simulation, create_streamlet_network

from .bare import Sent, final, longest, simulation


class Diary(Monitor):
    """Everything that a monitor is told, in order."""

    def __init__(self):
        self.entries = []

    def epoch_started(self, time, epoch, leader):
        self.entries.append((time, "epoch", epoch, leader))

    def sent(self, time, node, message):
        self.entries.append((time, type(message).__name__, message.epoch, node))

    def notarized(self, time, node, block):
        self.entries.append((time, "notarized", block.epoch, node))

    def finalized(self, time, node, block):
        self.entries.append((time, "finalized", block.epoch, node))


def test_one_epoch_of_four_nodes_to_the_microsecond():
    diary = Diary()
    run = simulation(4, delay=7, epoch_length=100, monitors=[diary])
    run.run(1)
    assert diary.entries[:6] == [
        (0, "epoch", 0, "node_0"),
        (0, "Proposal", 0, "node_0"),
        (0, "Vote", 0, "node_0"),
        (7, "Vote", 0, "node_1"),
        (7, "Vote", 0, "node_2"),
        (7, "Vote", 0, "node_3"),
    ]
    assert sorted(diary.entries[6:]) == [(14, "notarized", 0, name) for name in run.nodes]


def test_a_node_signs_one_message_after_the_other_and_each_leaves_when_it_is_signed():
    log, network = Recorder(), {"sign_time": "60us"}
    run = simulation(4, epoch_length=500, network=network, monitors=[log], trace=True, echo=False)
    run.run(2)

    def arrivals(*link):
        return [
            (received, type(message).__name__)
            for received, sender, receiver, _, message in log.deliveries
            if (sender, receiver) == link
        ]

    # The leader signs its proposal and its vote; node_1 its vote once the proposal is there.
    assert arrivals("node_0", "node_1") == [(61, "Proposal"), (121, "Vote"), (500 + 122, "Vote")]
    assert arrivals("node_1", "node_0")[0] == (61 + 61, "Vote")


@pytest.mark.parametrize("parts", [(7,), (1,) * 7, (3, 4)])
def test_a_run_may_be_continued(parts):
    diary = Diary()
    run = simulation(4, delay=3, epoch_length=10, monitors=[diary])
    for epochs in parts:
        run.run(epochs)
    whole = Diary()
    simulation(4, delay=3, epoch_length=10, monitors=[whole]).run(7)
    assert diary.entries == whole.entries
    assert run.next_epoch == 7


def test_a_run_ends_after_the_deliveries_at_its_end():
    run = simulation(4, delay=1, epoch_length=2)
    run.run(3)
    assert (longest(run.observer), run.queue.now) == ([1, 2, 3], 6)
    late = simulation(4, delay=2, epoch_length=3)
    late.run(1)
    assert longest(late.observer) == []


def test_the_observer_receives_like_a_node_and_says_nothing():
    recorder = Recorder()
    run = simulation(4, monitors=[recorder])
    run.run(6)
    spoke = {record.node for record in recorder.proposals}
    spoke |= {vote.voter for _, vote in recorder.votes}
    assert spoke == {"node_0", "node_1", "node_2", "node_3"}
    assert run.observer is run.nodes["observer"]
    assert final(run.observer) == final(run.nodes["node_0"])


def said(recorder, node):
    """The epochs in which a node proposed, and those in which it voted."""
    proposed = [record.block.epoch for record in recorder.proposals if record.node == node]
    return proposed, [vote.epoch for _, vote in recorder.votes if vote.voter == node]


@pytest.mark.parametrize(
    ("fault", "proposed", "voted"),
    [
        # Of 12 epochs node_1 leads 1, 5 and 9; what is not proposed cannot be voted for.
        ("crash@6", [1, 5], [0, 1, 2, 3, 4, 5]),
        ("silent_leader@5-6", [1, 9], [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]),
        ("withhold_votes@2-10", [1, 5, 9], [0, 1, 10, 11]),
        ("withhold_votes@2-10 silent_leader@8", [1, 5], [0, 1, 10, 11]),
        ("silent_leader crash@6", [], [0, 2, 3, 4]),
    ],
)
def test_what_a_node_with_a_fault_still_says(fault, proposed, voted):
    recorder = Recorder()
    run = simulation(4, faults={"node_1": fault}, monitors=[recorder])
    run.run(12)
    assert said(recorder, "node_1") == (proposed, voted)


def test_a_crashed_node_hears_nothing_and_its_last_words_still_arrive():
    def delay(message, sender, receiver, time):
        return 12 if (message.epoch, sender) == (1, 1) and isinstance(message, Vote) else 1

    run = simulation(4, faults={"node_1": "crash@2"}, delay=delay, epoch_length=10)
    run.run(2)
    block = run.observer.tree.longest[0]
    assert "node_1" not in [vote.voter for vote in run.observer.tree.votes(block.hash)]
    run.run(4)
    assert "node_1" in [vote.voter for vote in run.observer.tree.votes(block.hash)]
    assert longest(run.nodes["node_1"]) == [1, 2]
    assert longest(run.observer) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("echo", [True, False])
def test_a_node_echoes_unless_a_fault_or_the_setting_forbids_it(echo):
    run = simulation(3, faults={"node_1": "silent_leader crash@1-2"}, echo=echo)
    echoing = []
    for _ in range(3):
        run.run(1)
        echoing.append(run.network.echoes[:3])
    assert echoing == [[echo] * 3, [echo, False, echo], [echo] * 3]


@pytest.mark.parametrize(
    ("model", "catch_up", "rule", "certified"),
    [
        ("byzantine", False, THREE_IN_A_ROW, False),
        ("byzantine", True, THREE_IN_A_ROW, True),
        ("crash", False, THREE_IN_A_ROW, True),
        ("synchronous", False, SIX_UNCONTESTED, False),
        ("synchronous", True, SIX_UNCONTESTED, True),
    ],
)
def test_a_model_brings_its_rule_and_sends_chains_along_where_it_says_so(
    model, catch_up, rule, certified
):
    sent = Sent()
    config = make_config(nodes=4, model=model, network={"catch_up": catch_up}, signatures="none")
    run = create_streamlet_network(config, [sent])
    run.run(3)
    assert {node.tree.rule for node in run.nodes.values()} == {rule}
    carried = [m.certificate is not None for _, _, m in sent.all if isinstance(m, Proposal)]
    # On genesis there is nothing to send along.
    assert carried == [False, certified, certified]


class Refusal(OpaqueApplication):
    """An application that finds nothing acceptable."""

    def judge(self, block, ancestors, observation):
        return Verdict(False, f"nothing is good enough {observation}")


class Observed(Simulation):
    """Nodes that see in which epoch they are, and who."""

    def observe(self, epoch):
        return lambda node: f"in epoch {epoch} for {node}"


def test_refusals_are_told_once_with_their_reason_and_nobody_votes():
    log = Recorder()
    simulation(3, application=Refusal(), kind=Observed, monitors=[log]).run(2)
    assert (len(log.proposals), log.votes) == (2, [])
    assert [(time, node, block.epoch, reason) for time, node, block, reason in log.refusals] == [
        (time, node, epoch, f"nothing is good enough in epoch {epoch} for {node}")
        for epoch, nodes in ((0, (0, 1, 2)), (1, (1, 0, 2)))
        for time, node in (
            (2 * epoch + (place > 0), f"node_{index}") for place, index in enumerate(nodes)
        )
    ]
