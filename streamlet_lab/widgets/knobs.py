"""The controls of the bench, as data for the browser.

Settings are what controls say, by name: numbers, texts, truth values, and pairs of a start and a
stop. Where they are silent, the default counts. `describe` says everything that the browser needs
to show them, `experiment_of` makes the experiment that is meant.
"""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, Final

from streamlet_lab.config import to_code
from streamlet_lab.errors import InvalidInput
from streamlet_lab.experiment import Experiment
from streamlet_lab.kinds import registers
from streamlet_lab.widgets.field_docs import Bounds, bounds, meaning, plain, summary
from streamlet_lab.widgets.idle import given_beside, why_idle
from streamlet_lab.widgets.knob_table import KNOBS, SECTIONS, Choice, Knob, Stretch, Track
from streamlet_lab.widgets.meant import (
    duration_choice,
    experiment_of,
    fewest_sources,
    read_settings,
    to_settings,
)
from streamlet_lab.widgets.refusals import read_value
from streamlet_lab.widgets.words import write

__all__ = ["KNOBS", "as_code", "describe", "experiment_of", "read_settings", "to_settings"]

# A number in the browser is a float: a larger whole number goes as a text.
_EXACT: Final = 2**53
_MOST_LISTED: Final = 100


def describe(settings: Mapping[str, Any], touches: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """Return every control as plain data; settings that mean no experiment have one too.

    Each has ``name``, ``section`` (empty for what is always in sight), ``label``, ``kind``
    (``"slider"``, ``"number"``, ``"range"``, ``"choice"`` or ``"switch"``), ``low``, ``high``,
    ``step`` and ``scale`` (``"linear"`` or ``"log"``) of its track, ``unit``, ``default``,
    ``value``, ``choices`` (pairs of a value and a label), ``help``, ``idle`` (None, or why it has
    no effect now), and ``open``: whether the stop of a range may be None, which is never.
    """
    values = _readable(settings)
    beside = settings.keys() | ({"faults"} if touches else set())
    idle = dict(given_beside(settings)) | why_idle(values, beside)
    return [
        _describe(name, heading, values, settings, idle.get(name))
        for heading, knobs in SECTIONS.items()
        for name in knobs
    ]


def _readable(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what all controls say; what cannot be read counts as the default."""
    known = {}
    for name in KNOBS:
        if name in settings:
            try:
                known[name] = read_value(name, settings[name])
            except InvalidInput:
                continue
    return read_settings(known)


def _describe(
    name: str,
    section: str,
    values: Mapping[str, Any],
    settings: Mapping[str, Any],
    idle: str | None,
) -> dict[str, Any]:
    knob = KNOBS[name]
    is_setting = bool(knob.path) and isinstance(knob.shape, Track)
    ends = bounds(*knob.field) if is_setting and knob.field else Bounds()
    value = values[name]
    if name == "market_time":
        value = duration_choice(knob, value)
    low, high = _track(name, knob, values)
    return {
        "name": name,
        "section": section,
        "label": knob.label,
        "kind": knob.shape.kind,
        "low": low,
        "high": high,
        "step": knob.shape.step if isinstance(knob.shape, Track) else 1,
        "scale": knob.shape.scale if isinstance(knob.shape, Track) else "linear",
        "unit": knob.unit,
        "default": _default(name, values),
        "value": _exact(value),
        "choices": _choices(name, knob, value, values),
        "help": _help(name, knob, value, ends),
        "idle": idle,
        "open": isinstance(knob.shape, Stretch) and knob.shape.may_be_open,
    }


def _default(name: str, values: Mapping[str, Any]) -> Any:
    return fewest_sources(values) if name == "min_sources" else KNOBS[name].default


def _exact(value: Any) -> Any:
    return f"{value}" if type(value) is int and abs(value) > _EXACT else value


def _track(name: str, knob: Knob, values: Mapping[str, Any]) -> tuple[float, float]:
    """Return the ends of the track: they move apart for a value that lies beyond."""
    epochs, value = values["epochs"], values[name]
    if isinstance(knob.shape, Stretch):
        length = values["epoch_deltas"] * values["delta_ms"] / 1_000
        high = epochs if knob.unit == "epochs" else ceil(epochs * length)
        return 0, max(high, *(end for end in value if end is not None))
    if not isinstance(knob.shape, Track):
        return 0, 0
    most = {"faulty": "nodes", "lying": "sources", "min_sources": "sources"}.get(name)
    high = knob.shape.high if most is None else values[most]
    low = min(knob.shape.low, value)
    if knob.shape.scale == "log" and low <= 0:
        low = knob.shape.low
    return low, max(high, value)


def _choices(name: str, knob: Knob, value: Any, values: Mapping[str, Any]) -> list[list[Any]]:
    if not isinstance(knob.shape, Choice):
        return []
    names: list[Any] = [*knob.shape.names()]
    if name == "quorum":
        names += range(1, min(values["nodes"], _MOST_LISTED) + 1)
    if value not in names:
        names.append(value)
    return [[each, _choice_label(name, each)] for each in names]


def _choice_label(name: str, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    label = write(value)
    return f"{label} an epoch" if name == "market_time" and label == value else label


def _help(name: str, knob: Knob, value: Any, ends: Bounds) -> str:
    """Return what a control means, what its chosen kind does, and its range."""
    register, kind = "trader_kind", name
    if isinstance(knob.shape, Choice):
        register, kind = knob.shape.register, value
    known = registers()[register] if register else {}
    about = summary(known[kind]) if isinstance(kind, str) and kind in known else ""
    if isinstance(knob.shape, Choice) and about:
        about = f"{write(kind)[:1].upper()}{write(kind)[1:]}: {about}"
    text = knob.doc if isinstance(knob.doc, str) and knob.doc else ""
    if not text and knob.field is not None:
        text = meaning(*knob.field)
    return plain(" ".join(filter(None, (text[:1].upper() + text[1:], about, f"{ends}"))))


def as_code(experiment: Experiment) -> str:
    """Return the exact call that makes an experiment."""
    return to_code(experiment.config)
