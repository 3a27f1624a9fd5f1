"""Which properties are watched in a run, and what is promised of them."""

from streamlet_lab.checks.check import Check
from streamlet_lab.checks.liveness import Lemma5, SynchronousLiveness, Theorem6
from streamlet_lab.checks.promises import honest_nodes, why_invalid, why_not_live, why_unsafe
from streamlet_lab.checks.safety import (
    Consistency,
    UniqueNotarization,
    ValidPrices,
    VoteDiscipline,
)
from streamlet_lab.config import ExperimentConfig
from streamlet_lab.prices import PreviousConsensus
from streamlet_lab.simulator import Simulation, StockSimulation


def protocol_checks(config: ExperimentConfig, simulation: Simulation) -> tuple[Check, ...]:
    """Return the properties of the protocol, whatever the blocks carry.

    Parameters
    ----------
    config : ExperimentConfig
        What the simulation was made from: it decides what is promised.
    simulation : Simulation
        What is going to be watched, once the checks are among its monitors.

    Examples
    --------
    >>> from streamlet_lab.simulator import create_streamlet_network
    >>> config = ExperimentConfig(nodes=4)
    >>> network = create_streamlet_network(config)
    >>> checks = protocol_checks(config, network)
    >>> network.monitors.extend(checks)
    >>> network.run(epochs=6)
    >>> [check.name for check in checks if check.result().status == "holds"]
    ['consistency', 'unique_notarization', 'vote_discipline', 'lemma_5', 'theorem_6']
    """
    honest, unsafe, not_live = honest_nodes(config), why_unsafe(config), why_not_live(config)
    gst, elsewhere = config.network.gst_in_force, ""
    if config.model == "synchronous":
        elsewhere = "the model is synchronous, where section 4 holds instead"
    checks = (
        Consistency(honest, unpromised=unsafe),
        UniqueNotarization(honest, unpromised=unsafe, inapplicable=elsewhere),
        VoteDiscipline(honest),
        Lemma5(honest, simulation, gst, inapplicable=elsewhere or not_live),
        Theorem6(honest, simulation, gst, inapplicable=elsewhere or not_live),
    )
    if not elsewhere:
        return checks
    return (*checks, SynchronousLiveness(honest, simulation, gst, inapplicable=not_live))


def market_checks(config: ExperimentConfig, network: StockSimulation) -> tuple[Check, ...]:
    """Return the properties of a run with prices: those of the protocol, and valid prices."""
    genesis = [
        PreviousConsensus(feed.path.base_price, network.genesis.epoch)
        for feed in network.feeds.values()
    ]
    prices = ValidPrices(
        honest_nodes(config),
        network.application.voters,
        genesis,
        unpromised=why_invalid(config),
    )
    return (*protocol_checks(config, network), prices)
