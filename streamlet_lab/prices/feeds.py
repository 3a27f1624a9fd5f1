"""Sources that quote around one underlying path."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, get_args

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices.correlation import TYPICAL_CORRELATION, PathStreams
from streamlet_lab.prices.daily_history import (
    OWN_HISTORY,
    SplitHandling,
    history_path,
    parse_feed_name,
)
from streamlet_lab.prices.frame_path import ReplayPath
from streamlet_lab.prices.lobster import LOBSTER, file_stamps, lobster_feed
from streamlet_lab.prices.models import ReturnModel, make_model
from streamlet_lab.prices.paths import PathSettings, PricePath, SimulatedPath
from streamlet_lab.prices.quotes import StockPrice, unchecked_quote
from streamlet_lab.prices.sources import VOLUME_SPREAD, Source, standard_sources
from streamlet_lab.streams import stream
from streamlet_lab.units import MONEY, is_frame, to_instance, to_name, to_text, to_whole

if TYPE_CHECKING:
    import pandas as pd

SIMULATED: Final = "simulated"

#: Grid of a simulated path, so that the price moves within an epoch too.
STEPS_PER_EPOCH: Final = 10

# Quotes are made in stretches: one epoch at a time is several times slower.
_EPOCHS_AHEAD: Final = 32

_BASIS_POINTS: Final = 10_000


class QuoteFeed:
    """What every source honestly says in every epoch, around one path.

    Each source draws from streams of its own, as much in each epoch whatever its settings. So
    changing one source changes no other's prices or outages, nor what else this one draws; only
    the volume of the market is split anew where its share changes.

    Parameters
    ----------
    market_time_per_epoch : int
        Microseconds; epoch e is quoted at its beginning.
    sources : sequence of Source
        In the order of their quotes; the description's three unless given.
    """

    def __init__(
        self,
        path: PricePath,
        market_time_per_epoch: int,
        seed: int,
        sources: Sequence[Source] = standard_sources(3),
    ) -> None:
        if not callable(getattr(path, "price", None)):
            raise InvalidInput("path", path, "a path, such as make_path() makes")
        if not isinstance(sources, Sequence):
            raise InvalidInput("sources", sources, "a list of sources")
        names = [to_instance(source, Source, "sources").name for source in sources]
        if not names or len(set(names)) < len(names):
            raise InvalidInput("sources", names, "one source or more, each with a name of its own")
        self.path = path
        self.market_time_per_epoch = to_whole(market_time_per_epoch, 1, "market_time_per_epoch")
        self.sources = tuple(sources)
        shares = math.fsum(source.volume_share for source in sources)
        self._voices = [_Voice(source, path, seed, shares) for source in sources]
        self._quotes: dict[int, tuple[StockPrice, ...]] = {}
        self._made = 0  # of so many epochs

    def timestamp(self, epoch: int) -> datetime:
        """Return the calendar time at which an epoch is quoted, UTC."""
        if type(epoch) is not int or epoch < 0:
            epoch = to_whole(epoch, 0, "epoch")
        return self.path.timestamp(epoch * self.market_time_per_epoch)

    def quotes(self, epoch: int) -> tuple[StockPrice, ...]:
        """Return the quotes of an epoch in the sources' order, without those in an outage."""
        if type(epoch) is not int or epoch < 0:
            epoch = to_whole(epoch, 0, "epoch")
        if epoch >= self._made:
            self.timestamp(epoch)  # it lies in the calendar
            following = range(self._made, epoch + _EPOCHS_AHEAD)
            self._quotes |= {each: self._make_quotes(each) for each in following}
            self._made = following.stop
        return self._quotes[epoch]

    def forget(self, epoch: int) -> None:
        """Drop the quotes of earlier epochs, which nobody may ask for any more."""
        self._quotes = {each: said for each, said in self._quotes.items() if each >= epoch}

    def _make_quotes(self, epoch: int) -> tuple[StockPrice, ...]:
        market_time = epoch * self.market_time_per_epoch
        timestamp = self.path.timestamp(market_time)
        volume = self.path.volume(market_time)
        quotes = [voice.quote(market_time, timestamp, volume) for voice in self._voices]
        return tuple([quote for quote in quotes if quote is not None])


