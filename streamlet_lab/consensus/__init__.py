"""The Streamlet protocol, pure: no clock, no network, no randomness, no prices.

Read in this order: :mod:`~streamlet_lab.consensus.messages` (what is said),
:mod:`~streamlet_lab.consensus.leaders` (who leads),
:mod:`~streamlet_lab.consensus.quorums` (how many votes notarize),
:mod:`~streamlet_lab.consensus.finality` (when a chain is final),
:mod:`~streamlet_lab.consensus.application` (what is agreed on),
:mod:`~streamlet_lab.consensus.events` (what a node reports),
:mod:`~streamlet_lab.consensus.blocktree` (what a node knows),
:mod:`~streamlet_lab.consensus.node` (what a node does), and, for those who were not there,
:mod:`~streamlet_lab.consensus.proof` (that a block is final) and
:mod:`~streamlet_lab.consensus.evidence` (who broke the rules). The rules are those of B. Y. Chan
and E. Shi, "Streamlet: Textbook Streamlined Blockchains", ePrint 2020/088.
"""

from streamlet_lab.consensus.application import Application, OpaqueApplication, Verdict
from streamlet_lab.consensus.blocktree import BlockTree
from streamlet_lab.consensus.documents import parse_json
from streamlet_lab.consensus.events import (
    Conflicting,
    Event,
    Finalized,
    Notarized,
    Refused,
)
from streamlet_lab.consensus.evidence import (
    Evidence,
    find_offences,
    guaranteed_culprits,
    is_proven,
)
from streamlet_lab.consensus.finality import SIX_UNCONTESTED, THREE_IN_A_ROW, FinalityRule
from streamlet_lab.consensus.leaders import LeaderRule, hashed, round_robin
from streamlet_lab.consensus.messages import (
    GENESIS_EPOCH,
    Block,
    Certificate,
    Message,
    Proposal,
    Vote,
    make_genesis,
    proposal_bytes,
    sign_proposal,
    sign_vote,
    vote_bytes,
)
from streamlet_lab.consensus.node import EPOCHS_AHEAD, Dropped, StreamletNode
from streamlet_lab.consensus.proof import (
    FinalityProof,
    ProofRejected,
    PublicKeys,
    VerifiedBlock,
    make_proof,
    verify_proof,
)
from streamlet_lab.consensus.quorums import FaultModel, max_faulty, quorum

__all__ = [
    "EPOCHS_AHEAD",
    "GENESIS_EPOCH",
    "SIX_UNCONTESTED",
    "THREE_IN_A_ROW",
    "Application",
    "Block",
    "BlockTree",
    "Certificate",
    "Conflicting",
    "Dropped",
    "Event",
    "Evidence",
    "FaultModel",
    "FinalityProof",
    "FinalityRule",
    "Finalized",
    "LeaderRule",
    "Message",
    "Notarized",
    "OpaqueApplication",
    "ProofRejected",
    "Proposal",
    "PublicKeys",
    "Refused",
    "StreamletNode",
    "Verdict",
    "VerifiedBlock",
    "Vote",
    "find_offences",
    "guaranteed_culprits",
    "hashed",
    "is_proven",
    "make_genesis",
    "make_proof",
    "max_faulty",
    "parse_json",
    "proposal_bytes",
    "quorum",
    "round_robin",
    "sign_proposal",
    "sign_vote",
    "verify_proof",
    "vote_bytes",
]
