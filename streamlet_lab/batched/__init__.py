"""Thousands of runs in lockstep: what needs no order book and no forensics, as arrays."""

from streamlet_lab.batched.lockstep import Inputs as Inputs
from streamlet_lab.batched.lockstep import Outcome as Outcome
from streamlet_lab.batched.lockstep import play as play
from streamlet_lab.batched.scope import explain as explain
