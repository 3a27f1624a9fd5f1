"""Charts of messages: a space-time diagram of them, and how their number grows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil
from string import ascii_uppercase
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from streamlet_lab.charts import layout, series, style
from streamlet_lab.errors import InvalidInput
from streamlet_lab.result import Result
from streamlet_lab.theory import messages_per_epoch
from streamlet_lab.units import MICROSECONDS_PER_SECOND, to_name, to_seconds

# Room after the last arrival, before the quiet end of an epoch is left out.
_ROOM: Final = 1.15
# How many instants have room for their numbers below the axis.
_MOST_TICKS: Final = 12
# With more lines than this their letters cannot be read any more.
_MOST_LETTERS: Final = 60
# Between two lines on one way, in rows.
_APART: Final = 0.09
# Where along a line its letter stands; a vote may go the way of a proposal.
_LETTER_PLACES: Final = {"proposal": 0.35, "vote": 0.2}
#: The parts of :func:`~streamlet_lab.theory.messages_per_epoch` with echoing, by kind and column.
CLOSED_FORMS: Final[Mapping[tuple[str, str], tuple[str, Callable[[int], int]]]] = {
    ("proposal", "sent"): ("n − 1", lambda n: n - 1),
    ("proposal", "echoed"): ("(n − 1)²", lambda n: (n - 1) ** 2),
    ("vote", "sent"): ("n(n − 1)", lambda n: n * (n - 1)),
    ("vote", "echoed"): ("n(n − 1)²", lambda n: n * (n - 1) ** 2),
}
_TOTALS: Final = (
    ("n³ − n", messages_per_epoch, style.TOTAL),
    ("n² − 1, without echo", lambda n: messages_per_epoch(n, echo=False), style.WITHOUT_ECHO),
)


class Clock(NamedTuple):
    """Where an instant lies on the x-axis: of every epoch its beginning is shown; in seconds."""

    epoch_s: float
    shown_s: float

    def place(self, times: "pd.Series[float]") -> "pd.Series[float]":
        return times - _epochs(times, self.epoch_s) * (self.epoch_s - self.shown_s)


def trace_of(run: Result) -> pd.DataFrame:
    """Return the first arrivals of a run's messages, if it kept them."""
    trace = run.frames["trace"]
    if trace.empty:
        raise InvalidInput("trace", "empty", "the messages of a run that was made with trace=True")
    return trace


def draw_timeline(
    axes: Axes,
    run: Result,
    first: int = 0,
    last: int | None = None,
    note: tuple[str, float, str] | None = None,
) -> None:
    """Who hears of what, and when? Every first arrival as a line from its sender to its receiver.

    The end of every epoch, when no message is under way, is left out. Where an epoch has several
    blocks, letters in the order of their arrival say which one an author's line is about. Such a
    diagram is Lamport's ("Time, Clocks, and the Ordering of Events in a Distributed System", 1978),
    with time to the right. The run has to be one with ``trace=True``.
    Shown are the epochs from `first` to `last`, two unless it is given, with what was under way
    during them, whatever epoch it is about. A `note` is a node, a time in seconds, and what an
    arrow says of it.
    """
    first, last = series.shown_epochs(run, first, last, count=2)
    trace, nodes, finality = trace_of(run), run.config.node_ids, run.frames["finality"]
    epoch_s = to_seconds(run.config.epoch_length)
    begin, end = first * epoch_s, (last + 1) * epoch_s
    rows = {node: row for row, node in enumerate(nodes)}
    under_way = (trace["sent_s"] < end) & (trace["received_s"] > begin)
    known = trace["sender"].isin(rows) & trace["receiver"].isin(rows)
    shown = trace.assign(letter=_letters(trace))[under_way & known]
    # Epochs are shown until the last of these messages has arrived; whole if one outlasts them.
    starts = _epochs(shown["sent_s"], epoch_s) * epoch_s
    busy = _ROOM * max(shown["received_s"] - starts, default=epoch_s)
    clock = Clock(epoch_s, min(busy, epoch_s))
    left, right = first * clock.shown_s, (last + 1) * clock.shown_s
    axes.hlines(list(rows.values()), left, right, **style.NODE)
    draw_arrivals(axes, shown, rows, clock.place)
    leaders = [rows[leader] for leader in run.frames["epochs"]["leader"][first : last + 1]]
    begins = [epoch * clock.shown_s for epoch in range(first, last + 1)]
    axes.plot(begins, leaders, label="leader of the epoch", **style.LEADER)
    for column, what, look in (
        ("notarized_s", "notarized", style.SEES_NOTARIZED),
        ("finalized_s", "final", style.SEES_FINAL),
    ):
        seen = finality[finality["node"].isin(rows) & finality[column].between(begin, end)]
        label = f"a node sees a block {what} ({len(seen)})"
        axes.plot(clock.place(seen[column]), seen["node"].map(rows), label=label, **look)
    if note is not None:
        node, time_s, text = note
        row, place = rows[to_name(node, nodes, "note")], clock.place(pd.Series([time_s]))[0]
        axes.annotate(text, (place, row), **style.NOTE)
    label_nodes(axes, run)
    label_clock(axes, clock, first, last)
    layout.explain(axes, "Who hears of what, and when?", _say_arrivals(shown, first, last))


