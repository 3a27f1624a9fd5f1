"""What stays of a run for its frames when the simulation is gone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

from streamlet_lab.checks import Excerpt
from streamlet_lab.config import ExperimentConfig
from streamlet_lab.consensus import Block, BlockTree, Evidence
from streamlet_lab.frames.tables import Columns, epoch_at
from streamlet_lab.matching import ConsensusMatchingEngine, Reference
from streamlet_lab.prices import Evaluation, PricePath, StockPrice
from streamlet_lab.simulator import Arrival, Market, Recorder, Simulation, StockSimulation
from streamlet_lab.simulator.recorder import Columnar
from streamlet_lab.units import MICROSECONDS_PER_SECOND, to_seconds


@dataclass(frozen=True, kw_only=True)
class Record:
    """What stays of a run, to make its frames of; without a market the defaults stay empty."""

    config: ExperimentConfig
    recorder: Recorder
    tree: BlockTree  # the observer's
    observer: str
    copies: Mapping[tuple[int, str], tuple[int, int, int]]  # as `Network.copies` has them
    excerpt: Excerpt = field(default_factory=Excerpt)
    offences: Sequence[tuple[Evidence, bool]] = ()  # and whether public keys prove it
    paths: Mapping[str, PricePath] = field(default_factory=dict)  # by symbol, as below
    evaluations: Mapping[int, tuple[Evaluation, ...]] = field(default_factory=dict)
    quotes: Mapping[int, tuple[tuple[StockPrice, ...], ...]] = field(default_factory=dict)
    engines: Mapping[str, ConsensusMatchingEngine] = field(default_factory=dict)
    arrivals: Sequence[Arrival] = ()
    quoted: Mapping[str, Mapping[Reference, int]] = field(default_factory=dict)
    first: int = 0  # the epoch with which this part of the run begins
    stop: int = 2**62  # and the one before which it ends
    readings: dict[bytes, list[Any]] = field(default_factory=dict)  # of blocks, once read, by hash
    logs: list[Any] = field(default_factory=list)  # of the engines, once they have been read

    @classmethod
    def of(
        cls,
        config: ExperimentConfig,
        simulation: Simulation,
        recorder: Recorder,
        market: Market | None = None,
        **more: Any,
    ) -> Self:
        """Take from a finished simulation what its frames need, and nothing that holds it."""
        carrier, observer = simulation.network, simulation.observer
        if isinstance(simulation, StockSimulation) and market is not None:
            more |= {
                "paths": {symbol: feed.path for symbol, feed in simulation.feeds.items()},
                "evaluations": simulation.application.evaluations,
                "quotes": {epoch: each.quotes for epoch, each in simulation.observations.items()},
                "engines": market.engines,
                "arrivals": market.arrivals,
                "quoted": market.quoted,
            }
        return cls(
            config=config,
            recorder=recorder,
            tree=observer.tree,
            observer=observer.node_id,
            copies=carrier.copies,
            **more,
        )

    @cached_property
    def epoch_length(self) -> int:
        """Microseconds."""
        return self.config.epoch_length

    @property
    def epochs(self) -> range:
        """Which epochs it is about."""
        return range(self.first, min(self.stop, len(self.recorder.leaders)))

    @cached_property
    def proposals(self) -> dict[int, Block]:
        """The block of each epoch: of several the final, the notarized or the first one."""
        proposals: dict[int, Block] = {}
        for _, _, block in self.recorder.proposals:
            proposals.setdefault(block.epoch, block)
        for block in (*self.tree.notarized[1:], *self.tree.finalized[1:]):
            proposals[block.epoch] = block
        return proposals

    @cached_property
    def refusals(self) -> dict[bytes, list[str]]:
        """Why voters refused each refused block, by its hash."""
        reasons: dict[bytes, list[str]] = {}
        for refusal in self.recorder.refusals:
            reasons.setdefault(refusal.block.hash, []).append(refusal.reason)
        return reasons

    @cached_property
    def notarized(self) -> dict[bytes, int]:
        """When the observer saw each block notarized, by its hash."""
        return self._seen(self.recorder.notarizations)

    @cached_property
    def finalized(self) -> dict[bytes, int]:
        """When the observer saw each block finalized, by its hash."""
        return self._seen(self.recorder.finalizations)

    def _seen(self, rows: Columnar[Any]) -> dict[bytes, int]:
        seen = zip(*rows.columns, strict=True)
        return {block.hash: time for time, node, block in seen if node == self.observer}

    @cached_property
    def reference_epochs(self) -> dict[str, int]:
        """The epochs of the blocks that the market's references come from, by their hashes.

        They are of the chain that the market reads, which need not be the observer's.
        """
        reader, (_, *seen) = self.config.market.reference_node, self.recorder.finalizations.columns
        return {
            block.hash.hex(): block.epoch
            for node, block in zip(*seen, strict=True)
            if node == reader
        }

    def true_price(self, symbol: str, time: int) -> int:
        """Return the true price in micro-dollars at an instant of protocol time."""
        config = self.config
        return self.paths[symbol].price(time * config.market_time_per_epoch // config.epoch_length)

    def place(self, time: int) -> tuple[float, int]:
        """Return an instant in seconds, and its epoch."""
        # At the instant 0 nothing has happened; it is of the first epoch, like all that follows.
        return to_seconds(time), max(epoch_at(time, self.epoch_length), 0)

    def places(self, times: Sequence[int]) -> Columns:
        """Return the columns ``time_s`` and ``epoch`` of many instants."""
        # Not by `place`: four calls for each order and trade were a tenth of their frames.
        length = self.epoch_length
        return {
            "time_s": [time / MICROSECONDS_PER_SECOND for time in times],
            "epoch": [max((time - 1) // length, 0) for time in times],
        }
