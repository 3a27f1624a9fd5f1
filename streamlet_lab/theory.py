"""Closed forms, to be drawn beside what the simulator measures.

Each function states where its formula comes from. Nothing here looks at a simulation.
"""

from collections.abc import Collection
from fractions import Fraction
from typing import Literal

#: What the paper assumes: Byzantine nodes and partial synchrony (section 3), crashes and partial
#: synchrony (appendix A), or Byzantine nodes and a network that is always in time (section 4).
FaultModel = Literal["byzantine", "crash", "synchronous"]


def max_faulty(nodes: int, model: FaultModel = "byzantine") -> int:
    """Largest number of faulty nodes that *n* nodes tolerate.

    The largest f with 3f < n for Byzantine nodes in partial synchrony (section 3), with 2f < n in
    the two other models (section 4, appendix A).
    """
    return (nodes - 1) // (3 if model == "byzantine" else 2)


def quorum(nodes: int, model: FaultModel = "byzantine") -> int:
    """Votes that notarize a block.

    At least 2n/3 for Byzantine nodes in partial synchrony (section 3), more than n/2 for crashes
    (appendix A), at least n/2 in the synchronous model (section 4).
    """
    match model:
        case "byzantine":
            return -(-2 * nodes // 3)
        case "crash":
            return nodes // 2 + 1
        case "synchronous":
            return -(-nodes // 2)


def messages_per_epoch(nodes: int, *, echo: bool = True) -> int:
    """Messages sent in an epoch in which every node is honest.

    One proposal and n votes leave their author for n − 1 others; with echoing each of the n − 1
    receivers sends each of the n + 1 messages on to n − 1 others (section 3, "echo").
    """
    copies = (nodes + 1) * (nodes - 1)
    return copies * nodes if echo else copies


def wait_for_run(length: int, p: float) -> float:
    """Mean number of trials until ``length`` successes in a row, each with probability ``p``.

    The classic Σ p^−i, i = 1 … length.
    """
    return sum(p**-i for i in range(1, length + 1))


def live_runs(nodes: int, silent: Collection[int], length: int = 3) -> Fraction:
    """Share of epochs that complete a run of ``length`` live leaders under round robin.

    Exact, by counting one cycle: a run of three live leaders is what finalizes a block.
    """
    complete = sum(
        all((end - back) % nodes not in silent for back in range(length)) for end in range(nodes)
    )
    return Fraction(complete, nodes)


def round_robin_finality_lag(nodes: int, silent: Collection[int]) -> Fraction | None:
    """Mean number of epochs from a block's own epoch to the epoch that finalizes it.

    Round robin with silent leaders, no forks, messages in time: the block of epoch e is final in
    the first epoch t > e in which t − 2, t − 1 and t all have live leaders and t − 1 ≥ e.

    Returns
    -------
    Fraction or None
        None where no three consecutive leaders are live, so that nothing is ever final.
    """
    if not live_runs(nodes, silent):
        return None
    live = [leader not in silent for leader in range(nodes)]

    def final_in(epoch: int) -> int:
        end = epoch + 1
        while not all(live[(end - back) % nodes] for back in range(3)):
            end += 1
        return end

    proposers = [epoch for epoch in range(nodes) if live[epoch]]
    return Fraction(sum(final_in(epoch) - epoch for epoch in proposers), len(proposers))
