"""Charts of votes: when does each node have a quorum, and what does a final block wait for?"""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from streamlet_lab.charts import layout, style
from streamlet_lab.charts.traffic import Clock, draw_arrivals, label_clock, label_nodes, trace_of
from streamlet_lab.config.market_config import OBSERVER
from streamlet_lab.result import Result
from streamlet_lab.units import to_name, to_seconds, to_whole

_MS: Final = 1_000
# How high the stairs of all votes are above a node's line; rows are 1 apart.
_STAIRS: Final = 0.62
# Room after the last vote, as a share of the time shown.
_ROOM: Final = 1.12
# The same where the names of voters stand there.
_BESIDE: Final = 1.35
# Before and after an epoch, and the one whose block is looked at: three in a row.
_THREE: Final = 3


def votes_heard(run: Result, epoch: int) -> pd.DataFrame:
    """Return when each node, and the observer, knew of each vote of an epoch: in order of time.

    With columns ``node``, ``author``, ``voted_s``, ``known_s`` and ``number``, which counts the
    votes at a node. A node knows its own vote at once. Of several blocks it is the one with most
    votes.
    """
    trace = trace_of(run)
    votes = trace[(trace["epoch"] == epoch) & (trace["kind"] == "vote")]
    if len(votes):
        votes = votes[votes["block_hash"] == votes["block_hash"].mode()[0]]
    first = votes[votes["sender"] == votes["author"]].groupby("author")["sent_s"].min()
    own = pd.DataFrame({"node": first.index, "author": first.index, "known_s": first.to_numpy()})
    others = votes.rename(columns={"receiver": "node", "received_s": "known_s"})
    known = pd.concat([own, others[["node", "author", "known_s"]]], ignore_index=True)
    known = known.assign(voted_s=known["author"].map(first))
    known = known.sort_values(["known_s", "voted_s"], kind="stable", ignore_index=True)
    return known.assign(number=known.groupby("node").cumcount() + 1)


def draw_votes(axes: Axes, run: Result, epoch: int = 1) -> None:
    """When does each node have a quorum? One epoch: messages, and the votes that each node has.

    Above the line of a node its votes are counted as they come; where the stairs reach the dashed
    line, the block is notarized. The run has to be one with ``trace=True``.
    """
    to_whole(epoch, 0, "epoch", run.config.epochs - 1)
    trace, nodes, quorum = trace_of(run), run.config.node_ids, run.config.votes_needed
    begin = epoch * to_seconds(run.config.epoch_length)
    rows = {node: row for row, node in enumerate(nodes)}
    among = trace["sender"].isin(rows) & trace["receiver"].isin(rows)
    shown = trace[among & (trace["epoch"] == epoch)]
    heard = votes_heard(run, epoch)
    ends = pd.concat([shown["received_s"], heard["known_s"]]) - begin
    right = _MS * _ROOM * ends.max() if len(ends) else _MS * to_seconds(run.config.epoch_length)
    for number, (node, row) in enumerate(rows.items()):
        own = heard[heard["node"] == node]
        known = [0, *_MS * (own["known_s"] - begin), right]
        tops = row - _STAIRS * pd.Series([0, *own["number"], len(own)]) / len(nodes)
        label = None if number else "votes that a node has"
        axes.fill_between(known, row, tops, step="post", label=label, **style.VOTES_HELD)
    levels = np.arange(len(nodes)) - _STAIRS * quorum / len(nodes)
    axes.hlines(levels, 0, right, label=f"quorum: {quorum} votes", **style.QUORUM)
    axes.hlines([*rows.values()], 0, right, **style.NODE)
    draw_arrivals(axes, shown.assign(letter=""), rows, lambda times: _MS * (times - begin))
    leader = run.frames["epochs"]["leader"][epoch]
    axes.plot(0, rows[leader], label="leader of the epoch", **style.LEADER)
    full = heard[(heard["number"] == quorum) & heard["node"].isin(rows)]
    times = _MS * (full["known_s"].to_numpy(dtype=float) - begin)
    reached = levels[[rows[node] for node in full["node"]]]
    axes.plot(times, reached, label=f"block notarized ({len(full)})", **style.REACHED)
    for time, level in zip(times, reached, strict=True):
        axes.annotate(f"{time:.0f} ms", (time, level), (6, 8), **style.BESIDE)
    label_nodes(axes, run)
    axes.set_xlim(-0.01 * right, right)
    axes.set_xlabel(f"Time since the beginning of epoch {epoch} (ms)")
    answer = f"epoch {epoch}: no node has a quorum of {quorum} votes"
    if len(full):
        answer = (
            f"epoch {epoch}: {len(full)} of {len(nodes)} nodes have {quorum} of {len(nodes)} "
            f"votes after {times.min():.0f} to {times.max():.0f} ms"
        )
    layout.explain(axes, "When does each node have a quorum?", answer)


