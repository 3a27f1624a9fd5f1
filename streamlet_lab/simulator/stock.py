"""Nodes that agree on stock prices: the protocol bound to the price room."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import takewhile, tee
from typing import Any, Final, NamedTuple

from streamlet_lab.config import (
    FRAME,
    OBSERVER,
    AssetConfig,
    ExperimentConfig,
    FrameFeed,
    PricesConfig,
    make_config,
)
from streamlet_lab.consensus import Block, StreamletNode, Verdict
from streamlet_lab.errors import InvalidInput
from streamlet_lab.keys import Keyring, make_keyring
from streamlet_lab.matching import Reference
from streamlet_lab.prices import (
    Claim,
    Evaluation,
    GenesisPrice,
    MalformedPayload,
    NoPrice,
    PreviousConsensus,
    PriceConsensus,
    PricePath,
    QuoteFeed,
    SignedQuote,
    Sources,
    StockPrice,
    Voter,
    admissible_quotes,
    decode_claims,
    decode_quotes,
    encode_claims,
    encode_quotes,
    find_aggregator,
    find_outlier_rule,
    make_path,
    make_source_faults,
    objection_to_quotes,
    sign_quote,
)
from streamlet_lab.simulator.monitors import Monitor
from streamlet_lab.simulator.protocol import StreamletSimulation, protocol_settings
from streamlet_lab.units import CENT, format_duration, to_whole

_LOG = logging.getLogger("streamlet_lab.prices")


def read(block: Block) -> tuple[Claim, ...]:
    """Return what a block says, one claim a symbol; nothing for bytes that cannot be read.

    Only a dishonest quorum lets such bytes into a chain.
    """
    try:
        return decode_claims(block.payload)
    except MalformedPayload:
        return ()


def priced(block: Block) -> list[PriceConsensus]:
    """Return the consensus prices in a block, with the block's hash."""
    return [
        claim.in_block(block.hash) for claim in read(block) if isinstance(claim, PriceConsensus)
    ]


# Blocks of consecutive epochs that finalize the middle one.
_IN_A_ROW: Final = 3

_LONG: Final = 40

# The reference of each symbol, in order.
_References = tuple[PreviousConsensus, ...]


def previous_consensus(
    ancestors: Iterable[Block],
    symbols: Sequence[str],
    remembered: dict[bytes, _References] | None = None,
) -> _References:
    """Return each symbol's nearest priced ancestor: the reference of the deviation rule.

    Parameters
    ----------
    ancestors : iterable of Block
        From the newest to genesis.
    symbols : sequence of str
    remembered : dict of bytes to tuple, optional
        What this returned before, by the newest ancestor's hash, and will be added to; so that no
        chain is walked twice while no price comes.
    """
    remembered = {} if remembered is None else remembered
    found: dict[str, PreviousConsensus] = {}
    no_prices = dict.fromkeys(symbols, 0)
    newest = b""
    for block in ancestors:
        newest = newest or block.hash
        for symbol, previous in _references_in(block, symbols, remembered):
            if symbol in found:
                continue
            if previous is None:
                no_prices[symbol] += 1
            else:
                newer = no_prices[symbol]
                found[symbol] = previous._replace(no_prices=previous.no_prices + newer)
        if len(found) == len(symbols):
            remembered[newest] = references = tuple(found[symbol] for symbol in symbols)
            return references
    raise AssertionError("every chain starts with a priced genesis")


def _references_in(
    block: Block, symbols: Sequence[str], remembered: Mapping[bytes, _References]
) -> Iterable[tuple[str, PreviousConsensus | None]]:
    """Yield what is known after a block, by symbol; None where the block says `no_price`."""
    if block.hash in remembered:
        yield from zip(symbols, remembered[block.hash], strict=True)
        return
    for claim in read(block):
        if claim.symbol not in symbols:
            continue  # only a dishonest quorum prices other symbols
        if isinstance(claim, PriceConsensus):
            yield claim.symbol, PreviousConsensus(claim.consensus_price, block.epoch)
        elif isinstance(claim, NoPrice):
            yield claim.symbol, None
        elif block.height == 0:
            yield claim.symbol, PreviousConsensus(claim.price, block.epoch)


