"""How many votes notarize a block, and how many faulty nodes that tolerates."""

from typing import Final, Literal, get_args

from streamlet_lab.units import to_name, to_whole

#: What the paper assumes: Byzantine nodes and partial synchrony (section 3), crashes and partial
#: synchrony (appendix A), or Byzantine nodes and a network that is always in time (section 4).
FaultModel = Literal["byzantine", "crash", "synchronous"]

_MOST_NODES: Final = 1_000_000


def max_faulty(nodes: int, model: FaultModel = "byzantine") -> int:
    """Largest number of faulty nodes that *n* nodes tolerate.

    The largest f with 3f < n for Byzantine nodes in partial synchrony (section 3), with 2f < n in
    the two other models (section 4, appendix A). Raises `InvalidInput` if the nodes are no whole
    number from 1 to a million, or there is no such model.
    """
    nodes = _check(nodes, model)
    return (nodes - 1) // (3 if model == "byzantine" else 2)


def quorum(nodes: int, model: FaultModel = "byzantine") -> int:
    """Votes that notarize a block.

    At least 2n/3 for Byzantine nodes in partial synchrony (section 3), more than n/2 for crashes
    (appendix A), at least n/2 in the synchronous model (section 4). Raises as :func:`max_faulty`.
    """
    nodes = _check(nodes, model)
    match model:
        case "byzantine":
            return -(-2 * nodes // 3)
        case "crash":
            return nodes // 2 + 1
        case "synchronous":
            return -(-nodes // 2)


def _check(nodes: int, model: FaultModel) -> int:
    to_name(model, get_args(FaultModel), "model")
    return to_whole(nodes, 1, "nodes", _MOST_NODES)
