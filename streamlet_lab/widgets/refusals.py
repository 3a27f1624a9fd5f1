"""What is wrong with settings, in the words of the controls: which one it is, and the way out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from streamlet_lab.errors import InvalidInput, shown
from streamlet_lab.matching import band_parameters, bands
from streamlet_lab.texts import one_of
from streamlet_lab.units import read_amount, to_python
from streamlet_lab.widgets.field_docs import Bounds, bounds
from streamlet_lab.widgets.knob_table import (
    KNOBS,
    PLACES,
    TRADERS,
    Choice,
    Knob,
    Stretch,
    Switch,
    Track,
)
from streamlet_lab.widgets.words import write

# Choices that may be other texts, too.
_OPEN: Final = ("quorum", "market_time", "feed")

# Choices that a configuration has as None.
_NONE: Final = ("quorum", "outlier_rule")

#: The units of durations, in microseconds.
MICROSECONDS: Final = {"ms": 1_000, "s": 1_000_000}
# No duration has more microseconds, and no count is larger.
_MOST: Final = 2**63 - 1
# What all else is below; a configuration may know better.
_LARGE: Final = 10**9
# How a configuration begins to say which durations it takes.
_OF_DURATIONS: Final = ("a duration", "seconds")
# The units of durations that are multiples of others.
_LENGTHS: Final = ("Δ", "epochs")

#: What is wrong: the control to mark, and the sentence.
Wrong = tuple[str, str]


class Refused(InvalidInput):
    """Settings that make no experiment; ``field`` is the control to mark.

    Parameters
    ----------
    field : str
    value : object
        What the control says.
    sentence : str
        What is wrong and the way out, without the label.
    """

    def __init__(self, field: str, value: object, sentence: str) -> None:
        super().__init__(field, value, sentence)
        label = KNOBS[field].label if field in KNOBS else field
        self.args = (f"{label}: {sentence}",)


def read_value(name: str, value: object) -> Any:
    """Return what a control says as plain data, or refuse what its kind cannot say.

    Whether the experiment takes it is for the configuration to say.
    """
    knob, value = KNOBS[name], to_python(value)
    match knob.shape:
        case Switch():
            if not isinstance(value, bool):
                raise _no(name, value, "True or False")
        case Track():
            return _number(name, value)
        case Stretch(may_be_open):
            if not isinstance(value, list | tuple) or len(value) != 2:
                raise _no(name, value, "a start and a stop")
            stop = value[1]
            is_open = may_be_open and stop is None
            return [_number(name, value[0]), None if is_open else _number(name, stop)]
        case Choice():
            is_none = value is None and name in _NONE
            return _choice(name, knob.default if is_none else value)
    return value


def _choice(name: str, value: object) -> Any:
    """Return a name, or what else a configuration takes in the place of one."""
    shape = KNOBS[name].shape
    assert isinstance(shape, Choice)
    names = shape.names()
    if name == "leaders" and isinstance(value, str) and value not in names:
        value = [part.strip() for part in value.split(",")]
    match value:
        case str() if value in names or name in _OPEN:
            return value
        case int() | float() if name == "market_time" and not isinstance(value, bool):
            return f"{value}s"
        case int() if name == "quorum" and not isinstance(value, bool):
            return value
        case list() | tuple() if name == "leaders" and all(isinstance(n, str) for n in value):
            return [*value]
    raise _no(name, value, one_of(value, names))


def _number(name: str, value: object) -> int | float:
    """Return a number as it was typed; a text has those that no float has."""
    knob = KNOBS[name]
    number = None if isinstance(value, bool) else read_amount(value)
    is_whole = _is_count(knob)
    low, high, _ = limits(knob)
    least = -_LARGE if low is None else low
    most = (_MOST if is_whole else _LARGE) if high is None else high
    # What is too large is never made a whole number: of a million digits that takes minutes.
    if number is None or not least <= number <= most or (is_whole and number != int(number)):
        is_far = number is not None and (number > most or low is None)
        ends = _ends(least, most) if is_far else _ends(low, high)
        unit = f" {knob.unit}" if knob.unit in MICROSECONDS else ""
        point = ", with a decimal point" if "," in f"{value}" else ""
        raise _no(name, value, f"a {'whole ' * is_whole}number{ends}{unit}{point}")
    if isinstance(value, int | float) and not is_whole:
        return value
    return int(number) if number == int(number) else float(number)


def _ends(low: float | None, high: float | None) -> str:
    least, most = (
        f"{end:,}" if isinstance(end, int) else f"{end:,.12g}" for end in (low or 0, high or 0)
    )
    if high is None:
        return "" if low is None else f" of at least {least}"
    return f" from {least} to {most}"


def _is_count(knob: Knob) -> bool:
    if isinstance(knob.shape, Stretch):
        return knob.unit == "epochs"
    return isinstance(knob.shape, Track) and knob.shape.is_count


def limits(knob: Knob) -> Bounds:
    """Return the least and the most that a number may be, in the unit of the control."""
    low, high, is_duration = bounds(*knob.field) if knob.field else Bounds()
    size = MICROSECONDS.get(knob.unit)
    if size is not None:
        return Bounds((low or 0) / size, (_MOST if high is None else high) // size)
    if is_duration:  # in another unit than the control's
        low = high = None
    may_be_less = isinstance(knob.shape, Track) and knob.shape.low < 0
    return Bounds(0 if low is None and not may_be_less else low, high)


def _no(name: str, value: object, expected: str) -> Refused:
    return Refused(name, value, f"{shown(value)} is not valid; expected {expected}.")


def check_together(values: Mapping[str, Any]) -> None:
    """Refuse the first combination of settings that makes no experiment."""
    for find in _FINDERS:
        for name, sentence in find(values):
            raise Refused(name, values[name], sentence)


def _faulty(values: Mapping[str, Any]) -> Iterator[Wrong]:
    for name, of in (("faulty", "nodes"), ("lying", "sources")):
        count, most = values[name], values[of]
        if count > most:
            yield (
                name,
                (
                    f"{write(count)} are more than there are {of}, {write(most)}. "
                    f"Lower {KNOBS[name].label} to {write(most)} or raise {of} to {write(count)}."
                ),
            )


def _sources(values: Mapping[str, Any]) -> Iterator[Wrong]:
    there, least = values["sources"], values["min_sources"]
    if there < least:
        yield (
            "sources",
            (
                f"{write(there)} is fewer than min. sources, {write(least)}. "
                f"Lower min. sources to {write(there)} or raise sources to {write(least)}."
            ),
        )


def _quorum(values: Mapping[str, Any]) -> Iterator[Wrong]:
    votes, nodes = values["quorum"], values["nodes"]
    if isinstance(votes, int) and votes > nodes:
        yield (
            "quorum",
            (
                f"{votes} votes are more than there are nodes, {write(nodes)}. "
                f"Lower quorum to {write(nodes)} or raise nodes to {votes}."
            ),
        )


def _stretches(values: Mapping[str, Any]) -> Iterator[Wrong]:
    for name, knob in KNOBS.items():
        if isinstance(knob.shape, Stretch):
            start, stop = values[name]
            if stop is not None and stop < start:
                unit = "" if knob.unit == "epochs" else f" {knob.unit}"
                span = f"from {write(start)}{unit} to {write(stop)}{unit}"
                yield name, f"it cannot last {span}. Stop at {write(start)}{unit} or later."


def _partition(values: Mapping[str, Any]) -> Iterator[Wrong]:
    start, stop = values["partition_s"]
    honest = values["nodes"] - values["faulty"]
    if start < stop and honest < 2:
        there = f"{write(honest)} of {write(values['nodes'])}" if values["faulty"] else "1"
        fewer = " or lower faulty nodes" if values["faulty"] else ""
        yield (
            "partition_s",
            (
                f"it keeps two halves of the honest nodes apart, and there is {there}. "
                f"Raise nodes{fewer}, or set the partition to 0 s to 0 s."
            ),
        )


def _slow_link(values: Mapping[str, Any]) -> Iterator[Wrong]:
    if values["slow_link_ms"] and values["nodes"] < 2:
        yield "slow_link_ms", ("there is no node 1. Raise nodes to 2, or set this delay to 0 ms.")


def _stale(values: Mapping[str, Any]) -> Iterator[Wrong]:
    band, stale = values["band"], values["stale"]
    if stale != "keep" and band in bands() and "stale" not in band_parameters(band):
        yield (
            "stale",
            (
                f"the band {write(band)} has no rule for an old price. "
                "Set stale price to keep, or the band to consensus."
            ),
        )


_FINDERS: Final[Sequence[Callable[[Mapping[str, Any]], Iterator[Wrong]]]] = (
    _stretches,
    _faulty,
    _sources,
    _quorum,
    _partition,
    _slow_link,
    _stale,
)


def in_words(error: InvalidInput, values: Mapping[str, Any]) -> InvalidInput:
    """Return what a configuration refuses in the words of the control that it is about.

    What no control says stays what it is.
    """
    name = _control(error, values)
    if name is None:
        return error
    knob, value, expected = KNOBS[name], values[name], error.expected
    if isinstance(knob.shape, Choice):
        said = shown(value)
    else:
        said = f"{write(value)} {knob.unit}".strip()
        # A configuration takes texts with units; here there is one unit.
        if knob.unit in (*MICROSECONDS, *_LENGTHS) and expected.startswith(_OF_DURATIONS):
            expected = (
                f"more than 0 {knob.unit}" if value == 0 else "a whole number of microseconds"
            )
    return Refused(name, value, f"{said} is not valid; expected {expected}.")


def _control(error: InvalidInput, values: Mapping[str, Any]) -> str | None:
    """Return the control of the setting that an error names."""
    place, *_ = error.field.partition(":")
    if place.startswith("faults"):
        return _fault_control(place, values)
    if place.startswith("market.traders."):
        kinds = [kind for kind in TRADERS if values[kind]]
        _, _, number, *_ = place.split(".")
        return kinds[int(number)] if number.isdecimal() else number if number in TRADERS else None
    return control_of(place)


def control_of(place: str) -> str | None:
    """Return the control of a setting, or of the nearest one around it."""
    if place in ("network.samples", "network.shortest_delay"):
        return "delays" if place.endswith("samples") else "median_delay_ms"
    while place:
        for name, path in PLACES.items():
            if path == place:
                return name
        place = place.rpartition(".")[0]
    return None


def _fault_control(place: str, values: Mapping[str, Any]) -> str | None:
    """Return the control of a fault: that of nodes is the first, that of sources the next."""
    node, source = bool(values["faulty"]), bool(values["lying"])
    if node and not (source and place.startswith("faults.1")):
        return "fault"
    return "lie" if source else None