class Observation(NamedTuple):
    """What a node hears from the sources in an epoch.

    Parameters
    ----------
    quotes : tuple of tuple of StockPrice
        For each symbol, in order, what each source says.
    signed : tuple of SignedQuote
        The same with the sources' signatures, if voters ask for evidence.
    """

    quotes: tuple[tuple[StockPrice, ...], ...]
    signed: tuple[SignedQuote, ...] = ()


class PriceApplication:
    """What the nodes agree on: the prices of each epoch, made from the sources' quotes.

    Making and judging a payload are pure; what was evaluated once for the same epoch, references
    and quotes is remembered, as a verification is.

    Parameters
    ----------
    voters : sequence of Voter
        For each symbol, in order, its rules and how voters judge.
    timestamp : callable
        Epoch → market time at which it is quoted.
    sources : sequence of str
        Who may quote.
    keyring : Keyring
        Verifies the sources' signatures.
    turns : int
        In so many epochs three honest leaders follow each other.

    Notes
    -----
    With ``observe``, a source that tells nodes different things can have honest leaders refused.
    Three honest leaders in a row would have made three blocks in a row. Where the last ``turns``
    epochs of a chain have none, leaders therefore claim no price, which every voter believes, until
    there are three: enough to finalize one. So the chain goes on, and only the price waits. With
    the other policies what voters go by is the same for all.

    Each block without a price widens the corridor, so that with ``observe`` a leader that claims
    none is believed in two cases only beside that: where the voter has none either, and where the
    aggregator tolerates liars among so many sources, who could have the leader hear less than the
    voter does, and gain nothing from the corridor.

    Attributes
    ----------
    evaluations : dict of int to tuple of Evaluation
        By epoch, for each symbol, the first evaluation of its quotes: the leader's, if there was
        one.
    """

    def __init__(
        self,
        voters: Sequence[Voter],
        timestamp: Callable[[int], datetime],
        sources: Sequence[str],
        keyring: Keyring,
        turns: int,
    ) -> None:
        self.voters = tuple(voters)
        self.symbols = tuple(voter.symbol for voter in voters)
        self.timestamp = timestamp
        self.evaluations: dict[int, tuple[Evaluation, ...]] = {}
        self._asks_for_evidence = any(voter.policy == "evidence" for voter in voters)
        self._observes = any(voter.policy == "observe" for voter in voters)
        self._known = self.symbols, tuple(sources), keyring
        self._turns = turns
        self._references: dict[bytes, _References] = {}
        self._evaluated: tuple[object, object, tuple[Evaluation, ...]] | None = None
        self._judged: tuple[bytes, object, Verdict] | None = None

    def make_payload(
        self, epoch: int, ancestors: Iterator[Block], observation: object
    ) -> tuple[bytes, bytes]:
        """Return the payload that follows from the quotes, and the signed quotes if asked for."""
        assert isinstance(observation, Observation)
        ancestors, newest = tee(ancestors)
        previous = self.references(ancestors)
        quotes, attachment = observation.quotes, b""
        if self._asks_for_evidence:
            evidence = admissible_quotes(observation.signed, epoch, *self._known)
            quotes, attachment = self._by_symbol(evidence), encode_quotes(evidence)
        evaluations = self._evaluate(epoch, previous, quotes)
        claims: list[Claim] = [evaluation.claim for evaluation in evaluations]
        if self._gave_up(epoch, newest):
            lost = f"no {_IN_A_ROW} blocks in a row in {self._turns} epochs"
            reason = f"{lost}: nodes may hear the sources differently"
            claims = [NoPrice(symbol, reason, self.timestamp(epoch)) for symbol in self.symbols]
        return encode_claims(claims), attachment

    def judge(self, block: Block, ancestors: Iterator[Block], observation: object) -> Verdict:
        """Check a leader's claims: by the rules, and by the quotes that the policy goes by."""
        assert isinstance(observation, Observation)
        last = self._judged
        if last is not None and last[0] == block.hash and last[1] is observation:
            return last[2]
        objection = self._objection(block, ancestors, observation)
        verdict = Verdict(objection is None, objection or "")
        self._judged = (block.hash, observation, verdict)
        return verdict

    def _objection(
        self, block: Block, ancestors: Iterator[Block], observation: Observation
    ) -> str | None:
        try:
            claims = decode_claims(block.payload)
            quotes = self._attested(block) if self._asks_for_evidence else observation.quotes
        except MalformedPayload as error:
            return f"malformed payload: {error}"
        except _NoEvidence as error:
            return str(error)
        if block.attachment and not self._asks_for_evidence:
            return "an attachment that nobody asked for"
        if len(claims) != len(self.voters):
            return f"{len(claims)} symbols instead of {len(self.voters)}"
        ancestors, newest = tee(ancestors)
        previous = self.references(ancestors)
        own = self._evaluate(block.epoch, previous, quotes)
        gave_up = self._gave_up(block.epoch, newest)
        for voter, claim, evaluation in zip(self.voters, claims, own, strict=True):
            seen = evaluation.claim
            if isinstance(claim, NoPrice) and (gave_up or self._tolerates_liars(voter)):
                seen = replace(claim, timestamp=seen.timestamp)
            objection = voter.objection(claim, seen, evaluation.previous)
            if objection is not None:
                return objection if len(claims) == 1 else f"{voter.symbol}: {objection}"
        return None

    def _gave_up(self, epoch: int, ancestors: Iterable[Block]) -> bool:
        """Whether voters may hear the sources so differently that leaders claim no price."""
        first = epoch - self._turns
        return self._observes and first >= 0 and not _has_row(ancestors, first)

    def _tolerates_liars(self, voter: Voter) -> bool:
        return voter.policy == "observe" and voter.aggregator.breakdown(len(self._known[1])) > 0

    def references(self, ancestors: Iterable[Block]) -> _References:
        """Return what the deviation rule compares with on a chain, for each symbol."""
        return previous_consensus(ancestors, self.symbols, self._references)

    def _attested(self, block: Block) -> tuple[tuple[StockPrice, ...], ...]:
        """Return the quotes that a block carries, for each symbol, once they are verified."""
        signed = decode_quotes(block.attachment)
        objection = objection_to_quotes(signed, block.epoch, *self._known)
        if objection is not None:
            raise _NoEvidence(objection)
        return self._by_symbol(signed)

    def _by_symbol(self, signed: Sequence[SignedQuote]) -> tuple[tuple[StockPrice, ...], ...]:
        return tuple(
            tuple(quote for quote, _, _ in signed if quote.symbol == symbol)
            for symbol in self.symbols
        )

    def evaluate(
        self,
        epoch: int,
        previous: Sequence[PreviousConsensus],
        quotes: Sequence[Sequence[StockPrice]],
    ) -> tuple[Evaluation, ...]:
        """Return what an honest node makes of quotes, for each symbol."""
        timestamp = self.timestamp(epoch)
        return tuple(
            voter.evaluate(said, epoch, before, timestamp)
            for voter, said, before in zip(self.voters, quotes, previous, strict=True)
        )

    def _evaluate(
        self,
        epoch: int,
        previous: tuple[PreviousConsensus, ...],
        quotes: tuple[tuple[StockPrice, ...], ...],
    ) -> tuple[Evaluation, ...]:
        last, question = self._evaluated, (epoch, previous)
        if last is not None and last[0] == question and last[1] is quotes:
            return last[2]
        evaluations = self.evaluate(epoch, previous, quotes)
        if _LOG.isEnabledFor(logging.INFO):
            for evaluation in evaluations:
                for quote, reason in evaluation.checks:
                    _LOG.info("Epoch %d: %s of %s: %s", epoch, quote.price, quote.source, reason)
        self.evaluations.setdefault(epoch, evaluations)
        self._evaluated = (question, quotes, evaluations)
        return evaluations