class _Voice:
    """A source with its random streams, asked once for every epoch in turn.

    All that depends on its settings alone is worked out beforehand.
    """

    def __init__(self, source: Source, path: PricePath, seed: int, shares: float) -> None:
        self._source = source
        self._path = path
        self._random = stream(seed, f"prices/{path.symbol}/source/{source.name}")
        self._outages = stream(seed, f"prices/{path.symbol}/outage/{source.name}")
        self._noise = source.noise_bp / _BASIS_POINTS
        self._bias = source.bias_bp / _BASIS_POINTS
        self._confidence = source.stated_confidence_bp / _BASIS_POINTS
        # A lognormal factor of mean 1.
        self._volume = source.volume_share / shares * math.exp(-(VOLUME_SPREAD**2) / 2)
        # The chance of an outage after one, and after none, such that its share of all is right.
        self._stays_out = 1 - 1 / source.outage_epochs
        self._falls_out = source.outage / (1 - source.outage) / source.outage_epochs
        self._chance = source.outage

    def quote(self, market_time: int, timestamp: datetime, volume: int) -> StockPrice | None:
        """Return what it says; None in an outage."""
        noise = self._noise * self._random.gauss(0.0, 1.0)
        shares = self._volume * math.exp(VOLUME_SPREAD * self._random.gauss(0.0, 1.0))
        is_out = self._outages.random() < self._chance
        self._chance = self._stays_out if is_out else self._falls_out
        if is_out:
            return None
        true_price = self._path.price(max(market_time - self._source.lag, 0))
        cents = quoted_cents(true_price, 1 + self._bias + noise)
        return unchecked_quote(
            self._path.symbol,
            Decimal(cents).scaleb(-2, MONEY),
            Decimal(round(volume * shares)),
            self._source.name,
            timestamp,
            Decimal(round(cents * 10_000 * self._confidence)).scaleb(-6, MONEY),
        )


def quoted_cents(true_price: int, factor: float) -> int:
    """Return what a source quotes that sees a multiple of the true price in micro-dollars."""
    return max(round(true_price * factor / 10_000), 1)


def make_path(
    feed: "str | pd.DataFrame",
    seed: int,
    market_time_per_epoch: int,
    *,
    symbol: str | None = None,
    path_model: str | Callable[..., ReturnModel] = "gjr_garch",
    path_parameters: Mapping[str, object] = MappingProxyType({}),
    correlation: float = TYPICAL_CORRELATION,
    splits: SplitHandling = "adjust",
    **settings: Any,
) -> PricePath:
    """Return the path that a feed stands for.

    Parameters
    ----------
    feed : str or pandas.DataFrame
        ``"simulated"``; a real history such as ``"history"``, ``"history-2012"`` (the symbol's) or
        ``"aapl-2012"``; ``"lobster"``, see :func:`~streamlet_lab.prices.lobster.lobster_feed`; or a
        frame of one's own, see :class:`~streamlet_lab.prices.frame_path.ReplayPath`.
    market_time_per_epoch : int
        Microseconds.
    symbol : str, optional
        AAPL unless it is given or the feed names another.
    path_model, path_parameters, correlation, **settings
        Of a simulated path only: of :func:`~streamlet_lab.prices.models.make_model`,
        :class:`~streamlet_lab.prices.correlation.PathStreams` and
        :class:`~streamlet_lab.prices.paths.PathSettings`.
    splits : {"adjust", "keep"}
        Of a real history only, see :func:`~streamlet_lab.prices.daily_history.history_path`.

    Raises
    ------
    InvalidInput
        If there is no such feed or model, the symbol contradicts the feed, or a frame or a setting
        is not acceptable.
    DataError
        If a file is missing or damaged.
    """
    name = "AAPL" if symbol is None else to_text(symbol, "symbol", 1)
    seed = to_whole(seed, 0, "seed")
    step = to_whole(market_time_per_epoch, 1, "market_time_per_epoch") // STEPS_PER_EPOCH
    to_name(splits, get_args(SplitHandling), "splits")
    if is_frame(feed):
        return ReplayPath(feed, name)
    if feed == LOBSTER:
        return _lobster_path(name, file_stamps(name))
    if feed != SIMULATED:
        return history_path(*parse_feed_name(feed, symbol), splits)
    return SimulatedPath(
        PathStreams(seed, name, correlation),
        max(step, 1),
        PathSettings(**settings),
        symbol=name,
        model=make_model(path_model, path_parameters),
    )


@lru_cache(maxsize=4)  # a path is never changed, but files are
def _lobster_path(symbol: str, stamps: object) -> ReplayPath:
    return ReplayPath(lobster_feed(symbol), symbol)


def feed_symbol(feed: str) -> str | None:
    """Return the symbol that the name of a feed contains; None if any symbol has such a feed.

    >>> feed_symbol("msft-2012"), feed_symbol("simulated")
    ('MSFT', None)
    """
    of_any = to_text(feed, "feed").partition("-")[0] in (SIMULATED, OWN_HISTORY, LOBSTER)
    return None if of_any else parse_feed_name(feed)[0]
