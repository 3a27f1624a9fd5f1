"""Whom the votes that honest nodes have received convict."""

from streamlet_lab.checks.promises import honest_nodes
from streamlet_lab.config import ExperimentConfig
from streamlet_lab.consensus import Evidence, find_offences
from streamlet_lab.simulator import Simulation


def find_culprits(config: ExperimentConfig, simulation: Simulation) -> dict[str, Evidence]:
    """Search the votes that honest nodes hold; return evidence by culprit, in alphabetical order.

    Where all nodes are honest, there is nothing to find, and nothing is searched.
    """
    if not config.faulty_nodes:
        return {}
    honest = honest_nodes(config)
    # Nodes share the votes that they have received: each is looked at once.
    held = {
        id(vote): vote
        for name, node in simulation.nodes.items()
        if name in honest
        for vote in node.tree.all_votes()
    }
    return find_offences(held.values())
