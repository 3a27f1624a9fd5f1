"""The names of the system's description, as thin wrappers of what the lab is made of."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from streamlet_lab.config import OBSERVER, ExperimentConfig, make_config
from streamlet_lab.consensus import Block, StreamletNode
from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching import Reference
from streamlet_lab.prices import (
    SIMULATED,
    SOURCES,
    TRADING_DAY,
    PreviousConsensus,
    PriceConsensus,
    PriceRound,
    PriceValidation,
    QuoteFeed,
    StockPrice,
    make_path,
    valid_quotes,
)
from streamlet_lab.simulator import Monitor, StockSimulation, priced
from streamlet_lab.units import to_decimal, to_instance, to_name, to_whole


class AAPLPriceSimulator:
    """Simulated AAPL price feeds, one quote at a time.

    The price begins at ``base_price``, from $50 to $500. The volatility multiplies every return; 1
    is AAPL's own. The trend is the drift of the logarithm of the price, per year.

    >>> simulator = AAPLPriceSimulator(base_price=150)
    >>> simulator.generate_price_feed("market_data_1").symbol
    'AAPL'
    """

    def __init__(
        self,
        base_price: object = Decimal("150.00"),
        *,
        volatility: float = 1.0,
        trend: float = 0.0,
        seed: int = 0,
    ) -> None:
        price = to_decimal(base_price, "base_price")
        if not 50 <= price <= 500:
            raise InvalidInput("base_price", str(price), "a price from 50 to 500")
        path = make_path(
            SIMULATED, seed, TRADING_DAY, base_price=price, volatility=volatility, trend=trend
        )
        self.feed = QuoteFeed(path, TRADING_DAY, seed)
        self._quoted: Counter[str] = Counter()

    def generate_price_feed(self, source: str) -> StockPrice:
        """Return the source's next quote; its n-th quote is of the n-th trading day."""
        quotes = self.feed.quotes(self._quoted[to_name(source, SOURCES, "source")])
        self._quoted[source] += 1
        return quotes[SOURCES.index(source)]


class PriceConsensusService:
    """Generates, validates and aggregates an epoch's simulated prices, without any network.

    The rules are the description's unless given. The deviation rule's reference is ``previous``:
    the last consensus that :meth:`process_epoch_prices` made, and how many epochs that it was asked
    for since then had none.
    """

    def __init__(
        self, symbol: str = "AAPL", *, rules: PriceValidation | None = None, seed: int = 0
    ) -> None:
        if not (isinstance(symbol, str) and symbol):
            raise InvalidInput("symbol", symbol, "a symbol such as 'AAPL'")
        path = make_path(SIMULATED, seed, TRADING_DAY, symbol=symbol)
        self.symbol = symbol
        rules = PriceValidation() if rules is None else rules
        self.rules = to_instance(rules, PriceValidation, "rules")
        self.previous: PreviousConsensus | None = None
        self._next_epoch = 0
        self._feed = QuoteFeed(path, TRADING_DAY, seed)

    def validate_prices(self, prices: Sequence[StockPrice]) -> list[StockPrice]:
        """Return the prices that pass the rules, measured against the last consensus."""
        known = PriceRound(self.rules, self.symbol, self._next_epoch, self.previous)
        return [*valid_quotes(known.check(prices))]

    def calculate_consensus_price(
        self, prices: Sequence[StockPrice], timestamp: datetime | None = None
    ) -> PriceConsensus:
        """Aggregate prices that are taken to be valid.

        The timestamp is that of the latest price unless one is given. There is to be a price at
        least, and volume.
        """
        for price in prices:
            to_instance(price, StockPrice, "prices")
            if price.symbol != self.symbol:
                raise InvalidInput("prices", price.symbol, f"prices of {self.symbol}")
        known = PriceRound(self.rules, self.symbol, self._next_epoch, self.previous, timestamp)
        return known.aggregate(prices)

    def process_epoch_prices(self, epoch: int) -> tuple[bytes, PriceConsensus | None]:
        """Return the payload of an epoch's block, and the consensus in it if there is one.

        Each epoch is to come after the last one.
        """
        epoch = to_whole(epoch, self._next_epoch, "epoch")
        self._next_epoch = epoch + 1
        known = PriceRound(self.rules, self.symbol, epoch, self.previous)
        claim = known.evaluate(self._feed.quotes(epoch)).claim
        if not isinstance(claim, PriceConsensus):
            if self.previous is not None:
                self.previous = self.previous.after_no_price()
            return claim.to_payload(), None
        self.previous = PreviousConsensus(claim.consensus_price, epoch)
        return claim.to_payload(), claim


class StockMarketStreamletNode(StreamletNode):
    """A :class:`~streamlet_lab.consensus.StreamletNode` whose blocks carry prices."""

    def finalized_prices(self) -> list[PriceConsensus]:
        """Return the finalized consensus prices, oldest first, with their blocks' hashes."""
        return [claim for block in self.tree.finalized for claim in priced(block)]


class _FinalBlocks(Monitor):
    """The blocks that the observer has seen finalized, and when."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, Block]] = []

    def finalized(self, time: int, node: str, block: Block) -> None:
        if node == OBSERVER:
            self.seen.append((time, block))


class StockMarketConsensusNetwork(StockSimulation):
    """A network that agrees on the prices of stocks."""

    node_type = StockMarketStreamletNode

    def __init__(self, config: ExperimentConfig, monitors: Sequence[Monitor] = ()) -> None:
        self._final = _FinalBlocks()
        super().__init__(config, (self._final, *monitors))

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
        """Run some more epochs, and return the prices that the observer saw notarized in them.

        They are in the order of their epochs; within one, in that of the symbols.
        """
        epochs = to_whole(epochs, 1, "epochs")
        self.check_duration(self.next_epoch + epochs)
        first = len(self.observer.tree.notarized)
        self.run(epochs)
        blocks = sorted(self.observer.tree.notarized[first:], key=lambda block: block.epoch)
        return [claim for block in blocks for claim in priced(block)]

    def get_finalized_consensus_prices(self) -> list[PriceConsensus]:
        """Return what the observer holds for final, oldest first."""
        return [price for _, block in self._final.seen for price in priced(block)]

    def reference(self, symbol: str | None = None) -> Reference | None:
        """Return the last final price, of the first symbol unless another one is named.

        Its time is that at which the observer saw it final.
        """
        wanted = to_name(symbol or self.symbol, self.symbols, "symbol")
        return next(
            (
                Reference(price.consensus_price, time, price.block_hash)
                for time, block in reversed(self._final.seen)
                for price in priced(block)
                if price.symbol == wanted
            ),
            None,
        )


def create_aapl_consensus_network(
    num_nodes: int = 4, *, seed: int = 0, **settings: Any
) -> StockMarketConsensusNetwork:
    """Return a network that agrees on simulated AAPL prices.

    Further settings are fields of :class:`~streamlet_lab.config.ExperimentConfig`.

    >>> network = create_aapl_consensus_network(4)
    >>> len(network.run_price_consensus_simulation(epochs=3))
    3
    >>> [str(price.consensus_price) for price in network.get_finalized_consensus_prices()]
    ['150.00', '151.95']
    """
    return StockMarketConsensusNetwork(make_config(nodes=num_nodes, seed=seed, **settings))
