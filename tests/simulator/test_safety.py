"""Theorem 3 and Lemma 1, whatever the timing, for every number of faults below a third."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from streamlet_lab.checks import Consistency, Status, UniqueNotarization
from streamlet_lab.consensus import Proposal
from streamlet_lab.consensus.quorums import max_faulty, quorum
from streamlet_lab.simulator import Monitor, NodeFault, Send, fault_kind
from streamlet_lab.streams import stream

from .bare import NEVER, author, final, simulation

EPOCH = 10


def random_delay(seed, longest):
    """Every copy takes its own time, perhaps epochs."""
    drawn = stream(seed, "test")
    return lambda message, sender, receiver, time: drawn.randint(1, longest)


class Outputs(Monitor):
    """Holds that no final chain ever shrinks or changes."""

    def __init__(self):
        self.before = {}
        self.nodes = {}

    def epoch_started(self, time, epoch, leader):
        self.check()

    def finalized(self, time, node, block):
        self.check()

    def check(self):
        for name, node in self.nodes.items():
            before = self.before.get(name, [])
            assert node.tree.finalized[: len(before)] == before
            self.before[name] = [*node.tree.finalized]


def assert_safe(run, honest, checks):
    assert [check.result() for check in checks if check.violation] == []
    chains = sorted((run.nodes[name].tree.finalized for name in honest), key=len)
    for shorter, longer in pairwise(chains):
        assert longer[: len(shorter)] == shorter
    assert all(run.nodes[name].tree.conflicts == [] for name in honest)


def run_watched(honest, epochs, **options):
    checks, outputs = (Consistency(honest), UniqueNotarization(honest)), Outputs()
    run = simulation(monitors=[*checks, outputs], epoch_length=EPOCH, **options)
    outputs.nodes = run.nodes
    run.run(epochs)
    return run, checks


@st.composite
def benign_faults(draw, nodes):
    """Fewer than a third of the nodes, each with one kind of fault and its epochs."""
    count = draw(st.integers(0, max_faulty(nodes)))
    faulty = draw(st.permutations(range(nodes)))[:count]
    faults = {}
    for index in faulty:
        kind = draw(st.sampled_from(["crash", "silent_leader", "withhold_votes"]))
        start = draw(st.integers(0, 8))
        stop = "" if kind == "crash" else draw(st.sampled_from(["", f"-{start + 3}"]))
        faults[f"node_{index}"] = f"{kind}@{start}{stop}"
    return faults


@settings(max_examples=120)
@given(
    data=st.data(),
    nodes=st.integers(4, 10),
    longest=st.sampled_from([2, EPOCH // 2, EPOCH, 3 * EPOCH]),
    seed=st.integers(0, 2**32),
)
def test_legal_runs_are_safe(data, nodes, longest, seed):
    faults = data.draw(benign_faults(nodes))
    honest = {f"node_{index}" for index in range(nodes)} - faults.keys() | {"observer"}
    run, checks = run_watched(
        honest, 12, nodes=nodes, faults=faults, delay=random_delay(seed, longest)
    )
    assert_safe(run, honest, checks)
    event(f"something final: {bool(final(run.observer))}")


@fault_kind("traitor")
class Traitor(NodeFault):
    """Votes for every block that it hears of, and proposes two when it leads: one on the newest of
    its longest chains, one on the oldest."""

    def proposes(self, epoch):
        return False

    def begin(self, epoch):
        if self.leads(epoch):
            longest = self.node.tree.longest
            for parent, payload in ((longest[-1], b"new"), (longest[0], b"old")):
                block = replace(self.node.make_block(parent), payload=payload)
                yield Send(self.proposal(block))
                yield Send(self.vote(block))

    def heard(self, message):
        if isinstance(message, Proposal):
            yield Send(self.vote(message.block))


@settings(max_examples=120)
@given(
    nodes=st.integers(4, 8),
    longest=st.sampled_from([2, EPOCH // 2, EPOCH, 3 * EPOCH]),
    seed=st.integers(0, 2**32),
)
def test_traitors_below_a_third_break_nothing(nodes, longest, seed):
    names = [f"node_{index}" for index in range(nodes)]
    traitors = stream(seed, "traitors").sample(names, max_faulty(nodes))
    honest = {*names, "observer"} - {*traitors}
    run, checks = run_watched(
        honest,
        12,
        nodes=nodes,
        faults=dict.fromkeys(traitors, "traitor"),
        delay=random_delay(seed, longest),
    )
    assert_safe(run, honest, checks)
    event(f"something final: {bool(final(run.observer))}")


def run_divided(nodes, votes, traitors, halves):
    """Two halves of the honest nodes never hear of each other, and each of one of the two blocks
    of a traitor."""
    half_of = {name: half for half, names in halves.items() for name in names}

    def delay(message, sender, receiver, time):
        if isinstance(message, Proposal) and message.proposer in traitors:
            meant_for = message.block.payload.decode()
        else:
            meant_for = half_of.get(author(message))
        hears = half_of.get(f"node_{receiver}")
        return NEVER if meant_for and hears and meant_for != hears else 1

    faults = dict.fromkeys(traitors, "traitor")
    return run_watched({*half_of}, 3 * nodes, nodes=nodes, quorum=votes, faults=faults, delay=delay)


def test_two_traitors_of_four_have_two_blocks_of_one_epoch_notarized():
    halves = {"old": {"node_0"}, "new": {"node_1"}}
    _, (_, unique) = run_divided(4, quorum(4), {"node_2", "node_3"}, halves)
    assert unique.result().status is Status.VIOLATED


@pytest.mark.parametrize("votes", [3, 4])
def test_c3_a_quorum_below_two_thirds_is_unsafe_at_n_5(votes):
    # 2f + 1 with f = 1 would be 3: the third trap.
    halves = {"old": {"node_0", "node_1"}, "new": {"node_2", "node_3"}}
    run, (consistency, _) = run_divided(5, votes, {"node_4"}, halves)
    if votes < quorum(5):
        assert consistency.result().status is Status.VIOLATED
        assert final(run.nodes["node_0"])[0] != final(run.nodes["node_2"])[0]
    else:
        assert consistency.result().status is Status.NOT_APPLICABLE
        assert all(node.tree.notarized == [run.genesis] for node in run.nodes.values())
