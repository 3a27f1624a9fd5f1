"""Kinds of faults by name, their epochs and their parameters."""

from dataclasses import replace
from unittest import mock

import pytest

from streamlet_lab.config import make_config
from streamlet_lab.consensus import Proposal, Vote
from streamlet_lab.errors import InvalidInput
from streamlet_lab.fault import Fault
from streamlet_lab.simulator import (
    NodeFault,
    Recorder,
    Send,
    create_streamlet_network,
    fault_kind,
    fault_kinds,
    faults,
    make_fault,
)
from streamlet_lab.simulator.faults import make_faults

from .bare import Sent, all_votes, author, longest, simulation

NAMES = tuple(f"node_{index}" for index in range(4))


def test_a_kind_of_ones_own_works_under_its_name_while_it_is_active():
    with mock.patch.dict(faults.NODE_FAULTS._kinds):

        @fault_kind("proposes_in_even_epochs")
        class EvenEpochs(NodeFault):
            def proposes(self, epoch):
                return epoch % 2 == 0

        assert "proposes_in_even_epochs" in fault_kinds()
        run = simulation(3, faults={"node_1": "proposes_in_even_epochs@1-5"})
    run.run(8)
    # node_1 leads 1, 4 and 7.
    notarized = [block.epoch for block in run.observer.tree.notarized]
    assert notarized == [-1, 0, 2, 3, 4, 5, 6, 7]


def test_a_kind_that_is_not_registered_here_may_be_elsewhere():
    expected = r", or a fault of sources \(adaptive, .*\); a kind of your own must be registered"
    with pytest.raises(InvalidInput, match=expected):
        make_fault(Fault("gremlins", count=1))


def test_a_kind_of_nodes_has_no_name_that_a_kind_of_sources_has():
    with pytest.raises(InvalidInput, match=r"^name: 'biased' .* mean something else"):
        fault_kind("biased")
    assert "biased" not in fault_kinds()


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"nodes": "node_3"}, "nodes"),
        ({"count": 1, "start": "4"}, "start"),
        ({"count": 1, "start": 1.5}, "start"),
        ({"count": True}, "count"),
        ({"count": 1, "parameters": [1]}, "parameters"),
        ({"count": 1, "parameters": {"x": None}}, "parameters.x"),
        ({"count": 1, "parameters": {"x": float("nan")}}, "parameters.x"),
        ({"count": 1, "parameters": {"x": (1, 2)}}, "parameters.x"),
    ],
)
def test_a_fault_says_at_once_what_is_wrong_with_it(arguments, field):
    with pytest.raises(InvalidInput) as caught:
        Fault("crash", **arguments)
    assert caught.value.field == field


def run_with(epochs, fault, **options):
    """A run with a fault that has parameters."""
    run = simulation(4, faults=make_faults([fault], NAMES), **options)
    run.run(epochs)
    return run


@pytest.mark.parametrize(("reaches", "reached"), [(0, 0), (1, 1), (2, 2), (3, 3), (9, 3)])
def test_a_crash_in_the_middle_of_a_broadcast_reaches_only_some(reaches, reached):
    fault = Fault("crash", ("node_1",), start=1, parameters={"reaches": reaches})
    run = run_with(3, fault, echo=False)
    others = [run.nodes[name] for name in ("node_0", "node_2", "node_3")]
    knowing = [node for node in others if 1 in [block.epoch for block in node.tree.blocks()]]
    assert len(knowing) == reached
    votes = [vote for node in others for vote in all_votes(node) if vote.voter == "node_1"]
    assert [vote.epoch for vote in votes] == [0, 0, 0]  # it was down before it could vote again


def test_only_a_crash_with_an_end_may_return():
    crash, recovery = (make_fault(Fault.parse("node_0", text)) for text in ("crash", "crash@1-3"))
    assert "Crash(start=1, stop=3, " in repr(recovery)
    others = [make_fault(Fault(kind, count=1)) for kind in fault_kinds() if kind != "crash"]
    assert [fault.may_return for fault in (crash, recovery)] == [False, True]
    assert not any(fault.may_return for fault in others)


def test_nodes_that_share_a_fault_are_accomplices():
    nodes = ("node_0", "node_1", "node_2")
    shared = Fault("withhold_votes", ("node_0", "node_2"))
    made = make_faults([shared, Fault("silent_leader", count=1)], nodes)
    assert [[type(one).__name__ for one in made[name]] for name in nodes] == [
        ["WithheldVotes"],
        [],
        ["WithheldVotes", "SilentLeader"],
    ]
    assert [one.accomplices for one in made["node_2"]] == [("node_0", "node_2"), ("node_2",)]


