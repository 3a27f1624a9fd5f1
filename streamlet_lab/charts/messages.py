"""The message chart: how does their number grow with that of the nodes?"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import ScalarFormatter

from streamlet_lab.charts import style
from streamlet_lab.charts.layout import head, legend_below
from streamlet_lab.result import ProtocolRun, Result
from streamlet_lab.theory import messages_per_epoch

#: The parts of :func:`~streamlet_lab.theory.messages_per_epoch` with echoing, by kind and column.
CLOSED_FORMS: Final[Mapping[tuple[str, str], tuple[str, Callable[[int], int]]]] = {
    ("proposal", "sent"): ("n − 1", lambda n: n - 1),
    ("proposal", "echoed"): ("(n − 1)²", lambda n: (n - 1) ** 2),
    ("vote", "sent"): ("n(n − 1)", lambda n: n * (n - 1)),
    ("vote", "echoed"): ("n(n − 1)²", lambda n: n * (n - 1) ** 2),
}
_COLUMNS = {"sent": "sent", "echoed": "passed on"}


def message_counts(runs: Iterable[ProtocolRun | Result]) -> pd.DataFrame:
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


def draw_messages(axes: Axes, counts: pd.DataFrame) -> None:
    """Draw the messages of an epoch by type against the number of nodes, over the closed forms.

    Parameters
    ----------
    axes : Axes
        Drawn on, from empty.
    counts : DataFrame
        See :func:`message_counts`. Rows of the same number of nodes and kind, such as those of
        several seeds, are averaged.
    """
    measured = counts.pivot_table(["sent", "echoed"], "nodes", "kind", aggfunc="mean")
    grid = range(2, max(2 * int(measured.index.max()), 32) + 1)
    for (kind, column), look in style.COUNTS.items():
        label = f"{kind}s {_COLUMNS[column]}{_mean(measured[column, kind])}"
        _mark(axes, measured[column, kind], label, look)
    for key, (formula, form) in CLOSED_FORMS.items():
        _draw_form(axes, grid, [form(n) for n in grid], formula, style.COUNTS[key])
    total = measured.sum(axis="columns")
    _mark(axes, total, f"all messages{_mean(total)}", style.TOTAL)
    for echo, label in ((True, "n³ − n"), (False, "n² − 1, without echo")):
        values = [messages_per_epoch(n, echo=echo) for n in grid]
        _draw_form(axes, grid, values, label, style.TOTAL if echo else style.WITHOUT_ECHO)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.set_xlabel("Nodes n; marks are measured, lines are closed forms for honest nodes")
    axes.set_ylabel("Messages per epoch")
    legend_below(axes)
    head(axes, "How does the number of messages grow?", _answer(total))


def _mark(axes: Axes, values: "pd.Series[float]", label: str, look: style.Look) -> None:
    # What was never sent has no place on a logarithmic axis.
    axes.plot(values[values > 0], label=label, **{**look, "linestyle": "none", "zorder": 3})


def _draw_form(
    axes: Axes, grid: Iterable[int], values: list[int], label: str, look: style.Look
) -> None:
    axes.plot(list(grid), values, label=label, **{**look, "marker": "none", "linewidth": 1.1})


def _mean(values: "pd.Series[float]") -> str:
    """Name the one value that there is; several can be read off the chart."""
    return f" ({_number(values.iloc[0])})" if len(values) == 1 else ""


def _number(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")


def _answer(total: "pd.Series[float]") -> str:
    least, most = (int(nodes) for nodes in (total.index.min(), total.index.max()))
    forms = [messages_per_epoch(most, echo=echo) for echo in (True, False)]
    answer = (
        f"n = {most}: {_number(total.loc[most])} an epoch; "
        f"closed form {forms[0]:,} with echo, {forms[1]:,} without"
    )
    if least == most or not total.loc[least]:
        return answer
    return f"{answer}; {total.loc[most] / total.loc[least]:,.1f} times as many as for n = {least}"
