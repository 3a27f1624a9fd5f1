"""Sources that quote around one underlying path."""

import random
from collections import Counter
from collections.abc import Collection
from decimal import Decimal
from typing import Final

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices.history import load_bars, parse_feed_name
from streamlet_lab.prices.models import make_model
from streamlet_lab.prices.paths import TRADING_DAY, HistoricalPath, PricePath, SimulatedPath
from streamlet_lab.prices.quotes import SOURCES, StockPrice
from streamlet_lab.streams import stream
from streamlet_lab.units import CENT, from_ticks, to_decimal

SIMULATED: Final = "simulated"

#: Grid of a simulated path, so that the price moves within an epoch too.
STEPS_PER_EPOCH: Final = 10

# Quotes are made in stretches: one epoch at a time is several times slower.
_EPOCHS_AHEAD: Final = 32

# Honest venues disagree by about this much (IBM minute VWAPs over three venues: median 1 bp).
_NOISE: Final = 0.0001
# Spread of the sources' shares of the volume: the standard deviation of its logarithm.
_VOLUME_SPREAD: Final = 0.5


class QuoteFeed:
    """What every source quotes in every epoch, around one path.

    Parameters
    ----------
    path : PricePath
        The true price.
    market_time_per_epoch : int
        Microseconds of market time in an epoch; epoch e is quoted at its beginning.
    seed : int
        Each source draws its noise and volume from a stream of its own.
    sources : collection of str
    """

    def __init__(
        self,
        path: PricePath,
        market_time_per_epoch: int,
        seed: int,
        sources: Collection[str] = SOURCES,
    ) -> None:
        self.path = path
        self.market_time_per_epoch = market_time_per_epoch
        self._streams = {name: stream(seed, f"prices/source/{name}") for name in sources}
        self._quotes: list[tuple[StockPrice, ...]] = []

    @property
    def symbol(self) -> str:
        """The symbol that the sources quote."""
        return self.path.symbol

    def quotes(self, epoch: int) -> tuple[StockPrice, ...]:
        """Return the sources' quotes of an epoch, in their fixed order."""
        if epoch >= len(self._quotes):
            following = range(len(self._quotes), epoch + _EPOCHS_AHEAD)
            self._quotes.extend(map(self._make_quotes, following))
        return self._quotes[epoch]

    def _make_quotes(self, epoch: int) -> tuple[StockPrice, ...]:
        market_time = epoch * self.market_time_per_epoch
        true_price = self.path.price(market_time)
        timestamp = self.path.timestamp(market_time)
        volume_each = self.path.volume(market_time) / len(self._streams)
        return tuple(
            StockPrice(
                self.symbol,
                _noisy_price(true_price, random_stream),
                Decimal(round(volume_each * random_stream.lognormvariate(0, _VOLUME_SPREAD))),
                source,
                timestamp,
            )
            for source, random_stream in self._streams.items()
        )


def make_path(
    feed: str,
    seed: int,
    market_time_per_epoch: int,
    *,
    base_price: Decimal = Decimal("150.00"),
    volatility: float = 1.0,
    trend: float = 0.0,
    path_model: str = "gjr_garch",
) -> PricePath:
    """Return the path that a feed's name stands for.

    Parameters
    ----------
    feed : str
        ``"simulated"``, or a real history such as ``"aapl-2012"``.
    seed : int
        For the simulated path; history ignores it, as it ignores what follows.
    market_time_per_epoch : int
        Microseconds.
    base_price : Decimal
    volatility, trend : float
        See :class:`~streamlet_lab.prices.paths.SimulatedPath`.
    path_model : str
        One of :func:`~streamlet_lab.prices.models.path_models`.

    Raises
    ------
    InvalidInput
        If there is no such feed, or no such model.
    DataError
        If the history's file is missing or damaged.
    """
    if feed == SIMULATED:
        return SimulatedPath(
            stream(seed, "prices/path"),
            max(market_time_per_epoch // STEPS_PER_EPOCH, 1),
            base_price=base_price,
            volatility=volatility,
            trend=trend,
            model=make_model(path_model),
        )
    symbol, year = parse_feed_name(feed)
    bars = load_bars(symbol, year)
    earlier = [bar for bar in load_bars(symbol) if bar.date < bars[0].date]
    return HistoricalPath(symbol, bars, earlier[-1].close if earlier else bars[0].open)


class AAPLPriceSimulator:
    """Simulated AAPL price feeds, one quote at a time (the description's class).

    Parameters
    ----------
    base_price : number
        Price at the beginning, US dollars, within $50 to $500.
    volatility : float
        Multiplies every return; 1 is AAPL's own.
    trend : float
        Drift of the logarithm of the price, per year.
    seed : int
        The same seed gives the same quotes.

    Examples
    --------
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
        """Return the source's next quote; its n-th quote is of the n-th trading day.

        Raises
        ------
        InvalidInput
            If there is no such source.
        """
        if source not in SOURCES:
            raise InvalidInput("source", source, f"one of {', '.join(SOURCES)}")
        quote = self.feed.quotes(self._quoted[source])[SOURCES.index(source)]
        self._quoted[source] += 1
        return quote


def _noisy_price(true_price: int, random_stream: random.Random) -> Decimal:
    micro_dollars = true_price * (1 + _NOISE * random_stream.gauss(0, 1))
    return from_ticks(max(round(micro_dollars / 10_000), 1), CENT)
