"""Thin doors: the names of the system's description, each to what the lab does already."""

from collections.abc import Sequence
from typing import Any

from streamlet_lab.config import OBSERVER, ExperimentConfig, make_config
from streamlet_lab.consensus import Block, StreamletNode
from streamlet_lab.matching import Reference
from streamlet_lab.prices import PriceConsensus, QuoteFeed
from streamlet_lab.simulator import Monitor, StockSimulation, priced
from streamlet_lab.units import to_whole


class StockMarketStreamletNode(StreamletNode):
    """A :class:`~streamlet_lab.consensus.StreamletNode` whose blocks carry prices."""

    def finalized_prices(self) -> list[PriceConsensus]:
        """Return the finalized consensus prices, oldest first, with their blocks' hashes."""
        return [claim for block in self.tree.finalized for claim in priced(block)]


class _FinalPrices(Monitor):
    """What one node has seen finalized, and when; read lazily, since few runs ask."""

    def __init__(self, node: str) -> None:
        self._node = node
        self._unread: list[tuple[int, Block]] = []
        self._prices: list[PriceConsensus] = []
        self._references: dict[str, Reference] = {}

    def finalized(self, time: int, node: str, block: Block) -> None:
        """Keep the block for whoever asks."""
        if node == self._node:
            self._unread.append((time, block))

    def read(self) -> tuple[list[PriceConsensus], dict[str, Reference]]:
        """Return all prices, oldest first, and the last one of each symbol as a reference."""
        for time, block in self._unread:
            for price in priced(block):
                self._prices.append(price)
                reference = Reference(price.consensus_price, time, price.block_hash)
                self._references[price.symbol] = reference
        self._unread.clear()
        return self._prices, self._references


class StockMarketConsensusNetwork(StockSimulation):
    """A network that agrees on the prices of stocks.

    Parameters
    ----------
    config, monitors
        See :class:`~streamlet_lab.simulator.StockSimulation`.
    """

    node_type = StockMarketStreamletNode

    def __init__(self, config: ExperimentConfig, monitors: Sequence[Monitor] = ()) -> None:
        self._final_prices = _FinalPrices(OBSERVER)
        super().__init__(config, (self._final_prices, *monitors))

    @property
    def symbol(self) -> str:
        """The stock, or the first of those, whose price the network agrees on."""
        return self.symbols[0]

    @property
    def feed(self) -> QuoteFeed:
        """The feed of the first symbol."""
        return self.feeds[self.symbol]

    @property
    def f(self) -> int:
        """Number of faulty nodes that a network of this size tolerates."""
        return self.config.tolerated

    def run_price_consensus_simulation(self, epochs: int) -> list[PriceConsensus]:
        """Run some more epochs.

        Returns
        -------
        list of PriceConsensus
            Prices that the observer saw notarized in these epochs, in the order of their epochs;
            within one, in that of the symbols.
        """
        epochs = to_whole(epochs, 1, "epochs")
        self.check_duration(self.next_epoch + epochs)
        first = len(self.observer.tree.notarized)
        self.run(epochs)
        blocks = sorted(self.observer.tree.notarized[first:], key=lambda block: block.epoch)
        return [claim for block in blocks for claim in priced(block)]

    def get_finalized_consensus_prices(self) -> list[PriceConsensus]:
        """Return what the observer holds for final, oldest first."""
        return list(self._final_prices.read()[0])

    def reference(self, symbol: str | None = None) -> Reference | None:
        """Return the last finalized price and since when the observer knows it.

        Of the first symbol unless another one is named.
        """
        return self._final_prices.read()[1].get(symbol or self.symbol)


def create_aapl_consensus_network(
    num_nodes: int = 4, *, seed: int = 0, **settings: Any
) -> StockMarketConsensusNetwork:
    """Return a network that agrees on simulated AAPL prices.

    Parameters
    ----------
    num_nodes : int
    seed : int
    **settings
        Further fields of :class:`~streamlet_lab.config.ExperimentConfig`.

    Examples
    --------
    >>> network = create_aapl_consensus_network(4)
    >>> len(network.run_price_consensus_simulation(epochs=3))
    3
    >>> [str(price.consensus_price) for price in network.get_finalized_consensus_prices()]
    ['150.00', '151.95']
    """
    return StockMarketConsensusNetwork(make_config(nodes=num_nodes, seed=seed, **settings))
