"""Portable finality proofs: that a block and its payload are final, from public keys alone.

The argument (Streamlet, section 3, Theorem 3). Three adjacent blocks of consecutive epochs, each
notarized, finalize the second of them with all its ancestors: fewer than a third of the nodes being
faulty, no block that conflicts with the second is ever notarized. A proof shows

- the headers from the block up to the third of such a triple, so the block is the second or an
  ancestor of it: each header's hash is the parent that the next one names;
- exactly a quorum of votes for each block of the triple. Genesis needs none: the verifier knows its
  hash. The first block needs no header of its own where the proof is about the second: its hash is
  the second's parent, its epoch and height are one less, and its votes sign all three.

The blocks before the triple need no votes: a quorum for the first contains an honest node, which
voted for it only after it had seen its parent's chain notarized. For the same reason the hash,
epoch and height that a quorum signed belong to a block that exists.

Everything in a proof is either recomputed or covered by a signature, and has one form only. All
that the verifier trusts is in :class:`PublicKeys`, the quorum included. To leave out leading
headers can at best prove that a later block with the very same payload is final, which it is;
:class:`VerifiedBlock` says which block was proven.

Examples
--------
A committee of one finalizes the block of epoch 0 in epoch 1, for genesis comes before epoch 0.

>>> from streamlet_lab.consensus import Block, BlockTree, make_genesis, sign_vote
>>> from streamlet_lab.keys import Ed25519Keyring
>>> keyring, genesis = Ed25519Keyring(["node_0"], seed=0), make_genesis("demo")
>>> second = Block("demo", 0, 1, genesis.hash, b"100.00")
>>> third = Block("demo", 1, 2, second.hash, b"100.25")
>>> tree = BlockTree(genesis, quorum=1)
>>> for block in second, third:
...     _ = tree.add_block(block), tree.add_vote(sign_vote(block, "node_0", keyring))
>>> keys = PublicKeys("demo", genesis.hash, 1, {"node_0": keyring.public_key("node_0")})
>>> verify_proof(make_proof(tree, second), keys).payload
b'100.00'
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, ClassVar, NamedTuple

from pydantic import BeforeValidator, FailFast, PlainSerializer

from streamlet_lab.consensus.blocktree import BlockTree
from streamlet_lab.consensus.documents import (
    GREATEST_INTEGER,
    Document,
    Hex,
    Hex32,
    Int64,
    read_hexadecimal,
)
from streamlet_lab.consensus.evidence import is_signed
from streamlet_lab.consensus.messages import GENESIS_EPOCH, Block, Vote, block_hash
from streamlet_lab.consensus.quorums import quorum
from streamlet_lab.errors import InvalidInput, StreamletLabError
from streamlet_lab.fixed import fixed
from streamlet_lab.units import to_flag, to_instance
from streamlet_lab.values import Whole, check_ranges


class ProofRejected(StreamletLabError):
    """A finality proof does not prove what it claims; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class PublicKeys(Document):
    """All that a verifier has to know and trust about a chain.

    Parameters
    ----------
    genesis : bytes
        Its hash.
    keys : mapping of str to bytes
        The raw 32 bytes of every node's Ed25519 public key, no two alike.

    Raises
    ------
    InvalidInput
        If the quorum is not between 1 and the number of nodes, or two nodes share a key, so that
        one signer would count twice.
    """

    FORMAT: ClassVar = "streamlet-lab keys 1"

    chain_id: str
    genesis: Hex32
    quorum: Int64
    keys: Mapping[str, Hex32]

    def __post_init__(self) -> None:
        check_ranges(self)
        if not isinstance(self.keys, Mapping):
            raise InvalidInput("keys", self.keys, "keys by the names of nodes")
        if not 1 <= self.quorum <= len(self.keys):
            raise InvalidInput("quorum", self.quorum, f"an integer from 1 to {len(self.keys)}")
        if len(set(self.keys.values())) < len(self.keys):
            raise InvalidInput("keys", list(self.keys), "a key of its own for every node")
        object.__setattr__(self, "keys", fixed({**self.keys}))

    def __repr__(self) -> str:
        return f"PublicKeys({self.chain_id!r}, {len(self.keys)} nodes, quorum {self.quorum})"


@dataclass(frozen=True, slots=True)
class Header:
    """What a block's hash is taken over, but for the chain id."""

    epoch: Annotated[int, Whole(GENESIS_EPOCH + 1, GREATEST_INTEGER)]
    height: Annotated[int, Whole(1, GREATEST_INTEGER)]
    parent: Hex32
    payload_hash: Hex32
    attachment_hash: Hex32

    def hash(self, chain_id: str) -> bytes:
        """Return the hash of the block."""
        hashes = self.parent, self.payload_hash, self.attachment_hash
        return block_hash(chain_id, self.epoch, self.height, *hashes)