def _has_row(ancestors: Iterable[Block], first: int) -> bool:
    """Whether blocks of an epoch or later, enough to finalize one, follow each other on a chain."""
    epochs = [block.epoch for block in takewhile(lambda block: block.epoch >= first, ancestors)]
    ends = zip(epochs, epochs[_IN_A_ROW - 1 :], strict=False)
    return any(newest - oldest == _IN_A_ROW - 1 for newest, oldest in ends)


class _NoEvidence(Exception):
    """Signed quotes that are not what their sources said."""


def _dearer(payload: bytes, cents: int) -> bytes:
    """Return the claim of a price some cents higher; voters tolerate more than that.

    Where there is no price, the reason is another, which voters believe as well.
    """
    try:
        first, *others = decode_claims(payload)
    except MalformedPayload:
        return payload + b"#%d" % cents
    other: Claim
    match first:
        case NoPrice():
            other = replace(first, reason=f"{first.reason} ({cents})")
        case GenesisPrice():
            other = replace(first, price=first.price + cents * CENT)
        case _:
            other = replace(first, consensus_price=first.consensus_price + cents * CENT)
    return encode_claims([other, *others])


class StockMarketStreamletNode(StreamletNode):
    """A Streamlet node whose blocks carry prices.

    Parameters
    ----------
    node_id, validators, genesis, quorum, keyring, application, leader_of, finality, certify
        As of :class:`~streamlet_lab.consensus.StreamletNode`.
    """

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


