"""A simulation whose nodes agree on the prices of stocks."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from streamlet_lab.config import FRAME, AssetConfig, ExperimentConfig, FrameFeed, PricesConfig
from streamlet_lab.errors import InvalidInput
from streamlet_lab.keys import make_keyring
from streamlet_lab.prices import (
    GenesisPrice,
    PricePath,
    QuoteFeed,
    Sources,
    StockPrice,
    Voter,
    find_aggregator,
    find_outlier_rule,
    make_path,
    make_source_faults,
    sign_quote,
)
from streamlet_lab.simulator.monitors import Monitor
from streamlet_lab.simulator.price_application import Observation, PriceApplication
from streamlet_lab.simulator.protocol import Simulation
from streamlet_lab.units import format_duration

# Epochs, if leaders are drawn: without three honest ones in a row one run in hundreds has so many.
_LONG: Final = 40


def _make_path(config: ExperimentConfig, symbol: str) -> PricePath:
    prices = config.prices.of(symbol)
    if isinstance(config.feed, str) and config.feed.startswith(FRAME):
        raise InvalidInput("feed", config.feed, "the frame itself, which no file contains")
    return make_path(
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


def _make_stock(config: ExperimentConfig, symbol: str) -> tuple[Voter, Sources]:
    """Return how a symbol's price is judged, and what its sources say.

    What is wrong with it is reported where the configuration says it.
    """
    prices, epoch, seed = config.prices.of(symbol), config.market_time_per_epoch, config.seed
    try:
        path = _make_path(config, symbol)
        rule = prices.outlier_rule
        voter = Voter(
            symbol,
            prices.rules(path.bounds),
            prices.voter_policy,
            prices.tolerance_percent,
            find_aggregator(prices.aggregator),
            None if rule is None else find_outlier_rule(rule, epoch),
        )
        faults = make_source_faults(config.source_faults, prices.source_names, seed, symbol)
        return voter, Sources(QuoteFeed(path, epoch, seed, prices.sources), faults)
    except InvalidInput as error:
        field, _, _ = error.field.partition(".")
        if field not in PricesConfig.model_fields:
            raise
        is_own = field in config.prices.assets.get(symbol, AssetConfig()).model_fields_set
        place = f"prices.assets.{symbol}" if is_own else "prices"
        raise InvalidInput(f"{place}.{error.field}", error.value, error.expected) from error


def _turns(config: ExperimentConfig) -> int:
    """Return in how many epochs three honest leaders follow each other.

    Of nodes that lead in turn f < n/3 faulty ones leave three neighbours somewhere; leaders that
    are drawn do so only by chance.
    """
    a_round = config.nodes + 2
    return a_round if config.leaders == "round_robin" else max(a_round, _LONG)


class StockSimulation(Simulation):
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
        What each epoch's leader sees of the sources.

    Raises
    ------
    InvalidInput
        If there is no such feed or fault, or the feed ends before the run would.
    """

    def __init__(self, config: ExperimentConfig, monitors: Sequence[Monitor] = ()) -> None:
        self.config = config
        self.symbols = config.symbols
        self._stocks = [_make_stock(config, symbol) for symbol in config.symbols]
        self.feeds = {voter.symbol: sources.feed for voter, sources in self._stocks}
        self.heard: dict[int, Observation] = {}
        self._step = config.market_time_per_epoch
        self.check_duration(config.epochs)
        self._check_calendar(config.epochs)
        self._source_keys = make_keyring(config.signatures, config.prices.source_names, config.seed)
        self.application = PriceApplication(
            [voter for voter, _ in self._stocks],
            self.timestamp,
            config.prices.source_names,
            self._source_keys,
            _turns(config),
            [GenesisPrice(name, feed.path.base_price) for name, feed in self.feeds.items()],
        )
        chain_id = f"{'+'.join(self.symbols)}/{config.feed}/{config.seed}"
        super().__init__(config, self.application, monitors, chain_id=chain_id)

    def check_duration(self, epochs: int) -> None:
        """Refuse a run that is longer than the feeds."""
        for feed in self.feeds.values():
            lasts = feed.path.duration
            if lasts is not None and epochs > lasts // self._step:
                expected = (
                    f"at most {lasts // self._step}: the feed '{self.config.feed}' lasts for "
                    f"{format_duration(lasts)}, and an epoch is {format_duration(self._step)} of "
                    "it (market_time_per_epoch)"
                )
                raise InvalidInput("epochs", epochs, expected)

    def _check_calendar(self, epochs: int) -> None:
        """Refuse histories that are not of the same days: a block has one timestamp."""
        for epoch in (0, epochs - 1):
            stamps = {symbol: feed.timestamp(epoch) for symbol, feed in self.feeds.items()}
            if len(set(stamps.values())) > 1:
                days = ", ".join(f"{symbol} {stamp:%Y-%m-%d}" for symbol, stamp in stamps.items())
                expected = f"symbols whose feeds are of the same days; epoch {epoch} is {days}"
                raise InvalidInput("symbols", self.symbols, expected)

    def observe(self, epoch: int) -> Callable[[str], Observation]:
        """Have the sources speak, and return what each node sees of them."""
        if self.config.source_faults:
            observe = self._observe_dishonest(epoch)
        else:
            same = self._observation(epoch, tuple(f.quotes(epoch) for f in self.feeds.values()))

            def observe(node: str) -> Observation:
                return same

        self.heard[epoch] = observe(self.leader_of(epoch))
        return observe

    def _observe_dishonest(self, epoch: int) -> Callable[[str], Observation]:
        # What the deviation rule compares with, unless a notarization is still on its way.
        tree = self.observer.tree
        previous = self.application.references(tree.chain(tree.longest[0].hash))
        receivers = tuple(self.nodes)
        said = [
            sources.said(voter.round(epoch, before, sources.feed.timestamp(epoch)), receivers)
            for (voter, sources), before in zip(self._stocks, previous, strict=True)
        ]
        # All who are told the same share one observation.
        shared: dict[tuple[int, ...], Observation] = {}
        observed = {}
        for name in receivers:
            quotes = tuple(by_receiver[name] for by_receiver in said)
            key = tuple(map(id, quotes))
            if key not in shared:
                shared[key] = self._observation(epoch, quotes)
            observed[name] = shared[key]
        return observed.__getitem__

    def _observation(self, epoch: int, quotes: tuple[tuple[StockPrice, ...], ...]) -> Observation:
        if self.config.prices.voter_policy != "evidence":
            return Observation(quotes)
        keys = self._source_keys
        return Observation(
            quotes, tuple(sign_quote(quote, epoch, keys) for said in quotes for quote in said)
        )

    def timestamp(self, epoch: int) -> datetime:
        """Return the market time at which an epoch is quoted: that of the first symbol's path."""
        return self.feeds[self.symbols[0]].timestamp(epoch)

    def market_time(self, time: int) -> int:
        """Convert protocol time to market time, both in microseconds."""
        return time * self._step // self.epoch_length

    def protocol_time(self, market_time: int) -> int:
        """Return the first instant of protocol time at which it is as late in the market."""
        return -(-market_time * self.epoch_length // self._step)

    def true_price(self, time: int, symbol: str | None = None) -> int:
        """Return an underlying price in micro-dollars at an instant of protocol time.

        Of the first symbol unless another one is named.
        """
        return self.feeds[symbol or self.symbols[0]].path.price(self.market_time(time))