def draw_finality(axes: Axes, run: Result, first: int = 0, node: str = OBSERVER) -> None:
    """What does a final block wait for? Three epochs, as one node or the observer sees them.

    The votes of an epoch are ordered by arrival: each is as late as its voter heard of the
    proposal, and then as its own way takes. The last one that the quorum needs notarizes the block.
    The block of the second epoch is final when that of the third is notarized. The run has to be
    one with ``trace=True``.
    """
    to_whole(first, 0, "first", run.config.epochs - _THREE)
    to_name(node, (*run.config.node_ids, OBSERVER), "node")
    quorum, epoch_s = run.config.votes_needed, to_seconds(run.config.epoch_length)
    last = first + _THREE - 1
    heard = {epoch: votes_heard(run, epoch) for epoch in range(first, last + 1)}
    votes = pd.concat(heard, names=["epoch"]).reset_index("epoch").query("node == @node")
    latest = (votes["known_s"] - votes["epoch"] * epoch_s).max()
    clock = Clock(epoch_s, min(_BESIDE * latest, epoch_s) if len(votes) else epoch_s)
    full = votes[votes["number"] == quorum]
    _draw_ways(axes, votes, clock)
    label = f"quorum: vote {quorum} of {run.config.nodes} notarizes the block"
    axes.vlines(clock.place(full["known_s"]), 0.5, quorum + 0.5, label=label, **style.REACHED_AT)
    axes.set_yticks(range(1, run.config.nodes + 1))
    axes.set_ylim(run.config.nodes + 1.6, 0.4)
    axes.grid(visible=False)
    axes.set_ylabel(f"Votes, in the order in which\n{node} knows them")
    answer = f"the block of epoch {first + 1} is not final by these three epochs"
    if len(full) == _THREE:
        wait = full["known_s"].iloc[-1] - last * epoch_s
        ends = (first + 1) * clock.shown_s, clock.place(full["known_s"]).iloc[-1]
        row = run.config.nodes + 0.8
        axes.annotate("", (ends[0], row), (ends[1], row), arrowprops={**style.SPAN})
        whole = f"{epoch_s:g} s + {wait:.3f} s = {epoch_s + wait:.3f} s"
        text = f"latency of the block of epoch {first + 1}: {whole}"
        axes.annotate(text, (ends[0], row), (6, -10), **style.BESIDE)
        answer = (
            f"the block of epoch {first + 1} is final {epoch_s + wait:.3f} s after its epoch "
            f"began: an epoch, and {wait:.3f} s until vote {quorum} of the next"
        )
    label_clock(axes, clock, first, last)
    layout.explain(axes, "What does a final block wait for?", answer)


def _draw_ways(axes: Axes, votes: pd.DataFrame, clock: Clock) -> None:
    """Draw each vote as two bars: the proposal's way to its voter, and its own way."""
    begin, rows = votes["epoch"] * clock.shown_s, votes["number"]
    voted, known = clock.place(votes["voted_s"]), clock.place(votes["known_s"])
    for left, right, label, look in (
        (begin, voted, "the proposal on its way to the voter", style.PROPOSAL_WAY),
        (voted, known, "the vote on its way from there", style.VOTE_WAY),
    ):
        axes.barh(rows, right - left, left=left, height=0.5, label=label, **look)
    # In one column, right of the last vote of an epoch, no line crosses the names.
    beside = known.groupby(votes["epoch"]).transform("max")
    for time, row, author in zip(beside, rows, votes["author"], strict=True):
        axes.annotate(author, (time, row), (5, 0), **style.BESIDE)
