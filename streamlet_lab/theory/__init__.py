"""Closed forms, to be drawn beside what the simulator measures.

Each function states where its formula comes from. Nothing here looks at a simulation.

Numbers may be Python's own or numpy's. Counts are at most a million, which is as far as any sum
here is worth adding up. What is no such number, or out of its range, raises `InvalidInput`, as does
a mean that is beyond every float; that of a fraction is exact. A share is never below 0 or above 1,
whatever was rounded on the way.
"""

from streamlet_lab.consensus.quorums import max_faulty as max_faulty
from streamlet_lab.consensus.quorums import quorum as quorum
from streamlet_lab.theory.epoch_cost import messages_per_epoch as messages_per_epoch
from streamlet_lab.theory.finality_times import chance_of_run as chance_of_run
from streamlet_lab.theory.finality_times import final_blocks as final_blocks
from streamlet_lab.theory.finality_times import finality_lag as finality_lag
from streamlet_lab.theory.finality_times import live_runs as live_runs
from streamlet_lab.theory.finality_times import round_robin_finality_lag as round_robin_finality_lag
from streamlet_lab.theory.finality_times import wait_for_run as wait_for_run
from streamlet_lab.theory.price_bands import denied_share as denied_share
from streamlet_lab.theory.price_bands import first_passage_share as first_passage_share
from streamlet_lab.theory.price_bands import mean_displacement as mean_displacement
from streamlet_lab.theory.price_bands import mean_first_passage as mean_first_passage
from streamlet_lab.theory.price_bands import outside_band_share as outside_band_share
from streamlet_lab.theory.price_bands import stale_outside_share as stale_outside_share
