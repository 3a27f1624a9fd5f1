"""The message chart: how does their number grow with that of the nodes?"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import ScalarFormatter

from streamlet_lab.charts import layout, style
from streamlet_lab.errors import InvalidInput
from streamlet_lab.result import Result
from streamlet_lab.theory import messages_per_epoch

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
