"""Where the blocks of a tree are drawn, so that forks lie beside the chain that they left."""

from itertools import count
from math import inf
from typing import Final

import pandas as pd

#: Where the parent of the first blocks is drawn: before every epoch.
GENESIS_EPOCH: Final = -1


def lanes(blocks: pd.DataFrame) -> "pd.Series[int]":
    """Return the lane of every block: 0 for the longest final chain, others for its forks.

    Lane 0 follows the finalized chain and goes on along the longest notarized one, to a tip. What
    leaves a chain gets the nearest lane that is free from its parent's epoch to its own last one,
    above before below; so no two blocks share a place, and no two edges of a lane overlap. A parent
    without a row is genesis.

    Examples
    --------
    >>> tree = pd.DataFrame({"block_hash": ["a", "b", "c"], "parent_hash": ["", "a", "a"]})
    >>> lanes(tree.assign(epoch=[0, 1, 2], height=[1, 2, 2], notarized=True, finalized=False))
    0    0
    1    0
    2    1
    dtype: int64
    """
    epochs = dict(zip(blocks["block_hash"], blocks["epoch"], strict=True))
    parents = dict(zip(blocks["block_hash"], blocks["parent_hash"], strict=True))
    parents = {block: parent if parent in epochs else "" for block, parent in parents.items()}
    following = _following(blocks, parents)

    def start(head: str) -> tuple[int, bool, int]:
        """Sort the main chain first, then by where a fork leaves and when it begins."""
        parent = parents[head]
        return epochs.get(parent, GENESIS_EPOCH), head != following[""], epochs[head]

    heads = [block for block, parent in parents.items() if following[parent] != block]
    heads += [following[""]] if following else []
    lane: dict[str, int] = {}
    used: dict[int, float] = {}
    for head in sorted(heads, key=start):
        left, home = start(head)[0], lane.get(parents[head], 0)
        nearest = (home + sign * distance for distance in count() for sign in (1, -1))
        free = next(place for place in nearest if used.get(place, -inf) < left)
        block = head
        lane[block] = free
        while block in following:
            block = following[block]
            lane[block] = free
        used[free] = epochs[block] if used else inf
    return pd.Series([lane[block] for block in blocks["block_hash"]], blocks.index, dtype="int64")


def _following(blocks: pd.DataFrame, parents: dict[str, str]) -> dict[str, str]:
    """Return for every parent the child that leads furthest: finalized, notarized, any height."""
    reach: dict[str, tuple[int, int, int]] = {}
    following: dict[str, str] = {}
    # Epochs grow along a chain: backwards, every block comes after its descendants.
    ordered = blocks.sort_values("epoch", kind="stable").iloc[::-1]
    columns = ["block_hash", "height", "notarized", "finalized"]
    for block, height, notarized, finalized in ordered[columns].to_numpy().tolist():
        own = (height * finalized, height * notarized, height)
        further = reach.get(following.get(block, ""), own)
        reach[block] = (max(own[0], further[0]), max(own[1], further[1]), max(own[2], further[2]))
        rival = following.get(parents[block])
        if rival is None or reach[block] >= reach[rival]:
            following[parents[block]] = block
    return following
