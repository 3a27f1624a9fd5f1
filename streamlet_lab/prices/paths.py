"""The underlying path that all sources quote around, and the simulated one.

Market time is an integer number of microseconds since the start of the path. A trading day is
6.5 hours of it, and a night none: the price is another one after it.
"""

import math
from array import array
from collections import deque
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from operator import call
from typing import Annotated, Any, Final, Protocol, TypeGuard

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices.correlation import PathStreams
from streamlet_lab.prices.intraday import TYPICAL_INTRADAY, Session
from streamlet_lab.prices.models import TRADING_DAYS_PER_YEAR, Day, GjrGarch, Jump, ReturnModel
from streamlet_lab.prices.quotes import ORIGIN
from streamlet_lab.units import (
    format_duration,
    to_decimal,
    to_instance,
    to_micros,
    to_text,
    to_whole,
)
from streamlet_lab.values import Number, check_ranges

TRADING_DAY: Final = 23_400_000_000  # 6.5 hours

#: Share of the variance of AAPL's returns that passes overnight (`prices.facts.night_share`).
TYPICAL_NIGHTS: Final = 0.32

#: With more, most of a day's variance would pass within seconds.
MOST_INTRADAY: Final = 0.9

# The path is walked in stretches: one step at a time is slower.
_STEPS_AHEAD: Final = 32

# For a payload, which has room for twelve digits.
_TOO_MUCH: Final = 10**12

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

    def volume(self, market_time: int) -> int:
        """Return the shares that all sources together report around this time."""

    def timestamp(self, market_time: int) -> datetime:
        """Return the calendar time, UTC."""


def to_market_time(value: object) -> int:
    """Read an instant of market time."""
    expected = "whole microseconds of market time, from 0 to before the year 10000"
    return to_whole(value, 0, "market_time", None, expected)


def calendar_time(start: datetime, passed: int) -> datetime:
    """Return the time after so many microseconds, before the year 10000."""
    try:
        return start + timedelta(microseconds=passed)
    except OverflowError:
        expected = f"a time before the year 10000, counted from {start:%Y-%m-%d}"
        raise InvalidInput("market_time", format_duration(passed), expected) from None


@dataclass(frozen=True, slots=True)
class PathSettings:
    """How a simulated price moves.

    Parameters
    ----------
    bounds : (Decimal, Decimal)
        Where the path reflects, in logarithms.
    volatility : float
        Multiplies every return; 1 is AAPL's own, about 2.4 % a day.
    trend : float
        Drift of the logarithm of the price, per year of 252 trading days.
    nights : float
        Share of a day's variance that passes overnight; AAPL's unless given. A day of variance v
        and return r has an open that is normal around ``nights`` · r with the variance
        ``nights`` · (1 − ``nights``) · v, a Brownian bridge that was left for a while. Of the jumps
        of a day those before the time ``nights`` come at the open, too.
    intraday : float
        How much fatter the tails are the shorter the time within a session; 0 is a Brownian bridge.
        See :mod:`~streamlet_lab.prices.intraday`.
    """

    base_price: Decimal = Decimal("150.00")
    bounds: tuple[Decimal, Decimal] = (Decimal(50), Decimal(500))
    volatility: Annotated[float, Number(-math.inf)] = 1.0
    trend: Annotated[float, Number(-math.inf)] = 0.0
    nights: Annotated[float, Number(0, 1, below=True)] = TYPICAL_NIGHTS
    intraday: Annotated[float, Number(0, MOST_INTRADAY)] = TYPICAL_INTRADAY

    def __post_init__(self) -> None:
        check_ranges(self)
        to_micros(self.base_price, "base_price")
        if not 0 < self.base_price < _TOO_MUCH:
            raise InvalidInput("base_price", self.base_price, "a price above zero, below 10^12")
        bounds, expected = self.bounds, "two prices above zero, the lower one first, below 10^12"
        if not isinstance(bounds, tuple | list) or len(bounds) != 2:
            raise InvalidInput("bounds", bounds, expected)
        low, high = (to_decimal(bound, "bounds") for bound in bounds)
        if not 0 < low < high < _TOO_MUCH:
            raise InvalidInput("bounds", bounds, expected)
        object.__setattr__(self, "bounds", (low, high))


