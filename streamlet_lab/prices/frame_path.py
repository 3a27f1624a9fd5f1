"""Replay of prices: a person's own, or real history, as rows of time, price and volume."""

import hashlib
import io
import itertools
import statistics
import warnings
from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Self

from streamlet_lab.errors import DataError, InvalidInput
from streamlet_lab.prices.paths import TRADING_DAY, calendar_time, to_market_time
from streamlet_lab.prices.sources import MICRO_DOLLAR
from streamlet_lab.units import (
    CENT,
    MONEY,
    is_frame,
    read_amount,
    round_price,
    to_micros,
    to_python,
)

if TYPE_CHECKING:
    import pandas as pd

#: Before the digest of a frame where only that was saved of it.
FRAME: Final = "frame:"

_TOO_LARGE: Final = Decimal(10**15)  # arithmetic with what is below is exact
_TOO_DEAR: Final = Decimal(10**11)  # a rule's bounds, twice the highest price, have twelve digits
_SHORTEST_CLOSURE: Final = 1_800_000_000  # 30 minutes
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

# Columns of a frame, and what else they may be called.
_NAMES: Final = {"time": "date", "price": "close", "volume": ""}

# In every zone, and to the end of the last row, these are dates of Python too.
_FIRST_DAY, _LAST_DAY = "0001-01-02", "9999-12-30"


class FrameFeed:
    """The prices of a frame, read once: equal to another's if their content is."""

    def __init__(self, frame: "pd.DataFrame") -> None:
        self._rows = _read_rows(frame)

    @classmethod
    def from_csv(cls, content: str, name: str) -> Self:
        """Read the text of a CSV file with the columns of a frame and times of ISO 8601.

        `DataError` is raised if it is no table, and `InvalidInput` for what is wrong in it.
        """
        import pandas as pd

        try:
            with warnings.catch_warnings():
                # Else cells beyond the header's are dropped.
                warnings.simplefilter("error", pd.errors.ParserWarning)
                frame = pd.read_csv(
                    io.StringIO(content), dtype=str, keep_default_na=False, index_col=False
                )
        except (ValueError, pd.errors.ParserWarning) as error:
            raise DataError(f"{name}: not a CSV file with a header ({error})") from error
        time = _find_columns(frame)[0]
        times = pd.to_datetime(time, format="ISO8601", utc=True, errors="coerce")
        for row in (row for row, is_none in enumerate(times.isna()) if is_none):
            expected = "a date or a time of ISO 8601, such as 2024-01-15 or 2024-01-15T14:30Z"
            raise InvalidInput(f"time in row {row}", time.iloc[row], expected)
        return cls(frame.assign(**{str(time.name): times}))

    def to_csv(self) -> bytes:
        """Return the time, price and volume of each row as CSV."""
        return self._rows.to_csv(index=False, lineterminator="\n").encode()

    def columns(self) -> tuple[list[int], list[Decimal], list[int]]:
        """Return the times in microseconds, the prices and the volumes of all rows."""
        times = self._rows["time"].to_numpy().astype("datetime64[us]").astype("int64").tolist()
        return times, [*map(Decimal, self._rows["price"])], [*map(int, self._rows["volume"])]

    @cached_property
    def digest(self) -> str:
        """What tells it from others."""
        return hashlib.blake2b(self.to_csv(), digest_size=8).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FrameFeed) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __str__(self) -> str:
        return FRAME + self.digest

    def __repr__(self) -> str:
        return f"<{self}>"


