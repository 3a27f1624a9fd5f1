"""What the controls of the explorer say, and the experiment that this means."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any, Final, get_args

from streamlet_lab.config import ED25519_TIMES, ExperimentConfig, make_config
from streamlet_lab.consensus.quorums import FaultModel
from streamlet_lab.errors import InvalidInput
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
from streamlet_lab.units import format_duration, to_microseconds, to_seconds
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


def _set_by(label: str, default: Any, *limits: Any, **more: Any) -> Any:
    return field(default=default, metadata={"control": Control(label, default, *limits, **more)})


_protocol = partial(_set_by, group="Protocol")
_faults = partial(_set_by, group="Faults")
_network = partial(_set_by, group="Network")
_prices = partial(_set_by, group="Prices")
_market = partial(_set_by, group="Market")


def _delays() -> tuple[str, ...]:
    # No control says the measured delays that samples are drawn from.
    return tuple(kind for kind in delay_kinds() if kind != "sample")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the controls say; each field is declared with its control.

    Parameters
    ----------
    epochs, nodes, seed : int
    faulty : int
        How many of the last nodes have the fault.
    fault : str
        A registered kind of fault.
    picture : str
        ``"overview"``, the four charts; ``"block_tree"``, ``"sources"`` or ``"book"``.
    model, leaders : str
        As :class:`~streamlet_lab.config.ExperimentConfig` has them.
    quorum : str
        ``"from the model"`` or ``"2f+1"``.
    epoch_deltas : float
        Length of an epoch, in Δ.
    echo : bool
    fault_epochs : tuple of int
        First epoch with the fault and first epoch without it; 200, where the longest run ends, is
        never. No fault if they are the same.
    delays : str
        A registered kind of delays.
    median_delay_ms, delay_spread, delta_ms, gst_s, slowdown, held, loss, when_lost, catch_up
        As :class:`~streamlet_lab.config.NetworkConfig` has them, in the unit of the name.
    bad_s : tuple of int
        A bad period beside the one before GST, in seconds; none if it has no length.
    partition_s : tuple of int
        Between which times, in seconds, the first half of the nodes and the second do not hear each
        other; none if there is no time between.
    one_way : bool
        Whether only the second half does not hear the first.
    slow_link_ms : int
        Delay of the link from node_0 to node_1 in this direction; 0 for that of any other link.
    slow_node : int
        Factor of all delays from and to the first node.
    clock_skew_ms : int
    processing : bool
        Whether signing and verifying take as long as measured with Ed25519.
    path_model, volatility, aggregator, voter_policy, deviation_rule
        As :class:`~streamlet_lab.config.PricesConfig` has them.
    market_time : str
        How much the market moves on in an epoch: ``"1s"``, ``"1min"``, ``"1h"``, or ``"6.5h"``, a
        trading day.
    sources, min_sources : int
        How many there are, and how many valid quotes make a price.
    lying : int
        How many of the last sources lie.
    lie : str
        A registered kind of faults of sources.
    lying_epochs : tuple of int
        As `fault_epochs`, of the sources that lie.
    outlier_rule : str
        ``"no rule"``, or a registered one.
    band, band_percent, without_reference
        As :class:`~streamlet_lab.config.MarketConfig` has them.
    reference : str
        A registered kind of reference. What the lab's own take follows the epoch: ``"delayed"`` is
        quoted at its start and known an epoch later, ``"twap"`` is of the last three epochs.
    stale : str
        What an old reference does: ``"keep"``, ``"widen"`` or ``"halt"``; for the bands that go by
        the consensus.
    stale_epochs : int
        How old that is, in epochs of market time.
    zero_intelligence, informed, market_maker, momentum, fat_finger, manipulator : float
        How often all traders of the kind together act, per second of protocol time; 0 for none.

    Raises
    ------
    InvalidInput
        If a value is not one that its control can take.
    """

    epochs: int = _set_by("epochs", 60, 10, _LONGEST_RUN, 10)
    nodes: int = _set_by("nodes", 4, 1, 16)
    faulty: int = _set_by("faulty", 1, 0, 16)
    fault: str = _set_by("fault", "crash", names=offered_fault_kinds)
    seed: int = _set_by("seed", 0, 0, 2**31 - 1)
    picture: str = _set_by(
        "picture", "overview", names=lambda: ("overview", "block_tree", "sources", "book")
    )

    model: str = _protocol("model", "byzantine", names=lambda: get_args(FaultModel))
    leaders: str = _protocol("leaders", "round_robin", names=lambda: ("round_robin", "hashed"))
    quorum: str = _protocol(
        "quorum",
        _FROM_MODEL,
        names=lambda: (_FROM_MODEL, "2f+1"),
        # Whatever the model's own f is.
        written={"2f+1": "2⌊(n−1)/3⌋ + 1"},
    )
    epoch_deltas: float = _protocol("epoch (Δ)", 2.0, 0.5, 6, 0.5)
    echo: bool = _protocol("echo", True)

    fault_epochs: tuple[int, int] = _faults("faulty epochs", (0, _LONGEST_RUN), 0, _LONGEST_RUN)

    delays: str = _network("delays", "lognormal", names=_delays)
    median_delay_ms: int = _network("median (ms)", 50, 10, 1_000, 10)
    delay_spread: float = _network("spread", 0.7, 0, 2, 0.1)
    delta_ms: int = _network("Δ (ms)", 500, 100, 1_000, 100)
    gst_s: int = _network("GST (s)", 0, 0, 200)
    bad_s: tuple[int, int] = _network("bad time (s)", (0, 0), 0, 200)
    slowdown: int = _network("slowdown", 20, 1, 100)
    held: float = _network("held", 0.0, 0, 1, 0.1)
    loss: float = _network("loss", 0.0, 0, 0.5, 0.01)
    when_lost: str = _network("if lost", "retransmit", names=lambda: ("retransmit", "forever"))
    catch_up: bool = _network("catch-up", False)
    partition_s: tuple[int, int] = _network("partition (s)", (0, 0), 0, 200)
    one_way: bool = _network("one way", False)
    slow_link_ms: int = _network("0 to 1 (ms)", 0, 0, 1_000, 10)
    slow_node: int = _network("slow node_0", 1, 1, 20)
    clock_skew_ms: int = _network("skew (ms)", 0, 0, 1_000, 10)
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
    )
    volatility: float = _prices("volatility ×", 1.0, 0, 5, 0.25)
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
    )
    sources: int = _prices("sources", 3, 1, _MOST_SOURCES)
    min_sources: int = _prices("min. sources", 2, 1, _MOST_SOURCES)
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
    )
    voter_policy: str = _prices("voters go by", "observe", names=lambda: get_args(VoterPolicy))
    deviation_rule: str = _prices(
        "deviation rule", "widen", names=lambda: ("strict", "widen", "re-anchor")
    )
    outlier_rule: str = _prices("outliers", _NO_RULE, names=lambda: (_NO_RULE, *outlier_rules()))

    band: str = _market("band", "consensus", names=bands, written={"luld": "LULD"})
    band_percent: float = _market("band ± (%)", 5.0, 0.5, 20, 0.5)
    reference: str = _market(
        "reference", "consensus", names=reference_kinds, written={"twap": "TWAP"}
    )
    stale: str = _market("stale price", "keep", names=lambda: get_args(StalePolicy))
    stale_epochs: int = _market("stale epochs", 3, 1, 10)
    without_reference: str = _market(
        "no price yet", "reject", names=lambda: get_args(WithoutReference)
    )
    zero_intelligence: float = _market("random/s", 4.0, 0, 20, 0.5)
    informed: float = _market("informed/s", 0.0, 0, 10, 0.5)
    market_maker: float = _market("makers/s", 0.0, 0, 10, 0.5)
    momentum: float = _market("momentum/s", 0.0, 0, 10, 0.5)
    fat_finger: float = _market("far off/s", 0.12, 0, 2, 0.04)
    manipulator: float = _market("manipul./s", 0.0, 0, 10, 0.5)

    def __post_init__(self) -> None:
        for name, control in CONTROLS.items():
            control.check(name, getattr(self, name))
        if self.faulty > self.nodes:
            raise InvalidInput("faulty", self.faulty, f"an integer from 0 to {self.nodes}")
        if self.lying > self.sources:
            raise InvalidInput("lying", self.lying, f"an integer from 0 to {self.sources}")

    @property
    def changed(self) -> dict[str, Any]:
        """The values that are not the defaults, by field."""
        values = {name: getattr(self, name) for name in CONTROLS}
        return {name: v for name, v in values.items() if v != CONTROLS[name].default}

    def config(self) -> ExperimentConfig:
        """Return the experiment that is meant.

        Without signatures: they change nothing that the charts show, cost more than all the rest,
        and no fault can forge a vote or a quote without them either.

        Raises
        ------
        InvalidInput
            If values that are good each for itself do not go together.
        """
        return make_config(
            epochs=self.epochs,
            nodes=self.nodes,
            seed=self.seed,
            faults=[*self._node_faults(), *self._source_faults()],
            model=self.model,
            leaders=self.leaders,
            quorum=None if self.quorum == _FROM_MODEL else self.quorum,
            epoch_length=self.epoch_deltas * self.delta_ms / 1_000,
            echo=self.echo,
            signatures="none",
            network=self._network(),
            market_time_per_epoch=self.market_time,
            prices=self._prices(),
            market=self._market(),
        )

    def _node_faults(self) -> list[Fault]:
        return _last_ones(self.fault, self.faulty, self.fault_epochs)

    def _source_faults(self) -> list[Fault]:
        return _last_ones(self.lie, self.lying, self.lying_epochs) if self.lying else []

    def _prices(self) -> dict[str, Any]:
        return {
            "path_model": self.path_model,
            "volatility": self.volatility,
            "sources": self.sources,
            "min_sources": self.min_sources,
            "aggregator": self.aggregator,
            "voter_policy": self.voter_policy,
            "deviation_rule": self.deviation_rule,
            "outlier_rule": None if self.outlier_rule == _NO_RULE else self.outlier_rule,
        }

    def _market(self) -> dict[str, Any]:
        old = self.stale_epochs * to_seconds(to_microseconds(self.market_time))
        stale = {} if self.stale == "keep" else {"stale": self.stale, "stale_after": old}
        return {
            "band": self.band,
            "band_percent": f"{self.band_percent:g}",
            "band_parameters": stale,
            "reference": {"kind": self.reference, "parameters": self._reference_parameters()},
            "without_reference": self.without_reference,
            "traders": self._traders(),
        }

    def _reference_parameters(self) -> dict[str, Any]:
        epoch = to_microseconds(self.market_time)
        whole, window, step = map(format_duration, (epoch, 3 * epoch, epoch // 10))
        return {
            "delayed": {"delay": whole, "every": whole},
            "twap": {"window": window, "every": step, "check": step},
        }.get(self.reference, {})

    def _traders(self) -> list[dict[str, Any]]:
        return [
            {"kind": kind, "count": count, "rate": getattr(self, kind) / count}
            for kind, count in _TRADERS.items()
            if getattr(self, kind)
        ]

    def _network(self) -> dict[str, Any]:
        bad_start, bad_stop = self.bad_s
        return {
            "delays": self.delays,
            "median_delay": f"{self.median_delay_ms}ms",
            "delay_spread": self.delay_spread,
            "delta": f"{self.delta_ms}ms",
            "gst": f"{self.gst_s}s",
            "bad_periods": []
            if bad_start == bad_stop
            else [{"start": bad_start, "stop": bad_stop}],
            "slowdown": self.slowdown,
            "held": self.held,
            "loss": self.loss,
            "when_lost": self.when_lost,
            "catch_up": self.catch_up,
            "partitions": self._partitions(),
            "link_delays": {"node_0>node_1": f"{self.slow_link_ms}ms"} if self.slow_link_ms else {},
            "slow_nodes": {"node_0": self.slow_node} if self.slow_node > 1 else {},
            "clock_skew": f"{self.clock_skew_ms}ms",
            **(ED25519_TIMES if self.processing else {}),
        }

    def _partitions(self) -> list[dict[str, Any]]:
        start, stop = self.partition_s
        if start == stop:
            return []
        names = [f"node_{index}" for index in range(self.nodes)]
        half = self.nodes // 2
        groups = (names[:half], names[half:])
        return [{"start": start, "stop": stop, "groups": groups, "one_way": self.one_way}]


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