class SimulatedPath:
    """Daily returns from a model, a night before each session, and a walk through the session.

    A day begins at the last close. First the night passes, at once, with the share ``nights`` of
    the day's variance and of its return; then the session, with the rest of both
    (:class:`~streamlet_lab.prices.intraday.Session`); jumps come on top at their time. At the
    instant of the close itself the price is the close; the open is seen right after it. So a path
    begins at a close too, and its first night passes right after time 0.

    The closes are the model's, whatever ``nights``, ``intraday`` and the step, which says only how
    often somebody looks: two paths that differ in it have the same price at each instant that is on
    both grids.

    Parameters
    ----------
    step : int
        Grid of the path in microseconds of market time; the price is constant between grid points.
    model : ReturnModel, optional
        `GjrGarch` unless given. What it yields that is no day is refused when it comes.
    """

    duration: int | None = None

    def __init__(
        self,
        streams: PathStreams,
        step: int,
        settings: PathSettings = PathSettings(),
        *,
        symbol: str = "AAPL",
        model: ReturnModel | None = None,
    ) -> None:
        self.symbol = to_text(symbol, "symbol", 1)
        to_instance(settings, PathSettings, "settings")
        if model is not None and not callable(getattr(model, "days", None)):
            raise InvalidInput("model", model, "a model with a method days(stream)")
        self.base_price = settings.base_price
        self.bounds = settings.bounds
        self._settings = settings
        self._streams = streams
        self._step = to_whole(step, 1, "step")
        self._daily_drift = settings.trend / TRADING_DAYS_PER_YEAR
        self._model = model or GjrGarch()
        self._stream = streams.days()
        # Of a copy, so that the model stays what it was: with it a copy of the path begins.
        self._days = deepcopy(self._model).days(self._stream)
        self._low = math.log(settings.bounds[0])
        self._width = math.log(settings.bounds[1]) - self._low
        self._day_end = 0
        self._close = math.log(settings.base_price)  # the day's, without reflection
        self._session: Session
        self._jumps: deque[tuple[float, float]] = deque()  # still to come: when, how far
        self._jumped = 0.0  # since the day's beginning
        self._grid = array("q", [to_micros(settings.base_price)])

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy is walked again from the beginning: where a model's generator is, nobody can copy.
        given = self._streams, self._step, self._settings
        return call, (partial(type(self), *given, symbol=self.symbol, model=self._model),)

    def price(self, market_time: int) -> int:
        """Return the true price in micro-dollars at the last grid point."""
        if type(market_time) is not int or market_time < 0:
            market_time = to_market_time(market_time)
        index = market_time // self._step
        if index >= len(self._grid):
            self.timestamp(market_time)  # it lies in the calendar
            self._extend(index + _STEPS_AHEAD)
        return self._grid[index]

    def volume(self, market_time: int) -> int:
        """Return the description's typical volume, less in the middle of the day: a U shape."""
        if type(market_time) is not int or market_time < 0:
            market_time = to_market_time(market_time)
        share = market_time % TRADING_DAY / TRADING_DAY
        return round(_BASE_VOLUME * (1 - 4 * (1 - _MIDDAY_SHARE) * share * (1 - share)))

    def timestamp(self, market_time: int) -> datetime:
        """Return the description's origin plus the market time."""
        if type(market_time) is not int or market_time < 0:
            market_time = to_market_time(market_time)
        return calendar_time(ORIGIN, market_time)

    def _extend(self, last: int) -> None:
        """Walk the free path from grid point to grid point, up to and including the last one."""
        low, width, exp = self._low, 2 * self._width, math.exp
        for index in range(len(self._grid), last + 1):
            time = index * self._step
            while time > self._day_end:
                self._begin_day()
            # Two mirrors fold the free path into the bounds. (Ten times in an epoch: no calls.)
            position = (self._log_price(time) - low) % width
            self._grid.append(round(exp(low + min(position, width - position)) * 1_000_000))

    def _begin_day(self) -> None:
        start, first = self._day_end, self._close
        nights, volatility = self._settings.nights, self._settings.volatility
        self._stream.begin_day(start // TRADING_DAY)
        day = _next_day(self._days)
        deviation = volatility * day.deviation / 100
        move = volatility * day.move / 100 + self._daily_drift
        opening = first
        if nights:
            (gaussian,), _ = self._streams.stretch(start, TRADING_DAY, 1)
            opening += nights * move + math.sqrt(nights * (1 - nights)) * deviation * gaussian
        variance = (1 - nights) * deviation**2
        intraday = self._settings.intraday
        self._session = Session(self._streams, start, opening, first + move, variance, intraday)
        self._jumped = 0.0
        self._jumps.clear()
        for jump in day.jumps:
            time = start + max(jump.time - nights, 0.0) / (1 - nights) * TRADING_DAY
            self._jumps.append((time, volatility * jump.size / 100))
        self._close = first + (move + sum(size for _, size in self._jumps))
        self._day_end = start + TRADING_DAY

    def _log_price(self, time: int) -> float:
        """Return the free path in the current day; times must not go backwards."""
        if time == self._day_end:
            return self._close
        while self._jumps and self._jumps[0][0] <= time:
            self._jumped += self._jumps.popleft()[1]
        return self._session.at(time) + self._jumped


def _next_day(days: Iterator[Day]) -> Day:
    """Return what a model's next day brings."""
    day = next(days, None) if isinstance(days, Iterator) else days
    if _is_day(day):
        return day
    expected = (
        "a model whose days(stream) never ends and yields one Day after the other, with a finite "
        "move, a finite deviation of at least 0, and jumps of finite size at a time from 0 to 1"
    )
    raise InvalidInput("path_model", day, expected)


def _is_day(day: object) -> TypeGuard[Day]:
    try:
        return (
            isinstance(day, Day)
            and math.isfinite(day.move)
            and 0 <= day.deviation < math.inf
            and all(
                isinstance(jump, Jump) and math.isfinite(jump.size) and 0 <= jump.time <= 1
                for jump in day.jumps
            )
        )
    except (TypeError, ValueError, OverflowError):  # no numbers, no jumps
        return False