class ReplayPath:
    """Prices from a frame, each held until the next: nothing is invented between them.

    Market time is the time between the rows. A gap of more than half an hour, and more than twice
    the usual time between rows (their median), is a closure, such as a night. It takes no market
    time: the row before it is held for the usual time, and so is the last row of all.

    No row is held for longer than a trading day, which is 6.5 hours of market time. So rows that
    are a day, a week or a month apart are one trading day each (``market_time_per_epoch="6.5h"``
    moves on by one of them), whatever their time of day, and whatever the days between them: dates
    only, the opening or the close of each day, weekends, half days. A single row is a day too.
    Only the instants count: in another time zone they give the same path.

    Parameters
    ----------
    feed : pandas.DataFrame or FrameFeed
        One row for each price, sorted by time: ``time`` (datetime64, dates or datetimes in any time
        zone; without one it is UTC; or periods, each of which stands at its start), ``price`` (US
        dollars, at least one cent) and ``volume`` (whole shares). ``date`` and ``close`` will do
        for the first two, in capitals too, and so will an index of times. Other columns are
        ignored. Prices are taken as they print and rounded to micro-dollars, half even; times are
        cut to microseconds, and of rows within one the last one's price counts.
    base_price : Decimal, optional
        What genesis carries; the first price unless given.

    Raises
    ------
    InvalidInput
        If a column is missing or there is no row; if a time is none, or beyond Python's dates; if
        times are not sorted or one comes twice; if a price or a volume is not a number or out of
        range. Rows are counted from 0.

    Examples
    --------
    >>> import pandas as pd
    >>> minutes = ["2024-01-15 20:59", "2024-01-15 21:00", "2024-01-16 14:30"]
    >>> frame = pd.DataFrame(
    ...     {"time": pd.to_datetime(minutes), "price": [185.9, 185.92, 182.16], "volume": 100}
    ... )
    >>> [ReplayPath(frame).price(minute * 60_000_000) for minute in range(3)]
    [185900000, 185920000, 182160000]
    """

    def __init__(
        self,
        feed: "pd.DataFrame | FrameFeed",
        symbol: str = "AAPL",
        base_price: Decimal | None = None,
    ) -> None:
        read = feed if isinstance(feed, FrameFeed) else FrameFeed(feed)
        self._times, prices, volumes = read.columns()
        *self._starts, self._end = itertools.accumulate(_holds(self._times), initial=0)
        self.symbol = symbol
        self.base_price = prices[0] if base_price is None else base_price
        # Against wrong units and broken feeds, and wide enough never to bind on the replay itself.
        self.bounds = (
            max(round_price(MONEY.divide(min(prices), Decimal(2))), CENT),
            round_price(MONEY.multiply(max(prices), Decimal(2))),
        )
        self.duration: int | None = self._end
        self._prices = [to_micros(price) for price in prices]
        self._traded_before = list(itertools.accumulate(volumes, initial=0))

    def price(self, market_time: int) -> int:
        """Return the last row's price in micro-dollars."""
        if type(market_time) is not int or market_time < 0:
            market_time = to_market_time(market_time)
        return self._prices[self._rows_until(market_time) - 1]

    def volume(self, market_time: int) -> int:
        """Return the shares of all rows within one trading day of market time up to now."""
        now = min(to_market_time(market_time), self._end - 1)
        first, last = self._rows_until(now - TRADING_DAY), self._rows_until(now)
        return self._traded_before[last] - self._traded_before[first]

    def timestamp(self, market_time: int) -> datetime:
        """Return the last row's time plus what has passed since, UTC."""
        market_time = to_market_time(market_time)
        row = self._rows_until(market_time) - 1
        return calendar_time(_EPOCH, self._times[row] + market_time - self._starts[row])

    def _rows_until(self, market_time: int) -> int:
        return bisect_right(self._starts, market_time)


