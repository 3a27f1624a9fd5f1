"""Closed forms, to be drawn beside what the simulator measures.

Each function states where its formula comes from. Nothing here looks at a simulation.

Numbers may be Python's own or numpy's. Counts are at most a million, which is as far as any sum
here is worth adding up. What is no such number, or out of its range, raises `InvalidInput`, as does
a mean that is beyond every float; that of a fraction is exact. A share is never below 0 or above 1,
whatever was rounded on the way.
"""

from streamlet_lab.consensus.quorums import max_faulty, quorum
from streamlet_lab.theory.live_leaders import (
    chance_of_run,
    final_blocks,
    finality_lag,
    live_runs,
    messages_per_epoch,
    round_robin_finality_lag,
    wait_for_run,
)
from streamlet_lab.theory.price_bands import (
    denied_share,
    first_passage_share,
    mean_displacement,
    mean_first_passage,
    outside_band_share,
    stale_outside_share,
)

__all__ = [
    "chance_of_run",
    "denied_share",
    "final_blocks",
    "finality_lag",
    "first_passage_share",
    "live_runs",
    "max_faulty",
    "mean_displacement",
    "mean_first_passage",
    "messages_per_epoch",
    "outside_band_share",
    "quorum",
    "round_robin_finality_lag",
    "stale_outside_share",
    "wait_for_run",
]
