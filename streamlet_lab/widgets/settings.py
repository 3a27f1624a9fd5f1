"""What the controls of the explorer say, and the experiment that this means."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any, Final, get_args

from streamlet_lab.config import ED25519_TIMES, ExperimentConfig, make_config
from streamlet_lab.errors import InvalidInput
from streamlet_lab.fault import Fault
from streamlet_lab.simulator import delay_kinds, offered_fault_kinds
from streamlet_lab.theory import FaultModel
from streamlet_lab.widgets.controls import Control

_LONGEST_RUN: Final = 200
_FROM_MODEL: Final = "from the model"


def _set_by(label: str, default: Any, *limits: Any, **more: Any) -> Any:
    return field(default=default, metadata={"control": Control(label, default, *limits, **more)})


_protocol = partial(_set_by, group="Protocol")
_faults = partial(_set_by, group="Faults")
_network = partial(_set_by, group="Network")


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
    block_tree : bool
        Whether to draw the block tree instead of the four charts.
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
    block_tree: bool = _set_by("block tree", False)

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

    def __post_init__(self) -> None:
        for name, control in CONTROLS.items():
            control.check(name, getattr(self, name))
        if self.faulty > self.nodes:
            raise InvalidInput("faulty", self.faulty, f"an integer from 0 to {self.nodes}")

    @property
    def changed(self) -> dict[str, Any]:
        """The values that are not the defaults, by field."""
        values = {name: getattr(self, name) for name in CONTROLS}
        return {name: v for name, v in values.items() if v != CONTROLS[name].default}

    def config(self) -> ExperimentConfig:
        """Return the experiment that is meant.

        Without signatures: they change nothing that the charts show, cost more than all the rest,
        and no fault can forge a vote without them either.

        Raises
        ------
        InvalidInput
            If values that are good each for itself do not go together.
        """
        return make_config(
            epochs=self.epochs,
            nodes=self.nodes,
            seed=self.seed,
            faults=self._faults(),
            model=self.model,
            leaders=self.leaders,
            quorum=None if self.quorum == _FROM_MODEL else self.quorum,
            epoch_length=self.epoch_deltas * self.delta_ms / 1_000,
            echo=self.echo,
            signatures="none",
            network=self._network(),
        )

    def _faults(self) -> list[Fault]:
        start, stop = self.fault_epochs
        if start == stop:
            return []
        until = None if stop == _LONGEST_RUN else stop
        return [Fault(self.fault, count=self.faulty, start=start, stop=until)]

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


#: The control of every setting, by field.
CONTROLS: Final[Mapping[str, Control]] = {
    item.name: item.metadata["control"] for item in fields(Settings)
}
