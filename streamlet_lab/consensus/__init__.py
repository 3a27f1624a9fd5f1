"""The Streamlet protocol, pure: no clock, no network, no randomness, no prices.

Read in this order: :mod:`~streamlet_lab.consensus.messages` (what is said),
:mod:`~streamlet_lab.consensus.leaders` (who leads),
:mod:`~streamlet_lab.consensus.quorums` (how many votes notarize),
:mod:`~streamlet_lab.consensus.finality` (when a chain is final),
:mod:`~streamlet_lab.consensus.application` (what is agreed on),
:mod:`~streamlet_lab.consensus.node_events` (what a node reports),
:mod:`~streamlet_lab.consensus.blocktree` (what a node knows),
:mod:`~streamlet_lab.consensus.node` (what a node does), and, for those who were not there,
:mod:`~streamlet_lab.consensus.proof` (that a block is final) and
:mod:`~streamlet_lab.consensus.evidence` (who broke the rules). The rules are those of B. Y. Chan
and E. Shi, "Streamlet: Textbook Streamlined Blockchains", ePrint 2020/088.
"""

from streamlet_lab.consensus.application import Application as Application
from streamlet_lab.consensus.application import OpaqueApplication as OpaqueApplication
from streamlet_lab.consensus.application import Verdict as Verdict
from streamlet_lab.consensus.blocktree import BlockTree as BlockTree
from streamlet_lab.consensus.evidence import Evidence as Evidence
from streamlet_lab.consensus.evidence import find_offences as find_offences
from streamlet_lab.consensus.evidence import guaranteed_culprits as guaranteed_culprits
from streamlet_lab.consensus.evidence import is_proven as is_proven
from streamlet_lab.consensus.finality import SIX_UNCONTESTED as SIX_UNCONTESTED
from streamlet_lab.consensus.finality import THREE_IN_A_ROW as THREE_IN_A_ROW
from streamlet_lab.consensus.finality import FinalityRule as FinalityRule
from streamlet_lab.consensus.leaders import LeaderRule as LeaderRule
from streamlet_lab.consensus.leaders import hashed as hashed
from streamlet_lab.consensus.leaders import round_robin as round_robin
from streamlet_lab.consensus.messages import GENESIS_EPOCH as GENESIS_EPOCH
from streamlet_lab.consensus.messages import Block as Block
from streamlet_lab.consensus.messages import Certificate as Certificate
from streamlet_lab.consensus.messages import Message as Message
from streamlet_lab.consensus.messages import Proposal as Proposal
from streamlet_lab.consensus.messages import Vote as Vote
from streamlet_lab.consensus.messages import make_genesis as make_genesis
from streamlet_lab.consensus.messages import proposal_bytes as proposal_bytes
from streamlet_lab.consensus.messages import sign_proposal as sign_proposal
from streamlet_lab.consensus.messages import sign_vote as sign_vote
from streamlet_lab.consensus.messages import vote_bytes as vote_bytes
from streamlet_lab.consensus.node import EPOCHS_AHEAD as EPOCHS_AHEAD
from streamlet_lab.consensus.node import Dropped as Dropped
from streamlet_lab.consensus.node import StreamletNode as StreamletNode
from streamlet_lab.consensus.node_events import Conflicting as Conflicting
from streamlet_lab.consensus.node_events import Event as Event
from streamlet_lab.consensus.node_events import Finalized as Finalized
from streamlet_lab.consensus.node_events import Notarized as Notarized
from streamlet_lab.consensus.node_events import Refused as Refused
from streamlet_lab.consensus.proof import FinalityProof as FinalityProof
from streamlet_lab.consensus.proof import ProofRejected as ProofRejected
from streamlet_lab.consensus.proof import PublicKeys as PublicKeys
from streamlet_lab.consensus.proof import VerifiedBlock as VerifiedBlock
from streamlet_lab.consensus.proof import make_proof as make_proof
from streamlet_lab.consensus.proof import verify_proof as verify_proof
from streamlet_lab.consensus.quorums import max_faulty as max_faulty
from streamlet_lab.consensus.quorums import quorum as quorum
