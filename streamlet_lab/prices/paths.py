"""The underlying path that all sources quote around: simulated, or real history replayed.

Market time is an integer number of microseconds since the start of the path. A trading day is
6.5 hours of it; nights take no market time, so that daily returns keep their daily size.
"""

import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, Protocol

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices.history import DailyBar
from streamlet_lab.prices.quotes import ORIGIN
from streamlet_lab.units import MONEY, round_price, to_micros

TRADING_DAY: Final = 23_400_000_000  # 6.5 hours
TRADING_DAYS_PER_YEAR: Final = 252

# The path is walked in stretches: one at a time is several times slower.
_STEPS_AHEAD: Final = 256

_BASE_VOLUME: Final = 4_500  # shares per epoch over all sources: the description's sample output


class PricePath(Protocol):
    """One true price at each instant of market time."""

    symbol: str
    #: The consensus price that genesis carries.
    base_price: Decimal
    #: Plausible lowest and highest price: the default bounds of the validation rules.
    bounds: tuple[Decimal, Decimal]
    #: How much market time the path lasts; None if it has no end.
    duration: int | None

    def price(self, market_time: int) -> int:
        """Return the true price in micro-dollars. Earlier times may be asked for again."""
        ...

    def volume(self, market_time: int) -> int:
        """Return the shares that all sources together report around this time."""
        ...

    def timestamp(self, market_time: int) -> datetime:
        """Return the calendar time, UTC."""
        ...


@dataclass(frozen=True, slots=True)
class GjrGarch:
    """Daily GJR-GARCH(1,1) with Student-t innovations, in percent.

    h' = ω + (α + γ·[e < 0])·e² + β·h, return e = √h·z, z of unit variance. The defaults are the
    fit to AAPL 2003–2013, without its drift.
    """

    omega: float = 0.0889
    alpha: float = 0.0241
    gamma: float = 0.063
    beta: float = 0.9314
    degrees_of_freedom: float = 5.43

    @property
    def long_run_variance(self) -> float:
        """Unconditional variance of a daily return, in percent squared."""
        return self.omega / (1 - self.alpha - self.gamma / 2 - self.beta)

    def next_variance(self, variance: float, shock: float) -> float:
        """Return tomorrow's variance after today's return ``shock``."""
        leverage = self.gamma if shock < 0 else 0.0
        return self.omega + (self.alpha + leverage) * shock * shock + self.beta * variance

    def innovation(self, stream: random.Random) -> float:
        """Draw a Student-t variate of unit variance."""
        nu = self.degrees_of_freedom
        chi_square = 2 * stream.gammavariate(nu / 2, 1)
        return stream.gauss(0, 1) * math.sqrt((nu - 2) / chi_square)


