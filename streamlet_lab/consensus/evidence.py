"""Forensics: who has provably broken the rules, from votes and public keys alone.

A vote signs the epoch and the height of its block, so two offences can be read off two votes of
one voter, without any block:

- *two votes in one epoch*, for different blocks;
- *a later vote on a shorter chain*: votes of epochs e₁ < e₂ for blocks of heights h₁ > h₂.

An honest node cannot look guilty. It votes at most once in an epoch, epochs only go forward, and
it votes only for a block that is one longer than its longest notarized chain, which never gets
shorter: over its epochs the heights of its votes never fall (Streamlet, section 3). That holds for
every fault model, clock and network, for a node that remembers what it did (one that came back from
a crash without its memory is not honest in this sense), and as long as no other chain has the same
chain id and keys.

Two chains that conflict although each was finalized expose at least 2q − n nodes, q being the
quorum (:func:`guaranteed_culprits`): those two offences are the only two steps of the proof of
Theorem 3 at which a node common to two quorums must have broken a rule.

Nothing else is provable from votes, because nobody can prove what a node had received:

- silence, and votes or proposals withheld or sent late: the network may have been at fault;
- a vote for a block that did not extend a longest notarized chain that the voter had seen;
- a vote for an invalid payload, where validity depends on what the voter observed or knew;
- a vote for a proposal that was not the first of its epoch's leader.

Two proposals of one leader for one epoch could be proven in the same way. They are left out: they
do not endanger safety unless someone votes for both, which is the first offence.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import ClassVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from streamlet_lab.consensus.documents import Document
from streamlet_lab.consensus.messages import Vote
from streamlet_lab.texts import printable
from streamlet_lab.units import to_instance, to_whole


class Offence(StrEnum):
    """What two votes of one voter prove."""

    TWO_VOTES = "two votes in one epoch"
    SHORTER_CHAIN = "a later vote on a shorter chain"


@dataclass(frozen=True, slots=True)
class Evidence(Document):
    """Two votes of one voter that no honest node signs. A claim until :func:`is_proven` says so.

    The second vote is not of an earlier epoch.
    """

    FORMAT: ClassVar = "streamlet-lab evidence 1"

    offence: Offence
    first: Vote
    second: Vote

    @property
    def culprit(self) -> str:
        """The voter."""
        return self.first.voter

    def __repr__(self) -> str:
        epochs = f"epochs {self.first.epoch} and {self.second.epoch}"
        return printable(f"Evidence({self.culprit}: {self.offence}, {epochs})")


def find_offences(votes: Iterable[Vote]) -> dict[str, Evidence]:
    """Return the earliest offence of every voter who is provably guilty, in the order of names.

    Votes have valid signatures, and come in any order, repeated or not.

    Examples
    --------
    >>> a = Vote("demo", 4, 3, b"A", "node_1", b"")
    >>> b = Vote("demo", 6, 2, b"B", "node_1", b"")
    >>> find_offences([b, a])["node_1"].offence.value
    'a later vote on a shorter chain'
    """
    histories: dict[tuple[str, str], list[Vote]] = defaultdict(list)
    for vote in votes:
        histories[to_instance(vote, Vote, "votes").voter, vote.chain_id].append(vote)
    found: dict[str, Evidence] = {}
    for (voter, _), history in sorted(histories.items()):
        evidence = _earliest_offence(history)
        if evidence is not None:
            found.setdefault(voter, evidence)
    return found


def _earliest_offence(history: list[Vote]) -> Evidence | None:
    history.sort(key=lambda vote: (vote.epoch, vote.height, vote.block_hash, vote.signature))
    # Before the first offence heights never fall, so the vote just before is the tallest so far:
    # neighbours are enough.
    for first, second in pairwise(history):
        offence = _offence_of(first, second)
        if offence is not None:
            return Evidence(offence, first, second)
    return None


def _offence_of(first: Vote, second: Vote) -> Offence | None:
    """What the signed numbers of two votes prove, if they are one voter's on one chain."""
    if first.epoch == second.epoch and first.signed != second.signed:
        return Offence.TWO_VOTES
    if first.epoch < second.epoch and first.height > second.height:
        return Offence.SHORTER_CHAIN
    return None


def is_proven(evidence: Evidence, public_keys: Mapping[str, bytes]) -> bool:
    """Whether evidence convicts its culprit: one voter signed both votes, and they are an offence.

    The evidence may be anyone's. Keys are the raw 32 bytes of each node's Ed25519 public key.
    """
    to_instance(evidence, Evidence, "evidence")
    first, second = evidence.first, evidence.second
    return (
        first.voter == second.voter
        and first.chain_id == second.chain_id
        and evidence.offence is _offence_of(first, second)
        and is_signed(first, public_keys)
        and is_signed(second, public_keys)
    )


def is_signed(vote: Vote, public_keys: Mapping[str, bytes]) -> bool:
    """Whether a vote has the signature of its voter, who must be among the keys."""
    key = public_keys.get(to_instance(vote, Vote, "vote").voter)
    if key is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(vote.signature, vote.signed)
    except InvalidSignature:
        return False
    return True


def guaranteed_culprits(nodes: int, quorum: int) -> int:
    """Least number of provably guilty nodes after any conflicting finality.

    Two quorums of q among n nodes have at least 2q − n members in common.

    Examples
    --------
    >>> [guaranteed_culprits(n, q) for n, q in [(4, 3), (7, 5), (10, 7)]]
    [2, 3, 4]
    """
    nodes = to_whole(nodes, 1, "nodes")
    return max(0, 2 * to_whole(quorum, 1, "quorum", nodes) - nodes)
