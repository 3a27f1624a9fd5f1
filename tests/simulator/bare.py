"""The bare protocol on a clock, set up in one line."""

from streamlet_lab.consensus import OpaqueApplication
from streamlet_lab.fault import Fault
from streamlet_lab.keys import IdealSignatures
from streamlet_lab.simulator import StreamletSimulation, constant_delay, make_fault
from streamlet_lab.theory import quorum

OPAQUE = OpaqueApplication()
NEVER = 10**12  # a delay beyond the end of every run


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
    epoch_length=2,
    faults=(),
    votes=None,
    monitors=(),
    application=OPAQUE,
    kind=StreamletSimulation,
    **options,
):
    """A network without signatures; delay is a number of microseconds, or a function."""
    return kind(
        tuple(f"node_{index}" for index in range(nodes)),
        application,
        keyring=IdealSignatures(),
        delay=constant_delay(delay) if isinstance(delay, int) else delay,
        epoch_length=epoch_length,
        quorum=votes or quorum(nodes),
        faults=make_faults(dict(faults)),
        monitors=monitors,
        **options,
    )


def author(message):
    """Who signed a message."""
    return getattr(message, "voter", None) or message.proposer


def longest(node):
    """Epochs of a node's longest notarized chain, without genesis, as the paper counts them."""
    (tip,) = node.tree.longest
    return [block.epoch + 1 for block in node.tree.chain(tip.hash)][-2::-1]


def final(node):
    """Epochs of a node's finalized chain, without genesis, as the paper counts them."""
    return [block.epoch + 1 for block in node.tree.finalized[1:]]
