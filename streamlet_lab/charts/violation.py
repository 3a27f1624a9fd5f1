"""The picture of a violation: two chains that conflict, from their last common block on."""

from textwrap import wrap
from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from streamlet_lab.charts import layout, style
from streamlet_lab.charts.tree import GENESIS_EPOCH
from streamlet_lab.errors import InvalidInput
from streamlet_lab.result import Result

_LINE: Final = 11  # points from one line of text to the next
_GAP: Final = 4  # points more between a block and its text
_LANE: Final = 50  # points from one chain to the other, half the way
_MARGIN: Final = 110  # points for headings, ticks and legend
_COLUMN: Final = 105  # points from one epoch to the next
_POINTS_PER_INCH: Final = 72
# How many nodes a sentence names; more are counted.
_MOST_NAMES: Final = 4


def branches(blocks: pd.DataFrame) -> "pd.Series[int]":
    """Return for every block whether it is on the first chain (1), the second (−1) or both (0)."""
    parents = dict(zip(blocks["block_hash"], blocks["parent_hash"], strict=True))
    tips = [block for block in parents if block not in parents.values()]
    if len(tips) != 2:
        expected = "two chains; without a violation there are none"
        raise InvalidInput("violation", f"{len(tips)} chains", expected)
    side = dict.fromkeys(parents, 0)
    for block, sign in zip(tips, (1, -1), strict=True):
        while block in parents:
            side[block] += sign
            block = parents[block]
    return blocks["block_hash"].map(side)


def violation_size(run: Result) -> tuple[float, float]:
    """Return the width and height in inches that the picture of a run's violation needs."""
    blocks = run.frames["violation"]
    columns = blocks["epoch"].nunique() + 1
    height = 2 * _LANE + sum(_rooms(blocks)) + _MARGIN
    return max(9, columns * _COLUMN / _POINTS_PER_INCH), height / _POINTS_PER_INCH


def draw_violation(axes: Axes, run: Result) -> None:
    """Which two chains conflict, and who voted on both? The blocks where they part.

    With who voted for each block and who finalized it.
    """
    blocks = run.frames["violation"]
    placed = blocks.assign(lane=branches(blocks))
    chains = [placed[placed["lane"] == sign] for sign in (1, -1)]
    upper, lower = (_names(chain["voters"]) for chain in chains)
    double = [name for name in upper if name in lower]
    # Where the last common block has no row, it is genesis.
    from_genesis = (~blocks["parent_hash"].isin(blocks["block_hash"])).sum() == 2
    epochs = sorted({*blocks["epoch"], *([GENESIS_EPOCH] if from_genesis else [])})
    placed["column"] = blocks["epoch"].map(epochs.index)
    _draw_edges(axes, placed, from_genesis=from_genesis)
    if from_genesis:
        axes.plot(0, 0, label="genesis", markersize=9, **style.GENESIS)
    final = placed["finalized_by"] != ""
    for label, group, look in (
        ("final at the nodes named", placed[final], style.FINAL),
        ("final nowhere", placed[~final], style.NOT_FINAL),
    ):
        axes.plot(group["column"], group["lane"], label=label, markersize=9, **look)
    for _, block in placed.iterrows():
        _describe(axes, block, double)
    below, above = _rooms(blocks)
    axes.set_ylim(-1 - below / _LANE, 1 + above / _LANE)
    axes.set_xlim(-0.5, len(epochs) - 0.5)
    names = ["genesis" if epoch == GENESIS_EPOCH else f"{epoch}" for epoch in epochs]
    axes.set_xticks(range(len(epochs)), names)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("Epoch (only those with a block of the two chains)")
    upper, lower = (_names(chain["finalized_by"]) for chain in chains)
    answer = (
        f"upper chain final at {_listed(upper)}, lower at {_listed(lower)}; "
        f"votes on both (bold): {_listed(double)}"
    )
    layout.explain(axes, "Which two chains conflict, and who voted on both?", answer)


def _draw_edges(axes: Axes, placed: pd.DataFrame, *, from_genesis: bool) -> None:
    rows = placed[["block_hash", "parent_hash", "column", "lane"]].to_numpy().tolist()
    places = {block: (column, lane) for block, _, column, lane in rows}
    edges = []
    for _, parent, column, lane in rows:
        if parent in places or from_genesis:
            begin, home = places.get(parent, (0, 0))
            # The bend is beside the text of the parent, before that of the block.
            edges.append([(begin, home), (begin + 0.4, home), (begin + 0.6, lane), (column, lane)])
    axes.add_collection(LineCollection(edges, **style.PARENT), autolim=False)


def _describe(axes: Axes, block: "pd.Series[Any]", double: list[str]) -> None:
    """Write what is known of a block away from the other chain."""
    lines, above = _lines(block), block["lane"] >= 0
    for number, line in enumerate(lines):
        rows = len(lines) - number if above else -number - 1
        bold = block["lane"] != 0 and line in double
        offset = (0, _LINE * rows + (_GAP if above else -_GAP))
        look = style.DOUBLE_VOTER if bold else style.VOTER
        axes.annotate(line, (block["column"], block["lane"]), offset, **look)


def _lines(block: "pd.Series[Any]") -> list[str]:
    final = wrap(f"final at {block['finalized_by']}", 20) if block["finalized_by"] else []
    voters = block["voters"].split()
    return [f"epoch {block['epoch']}, by {block['proposer']}", *final, "votes:", *voters]


def _rooms(blocks: pd.DataFrame) -> tuple[float, float]:
    """Return the points that the longest texts need below the lower chain and above the upper."""
    needed = pd.Series([_LINE * (len(_lines(row)) + 1) for _, row in blocks.iterrows()])
    below = (branches(blocks) == -1).to_numpy()
    return needed[below].max(), needed[~below].max()


def _names(texts: "pd.Series[str]") -> list[str]:
    """Return every name in these texts once, in order."""
    return list(dict.fromkeys(" ".join(texts).split()))


def _listed(names: list[str]) -> str:
    return f"{len(names)} nodes" if len(names) > _MOST_NAMES else ", ".join(names) or "no node"
