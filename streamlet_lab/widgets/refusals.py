"""What is wrong with settings, in the words of the controls: which one it is, and the way out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from streamlet_lab.errors import InvalidInput, shown
from streamlet_lab.matching import band_parameters, bands
from streamlet_lab.texts import one_of
from streamlet_lab.units import read_amount, to_python, to_whole
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
    if number is None:
        raise _no(name, value, "a number")
    if not isinstance(value, int | float):
        value = int(number) if number == int(number) else float(number)
    is_count = (
        knob.unit == "epochs"
        if isinstance(knob.shape, Stretch)
        else isinstance(knob.shape, Track) and knob.shape.is_count
    )
    if not is_count:
        return value
    low, high, _ = bounds(*knob.field) if knob.field else Bounds()
    try:
        return to_whole(value, int(low or 0), name, None if high is None else int(high))
    except InvalidInput as error:
        raise _no(name, value, error.expected) from None


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
            if start < 0 or (stop is not None and stop < start):
                unit = "" if knob.unit == "epochs" else f" {knob.unit}"
                low = max(start, 0)
                yield (
                    name,
                    (
                        f"it cannot last from {write(start)}{unit} to {write(stop)}{unit}. "
                        f"Begin at 0 or later, and stop at {write(low)}{unit} or later."
                    ),
                )


def _rates(values: Mapping[str, Any]) -> Iterator[Wrong]:
    for name in TRADERS:
        if values[name] < 0:
            yield (
                name,
                (f"{said(KNOBS[name], values[name])} is less than never. Set it to 0 or more."),
            )


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
    _rates,
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
    knob = KNOBS[name]
    what = f"{said(knob, values[name])} is not valid; expected {error.expected}."
    return Refused(name, values[name], what)


def said(knob: Knob, value: Any) -> str:
    """Write a value with its unit."""
    unit = knob.unit if isinstance(knob.shape, Track | Stretch) else ""
    return f"{write(value)} {unit}".strip()


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