def _turns(config: ExperimentConfig) -> int:
    """Return in how many epochs three honest leaders follow each other.

    Of nodes that lead in turn f < n/3 faulty ones leave three neighbours somewhere. Leaders that
    are drawn do so only by chance: forty epochs without is one case in hundreds.
    """
    a_round = config.nodes + _IN_A_ROW - 1
    return a_round if config.leaders == "round_robin" else max(a_round, _LONG)


class _Room:
    """What belongs to one symbol: its path, its sources, and how it is judged."""

    def __init__(self, config: ExperimentConfig, symbol: str) -> None:
        prices = config.prices.of(symbol)
        if isinstance(config.feed, str) and config.feed.startswith(FRAME):
            raise InvalidInput("feed", config.feed, "the frame itself, which no file contains")
        self.path: PricePath = make_path(
            config.feed.frame if isinstance(config.feed, FrameFeed) else config.feed,
            config.seed,
            config.market_time_per_epoch,
            symbol=symbol,
            base_price=prices.base_price,
            bounds=prices.reflection,
            volatility=prices.volatility,
            trend=prices.trend,
            path_model=prices.path_model,
            path_parameters=prices.path_parameters,
            nights=prices.nights,
            intraday=prices.intraday,
            correlation=prices.correlation,
            splits=prices.splits,
        )
        rules = prices.rules(self.path.bounds)
        rule = prices.outlier_rule
        self.voter = Voter(
            symbol,
            rules,
            prices.voter_policy,
            prices.tolerance_percent,
            find_aggregator(prices.aggregator),
            rule if rule is None else find_outlier_rule(rule, config.market_time_per_epoch),
        )
        self.feed = QuoteFeed(self.path, config.market_time_per_epoch, config.seed, prices.sources)
        faults = make_source_faults(config.source_faults, prices.source_names, config.seed, symbol)
        self.is_dishonest = any(faults.values())
        self.sources = Sources(self.feed, faults)


