"""The market on the clock: traders send, the engine matches, finality moves the reference."""

from decimal import Decimal
from typing import NamedTuple

from streamlet_lab.consensus import Block
from streamlet_lab.matching import ConsensusBand, ConsensusMatchingEngine, Reference
from streamlet_lab.prices import PriceConsensus
from streamlet_lab.simulator.monitors import Monitor
from streamlet_lab.simulator.queue import Priority
from streamlet_lab.simulator.stock import StockMarketConsensusNetwork, read
from streamlet_lab.simulator.traders import Submission, Trader


class Arrival(NamedTuple):
    """A submission at the instant at which the engine took it in."""

    time: int
    submission: Submission
    reference: Reference | None


class Market(Monitor):
    """Traders and a matching engine for each symbol, on the clock of a consensus network.

    The references move at the instant at which the node that the market reads sees a block
    finalized. The market never looks at the true price; traders do.

    Parameters
    ----------
    network : StockMarketConsensusNetwork
        The market adds itself to its monitors and uses its clock.

    Attributes
    ----------
    engines : dict of str to ConsensusMatchingEngine
        By symbol.
    arrivals : list of Arrival
        Every order, in the order of its arrival.
    """

    def __init__(self, network: StockMarketConsensusNetwork) -> None:
        config = network.config.market
        self.engines = {
            symbol: ConsensusMatchingEngine(
                symbol,
                band=ConsensusBand(config.band_percent),
                without_reference=config.without_reference,
            )
            for symbol in network.symbols
        }
        self.arrivals: list[Arrival] = []
        self._network = network
        self._reads = config.reference_node
        self._newest: dict[str, tuple[Decimal, bytes]] = {}
        network.monitors.append(self)
        for index in range(config.traders):
            trader = Trader(
                f"trader_{index}",
                network.symbols,
                config,
                network.config.seed,
                network.config.epoch_length,
            )
            first = network.queue.now + trader.wait()
            network.queue.schedule(first, Priority.ORDER, self._send, trader)

    def finalized(self, time: int, node: str, block: Block) -> None:
        """Have the references moved once everything that arrives at this instant is in."""
        if node != self._reads:
            return
        for claim in read(block):
            # A dishonest quorum may finalize the price of something that nobody trades.
            if isinstance(claim, PriceConsensus) and claim.symbol in self.engines:
                if not self._newest:
                    self._network.queue.schedule(time, Priority.REFERENCE, self._move_references)
                self._newest[claim.symbol] = (claim.consensus_price, block.hash)

    def _move_references(self, time: int, _: None) -> None:
        newest, self._newest = self._newest, {}
        for symbol, (price, block_hash) in newest.items():
            self.engines[symbol].set_reference(Reference(price, time, block_hash.hex()), time)

    def _send(self, time: int, trader: Trader) -> None:
        symbol = trader.next_symbol()
        engine = self.engines[symbol]
        submission = trader.next_submission(symbol, self._network.true_price(time, symbol))
        self.arrivals.append(Arrival(time, submission, engine.reference))
        engine.submit(submission.order, time)
        self._network.queue.schedule(time + trader.wait(), Priority.ORDER, self._send, trader)
