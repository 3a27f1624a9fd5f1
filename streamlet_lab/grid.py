"""Repeated runs: points of settings, each run with the same seeds, and means with intervals.

Every repeat has one seed for all points (common random numbers): two settings are compared on the
same prices, delays and traders, which :meth:`Sweep.difference` turns into narrow intervals. Each
repeat goes round all points, so that an interrupt or SIGTERM leaves about as many runs of each; but
points that the batched engine plays come one after the other.

>>> faults = {"none": {}, "one silent": {"node_3": "silent_leader"}}
>>> swept = sweep({"epochs": 12, "market.traders": 0}, over={"faults": faults}, repeats=2)
>>> swept.means("finalized_blocks")[["faults", "mean", "n"]]
       faults  mean  n
0        none  11.0  2
1  one silent   8.0  2
"""

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import astuple, dataclass, field, fields, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Final, Literal, get_args

import pandas as pd

from streamlet_lab.engines import ByEngine, Engine, choose_engines, in_words, table
from streamlet_lab.errors import InvalidInput
from streamlet_lab.frames import write_parquet
from streamlet_lab.identity import study_document
from streamlet_lab.interrupts import terminable
from streamlet_lab.intervals import Interval, Share, mean_interval, share_difference, share_interval
from streamlet_lab.measures import Measure, names_of, run_experiment, summary_numbers, to_measure
from streamlet_lab.points import Base, Over, make_plan
from streamlet_lab.progress import told
from streamlet_lab.repeats import PART, WHOLE, Run, Runs, Work
from streamlet_lab.simulator import Progress
from streamlet_lab.store import open_store
from streamlet_lab.texts import one_of, printable, to_path
from streamlet_lab.units import to_function, to_name, to_number, to_whole
from streamlet_lab.workers import to_place

#: Whether a run that fails is kept, with its error, or ends the sweep.
OnError = Literal["keep", "raise"]
#: How narrow intervals are to be: half of their width, of the one measure or by measure.
Until = float | Mapping[str, float]

_SECOND: Final = " of second"
_ESTIMATE: Final = ("measure", *(each.name for each in fields(Interval)))

# With `until`: how many runs a point has before it is judged, and by how much they grow from one
# judgement to the next. What intervals cover then is measured in docs/coverage.md.
_FIRST_LOOK: Final = 30
_GROWTH: Final = 1.5

# So many that their numbers are no burden, and their frame fits into the memory of a machine.
_MOST_RUNS: Final = 10_000_000


