"""What is watched in a run, what the paper promises of it, and why it does not.

Safety needs quorums of which any two share an honest node, and nothing of the network; liveness
needs everything that the model asks for.
"""

from typing import Final

from streamlet_lab.checks.check import Check
from streamlet_lab.checks.liveness import Lemma5, SynchronousLiveness, Theorem6
from streamlet_lab.checks.safety import Consistency, UniqueNotarization, ValidPrices, VoteDiscipline
from streamlet_lab.config import OBSERVER, ExperimentConfig
from streamlet_lab.prices import SOURCE_FAULTS, PreviousConsensus
from streamlet_lab.simulator import Simulation, StockSimulation

#: Every property by its name.
CHECKS: Final[dict[str, type[Check]]] = {
    check.name: check
    for check in (
        Consistency,
        UniqueNotarization,
        VoteDiscipline,
        Lemma5,
        Theorem6,
        SynchronousLiveness,
        ValidPrices,
    )
}

# Standard deviations that normal noise does not reach in any run.
_FAR = 10


def honest_nodes(config: ExperimentConfig) -> frozenset[str]:
    """Return the nodes that are never faulty, and the observer."""
    return frozenset((*config.node_ids, OBSERVER)) - config.faulty_nodes


def protocol_checks(config: ExperimentConfig, simulation: Simulation) -> tuple[Check, ...]:
    """Return the properties of the protocol, whatever the blocks carry, as monitors of its run.

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
    honest, voters = honest_nodes(config), network.application.voters
    prices = ValidPrices(honest, voters, genesis, unpromised=why_invalid(config))
    return (*protocol_checks(config, network), prices)


def why_unsafe(config: ExperimentConfig) -> str:
    """Say why two honest nodes may finalize conflicting blocks; empty if they never can.

    Lemma 1 and Theorem 3, and appendix A for crashes alone, rest on one honest node in any two
    quorums, whatever the timing. Section 4 needs all that its model asks for.

    Examples
    --------
    >>> why_unsafe(ExperimentConfig(nodes=5, quorum="2f+1", faults={"node_4": "equivocate"}))
    'two quorums of 3 of 5 nodes may share only 1, and 1 may lie'
    """
    if config.model == "synchronous":
        return "; ".join(config.outside_model)
    shared, liars = 2 * config.votes_needed - config.nodes, _liars(config)
    if shared > liars:
        return ""
    quorums = f"two quorums of {config.votes_needed} of {config.nodes} nodes"
    share = f"may share only {shared}" if shared > 0 else "may share none"
    return f"{quorums} {share}, and {liars} may lie"


def why_invalid(config: ExperimentConfig) -> str:
    """Say why an invalid payload may become final; empty if it never can.

    No honest node votes for one, so it takes a quorum of others.

    Examples
    --------
    >>> why_invalid(ExperimentConfig(nodes=4, faults=({"kind": "lying_leader", "count": 3},)))
    'a quorum of 3 may lie'
    """
    liars = _liars(config)
    return f"a quorum of {liars} may lie" if liars >= config.votes_needed else ""


def why_not_live(config: ExperimentConfig) -> str:
    """Say why even honest leaders may not get a block finalized; empty if the paper promises it."""
    reasons, network = [*config.outside_model], config.network
    if _may_be_set_against_each_other(config):
        reasons.append("a source may tell nodes different things, so that they refuse each other")
    busy = network.sign_time or network.verify_time
    if busy and (config.faulty_nodes or network.gst_in_force):
        # An epoch has time for its own messages, not for others that pile up.
        reasons.append("processing takes time, and more may come in than an epoch has time for")
    return "; ".join(reasons)


def _may_be_set_against_each_other(config: ExperimentConfig) -> bool:
    """Whether sources can have honest voters refuse an honest leader's prices.

    Not if all sources that may be wrong or silent are no more than the aggregator tolerates, and
    the others agree by far better than voters ask for.
    """
    prices = config.prices
    if prices.voter_policy != "observe":
        return False
    faults = (fault for fault in config.source_faults if fault.start < config.epochs)
    if not any(SOURCE_FAULTS[fault.kind].equivocates for fault in faults):
        return False
    unreliable = config.faulty_sources | {s.name for s in prices.sources if s.outage}
    tolerance_bp = 100 * float(prices.tolerance_percent)
    precise = all(
        _FAR * source.noise_bp + abs(source.bias_bp) < tolerance_bp and not source.lag
        for source in prices.sources
        if source.name not in unreliable
    )
    return not precise or len(unreliable) > (prices.tolerated_sources or 0)


def _liars(config: ExperimentConfig) -> int:
    """Count the nodes that may do worse than crash."""
    lying = {
        node
        for fault in config.node_faults
        if fault.kind != "crash" and fault.start < config.epochs
        for node in fault.affected(config.node_ids)
    }
    return len(lying)