class _Signature(NamedTuple):
    """A voter's signature over one block of the triple; in a document an object."""

    voter: str
    signature: Hex


def _read_signature(value: object) -> object:
    if not (isinstance(value, dict) and value.keys() == {"voter", "signature"}):
        raise InvalidInput("value", value, "an object of exactly a voter and a signature")
    return value


def _write_signature(pair: tuple[str, bytes]) -> dict[str, str]:
    return {"voter": pair[0], "signature": pair[1].hex()}


#: Voters with their signatures, in the order of the voters' names.
Signatures = Annotated[
    tuple[
        Annotated[_Signature, BeforeValidator(_read_signature), PlainSerializer(_write_signature)],
        ...,
    ],
    FailFast(),
]


def _write_payload(payload: bytes) -> str | dict[str, str]:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return {"hex": payload.hex()}


def _read_payload(value: object) -> bytes:
    try:
        match value:
            case str():
                return value.encode()
            case {"hex": digits} if _write_payload(payload := read_hexadecimal(digits)) == value:
                return payload
    except ValueError:
        pass
    raise InvalidInput("payload", value, "the text itself, or {'hex': …} for bytes that are none")


@dataclass(frozen=True, slots=True)
class FinalityProof(Document):
    """The claim that a block with this payload is final, with all that is needed to check it.

    The headers go from that block to the third of the triple that finalizes it; the votes are for
    the first, the second and the third block of the triple. In a document the payload is the text
    itself, or ``{"hex": …}`` where it is not valid UTF-8.
    """

    FORMAT: ClassVar = "streamlet-lab finality proof 1"

    chain_id: str
    payload: Annotated[bytes, BeforeValidator(_read_payload), PlainSerializer(_write_payload)]
    headers: Annotated[tuple[Header, ...], FailFast()]
    votes: tuple[Signatures, Signatures, Signatures]

    def __repr__(self) -> str:
        # What a document claims need not have a header.
        places = [f"epoch {header.epoch}, height {header.height}, " for header in self.headers[:1]]
        counts = " + ".join(f"{len(signatures)}" for signatures in self.votes)
        return f"FinalityProof({''.join(places)}{counts} votes)"


@dataclass(frozen=True, slots=True)
class VerifiedBlock:
    """A block that is final, with its payload, as :func:`verify_proof` found out.

    Read its epoch and height, since a later block may carry the very same payload.
    """

    epoch: int
    height: int
    block_hash: bytes
    payload: bytes


def make_proof(tree: BlockTree, block: Block) -> FinalityProof:
    """Return the shortest proof that a block is final in a view.

    Parameters
    ----------
    tree : BlockTree
        A view that finalizes by the rule of section 3, three consecutive epochs.
    block : Block
        From its finalized chain.

    Raises
    ------
    InvalidInput
        If the block is genesis, which needs no proof, or is not final by that rule in this view.
    """
    to_instance(tree, BlockTree, "tree")
    if to_instance(block, Block, "block").height == 0:
        expected = "a block after genesis, which is always final"
        raise InvalidInput("block", block.hash.hex(), expected)
    chain, (first, second, third) = _find_triple(tree, block)
    return FinalityProof(
        chain_id=block.chain_id,
        payload=block.payload,
        headers=tuple(map(_header_of, chain)),
        votes=(_pick_votes(tree, first), _pick_votes(tree, second), _pick_votes(tree, third)),
    )


def verify_proof(
    proof: FinalityProof, keys: PublicKeys, *, allow_unsafe_quorum: bool = False
) -> VerifiedBlock:
    """Check a finality proof with nothing but public keys.

    Parameters
    ----------
    proof : FinalityProof
        From anyone; nothing in it is believed.
    keys : PublicKeys
        From someone whom the verifier trusts.
    allow_unsafe_quorum : bool
        Accept a quorum below ⌈2n/3⌉, with which Theorem 3 promises nothing: for the study of
        variants.

    Raises
    ------
    ProofRejected
        If anything is wrong, with what is.
    """
    to_instance(proof, FinalityProof, "proof")
    nodes = len(to_instance(keys, PublicKeys, "keys").keys)
    if not to_flag(allow_unsafe_quorum, "allow_unsafe_quorum") and keys.quorum < quorum(nodes):
        raise ProofRejected(
            f"the quorum of the keys, {keys.quorum} of {nodes} nodes, is unsafe: "
            f"finality needs {quorum(nodes)}"
        )
    if proof.chain_id != keys.chain_id:
        raise ProofRejected(
            f"the proof is about chain {proof.chain_id!r}, the keys are those of {keys.chain_id!r}"
        )
    hashes = _check_chain(proof, keys.genesis)
    _check_triple(proof, hashes[-1], keys)
    block = proof.headers[0]
    return VerifiedBlock(block.epoch, block.height, hashes[0], proof.payload)


