"""What the controls of the explorer say, and the experiment that this means."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any, Final, get_args

from streamlet_lab.charts.plots import PAGES
from streamlet_lab.config import ED25519_TIMES, ExperimentConfig, make_config
from streamlet_lab.consensus.quorums import FaultModel
from streamlet_lab.fault import Fault
from streamlet_lab.matching import StalePolicy, WithoutReference, bands
from streamlet_lab.prices import (
    VoterPolicy,
    aggregators,
    outlier_rules,
    path_models,
    source_fault_kinds,
)
from streamlet_lab.simulator import delay_kinds, offered_fault_kinds, reference_kinds
from streamlet_lab.units import format_duration, to_microseconds, to_seconds, to_whole
from streamlet_lab.widgets.controls import Control

_LONGEST_RUN: Final = 200
_MOST_SOURCES: Final = 13
_FROM_MODEL: Final = "from the model"
# With a space in it, so that nobody can register a rule under it.
_NO_RULE: Final = "no rule"
# How many of each kind trade, if any.
_TRADERS: Final = {
    "zero_intelligence": 20,
    "fat_finger": 1,
    "informed": 1,
    "market_maker": 1,
    "momentum": 1,
    "manipulator": 1,
}
# The explorer records no trace, and most runs violate nothing.
_PICTURES: Final = tuple(name for name in PAGES if name not in ("timeline", "violation"))


def _set_by(label: str, default: Any, *limits: Any, **more: Any) -> Any:
    return field(default=default, metadata={"control": Control(label, default, *limits, **more)})


_protocol = partial(_set_by, group="Protocol")
_faults = partial(_set_by, group="Faults")
_network = partial(_set_by, group="Network")
_ms = partial(_network, read="{}ms".format)
_prices = partial(_set_by, group="Prices")
_market = partial(_set_by, group="Market")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the controls say; each field is declared with its control.

    What the configuration has too means what it means there. Epochs, times and counts without a
    length are none: an interval of epochs that reaches to 200, where the longest run ends, has no
    end; `faulty` of the last nodes have the `fault`, and `lying` of the last sources `lie`.
    """

    epochs: int = _set_by("epochs", 60, 10, _LONGEST_RUN, 10, path="epochs")
    nodes: int = _set_by("nodes", 4, 1, 16, path="nodes")
    faulty: int = _set_by("faulty", 1, 0, 16)
    fault: str = _set_by("fault", "crash", names=offered_fault_kinds)
    seed: int = _set_by("seed", 0, 0, 2**31 - 1, path="seed")
    picture: str = _set_by("picture", "overview", names=lambda: _PICTURES)

    model: str = _protocol("model", "byzantine", names=lambda: get_args(FaultModel), path="model")
    leaders: str = _protocol(
        "leaders", "round_robin", names=lambda: ("round_robin", "hashed"), path="leaders"
    )
    quorum: str = _protocol(
        "quorum",
        _FROM_MODEL,
        names=lambda: (_FROM_MODEL, "2f+1"),
        # Whatever the model's own f is.
        written={"2f+1": "2⌊(n−1)/3⌋ + 1"},
        path="quorum",
        read=lambda quorum: None if quorum == _FROM_MODEL else quorum,
    )
    epoch_deltas: float = _protocol("epoch (Δ)", 2.0, 0.5, 6, 0.5)
    echo: bool = _protocol("echo", True, path="echo")

    fault_epochs: tuple[int, int] = _faults("faulty epochs", (0, _LONGEST_RUN), 0, _LONGEST_RUN)

    delays: str = _network(
        "delays",
        "lognormal",
        # No control says the measured delays that samples are drawn from.
        names=lambda: tuple(kind for kind in delay_kinds() if kind != "sample"),
        path="network.delays",
    )
    median_delay_ms: int = _ms("median (ms)", 50, 10, 1_000, 10, path="network.median_delay")
    delay_spread: float = _network("spread", 0.7, 0, 2, 0.1, path="network.delay_spread")
    delta_ms: int = _ms("Δ (ms)", 500, 100, 1_000, 100, path="network.delta")
    gst_s: int = _network("GST (s)", 0, 0, 200, path="network.gst")
    # Beside the bad period before GST.
    bad_s: tuple[int, int] = _network("bad time (s)", (0, 0), 0, 200)
    slowdown: int = _network("slowdown", 20, 1, 100, path="network.slowdown")
    held: float = _network("held", 0.0, 0, 1, 0.1, path="network.held")
    loss: float = _network("loss", 0.0, 0, 0.5, 0.01, path="network.loss")
    when_lost: str = _network(
        "if lost", "retransmit", names=lambda: ("retransmit", "forever"), path="network.when_lost"
    )
    catch_up: bool = _network("catch-up", False, path="network.catch_up")
    # Between the first half of the nodes and the second; one way, only the second is cut off.
    partition_s: tuple[int, int] = _network("partition (s)", (0, 0), 0, 200)
    one_way: bool = _network("one way", False)
    slow_link_ms: int = _network("0 to 1 (ms)", 0, 0, 1_000, 10)
    slow_node: int = _network("slow node_0", 1, 1, 20)
    clock_skew_ms: int = _ms("skew (ms)", 0, 0, 1_000, 10, path="network.clock_skew")
    processing: bool = _network("Ed25519 times", False)

    path_model: str = _prices(
        "price model",
        "gjr_garch",
        names=path_models,
        written={
            "gjr_garch": "GJR-GARCH-t",
            "gjr_garch_mle": "GJR-GARCH-t, MLE",
            "gbm": "GBM",
            "merton": "Merton jumps",
            "regime": "regimes",
        },
        path="prices.path_model",
    )
    volatility: float = _prices("volatility ×", 1.0, 0, 5, 0.25, path="prices.volatility")
    market_time: str = _prices(
        "market time",
        "6.5h",
        names=lambda: ("1s", "1min", "1h", "6.5h"),
        written={
            "1s": "1 s an epoch",
            "1min": "1 min an epoch",
            "1h": "1 h an epoch",
            "6.5h": "6.5 h an epoch",
        },
        path="market_time_per_epoch",
    )
    sources: int = _prices("sources", 3, 1, _MOST_SOURCES, path="prices.sources")
    min_sources: int = _prices("min. sources", 2, 1, _MOST_SOURCES, path="prices.min_sources")
    lying: int = _prices("lying", 0, 0, _MOST_SOURCES)
    lie: str = _prices("lie", "adaptive", names=source_fault_kinds)
    lying_epochs: tuple[int, int] = _prices("lying epochs", (0, _LONGEST_RUN), 0, _LONGEST_RUN)
    aggregator: str = _prices(
        "aggregator",
        "mean",
        names=aggregators,
        written={
            "mad_filter": "MAD filter",
            "pyth": "Pyth's votes",
            "volume_weighted_median": "weighted median",
            "vwap": "VWAP",
        },
        path="prices.aggregator",
    )
    voter_policy: str = _prices(
        "voters go by", "observe", names=lambda: get_args(VoterPolicy), path="prices.voter_policy"
    )
    deviation_rule: str = _prices(
        "deviation rule",
        "widen",
        names=lambda: ("strict", "widen", "re-anchor"),
        path="prices.deviation_rule",
    )
    outlier_rule: str = _prices(
        "outliers",
        _NO_RULE,
        names=lambda: (_NO_RULE, *outlier_rules()),
        path="prices.outlier_rule",
        read=lambda rule: None if rule == _NO_RULE else rule,
    )

    band: str = _market(
        "band", "consensus", names=bands, written={"luld": "LULD"}, path="market.band"
    )
    band_percent: float = _market(
        "band ± (%)", 5.0, 0.5, 20, 0.5, path="market.band_percent", read="{:g}".format
    )
    reference: str = _market(
        "reference", "consensus", names=reference_kinds, written={"twap": "TWAP"}
    )
    stale: str = _market("stale price", "keep", names=lambda: get_args(StalePolicy))
    stale_epochs: int = _market("stale epochs", 3, 1, 10)
    without_reference: str = _market(
        "no price yet",
        "reject",
        names=lambda: get_args(WithoutReference),
        path="market.without_reference",
    )
    # How often all traders of a kind together act.
    zero_intelligence: float = _market("random/s", 4.0, 0, 20, 0.5)
    informed: float = _market("informed/s", 0.0, 0, 10, 0.5)
    market_maker: float = _market("makers/s", 0.0, 0, 10, 0.5)
    momentum: float = _market("momentum/s", 0.0, 0, 10, 0.5)
    fat_finger: float = _market("far off/s", 0.12, 0, 2, 0.04)
    manipulator: float = _market("manipul./s", 0.0, 0, 10, 0.5)

    def __post_init__(self) -> None:
        for name, control in CONTROLS.items():
            control.check(name, getattr(self, name))
        to_whole(self.faulty, 0, "faulty", self.nodes)
        to_whole(self.lying, 0, "lying", self.sources)

    @property
    def changed(self) -> dict[str, Any]:
        """The values that are not the defaults, by field."""
        values = {name: getattr(self, name) for name in CONTROLS}
        return {name: v for name, v in values.items() if v != CONTROLS[name].default}

    def config(self) -> ExperimentConfig:
        """Return the experiment that is meant.

        Without signatures: they change nothing that the charts show, cost more than all the rest,
        and no fault can forge a vote or a quote without them either.
        """
        document: dict[str, Any] = {
            "signatures": "none",
            "faults": [
                *_last_ones(self.fault, self.faulty, self.fault_epochs),
                *(_last_ones(self.lie, self.lying, self.lying_epochs) if self.lying else []),
            ],
            "epoch_length": self.epoch_deltas * self.delta_ms / 1_000,
            "network": self._network(),
            "prices": {},
            "market": self._market(),
        }
        for name, control in CONTROLS.items():
            if control.path:
                section, _, key = control.path.rpartition(".")
                place = document[section] if section else document
                place[key] = control.read(getattr(self, name))
        return make_config(**document)

    def _network(self) -> dict[str, Any]:
        (bad_start, bad_stop), (start, stop) = self.bad_s, self.partition_s
        network: dict[str, Any] = dict(ED25519_TIMES) if self.processing else {}
        if bad_start < bad_stop:
            network["bad_periods"] = [{"start": bad_start, "stop": bad_stop}]
        if start < stop:
            names, half = [f"node_{index}" for index in range(self.nodes)], self.nodes // 2
            groups = {"groups": (names[:half], names[half:]), "one_way": self.one_way}
            network["partitions"] = [{"start": start, "stop": stop, **groups}]
        if self.slow_link_ms:
            network["link_delays"] = {"node_0>node_1": f"{self.slow_link_ms}ms"}
        if self.slow_node > 1:
            network["slow_nodes"] = {"node_0": self.slow_node}
        return network

    def _market(self) -> dict[str, Any]:
        epoch = to_microseconds(self.market_time)
        old = self.stale_epochs * to_seconds(epoch)
        # What the lab's own references take follows the epoch: delayed by one, a mean of three.
        whole, window, step = map(format_duration, (epoch, 3 * epoch, epoch // 10))
        parameters = {
            "delayed": {"delay": whole, "every": whole},
            "twap": {"window": window, "every": step, "check": step},
        }
        return {
            "band_parameters": (
                {} if self.stale == "keep" else {"stale": self.stale, "stale_after": old}
            ),
            "reference": {
                "kind": self.reference,
                "parameters": parameters.get(self.reference, {}),
            },
            "traders": [
                {"kind": kind, "count": count, "rate": getattr(self, kind) / count}
                for kind, count in _TRADERS.items()
                if getattr(self, kind)
            ],
        }


def _last_ones(kind: str, count: int, epochs: tuple[int, int]) -> list[Fault]:
    start, stop = epochs
    if start == stop:
        return []
    until = None if stop == _LONGEST_RUN else stop
    return [Fault(kind, count=count, start=start, stop=until)]


#: The control of every setting, by field.
CONTROLS: Final[Mapping[str, Control]] = {
    item.name: item.metadata["control"] for item in fields(Settings)
}
