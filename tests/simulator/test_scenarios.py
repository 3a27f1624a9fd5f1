"""What the worked scenarios leave out: every epoch, other numbers of nodes, who voted when.

Epochs and times are the paper's: from 1.
"""

import pytest

from streamlet_lab.simulator import Monitor

from .bare import final, longest, simulation


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
