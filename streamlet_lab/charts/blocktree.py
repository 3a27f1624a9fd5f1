"""The block tree: which blocks become final, and what was forked off?"""

from collections.abc import Collection

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.ticker import MaxNLocator

from streamlet_lab.charts import style
from streamlet_lab.charts.lanes import GENESIS_EPOCH, lanes
from streamlet_lab.charts.layout import (
    add_key,
    head,
    legend_below,
    mark_along_bottom,
    mark_size,
)

# With more blocks than this their votes cannot be read any more.
_MOST_WITH_VOTES = 40


def draw_block_tree(
    axes: Axes,
    blocks: pd.DataFrame,
    faulty: Collection[str] = (),
    first: int = 0,
    last: int | None = None,
    *,
    finality: pd.DataFrame | None = None,
) -> None:
    """Draw every block at its epoch with a line to its parent, each fork on a lane of its own.

    What is final is the observer's view. What is final at another honest node alone has a mark of
    its own, and where such views conflict, the line under the title says so.

    Parameters
    ----------
    axes : Axes
        Drawn on, from empty.
    blocks : DataFrame
        See :data:`~streamlet_lab.columns.COLUMNS`: hashes, ``epoch``, ``height``, ``proposer``,
        ``votes``, ``notarized`` and ``finalized``. A parent without a row is genesis.
    faulty : collection of str
        Nodes with a fault at any time; their blocks have a shape of their own.
    first, last : int
        The epochs to show; the last one with a block by default.
    finality : DataFrame, optional
        ``node``, ``block_hash`` and ``finalized_s``: when each node sees each block final.
    """
    last = max(blocks["epoch"], default=first) if last is None else last
    elsewhere = _final_elsewhere(blocks, faulty, finality)
    placed = blocks.assign(lane=lanes(blocks), status=_status(blocks, elsewhere))
    shown = placed[placed["epoch"].between(first, last)]
    _draw_edges(axes, placed)
    size = 1.3 * mark_size(last - first + 1)
    if first == 0:
        axes.plot(GENESIS_EPOCH, 0, label="genesis", markersize=size, **style.GENESIS)
    leader = np.where(shown["proposer"].isin(list(faulty)), "faulty", "honest")
    for (status, kind), look in style.BLOCKS.items():
        group = shown[(shown["status"] == status) & (leader == kind)]
        if len(group):
            label = f"{status}, {kind} leader ({len(group)})"
            axes.plot(group["epoch"], group["lane"], label=label, markersize=size, **look)
    if len(shown) <= _MOST_WITH_VOTES:
        _write_votes(axes, shown)
    silent = pd.Series(sorted({*range(first, last + 1)} - {*shown["epoch"]}), dtype="float64")
    mark_along_bottom(axes, silent, "no proposal", style.MISSING)
    axes.set_xlim(first - (1.6 if first == 0 else 0.6), last + 0.6)
    axes.set_ylim(min([0, *shown["lane"]]) - 1, max([0, *shown["lane"]]) + 1)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_yticks([0], ["main\nchain"])
    axes.set_xlabel("Epoch")
    axes.set_ylabel("Forks")
    legend_below(axes)
    # Every final chain has one block of each height.
    conflict = not blocks.loc[blocks["finalized"] | elsewhere, "height"].is_unique
    head(axes, "Which blocks become final?", _answer(shown, len(silent), conflict=conflict))


def _final_elsewhere(
    blocks: pd.DataFrame, faulty: Collection[str], finality: pd.DataFrame | None
) -> "pd.Series[bool]":
    """Return which blocks are final at an honest node, though not at the observer."""
    if finality is None:
        return pd.Series(data=False, index=blocks.index)
    honest = finality["finalized_s"].notna() & ~finality["node"].isin(list(faulty))
    return blocks["block_hash"].isin(finality.loc[honest, "block_hash"]) & ~blocks["finalized"]


def _status(blocks: pd.DataFrame, elsewhere: "pd.Series[bool]") -> "pd.Series[str]":
    reached = [blocks["finalized"], elsewhere, blocks["notarized"]]
    names = np.select(reached, ["final", "final elsewhere", "only notarized"], "not notarized")
    return pd.Series(names, blocks.index)


def _draw_edges(axes: Axes, placed: pd.DataFrame) -> None:
    """Draw lines to the parents; one to another lane gets there before the next epoch's blocks."""
    rows = placed[["block_hash", "parent_hash", "epoch", "lane"]].to_numpy().tolist()
    places = {block: (epoch, lane) for block, _, epoch, lane in rows}
    edges = []
    for _, parent, epoch, lane in rows:
        begin, home = places.get(parent, (GENESIS_EPOCH, 0))
        turn = begin if home == lane else begin + 0.5
        edges.append([(begin, home), (turn, lane), (epoch, lane)])
    axes.add_collection(LineCollection(edges, **style.PARENT), autolim=False)


def _write_votes(axes: Axes, shown: pd.DataFrame) -> None:
    for votes, epoch, lane in shown[["votes", "epoch", "lane"]].to_numpy().tolist():
        # Below on the left no edge passes: they come in level, and leave to the right.
        axes.annotate(
            f"{votes}",
            (epoch, lane),
            (-1, -6),
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize="x-small",
            color=style.GREY,
        )
    add_key(axes, "number: votes", style.VOTES)


def _answer(shown: pd.DataFrame, silent: int, *, conflict: bool) -> str:
    counts = shown["status"].value_counts()
    proposals = shown["epoch"].value_counts()
    final, forked = counts.get("final", 0), (shown["lane"] != 0).sum()
    parts = ["HONEST NODES DISAGREE about what is final"] if conflict else []
    parts.append(
        f"as the observer sees it, {final} of {len(shown)} proposed blocks are final, "
        f"forks hold {forked}"
    )
    for count, what in ((silent, "no proposal"), ((proposals > 1).sum(), "several")):
        if count:
            parts.append(f"{count} epoch{'' if count == 1 else 's'} had {what}")
    return "; ".join(parts)
