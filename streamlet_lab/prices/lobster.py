"""Trades from LOBSTER message files: real NASDAQ order flow, which the lab may not ship.

The files are for academic research and may not be passed on, so that everybody brings their own:
the environment variable ``LOBSTER_DIR`` names the folder. Format: the samples' own
``LOBSTER_SampleFiles_ReadMe.txt``.
"""

import codecs
import datetime
import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from streamlet_lab.errors import DataError, InvalidInput, shown
from streamlet_lab.texts import decode

if TYPE_CHECKING:
    import pandas as pd

LOBSTER: Final = "lobster"  # the feed
_FOLDER: Final = "LOBSTER_DIR"

#: Where the exchange is: a file's times are seconds after midnight there.
_TIME_ZONE: Final = "America/New_York"
_DAY: Final = 86_400_000_000_000  # nanoseconds
_PRICE_UNITS: Final = 10_000  # per dollar
_EXECUTIONS: Final = (4, 5)  # of an order that can be seen in the book, and of a hidden one
_OF_ORDERS: Final = (1, 2, 3, *_EXECUTIONS)  # a cross and a halt may be of no shares, at no price
_YEARS: Final = range(1971, 2262)  # from the exchange's first to the last that has nanoseconds

_FILE_NAME: Final = re.compile(
    r"(?P<symbol>.+)_(?P<date>\d{4}-\d\d-\d\d)_(?P<start>\d{1,9})_(?P<end>\d{1,9})_message_"
    r"\d+\.csv",
    re.ASCII,
)
_MESSAGE: Final = re.compile(
    rb"(\d{1,5})(?:\.(\d{1,9}))?,([1-7]),(-?\d{1,19}),(\d{1,10}),(-?\d{1,10}),(-?1)\r?\n?"
)
_LONGEST_LINE: Final = 100


class Message(NamedTuple):
    """One row: what became of an order; `direction` is that of the resting one, 1 for a bid."""

    time: int  # nanoseconds after midnight
    kind: int
    order_id: int
    size: int
    price: int  # in units of 0.0001 dollars
    direction: int


class _File(NamedTuple):
    """A message file and the stretch of time that its name states, in milliseconds of its day."""

    date: datetime.date
    start: int
    end: int
    path: Path


def read_lobster(path: str | Path) -> "pd.DataFrame":
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
        If the file cannot be read, a row is malformed or earlier than the one before, an order of
        no shares or at no price, or nothing was executed. Rows are counted from 1.
    """
    import pandas as pd

    file = _parse_name(path)
    executions = pd.DataFrame(
        (
            (message.time, message.price, message.size)
            for message in read_messages(file.path)
            if message.kind in _EXECUTIONS
        ),
        columns=["time", "price", "volume"],
    )
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
    paths = [file.path for file in _find_files(symbol)]
    try:
        stats = [(path, path.stat()) for path in paths]
    except OSError as error:  # a link to nowhere
        raise _unreadable(error) from error
    return tuple((path, stat.st_mtime_ns, stat.st_size) for path, stat in stats)


def lobster_feed(symbol: str) -> "pd.DataFrame":
    """Return the executions of a symbol from all its message files in ``LOBSTER_DIR``, in order."""
    import pandas as pd

    files = _find_files(symbol)
    for earlier, later in itertools.pairwise(files):
        if earlier.date == later.date and later.start < earlier.end:
            both = f"{earlier.path} and {later.path.name}"
            raise DataError(f"{both} overlap in time; keep one of them")
    return pd.concat([read_lobster(file.path) for file in files], ignore_index=True)


def read_messages(path: Path) -> Iterator[Message]:
    """Read a message file of any size row by row, and check each."""
    latest = 0
    for row, line in enumerate(_read_lines(path), 1):
        match = _MESSAGE.fullmatch(line)
        if match is None:
            where = f"{path}, row {row}"
            text = decode(line, where).rstrip("\r\n")
            expected = "seconds after midnight, type 1 to 7, order id, size, price, 1 or -1"
            raise DataError(f"{where}: {shown(text)} is not a message; expected {expected}")
        seconds, fraction, *fields = match.groups(b"")
        time = int(seconds + fraction.ljust(9, b"0"))
        kind, order_id, size, price, direction = map(int, fields)
        wrong = "is earlier than the row before" if time < latest else ""
        if time >= _DAY:
            wrong = "is not of this day"
        if kind in _OF_ORDERS and (size == 0 or price <= 0):
            wrong = "is of no shares, or at no price"
        if wrong:
            raise DataError(f"{path}, row {row}: {line.decode().rstrip()!r} {wrong}")
        latest = time
        yield Message(time, kind, order_id, size, price, direction)


def _read_lines(path: Path) -> Iterator[bytes]:
    """Read lines, or the beginning of one that is too long for a message."""
    try:
        with path.open("rb") as file:
            yield file.readline(_LONGEST_LINE).removeprefix(codecs.BOM_UTF8)
            yield from iter(lambda: file.readline(_LONGEST_LINE), b"")
    except OSError as error:
        raise _unreadable(error) from error


def _unreadable(error: OSError) -> DataError:
    return DataError(f"{error.filename}: cannot be read ({error.strerror})")


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


def _parse_name(path: str | Path) -> _File:
    try:
        match = _FILE_NAME.fullmatch(Path(path).name)
        if match is None or "\0" in str(path):
            raise ValueError
        date = datetime.date.fromisoformat(match["date"])
        if date.year not in _YEARS:
            raise ValueError
    except (TypeError, ValueError):
        expected = "a name such as MSFT_2012-06-21_34200000_57600000_message_50.csv"
        raise InvalidInput("path", str(path), expected) from None
    return _File(date, int(match["start"]), int(match["end"]), Path(path))
