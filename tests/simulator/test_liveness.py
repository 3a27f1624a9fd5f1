"""Finality comes as the theory says: exactly, where delays are small; and Lemma 5 and Theorem 6."""

from fractions import Fraction

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from streamlet_lab import theory
from streamlet_lab.simulator import Monitor, Recorder
from streamlet_lab.streams import stream

from .bare import simulation

CYCLES = 4

SILENT = [
    # nodes, silent leaders
    (4, ()),
    (4, (0,)),
    (7, (0, 3)),
    (7, (2, 4)),
    (10, (0, 3, 6)),
]


def run_cycles(nodes, silent, kind):
    """A run of a few cycles of the round robin with constant small delays."""
    recorder = Recorder()
    faults = {f"node_{index}": kind for index in silent}
    run = simulation(nodes, delay=1, epoch_length=10, faults=faults, monitors=[recorder])
    run.run((CYCLES + 2) * nodes)
    return run, recorder


def full_cycles(nodes):
    """Epochs of the cycles that neither genesis nor the end of the run disturbs."""
    return range(nodes, (CYCLES + 1) * nodes)


@pytest.mark.parametrize("kind", ["crash", "silent_leader"])
@pytest.mark.parametrize(("nodes", "silent"), SILENT)
def test_the_finality_lag_is_the_theorys(nodes, silent, kind):
    run, recorder = run_cycles(nodes, silent, kind)
    for name in run.nodes.keys() - {f"node_{index}" for index in silent}:
        lags = [
            time // run.epoch_length - block.epoch
            for time, node, block in recorder.finalizations
            if node == name and block.epoch in full_cycles(nodes)
        ]
        assert len(lags) == CYCLES * (nodes - len(silent))
        assert Fraction(sum(lags), len(lags)) == theory.round_robin_finality_lag(nodes, silent)


@pytest.mark.parametrize("kind", ["crash", "silent_leader"])
@pytest.mark.parametrize(("nodes", "silent"), SILENT)
def test_blocks_become_final_where_three_live_leaders_follow_each_other(nodes, silent, kind):
    run, recorder = run_cycles(nodes, silent, kind)
    proposed = {proposal.block.epoch for proposal in recorder.proposals}
    completing = {e for e in full_cycles(nodes) if {e, e - 1, e - 2} <= proposed}
    assert Fraction(len(completing), CYCLES * nodes) == theory.live_runs(nodes, silent)
    finalizing = {time // run.epoch_length for time, *_ in recorder.finalizations}
    assert finalizing & {*full_cycles(nodes)} == completing


def test_without_three_live_leaders_in_a_row_nothing_is_ever_final():
    run = simulation(6, faults={"node_2": "silent_leader", "node_5": "silent_leader"})
    run.run(36)
    assert len(run.observer.tree.notarized) == 1 + 24
    # Genesis, 0 and 1 are three in a row, once.
    assert [block.epoch for block in run.observer.tree.finalized] == [-1, 0]
    assert theory.round_robin_finality_lag(6, {2, 5}) is None


def test_withheld_votes_of_two_of_four_stop_everything_until_they_vote_again():
    faults = {"node_1": "withhold_votes@4-8", "node_2": "withhold_votes@4-8"}
    run = simulation(4, faults=faults)
    run.run(12)
    notarized = [block.epoch for block in run.observer.tree.notarized]
    assert notarized == [-1, 0, 1, 2, 3, 8, 9, 10, 11]


DELTA = 5


class Lemmas(Monitor):
    """Holds Lemma 5 and Theorem 6 at the beginning of every epoch, given who is honest."""

    def __init__(self, honest, synchronous_from):
        self.honest, self.synchronous_from = honest, synchronous_from
        self.leaders, self.blocks, self.nodes = [], {}, {}
        self.lengths = []
        self.runs = {3: 0, 5: 0}

    def sent(self, time, node, message):
        if hasattr(message, "block"):
            self.blocks[message.epoch] = message.block

    def epoch_started(self, time, epoch, leader):
        final = {name: len(self.nodes[name].tree.finalized) for name in self.honest}
        self.lengths.append(final)
        if self.follow_each_other(epoch, 3):
            newest = self.blocks[epoch - 1]
            for name in self.honest:
                tree = self.nodes[name].tree
                assert tree.is_notarized(newest.hash), f"Lemma 5: {name} at epoch {epoch}"
                conflicting = {b for b in tree.notarized if b.height == newest.height} - {newest}
                assert not conflicting, f"Lemma 5: {name} at epoch {epoch}"
        if self.follow_each_other(epoch, 5):
            for name in self.honest:
                assert final[name] > self.lengths[epoch - 5][name], f"Theorem 6: {name}"
        self.leaders.append(leader)

    def follow_each_other(self, epoch, length):
        """Whether honest leaders had the epochs just before this one, in synchrony."""
        leaders = self.leaders[max(epoch - length, 0) :]
        complete = len(leaders) == length and self.honest.issuperset(leaders)
        complete = complete and (epoch - length) * 2 * DELTA >= self.synchronous_from
        self.runs[length] += complete
        return complete


def partially_synchronous(seed, stabilization):
    """Any delay up to Δ, before the global stabilization time up to that time as well."""
    drawn = stream(seed, "test")
    return lambda message, sender, receiver, time: drawn.randint(
        1, max(DELTA, stabilization - time)
    )


@settings(max_examples=60)
@given(
    nodes=st.integers(4, 8),
    faulty=st.lists(st.sampled_from(["crash", "silent_leader", "withhold_votes"]), max_size=2),
    stabilization=st.integers(0, 8 * 2 * DELTA),
    seed=st.integers(0, 2**32),
)
def test_lemma_5_and_theorem_6(nodes, faulty, stabilization, seed):
    drawn = stream(seed, "faults")
    faulty = faulty[: theory.max_faulty(nodes)]
    indices = drawn.sample(range(nodes), len(faulty))
    faults = {
        f"node_{index}": f"{kind}@{drawn.randint(0, 6)}"
        for index, kind in zip(indices, faulty, strict=True)
    }
    honest = {f"node_{index}" for index in range(nodes)} - faults.keys()
    lemmas = Lemmas(honest, stabilization)
    run = simulation(
        nodes,
        delay=partially_synchronous(seed, stabilization),
        epoch_length=2 * DELTA,
        faults=faults,
        monitors=[lemmas],
    )
    lemmas.nodes = run.nodes
    run.run(18)
    event(f"five honest leaders in a row: {bool(lemmas.runs[5])}")
    assert lemmas.runs[3]
