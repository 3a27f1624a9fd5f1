"""Which controls the bench has: what each sets in a configuration, and how far its track goes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from streamlet_lab.config import (
    ED25519_TIMES,
    ExperimentConfig,
    MarketConfig,
    NetworkConfig,
    Partition,
    PricesConfig,
)
from streamlet_lab.config.prices_config import AssetConfig, PriceJump
from streamlet_lab.consensus.quorums import FaultModel
from streamlet_lab.kinds import registers
from streamlet_lab.matching import ConsensusBand, StalePolicy, WithoutReference
from streamlet_lab.prices import SIMULATED, VoterPolicy
from streamlet_lab.prices.daily_history import SYMBOLS
from streamlet_lab.prices.voter import Voter

#: What the configuration says by None; with a space in it, so that no kind can have the name.
NO_RULE: Final = "no rule"
FROM_MODEL: Final = "from the model"

_EPOCHS: Final = "In which epochs {}: from the first one on, and before the last one."

_SECTIONS: Final[Mapping[str, type]] = {
    "": ExperimentConfig,
    "network": NetworkConfig,
    "prices": PricesConfig,
    "market": MarketConfig,
}


@dataclass(frozen=True)
class Track:
    """What a slider goes along. What is typed may lie beyond it, and between two steps."""

    low: float
    high: float
    step: float = 1
    scale: Literal["linear", "log"] = "linear"
    kind: Literal["slider", "number"] = "slider"
    is_count: bool = False


@dataclass(frozen=True)
class Stretch:
    """From a start to a stop; a stop that is None, where it may be, is never."""

    may_be_open: bool = False
    kind: Literal["range"] = "range"


@dataclass(frozen=True)
class Choice:
    """One of some values, or of the kinds in a register but those that do nothing by their name."""

    values: tuple[str, ...] = ()
    register: str = ""
    without: tuple[str, ...] = ()
    kind: Literal["choice"] = "choice"

    def names(self) -> tuple[str, ...]:
        """Return what can be chosen now: kinds may be registered later."""
        kinds = registers()[self.register] if self.register else ()
        return self.values + tuple(name for name in kinds if name not in self.without)


@dataclass(frozen=True)
class Switch:
    """On or off."""

    kind: Literal["switch"] = "switch"


Shape = Track | Stretch | Choice | Switch


@dataclass(frozen=True)
class Knob:
    """A control, and the setting of the configuration that it stands for.

    Attributes
    ----------
    label : str
    default : object
        What an experiment has by default, as the control says it; but no signatures.
    shape : Track, Stretch, Choice or Switch
    path : str
        The setting that has the value of this control and of no other; empty if there is none.
    unit : str
        Of a number: durations are in "ms" or "s".
    doc : str, or tuple of type and str; optional
        What it means, or the class whose docstring says so, and the field; that of the path unless
        given.
    """

    label: str
    default: Any
    shape: Shape
    path: str = ""
    unit: str = ""
    doc: str | tuple[type, str] = ""

    @property
    def field(self) -> tuple[type, str] | None:
        """The class and the field that say what it means and takes."""
        if isinstance(self.doc, tuple):
            return self.doc
        if not self.path:
            return None
        section, _, name = self.path.rpartition(".")
        return _SECTIONS[section], name


def _count(low: int, high: int, kind: Literal["slider", "number"] = "slider") -> Track:
    return Track(low, high, kind=kind, is_count=True)


def _rate(label: str, default: float, high: float, step: float) -> Knob:
    doc = "How often one of these traders acts, per second of protocol time (Poisson)."
    return Knob(label, default, Track(0, high, step), "", "a second", doc)


def _names(*values: str) -> Choice:
    return Choice(values)


def _kinds(register: str, *without: str, values: tuple[str, ...] = ()) -> Choice:
    return Choice(values, register, without)


#: The controls by heading, and by name. Those without a heading are always in sight.
SECTIONS: Final[Mapping[str, Mapping[str, Knob]]] = {
    "": {
        "epochs": Knob("epochs", 60, _count(10, 200), "epochs"),
        "nodes": Knob("nodes", 4, _count(1, 16), "nodes"),
        "fault": Knob(
            "fault", "crash", _kinds("fault_kind", "script"), doc="What goes wrong with them."
        ),
        "faulty": Knob("faulty nodes", 0, _count(0, 16), "", "", "How many nodes have the fault."),
        "median_delay_ms": Knob(
            "delay", 50, Track(1, 1_000, 1, "log"), "network.median_delay", "ms"
        ),
        "market_time": Knob(
            "market time of an epoch",
            "6.5h",
            _names("1s", "1min", "1h", "6.5h"),
            "market_time_per_epoch",
        ),
        "seed": Knob("seed", 0, _count(0, 2**31 - 1, "number"), "seed"),
    },
    "Protocol": {
        "model": Knob("model", "byzantine", _names(*get_args(FaultModel)), "model"),
        "leaders": Knob("leaders", "round_robin", _names("round_robin", "hashed"), "leaders"),
        "quorum": Knob("quorum", FROM_MODEL, _names(FROM_MODEL, "2f+1"), "quorum"),
        "epoch_deltas": Knob(
            "epoch", 2, Track(0.5, 6, 0.5), "", "Δ", (ExperimentConfig, "epoch_length")
        ),
        "echo": Knob("echo", True, Switch(), "echo"),
        "signatures": Knob("signatures", "none", _names("none", "ed25519"), "signatures"),
    },
    "Faults": {
        "placed": Knob(
            "which nodes",
            "last",
            _names("last", "apart"),
            doc="Whether the last nodes are faulty, which lead one after the other where they lead "
            "in turn, or nodes as far apart as they can be.",
        ),
        "fault_epochs": Knob(
            "faulty epochs",
            [0, None],
            Stretch(True),
            "",
            "epochs",
            _EPOCHS.format("nodes are faulty"),
        ),
    },
    "Network": {
        "delays": Knob("delays", "lognormal", _kinds("delay_kind", "sample"), "network.delays"),
        "delay_spread": Knob("spread", 0.7, Track(0, 2, 0.1), "network.delay_spread"),
        "delta_ms": Knob("Δ", 500, Track(100, 1_000, 100), "network.delta", "ms"),
        "gst_s": Knob("GST", 0, Track(0, 200), "network.gst", "s"),
        "bad_s": Knob(
            "bad time",
            [0, 0],
            Stretch(),
            unit="s",
            doc="A bad period beside the one before GST. A message that is sent in it arrives "
            "within Δ, or when it ends, if that is later.",
        ),
        "slowdown": Knob("slowdown", 20, Track(1, 100), "network.slowdown"),
        "held": Knob("held", 0, Track(0, 1, 0.1), "network.held"),
        "loss": Knob("loss", 0, Track(0, 0.5, 0.01), "network.loss"),
        "when_lost": Knob(
            "if lost", "retransmit", _names("retransmit", "forever"), "network.when_lost"
        ),
        "catch_up": Knob("catch-up", False, Switch(), "network.catch_up"),
        "partition_s": Knob(
            "partition",
            [0, 0],
            Stretch(),
            unit="s",
            doc="When two halves of the honest nodes cannot reach each other; what they send "
            "arrives after it. Faulty nodes and the observer reach both.",
        ),
        "one_way": Knob("one way", False, Switch(), "", "", (Partition, "one_way")),
        "slow_link_ms": Knob(
            "node 0 to node 1",
            0,
            Track(0, 1_000, 10),
            "",
            "ms",
            "The constant delay of what node 0 sends to node 1; 0 is as all other links.",
        ),
        "slow_node": Knob(
            "slow node 0",
            1,
            Track(1, 20),
            unit="times",
            doc="What multiplies the delay of all that node 0 sends or receives.",
        ),
        "clock_skew_ms": Knob("clock skew", 0, Track(0, 1_000, 10), "network.clock_skew", "ms"),
        "processing": Knob(
            "Ed25519 times",
            False,
            Switch(),
            doc="Whether making and verifying a signature takes simulated time, as measured for "
            "Ed25519: {sign_time} and {verify_time}.".format(**ED25519_TIMES),
        ),
    },
    "Prices": {
        "feed": Knob("feed", SIMULATED, _names(SIMULATED, *map(str.lower, SYMBOLS)), "feed"),
        "path_model": Knob("price model", "gjr_garch", _kinds("path_model"), "prices.path_model"),
        "volatility": Knob("volatility", 1, Track(0, 5, 0.25), "prices.volatility", "times"),
        "nights": Knob(
            "nights", AssetConfig().nights, Track(0, 0.9, 0.05), "prices.nights", "of the variance"
        ),
        "intraday": Knob("fat tails", AssetConfig().intraday, Track(0, 1, 0.05), "prices.intraday"),
        "jump_percent": Knob(
            "jump", 0, Track(-20, 20), unit="%", doc="By how much the true price jumps, for good."
        ),
        "jump_s": Knob("jump at", 30, Track(0, 200, 0.5), unit="s", doc=(PriceJump, "at")),
        "sources": Knob("sources", 3, _count(1, 13), "prices.sources"),
        "min_sources": Knob("min. sources", 2, _count(1, 13), "prices.min_sources"),
        "lying": Knob("lying sources", 0, _count(0, 13), doc="How many of the last sources lie."),
        "lie": Knob("lie", "adaptive", _kinds("source_fault_kind"), doc="What they say instead."),
        "lying_epochs": Knob(
            "lying epochs", [0, None], Stretch(True), "", "epochs", _EPOCHS.format("sources lie")
        ),
        "aggregator": Knob("aggregator", "mean", _kinds("aggregator"), "prices.aggregator"),
        "voter_policy": Knob(
            "voters go by",
            "observe",
            _names(*get_args(VoterPolicy)),
            "prices.voter_policy",
            doc=(Voter, "policy"),
        ),
        "deviation_rule": Knob(
            "deviation rule",
            "widen",
            _names("strict", "widen", "re-anchor"),
            "prices.deviation_rule",
        ),
        "outlier_rule": Knob(
            "outliers", NO_RULE, _kinds("outlier_rule", values=(NO_RULE,)), "prices.outlier_rule"
        ),
    },
    "Market": {
        "band": Knob("band", "consensus", _kinds("band"), "market.band"),
        "band_percent": Knob("band ±", 5, Track(0.5, 20, 0.5), "market.band_percent", "%"),
        "reference": Knob(
            "reference", "consensus", _kinds("reference_kind"), "", "", (MarketConfig, "reference")
        ),
        "stale": Knob(
            "stale price", "keep", _names(*get_args(StalePolicy)), "", "", (ConsensusBand, "stale")
        ),
        "stale_epochs": Knob(
            "stale after",
            3,
            Track(1, 10),
            unit="epochs",
            doc="The age, in epochs of market time, from which a price is old.",
        ),
        "without_reference": Knob(
            "no price yet",
            "reject",
            _names(*get_args(WithoutReference)),
            "market.without_reference",
        ),
        "noise_trader": _rate("noise traders", 4, 20, 0.5),
        "informed": _rate("informed traders", 0, 10, 0.5),
        "market_maker": _rate("market makers", 0, 10, 0.5),
        "momentum": _rate("momentum traders", 0, 10, 0.5),
        "fat_finger": _rate("fat fingers", 0.12, 2, 0.04),
        "manipulator": _rate("manipulators", 0, 10, 0.5),
    },
}

#: The controls by name.
KNOBS: Final[Mapping[str, Knob]] = {
    name: knob for knobs in SECTIONS.values() for name, knob in knobs.items()
}

#: How many traders of each kind there are, if any; a control says how often all of a kind act.
TRADERS: Final[Mapping[str, int]] = {
    "noise_trader": 20,
    "fat_finger": 1,
    "informed": 1,
    "market_maker": 1,
    "momentum": 1,
    "manipulator": 1,
}

#: Where the settings are that more than one control makes, or that a control makes in part.
PLACES: Final[Mapping[str, str]] = {
    "epoch_deltas": "epoch_length",
    "bad_s": "network.bad_periods",
    "partition_s": "network.partitions",
    "slow_link_ms": "network.link_delays",
    "slow_node": "network.slow_nodes",
    "processing": "network.verify_time",
    "jump_percent": "prices.jumps",
    "jump_s": "prices.jumps.0.at",
    "stale": "market.band_parameters",
    "stale_epochs": "market.band_parameters.stale_after",
    "reference": "market.reference",
} | {name: knob.path for name, knob in KNOBS.items() if knob.path}
