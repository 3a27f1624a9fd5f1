"""Make many runs, here or elsewhere, and keep what each gave: its row of numbers, or its error."""

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import suppress
from functools import partial
from numbers import Real
from typing import Any, Final, NamedTuple

import numpy as np

from streamlet_lab.config import ExperimentConfig
from streamlet_lab.errors import InvalidInput
from streamlet_lab.interrupts import terminable
from streamlet_lab.intervals import Share
from streamlet_lab.simulator import Progress
from streamlet_lab.texts import printable
from streamlet_lab.units import to_function, to_instance

#: From a configuration to what is measured.
Run = Callable[[ExperimentConfig], Any]
#: From a run's result to numbers by name; None is a number that this run does not have.
Measure = Callable[[Any], Mapping[str, float | None]]
#: What a run is known by, and once it is finished what was measured in it.
Row = dict[str, Any]

#: A share has two more numbers in a row, from which runs are pooled.
PART: Final = ".part"
WHOLE: Final = ".whole"


class Outcome(NamedTuple):
    """What became of a run: its row with numbers, or without them and with an error."""

    row: Row
    error: str = ""


def make_runs(
    plan: Sequence[tuple[Row, ExperimentConfig]],
    run: Run,
    measure: Measure,
    *,
    keep: bool,
    progress: Progress | None,
    executor: Executor | None,
) -> list[Outcome]:
    """Make runs until an interrupt, and return what became of them, in the order of the plan.

    Unless errors are to be kept, the first one is raised.
    """
    given = {"run": run, "measure": measure, "progress": print if progress is None else progress}
    for name, function in given.items():
        to_function(function, name)
    if executor is not None:
        to_instance(executor, Executor, "executor")
    work = partial(_attempt, partial(_play, run, measure), keep)
    futures = [] if executor is None else [_submit(executor, work, *planned) for planned in plan]
    outcomes: list[Outcome] = []
    try:
        with suppress(KeyboardInterrupt), terminable():
            for number, (row, config) in enumerate(plan):
                try:
                    outcome = futures[number].result() if futures else work(row, config)
                except Exception as error:  # an executor's own: a worker was killed, say
                    if not keep:
                        raise
                    outcome = Outcome(row, _described(error))
                if outcome.error and not any(known.error for known in outcomes):
                    message = f"a run failed, and is left out: {outcome.error}; see `failures`"
                    warnings.warn(message, stacklevel=3)
                outcomes.append(outcome)
                if progress is not None:
                    progress(len(outcomes), len(plan))
    finally:
        for future in futures:
            future.cancel()
    return outcomes


def check_shares(outcomes: Sequence[Outcome], *, keep: bool) -> list[Outcome]:
    """Refuse a plain number of what is a share in other runs."""
    shares = {
        name.removesuffix(WHOLE) for row, _ in outcomes for name in row if name.endswith(WHOLE)
    }
    checked = []
    for row, error in outcomes:
        plain = (name for name in sorted(shares & row.keys()) if name + WHOLE not in row)
        if (name := next((each for each in plain if not math.isnan(row[each])), None)) is None:
            checked.append(Outcome(row, error))
            continue
        expected = "a share, as in other runs, with its part and whole"
        mistake = InvalidInput(f"measure.{name}", row[name], expected)
        if not keep:
            raise mistake
        checked.append(Outcome(row, _described(mistake)))
    return checked


def _submit(
    executor: Executor,
    work: Callable[[Row, ExperimentConfig], Outcome],
    row: Row,
    config: ExperimentConfig,
) -> Future[Outcome]:
    try:
        return executor.submit(work, row, config)
    except BrokenExecutor as error:  # others may be finished by now
        lost: Future[Outcome] = Future()
        lost.set_exception(error)
        return lost


def _attempt(
    work: Callable[[Row, ExperimentConfig], Row], keep: bool, row: Row, config: ExperimentConfig
) -> Outcome:
    """Return what became of a run; an error as text, since not every one can be pickled."""
    try:
        return Outcome(work(row, config))
    except Exception as error:
        if not keep:
            raise
        return Outcome(row, _described(error))


def _described(error: Exception) -> str:
    return printable(f"{type(error).__name__}: {error}")


def _play(run: Run, measure: Measure, row: Row, config: ExperimentConfig) -> Row:
    """Make one run, and return its row with what was measured: NaN for what it does not have."""
    measured = measure(run(config))
    if not isinstance(measured, Mapping):
        raise InvalidInput("measure", measured, "numbers by name, such as {'blocks': 12}")
    numbers = dict(row)
    for name, value in measured.items():
        if name in row or not isinstance(name, str) or name.endswith((PART, WHOLE)):
            expected = f"a name other than {', '.join(row)}, that does not end in {PART} or {WHOLE}"
            raise InvalidInput("measure", name, expected)
        if value is not None and (not isinstance(value, Real | np.bool_) or math.isinf(value)):
            raise InvalidInput(f"measure.{name}", value, "a finite number, or None")
        numbers[name] = math.nan if value is None else float(value)
        if isinstance(value, bool | np.bool_):
            value = Share(float(value), 1)
        if isinstance(value, Share):
            numbers |= {name + PART: float(value.part), name + WHOLE: float(value.whole)}
    return numbers
