"""What the worked scenarios leave out: every epoch, other numbers of nodes, who voted when.

Epochs and times are the paper's: from 1.
"""

import pytest

from streamlet_lab.consensus import Vote
from streamlet_lab.simulator import Monitor, Recorder

from .bare import NEVER, author, final, longest, simulation


def views(run):
    """Longest and final chain of every node, the observer included."""
    return {name: (longest(node), final(node)) for name, node in run.nodes.items()}


class Views(Monitor):
    """What every node has seen when an epoch begins, before any node has acted in it."""

    def __init__(self):
        self.at_the_beginning_of = {}

    def watch(self, run):
        self.run = run
        run.monitors.append(self)
        return self

    def epoch_started(self, time, epoch, leader):
        self.at_the_beginning_of[epoch + 1] = views(self.run)


def test_b1_at_the_beginning_of_every_epoch():
    # Deliveries come before the start of an epoch at the same instant: the other order would give
    # 1, 3, 5, 7, … and nothing final.
    run = simulation(4, delay=1, epoch_length=2)
    seen = Views().watch(run).at_the_beginning_of
    run.run(13)
    for epochs in range(1, 13):
        expected = [*range(1, epochs + 1)], [*range(1, epochs)]
        assert seen[epochs + 1] == dict.fromkeys(run.nodes, expected)
    assert views(run) == dict.fromkeys(run.nodes, ([*range(1, 14)], [*range(1, 13)]))


@pytest.mark.parametrize("nodes", [1, 2, 3, 5, 7, 10])
def test_b1_with_other_numbers_of_nodes(nodes):
    run = simulation(nodes, delay=1, epoch_length=2)
    run.run(6)
    assert views(run) == dict.fromkeys(run.nodes, ([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5]))


@pytest.mark.parametrize("silence", ["silent_leader", "crash"])
def test_b3_silent_or_crashed(silence):
    run = simulation(4, delay=1, epoch_length=2, faults={"node_0": silence})
    run.run(16)
    if silence == "crash":
        assert views(run).pop("node_0") == ([], [])
        del run.nodes["node_0"]
    notarized = [2, 3, 4, 6, 7, 8, 10, 11, 12, 14, 15, 16]
    assert views(run) == dict.fromkeys(run.nodes, (notarized, notarized[:-1]))


def test_b5_when_the_pending_votes_are_cast():
    # A vote decided only when the proposal arrives gives 1, 3, 4, 5, 6: the first trap.
    def delay(message, sender, receiver, time):
        late = isinstance(message, Vote) and message.epoch == 0 and receiver in (2, 3)
        return max(11 - time, 1) if late else 1

    recorder = Recorder()
    run = simulation(4, delay=delay, epoch_length=8, monitors=[recorder])
    run.run(6)
    assert views(run) == dict.fromkeys(run.nodes, ([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5]))
    times = {vote.voter: time for time, vote in recorder.votes if vote.epoch == 1}
    assert times == {"node_0": 9, "node_1": 8, "node_2": 11, "node_3": 11}


def test_without_echo_a_node_that_the_leader_skips_never_sees_the_block():
    def delay(message, sender, receiver, time):
        skipped = author(message) == "node_0" and (sender, receiver) == (0, 3)
        return NEVER if skipped else 1

    chains = {}
    for echo in (True, False):
        run = simulation(4, delay=delay, epoch_length=4, echo=echo)
        run.run(3)
        chains[echo] = longest(run.nodes["node_3"])
    assert chains == {True: [1, 2, 3], False: []}