def _find_triple(tree: BlockTree, block: Block) -> tuple[list[Block], tuple[Block, Block, Block]]:
    """The lowest triple that finalizes a block, and the chain from the block to its third."""
    if tree.finalized[block.height : block.height + 1] == [block]:
        thirds = {(third.parent, third.epoch): third for third in tree.notarized}
        for first, second in pairwise(tree.finalized[block.height - 1 :]):
            third = thirds.get((second.hash, second.epoch + 1))
            if third is not None and first.epoch + 1 == second.epoch:
                chain = [*tree.finalized[block.height : second.height + 1], third]
                return chain, (first, second, third)
    raise InvalidInput("block", block.hash.hex(), "a block that three consecutive epochs finalized")


def _header_of(block: Block) -> Header:
    return Header(
        block.epoch,
        block.height,
        block.parent,
        hashlib.sha256(block.payload).digest(),
        hashlib.sha256(block.attachment).digest(),
    )


def _pick_votes(tree: BlockTree, block: Block) -> Signatures:
    """Exactly a quorum of the votes for a block; none for genesis."""
    votes = sorted(tree.votes(block.hash), key=lambda vote: vote.voter)[: tree.quorum]
    return tuple(_Signature(vote.voter, vote.signature) for vote in votes)


def _check_chain(proof: FinalityProof, genesis_hash: bytes) -> list[bytes]:
    """Check payload, links, heights and epochs; return the hashes of the headers."""
    headers = proof.headers
    if len(headers) < 2:
        raise ProofRejected(f"{len(headers)} headers cannot reach from a block to a third block")
    if hashlib.sha256(proof.payload).digest() != headers[0].payload_hash:
        raise ProofRejected("the payload is not the one in the block's header")
    if headers[0].height == 1 and headers[0].parent != genesis_hash:
        raise ProofRejected("the block of height 1 does not stand on the genesis of the keys")
    hashes = [header.hash(proof.chain_id) for header in headers]
    for parent_hash, (parent, child) in zip(hashes[:-1], pairwise(headers), strict=True):
        if child.parent != parent_hash or child.height != parent.height + 1:
            raise ProofRejected(f"the header of height {child.height} does not follow its parent")
        if child.epoch <= parent.epoch:
            raise ProofRejected(
                f"the epoch of height {child.height} is not later than its parent's"
            )
    return hashes


def _check_triple(proof: FinalityProof, third_hash: bytes, keys: PublicKeys) -> None:
    """Check that the last two headers and the block below them finalize the second."""
    for parent, child in pairwise(proof.headers[-3:]):
        if child.epoch != parent.epoch + 1:
            raise ProofRejected(f"epochs {parent.epoch} and {child.epoch} are not consecutive")
    second, third = proof.headers[-2:]
    first_subject = (second.epoch - 1, second.height - 1, second.parent)
    if second.height > 1:
        _check_votes("first", proof.votes[0], first_subject, keys)
    elif second.epoch - 1 != GENESIS_EPOCH:
        raise ProofRejected(f"genesis and epoch {second.epoch} are not consecutive")
    elif proof.votes[0]:
        raise ProofRejected("the first block is genesis, for which nobody votes")
    _check_votes("second", proof.votes[1], (second.epoch, second.height, third.parent), keys)
    _check_votes("third", proof.votes[2], (third.epoch, third.height, third_hash), keys)


def _check_votes(
    name: str, signatures: Signatures, subject: tuple[int, int, bytes], keys: PublicKeys
) -> None:
    """Check that exactly a quorum of nodes signed a block's epoch, height and hash."""
    voters = [voter for voter, _ in signatures]
    if voters != sorted(set(voters)):
        raise ProofRejected(f"the voters for the {name} block are not in order, each once")
    if len(voters) != keys.quorum:
        raise ProofRejected(
            f"{len(voters)} votes for the {name} block, where exactly {keys.quorum} are needed"
        )
    for voter, signature in signatures:
        vote = Vote(keys.chain_id, *subject, voter, signature)
        if not is_signed(vote, keys.keys):
            raise ProofRejected(f"{voter!r} did not sign the vote for the {name} block")
