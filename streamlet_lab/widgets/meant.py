"""The experiment that the controls mean, and what they say of an experiment."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final

from streamlet_lab.config import ED25519_TIMES, ExperimentConfig, make_config
from streamlet_lab.consensus.quorums import max_faulty
from streamlet_lab.errors import InvalidInput
from streamlet_lab.experiment import Experiment
from streamlet_lab.fault import read_faults
from streamlet_lab.prices import standard_sources
from streamlet_lab.texts import one_of
from streamlet_lab.units import format_duration, to_microseconds
from streamlet_lab.values import Section
from streamlet_lab.widgets.knob_table import FROM_MODEL, KNOBS, NO_RULE, TRADERS, Choice, Knob
from streamlet_lab.widgets.refusals import MICROSECONDS, check_together, in_words, read_value
from streamlet_lab.widgets.touches import Touch, read_touches, touched

_NONE: Final = {"quorum": FROM_MODEL, "prices.outlier_rule": NO_RULE}
_LAST: Final = "last"


def read_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what all controls say, by name; where settings are silent, the default.

    What an experiment takes and no control says is left out.
    """
    for name in settings:
        if name not in KNOBS and name not in ExperimentConfig.model_fields:
            raise InvalidInput("setting", name, one_of(name, KNOBS))
    values = {name: knob.default for name, knob in KNOBS.items()}
    values |= {name: read_value(name, settings[name]) for name in KNOBS if name in settings}
    if "min_sources" not in settings:
        values["min_sources"] = fewest_sources(values)
    return values


def fewest_sources(values: Mapping[str, Any]) -> Any:
    """Return how many sources a price needs by default."""
    sources, least = values["sources"], KNOBS["min_sources"].default
    if values["voter_policy"] != "evidence" or type(sources) is not int or sources < 1:
        return least
    return max(least, 2 * max_faulty(sources) + 1)


def experiment_of(
    settings: Mapping[str, Any], touches: Sequence[Touch | Mapping[str, Any]] = ()
) -> Experiment:
    """Return the experiment that settings mean, and what was done to its run.

    Raises
    ------
    InvalidInput
        In the words of the controls, if they mean none: ``field`` is the control to mark.
    """
    values = read_settings(settings)
    check_together(values)
    own = {name: settings[name] for name in settings if name not in KNOBS}
    try:
        config = make_config(**_together(_arguments(values), own))
    except InvalidInput as error:
        raise in_words(error, values) from None
    done = [each for each in touches if isinstance(each, Touch)]
    done += read_touches([each for each in touches if not isinstance(each, Touch)])
    return Experiment.from_config(touched(config, done))


