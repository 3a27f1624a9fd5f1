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


def message_counts(runs: Iterable[Result]) -> pd.DataFrame:
    """Return how many messages a mean epoch of each run had.

    Returns
    -------
    DataFrame
        One row for each run and kind: ``nodes``, ``kind`` (proposal or vote), ``sent`` (copies that
        authors sent) and ``echoed`` (copies that others passed on).
    """
    parts = []
    for run in runs:
        totals = run.frames["messages"].groupby("kind")[["sent", "echoed"]].sum()
        totals = totals.reindex(pd.Index(["proposal", "vote"], name="kind"), fill_value=0)
        means = (totals / run.config.epochs).reset_index()
        means.insert(0, "nodes", run.config.nodes)
        parts.append(means)
    return pd.concat(parts, ignore_index=True)


def draw_messages(axes: Axes, shown: Result | Sequence[Result] | pd.DataFrame) -> None:
    """How does the number of messages grow? Counts by type at each n, over closed forms.

    Of one run, of several, or of what :func:`message_counts` says of them; those of the same number
    of nodes and kind, such as of several seeds, are averaged.
    """
    runs = [shown] if isinstance(shown, Result) else shown
    if not isinstance(runs, pd.DataFrame | Sequence) or not len(runs):
        what = runs if isinstance(runs, Sequence) else type(runs).__name__
        raise InvalidInput("shown", what, "one run or more, as a list, or a frame of their counts")
    counts = runs if isinstance(runs, pd.DataFrame) else message_counts(runs)
    measured = counts.pivot_table(["sent", "echoed"], "nodes", "kind", aggfunc="mean")
    grid = range(2, max(2 * int(measured.index.max()), 32) + 1)
    for (kind, column), look in style.COUNTS.items():
        what = f"{kind}s {'sent' if column == 'sent' else 'passed on'}"
        _mark(axes, measured[column, kind], what, look)
    for key, (formula, form) in CLOSED_FORMS.items():
        _draw_form(axes, grid, [form(n) for n in grid], formula, style.COUNTS[key])
    total = measured.sum(axis="columns")
    _mark(axes, total, "all messages", style.TOTAL)
    for echo, label, look in (
        (True, "n³ − n", style.TOTAL),
        (False, "n² − 1, without echo", style.WITHOUT_ECHO),
    ):
        _draw_form(axes, grid, [messages_per_epoch(n, echo=echo) for n in grid], label, look)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.set_xlabel("Nodes n; marks are measured, lines are closed forms for honest nodes")
    axes.set_ylabel("Messages per epoch")
    layout.explain(axes, "How does the number of messages grow?", _answer(total))


def _mark(axes: Axes, values: "pd.Series[float]", what: str, look: style.Look) -> None:
    # One value is named; several can be read off the chart.
    label = f"{what} ({_number(values.iloc[0])})" if len(values) == 1 else what
    # What was never sent has no place on a logarithmic axis.
    axes.plot(values[values > 0], label=label, **{**look, "linestyle": "none", "zorder": 3})


def _draw_form(
    axes: Axes, grid: Iterable[int], values: list[int], label: str, look: style.Look
) -> None:
    axes.plot(list(grid), values, label=label, **{**look, "marker": "none", "linewidth": 1.1})


def _number(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")


def _answer(total: "pd.Series[float]") -> str:
    least, most = (int(nodes) for nodes in (total.index.min(), total.index.max()))
    with_echo, without = (messages_per_epoch(most, echo=echo) for echo in (True, False))
    answer = (
        f"n = {most}: {_number(total.loc[most])} an epoch; "
        f"closed form {with_echo:,} with echo, {without:,} without"
    )
    if least == most or not total.loc[least]:
        return answer
    return f"{answer}; {total.loc[most] / total.loc[least]:,.1f} times as many as for n = {least}"
