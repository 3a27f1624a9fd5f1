"""Real daily prices, read exactly from the histories that ship with the lab, and their replay."""

import csv
import datetime
import functools
import hashlib
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, Self, get_args

import pandas as pd

from streamlet_lab.errors import DataError, InvalidInput
from streamlet_lab.prices.paths import TRADING_DAY, bounds_around
from streamlet_lab.units import MONEY, to_micros, to_name

SYMBOLS: Final = ("AAPL", "MSFT", "IBM", "GOOG")
CHECKSUMS: Final = "checksums.sha256"

#: The feed that is the history of whatever symbol is asked for.
OWN_HISTORY: Final = "history"

_FEEDS: Final = (
    "'simulated' or a real history: aapl, msft, ibm, goog, history (the symbol's own), or one year "
    "of it such as aapl-2012; lobster; or a DataFrame with time, price and volume"
)


#: What becomes of the splits in a real history: taken out, or left as jumps of the price.
SplitHandling = Literal["adjust", "keep"]


class Split(NamedTuple):
    """From this day on, ``ratio`` shares are what one share was."""

    date: datetime.date
    ratio: int


#: The splits within the histories, in order of date (data/README.md).
SPLITS: Final[Mapping[str, tuple[Split, ...]]] = MappingProxyType(
    {
        "AAPL": (Split(datetime.date(2000, 6, 21), 2), Split(datetime.date(2005, 2, 28), 2)),
        "MSFT": (Split(datetime.date(2003, 2, 18), 2),),
        "IBM": (),
        "GOOG": (),
    }
)


@dataclass(frozen=True, slots=True)
class DailyBar:
    """One trading day: prices in dollars and shares traded, as they were, not adjusted.

    A split is therefore a jump, unless :func:`adjust_for_splits` takes it out.
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


def known_symbol(symbol: str) -> str:
    """Return a symbol in capitals."""
    name = symbol.upper() if isinstance(symbol, str) else symbol
    if name not in SYMBOLS:
        raise InvalidInput("symbol", symbol, f"one of {', '.join(SYMBOLS)}")
    return name


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
    name = known_symbol(symbol)
    bars = _read_bars(name)
    if year is None:
        return bars
    of_year = tuple(bar for bar in bars if bar.date.year == year)
    if not of_year:
        first, last = bars[0].date.year, bars[-1].date.year
        raise InvalidInput("year", year, f"a year from {first} to {last} for {name}")
    return of_year


def adjust_for_splits(symbol: str, bars: Sequence[DailyBar]) -> tuple[DailyBar, ...]:
    """Return a stretch of a history in shares of its last day, so that no split is a jump.

    Prices before a split are divided by its ratio, and volumes multiplied. Splits outside of the
    stretch change nothing: what has none is as it was traded.

    Examples
    --------
    >>> before, after = adjust_for_splits("MSFT", load_bars("MSFT", 2003)[30:32])
    >>> str(before.date), str(before.close), str(after.close)
    ('2003-02-14', '24.15', '24.96')
    """
    last = bars[-1].date if bars else datetime.date.min
    splits = [split for split in SPLITS[known_symbol(symbol)] if split.date <= last]
    return tuple(
        _in_shares(bar, math.prod(split.ratio for split in splits if bar.date < split.date))
        for bar in bars
    )


def _in_shares(bar: DailyBar, ratio: int) -> DailyBar:
    if ratio == 1:
        return bar
    shares = Decimal(ratio)
    return replace(
        bar,
        open=MONEY.divide(bar.open, shares),
        high=MONEY.divide(bar.high, shares),
        low=MONEY.divide(bar.low, shares),
        close=MONEY.divide(bar.close, shares),
        volume=bar.volume * ratio,
    )


def load_history(symbol: str, year: int | None = None) -> pd.DataFrame:
    """Return the bars of :func:`load_bars` as a frame, for looking.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``date``: ``open``, ``high``, ``low``, ``close`` as float64 dollars and
        ``volume`` in shares.
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


def parse_feed_name(name: str, symbol: str | None = None) -> tuple[str, int | None]:
    """Return the symbol and the year, if any, that the name of a real feed stands for.

    Parameters
    ----------
    name : str
        ``"aapl"`` names its share itself, ``"history"`` is that of the symbol; ``"aapl-2012"`` and
        ``"history-2012"`` are one year of it.
    symbol : str, optional
        One of :data:`SYMBOLS`. Without it ``"history"`` is AAPL's.

    Examples
    --------
    >>> parse_feed_name("aapl-2012"), parse_feed_name("history-2012", "MSFT")
    (('AAPL', 2012), ('MSFT', 2012))
    """
    share, _, year = name.partition("-") if isinstance(name, str) else ("", "", "")
    if share == OWN_HISTORY:
        named = SYMBOLS[0] if symbol is None else known_symbol(symbol)
    elif share.upper() in SYMBOLS and share.islower():
        named = share.upper()
    else:
        raise InvalidInput("feed", name, _FEEDS)
    if year not in {str(bar.date.year) for bar in _read_bars(named)} and name != share:
        raise InvalidInput("feed", name, _FEEDS)
    if symbol is not None and symbol.upper() != named:
        expected = f"{named}, which the feed {name!r} names, or the feed 'history' for any share"
        raise InvalidInput("symbol", symbol, expected)
    return named, int(year) if year else None


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
            day, see :func:`adjust_for_splits`. ``"keep"``: as traded,
            so that a split is a jump.
        """
        to_name(splits, get_args(SplitHandling), "splits")
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

    def timestamp(self, market_time: int) -> datetime.datetime:
        """Return midnight UTC of the bar's date (the source has dates only) plus the day's time."""
        date = self._bars[self._index(market_time)].date
        midnight = datetime.datetime(date.year, date.month, date.day, tzinfo=datetime.UTC)
        return midnight + datetime.timedelta(microseconds=market_time % TRADING_DAY)

    def _index(self, market_time: int) -> int:
        # The run's last instant is the end of its last day.
        return min(market_time // TRADING_DAY, len(self._bars) - 1)


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
