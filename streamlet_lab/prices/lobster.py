"""Trades from LOBSTER message files: real NASDAQ order flow, which the lab may not ship.

The files are for academic research and may not be passed on, so that everybody brings their own:
the environment variable ``LOBSTER_DIR`` names the folder. Format: the samples' own
``LOBSTER_SampleFiles_ReadMe.txt``.
"""

import datetime
import itertools
import os
import re
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from streamlet_lab.errors import DataError, InvalidInput

#: The feed, and the environment variable that says where its files are.
LOBSTER: Final = "lobster"
FOLDER_VARIABLE: Final = "LOBSTER_DIR"

#: Where the exchange is: a file's times are seconds after midnight there.
_TIME_ZONE: Final = "America/New_York"
_NANOSECONDS_PER_SECOND: Final = 1_000_000_000
_SECONDS_PER_DAY: Final = 86_400
_PRICE_UNITS: Final = 10_000  # per dollar
_EXECUTIONS: Final = ("4", "5")  # of an order that can be seen in the book, and of a hidden one

_FILE_NAME: Final = re.compile(
    r"(?P<symbol>.+)_(?P<date>\d{4}-\d\d-\d\d)_(?P<start>\d+)_(?P<end>\d+)_message_\d+\.csv",
    re.ASCII,
)
_MESSAGE: Final = re.compile(
    r"(?P<seconds>\d{1,5})(\.(?P<fraction>\d{1,9}))?,(?P<type>[1-7]),-?\d+,(?P<size>\d+),"
    r"(?P<price>-?\d+),-?1",
    re.ASCII,
)
_MESSAGE_FORMAT: Final = "seconds after midnight, type 1 to 7, order id, size, price, 1 or -1"


class _Execution(NamedTuple):
    """Nanoseconds after midnight, price in units of the file, and shares."""

    time: int
    price: int
    size: int


class _File(NamedTuple):
    """A message file and the stretch of time that its name states, in milliseconds of its day."""

    date: datetime.date
    start: int
    end: int
    path: Path


def read_lobster(path: str | Path) -> pd.DataFrame:
    """Return the executions of a message file: of visible and of hidden orders (types 4 and 5).

    An incoming order that meets several resting ones makes several rows of one time; they are
    merged into one with the last one's price (so it is one that was traded) and the sum of their
    volumes. Crosses (type 6) are auctions and are left out.

    Parameters
    ----------
    path : str or Path
        Its name states the date: ``MSFT_2012-06-21_34200000_57600000_message_50.csv``.

    Returns
    -------
    pandas.DataFrame
        ``time`` (in New York, to the nanosecond), ``price`` (float64, US dollars) and ``volume``
        (shares): what :class:`~streamlet_lab.prices.replay.ReplayPath` takes.

    Raises
    ------
    InvalidInput
        If the file's name is not that of a message file.
    DataError
        If the file cannot be read, a row is malformed or earlier than the one before, or nothing
        was executed. Rows are counted from 1.
    """
    path = Path(path)
    date = _parse_name(path).date
    times, prices, volumes = [], [], []
    for time, executions in itertools.groupby(_read_executions(path), attrgetter("time")):
        *_, last = together = list(executions)
        times.append(time)
        prices.append(last.price / _PRICE_UNITS)
        volumes.append(sum(execution.size for execution in together))
    if not times:
        raise DataError(f"{path}: no execution (type 4 or 5) in the file")
    # The clock is never put forward or back on a day on which the exchange is open.
    midnight = pd.Timestamp(date).tz_localize(_TIME_ZONE).as_unit("ns")
    time_column = midnight + pd.to_timedelta(times, unit="ns")
    return pd.DataFrame({"time": time_column, "price": prices, "volume": volumes})


def lobster_feed(symbol: str) -> pd.DataFrame:
    """Return the executions of a symbol from all its message files in ``LOBSTER_DIR``, in order.

    Raises
    ------
    InvalidInput
        If the environment variable is not set.
    DataError
        If the folder or the symbol's files are missing, two of them overlap in time, or
        :func:`read_lobster` refuses one.
    """
    files = _find_files(symbol)
    for earlier, later in itertools.pairwise(files):
        if earlier.date == later.date and later.start < earlier.end:
            raise DataError(
                f"{earlier.path} and {later.path.name} overlap in time; keep one of them"
            )
    return pd.concat([read_lobster(file.path) for file in files], ignore_index=True)


def _read_executions(path: Path) -> Iterator[_Execution]:
    """Check every row of a file, and yield those in which shares changed hands."""
    latest = 0
    for row, line in enumerate(_read(path).splitlines(), 1):
        where = f"{path}, row {row}: {line!r}"
        message = _MESSAGE.fullmatch(line)
        if message is None or int(message["seconds"]) >= _SECONDS_PER_DAY:
            raise DataError(f"{where} is not a message; expected {_MESSAGE_FORMAT}")
        fraction = (message["fraction"] or "").ljust(9, "0")
        time = int(message["seconds"]) * _NANOSECONDS_PER_SECOND + int(fraction)
        if time < latest:
            raise DataError(f"{where} is earlier than the row before")
        latest = time
        if message["type"] in _EXECUTIONS:
            execution = _Execution(time, int(message["price"]), int(message["size"]))
            if execution.price <= 0 or execution.size == 0:
                raise DataError(f"{where} executes nothing, or at no price")
            yield execution


def _find_files(symbol: str) -> list[_File]:
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        expected = "an environment variable with the folder of your LOBSTER message files"
        raise InvalidInput(FOLDER_VARIABLE, folder, expected)
    try:
        names = sorted(path.name for path in Path(folder).iterdir())
    except OSError as error:
        message = f"{folder}: the folder that {FOLDER_VARIABLE} names cannot be read"
        raise DataError(f"{message} ({error.strerror})") from error
    matches = [match for match in map(_FILE_NAME.fullmatch, names) if match is not None]
    files = [_parse_name(Path(folder, match[0])) for match in matches if match["symbol"] == symbol]
    if not files:
        expected = f"{symbol}_<date>_<start>_<end>_message_<levels>.csv"
        raise DataError(f"{folder}: no message file of {symbol}; expected {expected}")
    return sorted(files)


def _parse_name(path: Path) -> _File:
    match = _FILE_NAME.fullmatch(path.name)
    try:
        if match is None:
            raise ValueError
        date = datetime.date.fromisoformat(match["date"])
    except ValueError:
        expected = "a name such as MSFT_2012-06-21_34200000_57600000_message_50.csv"
        raise InvalidInput("path", path.name, expected) from None
    return _File(date, int(match["start"]), int(match["end"]), path)


def _read(path: Path) -> str:
    try:
        # What is not ASCII does not become a message, and the row with it is named.
        return path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise DataError(f"{path}: the file cannot be read ({error.strerror})") from error
