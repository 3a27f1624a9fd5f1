"""Make the runs of a sweep, and keep what each gave: its numbers, or its error."""

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, Final

import numpy as np

from streamlet_lab.config import ExperimentConfig
from streamlet_lab.errors import InvalidInput
from streamlet_lab.intervals import Share
from streamlet_lab.measures import SUMMARY_NUMBERS, Measure, names_of, run_experiment
from streamlet_lab.points import Plan
from streamlet_lab.simulator import Progress
from streamlet_lab.store import Outcome, Store
from streamlet_lab.texts import printable
from streamlet_lab.workers import Batch, Place

#: From a configuration to what is measured.
Run = Callable[[ExperimentConfig], Any]
#: What a run is known by, and once it is finished what was measured in it.
Row = dict[str, Any]

#: A share has two more numbers in a row, from which runs are pooled.
PART: Final = ".part"
WHOLE: Final = ".whole"


@dataclass(frozen=True)
class Work:
    """One run and its measure, wherever it takes place.

    Errors are kept as text, since not every one can be pickled; or raised.
    """

    run: Run
    measure: Measure
    columns: tuple[str, ...]  # what a run is known by, so that no number has that name
    keep: bool

    def __call__(self, config: ExperimentConfig) -> Outcome:
        """Return what became of a run."""
        try:
            return self.outcome(self.measure(self._result(config)))
        except (Exception, SystemExit) as error:  # a run that wants to end all of them, too
            if not self.keep:
                raise
            return Outcome({}, described(error))

    def _result(self, config: ExperimentConfig) -> Any:
        names = names_of(self.measure)
        if self.run is run_experiment and names is not None and {*names} <= {*SUMMARY_NUMBERS}:
            config = config.model_copy(update={"record": "summary"})  # nothing else is looked at
        return self.run(config)

    def outcome(self, measured: object) -> Outcome:
        """Return what was measured: NaN for what a run does not have."""
        if not isinstance(measured, Mapping):
            raise InvalidInput("measure", measured, "numbers by name, such as {'blocks': 12}")
        numbers: dict[str, float] = {}
        for name, value in measured.items():
            known = name in self.columns
            if known or not isinstance(name, str) or name.endswith((PART, WHOLE)):
                others = ", ".join(self.columns)
                expected = f"a name other than {others}, that does not end in {PART} or {WHOLE}"
                raise InvalidInput("measure", name, expected)
            if value is not None and (not isinstance(value, Real | np.bool_) or math.isinf(value)):
                raise InvalidInput(f"measure.{name}", value, "a finite number, or None")
            numbers[name] = math.nan if value is None else float(value)
            if isinstance(value, bool | np.bool_):
                value = Share(float(value), 1)
            if isinstance(value, Share):
                numbers |= {name + PART: float(value.part), name + WHOLE: float(value.whole)}
        return Outcome(numbers)


@dataclass
class Runs:
    """The runs of a sweep, of which some may be finished already.

    Attributes
    ----------
    planned : int
        How many there were to be until now.
    outcomes : dict
        What became of those that are finished, by number.
    look : callable, optional
        Is called once, with the numbers of the first run that was finished.
    """

    plan: Plan
    work: Work
    place: Place
    store: Store | None = None
    progress: Progress | None = None
    look: Callable[[Mapping[str, float]], object] | None = None
    planned: int = 0
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    _warned: bool = False

    def __post_init__(self) -> None:
        for number, outcome in self.store.kept().items() if self.store else ():
            if self.work.keep or not outcome.error:  # else it is tried again
                self.outcomes[number] = outcome

    def make(self, repeats: int) -> None:
        """Make what is missing of so many repeats, round after round of the points."""
        self.planned = repeats * len(self.plan.points)
        missing = [number for number in range(self.planned) if number not in self.outcomes]
        done = self.planned - len(missing)
        self._show(self.outcomes)
        with closing(self.place.make(self.work, self.plan.config, missing)) as batches:
            for batch in batches:
                outcomes = self._outcomes(batch)
                self.outcomes |= outcomes
                self._show(outcomes)
                for outcome in outcomes.values():
                    self._warn(outcome)
                    done += 1
                    if self.progress is not None:
                        self.progress(done, self.planned)

    def _outcomes(self, batch: Batch) -> dict[int, Outcome]:
        """Return what became of runs, which are kept together: that is far faster."""
        made, lost = {}, {}
        for number, became in batch:
            if isinstance(became, Outcome):
                made[number] = became
            elif self.work.keep:
                lost[number] = Outcome({}, described(became))
            else:
                raise became
        if self.store is not None and made:
            self.store.keep(made)
        return made | lost

    def _show(self, outcomes: Mapping[int, Outcome]) -> None:
        finished = (each.numbers for each in outcomes.values() if not each.error)
        if self.look is not None and (numbers := next(finished, None)) is not None:
            look, self.look = self.look, None
            look(numbers)

    def _warn(self, outcome: Outcome) -> None:
        if outcome.error and not self._warned:
            self._warned = True
            message = f"a run failed, and is left out: {outcome.error}; see `failures`"
            warnings.warn(message, stacklevel=5)

    def rows(self) -> tuple[list[Row], list[Row]]:
        """Return the rows of finished runs, point by point, and those of failed ones."""
        points = len(self.plan.points)
        ordered = sorted(
            (number for number in self.outcomes if number < self.planned),
            key=lambda number: (number % points, number),
        )
        checked = check_shares([self.outcomes[number] for number in ordered], keep=self.work.keep)
        finished, failed = [], []
        for number, (numbers, error) in zip(ordered, checked, strict=True):
            row = self.plan.row(number)
            if error:
                failed.append({**row, "error": error})
            else:
                finished.append({**row, **numbers})
        return finished, failed


def check_shares(outcomes: Sequence[Outcome], *, keep: bool) -> list[Outcome]:
    """Refuse a plain number of what is a share in other runs."""
    names = {name for numbers, _ in outcomes for name in numbers}
    shares = {name for name in names if name + WHOLE in names}
    checked = []
    for numbers, error in outcomes:
        plain = (name for name in sorted(shares & numbers.keys()) if name + WHOLE not in numbers)
        if (name := next((each for each in plain if not math.isnan(numbers[each])), None)) is None:
            checked.append(Outcome(numbers, error))
            continue
        expected = "a share, as in other runs, with its part and whole"
        mistake = InvalidInput(f"measure.{name}", numbers[name], expected)
        if not keep:
            raise mistake
        checked.append(Outcome({}, described(mistake)))
    return checked


def described(error: BaseException) -> str:
    """Return an error in one line, also one that has no text to show."""
    try:
        text = str(error)
    except Exception as failed:
        text = f"a {type(failed).__name__} in its own text"
    return printable(f"{type(error).__name__}: {text}")
