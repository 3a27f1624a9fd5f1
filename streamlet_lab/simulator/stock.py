"""Nodes that agree on stock prices: the protocol bound to the price room."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from streamlet_lab.config import OBSERVER, ExperimentConfig, make_config
from streamlet_lab.consensus import Block, StreamletNode, Verdict
from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching import Reference
from streamlet_lab.prices import (
    Claim,
    Evaluation,
    GenesisPrice,
    MalformedPayload,
    NoPrice,
    PreviousConsensus,
    PriceConsensus,
    QuoteFeed,
    StockPrice,
    Voter,
    decode_payload,
    evaluate,
    find_aggregator,
    make_path,
)
from streamlet_lab.simulator.monitors import Monitor
from streamlet_lab.simulator.protocol import StreamletSimulation, protocol_settings
from streamlet_lab.units import CENT

_LOG = logging.getLogger("streamlet_lab.prices")


def read(block: Block) -> Claim | None:
    """Return what a block says; None for bytes that only a dishonest quorum lets into a chain."""
    try:
        return decode_payload(block.payload)
    except MalformedPayload:
        return None


def priced(block: Block) -> PriceConsensus | None:
    """Return the consensus price in a block, with the block's hash; None if it has none."""
    claim = read(block)
    return claim.in_block(block.hash) if isinstance(claim, PriceConsensus) else None


class PriceApplication:
    """What the nodes agree on: the price of each epoch, made from the sources' quotes.

    The observation of an epoch is the tuple of its quotes. Making and judging a payload are pure;
    what was evaluated once for the same epoch, reference and quotes is remembered, as a
    verification is.

    Parameters
    ----------
    voter : Voter
        Symbol, rules and how voters judge.
    feed : QuoteFeed
        Gives the timestamp of each epoch.

    Attributes
    ----------
    evaluations : dict of int to Evaluation
        By epoch, the first evaluation of its quotes: the leader's, if there was one.
    """

    def __init__(self, voter: Voter, feed: QuoteFeed) -> None:
        self.voter = voter
        self.evaluations: dict[int, Evaluation] = {}
        self._feed = feed
        self._evaluated: tuple[object, object, Evaluation] | None = None
        self._judged: tuple[bytes, object, Verdict] | None = None

    def make_payload(
        self, epoch: int, ancestors: Iterator[Block], observation: object
    ) -> tuple[bytes, bytes]:
        """Return the payload that follows from the quotes; there is no attachment."""
        evaluation = self._evaluate(epoch, previous_consensus(ancestors), observation)
        return evaluation.claim.to_payload(), b""

    def judge(self, block: Block, ancestors: Iterator[Block], observation: object) -> Verdict:
        """Check a leader's claim against the rules, and against the voter's own quotes."""
        last = self._judged
        if last is not None and last[0] == block.hash and last[1] is observation:
            return last[2]
        verdict = self._judge(block, ancestors, observation)
        self._judged = (block.hash, observation, verdict)
        return verdict

    def _judge(self, block: Block, ancestors: Iterator[Block], observation: object) -> Verdict:
        try:
            claim = decode_payload(block.payload)
        except MalformedPayload as error:
            return Verdict(False, f"malformed payload: {error}")
        if block.attachment:
            return Verdict(False, "an attachment that nobody asked for")
        previous = previous_consensus(ancestors)
        own = self._evaluate(block.epoch, previous, observation).claim
        objection = self.voter.objection(claim, own, block.epoch, previous)
        return Verdict(objection is None, objection or "")

    def _evaluate(self, epoch: int, previous: PreviousConsensus, observation: object) -> Evaluation:
        last, question = self._evaluated, (epoch, previous)
        if last is not None and last[0] == question and last[1] is observation:
            return last[2]
        quotes: tuple[StockPrice, ...] = observation  # type: ignore[assignment]
        voter = self.voter
        evaluation = evaluate(
            quotes,
            voter.rules,
            voter.symbol,
            epoch,
            previous,
            self.timestamp(epoch),
            voter.aggregator,
        )
        if _LOG.isEnabledFor(logging.INFO):
            for quote, reason in evaluation.checks:
                _LOG.info("Epoch %d: %s of %s: %s", epoch, quote.price, quote.source, reason)
        self.evaluations.setdefault(epoch, evaluation)
        self._evaluated = (question, observation, evaluation)
        return evaluation

    def timestamp(self, epoch: int) -> datetime:
        """Return the market time at which an epoch is quoted."""
        return self._feed.path.timestamp(epoch * self._feed.market_time_per_epoch)


def _dearer(payload: bytes, cents: int) -> bytes:
    """Return the claim of a price some cents higher; voters tolerate more than that.

    Where there is no price, the reason is another, which voters believe as well.
    """
    try:
        claim = decode_payload(payload)
    except MalformedPayload:
        return payload + b"#%d" % cents
    if isinstance(claim, NoPrice):
        return replace(claim, reason=f"{claim.reason} ({cents})").to_payload()
    if isinstance(claim, GenesisPrice):
        return replace(claim, price=claim.price + cents * CENT).to_payload()
    return replace(claim, consensus_price=claim.consensus_price + cents * CENT).to_payload()


def previous_consensus(ancestors: Iterator[Block]) -> PreviousConsensus:
    """Return the nearest priced ancestor: the reference of the deviation rule."""
    for block in ancestors:
        claim = read(block)
        if isinstance(claim, PriceConsensus):
            return PreviousConsensus(claim.consensus_price, block.epoch)
        if isinstance(claim, GenesisPrice) and block.height == 0:
            return PreviousConsensus(claim.price, block.epoch)
    raise AssertionError("every chain starts with a priced genesis")


