"""Charts of blocks: the tree with its forks, and the two chains of a violation."""

from itertools import count
from math import inf
from textwrap import wrap
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.ticker import MaxNLocator

from streamlet_lab.charts import layout, series, style
from streamlet_lab.errors import InvalidInput
from streamlet_lab.result import Result

# Where the parent of the first blocks is drawn: before every epoch.
_GENESIS: Final = -1
# With more epochs than this their leaders cannot be read any more.
_MOST_LEADERS: Final = 30
# With more blocks than this their votes cannot be read any more.
_MOST_WITH_VOTES: Final = 40
_LINE: Final = 11  # points from one line of text to the next
_GAP: Final = 4  # points more between a block and its text
_LANE: Final = 50  # points from one chain to the other, half the way
_MARGIN: Final = 110  # points for headings, ticks and legend
_COLUMN: Final = 105  # points from one epoch to the next
# How many nodes a sentence names; more are counted.
_MOST_NAMES: Final = 4


def draw_block_tree(axes: Axes, run: Result, first: int = 0, last: int | None = None) -> None:
    """Which blocks become final? Every block at its epoch, forks beside the longest chain.

    A line leads to its parent. What is final is the observer's view; what is final at another
    honest node alone has a mark of its own, and where such views conflict, the line under the title
    says so. All epochs are shown unless `first` and `last` say which.
    """
    first, last = series.shown_epochs(run, first, last)
    blocks, finality = run.frames["blocks"], run.frames["finality"]
    faulty = list(run.config.faulty_nodes)
    honest = finality["finalized_s"].notna() & ~finality["node"].isin(faulty)
    seen = blocks["block_hash"].isin(finality.loc[honest, "block_hash"])
    elsewhere = seen & ~blocks["finalized"]
    reached = [blocks["finalized"], elsewhere, blocks["notarized"]]
    status = np.select(reached, ["final", "final elsewhere", "only notarized"], "not notarized")
    leader = np.where(blocks["proposer"].isin(faulty), "faulty", "honest")
    placed = blocks.assign(lane=lanes(blocks), status=status, leader=leader)
    shown = placed[placed["epoch"].between(first, last)]
    _draw_edges(axes, placed)
    size = 1.8 * layout.mark_size(last - first + 1)
    if first == 0:
        axes.plot(_GENESIS, 0, label="genesis", markersize=size, **style.GENESIS)
    for (fate, kind), look in style.BLOCKS.items():
        group = shown[(shown["status"] == fate) & (shown["leader"] == kind)]
        if len(group):
            label = f"{fate}, {kind} leader ({len(group)})"
            axes.plot(group["epoch"], group["lane"], label=label, markersize=size, **look)
    if len(shown) <= _MOST_WITH_VOTES:
        for votes, epoch, lane in shown[["votes", "epoch", "lane"]].to_numpy().tolist():
            axes.annotate(f"{votes}", (epoch, lane), (0, -0.9 * size), **style.VOTES)
    silent = pd.Series(sorted({*range(first, last + 1)} - {*shown["epoch"]}), dtype="float64")
    layout.mark_along_bottom(axes, silent, "no proposal", style.MISSING)
    axes.set_xlim(first - (1.6 if first == 0 else 0.6), last + 0.6)
    axes.set_ylim(min([0, *shown["lane"]]) - 1, max([0, *shown["lane"]]) + 1)
    axes.set_yticks([0], ["longest"])
    axes.set_ylabel("Chain")
    _label_epochs(axes, run, first, last, votes=len(shown) <= _MOST_WITH_VOTES)
    # Every final chain has one block of each height.
    conflict = not blocks.loc[blocks["finalized"] | elsewhere, "height"].is_unique
    answer = _answer(shown, len(silent), conflict=conflict)
    layout.explain(axes, "Which blocks become final?", answer)


def _label_epochs(axes: Axes, run: Result, first: int, last: int, *, votes: bool) -> None:
    """Write below each epoch who leads it, as long as there is room."""
    below = "; the number at a block: its votes" if votes else ""
    if last - first >= _MOST_LEADERS:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel(f"Epoch{below}")
        return
    epochs = range(first, last + 1)
    leaders = run.frames["epochs"]["leader"][first : last + 1]
    numbers = [run.config.node_ids.index(leader) for leader in leaders]
    labels = [f"{epoch}\n{number}" for epoch, number in zip(epochs, numbers, strict=True)]
    axes.set_xticks(epochs, labels)
    axes.set_xlabel(f"Epoch, and below it the number of the node that leads it{below}")


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
        return epochs.get(parent, _GENESIS), head != following[""], epochs[head]

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
    reach: dict[str, tuple[int, ...]] = {}
    following: dict[str, str] = {}
    # Epochs grow along a chain: backwards, every block comes after its descendants.
    ordered = blocks.sort_values("epoch", kind="stable").iloc[::-1]
    columns = ["block_hash", "height", "notarized", "finalized"]
    for block, height, notarized, finalized in ordered[columns].to_numpy().tolist():
        own = (height * finalized, height * notarized, height)
        further = reach.get(following.get(block, ""), own)
        reach[block] = tuple(map(max, own, further))
        rival = following.get(parents[block])
        if rival is None or reach[block] >= reach[rival]:
            following[parents[block]] = block
    return following


