"""What the controls of the explorer say, and the experiment that this means."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, Final, get_args

from streamlet_lab.charts.plots import PAGES
from streamlet_lab.config import (
    ED25519_TIMES,
    ExperimentConfig,
    MarketConfig,
    NetworkConfig,
    PricesConfig,
    make_config,
)
from streamlet_lab.consensus.quorums import FaultModel
from streamlet_lab.errors import InvalidInput
from streamlet_lab.fault import Fault
from streamlet_lab.matching import StalePolicy, WithoutReference, band_parameters, bands
from streamlet_lab.prices import (
    VoterPolicy,
    aggregators,
    outlier_rules,
    path_models,
    source_fault_kinds,
)
from streamlet_lab.simulator import delay_kinds, offered_fault_kinds, reference_kinds
from streamlet_lab.texts import one_of
from streamlet_lab.units import format_duration, to_microseconds, to_seconds, to_whole
from streamlet_lab.values import Section
from streamlet_lab.widgets.controls import Control

_LONGEST_RUN: Final = 200
_MOST_SOURCES: Final = 13
_FROM_MODEL: Final = "from the model"
# With a space in it, so that nobody can register a rule under it.
_NO_RULE: Final = "no rule"
# What the configuration says by None.
_NONE: Final = {"quorum": _FROM_MODEL, "outlier_rule": _NO_RULE}
# How many of each kind trade, if any; the controls say how often all of a kind together act.
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

#: The controls by heading, and by name. Those without a heading are always in sight; what the
#: configuration has by the same name means what it means there.
SECTIONS: Final[Mapping[str, Mapping[str, Control]]] = {
    "": {
        "epochs": Control("epochs", 60, 10, _LONGEST_RUN, 10),
        "nodes": Control("nodes", 4, 1, 16),
        "faulty": Control("faulty", 1, 0, 16),
        "fault": Control("fault", "crash", names=offered_fault_kinds),
        "seed": Control("seed", 0, 0, 2**31 - 1),
        "picture": Control("picture", "overview", names=_PICTURES),
    },
    "Protocol": {
        "model": Control("model", "byzantine", names=get_args(FaultModel)),
        "leaders": Control("leaders", "round_robin", names=("round_robin", "hashed")),
        "quorum": Control("quorum", _FROM_MODEL, names=(_FROM_MODEL, "2f+1")),
        "epoch_deltas": Control("epoch (Δ)", 2.0, 0.5, 6, 0.5),
        "echo": Control("echo", True),
    },
    "Faults": {"fault_epochs": Control("faulty epochs", (0, _LONGEST_RUN), 0, _LONGEST_RUN)},
    "Network": {
        # No control says the measured delays that samples are drawn from.
        "delays": Control(
            "delays",
            "lognormal",
            names=lambda: tuple(kind for kind in delay_kinds() if kind != "sample"),
        ),
        "median_delay_ms": Control("median (ms)", 50, 10, 1_000, 10),
        "delay_spread": Control("spread", 0.7, 0, 2, 0.1),
        "delta_ms": Control("Δ (ms)", 500, 100, 1_000, 100),
        "gst_s": Control("GST (s)", 0, 0, 200),
        "bad_s": Control("bad time (s)", (0, 0), 0, 200),  # beside the bad period before GST
        "slowdown": Control("slowdown", 20, 1, 100),
        "held": Control("held", 0.0, 0, 1, 0.1),
        "loss": Control("loss", 0.0, 0, 0.5, 0.01),
        "when_lost": Control("if lost", "retransmit", names=("retransmit", "forever")),
        "catch_up": Control("catch-up", False),
        # Between the first half of the nodes and the second; one way, only the second is cut off.
        "partition_s": Control("partition (s)", (0, 0), 0, 200),
        "one_way": Control("one way", False),
        "slow_link_ms": Control("0 to 1 (ms)", 0, 0, 1_000, 10),
        "slow_node": Control("slow node_0", 1, 1, 20),
        "clock_skew_ms": Control("skew (ms)", 0, 0, 1_000, 10),
        "processing": Control("Ed25519 times", False),
    },
    "Prices": {
        "path_model": Control("price model", "gjr_garch", names=path_models),
        "volatility": Control("volatility ×", 1.0, 0, 5, 0.25),
        "market_time": Control("market time", "6.5h", names=("1s", "1min", "1h", "6.5h")),
        "sources": Control("sources", 3, 1, _MOST_SOURCES),
        "min_sources": Control("min. sources", 2, 1, _MOST_SOURCES),
        "lying": Control("lying", 0, 0, _MOST_SOURCES),
        "lie": Control("lie", "adaptive", names=source_fault_kinds),
        "lying_epochs": Control("lying epochs", (0, _LONGEST_RUN), 0, _LONGEST_RUN),
        "aggregator": Control("aggregator", "mean", names=aggregators),
        "voter_policy": Control("voters go by", "observe", names=get_args(VoterPolicy)),
        "deviation_rule": Control(
            "deviation rule", "widen", names=("strict", "widen", "re-anchor")
        ),
        "outlier_rule": Control("outliers", _NO_RULE, names=lambda: (_NO_RULE, *outlier_rules())),
    },
    "Market": {
        "band": Control("band", "consensus", names=bands),
        "band_percent": Control("band ± (%)", 5.0, 0.5, 20, 0.5),
        "reference": Control("reference", "consensus", names=reference_kinds),
        "stale": Control("stale price", "keep", names=get_args(StalePolicy)),
        "stale_epochs": Control("stale epochs", 3, 1, 10),
        "without_reference": Control("no price yet", "reject", names=get_args(WithoutReference)),
        "zero_intelligence": Control("random/s", 4.0, 0, 20, 0.5),
        "informed": Control("informed/s", 0.0, 0, 10, 0.5),
        "market_maker": Control("makers/s", 0.0, 0, 10, 0.5),
        "momentum": Control("momentum/s", 0.0, 0, 10, 0.5),
        "fat_finger": Control("far off/s", 0.12, 0, 2, 0.04),
        "manipulator": Control("manipul./s", 0.0, 0, 10, 0.5),
    },
}
#: The control of every setting, by name.
CONTROLS: Final[Mapping[str, Control]] = {
    name: control for controls in SECTIONS.values() for name, control in controls.items()
}


class Settings(SimpleNamespace):
    """What the controls say, by their names; what is not given is the default.

    Epochs, times and counts without a length are none: an interval of epochs that reaches to 200,
    where the longest run ends, has no end; `faulty` of the last nodes have the `fault`, and `lying`
    of the last sources `lie`.
    """

    def __init__(self, **values: Any) -> None:
        for name, value in [*values.items()]:
            if name not in CONTROLS:
                raise InvalidInput(name, value, one_of(name, CONTROLS))
            meant = _NONE.get(name) if value is None else value
            values[name] = CONTROLS[name].read(name, meant)
        super().__init__(**{name: control.default for name, control in CONTROLS.items()} | values)
        to_whole(self.faulty, 0, "faulty", self.nodes)
        to_whole(self.lying, 0, "lying", self.sources)

    @property
    def changed(self) -> dict[str, Any]:
        """The values that are not the defaults, by name."""
        return {name: v for name, v in vars(self).items() if v != CONTROLS[name].default}

    def config(self) -> ExperimentConfig:
        """Return the experiment that is meant.

        Without signatures: they change nothing that the charts show, cost more than all the rest,
        and no fault can forge a vote or a quote without them either.
        """
        faults = _last_ones(self.fault, self.faulty, self.fault_epochs)
        liars = _last_ones(self.lie, self.lying, self.lying_epochs) if self.lying else []
        own = self._by_name(ExperimentConfig, "", "Protocol")
        prices = self._by_name(PricesConfig, "Prices")
        if self.quorum == _FROM_MODEL:
            del own["quorum"]
        if self.outlier_rule == _NO_RULE:
            del prices["outlier_rule"]
        return make_config(
            **own,
            signatures="none",
            faults=[*faults, *liars],
            epoch_length=self.epoch_deltas * self.delta_ms / 1_000,
            market_time_per_epoch=self.market_time,
            network=self._by_name(NetworkConfig, "Network") | self._network(),
            prices=prices,
            market=self._by_name(MarketConfig, "Market") | self._market(),
        )

    def _by_name(self, config: type[Section], *headings: str) -> dict[str, Any]:
        """Return the settings below these headings that a configuration has by the same name."""
        names = (name for heading in headings for name in SECTIONS[heading])
        return {name: getattr(self, name) for name in names if name in config.model_fields}

    def _network(self) -> dict[str, Any]:
        (bad_start, bad_stop), (start, stop) = self.bad_s, self.partition_s
        network: dict[str, Any] = {
            "median_delay": f"{self.median_delay_ms}ms",
            "delta": f"{self.delta_ms}ms",
            "gst": self.gst_s,
            "clock_skew": f"{self.clock_skew_ms}ms",
            **(ED25519_TIMES if self.processing else {}),
        }
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
        stale = {"stale": self.stale, "stale_after": self.stale_epochs * to_seconds(epoch)}
        if self.stale != "keep" and "stale" not in band_parameters(self.band):
            expected = f"'keep': the band {self.band!r} has no rule for a stale price"
            raise InvalidInput("stale", self.stale, expected)
        # What the lab's own references take follows the epoch: delayed by one, a mean of three.
        whole, window, step = map(format_duration, (epoch, 3 * epoch, epoch // 10))
        parameters = {
            "delayed": {"delay": whole, "every": whole},
            "twap": {"window": window, "every": step, "check": step},
        }
        rates = {kind: getattr(self, kind) for kind in _TRADERS}
        return {
            "band_percent": f"{self.band_percent:g}",
            "band_parameters": {} if self.stale == "keep" else stale,
            "reference": {"kind": self.reference, "parameters": parameters.get(self.reference, {})},
            "traders": [
                {"kind": kind, "count": count, "rate": rates[kind] / count}
                for kind, count in _TRADERS.items()
                if rates[kind]
            ],
        }


def _last_ones(kind: str, count: int, epochs: tuple[int, int]) -> list[Fault]:
    start, stop = epochs
    if start == stop:
        return []
    return [Fault(kind, count=count, start=start, stop=None if stop == _LONGEST_RUN else stop)]