@pytest.mark.parametrize(
    ("first", "second", "to", "delay"),
    [
        ((None, None), (None, None), None, None),
        ((["a", "b"], 5), (None, None), ("a", "b"), 5),
        ((None, 5), (["b"], 7), ("b",), 7),
        ((["a", "b"], 5), (["b", "c"], None), ("b",), 5),
        ((["a"], None), (["b"], None), (), None),
    ],
)
def test_a_second_fault_has_the_last_word_on_when_and_both_on_to_whom(first, second, to, delay):
    assert Send("first", *first).then(Send("second", *second)) == Send("second", to, delay)


HOOKS = ("on_send", "on_epoch", "on_message", "on_any_message")


def run_with_hook(hook, said):
    """A run in which a hook of a fault of node_3 returns something, whatever it is."""
    returned = {hook: lambda self, *arguments: said}
    mine = type("Mine", (NodeFault,), {"rushing": hook == "on_any_message", **returned})
    run = simulation(faults={"node_3": [mine(0, None)]}, epoch_length=10)
    run.run(4)
    return run


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("said", [5, "vote", [Send("vote")]])
def test_a_hook_that_says_no_messages_is_named_with_its_kind(hook, said):
    with pytest.raises(InvalidInput, match=rf"^Mine\.{hook}: .* expected messages to send"):
        run_with_hook(hook, said)


def test_what_a_hook_yields_is_sent_before_it_goes_on():
    seen = []

    class Mine(NodeFault):
        def votes(self, epoch):
            return False

        def on_epoch(self, epoch):
            block = self.node.make_block(self.node.tree.longest[0])
            yield Send(self.proposal(block))
            seen.append(block.hash in self.node.tree)

    run = simulation(faults={"node_0": [Mine(0, None)]}, epoch_length=10)
    run.run(1)
    assert seen == [True]


class Chatter(NodeFault):
    """Votes for each proposal that it hears of, beside its node's own vote."""

    def votes(self, epoch):
        return False

    def on_message(self, message):
        if isinstance(message, Proposal):
            yield Send(self.vote(message.block))


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_that_says_more_may_return_nothing_but_silence_is_on_purpose(hook):
    if hook == "on_send":
        with pytest.raises(InvalidInput, match=r"^Mine\.on_send: None is not valid"):
            run_with_hook(hook, None)
    # node_3 leads the last epoch.
    said = [] if hook == "on_send" else None
    assert longest(run_with_hook(hook, said).observer) == [1, 2, 3, 4][: 3 + (hook != "on_send")]


class Slow(NodeFault):
    """Has everything arrive a hundred microseconds later."""

    def on_send(self, message):
        yield Send(message, delay=100)


@pytest.mark.parametrize(("order", "arrival"), [((Chatter, Slow), 101), ((Slow, Chatter), 2)])
def test_a_fault_that_is_listed_later_has_a_word_on_what_an_earlier_one_says_beyond(order, arrival):
    kinds = [kind(0, None) for kind in order]
    log = Recorder()
    run = simulation(faults={"node_3": kinds}, epoch_length=1_000, monitors=[log], trace=True)
    run.run(1)
    times = [
        received
        for received, _, receiver, _, message in log.deliveries
        if isinstance(message, Vote) and (message.voter, receiver) == ("node_3", "node_1")
    ]
    assert times[0] == arrival


@fault_kind("eavesdropper")
class Eavesdropper(NodeFault):
    """Writes down what it overhears."""

    rushing = True

    def __init__(self, start, stop):
        super().__init__(start, stop)
        self.noted = []

    def on_any_message(self, message, sender):
        self.noted.append((message.epoch, type(message).__name__, sender))
        return ()


def test_a_rushing_fault_sees_everything_from_its_first_epoch_on():
    fault = Eavesdropper(1, None)
    run = simulation(faults={"node_3": [fault]}, epoch_length=10)
    run.run(2)
    others = ["node_0", "node_1", "node_2"]
    assert fault.noted[0] == (1, "Proposal", "node_1")
    assert sorted(fault.noted[1:]) == [(1, "Vote", name) for name in others]


def test_a_rushing_fault_sees_nothing_while_its_node_is_down():
    fault, crash = Eavesdropper(0, None), make_fault(Fault.parse("node_0", "crash@1-3"))
    run = simulation(faults={"node_0": [fault, crash]}, epoch_length=10)
    run.run(4)
    assert {epoch for epoch, _, _ in fault.noted} == {0, 3}
    assert longest(run.observer) == [1, 2, 3, 4]  # there was something to see


