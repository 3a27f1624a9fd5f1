"""Finality comes as the theory says: exactly, where delays are small."""

from fractions import Fraction

import pytest

from streamlet_lab import theory
from streamlet_lab.simulator import Recorder

from .bare import simulation

CYCLES = 4

SILENT = [
    # nodes, silent leaders
    (4, ()),
    (4, (0,)),
    (4, (3,)),
    (7, (0, 1)),
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
