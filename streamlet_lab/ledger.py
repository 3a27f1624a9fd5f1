"""What stays of a run as proof: notarized blocks with their votes, and public keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, ConfigDict, PlainSerializer, TypeAdapter

from streamlet_lab.consensus import (
    GENESIS_EPOCH,
    THREE_IN_A_ROW,
    Block,
    BlockTree,
    FinalityProof,
    FinalityRule,
    PublicKeys,
    Vote,
    make_genesis,
    make_proof,
)
from streamlet_lab.consensus.documents import GREATEST_INTEGER, Hex, Hex32, read_typed
from streamlet_lab.errors import InvalidInput
from streamlet_lab.units import to_whole
from streamlet_lab.values import Whole


@dataclass(frozen=True, slots=True)
class Ledger:
    """One node's block tree, with the keys that its votes are signed with.

    Where signatures were switched off there are no keys, and nothing can be proven to others.
    """

    tree: BlockTree
    keys: PublicKeys | None

    def proof(self, block: str | int) -> FinalityProof:
        """Return the proof that a block is final for this node, by its hash or its epoch."""
        if self.keys is None:
            raise InvalidInput("signatures", "none", "'ed25519': a proof is made of signatures")
        if self.tree.rule != THREE_IN_A_ROW:
            raise InvalidInput(
                "model", "synchronous", "a model in which three consecutive epochs finalize a block"
            )
        if not isinstance(block, str):
            block = to_whole(block, 0, "block", None, "an epoch, or a hash as text")
        for final in self.tree.finalized[1:]:
            if block in (final.epoch, final.hash.hex()):
                return make_proof(self.tree, final)
        expected = "the epoch or the hash of a block that is final in this ledger, the observer's"
        raise InvalidInput("block", block, expected)

    def to_document(self) -> dict[str, Any]:
        """Return what is needed to make the same proofs again, JSON-ready."""
        genesis, *notarized = self.tree.notarized
        written = _Written(
            genesis.chain_id,
            genesis.payload.decode(),
            self.tree.quorum,
            self.tree.rule,
            self.keys,
            tuple(map(self._write_block, notarized)),
        )
        document: dict[str, Any] = TypeAdapter(_Written).dump_python(written, mode="json")
        return document

    def _write_block(self, block: Block) -> "_WrittenBlock":
        votes = {vote.voter: vote.signature for vote in self.tree.votes(block.hash)}
        body = block.payload, block.attachment
        return _WrittenBlock(block.epoch, block.height, block.parent, *body, votes)

    @classmethod
    def from_document(cls, document: object) -> "Ledger":
        """Read what :meth:`to_document` returned.

        Raises
        ------
        InvalidInput
            If it is not exactly of that form, or has a block that its votes do not notarize.
        """
        written = read_typed(_Written, document, "ledger")
        chain_id = written.chain_id
        genesis = make_genesis(chain_id, written.genesis.encode())
        tree = BlockTree(genesis, written.quorum, written.finality)
        for each in written.blocks:
            body = each.payload, each.attachment
            block = Block(chain_id, each.epoch, each.height, each.parent, *body)
            tree.add_block(block)
            for voter, signature in each.votes.items():
                vote = Vote(chain_id, block.epoch, block.height, block.hash, voter, signature)
                tree.add_vote(vote)
            if tree.notarized[-1] is not block:
                expected = "that of a block which its votes notarize, after its parent"
                raise InvalidInput("ledger.blocks.epoch", block.epoch, expected)
        return cls(tree, written.keys)


def _read_payload(value: object) -> bytes:
    try:
        return value.encode("latin-1")  # type: ignore[attr-defined, no-any-return]
    except (AttributeError, ValueError):
        raise InvalidInput("payload", value, "a text of one character for each byte") from None


@dataclass(frozen=True, slots=True)
class _WrittenBlock:
    """A notarized block in a saved ledger, with the signatures of its voters by name."""

    epoch: Annotated[int, Whole(GENESIS_EPOCH + 1, GREATEST_INTEGER)]
    height: Annotated[int, Whole(1, GREATEST_INTEGER)]
    parent: Hex32
    payload: Annotated[
        bytes,
        BeforeValidator(_read_payload),
        PlainSerializer(lambda payload: payload.decode("latin-1")),
    ]
    attachment: Hex
    votes: Mapping[str, Hex]


@dataclass(frozen=True, slots=True)
class _Written:
    """A saved ledger."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    chain_id: str
    genesis: str
    quorum: Annotated[int, Whole(1, GREATEST_INTEGER)]
    finality: FinalityRule
    keys: (
        Annotated[
            PublicKeys,
            BeforeValidator(PublicKeys.from_document),
            PlainSerializer(PublicKeys.to_document),
        ]
        | None
    )
    blocks: tuple[_WrittenBlock, ...]
