"""What the header of a film says in words and numbers: what was run, and what came of it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from streamlet_lab.checks import Status
from streamlet_lab.config import ExperimentConfig
from streamlet_lab.consensus import SIX_UNCONTESTED, THREE_IN_A_ROW
from streamlet_lab.fault import Fault
from streamlet_lab.registers import NODE_FAULTS
from streamlet_lab.result import Result
from streamlet_lab.simulator import NodeFault
from streamlet_lab.totals import rate_in_words
from streamlet_lab.units import to_seconds

# How a check begins its evidence of a violation.
_WHEN: Final = re.compile(r"at (\d+\.\d{6}) s: ")


class _Number(NamedTuple):
    """How a number of the summary is called; of how many it is, if that is one too; its unit."""

    label: str
    of: str = ""
    unit: str = ""
    digits: int = 0


#: The numbers that the readout shows, by their names in the summary. Of these ``fair_stopped_rate``
#: alone is a share, and written with what it is a share of.
NUMBERS: Final[Mapping[str, _Number]] = {
    "finalized_blocks": _Number("blocks final", of="proposed_blocks"),
    "median_latency_s": _Number("median latency", unit="s", digits=3),
    "largest_displacement_bp": _Number("farthest from true", unit="bp", digits=1),
    "epochs_without_price": _Number("epochs without price", of="epochs"),
    "refused_blocks": _Number("blocks refused", of="proposed_blocks"),
    "fair_stopped_rate": _Number("fair orders stopped", unit="share"),
    "orders_stopped": _Number("orders stopped", of="orders"),
    "unfair_trades": _Number("unfair trades", of="trades"),
    "median_reference_age_s": _Number("median age of reference", unit="s", digits=3),
    "halted_s": _Number("halted", unit="s", digits=1),
    "messages": _Number("messages"),
    "convicted_nodes": _Number("nodes convicted"),
}


def describe_run(result: Result) -> dict[str, Any]:
    """Return the header of a film, but for its tables."""
    config = result.config
    epoch_s = to_seconds(config.epoch_length)
    rule = SIX_UNCONTESTED if config.model == "synchronous" else THREE_IN_A_ROW
    return {
        "epochs": config.epochs,
        "epoch_s": epoch_s,
        "delta_s": to_seconds(config.network.delta),
        "end_s": to_seconds(config.epochs * config.epoch_length),
        "nodes": list(config.node_ids),
        "quorum": config.votes_needed,
        "finality": {"consecutive": rule.consecutive, "chopped": rule.chopped},
        "symbol": result.symbol,
        "has_market": result.has_market,
        "band_percent": float(config.market.band_percent),
        "signatures": config.signatures,
        "outside_model": list(result.outside_model),
        "title": _title(result),
        "numbers": [*_numbers(result.summary)],
        "safe": result.safe,
        "violations": [*_violations(result)],
        "convicted": list(result.evidence),
        "faults": [*_faults(config)],
        "partitions": [
            {
                "groups": [list(group) for group in each.groups],
                "one_way": each.one_way,
                "start_s": to_seconds(each.start),
                "stop_s": to_seconds(each.stop),
            }
            for each in config.network.partitions
        ],
        "bad_times": [
            {"start_s": to_seconds(start), "stop_s": to_seconds(stop)}
            for start, stop in config.network.bad_times
        ],
    }


def _numbers(summary: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, number in NUMBERS.items():
        if name in summary:
            value = summary[name]
            yield {
                "name": name,
                "label": number.label,
                "value": None if value is None else float(value),
                "text": _text(name, number, summary),
                "unit": number.unit,
            }


def _text(name: str, number: _Number, summary: Mapping[str, Any]) -> str:
    value = summary[name]
    if value is None:
        return "none"
    if number.unit == "share":
        return rate_in_words(summary)
    text = f"{value:,.{number.digits}f}"
    if number.of:
        return f"{text} of {summary[number.of]:,}"
    return f"{text} {number.unit}".rstrip()


def _violations(result: Result) -> Iterator[dict[str, Any]]:
    for check in result.checks.values():
        if check.status is Status.VIOLATED:
            when = _WHEN.match(check.evidence)
            yield {
                "check": check.name,
                "time_s": float(when[1]) if when else None,
                "sentence": check.evidence[when.end() if when else 0 :],
            }


def _faults(config: ExperimentConfig) -> Iterator[dict[str, Any]]:
    """Yield each fault of each node or source, and whether it takes the node down."""
    for faults, names in (
        (config.node_faults, config.node_ids),
        (config.source_faults, config.prices.source_names),
    ):
        for fault in faults:
            for name in fault.affected(names):
                yield {
                    "name": name,
                    "kind": fault.kind,
                    "down": _takes_down(fault),
                    "start_s": to_seconds(fault.start * config.epoch_length),
                    "stop_s": None
                    if fault.stop is None
                    else to_seconds(fault.stop * config.epoch_length),
                }


def _takes_down(fault: Fault) -> bool:
    # A loaded result may have a kind that is not registered here.
    is_known = fault.kind in NODE_FAULTS
    return is_known and NODE_FAULTS[fault.kind].online is not NodeFault.online


def _title(result: Result) -> str:
    """Say in one sentence what was run."""
    config = result.config
    what = f"{', '.join(config.symbols)} on" if result.has_market else "the bare protocol on"
    nodes = "1 node" if config.nodes == 1 else f"{config.nodes} nodes"
    kinds = ("partition", config.network.partitions), ("bad period", config.network.bad_times)
    return "; ".join(
        [
            f"{config.epochs:,} epochs of {what} {nodes}, quorum {config.votes_needed}",
            f"seed {config.seed}",
            "without signatures" if config.signatures == "none" else config.signatures,
            *([_fault_in_words(fault) for fault in config.faults] or ["no faults"]),
            *(f"{len(each)} {kind}{'s' * (len(each) > 1)}" for kind, each in kinds if each),
        ]
    )


def _fault_in_words(fault: Fault) -> str:
    who = ", ".join(fault.nodes) or f"{fault.count} nodes"
    span = f" from epoch {fault.start} on" if fault.start else ""
    if fault.stop is not None:
        span = f" from epoch {fault.start} until epoch {fault.stop}"
    return f"{who}: {fault.kind.replace('_', ' ')}{span}"
