"""Replay of a person's own prices: rows of time, price and volume."""

import itertools
import statistics
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

import numpy as np
import pandas as pd

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices.paths import TRADING_DAY, bounds_around
from streamlet_lab.prices.sources import MICRO_DOLLAR
from streamlet_lab.units import (
    CENT,
    format_duration,
    round_price,
    to_micros,
    to_microseconds,
)

COLUMNS: Final = ("time", "price", "volume")

_TOO_LARGE: Final = Decimal(10**15)  # arithmetic with what is below is exact
_SHORTEST_CLOSURE: Final = 1_800_000_000  # 30 minutes
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class ReplayPath:
    """Prices from a frame, each held until the next: nothing is invented between them.

    Market time is the time between the rows. A gap longer than ``longest_gap`` is a closure, such
    as a night, and takes no market time: the row before it is held as long as rows usually are (the
    median time between rows), and so is the last row of all. Rows that are dates only are one
    trading day each, whatever the days between them.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row for each price, sorted by time: ``time`` (datetime64 in any time zone; without one
        it is UTC), ``price`` (US dollars, at least one cent) and ``volume`` (whole shares). Other
        columns are ignored. Prices are taken as they print and rounded to micro-dollars, half even;
        times are cut to microseconds, and of rows within one the last one's price counts.
    symbol : str
    longest_gap : str or float, optional
        Such as ``"30min"``, or seconds. Half an hour unless given, or twice the usual time between
        rows if that is longer. It has no meaning for rows that are dates.

    Raises
    ------
    InvalidInput
        If a column is missing or there is no row; if times are not sorted or one comes twice; if a
        price or a volume is not a number or out of range. Rows are counted from 0.

    Examples
    --------
    >>> minutes = ["2024-01-15 20:59", "2024-01-15 21:00", "2024-01-16 14:30"]
    >>> frame = pd.DataFrame(
    ...     {"time": pd.to_datetime(minutes), "price": [185.9, 185.92, 182.16], "volume": 100}
    ... )
    >>> path = ReplayPath(frame)
    >>> [path.price(minute * 60_000_000) for minute in range(3)], path.closures
    ([185900000, 185920000, 182160000], 1)
    """

    def __init__(
        self, frame: pd.DataFrame, symbol: str = "AAPL", *, longest_gap: str | float | None = None
    ) -> None:
        _check_shape(frame)
        self._times, dates_only = _read_times(frame["time"])
        prices = _read_prices(frame["price"])
        volumes = _read_volumes(frame["volume"])
        if dates_only:
            holds, self._closures = [TRADING_DAY] * len(frame), 0
        else:
            holds, self._closures = _hold(self._times, longest_gap)
        *self._starts, self._end = itertools.accumulate(holds, initial=0)
        self.symbol = symbol
        self.base_price = prices[0]
        self.bounds = bounds_around(prices)
        self.duration: int | None = self._end
        self._prices = [to_micros(price) for price in prices]
        self._traded_before = list(itertools.accumulate(volumes, initial=0))

    @property
    def closures(self) -> int:
        """How many gaps between rows were too long to take market time."""
        return self._closures

    def price(self, market_time: int) -> int:
        """Return the last row's price in micro-dollars."""
        return self._prices[self._rows_until(market_time) - 1]

    def volume(self, market_time: int) -> int:
        """Return the shares of all rows within one trading day of market time up to now."""
        now = min(market_time, self._end - 1)
        first, last = self._rows_until(now - TRADING_DAY), self._rows_until(now)
        return self._traded_before[last] - self._traded_before[first]

    def timestamp(self, market_time: int) -> datetime:
        """Return the last row's time plus what has passed since, UTC."""
        row = self._rows_until(market_time) - 1
        since = market_time - self._starts[row]
        return _EPOCH + timedelta(microseconds=self._times[row] + since)

    def _rows_until(self, market_time: int) -> int:
        return bisect_right(self._starts, market_time)


def _check_shape(frame: pd.DataFrame) -> None:
    if not isinstance(frame, pd.DataFrame):
        expected = "a pandas DataFrame with the columns time, price and volume"
        raise InvalidInput("frame", type(frame).__name__, expected)
    for name in COLUMNS:
        if list(frame.columns).count(name) != 1:
            raise InvalidInput("columns", list(frame.columns), f"one column {name!r}")
    if frame.empty:
        raise InvalidInput("rows", 0, "at least one row")


def _read_times(column: "pd.Series[pd.Timestamp]") -> tuple[list[int], bool]:
    """Return microseconds since 1970, and whether all are dates only, in their own time zone."""
    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        expected = "a column of type datetime64, as pandas.to_datetime makes it"
        raise InvalidInput("time", str(column.dtype), expected)
    for row in np.flatnonzero(column.isna()):
        raise InvalidInput(f"time in row {row}", "NaT", "a time")
    without_zone = column if column.dt.tz is None else column.dt.tz_convert(None)
    times = without_zone.to_numpy()
    for row in np.flatnonzero(times[1:] <= times[:-1]) + 1:
        expected = f"a time after that of the row before, {column.iloc[row - 1]}"
        raise InvalidInput(f"time in row {row}", str(column.iloc[row]), expected)
    dates_only = bool((column == column.dt.normalize()).all())
    return times.astype("datetime64[us]").astype(np.int64).tolist(), dates_only


def _read_prices(column: "pd.Series[float]") -> list[Decimal]:
    prices = []
    for row, value in enumerate(column.to_numpy()):
        price = _read_number(value)
        if price is None or price < CENT:
            raise InvalidInput(f"price in row {row}", str(value), "a finite price from 0.01 on")
        rounded = round_price(price, MICRO_DOLLAR)
        prices.append(price if price == rounded else rounded)
    return prices


def _read_volumes(column: "pd.Series[int]") -> list[int]:
    volumes = []
    for row, value in enumerate(column.to_numpy()):
        volume = _read_number(value)
        if volume is None or volume < 0 or volume != int(volume):
            expected = "a whole number of shares, zero or more"
            raise InvalidInput(f"volume in row {row}", str(value), expected)
        volumes.append(int(volume))
    return volumes


def _read_number(value: object) -> Decimal | None:
    """Return a number as it prints, which for a float32 is shorter than as a float64."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and number < _TOO_LARGE else None


def _hold(times: list[int], longest_gap: str | float | None) -> tuple[list[int], int]:
    """Return how long each row is held, and how many gaps were cut."""
    gaps = [after - before for before, after in itertools.pairwise(times)]
    if not gaps:
        raise InvalidInput("rows", 1, "at least two rows, unless they are dates only")
    usual = max(statistics.median_low(gaps), 1)
    if longest_gap is None:
        longest = max(_SHORTEST_CLOSURE, 2 * usual)
    else:
        longest = to_microseconds(longest_gap, "longest_gap")
    if longest < usual:
        expected = f"at least the usual time between rows, {format_duration(usual)}"
        raise InvalidInput("longest_gap", longest_gap, expected)
    holds = [gap if gap <= longest else usual for gap in gaps]
    return [*holds, usual], sum(gap > longest for gap in gaps)
