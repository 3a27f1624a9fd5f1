"""What stays of a run as proof: notarized blocks with their votes, and public keys."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from numbers import Integral
from typing import Any

from streamlet_lab.consensus import (
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
from streamlet_lab.errors import InvalidInput


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
        # True would pass for epoch 1, and a column of a frame compares item by item.
        if isinstance(block, bool) or not isinstance(block, str | Integral):
            raise InvalidInput("block", type(block).__name__, "an epoch, or a hash as text")
        for final in self.tree.finalized[1:]:
            if block in (final.epoch, final.hash.hex()):
                return make_proof(self.tree, final)
        expected = "the epoch or the hash of a block that is final in this ledger, the observer's"
        raise InvalidInput("block", block, expected)

    def to_document(self) -> dict[str, Any]:
        """Return what is needed to make the same proofs again, JSON-ready."""
        genesis, *notarized = self.tree.notarized
        return {
            "chain_id": genesis.chain_id,
            "genesis": genesis.payload.decode(),
            "quorum": self.tree.quorum,
            "finality": asdict(self.tree.rule),
            "keys": None if self.keys is None else self.keys.to_document(),
            "blocks": [self._block_document(block) for block in notarized],
        }

    def _block_document(self, block: Block) -> dict[str, Any]:
        return {
            "epoch": block.epoch,
            "height": block.height,
            "parent": block.parent.hex(),
            "payload": block.payload.decode("latin-1"),
            "attachment": block.attachment.hex(),
            "votes": {vote.voter: vote.signature.hex() for vote in self.tree.votes(block.hash)},
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Ledger":
        """Read what :meth:`to_document` returned; what is not of that form raises some error."""
        chain_id = document["chain_id"]
        genesis = make_genesis(chain_id, document["genesis"].encode())
        tree = BlockTree(genesis, document["quorum"], FinalityRule(**document["finality"]))
        for item in document["blocks"]:
            block = Block(
                chain_id,
                item["epoch"],
                item["height"],
                bytes.fromhex(item["parent"]),
                item["payload"].encode("latin-1"),
                bytes.fromhex(item["attachment"]),
            )
            tree.add_block(block)
            vote = Vote(chain_id, block.epoch, block.height, block.hash, "", b"")
            for voter, signature in item["votes"].items():
                tree.add_vote(replace(vote, voter=voter, signature=bytes.fromhex(signature)))
        keys = document["keys"]
        return cls(tree, None if keys is None else PublicKeys.from_document(keys))
