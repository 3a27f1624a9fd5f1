"""Configurations as the code that makes them: short, and laid out as formatters of Python do."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final

from streamlet_lab.config.experiment_config import ExperimentConfig
from streamlet_lab.config.loading import read_settings
from streamlet_lab.errors import InvalidInput
from streamlet_lab.fault import Fault
from streamlet_lab.prices import standard_sources
from streamlet_lab.values import CALLABLE, Section

_WIDEST: Final = 88
_INDENT: Final = 4

# Settings whose default depends on others.
_DEPENDENT: Final = ("symbols", "epoch_length", "prices.min_sources")


def to_code(config: ExperimentConfig, name: str = "sl.Experiment") -> str:
    """Return the call of `Experiment` that has this configuration.

    Only what is not the default is said. A function of one's own stands there by its name; a frame
    as a text that no experiment takes.

    >>> print(to_code(ExperimentConfig(faults={"node_3": "crash@4"}, network={"gst": 20})))
    sl.Experiment(faults={"node_3": "crash@4"}, network={"gst": "20s"})
    """
    return "\n".join(_lines(name, _Call(_short(config)), "", 0))


def _short(config: ExperimentConfig) -> dict[str, Any]:
    """Return what is not the default, each in the shortest form that is read as the same."""
    settings = _changed(config)
    if "faults" in settings:
        settings["faults"] = _short_faults(settings["faults"])
    for partition in settings.get("network", {}).get("partitions", ()):
        partition["groups"] = "|".join(map(",".join, partition["groups"]))
    prices, market = settings.get("prices", {}), settings.get("market", {})
    _put_numbers(prices, config.prices)
    if "sources" in prices and config.prices.sources == standard_sources(len(prices["sources"])):
        prices["sources"] = len(prices["sources"])
    for jump, own in zip(prices.get("jumps", ()), config.prices.jumps, strict=False):
        _put_numbers(jump, own)
    for symbol, asset in prices.get("assets", {}).items():
        _put_numbers(asset, config.prices.assets[symbol])
    _put_numbers(market, config.market)
    if "traders" in market:
        market["traders"] = [*map(_short_kind, market["traders"])]
    if "reference" in market:
        market["reference"] = _short_kind(market["reference"])
    return settings


def _changed(config: ExperimentConfig) -> dict[str, Any]:
    settings = config.model_dump(mode="json", exclude_defaults=True)
    for path in _DEPENDENT:
        section, _, name = path.rpartition(".")
        of = getattr(config, section) if section else config
        part = settings.setdefault(section, {}) if section else settings
        part.pop(name, None)
        if not _is_default(config, settings, path):
            part |= of.model_dump(mode="json", include={name})
        if section:
            settings[section] = _in_order(part, of)
    return _in_order(settings, config)


def _in_order(settings: dict[str, Any], of: Section) -> dict[str, Any]:
    """Return settings in the order of their section, without empty ones."""
    names = (name for name in type(of).model_fields if settings.get(name, {}) != {})
    return {name: settings[name] for name in names}


def _is_default(config: ExperimentConfig, settings: dict[str, Any], path: str) -> bool:
    """Whether a configuration has the same setting if it is not given."""
    try:
        without = read_settings(settings)
    except InvalidInput:  # what there is does not go together without it
        return False
    value = attrgetter(path)
    return bool(value(without) == value(config))


def _short_faults(faults: list[dict[str, Any]]) -> list[dict[str, Any]] | dict[str, Any]:
    """Write faults by the names of who has them, if each is of one that has no other."""
    names = [fault["nodes"][0] for fault in faults if len(fault.get("nodes", ())) == 1]
    if {*names} & {*Fault.__dataclass_fields__} or not len(faults) == len(names) == len({*names}):
        return faults
    return {name: _short_fault(fault) for name, fault in zip(names, faults, strict=True)}


def _short_fault(fault: dict[str, Any]) -> str | dict[str, Any]:
    if "parameters" in fault:
        return {name: value for name, value in fault.items() if name != "nodes"}
    kind, start, stop = fault["kind"], fault.get("start", 0), fault.get("stop")
    end = "" if stop is None else f"-{stop}"
    return f"{kind}@{start}{end}" if start or end else kind


def _short_kind(table: Any) -> Any:
    return table["kind"] if isinstance(table, dict) and {*table} == {"kind"} else table


def _put_numbers(settings: dict[str, Any], section: Section) -> None:
    """Replace the texts of exact amounts by the numbers that print as they do."""
    for name, text in settings.items():
        if isinstance(getattr(section, name), Decimal):
            number = float(text) if "." in text or "E" in text else int(text)
            settings[name] = number if f"{number}" == text else text


class _Call(dict[str, Any]):
    """The arguments of a call."""


def _lines(before: str, value: Any, after: str, indent: int) -> Iterator[str]:
    """Yield a value in one line if that is not too long, or else each of its items in its own."""
    line = f"{' ' * indent}{before}{_write(value)}{after}"
    if len(line) <= _WIDEST or not isinstance(value, Mapping | list) or not value:
        yield line
        return
    opening, closing = _brackets(value)
    yield f"{' ' * indent}{before}{opening}"
    for name, item in _items(value):
        yield from _lines(name, item, ",", indent + _INDENT)
    yield f"{' ' * indent}{closing}{after}"


def _brackets(value: Any) -> tuple[str, str]:
    if isinstance(value, _Call):
        return "(", ")"
    return ("{", "}") if isinstance(value, Mapping) else ("[", "]")


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what stands before each item, and the item."""
    if isinstance(value, _Call):
        yield from ((f"{name}=", item) for name, item in value.items())
    elif isinstance(value, Mapping):
        yield from ((f"{_write(name)}: ", item) for name, item in value.items())
    else:
        yield from (("", item) for item in value)


def _write(value: Any) -> str:
    if isinstance(value, Mapping | list):
        opening, closing = _brackets(value)
        items = ", ".join(f"{name}{_write(item)}" for name, item in _items(value))
        return f"{opening}{items}{closing}"
    if not isinstance(value, str):
        return repr(value)
    function = value.removeprefix(CALLABLE)
    if function != value and function.isidentifier():
        return function
    text = repr(value)
    return text if '"' in text or "\\" in text else f'"{text[1:-1]}"'
