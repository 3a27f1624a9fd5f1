"""Lemma 5 and Theorem 6 notice what is missing, when, and whether they apply at all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulator.bare import simulation

from streamlet_lab.checks import Lemma5, Status, SynchronousLiveness, Theorem6
from streamlet_lab.consensus import Block, FinalityRule, round_robin
from streamlet_lab.simulator import Monitor
from streamlet_lab.streams import stream
from streamlet_lab.theory import max_faulty

HONEST = {"node_0", "node_1", "node_2", "node_3", "observer"}


def watched(epochs, *, honest=HONEST, gst=0, **options):
    """Lemma 5 and Theorem 6 of a finished run."""
    run = simulation(4, **options)
    checks = Lemma5(honest, run, gst), Theorem6(honest, run, gst)
    run.monitors.extend(checks)
    run.run(epochs)
    return run, *checks


def verdict(check):
    result = check.result()
    return result.status, result.evidence


def test_every_window_of_every_node_is_examined_the_last_one_too():
    _, lemma, theorem = watched(6)
    # Windows that end with epochs 2 … 5 and 4, 5.
    assert verdict(lemma) == (Status.HOLDS, "16 cases examined")
    assert verdict(theorem) == (Status.HOLDS, "8 cases examined")


def test_asking_on_the_way_changes_nothing():
    run, lemma, theorem = watched(0)
    for _ in range(6):
        run.run(1)
        for check in (lemma, theorem):
            check.result()
            check.result()
    assert (lemma.examined, theorem.examined) == (16, 8)


def test_too_few_honest_leaders_in_a_row_are_a_premise():
    _, lemma, theorem = watched(12, honest=HONEST - {"node_3"})
    assert verdict(lemma) == (Status.HOLDS, "9 cases examined")
    assert verdict(theorem) == (
        Status.NOT_APPLICABLE,
        "no five consecutive honest leaders after GST",
    )
    _, lemma, _ = watched(2)
    assert verdict(lemma) == (
        Status.NOT_APPLICABLE,
        "no three consecutive honest leaders after GST",
    )


@pytest.mark.parametrize(("gst", "windows"), [(4, 2), (5, 1), (6, 1), (7, 0)])
def test_epochs_that_begin_before_gst_do_not_count(gst, windows):
    # Epochs of 2 µs: those from 2 (at 4 µs) on, or from 3 on.
    _, lemma, _ = watched(6, gst=gst)
    assert lemma.result().status is (Status.HOLDS if windows else Status.NOT_APPLICABLE)
    assert lemma.examined == 4 * windows


def test_a_stated_reason_makes_them_inapplicable():
    run = simulation(4)
    check = Theorem6(HONEST, run, 0, inapplicable="epoch shorter than 2Δ")
    run.monitors.append(check)
    run.run(8)
    assert verdict(check) == (Status.NOT_APPLICABLE, "epoch shorter than 2Δ")


def to_node_2(late):
    """Delays of 1, and of as much as said on the way to node 2 from 8 µs on."""
    return lambda message, sender, receiver, time: late if receiver == 2 and time >= 8 else 1


def test_a_node_that_hears_too_late_is_a_violation_at_its_beginning_of_the_epoch():
    _, lemma, theorem = watched(12, delay=to_node_2(14))
    assert verdict(lemma) == (
        Status.VIOLATED,
        "at 0.000010 s: node_2 begins epoch 5 without a notarized block of epoch 4",
    )
    assert verdict(theorem) == (
        Status.VIOLATED,
        "at 0.000016 s: node_2 begins epoch 8 without a final block of epoch 3 or later",
    )


def test_a_late_clock_has_its_own_beginning():
    late = (1, 1, 1, 1, 0)
    _, lemma, theorem = watched(6, clock_offsets=late)
    assert verdict(lemma) == (Status.HOLDS, "12 cases examined")
    assert verdict(theorem) == (Status.HOLDS, "4 cases examined")
    _, lemma, _ = watched(6, clock_offsets=late, delay=to_node_2(6))
    assert lemma.result().evidence.startswith("at 0.000009 s: node_2 begins epoch 4 without")


class Asking(Monitor):
    """Asks a check for its verdict in the middle of an epoch."""

    def __init__(self, check):
        self.check = check

    def sent(self, time, node, message):
        self.check.result()


@pytest.mark.parametrize("kind", [Lemma5, Theorem6])
@pytest.mark.parametrize("late", [1, 6, 14, 20])
def test_where_no_clock_is_late_the_start_of_an_epoch_says_it_all(kind, late):
    run = simulation(4, delay=to_node_2(late))
    check, each_entry = kind(HONEST, run, 0), kind(HONEST, run, 0)
    each_entry.unheard, each_entry._clocks_are_late = (), True
    run.monitors.extend([check, each_entry, Asking(check), Asking(each_entry)])
    for _ in range(4):
        run.run(3)
        assert check.result() == each_entry.result()
        assert (check.examined, check.violated_at) == (each_entry.examined, each_entry.violated_at)


def test_notarized_blocks_alone_are_not_final():
    _, lemma, theorem = watched(6, finality=FinalityRule(9, 1))
    assert lemma.result().status is Status.HOLDS
    assert verdict(theorem) == (
        Status.VIOLATED,
        "at 0.000010 s: node_0 begins epoch 5 without a final block of epoch 0 or later",
    )


@pytest.mark.parametrize("before", [True, False])
def test_a_rival_is_a_violation_before_and_after(before):
    run, lemma, _ = watched(0)
    rival = Block(run.genesis.chain_id, 1, 3, b"elsewhere", b"rival")
    if before:
        lemma.notarized(0, "node_1", rival)
    run.run(3)
    third = run.observer.tree.notarized[3]
    if not before:
        assert lemma.result().status is Status.HOLDS
        lemma.notarized(6, "observer", rival)
    rivalry = f"block {rival.hash.hex()[:8]} of epoch 1 is notarized at height 3, beside block"
    assert lemma.result().evidence == f"at 0.000006 s: {rivalry} {third.hash.hex()[:8]} of epoch 2"
    assert lemma.witnesses == (third, rival)


def test_what_only_a_faulty_node_claims_to_see_is_no_rival():
    run, lemma, _ = watched(3, honest=HONEST - {"node_3"})
    lemma.notarized(6, "node_3", Block(run.genesis.chain_id, 1, 3, b"elsewhere", b"rival"))
    assert lemma.result().status is Status.HOLDS


def test_section_4_asks_for_eight():
    run = simulation(4, finality=FinalityRule(6, 5), leader_of=round_robin(sorted(HONEST)[:4]))
    check = SynchronousLiveness(HONEST, run, 0)
    run.monitors.append(check)
    run.run(7)
    assert verdict(check) == (Status.NOT_APPLICABLE, "no eight consecutive honest leaders")
    run.run(1)
    assert verdict(check) == (Status.HOLDS, "4 cases examined")


# The same claims, straight from the paper


DELTA = 5


class Lemmas(Monitor):
    """Holds Lemma 5 and Theorem 6 at the beginning of every epoch, given who is honest."""

    def __init__(self, honest, synchronous_from):
        self.honest, self.synchronous_from = honest, synchronous_from
        self.leaders, self.blocks, self.nodes, self.lengths = [], {}, {}, []
        self.runs = {3: 0, 5: 0}

    def sent(self, time, node, message):
        if hasattr(message, "block"):
            self.blocks[message.epoch] = message.block

    def epoch_started(self, time, epoch, leader):
        self.lengths.append({name: len(self.nodes[name].tree.finalized) for name in self.honest})
        if self.follow_each_other(epoch, 3):
            newest = self.blocks[epoch - 1]
            for name in self.honest:
                notarized = self.nodes[name].tree.notarized
                assert {b for b in notarized if b.height == newest.height} == {newest}
        if self.follow_each_other(epoch, 5):
            for name in self.honest:
                assert self.lengths[epoch][name] > self.lengths[epoch - 5][name]
        self.leaders.append(leader)

    def follow_each_other(self, epoch, length):
        """Whether honest leaders had the epochs just before this one, in synchrony."""
        leaders = self.leaders[max(epoch - length, 0) :]
        complete = len(leaders) == length and self.honest.issuperset(leaders)
        complete = complete and (epoch - length) * 2 * DELTA >= self.synchronous_from
        self.runs[length] += complete
        return complete


@settings(max_examples=60)
@given(
    nodes=st.integers(4, 8),
    kinds=st.lists(st.sampled_from(["crash", "silent_leader", "withhold_votes"]), max_size=2),
    gst=st.integers(0, 8 * 2 * DELTA),
    seed=st.integers(0, 2**32),
)
def test_lemma_5_and_theorem_6_hold_and_as_often_as_the_checks_say(nodes, kinds, gst, seed):
    drawn, kinds = stream(seed, "test"), kinds[: max_faulty(nodes)]
    faulty = drawn.sample([f"node_{index}" for index in range(nodes)], len(kinds))
    faults = {
        name: f"{kind}@{drawn.randint(0, 6)}" for name, kind in zip(faulty, kinds, strict=True)
    }
    honest = {f"node_{index}" for index in range(nodes)} - faults.keys()

    def delay(message, sender, receiver, time):
        return drawn.randint(1, max(DELTA, gst - time))

    lemmas = Lemmas(honest, gst)
    run = simulation(nodes, delay=delay, epoch_length=2 * DELTA, faults=faults, monitors=[lemmas])
    lemmas.nodes = run.nodes
    checks = Lemma5(honest, run, gst), Theorem6(honest, run, gst)
    run.monitors.extend(checks)
    run.run(18)
    assert [check.violation for check in checks] == ["", ""]
    assert [check.examined for check in checks] == [len(honest) * lemmas.runs[n] for n in (3, 5)]