def _together(said: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings of an experiment from the controls and beside them; the latter count."""
    both = {**said}
    for name, value in own.items():
        if name == "faults":
            both[name] = [*said.get(name, ()), *read_faults(value)]
        elif isinstance(value, Mapping) and name in said:
            both[name] = {**said[name], **value}
        else:
            both[name] = value
    return both


def _arguments(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is not the default of an experiment, as `Experiment` takes it."""
    settings: dict[str, Any] = {"signatures": values["signatures"]}
    defaults = {name: knob.default for name, knob in KNOBS.items()}
    defaults["min_sources"] = fewest_sources(values)
    for name, knob in KNOBS.items():
        if knob.path and values[name] != defaults[name]:
            _put(settings, knob.path, _meant(knob, values[name]))
    epoch, deltas = _microseconds(values["market_time"]), values["epoch_deltas"]
    if deltas != KNOBS["epoch_deltas"].default:
        settings["epoch_length"] = _duration(
            _decimal(deltas) * _decimal(values["delta_ms"]) * 1_000
        )
    faults = [*_faults(values)]
    if faults:
        settings["faults"] = faults
    if values["jump_percent"]:
        jump = {"at": values["jump_s"], "percent": values["jump_percent"]}
        _put(settings, "prices.jumps", [jump])
    for path, value in (*_network(values).items(), *_market(values, epoch).items()):
        _put(settings, path, value)
    return settings


def _microseconds(market_time: Any) -> int:
    return to_microseconds(market_time, "market_time_per_epoch")


def _put(settings: dict[str, Any], path: str, value: Any) -> None:
    section, dot, name = path.rpartition(".")
    (settings.setdefault(section, {}) if dot else settings)[name] = value


def _decimal(value: Any) -> Decimal:
    return Decimal(str(value))


def _duration(microseconds: Decimal) -> str:
    whole = int(microseconds)
    return format_duration(whole) if 0 <= whole == microseconds else f"{microseconds:f}us"


def _meant(knob: Knob, value: Any) -> Any:
    if knob.unit in MICROSECONDS:
        return _duration(_decimal(value) * MICROSECONDS[knob.unit])
    return value


def _faults(values: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for kind, count, epochs in (
        ("fault", "faulty", "fault_epochs"),
        ("lie", "lying", "lying_epochs"),
    ):
        start, stop = values[epochs]
        if not values[count] or start == stop:
            continue
        fault = {"kind": values[kind], "start": start}
        if stop is not None:
            fault["stop"] = stop
        # Nodes by their names, as who reads the code wants to know them.
        yield fault | (
            {"nodes": _faulty_nodes(values)} if kind == "fault" else {"count": values[count]}
        )


def _faulty_nodes(values: Mapping[str, Any]) -> list[str]:
    """Return the names of the faulty nodes: the last ones, or as far apart as they can be."""
    nodes, count = values["nodes"], values["faulty"]
    if values["placed"] == _LAST:
        return [f"node_{number}" for number in range(nodes - count, nodes)]
    return [f"node_{(number + 1) * nodes // count - 1}" for number in range(count)]


def _network(values: Mapping[str, Any]) -> dict[str, Any]:
    network: dict[str, Any] = {}
    start, stop = values["bad_s"]
    if start < stop:
        network["network.bad_periods"] = [{"start": start, "stop": stop}]
    start, stop = values["partition_s"]
    if start < stop:
        partition = {"start": start, "stop": stop, "groups": _halves(values)}
        if values["one_way"]:
            partition["one_way"] = True
        network["network.partitions"] = [partition]
    if values["slow_link_ms"]:
        delay = _duration(_decimal(values["slow_link_ms"]) * 1_000)
        network["network.link_delays"] = {"node_0>node_1": delay}
    if values["slow_node"] != KNOBS["slow_node"].default:
        network["network.slow_nodes"] = {"node_0": values["slow_node"]}
    if values["processing"]:
        network |= {f"network.{name}": time for name, time in ED25519_TIMES.items()}
    return network


def _halves(values: Mapping[str, Any]) -> list[list[str]]:
    """Return the halves of the honest nodes. Those who are faulty reach both.

    That is the worst case: an adversary who has the network has the faulty nodes too.
    """
    faulty = {*_faulty_nodes(values)} if values["faulty"] else set()
    names = [f"node_{number}" for number in range(values["nodes"])]
    honest = [name for name in names if name not in faulty]
    middle = len(honest) // 2
    return [honest[:middle], honest[middle:]]


def _market(values: Mapping[str, Any], epoch: int) -> dict[str, Any]:
    """Return the band, the reference and the traders; ``epoch`` is one, in market time."""
    market: dict[str, Any] = {}
    if values["stale"] != "keep":
        after = _duration(_decimal(values["stale_epochs"]) * epoch)
        market["market.band_parameters"] = {"stale": values["stale"], "stale_after": after}
    kind = values["reference"]
    if kind != KNOBS["reference"].default:
        # What the lab's own take follows the epoch: delayed by one, a mean of three.
        step = max(epoch // 10, 1)
        whole, window, step_text = map(format_duration, (epoch, 30 * step, step))
        parameters = {
            "delayed": {"delay": whole, "every": whole},
            "twap": {"window": window, "every": step_text, "check": step_text},
        }
        market["market.reference"] = {"kind": kind, "parameters": parameters.get(kind, {})}
    if any(values[kind] != KNOBS[kind].default for kind in TRADERS):
        market["market.traders"] = [
            {"kind": kind, "count": count, "rate": float(_decimal(values[kind]) / count)}
            for kind, count in TRADERS.items()
            if values[kind]
        ]
    return market


def to_settings(**given: Any) -> dict[str, Any]:
    """Return settings, as plain data, from those of controls and of `Experiment` by name.

    What a control says becomes its value; the rest stays beside the controls.

    >>> to_settings(nodes=7, network={"loss": 0.1, "held_together": True}, faulty=1)
    {'nodes': 7, 'faulty': 1, 'loss': 0.1, 'network': {'held_together': True}}
    """
    read_settings(given)
    settings = {name: read_value(name, given[name]) for name in given if name in KNOBS}
    own = {name: value for name, value in given.items() if name not in KNOBS}
    if not own:
        return settings
    config = experiment_of({**settings, **own}).config
    document = config.to_document()
    knobs = {knob.path: name for name, knob in KNOBS.items() if knob.path}
    for path in _paths(own):
        section, _, name = path.rpartition(".")
        value = getattr(getattr(config, section) if section else config, name)
        plain = (document[section] if section else document).get(name)
        said = _said(knobs[path], value, plain) if path in knobs else None
        if said is not None:
            settings[knobs[path]] = said
        elif name == "faults":
            settings[name] = plain[len(plain) - len(read_faults(own[name])) :] if plain else []
        else:
            _put(settings, path, plain)
    return settings


def _paths(own: Mapping[str, Any]) -> Iterable[str]:
    for name, value in own.items():
        if isinstance(value, Mapping) and name != "faults":
            yield from (f"{name}.{inner}" for inner in value)
        elif isinstance(value, Section):
            yield from (f"{name}.{inner}" for inner in value.model_fields_set)
        else:
            yield name


def _said(name: str, value: Any, plain: Any) -> Any:
    """Return what a control says for the value of its setting; None if it cannot say it."""
    knob = KNOBS[name]
    if name == "sources":
        return len(value) if value == standard_sources(len(value)) else None
    if value is None:
        return _NONE.get(knob.path)
    said = plain if isinstance(knob.shape, Choice) else value
    if name == "market_time":
        return duration_choice(knob, plain)
    if knob.unit in MICROSECONDS and isinstance(value, int):
        said = read_value_of(value, knob.unit)
    elif isinstance(value, Decimal):
        said = int(value) if value == int(value) else float(value)
    with suppress(InvalidInput):
        return read_value(name, said)
    return None


def read_value_of(microseconds: int, unit: str) -> int | float:
    """Return a duration as a number of units."""
    number = Decimal(microseconds) / MICROSECONDS[unit]
    return int(number) if number == int(number) else float(number)


def duration_choice(knob: Knob, duration: Any) -> Any:
    """Return the choice that is as long as a duration, or the duration."""
    assert isinstance(knob.shape, Choice)
    try:
        length = to_microseconds(duration)
    except InvalidInput:
        return duration
    same = (name for name in knob.shape.names() if to_microseconds(name) == length)
    return next(same, duration)
