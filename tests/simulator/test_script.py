"""What is scripted happens to the letter: who says what to whom, and when it arrives."""

import pytest

from streamlet_lab.config import make_config
from streamlet_lab.consensus import Proposal, Vote
from streamlet_lab.errors import InvalidInput
from streamlet_lab.fault import Fault
from streamlet_lab.simulator import LOST, Monitor, constant_delay, make_fault, make_faults
from streamlet_lab.simulator.script import Delivery, Script, Step, scripted_delay

from .bare import author, final, longest, simulation

NODES = ("node_0", "node_1", "node_2", "node_3")


class Arrivals(Monitor):
    """Which copy of whose message brought it to whom, and when."""

    def __init__(self):
        self.seen = []

    def delivered(self, received, sender, receiver, sent, message):
        self.seen.append((received, receiver, type(message).__name__, message.epoch, author(message)))

    def of(self, name):
        return [(time, to, kind, epoch) for time, to, kind, epoch, by in self.seen if by == name]


def scripted(steps, nodes=("node_3",), **options):
    """A network of four in which some nodes follow a script, and what arrives in it."""
    fault = Fault("script", nodes, parameters={"steps": steps})
    arrivals = Arrivals()
    options = {"delay": 2, "epoch_length": 10} | options
    run = simulation(4, monitors=[arrivals], trace=True, **options)
    run = rebuilt(run, fault, arrivals, options)
    return run, arrivals


def rebuilt(run, fault, arrivals, options):
    """The same network with a fault that has parameters, which the short form cannot say."""
    from streamlet_lab.consensus import OpaqueApplication
    from streamlet_lab.keys import IdealSignatures
    from streamlet_lab.simulator import StreamletSimulation

    return StreamletSimulation(
        NODES,
        OpaqueApplication(),
        keyring=IdealSignatures(),
        delay=constant_delay(options["delay"]),
        epoch_length=options["epoch_length"],
        quorum=3,
        faults=make_faults([fault], NODES),
        monitors=[arrivals],
        trace=True,
        echo=options.get("echo", True),
    )
