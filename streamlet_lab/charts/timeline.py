"""The timeline: a space-time diagram of messages."""

from math import ceil
from string import ascii_uppercase
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.ticker import MaxNLocator

from streamlet_lab.charts import layout, series, style
from streamlet_lab.errors import InvalidInput
from streamlet_lab.result import Result
from streamlet_lab.units import MICROSECONDS_PER_SECOND, to_seconds

# Room after the last arrival, before the quiet end of an epoch is left out.
_ROOM: Final = 1.15
# How many instants have room for their numbers below the axis.
_MOST_TICKS: Final = 12
# With more lines than this their letters cannot be read any more.
_MOST_LETTERS: Final = 60
# Where along a line its letter stands; a vote may go the way of a proposal.
_LETTER_PLACES: Final = {"proposal": 0.35, "vote": 0.2}


def draw_timeline(axes: Axes, run: Result, first: int = 0, last: int | None = None) -> None:
    """Who hears of what, and when? Every first arrival as a line from its sender to its receiver.

    The end of every epoch, when no message is under way, is left out. Where an epoch has several
    blocks, letters in the order of their arrival say which one an author's line is about. Such a
    diagram is Lamport's ("Time, Clocks, and the Ordering of Events in a Distributed System", 1978),
    with time to the right. The run has to be one with ``trace=True``.

    Parameters
    ----------
    first, last : int
        The epochs to show, with what was under way during them, whatever epoch it is about; the
        first and the next one by default.

    """
    first, last = series.shown_epochs(run, first, last, count=2)
    trace, nodes = run.frames["trace"], run.config.node_ids
    if trace.empty:
        raise InvalidInput("trace", "empty", "the messages of a run that was made with trace=True")
    epoch_s = to_seconds(run.config.epoch_length)
    span = begin, end = first * epoch_s, (last + 1) * epoch_s
    rows = {node: row for row, node in enumerate(nodes)}
    under_way = (trace["sent_s"] < end) & (trace["received_s"] > begin)
    known = trace["sender"].isin(rows) & trace["receiver"].isin(rows)
    shown = trace.assign(letter=_letters(trace))[under_way & known]
    clock = _clock(shown, epoch_s)
    lines = shown.assign(
        begin=clock.place(shown["sent_s"]),
        end=clock.place(shown["received_s"]),
        home=shown["sender"].map(rows),
        away=shown["receiver"].map(rows),
        way=np.where(shown["sender"] == shown["author"], "from its author", "passed on"),
    )
    left, right = first * clock.shown_s, (last + 1) * clock.shown_s
    axes.hlines(list(rows.values()), left, right, **style.NODE)
    for epoch in range(first, last + 2):
        axes.axvline(epoch * clock.shown_s, **style.EPOCH)
    _draw_messages(axes, lines)
    leaders = [rows[leader] for leader in run.frames["epochs"]["leader"][first : last + 1]]
    starts = [epoch * clock.shown_s for epoch in range(first, last + 1)]
    axes.plot(starts, leaders, label="leader of the epoch", **style.LEADER)
    finality = run.frames["finality"]
    _mark_finality(axes, finality[finality["node"].isin(rows)], rows, clock, span)
    margin = 0.01 * (right - left)
    axes.set_xlim(left - margin, right + margin)
    axes.set_ylim(len(nodes) - 0.5, -0.5)
    faulty = run.config.faulty_nodes
    names = [f"{node} (faulty)" if node in faulty else node for node in nodes]
    axes.set_yticks(range(len(nodes)), names)
    axes.grid(visible=False)
    clock.label(axes, first, last)
    epochs = f"epoch {first}" if first == last else f"epochs {first} to {last}"
    layout.explain(axes, "Who hears of what, and when?", f"{epochs}: {_answer(shown)}")