@fault_kind("impostor")
class Impostor(NodeFault):
    """Writes votes in others' names before they have voted."""

    def on_epoch(self, epoch):
        block = self.node.make_block(self.node.tree.longest[0])
        own = self.vote(block)
        for signature in (b"", own.signature):
            for name in self.others:
                yield Send(replace(own, voter=name, signature=signature), delay=1)


@pytest.mark.parametrize("signatures", ["none", "ed25519"])
def test_a_vote_that_was_forged_before_it_was_cast_still_arrives(signatures):
    runs = []
    for liars in ({}, {"node_3": "impostor"}):
        run = simulation(faults=liars, epoch_length=10, signatures=signatures)
        run.run(5)
        runs.append(longest(run.observer))
    assert runs == [[1, 2, 3, 4, 5]] * 2


def test_a_node_that_crashed_says_nothing_about_what_it_still_had_to_verify():
    said = Sent()
    run = simulation(
        faults={"node_3": "crash@2", "node_1": "late_proposal"},
        epoch_length=1_000,
        network={"verify_time": "600us", "sign_time": "50us"},
        monitors=[said],
    )
    run.run(4)
    assert 0 < max(time for time, node, _ in said.all if node == "node_3") < 2_000


@pytest.mark.parametrize(("fault", "voted"), [("crash@1", False), ("crash@2", True)])
def test_a_node_that_crashes_between_signing_and_sending_has_said_nothing(fault, voted):
    # The proposal of epoch 0 leaves at 60 and arrives at 61, the vote for it leaves at 121.
    run = simulation(faults={"node_3": fault}, epoch_length=100, network={"sign_time": "60us"})
    run.run(4)
    nodes = [run.nodes[name] for name in (*NAMES[:3], "observer")]
    for node in nodes:
        epochs = {vote.epoch for vote in all_votes(node) if vote.voter == "node_3"}
        assert (0 in epochs) is voted


class Pretender(NodeFault):
    """Says one thing that is its own, and others that are nobody's."""

    def on_epoch(self, epoch):
        if epoch == 0:
            block = self.node.make_block(self.node.tree.longest[0])
            vote, proposal = self.vote(block), self.proposal(block)
            yield Send(vote)
            yield Send(replace(vote, voter="node_1"))
            yield Send(replace(vote, signature=b"forged"))
            yield Send(proposal)
            yield Send(self.proposal(replace(block, epoch=1)))  # which it does not lead
            yield Send(self.proposal(replace(block, epoch=-1)))  # which nobody leads
            yield Send(replace(proposal, proposer="node_0"))


def test_monitors_are_told_only_of_what_is_genuine():
    sent = Sent()
    run = simulation(
        faults={"node_3": [Pretender(0, 1)]},
        epoch_length=10,
        monitors=[sent],
        leader_of=lambda epoch: NAMES[0 if epoch > 0 else 3],
    )
    run.run(1)
    told = sent.by("node_3")
    assert {(author(message), message.epoch) for message in told} == {("node_3", 0)}
    assert all(run.keyring.verify("node_3", one.signature, one.signed) for one in told)
    assert len(told) == 4  # the node's own words, and the two of the fault that are its own


@pytest.mark.parametrize("delay", [0, 1.5, True, "3"])
def test_a_delay_is_a_whole_number_of_microseconds(delay):
    with pytest.raises(InvalidInput) as caught:
        Send(None, delay=delay)
    assert caught.value.field == "delay"


@fault_kind("writes_to_strangers")
class WritesToStrangers(NodeFault):
    def on_epoch(self, epoch):
        yield Send(self.vote(self.node.make_block(self.node.tree.longest[0])), to=("nobody",))


def test_a_message_to_nobody_is_named():
    run = simulation(faults={"node_3": "writes_to_strangers"})
    with pytest.raises(InvalidInput, match="nobody"):
        run.run(1)


class Helper(NodeFault):
    """Sends the votes of its accomplices along with its own."""

    def on_send(self, message):
        yield Send(message)
        if isinstance(message, Vote) and message.block_hash in self.node.tree:
            block = next(self.node.tree.chain(message.block_hash))
            yield from (Send(self.vote(block, one)) for one in self.accomplices if one != self.name)


def test_what_a_faulty_node_sees_is_reported_in_the_order_in_which_it_sees_it():
    fault_kind("helper")(Helper)
    network = {"delta": 2.0, "delays": "uniform", "median_delay": 0.2}
    shared = [Fault("helper", ("node_2", "node_3"))]
    config = make_config(
        epochs=60, epoch_length=0.25, network=network, faults=shared, signatures="none"
    )
    log = Recorder()
    run = create_streamlet_network(config, [log])
    run.run(60)
    for name, node in run.nodes.items():
        seen = [record.block for record in log.notarizations if record.node == name]
        assert seen == node.tree.notarized[1:]
