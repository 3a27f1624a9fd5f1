"""The timeline: a space-time diagram of messages."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import ceil
from string import ascii_uppercase
from typing import Final, Self

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.ticker import MaxNLocator

from streamlet_lab.charts import style
from streamlet_lab.charts.layout import add_key, head, legend_below
from streamlet_lab.errors import InvalidInput
from streamlet_lab.units import MICROSECONDS_PER_SECOND

# Room after the last arrival, before the quiet end of an epoch is left out.
_ROOM: Final = 1.15
# How many instants have room for their numbers below the axis.
_MOST_TICKS: Final = 12
# With more lines than this their letters cannot be read any more.
_MOST_LETTERS: Final = 60
# Where along a line its letter stands; a vote may go the way of a proposal.
_LETTER_PLACES: Final = {"proposal": 0.35, "vote": 0.2}


def draw_timeline(
    axes: Axes,
    trace: pd.DataFrame,
    nodes: Sequence[str],
    epoch_length_s: float,
    first: int = 0,
    last: int = 1,
    *,
    leaders: Sequence[str] = (),
    finality: pd.DataFrame | None = None,
    faulty: Collection[str] = (),
) -> None:
    """Draw every first arrival of a message as a line from its sender to its receiver.

    The end of every epoch, when no message is under way, is left out. Where an epoch has several
    blocks, letters in the order of their arrival say which one an author's line is about. Such a
    diagram is Lamport's ("Time, Clocks, and the Ordering of Events in a Distributed System", 1978),
    with time to the right.

    Parameters
    ----------
    axes : Axes
        Drawn on, from empty.
    trace : DataFrame
        One row for each first arrival: ``epoch``, ``kind`` (proposal or vote), ``author``,
        ``block_hash``, ``sender`` (whose copy it is), ``receiver``, ``sent_s`` and ``received_s``.
    nodes : sequence of str
        One line each, from the top.
    epoch_length_s : float
        Seconds.
    first, last : int
        The epochs to show: what was under way during them, whatever epoch it is about.
    leaders : sequence of str, optional
        By epoch.
    finality : DataFrame, optional
        ``node``, ``notarized_s`` and ``finalized_s``: when each node sees each block so.
    faulty : collection of str
        Nodes to be named as such.

    Raises
    ------
    InvalidInput
        If the trace is empty.
    """
    if trace.empty:
        raise InvalidInput("trace", "empty", "the messages of a run that was made with trace=True")
    begin, end = first * epoch_length_s, (last + 1) * epoch_length_s
    rows = {node: row for row, node in enumerate(nodes)}
    under_way = (trace["sent_s"] < end) & (trace["received_s"] > begin)
    known = trace["sender"].isin(rows) & trace["receiver"].isin(rows)
    shown = trace[under_way & known]
    clock = _Clock.of(shown, epoch_length_s)
    left, right = first * clock.shown_s, (last + 1) * clock.shown_s
    axes.hlines(list(rows.values()), left, right, **style.NODE)
    for epoch in range(first, last + 2):
        axes.axvline(epoch * clock.shown_s, **style.EPOCH)
    _draw_messages(axes, shown, rows, clock)
    _write_letters(axes, shown.assign(letter=_letters(trace)), rows, clock)
    led = range(first, min(last + 1, len(leaders)))
    starts = [epoch * clock.shown_s for epoch in led]
    places = [rows[leaders[epoch]] for epoch in led]
    axes.plot(starts, places, label="leader of the epoch", **style.LEADER)
    if finality is not None:
        seen = finality[finality["node"].isin(rows)]
        _mark_finality(axes, seen, rows, clock, (begin, end))
    margin = 0.01 * (right - left)
    axes.set_xlim(left - margin, right + margin)
    axes.set_ylim(len(nodes) - 0.5, -0.5)
    names = [f"{node} (faulty)" if node in faulty else node for node in nodes]
    axes.set_yticks(range(len(nodes)), names)
    axes.grid(visible=False)
    clock.label(axes, first, last)
    legend_below(axes)
    span = f"epoch {first}" if first == last else f"epochs {first} to {last}"
    head(axes, "Who hears of what, and when?", f"{span}: {_answer(shown)}")


@dataclass(frozen=True, slots=True)
class _Clock:
    """Where an instant lies on the x-axis, if the quiet end of every epoch is left out.

    Parameters
    ----------
    epoch_s, shown_s : float
        How long an epoch is, and how much of its beginning is shown; seconds.
    """

    epoch_s: float
    shown_s: float

    @classmethod
    def of(cls, shown: pd.DataFrame, epoch_s: float) -> Self:
        """Show epochs until the last of these messages has arrived; whole if one outlasts them."""
        starts = _epochs(shown["sent_s"], epoch_s) * epoch_s
        busy = _ROOM * max(shown["received_s"] - starts, default=epoch_s)
        return cls(epoch_s, min(busy, epoch_s))

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


def _epochs(times: "pd.Series[float]", epoch_s: float) -> "pd.Series[float]":
    """Return the epochs that these times, which are whole microseconds, lie in."""
    return (times * MICROSECONDS_PER_SECOND).round() // round(epoch_s * MICROSECONDS_PER_SECOND)


def _draw_messages(axes: Axes, shown: pd.DataFrame, rows: dict[str, int], clock: _Clock) -> None:
    way = np.where(shown["sender"] == shown["author"], "from its author", "passed on")
    for (kind, by), look in style.MESSAGES.items():
        group = shown[(shown["kind"] == kind) & (way == by)]
        sent = np.column_stack([clock.place(group["sent_s"]), group["sender"].map(rows)])
        ends = np.column_stack([clock.place(group["received_s"]), group["receiver"].map(rows)])
        lines = list(np.stack([sent, ends], axis=1))
        label = f"{kind} {by} ({len(group)})"
        axes.add_collection(LineCollection(lines, label=label, **look), autolim=False)


def _letters(trace: pd.DataFrame) -> "pd.Series[str]":
    """Return which of its epoch's blocks each message is about; empty where there is only one."""
    blocks = trace[["epoch", "block_hash"]].drop_duplicates()
    several = blocks[blocks["epoch"].duplicated(keep=False)]
    number = several.groupby("epoch").cumcount()
    names = number.map(lambda place: f"{ascii_uppercase[place % 26]}{place // 26 or ''}")
    letters = dict(zip(several["block_hash"], names, strict=True))
    return trace["block_hash"].map(lambda block: letters.get(block, ""))


def _write_letters(axes: Axes, shown: pd.DataFrame, rows: dict[str, int], clock: _Clock) -> None:
    lettered = shown[(shown["letter"] != "") & (shown["sender"] == shown["author"])]
    if not 0 < len(lettered) <= _MOST_LETTERS:
        return
    along = lettered["kind"].map(_LETTER_PLACES)
    begin, end = clock.place(lettered["sent_s"]), clock.place(lettered["received_s"])
    home, away = lettered["sender"].map(rows), lettered["receiver"].map(rows)
    times, places = begin + along * (end - begin), home + along * (away - home)
    columns = times, places, lettered["letter"], lettered["kind"]
    for time, place, letter, kind in zip(*columns, strict=True):
        axes.annotate(letter, (time, place), **style.LETTERS[kind])
    add_key(axes, "letter: which of the epoch's blocks", style.LETTER_KEY)


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
