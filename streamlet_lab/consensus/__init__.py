"""The Streamlet protocol, pure: no clock, no network, no randomness, no prices.

Read in this order: :mod:`~streamlet_lab.consensus.messages` (what is said),
:mod:`~streamlet_lab.consensus.blocktree` (what a node knows),
:mod:`~streamlet_lab.consensus.application` (what is agreed on) and
:mod:`~streamlet_lab.consensus.node` (what a node does). The rules are those of B. Y. Chan and
E. Shi, "Streamlet: Textbook Streamlined Blockchains", ePrint 2020/088, section 3.
"""

from streamlet_lab.consensus.application import Application, OpaqueApplication, Verdict
from streamlet_lab.consensus.blocktree import BlockTree
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
from streamlet_lab.consensus.node import Dropped, LeaderRule, StreamletNode, round_robin

__all__ = [
    "GENESIS_EPOCH",
    "Application",
    "Block",
    "BlockTree",
    "Certificate",
    "Dropped",
    "LeaderRule",
    "Message",
    "OpaqueApplication",
    "Proposal",
    "StreamletNode",
    "Verdict",
    "Vote",
    "block_hash",
    "make_genesis",
    "proposal_bytes",
    "round_robin",
    "vote_bytes",
]