def _read_rows(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return the time (UTC), the price and the volume of each row in one form, or refuse one.

    Prices and volumes are texts, with the digits that they had.
    """
    import pandas as pd

    time, price, volume = _find_columns(frame)
    times = _read_times(time)
    prices = _read(price, _is_price, "a price from 0.01 to below 100 billion dollars")
    volumes = _read(volume, _is_volume, "a whole number of shares, zero or more")
    texts = {
        "price": [str(_to_micro_dollars(each)) for each in prices],
        "volume": [str(int(each)) for each in volumes],
    }
    return pd.DataFrame({"time": times, **texts})


def _find_columns(frame: "pd.DataFrame") -> "list[pd.Series[Any]]":
    """Return the columns of times, prices and volumes, or the index where that has the times."""
    if not is_frame(frame):
        expected = "a pandas DataFrame with the columns time, price and volume"
        raise InvalidInput("frame", type(frame).__name__, expected)
    import pandas as pd

    names = [*frame.columns]
    if frame.columns.nlevels > 1:
        expected = "one level of names, as frame.droplevel(1, axis=1) leaves"
        raise InvalidInput("columns", names, expected)
    is_timed = isinstance(frame.index, pd.DatetimeIndex | pd.PeriodIndex)
    columns = []
    for name, other in _NAMES.items():
        exact = [at for at, each in enumerate(names) if each == name]
        like = [at for at, each in enumerate(names) if str(each).strip().lower() in (name, other)]
        found = exact or like
        if len(found) == 1:
            columns.append(frame.iloc[:, found[0]])
        elif not found and name == "time" and is_timed:
            columns.append(pd.Series(frame.index, name=name))
        else:
            also = f" or {other!r}" if other else ""
            index = ", or an index of times" if name == "time" else ""
            raise InvalidInput("columns", names, f"one column {name!r}{also}{index}")
    if frame.empty:
        raise InvalidInput("rows", 0, "at least one row")
    return columns


def _read_times(column: "pd.Series[Any]") -> Any:
    """Return instants of UTC as an array of datetime64."""
    import numpy as np
    import pandas as pd

    if column.dtype.kind != "M" or not isinstance(column.dtype, np.dtype | pd.DatetimeTZDtype):
        column = _read_instants(column)
    for row in np.flatnonzero(column.isna()):
        raise InvalidInput(f"time in row {row}", "NaT", "a time")
    times = (column if column.dt.tz is None else column.dt.tz_convert(None)).to_numpy()
    seconds = times.astype("datetime64[s]")  # beyond all years, microseconds would start again
    first, last = np.datetime64(_FIRST_DAY, "s"), np.datetime64(_LAST_DAY, "s")
    for row in np.flatnonzero((seconds < first) | (seconds >= last)):
        expected = f"a time from {_FIRST_DAY} to before {_LAST_DAY}"
        raise InvalidInput(f"time in row {row}", str(times[row]), expected)
    for row in np.flatnonzero(times[1:] <= times[:-1]) + 1:
        expected = f"a time after that of the row before, {column.iloc[row - 1]}"
        raise InvalidInput(f"time in row {row}", str(column.iloc[row]), expected)
    return times


def _read_instants(column: "pd.Series[Any]") -> "pd.Series[pd.Timestamp]":
    """Return dates, datetimes and periods of any type, or mixed, as a column of datetime64."""
    import pandas as pd

    instants = []
    for row, value in enumerate(column):
        try:
            instant = value.start_time if isinstance(value, pd.Period) else value
        except ValueError:  # a period before or after all times
            instant = None
        if not isinstance(instant, date):  # what a datetime, a pd.Timestamp and NaT are too
            expected = "a date or a time, as pandas.to_datetime makes it"
            raise InvalidInput(f"time in row {row}", value, expected)
        instants.append(instant)
    try:
        return pd.to_datetime(pd.Series(instants, dtype=object), utc=True)
    except (ValueError, OverflowError):  # nanoseconds in one, and too far a year in another
        expected = "a column of type datetime64, as pandas.to_datetime makes it"
        raise InvalidInput("time", str(column.dtype), expected) from None


def _read(
    column: "pd.Series[Any]", is_valid: Callable[[Decimal], bool], expected: str
) -> list[Decimal]:
    """Return numbers as they print, which for a float32 is shorter than as a float64."""
    numbers = []
    for row, value in enumerate(column.to_numpy()):
        number = value if isinstance(value, Decimal) else read_amount(value)
        if (
            number is None
            or not number.is_finite()
            or not (number < _TOO_LARGE and is_valid(number))
        ):
            raise InvalidInput(f"{column.name} in row {row}", to_python(value), expected)
        numbers.append(number)
    return numbers


def _to_micro_dollars(price: Decimal) -> Decimal:
    """Return a price as it was written, if that is not finer than a micro-dollar."""
    rounded = round_price(price, MICRO_DOLLAR)
    return price if price == rounded else rounded


def _is_price(number: Decimal) -> bool:
    return CENT <= number < _TOO_DEAR


def _is_volume(number: Decimal) -> bool:
    return number >= 0 and number == int(number)


def _holds(times: list[int]) -> list[int]:
    """Return how long each row is held."""
    gaps = [after - before for before, after in itertools.pairwise(times)]
    usual = max(statistics.median_low(gaps or [TRADING_DAY]), 1)
    longest = max(_SHORTEST_CLOSURE, 2 * usual)
    holds = (gap if gap <= longest else usual for gap in [*gaps, usual])
    return [min(hold, TRADING_DAY) for hold in holds]
