"""The Streamlet protocol, pure: no clock, no network, no randomness, no prices.

Read in this order: :mod:`~streamlet_lab.consensus.messages` (what is said),
:mod:`~streamlet_lab.consensus.leaders` (who leads),
:mod:`~streamlet_lab.consensus.finality` (when a chain is final),
:mod:`~streamlet_lab.consensus.blocktree` (what a node knows),
:mod:`~streamlet_lab.consensus.application` (what is agreed on) and
:mod:`~streamlet_lab.consensus.node` (what a node does). The rules are those of B. Y. Chan and
E. Shi, "Streamlet: Textbook Streamlined Blockchains", ePrint 2020/088, section 3.
"""

from streamlet_lab.consensus.application import Application, OpaqueApplication, Verdict
from streamlet_lab.consensus.blocktree import BlockTree
from streamlet_lab.consensus.finality import SIX_UNCONTESTED, THREE_IN_A_ROW, FinalityRule
from streamlet_lab.consensus.leaders import LeaderRule, hashed, round_robin, scheduled
from streamlet_lab.consensus.messages import (
    GENESIS_EPOCH,
    Block,
    Certificate,
    Message,
    Proposal,
    Vote,
    block_hash,
    make_genesis,
    proposal_bytes,
    vote_bytes,
)
from streamlet_lab.consensus.node import Dropped, StreamletNode

__all__ = [
    "GENESIS_EPOCH",
    "SIX_UNCONTESTED",
    "THREE_IN_A_ROW",
    "Application",
    "Block",
    "BlockTree",
    "Certificate",
    "Dropped",
    "FinalityRule",
    "LeaderRule",
    "Message",
    "OpaqueApplication",
    "Proposal",
    "StreamletNode",
    "Verdict",
    "Vote",
    "block_hash",
    "hashed",
    "make_genesis",
    "proposal_bytes",
    "round_robin",
    "scheduled",
    "vote_bytes",
]
