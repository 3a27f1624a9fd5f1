"""A simulation whose nodes agree on the prices of stocks."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from streamlet_lab.config import ExperimentConfig, check_config, check_span, make_stock
from streamlet_lab.fixed import FixedDict
from streamlet_lab.keys import make_keyring
from streamlet_lab.prices import GenesisPrice, QuoteFeed, Sources, StockPrice, Voter, sign_quote
from streamlet_lab.simulator.monitors import Monitor
from streamlet_lab.simulator.price_application import Observation, PriceApplication
from streamlet_lab.simulator.simulation import Simulation

# Epochs, if leaders are drawn: without three honest ones in a row one run in hundreds has so many.
_LONG: Final = 40


def _with_sources(config: ExperimentConfig, symbol: str) -> tuple[Voter, Sources]:
    """Return how a symbol's price is judged, and what its sources say."""
    path, voter, faults = make_stock(config, symbol)
    feed = QuoteFeed(path, config.market_time_per_epoch, config.seed, config.prices.sources)
    return voter, Sources(feed, faults)


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
    observations : dict of int to Observation
        What each epoch's leader sees of the sources.

    Raises
    ------
    InvalidInput
        If there is no such feed or fault, or the feed ends before the run would.
    """

    def __init__(self, config: ExperimentConfig, monitors: Sequence[Monitor] = ()) -> None:
        self.config = check_config(config)
        self.symbols = config.symbols
        self._stocks = [_with_sources(config, symbol) for symbol in config.symbols]
        self.feeds = FixedDict({voter.symbol: each.feed for voter, each in self._stocks})
        self.check_duration(config.epochs)
        self.observations: dict[int, Observation] = {}
        self._step = config.market_time_per_epoch
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
        check_span(self.config, [feed.path for feed in self.feeds.values()], epochs)

    def observe(self, epoch: int) -> Callable[[str], Observation]:
        """Have the sources speak, and return what each node sees of them."""
        if self.config.source_faults:
            observe = self._observe_dishonest(epoch)
        else:
            same = self._observation(epoch, tuple([f.quotes(epoch) for f in self.feeds.values()]))

            def observe(node: str) -> Observation:
                return same

        self.observations[epoch] = observe(self.leader_of(epoch))
        return observe

    def forget(self, epoch: int) -> None:
        """Drop what was said and seen in earlier epochs; a dishonest source may still repeat it."""
        for seen in (self.observations, self.application.evaluations):
            for each in [each for each in seen if each < epoch]:
                del seen[each]
        if not self.config.source_faults:
            for feed in self.feeds.values():
                feed.forget(epoch)

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

    def protocol_time(self, market_time: int) -> int:
        """Return the first instant of protocol time at which it is as late in the market."""
        return -(-market_time * self.epoch_length // self._step)

    def true_price(self, time: int, symbol: str | None = None) -> int:
        """Return an underlying price in micro-dollars at an instant of protocol time.

        Of the first symbol unless another one is named.
        """
        path = self.feeds[symbol or self.symbols[0]].path
        return path.price(time * self._step // self.epoch_length)
