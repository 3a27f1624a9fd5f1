"""The points of a sweep: what is varied, and the configuration of each; and how each run is seeded.

They are every combination of a grid, or a list of them, or the rows of a frame, which
:func:`quasi_random` makes too.
"""

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from streamlet_lab.config import ExperimentConfig, given_settings, make_config, with_setting
from streamlet_lab.errors import InvalidInput
from streamlet_lab.experiment import Experiment
from streamlet_lab.streams import stream
from streamlet_lab.texts import one_of
from streamlet_lab.units import to_python
from streamlet_lab.values import kind_name

#: What a setting takes: its values, or a mapping of labels to values.
Values = Iterable[Any] | Mapping[Any, Any]
#: What a sweep varies: a grid of values, or points one by one.
Over = Mapping[str, Values] | Sequence[Mapping[str, Any]] | pd.DataFrame
#: What all runs have in common.
Base = Mapping[str, Any] | Experiment | ExperimentConfig

_Document = dict[str, Any]
_Labelled = tuple[Any, Any]  # a label and the value that it stands for

_REPEAT: Final = ("repeat", "seed")
# Each is a configuration that is checked before anything runs, which takes about a millisecond.
_MOST_POINTS: Final = 100_000


class Point(NamedTuple):
    """A point: its labels by setting, and what it is run with but for the seed."""

    labels: dict[str, Any]
    config: ExperimentConfig


@dataclass(frozen=True)
class Plan:
    """All runs that there may be of a sweep, numbered round after round of all points.

    So the number of a run does not depend on how many repeats there are.
    """

    settings: tuple[str, ...]
    points: Sequence[Point]
    seed: int
    _seeds: dict[int, int] = field(default_factory=dict)  # of repeats, once they are drawn

    @property
    def columns(self) -> tuple[str, ...]:
        """What a run is known by."""
        return (*self.settings, *_REPEAT)

    def row(self, number: int) -> dict[str, Any]:
        """Return what a run is known by."""
        repeat, point = divmod(number, len(self.points))
        return {**self.points[point].labels, "repeat": repeat, "seed": self._seed(repeat)}

    def config(self, number: int) -> ExperimentConfig:
        """Return what is run."""
        repeat, point = divmod(number, len(self.points))
        return self.points[point].config.model_copy(update={"seed": self._seed(repeat)})

    def _seed(self, repeat: int) -> int:
        """Return the seed that a repeat has at every point."""
        if repeat not in self._seeds:
            self._seeds[repeat] = stream(self.seed, f"sweep/{repeat}").getrandbits(63)
        return self._seeds[repeat]


def make_plan(base: Base, over: Over, seed: int) -> Plan:
    """Return the plan of a sweep, or refuse the first setting that is wrong."""
    common = _common(base)
    if isinstance(over, Mapping):
        settings = _settings(over)
        columns = [_of_grid(name, values) for name, values in over.items()]
        count = math.prod(map(len, columns))
        combinations: Iterable[tuple[_Labelled, ...]] = product(*columns)
    else:
        rows = _rows(over)
        settings, count = _settings(rows[0]), len(rows)
        combinations = _of_rows(settings, rows)
    if count > _MOST_POINTS:
        raise InvalidInput("over", f"{count:,} points", f"at most {_MOST_POINTS:,}")
    points = []
    for combination in combinations:
        document, labels = common, {}
        for name, (label, value) in zip(settings, combination, strict=True):
            document, labels[name] = with_setting(document, name, value), label
        points.append(Point(labels, make_config(**document)))
    return Plan(settings, points, seed)


def _of_grid(name: str, values: Values) -> list[_Labelled]:
    """Return the values of a setting, each after its label."""
    # The order of a set may differ between two runs of Python.
    if isinstance(values, str | Set) or not isinstance(values, Iterable):
        raise InvalidInput(f"over.{name}", values, "a list of values, or labels with values")
    pairs = values.items() if isinstance(values, Mapping) else ((value, value) for value in values)
    labelled = [(_label(label), value) for label, value in pairs]
    if not labelled or len({label for label, _ in labelled}) < len(labelled):
        raise InvalidInput(f"over.{name}", values, "at least one value, each with its own label")
    return labelled


def _rows(over: Any) -> Sequence[Mapping[str, Any]]:
    """Return points that were given one by one."""
    if isinstance(over, pd.DataFrame):
        if not over.columns.is_unique:
            raise InvalidInput("over", [*over.columns], "each setting in one column")
        # Also what is missing among whole numbers is NaN: None may be a value.
        over = over.astype(object).where(over.notna(), math.nan).to_dict("records")
    expected = "values by setting, such as {'nodes': [4, 7]}, or a list or frame of points"
    is_list = isinstance(over, Sequence) and not isinstance(over, str)
    if not is_list or not over or not all(isinstance(row, Mapping) for row in over):
        raise InvalidInput("over", over, expected)
    rows: Sequence[Mapping[str, Any]] = over
    return rows


def _of_rows(
    settings: tuple[str, ...], rows: Sequence[Mapping[str, Any]]
) -> list[tuple[_Labelled, ...]]:
    """Return points that were given one by one, which all have the same settings."""
    seen: dict[tuple[Hashable, ...], int] = {}
    points = []
    for number, row in enumerate(rows):
        place = f"over[{number}]"
        for name in (*settings, *row):
            if name not in row:
                raise InvalidInput(f"{place}.{name}", dict(row), "a value, as other points have")
            if name not in settings:
                expected = one_of(name, settings, "one of the settings of the first point")
                raise InvalidInput(place, name, expected)
        values: list[Any] = [to_python(row[name]) for name in settings]
        for name, value in zip(settings, values, strict=True):
            if value is not None and pd.api.types.is_scalar(value) and pd.isna(value):
                raise InvalidInput(f"{place}.{name}", row[name], "a value; it is missing here")
        labels = tuple(map(_label, values))
        if labels in seen:
            raise InvalidInput(place, dict(row), f"another point than over[{seen[labels]}]")
        seen[labels] = number
        points.append(tuple(zip(labels, values, strict=True)))
    return points


def _settings(names: Iterable[str]) -> tuple[str, ...]:
    """Return what is varied: no section after one of its settings, which would be replaced."""
    settings = tuple(names)
    for number, name in enumerate(settings):
        if name == "seed":
            raise InvalidInput("over", name, "another setting; repeats vary the seed")
        for earlier in settings[:number]:
            if str(earlier).startswith(f"{name}."):
                raise InvalidInput("over", name, f"before {earlier}, which it would replace")
    return settings


def _label(value: object) -> str | int | float:
    """Return a value as the frame has it: as it is if it is plain, or as its name or text."""
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, str | int | float):
        return plain
    return kind_name(plain) if callable(plain) else str(plain)


def _common(base: Base) -> _Document:
    config = base.config if isinstance(base, Experiment) else base
    if isinstance(config, ExperimentConfig):
        return given_settings(config)
    if not isinstance(config, Mapping):
        raise InvalidInput("base", base, "settings by name, an Experiment or its configuration")
    document: _Document = {}
    for name, value in config.items():
        document = with_setting(document, name, value)
    return document
