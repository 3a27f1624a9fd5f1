"""Which engine plays the runs of each point of a sweep: the full one, or the batched one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import pandas as pd

from streamlet_lab.batched import MEASURES, explain, measure_batches
from streamlet_lab.errors import InvalidInput
from streamlet_lab.measures import names_of, run_experiment
from streamlet_lab.points import Plan
from streamlet_lab.repeats import Work
from streamlet_lab.units import to_name
from streamlet_lab.workers import Done, Numbered, Place

#: What plays a run: everything, or thousands at a time; ``"auto"``: batched where that is the same.
Engine = Literal["full", "batched", "auto"]

FULL: Final = "full"
BATCHED: Final = "batched"
_ASKED: Final = f"engine: {FULL!r}"


def choose_engines(engine: object, plan: Plan, work: Work) -> list[str]:
    """Return for each point why the batched engine does not play it; an empty text if it does.

    Raises
    ------
    InvalidInput
        If it was asked for and cannot.
    """
    if to_name(engine, get_args(Engine), "engine") == FULL:
        return [_ASKED] * len(plan.points)
    whatever = _of_all(work)
    reasons = [whatever or explain(point.config) or "" for point in plan.points]
    first = next((number for number, reason in enumerate(reasons) if reason), None)
    if engine == BATCHED and first is not None:
        labels = ", ".join(f"{name}={label}" for name, label in plan.points[first].labels.items())
        where = "" if whatever or not labels else f" (at {labels})"
        raise InvalidInput("engine", engine, f"'full' or 'auto' for {reasons[first]}{where}")
    return reasons


def table(plan: Plan, reasons: Sequence[str]) -> pd.DataFrame:
    """Return what plays each point, and why not the batched engine."""
    rows = [
        {**point.labels, "engine": FULL if reason else BATCHED, "why": reason}
        for point, reason in zip(plan.points, reasons, strict=True)
    ]
    return pd.DataFrame(rows, columns=[*plan.settings, "engine", "why"])


def in_words(engines: pd.DataFrame) -> str:
    """Say how many points are batched, or why none is; nothing if the full engine was asked for."""
    reasons = [] if engines.empty else engines["why"].tolist()
    if (batched := reasons.count("")) == 0:
        asked = not reasons or reasons[0] == _ASKED
        return "" if asked else f" (full engine, for {reasons[0].partition('; ')[0]})"
    points = "" if batched == len(reasons) else f"{batched} of {len(reasons)} points "
    return f" ({points}batched)"


def _of_all(work: Work) -> str:
    """Say why no run can be batched, whatever its settings."""
    if work.run is not run_experiment:
        return "run: another function than the whole system's"
    names = names_of(work.measure)
    if names is None:
        return "measure: a function of one's own"
    unknown = next((name for name in names if name not in MEASURES), None)
    return f"measure: {unknown!r}; it knows {', '.join(MEASURES)}" if unknown else ""


@dataclass(frozen=True)
class ByEngine(Place):
    """Plays the runs of some points in batches here, and has the others made elsewhere.

    Attributes
    ----------
    batched : sequence of bool
        Whether a point is batched.
    """

    place: Place
    batched: Sequence[bool]

    def make(self, work: Any, numbered: Numbered, numbers: Iterable[int]) -> Done:
        """Make runs: those of one point together, then whatever is not batched."""
        points: dict[int, list[int]] = {}
        others = []
        for number in numbers:
            point = number % len(self.batched)
            if self.batched[point]:
                points.setdefault(point, []).append(number)
            else:
                others.append(number)
        for of_point in points.values():
            yield from _in_batches(work, numbered, of_point)
        yield from self.place.make(work, numbered, others)

    def check(self, **sent: object) -> None:
        """Refuse what cannot be sent to where the others are made."""
        if not all(self.batched):
            self.place.check(**sent)


def _in_batches(work: Work, numbered: Numbered, numbers: Sequence[int]) -> Done:
    """Play the runs of one point."""
    names = names_of(work.measure)
    assert names is not None  # else nothing is batched
    configs = [numbered(number) for number in numbers]
    left = iter(numbers)
    for batch in measure_batches(configs[0], [config.seed for config in configs], names):
        yield [(next(left), work.outcome(measured)) for measured in batch]
