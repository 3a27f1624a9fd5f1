"""Thousands of runs in lockstep: what needs no order book and no forensics, as arrays.

:func:`measure_runs` measures many runs of a configuration that :func:`explain` has nothing against.
Chance and rules are kept apart: ``draws`` draws what is up to chance, and :func:`play` makes of it
what the full engine makes, epoch by epoch.
"""

from streamlet_lab.batched.lockstep import play as play
from streamlet_lab.batched.scope import explain as explain
from streamlet_lab.batched.tally import MEASURES as MEASURES
from streamlet_lab.batched.tally import Facts as Facts
from streamlet_lab.batched.tally import measure_batches as measure_batches
from streamlet_lab.batched.tally import measure_runs as measure_runs
from streamlet_lab.batched.tally import play_batches as play_batches
