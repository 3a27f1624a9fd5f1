"""What all studies share: some settings are varied, all else is the same, with the same seeds."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, TypedDict, Unpack

import pandas as pd

from streamlet_lab.errors import InvalidInput
from streamlet_lab.grid import OnError, Sweep, Until, sweep
from streamlet_lab.measures import Measure, run_experiment
from streamlet_lab.points import Values
from streamlet_lab.repeats import Run
from streamlet_lab.result import Result
from streamlet_lab.simulator import Progress


class Options(TypedDict, total=False):
    """How runs are repeated; see :func:`~streamlet_lab.sweep`."""

    repeats: int
    seed: int
    until: Until | None
    workers: int | None
    executor: Executor | None
    store: str | Path | None
    progress: Progress | bool | None
    on_error: OnError


def compare(
    over: Mapping[str, Values],
    base: Mapping[str, Any],
    settings: Mapping[str, Any],
    measure: Measure,
    *,
    run: Run = run_experiment,
    **options: Unpack[Options],
) -> Sweep:
    """Vary some settings, against a base that further settings change."""
    if not isinstance(settings, Mapping):
        raise InvalidInput("settings", settings, "settings by their names")
    for varied in over.keys() & settings:
        raise InvalidInput("settings", varied, "settings other than the one that is varied")
    common = {"signatures": "none", **base, **settings}
    return sweep(common, over, run=run, measure=measure, **options)


def read_names(field: str, value: object) -> tuple[str, ...]:
    """Return names as a tuple; a single one need not be in a list.

    >>> read_names("aggregators", "mean"), read_names("aggregators", ["mean", "median"])
    (('mean',), ('mean', 'median'))
    """
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, Iterable):
        raise InvalidInput(field, value, "a list of names")
    names = tuple(names)
    if not names:
        raise InvalidInput(field, value, "at least one name")
    for name in names:
        if not isinstance(name, str):
            expected = "a registered name, which its rows are to have; register a function of yours"
            raise InvalidInput(field, name, expected)
    return names


def check_result(result: object) -> None:
    """Refuse what is no result of a run with prices."""
    if not isinstance(result, Result) or not result.has_market:
        expected = "the result of an Experiment, which has prices"
        raise InvalidInput("result", type(result).__name__, expected)


def known(value: float) -> float | None:
    """Return a number, or None where there is nothing to measure of."""
    return None if pd.isna(value) else float(value)
