"""Repeated runs: a grid of settings, each run with the same seeds, and means with intervals.

Every repeat has one seed for the whole grid (common random numbers): two settings are compared on
the same prices, delays and traders, which :meth:`Sweep.difference` turns into narrow intervals.
"""

import html
from collections.abc import Iterable, Mapping, Sequence, Set
from concurrent.futures import Executor
from dataclasses import astuple, dataclass, field, fields
from itertools import product
from typing import Any, Final, Literal, get_args

import numpy as np
import pandas as pd

from streamlet_lab.config import ExperimentConfig, make_config, with_setting
from streamlet_lab.errors import InvalidInput
from streamlet_lab.experiment import Experiment
from streamlet_lab.intervals import Interval, Share, mean_interval, share_difference, share_interval
from streamlet_lab.repeats import PART, WHOLE, Measure, Outcome, Row, Run, check_shares, make_runs
from streamlet_lab.simulator import Progress
from streamlet_lab.streams import stream
from streamlet_lab.texts import one_of, printable
from streamlet_lab.units import to_name, to_whole

#: What a setting takes: its values, or a mapping of labels to values.
Values = Iterable[Any] | Mapping[Any, Any]

#: Whether a run that fails is kept, with its error, or ends the sweep.
OnError = Literal["keep", "raise"]

_Document = dict[str, Any]

_SECOND: Final = " of second"
_ESTIMATE: Final = ("measure", *(each.name for each in fields(Interval)))


@dataclass(frozen=True, eq=False, repr=False)
class Sweep:
    """The runs of a sweep.

    Attributes
    ----------
    settings : tuple of str
        The varied settings, which are the first columns.
    planned : int
        How many runs there were to be.
    """

    _frame: pd.DataFrame
    settings: tuple[str, ...]
    planned: int
    _failures: pd.DataFrame = field(default_factory=pd.DataFrame)

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
    def complete(self) -> bool:
        """Whether every planned run was finished."""
        return len(self.frame) == self.planned

    @property
    def interrupted(self) -> bool:
        """Whether there are runs that were neither finished nor failed."""
        return len(self.frame) + len(self.failures) < self.planned

    @property
    def measures(self) -> tuple[str, ...]:
        """What was measured in each run."""
        measured = self.frame.columns[len(self.settings) + 2 :]
        return tuple(name for name in measured if not name.endswith((PART, WHOLE)))

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

    def difference(self, measure: str, setting: str, first: Any, second: Any) -> pd.DataFrame:
        """Return the mean of ``second − first``, run by run with the same seed.

        The two runs of a pair differ in one setting, of which ``first`` and ``second`` are values
        as the frame has them. There are rows, as those of :meth:`means`, for each combination of
        the other settings. Of a share it is the difference of the pooled ones, with its interval
        over pairs of runs: see :func:`~streamlet_lab.intervals.share_difference`.
        """
        to_name(setting, self.settings, "setting")
        self._check(measure)
        sides = []
        for name, value in (("first", first), ("second", second)):
            here = self.frame[self.frame[setting] == value]
            if here.empty:
                raise InvalidInput(name, value, one_of(value, self.frame[setting].unique()))
            sides.append(here)
        others = [name for name in self.settings if name != setting]
        pairs = sides[0].merge(sides[1], on=[*others, "repeat"], suffixes=("", _SECOND))
        rows: list[tuple[Any, ...]] = []
        for labels, runs in _groups(pairs, others):
            if self.is_share(measure):
                estimate = share_difference(_shares(runs, measure), _shares(runs, measure, _SECOND))
            else:
                estimate = mean_interval(runs[measure + _SECOND] - runs[measure])
            rows.append((*labels, measure, *astuple(estimate)))
        return pd.DataFrame(rows, columns=[*others, *_ESTIMATE])

    def __repr__(self) -> str:
        over = f" over {_listed(self.settings)}" if self.settings else ""
        measured = _listed(self.measures) or "nothing"
        runs = f"{self.planned}" if self.complete else f"{len(self.frame)} of {self.planned}"
        begin = "interrupted: " if self.interrupted else ""
        return printable(f"{begin}{runs} runs{over}; measured: {measured}{self._failed()}")

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


def run_experiment(config: ExperimentConfig) -> Any:
    """Run the whole system: what a sweep runs unless told otherwise."""
    return Experiment.from_config(config).run()


def summary_numbers(result: Any) -> dict[str, float | None]:
    """Return what a sweep measures unless told otherwise: the numbers of ``result.summary``.

    Settings that the summary repeats are left out.
    """
    summary = getattr(result, "summary", None)
    if not isinstance(summary, Mapping):
        raise InvalidInput("run", result, "a result with a summary, or a measure of your own")
    return {
        name: value
        for name, value in summary.items()
        if isinstance(value, int | float | None) and name not in ExperimentConfig.model_fields
    }


