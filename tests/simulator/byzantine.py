"""Runs of the bare protocol with Byzantine nodes, and what arrives at whom."""

from streamlet_lab.config import make_config
from streamlet_lab.facade import StockMarketConsensusNetwork
from streamlet_lab.fault import Fault
from streamlet_lab.simulator import Recorder, own_fault_kinds
from streamlet_lab.simulator.faults import make_faults

from . import bare
from .bare import all_votes, author

DELTA = 10
EPOCH = 2 * DELTA

#: The lab's own but for scripts.
KINDS = [kind for kind in own_fault_kinds() if kind != "script"]
#: Those that need no prices.
PROTOCOL_KINDS = [kind for kind in KINDS if kind not in ("lying_leader", "price_manipulator")]


def names(*indices):
    return tuple(f"node_{index}" for index in indices)


def byzantine(kind, *indices, **settings):
    return Fault(kind, names(*indices), **settings)


class Arrivals(Recorder):
    """What arrives at whom, and when."""

    @property
    def all(self):
        return [(received, receiver, m) for received, _, receiver, _, m in self.deliveries]

    def of(self, kind, by, epoch):
        """Times at which a message of one author and epoch arrives at the others."""
        return {
            receiver: time
            for time, receiver, message in self.all
            if isinstance(message, kind)
            and (author(message), message.epoch) == (by, epoch)
            and receiver != by
        }


def simulation(*faults, nodes=4, delay=DELTA, monitors=(), made=None, **options):
    """A network of delays Δ, in which one fault may make nodes accomplices."""
    made = made or make_faults(faults, names(*range(nodes)))
    options = {"epoch_length": EPOCH, "trace": True, **options}
    return bare.simulation(nodes, delay=delay, faults=made, monitors=monitors, **options)


def run(epochs, *faults, monitors=(), **options):
    arrivals = Arrivals()
    lab = simulation(*faults, monitors=[arrivals, *monitors], **options)
    lab.run(epochs)
    return lab, arrivals


def votes_of(node, voter):
    return [vote for vote in all_votes(node) if vote.voter == voter]


def price_network(faults, signatures, monitors=(), **options):
    config = make_config(nodes=4, faults=faults, signatures=signatures, trace=True, **options)
    return StockMarketConsensusNetwork(config, monitors=monitors)
