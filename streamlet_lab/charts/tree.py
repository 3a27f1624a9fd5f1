"""The block tree: which blocks become final, and what was forked off?"""

from collections.abc import Collection

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.ticker import MaxNLocator

from streamlet_lab.charts import layout, series, style
from streamlet_lab.charts.lanes import GENESIS_EPOCH, lanes
from streamlet_lab.result import Result

# With more blocks than this their votes cannot be read any more.
_MOST_WITH_VOTES = 40


def draw_block_tree(axes: Axes, run: Result, first: int = 0, last: int | None = None) -> None:
    """Which blocks become final? Every block at its epoch, forks beside the longest chain.

    A line leads to its parent. What is final is the observer's view; what is final at another
    honest node alone has a mark of its own, and where such views conflict, the line under the title
    says so.

    Parameters
    ----------
    first, last : int
        The epochs to show; all by default.

    """
    first, last = series.shown_epochs(run, first, last)
    blocks, faulty = run.frames["blocks"], list(run.config.faulty_nodes)
    elsewhere = _final_elsewhere(blocks, run.frames["finality"], faulty)
    reached = [blocks["finalized"], elsewhere, blocks["notarized"]]
    status = np.select(reached, ["final", "final elsewhere", "only notarized"], "not notarized")
    placed = blocks.assign(lane=lanes(blocks), status=status)
    shown = placed[placed["epoch"].between(first, last)]
    _draw_edges(axes, placed)
    size = 1.3 * layout.mark_size(last - first + 1)
    if first == 0:
        axes.plot(GENESIS_EPOCH, 0, label="genesis", markersize=size, **style.GENESIS)
    leader = np.where(shown["proposer"].isin(faulty), "faulty", "honest")
    for (reached_status, kind), look in style.BLOCKS.items():
        group = shown[(shown["status"] == reached_status) & (leader == kind)]
        if len(group):
            label = f"{reached_status}, {kind} leader ({len(group)})"
            axes.plot(group["epoch"], group["lane"], label=label, markersize=size, **look)
    if len(shown) <= _MOST_WITH_VOTES:
        _write_votes(axes, shown)
    silent = pd.Series(sorted({*range(first, last + 1)} - {*shown["epoch"]}), dtype="float64")
    layout.mark_along_bottom(axes, silent, "no proposal", style.MISSING)
    axes.set_xlim(first - (1.6 if first == 0 else 0.6), last + 0.6)
    axes.set_ylim(min([0, *shown["lane"]]) - 1, max([0, *shown["lane"]]) + 1)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_yticks([0], ["main\nchain"])
    axes.set_xlabel("Epoch")
    axes.set_ylabel("Forks")
    # Every final chain has one block of each height.
    conflict = not blocks.loc[blocks["finalized"] | elsewhere, "height"].is_unique
    answer = _answer(shown, len(silent), conflict=conflict)
    layout.explain(axes, "Which blocks become final?", answer)


def _final_elsewhere(
    blocks: pd.DataFrame, finality: pd.DataFrame, faulty: Collection[str]
) -> "pd.Series[bool]":
    """Return which blocks are final at an honest node, though not at the observer."""
    honest = finality["finalized_s"].notna() & ~finality["node"].isin(faulty)
    return blocks["block_hash"].isin(finality.loc[honest, "block_hash"]) & ~blocks["finalized"]


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
    # Below on the left no edge passes: they come in level, and leave to the right.
    for votes, epoch, lane in shown[["votes", "epoch", "lane"]].to_numpy().tolist():
        axes.annotate(f"{votes}", (epoch, lane), (-1, -6), **style.VOTES)
    layout.add_key(axes, "number: votes", style.VOTES_KEY)


def _answer(shown: pd.DataFrame, silent: int, *, conflict: bool) -> str:
    final, forked = (shown["status"] == "final").sum(), (shown["lane"] != 0).sum()
    parts = ["HONEST NODES DISAGREE about what is final"] if conflict else []
    parts.append(
        f"as the observer sees it, {final} of {len(shown)} proposed blocks are final, "
        f"forks hold {forked}"
    )
    several = (shown["epoch"].value_counts() > 1).sum()
    for count, what in ((silent, "no proposal"), (several, "several")):
        if count:
            parts.append(f"{count} epoch{'' if count == 1 else 's'} had {what}")
    return "; ".join(parts)
