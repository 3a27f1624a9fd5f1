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
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from streamlet_lab.errors import DataError, InvalidInput

LOBSTER: Final = "lobster"  # the feed
_FOLDER: Final = "LOBSTER_DIR"

#: Where the exchange is: a file's times are seconds after midnight there.
_TIME_ZONE: Final = "America/New_York"
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
        A feed: ``time`` (in New York, to the nanosecond), ``price`` (US dollars) and ``volume``.

    Raises
    ------
    InvalidInput
        If the file's name is not that of a message file.
    DataError
        If the file cannot be read, a row is malformed or earlier than the one before, or nothing
        was executed. Rows are counted from 1.
    """
    file = _parse_name(Path(path))
    executions = pd.DataFrame(_read_executions(file.path), columns=["time", "price", "volume"])
    if executions.empty:
        raise DataError(f"{file.path}: no execution (type 4 or 5) in the file")
    frame = executions.groupby("time", as_index=False).agg({"price": "last", "volume": "sum"})
    # The clock is never put forward or back on a day on which the exchange is open.
    midnight = pd.Timestamp(file.date).tz_localize(_TIME_ZONE).as_unit("ns")
    frame["time"] = midnight + pd.to_timedelta(frame["time"], unit="ns")
    frame["price"] /= _PRICE_UNITS
    return frame


def file_stamps(symbol: str) -> tuple[tuple[Path, int, int], ...]:
    """Return what tells whether a symbol's files are still the same: path, time, size of each."""
    stats = [(file.path, file.path.stat()) for file in _find_files(symbol)]
    return tuple((path, stat.st_mtime_ns, stat.st_size) for path, stat in stats)


def lobster_feed(symbol: str) -> pd.DataFrame:
    """Return the executions of a symbol from all its message files in ``LOBSTER_DIR``, in order."""
    files = _find_files(symbol)
    for earlier, later in itertools.pairwise(files):
        if earlier.date == later.date and later.start < earlier.end:
            both = f"{earlier.path} and {later.path.name}"
            raise DataError(f"{both} overlap in time; keep one of them")
    return pd.concat([read_lobster(file.path) for file in files], ignore_index=True)


def _read_executions(path: Path) -> Iterator[tuple[int, int, int]]:
    """Check every row, and yield time (ns), price and shares of those that are executions."""
    try:
        # What is not ASCII does not become a message, and the row with it is named.
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError as error:
        raise DataError(f"{path}: the file cannot be read ({error.strerror})") from error
    latest = 0
    for row, line in enumerate(lines, 1):
        where = f"{path}, row {row}: {line!r}"
        message = _MESSAGE.fullmatch(line)
        if message is None or int(message["seconds"]) >= _SECONDS_PER_DAY:
            expected = "seconds after midnight, type 1 to 7, order id, size, price, 1 or -1"
            raise DataError(f"{where} is not a message; expected {expected}")
        time = int(message["seconds"] + (message["fraction"] or "").ljust(9, "0"))
        if time < latest:
            raise DataError(f"{where} is earlier than the row before")
        latest = time
        if message["type"] in _EXECUTIONS:
            price, size = int(message["price"]), int(message["size"])
            if price <= 0 or size == 0:
                raise DataError(f"{where} executes nothing, or at no price")
            yield time, price, size


def _find_files(symbol: str) -> list[_File]:
    folder = os.environ.get(_FOLDER)
    if not folder:
        expected = "an environment variable with the folder of your LOBSTER message files"
        raise InvalidInput(_FOLDER, folder, expected)
    try:
        matches = [_FILE_NAME.fullmatch(path.name) for path in Path(folder).iterdir()]
    except OSError as error:
        message = f"{folder}: the folder that {_FOLDER} names cannot be read ({error.strerror})"
        raise DataError(message) from error
    names = [match[0] for match in matches if match and match["symbol"] == symbol]
    if not names:
        expected = f"{symbol}_<date>_<start>_<end>_message_<levels>.csv"
        raise DataError(f"{folder}: no message file of {symbol}; expected {expected}")
    return sorted(_parse_name(Path(folder, name)) for name in names)


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