class StockMarketStreamletNode(StreamletNode):
    """A Streamlet node whose blocks carry prices.

    Parameters
    ----------
    node_id, validators, genesis, quorum, keyring, application, leader_of, finality, certify
        As of :class:`~streamlet_lab.consensus.StreamletNode`.
    """

    def finalized_prices(self) -> list[PriceConsensus]:
        """Return the finalized consensus prices, oldest first, with their blocks' hashes."""
        claims = map(priced, self.tree.finalized)
        return [claim for claim in claims if claim is not None]


class _FinalPrices(Monitor):
    """What one node has seen finalized, and when; read lazily, since few runs ask."""

    def __init__(self, node: str) -> None:
        self._node = node
        self._unread: list[tuple[int, Block]] = []
        self._prices: list[PriceConsensus] = []
        self._reference: Reference | None = None

    def finalized(self, time: int, node: str, block: Block) -> None:
        """Keep the block for whoever asks."""
        if node == self._node:
            self._unread.append((time, block))

    def read(self) -> tuple[list[PriceConsensus], Reference | None]:
        """Return all prices, oldest first, and the last of them as a reference."""
        for time, block in self._unread:
            price = priced(block)
            if price is not None:
                self._prices.append(price)
                self._reference = Reference(price.consensus_price, time, price.block_hash)
        self._unread.clear()
        return self._prices, self._reference


class StockMarketConsensusNetwork(StreamletSimulation):
    """A network of nodes that agree on the price of one stock, on simulated time.

    Parameters
    ----------
    config : ExperimentConfig
        Its market section does not matter here.
    monitors : sequence of Monitor
        Who watches.

    Attributes
    ----------
    feed : QuoteFeed
        What the sources quote.
    application : PriceApplication
        What honest nodes make of it.

    Raises
    ------
    InvalidInput
        If there is no such feed or fault, or the feed ends before the run would.
    """

    node_type = StockMarketStreamletNode

    def __init__(self, config: ExperimentConfig, monitors: Sequence[Monitor] = ()) -> None:
        self.config = config
        self._final_prices = _FinalPrices(OBSERVER)
        prices = config.prices
        try:
            path = make_path(
                config.feed,
                config.seed,
                config.market_time_per_epoch,
                base_price=prices.base_price,
                volatility=prices.volatility,
                trend=prices.trend,
                path_model=prices.path_model,
            )
            rules = prices.rules(path.bounds)
            aggregator = find_aggregator(prices.aggregator)
        except InvalidInput as error:
            section = "" if error.field == "feed" else "prices."
            raise InvalidInput(f"{section}{error.field}", error.value, error.expected) from error
        self._duration = path.duration
        self._check_duration(config.epochs)
        self.feed = QuoteFeed(path, config.market_time_per_epoch, config.seed, prices.sources)
        voter = Voter(path.symbol, rules, prices.voter_policy, prices.tolerance_percent, aggregator)
        self.application = PriceApplication(voter, self.feed)
        chain_id = f"{path.symbol}/{config.feed}/{config.seed}"
        super().__init__(
            config.node_ids,
            self.application,
            chain_id=chain_id,
            genesis_payload=GenesisPrice(path.symbol, path.base_price).to_payload(),
            observe=self.feed.quotes,
            monitors=(self._final_prices, *monitors),
            vary=_dearer,
            **protocol_settings(config, chain_id),
        )

    def _check_duration(self, epochs: int) -> None:
        if self._duration is None:
            return
        available = self._duration // self.config.market_time_per_epoch
        if epochs > available:
            raise InvalidInput(
                "epochs", epochs, f"at most {available}: the feed {self.config.feed!r} ends there"
            )

    @property
    def symbol(self) -> str:
        """The stock whose price the network agrees on."""
        return self.feed.symbol

    @property
    def f(self) -> int:
        """Number of faulty nodes that a network of this size tolerates."""
        return self.config.tolerated

    def market_time(self, time: int) -> int:
        """Convert protocol time to market time, both in microseconds."""
        return time * self.config.market_time_per_epoch // self.config.epoch_length

    def true_price(self, time: int) -> int:
        """Return the underlying price in micro-dollars at an instant of protocol time."""
        return self.feed.path.price(self.market_time(time))

    def run_price_consensus_simulation(self, epochs: int) -> list[PriceConsensus]:
        """Run some more epochs (the description's call).

        Returns
        -------
        list of PriceConsensus
            Prices that the observer saw notarized in these epochs, in the order of their epochs.
        """
        if not isinstance(epochs, int) or epochs < 1:
            raise InvalidInput("epochs", epochs, "a whole number of at least 1")
        self._check_duration(self.next_epoch + epochs)
        first = len(self.observer.tree.notarized)
        self.run(epochs)
        blocks = sorted(self.observer.tree.notarized[first:], key=lambda block: block.epoch)
        return [claim for claim in map(priced, blocks) if claim is not None]

    def get_finalized_consensus_prices(self) -> list[PriceConsensus]:
        """Return what the observer holds for final, oldest first (the description's call)."""
        return list(self._final_prices.read()[0])

    def reference(self) -> Reference | None:
        """Return the last finalized price and since when the observer knows it."""
        return self._final_prices.read()[1]


def create_aapl_consensus_network(
    num_nodes: int = 4, *, seed: int = 0, **settings: Any
) -> StockMarketConsensusNetwork:
    """Return a network that agrees on simulated AAPL prices (the description's call).

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
    ['149.99', '148.55']
    """
    return StockMarketConsensusNetwork(make_config(nodes=num_nodes, seed=seed, **settings))
