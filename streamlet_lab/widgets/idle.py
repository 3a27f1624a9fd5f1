"""Which controls have no effect now, and why."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from streamlet_lab.matching import band_parameters, bands
from streamlet_lab.prices import SIMULATED
from streamlet_lab.widgets.knob_table import KNOBS, PLACES, TRADERS
from streamlet_lab.widgets.words import write

#: What the controls say, by name.
Values = Mapping[str, Any]

# A message is lost, or a node is deaf, and nobody sends what is missing again.
_LASTING: Final = "nobody misses anything for good: no message is late, lost or kept back"


def why_idle(values: Values, beside: Collection[str]) -> dict[str, str]:
    """Return in a sentence why a control has no effect, for each that has none.

    ``beside`` are the settings of an experiment that are given beside those of controls: where
    these do something to the network or to nodes, that has effects, too.
    """
    idle: dict[str, str] = {}
    for find in (_of_faults, _of_network, _of_prices, _of_market):
        if find is not _of_network or "network" not in beside:
            for names, sentence in find(values):
                for name in names:
                    idle.setdefault(name, sentence)
    if "faults" in beside:
        idle.pop("catch_up", None)
    return idle


def given_beside(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the controls whose setting is given beside them, and what that means."""
    for name, path in PLACES.items():
        section, dot, inner = path.partition(".")
        inner = inner.partition(".")[0]
        given = settings.get(section) if dot else None
        if (dot and isinstance(given, Mapping) and inner in given) or (
            not dot and path in settings and path not in KNOBS
        ):
            yield name, f"{path} was given with the experiment, and counts"
    market = settings.get("market")
    if isinstance(market, Mapping) and "traders" in market:
        yield from ((name, "market.traders was given with the experiment") for name in TRADERS)


_OF_SIMULATED: Final = "path_model", "volatility", "nights", "intraday"
_Found = Iterator[tuple[tuple[str, ...], str]]


def _of_faults(values: Values) -> _Found:
    of_nodes = "fault", "fault_epochs", "placed"
    of_sources = "lie", "lying_epochs"
    if not values["faulty"]:
        yield of_nodes, "nobody is faulty: raise faulty nodes"
    if not values["lying"]:
        yield of_sources, "no source lies: raise lying sources"
    for count, names, epochs in (
        ("faulty", of_nodes[::2], "fault_epochs"),
        ("lying", of_sources[:1], "lying_epochs"),
    ):
        start, stop = values[epochs]
        if start == stop or start >= values["epochs"]:
            yield (count, *names), f"{KNOBS[epochs].label} are none of the epochs of this run"
    if values["faulty"] >= values["nodes"]:
        yield ("placed",), "all nodes are faulty"


def _of_network(values: Values) -> _Found:
    if values["nodes"] == 1:
        yield ("leaders", "echo"), "there is one node alone"
    if values["delays"] in ("constant", "uniform"):
        yield ("delay_spread",), f"{write(values['delays'])} delays have no spread"
    if values["delays"] == "regions":
        yield ("median_delay_ms",), "delays are those between the regions"
    if not _bad_times(values):
        yield ("slowdown", "held"), "there is no bad time: raise GST, or set a bad time"
    if not values["loss"]:
        yield ("when_lost",), "no message is lost: raise loss"
    if not _lasts(values, "partition_s"):
        yield ("one_way",), "there is no partition"
    if not _misses(values):
        yield ("catch_up",), _LASTING
    for name in ("bad_s", "partition_s"):
        if _lasts(values, name) and values[name][0] >= _end(values):
            yield (name,), f"the run ends before, at {write(_end(values))} s"


def _end(values: Values) -> float:
    """Return when the run ends, in seconds."""
    return float(values["epochs"] * values["epoch_deltas"] * values["delta_ms"] / 1_000)


def _lasts(values: Values, name: str) -> bool:
    start, stop = values[name]
    return bool(start < stop)


def _bad_times(values: Values) -> bool:
    return bool(values["gst_s"]) or _lasts(values, "bad_s")


def _misses(values: Values) -> bool:
    is_late = _bad_times(values) or _lasts(values, "partition_s")
    return bool(is_late or values["loss"] or values["faulty"] or values["epoch_deltas"] < 2)


def _of_prices(values: Values) -> _Found:
    if values["feed"] != SIMULATED:
        yield _OF_SIMULATED, f"the price is {write(values['feed'])}"
    if not values["jump_percent"]:
        yield ("jump_s",), "the price does not jump: set a jump"
    elif values["jump_s"] > _end(values):
        yield ("jump_percent",), f"the run ends before, at {write(_end(values))} s"
    if values["sources"] == 1 and values["min_sources"] == 1:
        yield ("aggregator",), "there is one source alone"


def _of_market(values: Values) -> _Found:
    if not any(values[kind] for kind in TRADERS):
        yield ("without_reference",), "nobody trades: raise the rate of some traders"
    band = values["band"]
    if band in bands():
        taken = band_parameters(band)
        if "stale" not in taken and values["stale"] == "keep":
            yield ("stale", "stale_epochs"), f"the band {write(band)} has no rule for an old price"
        if "percent" not in taken:
            yield ("band_percent",), f"the band {write(band)} has no such percentage"
    if values["stale"] == "keep":
        yield ("stale_epochs",), "an old price is kept: set stale price to widen or halt"
