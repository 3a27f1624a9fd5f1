"""The bare protocol on a clock, set up in one line."""

from contextlib import ExitStack
from unittest import mock

from streamlet_lab.config import make_config
from streamlet_lab.consensus import OpaqueApplication
from streamlet_lab.fault import Fault
from streamlet_lab.simulator import Links, Monitor, Simulation, make_fault
from streamlet_lab.simulator.delays import constant_delay

OPAQUE = OpaqueApplication()
NEVER = 10**12  # a delay beyond the end of every run
_LEADERS = 400  # more epochs than any of these runs has


def make_faults(faults):
    """Faults from a mapping of nodes to short forms such as ``crash@3``, or to several."""
    return {
        name: [make_fault(Fault.parse(name, text)) for text in texts.split()]
        for name, texts in faults.items()
    }


def simulation(
    nodes=4,
    *,
    delay=1,
    shortest=1,
    epoch_length=2,
    faults=(),
    monitors=(),
    application=OPAQUE,
    kind=Simulation,
    finality=None,
    clock_offsets=None,
    leader_of=None,
    certify=False,
    **settings,
):
    """A network without signatures; delay is a number of microseconds, or a function.

    Faults are short forms by node, or the objects themselves; all else is a setting.
    """
    if leader_of is not None:
        settings["leaders"] = [*map(leader_of, range(_LEADERS))]
    if certify:
        settings["network"] = {"catch_up": True}
    settings = {"epoch_length": f"{epoch_length}us", "signatures": "none", **settings}
    config = make_config(nodes=nodes, **settings)
    links = Links(constant_delay(delay) if isinstance(delay, int) else delay, shortest)
    faults = dict(faults)
    if any(isinstance(given, str) for given in faults.values()):
        faults = make_faults(faults)
    with ExitStack() as stack:
        for name, planted in (("_finality_rule", finality), ("clock_offsets", clock_offsets)):
            if planted is not None:
                stack.enter_context(
                    mock.patch(f"streamlet_lab.simulator.simulation.{name}", return_value=planted)
                )
        return kind(config, application, monitors, links=links, faults=faults)


class Sent(Monitor):
    """What anyone sends, and when: times, nodes and messages."""

    def __init__(self):
        self.all = []

    def sent(self, time, node, message):
        self.all.append((time, node, message))

    def by(self, name):
        """What one node sends."""
        return [message for _, node, message in self.all if node == name]


def author(message):
    """Who signed a message."""
    return getattr(message, "voter", None) or message.proposer


def all_votes(node):
    """All votes that a node has, for blocks that it knows and for others."""
    return [vote for votes in node.tree.ballots.values() for vote in votes.values()]


def longest(node):
    """Epochs of a node's longest notarized chain, without genesis, as the paper counts them."""
    (tip,) = node.tree.longest
    return [block.epoch + 1 for block in node.tree.chain(tip.hash)][-2::-1]


def final(node):
    """Epochs of a node's finalized chain, without genesis, as the paper counts them."""
    return [block.epoch + 1 for block in node.tree.finalized[1:]]
