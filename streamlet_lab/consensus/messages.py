"""Blocks, proposals and votes, and the exact bytes that are hashed and signed.

Every encoding starts with a domain of its own; behind it every field but the last has a fixed size
or follows its length. So no two different values share bytes, and no signature over one kind of
thing is one over another.
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from streamlet_lab.consensus.documents import Hex, Int64
from streamlet_lab.keys import Keyring
from streamlet_lab.units import to_instance, to_text
from streamlet_lab.values import check_ranges, unchecked

#: Genesis carries this epoch; a run's epochs count from 0 (the paper: genesis 0, epochs from 1).
GENESIS_EPOCH: Final = -1

# Links of a chain that are copied one inside the other.
_STRETCH: Final = 32
_TWO_INTEGERS: Final = struct.Struct(">qq")


@lru_cache
def domain_of(domain: bytes, chain_id: str) -> bytes:
    """Return what stands before all that is hashed or signed of one kind in one chain."""
    name = chain_id.encode()
    return domain + len(name).to_bytes(4, "big") + name


@dataclass(frozen=True, slots=True)
class Block:
    """A block: its header names its parent by hash, its payload means nothing to the protocol.

    Its hash is SHA-256 over the header, with the hashes of what it carries. Votes sign its ballot.

    Parameters
    ----------
    chain_id : str
        Names the chain, so that no message of one experiment counts in another.
    epoch : int
        In which it was proposed; strictly increasing along a chain.
    height : int
        Number of blocks below it: genesis has 0.
    parent : bytes
        Hash of the parent; empty for genesis.
    payload : bytes
        What the application agreed on, for prices exactly the JSON bytes.
    attachment : bytes
        Opaque evidence that travels with the payload.
    """

    chain_id: str
    epoch: Int64
    height: Int64
    parent: bytes
    payload: bytes
    attachment: bytes = b""
    hash: bytes = field(init=False, repr=False, compare=False)
    ballot: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_ranges(self)
        digests = hashlib.sha256(self.payload).digest(), hashlib.sha256(self.attachment).digest()
        header_hash = block_hash(self.chain_id, self.epoch, self.height, self.parent, *digests)
        object.__setattr__(self, "hash", header_hash)
        ballot = vote_bytes(self.chain_id, self.epoch, self.height, header_hash)
        object.__setattr__(self, "ballot", ballot)


def block_hash(
    chain_id: str,
    epoch: int,
    height: int,
    parent: bytes,
    payload_hash: bytes,
    attachment_hash: bytes,
) -> bytes:
    """Return the hash of a block from its header: SHA-256 hashes stand for what it carries."""
    header = (
        domain_of(b"streamlet-lab/block/1", chain_id)
        + _TWO_INTEGERS.pack(height, epoch)
        + payload_hash
        + attachment_hash
        + parent
    )
    return hashlib.sha256(header).digest()


def make_genesis(chain_id: str, payload: bytes = b"") -> Block:
    """Return the block that every chain starts with: notarized and final from the beginning."""
    return Block(chain_id, GENESIS_EPOCH, 0, b"", payload)


def proposal_bytes(block: Block) -> bytes:
    """Return the bytes that a leader signs to propose a block."""
    block = block if type(block) is Block else to_instance(block, Block, "block")
    return domain_of(b"streamlet-lab/proposal/1", block.chain_id) + block.hash


def vote_bytes(chain_id: str, epoch: int, height: int, block_hash: bytes) -> bytes:
    """Return the bytes that a voter signs.

    Epoch and height stand beside the hash: with them a vote on a shorter chain after one on a
    longer chain is evidence by itself, without the blocks.
    """
    numbers = _TWO_INTEGERS.pack(epoch, height)
    return domain_of(b"streamlet-lab/vote/1", chain_id) + numbers + block_hash


@dataclass(frozen=True, slots=True)
class Proposal:
    """A block, signed by the leader of its epoch over :func:`proposal_bytes`.

    The certificate is of the notarized chain that the block extends, where the rules have leaders
    send it along. It is not signed: the votes in it are.
    """

    block: Block
    proposer: str
    signature: bytes
    certificate: "Certificate | None" = field(default=None, repr=False)
    signed: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_ranges(self)
        object.__setattr__(self, "signed", proposal_bytes(self.block))

    def __hash__(self) -> int:
        return hash((self.signature, self.proposer))

    @property
    def epoch(self) -> int:
        """The epoch of the block."""
        return self.block.epoch


@dataclass(frozen=True, slots=True)
class Vote:
    """One node's vote for one block, signed by the voter over :func:`vote_bytes`."""

    chain_id: str
    epoch: Int64
    height: Int64
    block_hash: Hex
    voter: str
    signature: Hex
    signed: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_ranges(self)
        signed = vote_bytes(self.chain_id, self.epoch, self.height, self.block_hash)
        object.__setattr__(self, "signed", signed)

    def __hash__(self) -> int:
        return hash((self.signature, self.voter))


@dataclass(frozen=True, slots=True, eq=False)
class Certificate:
    """A notarized block with its votes, and so on down the chain to genesis.

    Each shares its ancestors' certificates, so that a whole chain costs a leader no more than its
    last block; genesis has none. The votes are a quorum. Two are the same only if one object.
    """

    proposal: Proposal
    votes: tuple[Vote, ...]
    parent: "Certificate | None"

    def __reduce__(self) -> tuple[Any, ...]:
        # A long chain is too deep to copy at once: every so often a link has its ancestors at such
        # heights copied before it, the oldest first.
        before: list[Certificate] = []
        link = None if self.proposal.block.height % _STRETCH else self.parent
        while link is not None:
            if link.proposal.block.height % _STRETCH == 0:
                before.append(link)
            link = link.parent
        return _copied, (before[::-1], self.proposal, self.votes, self.parent)


def _copied(before: Sequence[Certificate], *fields: Any) -> Certificate:
    return Certificate(*fields)


Message = Proposal | Vote

# Their parts come from a block, which was checked when it was made, and from who signs.
_vote: Final = unchecked(Vote)


def sign_proposal(
    block: Block, proposer: str, keyring: Keyring, certificate: Certificate | None = None
) -> Proposal:
    """Return a proposal of a block with its proposer's signature."""
    signature = keyring.sign(to_text(proposer, "proposer"), proposal_bytes(block))
    return Proposal(block, proposer, signature, certificate)


def sign_vote(block: Block, voter: str, keyring: Keyring) -> Vote:
    """Return a vote for a block with its voter's signature."""
    signed = (block if type(block) is Block else to_instance(block, Block, "block")).ballot
    subject = block.chain_id, block.epoch, block.height, block.hash
    return _vote(*subject, voter, keyring.sign(voter, signed), signed)