def _say_arrivals(shown: pd.DataFrame, first: int, last: int) -> str:
    echoed = (shown["sender"] != shown["author"]).sum()
    epochs = f"epoch {first}" if first == last else f"epochs {first} to {last}"
    said = f"{epochs}: {len(shown)} first arrivals, {echoed} of them of copies that were passed on"
    if shown.empty:
        return said
    slowest = (shown["received_s"] - shown["sent_s"]).max()
    return f"{said}; the slowest copy took {slowest:.3f} s"


def label_nodes(axes: Axes, run: Result) -> None:
    """Let each row be a node's, the first on top."""
    nodes, faulty = run.config.node_ids, run.config.faulty_nodes
    axes.set_ylim(len(nodes) - 0.5, -0.8)
    axes.set_yticks(range(len(nodes)), [f"{n} (faulty)" if n in faulty else n for n in nodes])
    axes.set_ylabel("Node")
    axes.grid(visible=False)


def label_clock(axes: Axes, clock: Clock, first: int, last: int) -> None:
    """Show these epochs, and write the time below, in seconds of the protocol."""
    (epoch_s, shown_s), count = clock, last - first + 1
    margin = 0.01 * count * shown_s
    for epoch in range(first, last + 2):
        axes.axvline(epoch * shown_s, **style.EPOCH)
    axes.set_xlim(first * shown_s - margin, (last + 1) * shown_s + margin)
    kept, step = [0.0], ceil(count / _MOST_TICKS)
    if count <= _MOST_TICKS // 2:
        offsets = MaxNLocator(_MOST_TICKS // count).tick_values(0, shown_s)
        kept = [offset for offset in offsets if 0 <= offset < 0.95 * shown_s]
    places = [(epoch, offset) for epoch in range(first, last + 1, step) for offset in kept]
    axes.set_xticks(
        [epoch * shown_s + offset for epoch, offset in places],
        [f"{epoch * epoch_s + offset:g}" for epoch, offset in places],
    )
    cut = "" if shown_s == epoch_s else "; the quiet end of each is left out"
    axes.set_xlabel(f"Protocol time (s); an epoch (dotted) is {epoch_s:g} s{cut}")


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


def draw_arrivals(
    axes: Axes,
    shown: pd.DataFrame,
    rows: Mapping[str, int],
    place: Callable[["pd.Series[float]"], "pd.Series[float]"],
) -> None:
    """Draw first arrivals from their senders' rows to their receivers', side by side on one way."""
    lines = shown.assign(
        begin=place(shown["sent_s"]),
        end=place(shown["received_s"]),
        home=shown["sender"].map(rows).astype("float64"),
        away=shown["receiver"].map(rows).astype("float64"),
        way=np.where(shown["sender"] == shown["author"], "from its author", "passed on"),
    )
    abreast = lines.groupby(["begin", "end", "home", "away"])["kind"]
    beside = _APART * (abreast.cumcount() - (abreast.transform("size") - 1) / 2)
    lines = lines.assign(home=lines["home"] + beside, away=lines["away"] + beside)
    for (kind, way), look in style.MESSAGES.items():
        group = lines[(lines["kind"] == kind) & (lines["way"] == way)]
        ends = group[["begin", "home", "end", "away"]].to_numpy(dtype=float).reshape(-1, 2, 2)
        label = f"{kind} {way} ({len(group)})"
        axes.add_collection(LineCollection(list(ends), label=label, **look), autolim=False)
    lettered = lines[(lines["letter"] != "") & (lines["way"] == "from its author")]
    if not 0 < len(lettered) <= _MOST_LETTERS:
        return
    for line in lettered.to_dict("records"):
        along = _LETTER_PLACES[line["kind"]]
        time = line["begin"] + along * (line["end"] - line["begin"])
        row = line["home"] + along * (line["away"] - line["home"])
        axes.annotate(line["letter"], (time, row), **style.LETTERS[line["kind"]])
    layout.add_key(axes, "letter: which of the epoch's blocks", style.LETTER_KEY)


def message_counts(runs: Iterable[Result]) -> pd.DataFrame:
    """Return how many messages a mean epoch had, by the number of nodes: a mean over such runs.

    With columns of pairs: the kind (proposal or vote), and ``sent`` (copies that authors sent) or
    ``echoed`` (copies that others passed on).
    """
    rows = []
    for run in runs:
        totals = run.frames["messages"].groupby("kind")[["sent", "echoed"]].sum()
        counts = {key: totals[key[1]].get(key[0], 0) / run.config.epochs for key in CLOSED_FORMS}
        rows.append(pd.Series(counts, name=run.config.nodes))
    return pd.DataFrame(rows).groupby(level=0).mean()


def draw_messages(axes: Axes, shown: Result | Sequence[Result]) -> None:
    """How does the number of messages grow? Counts by type at each n, over closed forms."""
    runs = [shown] if isinstance(shown, Result) else shown
    if not isinstance(runs, Sequence) or not runs:
        raise InvalidInput("shown", shown, "one run or more, as a list")
    measured = message_counts(runs)
    total = measured.sum(axis="columns")
    for (kind, column), look in style.COUNTS.items():
        what = f"{kind}s {'sent' if column == 'sent' else 'passed on'}"
        _mark(axes, measured[kind, column], what, look)
    grid = range(2, max(2 * int(measured.index.max()), 32) + 1)
    for key, (formula, form) in CLOSED_FORMS.items():
        _draw_form(axes, grid, form, formula, style.COUNTS[key])
    _mark(axes, total, "all messages", style.TOTAL)
    for formula, form, look in _TOTALS:
        _draw_form(axes, grid, form, formula, look)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter(ScalarFormatter())
    for axis in (axes.xaxis, axes.yaxis):
        layout.powers(axis)
    axes.set_xlabel("Nodes n; marks are measured, lines are closed forms for honest nodes")
    axes.set_ylabel("Messages per epoch")
    least, most = (int(nodes) for nodes in (total.index.min(), total.index.max()))
    with_echo, without = (messages_per_epoch(most, echo=echo) for echo in (True, False))
    answer = (
        f"n = {most}: {_number(total.loc[most])} an epoch; "
        f"closed form {with_echo:,} with echo, {without:,} without"
    )
    if least < most and total.loc[least]:
        times = total.loc[most] / total.loc[least]
        answer += f"; {times:,.1f} times as many as for n = {least}"
    layout.explain(axes, "How does the number of messages grow?", answer)


def _mark(axes: Axes, values: "pd.Series[float]", what: str, look: style.Look) -> None:
    # One value is named; several can be read off the chart.
    label = f"{what} ({_number(values.iloc[0])})" if len(values) == 1 else what
    # What was never sent has no place on a logarithmic axis.
    axes.plot(values[values > 0], label=label, **{**look, "linestyle": "none", "zorder": 3})


def _draw_form(
    axes: Axes, grid: Iterable[int], form: Callable[[int], int], label: str, look: style.Look
) -> None:
    look = {**look, "marker": "none", "linewidth": 1.1}
    axes.plot([*grid], [*map(form, grid)], label=label, **look)


def _number(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")
