"""A block tree to look at: what one node sees, for those who must not change it."""

from collections.abc import Iterator

from streamlet_lab.consensus.blocktree import BlockTree
from streamlet_lab.consensus.messages import Block, Vote


class TreeView:
    """The reading half of a :class:`BlockTree`; lists are copies.

    Parameters
    ----------
    tree : BlockTree
    """

    __slots__ = ("_tree",)

    def __init__(self, tree: BlockTree) -> None:
        self._tree = tree

    @property
    def longest(self) -> tuple[Block, ...]:
        """The tips of the longest notarized chains."""
        return tuple(self._tree.longest)

    @property
    def notarized(self) -> tuple[Block, ...]:
        """Blocks at the end of a notarized chain, in the order in which this view saw it."""
        return tuple(self._tree.notarized)

    @property
    def finalized(self) -> tuple[Block, ...]:
        """The finalized chain from genesis on."""
        return tuple(self._tree.finalized)

    def __contains__(self, block_hash: bytes) -> bool:
        """Whether the block and all its ancestors are here."""
        return block_hash in self._tree

    def __getitem__(self, block_hash: bytes) -> Block:
        return self._tree[block_hash]

    def blocks(self) -> list[Block]:
        """Return all blocks whose ancestry is known, in order of arrival; genesis first."""
        return self._tree.blocks()

    def votes(self, block_hash: bytes) -> list[Vote]:
        """Return the votes for a block whose ancestry is known, in order of arrival."""
        return self._tree.votes(block_hash)

    def is_notarized(self, block_hash: bytes) -> bool:
        """Whether the block ends a notarized chain."""
        return self._tree.is_notarized(block_hash)

    def chain(self, block_hash: bytes) -> Iterator[Block]:
        """Walk from a block down to genesis, the block itself first."""
        return self._tree.chain(block_hash)