@dataclass(frozen=True, eq=False, repr=False)
class Sweep:
    """The runs of a sweep.

    Attributes
    ----------
    settings : tuple of str
        The varied settings, which are the first columns.
    planned : int
        How many runs there were to be.
    until : mapping of str to float
        What half the width of an interval was to be at most, by measure.
    interrupt : KeyboardInterrupt or None
        What ended it early: Ctrl-C or SIGTERM.
    """

    _frame: pd.DataFrame
    settings: tuple[str, ...]
    planned: int
    _failures: pd.DataFrame = field(default_factory=pd.DataFrame)
    until: Mapping[str, float] = field(default_factory=dict)
    interrupt: KeyboardInterrupt | None = None
    _engines: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def frame(self) -> pd.DataFrame:
        """One row for each finished run, in the order of the grid and then of the repeats.

        The columns are the varied settings, ``repeat``, ``seed``, and the measures, NaN where a run
        does not have one. A share ``x`` has ``x.part`` and ``x.whole`` beside it.
        """
        return self._frame.copy(deep=False)  # everyone's own, until it is changed

    @property
    def failures(self) -> pd.DataFrame:
        """The same of each run that failed, with its ``error`` in place of measures."""
        return self._failures.copy(deep=False)

    @property
    def engines(self) -> pd.DataFrame:
        """Each point with the ``engine`` that played its runs, and ``why`` not the batched one."""
        return self._engines.copy(deep=False)

    @property
    def complete(self) -> bool:
        """Whether every planned run was finished."""
        return len(self.frame) == self.planned

    @property
    def interrupted(self) -> bool:
        """Whether there are runs that were neither finished nor failed."""
        return len(self.frame) + len(self.failures) < self.planned

    @property
    def narrow(self) -> bool:
        """Whether every interval is as narrow as it was to be, of points with a finished run."""
        for measure, half_width in self.until.items():
            means = self.means(measure)
            # NaN, where there are too few runs for an interval, is not narrow.
            if not ((means["high"] - means["low"]) / 2 <= half_width).all():
                return False
        return True

    @property
    def measures(self) -> tuple[str, ...]:
        """What was measured in each run."""
        return _measures(self.frame.columns[len(self.settings) + 2 :])

    def is_share(self, measure: str) -> bool:
        """Whether a measure is a share, so that the frame has its part and whole too."""
        return f"{measure}{WHOLE}" in self.frame

    def means(self, *measures: str) -> pd.DataFrame:
        """Return the mean of each measure for each setting; of all measures if none is named.

        The columns are the varied settings, ``measure``, and what an
        :class:`~streamlet_lab.intervals.Interval` has: that of
        :func:`~streamlet_lab.intervals.share_interval` for a share, which pools all parts and all
        wholes, of :func:`~streamlet_lab.intervals.mean_interval` for another number. The rows of
        one measure stand together.
        """
        rows: list[tuple[Any, ...]] = []
        for measure in measures or self.measures:
            self._check(measure)
            for labels, runs in _groups(self.frame, self.settings):
                if self.is_share(measure):
                    estimate = share_interval(_shares(runs, measure))
                else:
                    estimate = mean_interval(runs[measure])
                rows.append((*labels, measure, *astuple(estimate)))
        return pd.DataFrame(rows, columns=[*self.settings, *_ESTIMATE])

    def difference(
        self, measure: str, setting: str, first: Any, second: Any, *, repeats: int | None = None
    ) -> pd.DataFrame:
        """Return the mean of ``second − first``, run by run with the same seed.

        The two runs of a pair differ in one setting, of which ``first`` and ``second`` are values
        as the frame has them. There are rows, as those of :meth:`means`, for each combination of
        the other settings. Of a share it is the difference of the pooled ones, with its interval
        over pairs of runs: see :func:`~streamlet_lab.intervals.share_difference`. With ``repeats``
        it is that of the first so many runs of each.
        """
        frame = self.frame
        if repeats is not None:
            frame = frame[frame["repeat"] < to_whole(repeats, 1, "repeats")]
        to_name(setting, self.settings, "setting")
        self._check(measure)
        sides = []
        for name, value in (("first", first), ("second", second)):
            here = frame[frame[setting] == value]
            if here.empty:
                raise InvalidInput(name, value, one_of(value, frame[setting].unique()))
            sides.append(here)
        others = [name for name in self.settings if name != setting]
        pairs = sides[0].merge(sides[1], on=[*others, "repeat"], suffixes=("", _SECOND))
        if pairs.empty:
            expected = f"one with runs that differ from those of {first!r} in {setting} alone"
            raise InvalidInput("second", second, expected)
        rows: list[tuple[Any, ...]] = []
        for labels, runs in _groups(pairs, others):
            if self.is_share(measure):
                estimate = share_difference(_shares(runs, measure), _shares(runs, measure, _SECOND))
            else:
                estimate = mean_interval(runs[measure + _SECOND] - runs[measure])
            rows.append((*labels, measure, *astuple(estimate)))
        return pd.DataFrame(rows, columns=[*others, *_ESTIMATE])

    def table(
        self, *measures: str, against: Mapping[str, Any] | None = None, digits: int = 1
    ) -> pd.DataFrame:
        """Return the means and their intervals as texts, ``"mean [low, high]"``, to be read.

        There is a row for each point and a column for each measure; shares are in percent. With
        ``against={"faults": "none"}`` rows such as ``"crash − none"`` follow: the
        :meth:`difference` of each other value of that setting.
        """
        rows = [self.means(*measures)]
        for setting, first in (against or {}).items():
            to_name(setting, self.settings, "against")
            for measure, second in product(measures or self.measures, self.frame[setting].unique()):
                if second != first:
                    gap = self.difference(measure, setting, first, second)
                    rows.append(gap.assign(**{setting: f"{second} − {first}"}))
        table = pd.concat(rows).set_index([*self.settings, "measure"])
        unit = [100 if self.is_share(key) else 1 for key in table.index.get_level_values(-1)]
        ends = table[["mean", "low", "high"]].mul(unit, axis=0).map(f"{{:z.{digits}f}}".format)
        texts = ends["mean"] + " [" + ends["low"] + ", " + ends["high"] + "]"
        return texts.unstack(sort=False) if self.settings else texts.to_frame("all runs")

    def to_parquet(self, path: str | Path) -> None:
        """Write the frame to a file of Parquet, which needs the extra ``parquet``.

        A column of labels that are not all numbers, or all texts, is written as texts.
        """
        frame = self.frame
        mixed = {name: str for name in self.settings if frame[name].dtype == object}
        write_parquet(to_path(path), frame.astype(mixed))

    def __repr__(self) -> str:
        over = f" over {_listed(self.settings)}" if self.settings else ""
        measured = _listed(self.measures) or "nothing"
        runs = f"{self.planned}" if self.complete else f"{len(self.frame)} of {self.planned}"
        begin = "interrupted: " if self.interrupted else ""
        wide = "" if self.frame.empty or self.narrow else "; intervals wider than they were to be"
        said = f"{begin}{runs} runs{over}{in_words(self.engines)}; measured: {measured}{wide}"
        return printable(said + self._failed())

    def _repr_html_(self) -> str:
        table = self.means().to_html(index=False, border=0, float_format="{:.6g}".format)
        return f"<p>{html.escape(repr(self))}</p>{table}"

    def _failed(self) -> str:
        if self.failures.empty:
            return ""
        return f"; {len(self.failures)} failed, the first with {self.failures['error'].iloc[0]}"

    def _check(self, measure: str) -> None:
        if self.frame.empty:
            expected = f"a sweep of which at least one run was finished{self._failed()}"
            raise InvalidInput("measure", measure, expected)
        to_name(measure, self.measures, "measure")


