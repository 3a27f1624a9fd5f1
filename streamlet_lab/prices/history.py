"""Real daily prices, read exactly from the histories that ship with the lab."""

import csv
import datetime
import functools
import hashlib
import io
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

import pandas as pd

from streamlet_lab.errors import DataError, InvalidInput

SYMBOLS: Final = ("AAPL", "MSFT", "IBM", "GOOG")
CHECKSUMS: Final = "checksums.sha256"


@dataclass(frozen=True, slots=True)
class DailyBar:
    """One trading day: prices in dollars and shares traded, as they were, not adjusted.

    A split is therefore a jump; ``data/README.md`` lists them.
    """

    date: datetime.date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int


def data_directory() -> Path:
    """Return where the data are: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "data"
    return inside if inside.is_dir() else package.parent / "data"


def load_bars(symbol: str, year: int | None = None) -> tuple[DailyBar, ...]:
    """Return the history of a share, or one calendar year of it, in order of date.

    Parameters
    ----------
    symbol : str
        One of :data:`SYMBOLS`; its case does not matter.
    year : int, optional
        A year in which the history has trading days.

    Raises
    ------
    InvalidInput
        If there is no such history, or none of that year.
    DataError
        If the file is missing or is not the one that its checksum belongs to.
    """
    name = symbol.upper() if isinstance(symbol, str) else symbol
    if name not in SYMBOLS:
        raise InvalidInput("symbol", symbol, f"one of {', '.join(SYMBOLS)}")
    bars = _read_bars(name)
    if year is None:
        return bars
    of_year = tuple(bar for bar in bars if bar.date.year == year)
    if not of_year:
        first, last = bars[0].date.year, bars[-1].date.year
        raise InvalidInput("year", year, f"a year from {first} to {last} for {name}")
    return of_year


def load_history(symbol: str, year: int | None = None) -> pd.DataFrame:
    """Return the bars of :func:`load_bars` as a frame, for looking.

    Parameters
    ----------
    symbol : str
        One of :data:`SYMBOLS`; its case does not matter.
    year : int, optional
        A year in which the history has trading days.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``date``: ``open``, ``high``, ``low``, ``close`` as float64 dollars and
        ``volume`` in shares.

    Raises
    ------
    InvalidInput, DataError
        As :func:`load_bars`.
    """
    types = {"date": "datetime64[s]"} | dict.fromkeys(("open", "high", "low", "close"), "float64")
    return pd.DataFrame(list(load_bars(symbol, year))).astype(types).set_index("date")


def feed_names() -> list[str]:
    """Return the names of all real feeds: ``aapl``, ``aapl-2000``, … for each share and year."""
    names = []
    for symbol in SYMBOLS:
        years = sorted({bar.date.year for bar in _read_bars(symbol)})
        names += [symbol.lower(), *(f"{symbol.lower()}-{year}" for year in years)]
    return names


def parse_feed_name(name: str) -> tuple[str, int | None]:
    """Return the symbol and the year, if any, that the name of a real feed stands for.

    >>> parse_feed_name("aapl-2012")
    ('AAPL', 2012)

    Raises
    ------
    InvalidInput
        If there is no real feed of that name.
    """
    symbol, _, year = name.partition("-")
    if symbol.upper() in SYMBOLS and symbol.islower():
        if not year and symbol == name:
            return symbol.upper(), None
        if year in {str(bar.date.year) for bar in _read_bars(symbol.upper())}:
            return symbol.upper(), int(year)
    raise InvalidInput(
        "feed",
        name,
        "'simulated' or a real history: aapl, msft, ibm, goog, or one year of it such as aapl-2012",
    )


@functools.cache
def _read_bars(symbol: str) -> tuple[DailyBar, ...]:
    content = _read_verified(f"{symbol.lower()}.csv")
    return tuple(
        DailyBar(
            date=datetime.date.fromisoformat(row["date"]),
            open=Decimal(row["open"]),
            high=Decimal(row["high"]),
            low=Decimal(row["low"]),
            close=Decimal(row["close"]),
            volume=int(row["volume"]),
        )
        for row in csv.DictReader(io.StringIO(content.decode("ascii")))
    )


def _read_verified(name: str) -> bytes:
    directory = data_directory()
    remedy = "restore it with 'git checkout -- data', or install streamlet-lab again"
    try:
        content = (directory / name).read_bytes()
        checksums = (directory / CHECKSUMS).read_bytes().splitlines()
    except OSError as error:
        raise DataError(
            f"{error.filename}: the data file cannot be read ({error.strerror}); {remedy}"
        ) from error
    if f"{hashlib.sha256(content).hexdigest()}  {name}".encode() not in checksums:
        raise DataError(
            f"{directory / name}: the data file is not the one that {CHECKSUMS} lists; {remedy}"
        )
    return content