class _Clock(NamedTuple):
    """Where an instant lies on the x-axis, if the quiet end of every epoch is left out.

    Parameters
    ----------
    epoch_s, shown_s : float
        How long an epoch is, and how much of its beginning is shown; seconds.
    """

    epoch_s: float
    shown_s: float

    def place(self, times: "pd.Series[float]") -> "pd.Series[float]":
        """Return where these times lie, in seconds that are shown."""
        return times - _epochs(times, self.epoch_s) * (self.epoch_s - self.shown_s)

    def label(self, axes: Axes, first: int, last: int) -> None:
        """Write the time below, in seconds of the protocol."""
        count = last - first + 1
        kept, step = [0.0], ceil(count / _MOST_TICKS)
        if count <= _MOST_TICKS // 2:
            offsets = MaxNLocator(_MOST_TICKS // count).tick_values(0, self.shown_s)
            kept = [offset for offset in offsets if 0 <= offset < 0.95 * self.shown_s]
        places = [(epoch, offset) for epoch in range(first, last + 1, step) for offset in kept]
        axes.set_xticks(
            [epoch * self.shown_s + offset for epoch, offset in places],
            [f"{epoch * self.epoch_s + offset:g}" for epoch, offset in places],
        )
        cut = "" if self.shown_s == self.epoch_s else "; the quiet end of each is left out"
        axes.set_xlabel(f"Protocol time (s); an epoch (dotted) is {self.epoch_s:g} s{cut}")


def _clock(shown: pd.DataFrame, epoch_s: float) -> _Clock:
    """Show epochs until the last of these messages has arrived; whole if one outlasts them."""
    starts = _epochs(shown["sent_s"], epoch_s) * epoch_s
    busy = _ROOM * max(shown["received_s"] - starts, default=epoch_s)
    return _Clock(epoch_s, min(busy, epoch_s))


def _epochs(times: "pd.Series[float]", epoch_s: float) -> "pd.Series[float]":
    """Return the epochs that these times, which are whole microseconds, lie in."""
    return (times * MICROSECONDS_PER_SECOND).round() // round(epoch_s * MICROSECONDS_PER_SECOND)


def _letters(trace: pd.DataFrame) -> "pd.Series[str]":
    """Return which of its epoch's blocks each message is about; empty where there is only one."""
    blocks = trace[["epoch", "block_hash"]].drop_duplicates()
    several = blocks[blocks["epoch"].duplicated(keep=False)]
    number = several.groupby("epoch").cumcount()
    names = number.map(lambda place: f"{ascii_uppercase[place % 26]}{place // 26 or ''}")
    letters = dict(zip(several["block_hash"], names, strict=True))
    return trace["block_hash"].map(lambda block: letters.get(block, ""))


def _draw_messages(axes: Axes, lines: pd.DataFrame) -> None:
    for (kind, way), look in style.MESSAGES.items():
        group = lines[(lines["kind"] == kind) & (lines["way"] == way)]
        ends = group[["begin", "home", "end", "away"]].to_numpy(dtype=float).reshape(-1, 2, 2)
        label = f"{kind} {way} ({len(group)})"
        axes.add_collection(LineCollection(list(ends), label=label, **look), autolim=False)
    lettered = lines[(lines["letter"] != "") & (lines["way"] == "from its author")]
    if not 0 < len(lettered) <= _MOST_LETTERS:
        return
    along = lettered["kind"].map(_LETTER_PLACES)
    times = lettered["begin"] + along * (lettered["end"] - lettered["begin"])
    places = lettered["home"] + along * (lettered["away"] - lettered["home"])
    for time, place, letter, kind in zip(
        times, places, lettered["letter"], lettered["kind"], strict=True
    ):
        axes.annotate(letter, (time, place), **style.LETTERS[kind])
    layout.add_key(axes, "letter: which of the epoch's blocks", style.LETTER_KEY)


def _mark_finality(
    axes: Axes,
    seen: pd.DataFrame,
    rows: dict[str, int],
    clock: _Clock,
    span: tuple[float, float],
) -> None:
    for column, what, look in (
        ("notarized_s", "notarized", style.SEES_NOTARIZED),
        ("finalized_s", "final", style.SEES_FINAL),
    ):
        group = seen[seen[column].between(*span)]
        label = f"a node sees a block {what} ({len(group)})"
        axes.plot(clock.place(group[column]), group["node"].map(rows), label=label, **look)


def _answer(shown: pd.DataFrame) -> str:
    echoed = (shown["sender"] != shown["author"]).sum()
    answer = f"{len(shown)} first arrivals, {echoed} of them of copies that were passed on"
    if shown.empty:
        return answer
    slowest = (shown["received_s"] - shown["sent_s"]).max()
    return f"{answer}; the slowest copy took {slowest:.3f} s"