def sweep(
    base: Base,
    over: Over,
    *,
    repeats: int = 10,
    seed: int = 0,
    run: Run = run_experiment,
    measure: Measure | Sequence[str] = summary_numbers,
    until: Until | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    store: str | Path | None = None,
    progress: Progress | bool | None = None,
    on_error: OnError = "keep",
    engine: Engine = "full",
) -> Sweep:
    """Run some points of settings, several times each; ``docs/many_runs.md`` says more.

    Parameters
    ----------
    base : mapping, Experiment or ExperimentConfig
        What all runs have in common; a section's setting may be named ``"network.delta"``.
    over : mapping of str to values, list of mappings, or DataFrame
        A grid, of settings with values or with labels of values; or points one by one.
    repeats, seed : int
        Of each point. Repeat r has the same seed everywhere, drawn from ``seed``.
    run, measure : callable, or names of numbers
        From a configuration to a result; from that to numbers, shares or flags by name.
    until : number, or mapping of str to number, optional
        Go on until half of each interval is at most this, or there are so many ``repeats``.
    workers, executor : int, or concurrent.futures.Executor, optional
        Where runs take place: in so many processes of this machine, or there; else here.
    store : path, optional
        A file that keeps each finished run, from which the same study goes on.
    progress : callable or True, optional
        ``progress(done, total)`` is called after each run; True shows a bar.
    on_error : {"keep", "raise"}
        Whether a run that fails is one of the ``failures``, or ends the sweep.
    engine : {"full", "batched", "auto"}
        Which plays the runs; ``"auto"`` is the batched one where it can: `engines` tells.
    """
    place = to_place(workers, executor)
    keep = to_name(on_error, get_args(OnError), "on_error") == "keep"
    plan = make_plan(base, over, to_whole(seed, 0, "seed"))
    rounds = _rounds(until, to_whole(repeats, 1, "repeats", _MOST_RUNS // len(plan.points)))
    work = Work(to_function(run, "run"), to_measure(measure), plan.columns, keep)
    names = names_of(work.measure)
    if names and (run is run_experiment or measure is not summary_numbers):
        _goal(until, names)  # of any other measure the first run tells the names
    reasons = choose_engines(engine, plan, work)
    place = ByEngine(place, [not reason for reason in reasons])
    place.check(run=run, measure=work.measure, settings=plan.points)
    opened: Any = nullcontext()
    if store is not None:
        document = study_document(plan, run, work.measure, engine)
        opened = open_store(store, document, plan.columns)
    with opened as kept, told(progress) as report:
        runs = Runs(plan, work, place, kept, report, partial(_goal, until))
        interrupt = _make(runs, rounds, until)
        return replace(_swept(runs, until), interrupt=interrupt, _engines=table(plan, reasons))


def _make(runs: Runs, rounds: Iterable[int], until: Until | None) -> KeyboardInterrupt | None:
    """Make rounds of runs until every interval is narrow; return what ended it before."""
    try:
        with terminable():
            for repeats in rounds:
                runs.make(repeats)
                if until is not None and _swept(runs, until).narrow:
                    break
    except KeyboardInterrupt as error:
        return error
    return None


def _rounds(until: Until | None, repeats: int) -> list[int]:
    """Return how many repeats there are to be after each round."""
    if until is None:
        return [repeats]
    by_measure = until if isinstance(until, Mapping) else {"": until}
    for name, half_width in by_measure.items():
        to_number(half_width, 0, math.inf, f"until.{name}".rstrip("."), above=True)
    if not by_measure:
        raise InvalidInput("until", until, "half a width for at least one measure")
    if repeats <= _FIRST_LOOK:
        expected = f"more than {_FIRST_LOOK}: with until it is the most that a point may have"
        raise InvalidInput("repeats", repeats, expected)
    return looks(repeats)


def looks(repeats: int) -> list[int]:
    """Return after how many runs of each point intervals are judged, at most so many.

    >>> looks(100)
    [30, 45, 67, 100]
    """
    rounds = [_FIRST_LOOK]
    while rounds[-1] < repeats:
        rounds.append(min(int(rounds[-1] * _GROWTH), repeats))
    return rounds


def _swept(runs: Runs, until: Until | None) -> Sweep:
    """Return what there is by now."""
    settings, columns = runs.plan.settings, runs.plan.columns
    rows, failed = runs.rows()
    named = dict.fromkeys([*columns, *(name for row in rows for name in row)])
    frame = pd.DataFrame(rows, columns=[*named])
    failures = pd.DataFrame(failed, columns=[*columns, "error"])
    swept = Sweep(frame, settings, runs.planned, failures)
    goal = {} if frame.empty else _goal(until, swept.measures)
    return replace(swept, until=goal)


def _measures(numbers: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in numbers if not name.endswith((PART, WHOLE)))


def _goal(until: Until | None, numbers: Iterable[str]) -> dict[str, float]:
    """Return what half the widths of intervals are to be, by measures that there are."""
    measures = _measures(numbers)
    if until is None:
        return {}
    if not isinstance(until, Mapping):
        if len(measures) != 1:
            names = _listed(measures)
            raise InvalidInput("until", until, f"a mapping, since there are several: {names}")
        return {measures[0]: until}
    for measure in until:
        to_name(measure, measures, "until")
    return dict(until)


def _groups(
    frame: pd.DataFrame, settings: Sequence[str]
) -> Iterable[tuple[tuple[Any, ...], pd.DataFrame]]:
    """Return the rows of each combination of the settings, in their order."""
    if frame.empty:
        return []
    return frame.groupby([*settings], sort=False, dropna=False) if settings else [((), frame)]


def _shares(runs: pd.DataFrame, measure: str, end: str = "") -> list[Share | None]:
    columns = (runs[f"{measure}{what}{end}"] for what in (PART, WHOLE))
    return [Share(part, whole) if whole > 0 else None for part, whole in zip(*columns, strict=True)]


def _listed(names: Iterable[Any]) -> str:
    return ", ".join(map(str, names))