def sweep(
    base: Mapping[str, Any] | Experiment | ExperimentConfig,
    over: Mapping[str, Values],
    *,
    repeats: int = 10,
    seed: int = 0,
    run: Run = run_experiment,
    measure: Measure = summary_numbers,
    progress: Progress | None = None,
    executor: Executor | None = None,
    on_error: OnError = "keep",
) -> Sweep:
    """Run every combination of some settings, several times each.

    An interrupt or SIGTERM loses nothing that was finished: each repeat goes round the whole grid.

    Parameters
    ----------
    base : mapping, Experiment or ExperimentConfig
        The settings that all runs have in common, but for the seed. In a mapping a section's
        setting may be written with a dot, ``"network.delta"``.
    over : mapping of str to values
        The settings to vary, the first varying slowest, each with its values or a mapping of labels
        to values; the frame has the label, or the value if it is plain, or its text.
    repeats, seed : int
        Of each combination. Repeat r has the same seed everywhere, drawn from ``seed``.
    run, measure : callable, optional
        From an :class:`~streamlet_lab.config.ExperimentConfig` to a result, and from that to
        numbers by name. A :class:`~streamlet_lab.intervals.Share` is pooled over the runs, with the
        interval of a share; true and false count as the share of runs.
    progress : callable, optional
        ``progress(done, total)`` is called after each run.
    executor : concurrent.futures.Executor, optional
        Where the runs take place; here, one after the other, unless given. Another process must be
        able to import ``run`` and ``measure``, and knows only what is registered there.
    on_error : {"keep", "raise"}
        What becomes of a run that fails, or whose measure does: it is one of the ``failures``, with
        a warning for the first; or its error is raised.

    Raises
    ------
    InvalidInput
        For the first setting that is wrong, before anything runs.

    Examples
    --------
    >>> faults = {"none": {}, "one silent": {"node_3": "silent_leader"}}
    >>> swept = sweep({"epochs": 12, "market.traders": 0}, over={"faults": faults}, repeats=2)
    >>> swept.means("finalized_blocks")[["faults", "mean", "n"]]
           faults  mean  n
    0        none  11.0  2
    1  one silent   8.0  2
    """
    repeats = to_whole(repeats, 1, "repeats", 1_000_000)
    keep = to_name(on_error, get_args(OnError), "on_error") == "keep"
    plan = _plan(_grid(base, over), repeats, seed)
    outcomes = make_runs(plan, run, measure, keep=keep, progress=progress, executor=executor)
    return _swept(check_shares(outcomes, keep=keep), tuple(over), len(plan), repeats)


def _plan(
    grid: Sequence[tuple[Row, ExperimentConfig]], repeats: int, seed: int
) -> list[tuple[Row, ExperimentConfig]]:
    """Go round the grid with one seed after another."""
    seeds = [stream(seed, f"sweep/{repeat}").getrandbits(63) for repeat in range(repeats)]
    return [
        ({**labels, "repeat": repeat, "seed": seed}, config.model_copy(update={"seed": seed}))
        for repeat, seed in enumerate(seeds)
        for labels, config in grid
    ]


def _swept(
    outcomes: Sequence[Outcome], settings: tuple[str, ...], planned: int, repeats: int
) -> Sweep:
    """Put the rows into the order of the grid."""
    points = planned // repeats
    ordered = [outcome for point in range(points) for outcome in outcomes[point::points]]
    rows = [row for row, error in ordered if not error]
    failed = [{**row, "error": error} for row, error in ordered if error]
    known = (*settings, "repeat", "seed")
    columns = dict.fromkeys([*known, *(name for row in rows for name in row)])
    frame = pd.DataFrame(rows, columns=[*columns])
    return Sweep(frame, settings, planned, pd.DataFrame(failed, columns=[*known, "error"]))


def _grid(
    base: Mapping[str, Any] | Experiment | ExperimentConfig, over: Mapping[str, Values]
) -> list[tuple[Row, ExperimentConfig]]:
    """Return every combination: its labels, and its configuration."""
    if not isinstance(over, Mapping):
        raise InvalidInput("over", over, "values by setting, such as {'nodes': [4, 7]}")
    common = _common(base)
    grid = []
    for combination in product(*(_labelled(name, values) for name, values in over.items())):
        labels = {name: label for name, (label, _) in zip(over, combination, strict=True)}
        document = common
        for name, (_, value) in zip(over, combination, strict=True):
            document = with_setting(document, name, value)
        grid.append((labels, make_config(**document)))
    return grid


def _common(base: Mapping[str, Any] | Experiment | ExperimentConfig) -> _Document:
    config = base.config if isinstance(base, Experiment) else base
    if isinstance(config, ExperimentConfig):
        document: _Document = _with_functions(config.to_document(), config)
        document["feed"] = config.feed  # it may be a frame
        if "epoch_length" not in config.model_fields_set:
            del document["epoch_length"]  # nobody set it: it is to follow Δ where that is varied
        return document
    if not isinstance(config, Mapping):
        raise InvalidInput("base", base, "settings by name, an Experiment or its configuration")
    document = {}
    for name, value in config.items():
        document = with_setting(document, name, value)
    return document


def _with_functions(document: Any, setting: object) -> Any:
    """Return settings with the functions themselves, of which a document has only the names."""
    if isinstance(document, dict):
        if not isinstance(setting, Mapping):
            setting = {name: getattr(setting, name, None) for name in document}
        return {name: _with_functions(value, setting.get(name)) for name, value in document.items()}
    if isinstance(document, list) and isinstance(setting, tuple | list):
        return [_with_functions(one, its) for one, its in zip(document, setting, strict=True)]
    return setting if callable(setting) else document


def _labelled(name: str, values: Values) -> list[tuple[Any, Any]]:
    """Return the values of a setting, each after its label."""
    if name == "seed":
        raise InvalidInput("over", name, "another setting; repeats vary the seed")
    # The order of a set may differ between two runs of Python.
    if isinstance(values, str | Set) or not isinstance(values, Iterable):
        raise InvalidInput(f"over.{name}", values, "a list of values, or labels with values")
    pairs = values.items() if isinstance(values, Mapping) else ((value, value) for value in values)
    labelled = []
    for label, value in pairs:
        plain = label.item() if isinstance(label, np.generic) else label
        labelled.append((plain if isinstance(plain, str | int | float) else str(plain), value))
    if not labelled or len({label for label, _ in labelled}) < len(labelled):
        raise InvalidInput(f"over.{name}", values, "at least one value, each with its own label")
    return labelled


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