def _draw_edges(axes: Axes, placed: pd.DataFrame) -> None:
    """Draw lines to the parents; one to another lane gets there before the next epoch's blocks.

    Those between consecutive epochs are marked: of two in a row the block between them is final.
    """
    rows = placed[["block_hash", "parent_hash", "epoch", "lane", "notarized"]].to_numpy().tolist()
    places = {block: (epoch, lane, notarized) for block, _, epoch, lane, notarized in rows}
    edges, consecutive = [], []
    for _, parent, epoch, lane, notarized in rows:
        begin, home, before = places.get(parent, (_GENESIS, 0, True))
        edge = [(begin, home), (begin if home == lane else begin + 0.5, lane), (epoch, lane)]
        edges.append(edge)
        if before and notarized and epoch == begin + 1:
            consecutive.append(edge)
    axes.add_collection(LineCollection(edges, **style.PARENT), autolim=False)
    label = "consecutive epochs, both notarized"
    axes.add_collection(LineCollection(consecutive, label=label, **style.IN_A_ROW), autolim=False)


def _answer(shown: pd.DataFrame, silent: int, *, conflict: bool) -> str:
    final, forked = (shown["status"] == "final").sum(), (shown["lane"] != 0).sum()
    parts = ["HONEST NODES DISAGREE about what is final"] if conflict else []
    parts.append(
        f"as the observer sees it, {final} of {len(shown)} proposed blocks are final, "
        f"{forked} on a fork"
    )
    several = (shown["epoch"].value_counts() > 1).sum()
    for number, what in ((silent, "no proposal"), (several, "several")):
        if number:
            parts.append(f"{number} epoch{'' if number == 1 else 's'} had {what}")
    return "; ".join(parts)


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
    return max(9, columns * _COLUMN / layout.POINTS_PER_INCH), height / layout.POINTS_PER_INCH


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
    epochs = sorted({*blocks["epoch"], *([_GENESIS] if from_genesis else [])})
    placed["column"] = blocks["epoch"].map(epochs.index)
    _draw_chains(axes, placed, from_genesis=from_genesis)
    if from_genesis:
        axes.plot(0, 0, label="genesis", markersize=9, **style.GENESIS)
    final = placed["finalized_by"] != ""
    for label, group, look in (
        ("final at the nodes named", placed[final], style.FINAL),
        ("final nowhere", placed[~final], style.NOT_FINAL),
    ):
        axes.plot(group["column"], group["lane"], label=label, markersize=9, **look)
    for _, block in placed.iterrows():
        # What is known of a block stands away from the other chain.
        lines, above = _lines(block), block["lane"] >= 0
        for number, line in enumerate(lines):
            rows = len(lines) - number if above else -number - 1
            offset = (0, _LINE * rows + (_GAP if above else -_GAP))
            bold = block["lane"] != 0 and line in double
            look = style.DOUBLE_VOTER if bold else style.VOTER
            axes.annotate(line, (block["column"], block["lane"]), offset, **look)
    below, above = _rooms(blocks)
    axes.set_ylim(-1 - below / _LANE, 1 + above / _LANE)
    axes.set_xlim(-0.5, len(epochs) - 0.5)
    names = ["genesis" if epoch == _GENESIS else f"{epoch}" for epoch in epochs]
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


def _draw_chains(axes: Axes, placed: pd.DataFrame, *, from_genesis: bool) -> None:
    rows = placed[["block_hash", "parent_hash", "column", "lane"]].to_numpy().tolist()
    places = {block: (column, lane) for block, _, column, lane in rows}
    edges = []
    for _, parent, column, lane in rows:
        if parent in places or from_genesis:
            begin, home = places.get(parent, (0, 0))
            # The bend is beside the text of the parent, before that of the block.
            edges.append([(begin, home), (begin + 0.4, home), (begin + 0.6, lane), (column, lane)])
    axes.add_collection(LineCollection(edges, **style.PARENT), autolim=False)


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