def _make_room(config: ExperimentConfig, symbol: str) -> _Room:
    try:
        return _Room(config, symbol)
    except InvalidInput as error:
        field, _, _ = error.field.partition(".")
        if field not in PricesConfig.model_fields:
            raise
        is_own = field in config.prices.assets.get(symbol, AssetConfig()).model_fields_set
        place = f"prices.assets.{symbol}" if is_own else "prices"
        raise InvalidInput(f"{place}.{error.field}", error.value, error.expected) from error


class StockMarketConsensusNetwork(StreamletSimulation):
    """A network of nodes that agree on the prices of stocks, on simulated time.

    Parameters
    ----------
    config : ExperimentConfig
        Its market section does not matter here.
    monitors : sequence of Monitor
        Who watches.

    Attributes
    ----------
    symbols : tuple of str
        The stocks whose prices the network agrees on.
    feeds : dict of str to QuoteFeed
        What the sources of each symbol say when they are honest.
    application : PriceApplication
        What honest nodes make of it.
    heard : dict of int to Observation
        What each epoch's leader heard from the sources.

    Raises
    ------
    InvalidInput
        If there is no such feed or fault, or the feed ends before the run would.
    """

    node_type = StockMarketStreamletNode

    def __init__(self, config: ExperimentConfig, monitors: Sequence[Monitor] = ()) -> None:
        self.config = config
        self.symbols = config.symbols
        self._final_prices = _FinalPrices(OBSERVER)
        self._rooms = {symbol: _make_room(config, symbol) for symbol in config.symbols}
        self._check_duration(config.epochs)
        self._check_calendar(config.epochs)
        self.feeds = {symbol: room.feed for symbol, room in self._rooms.items()}
        self.heard: dict[int, Observation] = {}
        sources = config.prices.source_names
        self._source_keys = make_keyring(config.signatures, sources, config.seed)
        self.application = PriceApplication(
            [room.voter for room in self._rooms.values()],
            self.timestamp,
            sources,
            self._source_keys,
            turns=_turns(config),
        )
        chain_id = f"{'+'.join(self.symbols)}/{config.feed}/{config.seed}"
        genesis = [
            GenesisPrice(symbol, room.path.base_price) for symbol, room in self._rooms.items()
        ]
        super().__init__(
            config.node_ids,
            self.application,
            chain_id=chain_id,
            genesis_payload=encode_claims(genesis),
            observe=self._listen,
            monitors=(self._final_prices, *monitors),
            vary=_dearer,
            **protocol_settings(config, chain_id),
        )

    def _check_duration(self, epochs: int) -> None:
        for room in self._rooms.values():
            if room.path.duration is None:
                continue
            available = room.path.duration // self.config.market_time_per_epoch
            if epochs > available:
                feed, step = str(self.config.feed), self.config.market_time_per_epoch
                lasts = f"the feed {feed!r} lasts for {format_duration(room.path.duration)}"
                each = f"an epoch is {format_duration(step)} of it (market_time_per_epoch)"
                raise InvalidInput("epochs", epochs, f"at most {available}: {lasts}, and {each}")

    def _check_calendar(self, epochs: int) -> None:
        """Refuse histories that are not of the same days: a block has one timestamp."""
        for epoch in (0, epochs - 1):
            time = epoch * self.config.market_time_per_epoch
            stamps = {symbol: room.path.timestamp(time) for symbol, room in self._rooms.items()}
            if len(set(stamps.values())) > 1:
                days = ", ".join(f"{symbol} {stamp:%Y-%m-%d}" for symbol, stamp in stamps.items())
                expected = f"symbols whose feeds are of the same days; epoch {epoch} is {days}"
                raise InvalidInput("symbols", self.symbols, expected)

    def _listen(self, epoch: int) -> Callable[[str], Observation]:
        """Have the sources speak, and return what each node hears."""
        if any(room.is_dishonest for room in self._rooms.values()):
            hear = self._hear_dishonest(epoch)
        else:
            quotes = tuple(room.feed.quotes(epoch) for room in self._rooms.values())
            hear = partial(_same, self._observation(epoch, quotes))
        self.heard[epoch] = hear(self.leader_of(epoch))
        return hear

    def _hear_dishonest(self, epoch: int) -> Callable[[str], Observation]:
        # What the deviation rule compares with, unless a notarization is still on its way.
        tree = self.observer.tree
        previous = self.application.references(tree.chain(tree.longest[0].hash))
        rooms, receivers = self._rooms.values(), tuple(self.nodes)
        said = [
            room.sources.said(
                room.voter.round(epoch, before, room.feed.timestamp(epoch)), receivers
            )
            for room, before in zip(rooms, previous, strict=True)
        ]
        # All who hear the same share one observation.
        shared: dict[tuple[int, ...], Observation] = {}
        heard = {}
        for name in receivers:
            quotes = tuple(by_receiver[name] for by_receiver in said)
            key = tuple(map(id, quotes))
            if key not in shared:
                shared[key] = self._observation(epoch, quotes)
            heard[name] = shared[key]
        return heard.__getitem__

    def _observation(self, epoch: int, quotes: tuple[tuple[StockPrice, ...], ...]) -> Observation:
        if self.config.prices.voter_policy != "evidence":
            return Observation(quotes)
        keys = self._source_keys
        return Observation(
            quotes, tuple(sign_quote(quote, epoch, keys) for said in quotes for quote in said)
        )

    @property
    def feed(self) -> QuoteFeed:
        """The feed of the first symbol."""
        return self.feeds[self.symbol]

    @property
    def symbol(self) -> str:
        """The stock, or the first of those, whose price the network agrees on."""
        return self.symbols[0]

    @property
    def f(self) -> int:
        """Number of faulty nodes that a network of this size tolerates."""
        return self.config.tolerated

    def timestamp(self, epoch: int) -> datetime:
        """Return the market time at which an epoch is quoted: that of the first symbol's path."""
        return self.feed.path.timestamp(epoch * self.config.market_time_per_epoch)

    def market_time(self, time: int) -> int:
        """Convert protocol time to market time, both in microseconds."""
        return time * self.config.market_time_per_epoch // self.config.epoch_length

    def protocol_time(self, market_time: int) -> int:
        """Return the first instant of protocol time at which it is as late in the market."""
        return -(-market_time * self.config.epoch_length // self.config.market_time_per_epoch)

    def true_price(self, time: int, symbol: str | None = None) -> int:
        """Return an underlying price in micro-dollars at an instant of protocol time.

        Of the first symbol unless another one is named.
        """
        return self.feeds[symbol or self.symbol].path.price(self.market_time(time))

    def run_price_consensus_simulation(self, epochs: int) -> list[PriceConsensus]:
        """Run some more epochs (the description's call).

        Returns
        -------
        list of PriceConsensus
            Prices that the observer saw notarized in these epochs, in the order of their epochs;
            within one, in that of the symbols.
        """
        epochs = to_whole(epochs, 1, "epochs")
        self._check_duration(self.next_epoch + epochs)
        first = len(self.observer.tree.notarized)
        self.run(epochs)
        blocks = sorted(self.observer.tree.notarized[first:], key=lambda block: block.epoch)
        return [claim for block in blocks for claim in priced(block)]

    def get_finalized_consensus_prices(self) -> list[PriceConsensus]:
        """Return what the observer holds for final, oldest first (the description's call)."""
        return list(self._final_prices.read()[0])

    def reference(self, symbol: str | None = None) -> Reference | None:
        """Return the last finalized price and since when the observer knows it.

        Of the first symbol unless another one is named.
        """
        return self._final_prices.read()[1].get(symbol or self.symbol)


def _same(observation: Observation, receiver: str) -> Observation:
    return observation


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
    ['150.00', '151.95']
    """
    return StockMarketConsensusNetwork(make_config(nodes=num_nodes, seed=seed, **settings))
