"""The underlying path that all sources quote around: simulated, or real history replayed.

Market time is an integer number of microseconds since the start of the path. A trading day is
6.5 hours of it; nights take no market time, so that daily returns keep their daily size.
"""

import math
import random
from collections import deque
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal, Protocol, Self

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices.correlation import FactorStream
from streamlet_lab.prices.history import DailyBar, adjust_for_splits, known_symbol, load_bars
from streamlet_lab.prices.models import TRADING_DAYS_PER_YEAR, Day, GjrGarch, Jump, ReturnModel
from streamlet_lab.prices.quotes import ORIGIN
from streamlet_lab.units import MONEY, round_price, to_micros

TRADING_DAY: Final = 23_400_000_000  # 6.5 hours

#: What becomes of the splits in a real history: taken out, or left as jumps of the price.
SplitHandling = Literal["adjust", "keep"]

# The path is walked in stretches: one at a time is several times slower.
_STEPS_AHEAD: Final = 256

# Shares per epoch over all sources at the opening: the description's sample output.
_BASE_VOLUME: Final = 4_500
_MIDDAY_SHARE: Final = 0.5  # of the opening's volume; the close's is as large as the opening's


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


class SimulatedPath:
    """Daily returns from a model, joined within each day by a Brownian bridge.

    The daily parameters stay daily, however short the step: a day's return is drawn when the day
    begins, and the bridge fills in the day with the day's own variance; jumps come on top of it, at
    their time of the day. The path reflects at its bounds, in logarithms.

    Parameters
    ----------
    stream : random.Random
        The path's own random stream. With a `FactorStream` the first Gaussian of each day and that
        of each grid step are correlated with those of the paths that share its common factor.
    step : int
        Grid of the path in microseconds of market time; the price is constant between grid points.
    symbol : str
        What the path is the price of.
    base_price : Decimal
        Price at time 0, US dollars.
    bounds : (Decimal, Decimal)
        Where the path reflects.
    volatility : float
        Multiplies every return; 1 is AAPL's own, about 2.4 % a day.
    trend : float
        Drift of the logarithm of the price, per year of 252 trading days.
    model : ReturnModel, optional
        `GjrGarch` unless given.
    """

    duration: int | None = None

    def __init__(
        self,
        stream: random.Random,
        step: int,
        *,
        symbol: str = "AAPL",
        base_price: Decimal = Decimal("150.00"),
        bounds: tuple[Decimal, Decimal] = (Decimal(50), Decimal(500)),
        volatility: float = 1.0,
        trend: float = 0.0,
        model: ReturnModel | None = None,
    ) -> None:
        for name, value in (("volatility", volatility), ("trend", trend)):
            if not isinstance(value, int | float) or not math.isfinite(value):
                raise InvalidInput(name, value, "a finite number")
        self.symbol = symbol
        self.base_price = base_price
        self.bounds = bounds
        self._stream = stream
        self._shared = stream if isinstance(stream, FactorStream) else None
        self._step = step
        self._volatility = volatility
        self._daily_drift = trend / TRADING_DAYS_PER_YEAR
        self._days = (model or GjrGarch()).days(stream)
        self._low = math.log(bounds[0])
        self._width = math.log(bounds[1]) - self._low
        self._time = 0
        self._log_price = self._target = math.log(base_price)
        self._day_end = 0
        self._day_deviation = 0.0
        self._jumps: deque[tuple[float, float]] = deque()  # still to come: when, how far
        self._grid = [to_micros(base_price)]

    def price(self, market_time: int) -> int:
        """Return the true price in micro-dollars at the last grid point."""
        index = market_time // self._step
        if index >= len(self._grid):
            self._extend(index + _STEPS_AHEAD)
        return self._grid[index]

    def volume(self, market_time: int) -> int:
        """Return the description's typical volume, less in the middle of the day: a U shape."""
        share = market_time % TRADING_DAY / TRADING_DAY
        return round(_BASE_VOLUME * (1 - 4 * (1 - _MIDDAY_SHARE) * share * (1 - share)))

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
            if self._jumps:
                self._jump(time)
            if time > self._time:
                remaining = self._day_end - self._time
                elapsed = (time - self._time) / remaining
                bridge = sqrt(elapsed * (self._day_end - time) / TRADING_DAY)
                if self._shared:
                    self._shared.begin_step(index)
                self._log_price += elapsed * (self._target - self._log_price)
                self._log_price += bridge * self._day_deviation * gauss(0.0, 1.0)
                self._time = time
            self._grid.append(round(math.exp(self._reflected()) * 1_000_000))

    def _begin_day(self) -> None:
        if self._shared:
            self._shared.begin_day(self._day_end // TRADING_DAY)
        day = next_day(self._days)
        self._day_deviation = self._volatility * day.deviation / 100
        self._target += self._volatility * day.move / 100 + self._daily_drift
        self._jumps.extend(
            (self._day_end + jump.time * TRADING_DAY, self._volatility * jump.size / 100)
            for jump in day.jumps
        )
        self._day_end += TRADING_DAY

    def _jump(self, time: int) -> None:
        """Move the price, and with it the end of its bridge, by the jumps up to a time."""
        while self._jumps and self._jumps[0][0] <= time:
            _, size = self._jumps.popleft()
            self._log_price += size
            self._target += size

    def _reflected(self) -> float:
        """Fold the free path into the bounds, as two mirrors would."""
        position = (self._log_price - self._low) % (2 * self._width)
        return self._low + min(position, 2 * self._width - position)


class HistoricalPath:
    """Real daily closes, each held until the next: nothing is invented between them.

    Parameters
    ----------
    symbol : str
    bars : tuple of DailyBar
        The stretch to replay; one bar is one trading day of market time.
    base_price : Decimal
        The last close before the stretch: the reference that genesis carries.
    """

    def __init__(self, symbol: str, bars: tuple[DailyBar, ...], base_price: Decimal) -> None:
        self.symbol = symbol
        self.base_price = base_price
        self.duration: int | None = len(bars) * TRADING_DAY
        closes = [bar.close for bar in bars]
        self.bounds = bounds_around(closes)
        self._bars = bars
        self._prices = [to_micros(close) for close in closes]

    @classmethod
    def of(cls, symbol: str, year: int | None = None, *, splits: SplitHandling = "adjust") -> Self:
        """Return the replay of a share's whole history, or of one calendar year of it.

        Genesis carries the last close before it; where nothing came before, the first day's open.

        Parameters
        ----------
        symbol : str
        year : int, optional
        splits : {"adjust", "keep"}
            ``"adjust"``: all prices and volumes, that of genesis too, are in shares of the last
            day, see :func:`~streamlet_lab.prices.history.adjust_for_splits`. ``"keep"``: as traded,
            so that a split is a jump.

        Raises
        ------
        InvalidInput, DataError
            As :func:`~streamlet_lab.prices.history.load_bars`.
        """
        if splits not in ("adjust", "keep"):
            raise InvalidInput("splits", splits, "'adjust' or 'keep'")
        symbol = known_symbol(symbol)
        bars = load_bars(symbol, year)
        earlier = [bar for bar in load_bars(symbol) if bar.date < bars[0].date][-1:]
        stretch = (*earlier, *bars)
        if splits == "adjust":
            stretch = adjust_for_splits(symbol, stretch)
        before, bars = stretch[: len(earlier)], stretch[len(earlier) :]
        return cls(symbol, bars, before[0].close if before else bars[0].open)

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


def next_day(days: Iterator[Day]) -> Day:
    """Return what a model's next day brings.

    Raises
    ------
    InvalidInput
        If the model's ``days`` are no iterator, or end, or the next is no day that can be.
    """
    if not isinstance(days, Iterator):
        raise InvalidInput("path_model", days, "a model whose days(stream) yields one Day by one")
    try:
        day = next(days)
    except StopIteration:
        raise InvalidInput("path_model", days, "a model whose days(stream) never ends") from None
    if not isinstance(day, Day):
        raise InvalidInput("path_model", day, "a model whose days(stream) yields Day(...)")
    if not _can_be(day):
        expected = (
            "a Day with a finite move, a finite deviation of at least 0, and jumps of finite size "
            "at a time from 0 to 1"
        )
        raise InvalidInput("path_model", day, expected)
    return day


def _can_be(day: Day) -> bool:
    try:
        return (
            math.isfinite(day.move)
            and 0 <= day.deviation < math.inf
            and all(
                isinstance(jump, Jump) and math.isfinite(jump.size) and 0 <= jump.time <= 1
                for jump in day.jumps
            )
        )
    except (TypeError, ValueError, OverflowError):  # no numbers, no jumps
        return False


def bounds_around(prices: Collection[Decimal]) -> tuple[Decimal, Decimal]:
    """Return half the lowest and twice the highest price of a replay, to the cent.

    A sanity check against wrong units and broken feeds, wide enough never to bind on the replay
    itself.
    """
    return (
        round_price(MONEY.divide(min(prices), Decimal(2))),
        round_price(MONEY.multiply(max(prices), Decimal(2))),
    )