class SimulatedPath:
    """Daily returns from a GJR-GARCH-t process, joined within each day by a Brownian bridge.

    The daily parameters stay daily, however short the step: a day's return is drawn when the day
    begins, and the bridge fills in the day with the day's own variance. The path reflects at its
    bounds, in logarithms.

    Parameters
    ----------
    stream : random.Random
        The path's own random stream.
    step : int
        Grid of the path in microseconds of market time; the price is constant between grid points.
    base_price : Decimal
        Price at time 0, US dollars.
    bounds : (Decimal, Decimal)
        Where the path reflects.
    volatility : float
        Multiplies every return; 1 is AAPL's own, about 2.6 % a day.
    trend : float
        Drift of the logarithm of the price, per year of 252 trading days.
    model : GjrGarch
    """

    symbol = "AAPL"
    duration: int | None = None

    def __init__(
        self,
        stream: random.Random,
        step: int,
        *,
        base_price: Decimal = Decimal("150.00"),
        bounds: tuple[Decimal, Decimal] = (Decimal(50), Decimal(500)),
        volatility: float = 1.0,
        trend: float = 0.0,
        model: GjrGarch | None = None,
    ) -> None:
        for name, value in (("volatility", volatility), ("trend", trend)):
            if not isinstance(value, int | float) or not math.isfinite(value):
                raise InvalidInput(name, value, "a finite number")
        self.base_price = base_price
        self.bounds = bounds
        self._stream = stream
        self._step = step
        self._volatility = volatility
        self._daily_drift = trend / TRADING_DAYS_PER_YEAR
        self._model = model or GjrGarch()
        self._low = math.log(bounds[0])
        self._width = math.log(bounds[1]) - self._low
        self._variance = self._model.long_run_variance
        self._time = 0
        self._log_price = self._target = math.log(base_price)
        self._day_end = 0
        self._day_deviation = 0.0
        self._grid = [to_micros(base_price)]

    def price(self, market_time: int) -> int:
        """Return the true price in micro-dollars at the last grid point."""
        index = market_time // self._step
        if index >= len(self._grid):
            self._extend(index + _STEPS_AHEAD)
        return self._grid[index]

    def volume(self, market_time: int) -> int:
        """Return the description's typical volume."""
        return _BASE_VOLUME

    def timestamp(self, market_time: int) -> datetime:
        """Return the description's origin plus the market time."""
        return ORIGIN + timedelta(microseconds=market_time)

    def _extend(self, last: int) -> None:
        """Walk the free path from grid point to grid point, up to and including the last one."""
        gauss, sqrt = self._stream.gauss, math.sqrt
        for index in range(len(self._grid), last + 1):
            time = index * self._step
            while self._day_end <= time:
                self._time, self._log_price = self._day_end, self._target
                self._begin_day()
            if time > self._time:
                remaining = self._day_end - self._time
                elapsed = (time - self._time) / remaining
                bridge = sqrt(elapsed * (self._day_end - time) / TRADING_DAY)
                self._log_price += elapsed * (self._target - self._log_price)
                self._log_price += bridge * self._day_deviation * gauss(0.0, 1.0)
                self._time = time
            self._grid.append(round(math.exp(self._reflected()) * 1_000_000))

    def _begin_day(self) -> None:
        shock = math.sqrt(self._variance) * self._model.innovation(self._stream)
        self._day_deviation = self._volatility * math.sqrt(self._variance) / 100
        self._target += self._volatility * shock / 100 + self._daily_drift
        self._variance = self._model.next_variance(self._variance, shock)
        self._day_end += TRADING_DAY

    def _reflected(self) -> float:
        """Fold the free path into the bounds, as two mirrors would."""
        position = (self._log_price - self._low) % (2 * self._width)
        return self._low + min(position, 2 * self._width - position)


class HistoricalPath:
    """Real daily closes, each held until the next: nothing is invented between them.

    Parameters
    ----------
    symbol : str
    bars : sequence of DailyBar
        The stretch to replay; one bar is one trading day of market time.
    base_price : Decimal
        The last close before the stretch: the reference that genesis carries.
    """

    def __init__(self, symbol: str, bars: tuple[DailyBar, ...], base_price: Decimal) -> None:
        self.symbol = symbol
        self.base_price = base_price
        self.duration: int | None = len(bars) * TRADING_DAY
        closes = [bar.close for bar in bars]
        # A sanity check against wrong units and broken feeds, wide enough never to bind on the
        # stretch itself.
        self.bounds = (
            round_price(MONEY.divide(min(closes), Decimal(2))),
            round_price(MONEY.multiply(max(closes), Decimal(2))),
        )
        self._bars = bars
        self._prices = [to_micros(close) for close in closes]

    def price(self, market_time: int) -> int:
        """Return the last close in micro-dollars."""
        return self._prices[self._index(market_time)]

    def volume(self, market_time: int) -> int:
        """Return the day's volume."""
        return self._bars[self._index(market_time)].volume

    def timestamp(self, market_time: int) -> datetime:
        """Return midnight UTC of the bar's date (the source has dates only) plus the day's time."""
        date = self._bars[self._index(market_time)].date
        midnight = datetime(date.year, date.month, date.day, tzinfo=UTC)
        return midnight + timedelta(microseconds=market_time % TRADING_DAY)

    def _index(self, market_time: int) -> int:
        # The run's last instant is the end of its last day.
        return min(market_time // TRADING_DAY, len(self._bars) - 1)
