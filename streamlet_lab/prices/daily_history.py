"""Real daily prices, read exactly from the histories that ship with the lab, and their replay."""

import datetime
import functools
import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, get_args

from streamlet_lab.errors import DataError, InvalidInput, shown
from streamlet_lab.files import shipped_folder
from streamlet_lab.prices.frame_path import ReplayPath
from streamlet_lab.texts import nearest, read_text
from streamlet_lab.units import MONEY, to_name, to_whole

if TYPE_CHECKING:
    import pandas as pd

SYMBOLS: Final = ("AAPL", "MSFT", "IBM", "GOOG")
CHECKSUMS: Final = "checksums.sha256"

_COLUMNS: Final = "date,open,high,low,close,volume,adj_close"
_ROW: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)" + r",(\d{1,9}(?:\.\d{1,9})?)" * 4 + r",(\d{1,15}),\d{1,9}\.\d{1,20}",
    re.ASCII,
)

#: The feed that is the history of whatever symbol is asked for.
OWN_HISTORY: Final = "history"

_FEEDS: Final = (
    "'simulated' or a real history: aapl, msft, ibm, goog, history (the symbol's own), or one year "
    "of it such as aapl-2012; lobster; or a .csv file or DataFrame with time, price and volume"
)

#: What becomes of the splits in a real history: taken out, or left as jumps of the price.
SplitHandling = Literal["adjust", "keep"]


class Split(NamedTuple):
    """From this day on, ``ratio`` shares are what one share was."""

    date: datetime.date
    ratio: int


#: The splits within the histories, in order of date (data/README.md).
SPLITS: Final[Mapping[str, tuple[Split, ...]]] = {
    "AAPL": (Split(datetime.date(2000, 6, 21), 2), Split(datetime.date(2005, 2, 28), 2)),
    "MSFT": (Split(datetime.date(2003, 2, 18), 2),),
    "IBM": (),
    "GOOG": (),
}


class DailyBar(NamedTuple):
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
    """Return where the histories are."""
    return shipped_folder("data")


def known_symbol(symbol: str) -> str:
    """Return a symbol in capitals."""
    return to_name(symbol.upper() if isinstance(symbol, str) else symbol, SYMBOLS, "symbol")


def load_bars(symbol: str, year: int | None = None) -> tuple[DailyBar, ...]:
    """Return the history of a share, or one calendar year of it, in order of date.

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
    year = to_whole(year, 1, "year")
    of_year = tuple(bar for bar in bars if bar.date.year == year)
    if not of_year:
        first, last = bars[0].date.year, bars[-1].date.year
        raise InvalidInput("year", year, f"a year from {first} to {last} for {name}")
    return of_year


def adjust_for_splits(symbol: str, bars: Sequence[DailyBar]) -> tuple[DailyBar, ...]:
    """Return a stretch of a history in shares of its last day, so that no split is a jump.

    Prices before a split are divided by its ratio, and volumes multiplied. Splits outside of the
    stretch change nothing: what has none is as it was traded.

    >>> before, after = adjust_for_splits("MSFT", load_bars("MSFT", 2003)[30:32])
    >>> str(before.date), str(before.close), str(after.close)
    ('2003-02-14', '24.15', '24.96')
    """
    splits = SPLITS[known_symbol(symbol)]
    splits = tuple(split for split in splits if bars and split.date <= bars[-1].date)

    def in_shares_of_the_last_day(bar: DailyBar) -> DailyBar:
        ratio = math.prod(split.ratio for split in splits if bar.date < split.date)
        if ratio == 1:
            return bar
        prices = (MONEY.divide(price, Decimal(ratio)) for price in bar[1:5])
        return DailyBar._make((bar.date, *prices, bar.volume * ratio))

    return tuple(map(in_shares_of_the_last_day, bars))


def load_history(symbol: str, year: int | None = None) -> "pd.DataFrame":
    """Return the daily bars of a share as traded, or those of one year, indexed by ``date``.

    Columns are ``open``, ``high``, ``low``, ``close`` (float64 dollars) and ``volume`` (shares).
    """
    import pandas as pd

    types = {"date": "datetime64[s]"} | dict.fromkeys(("open", "high", "low", "close"), "float64")
    return pd.DataFrame(load_bars(symbol, year)).astype(types).set_index("date")


@functools.cache  # a path is never changed
def history_path(
    symbol: str, year: int | None = None, splits: SplitHandling = "adjust"
) -> ReplayPath:
    """Return the replay of a share's daily closes, all of them or those of one calendar year.

    One bar is one trading day of market time. Genesis carries the last close before the first bar;
    where nothing came before, the first day's open. The source has dates only, so that the clock of
    each day begins at midnight UTC. Of ``splits``, ``"adjust"`` has all prices and volumes, that of
    genesis too, in shares of the last day; ``"keep"`` as traded, so that a split is a jump.
    """
    import pandas as pd

    symbol = known_symbol(symbol)
    bars = load_bars(symbol, year)
    before = [bar for bar in load_bars(symbol) if bar.date < bars[0].date][-1:]
    stretch: Sequence[DailyBar] = (*before, *bars)
    if to_name(splits, get_args(SplitHandling), "splits") == "adjust":
        stretch = adjust_for_splits(symbol, stretch)
    base_price = stretch[0].close if before else stretch[0].open
    bars = tuple(stretch[len(before) :])
    times = pd.to_datetime([bar.date for bar in bars])
    closes, volumes = [bar.close for bar in bars], [bar.volume for bar in bars]
    frame = pd.DataFrame({"time": times, "price": closes, "volume": volumes})
    return ReplayPath(frame, symbol, base_price)


def parse_feed_name(name: str, symbol: str | None = None) -> tuple[str, int | None]:
    """Return the symbol and the year, if any, that the name of a real feed stands for.

    ``"aapl"`` names its share itself; ``"history"`` is that of the symbol, of AAPL without one.

    >>> parse_feed_name("aapl-2012"), parse_feed_name("history-2012", "MSFT")
    (('AAPL', 2012), ('MSFT', 2012))
    """
    share, dash, year = name.partition("-") if isinstance(name, str) else ("", "", "")
    named = {known.lower(): known for known in SYMBOLS}.get(share)
    if share == OWN_HISTORY:
        named = SYMBOLS[0] if symbol is None else known_symbol(symbol)
    if named is None:
        names = ("simulated", OWN_HISTORY, "lobster", *map(str.lower, SYMBOLS))
        raise InvalidInput("feed", name, _FEEDS + nearest(share, names))
    years = [str(bar.date.year) for bar in _read_bars(named)]
    if dash and year not in years:
        expected = f"a year of {named}'s history, {share}-{years[0]} to {share}-{years[-1]}"
        raise InvalidInput("feed", name, expected)
    if symbol is not None and str(symbol).upper() != named:
        expected = f"{named}, which the feed {name!r} names, or the feed 'history' for any share"
        raise InvalidInput("symbol", symbol, expected)
    return named, int(year) if year else None


@functools.cache
def _read_bars(symbol: str) -> tuple[DailyBar, ...]:
    name = f"{symbol.lower()}.csv"
    return parse_bars(_read_verified(name), str(data_directory() / name))


def parse_bars(text: str, source: str = "the history") -> tuple[DailyBar, ...]:
    """Parse a history, whose format is in ``data/README.md``.

    Raises
    ------
    DataError
        If a row is malformed, or not later than the one before. Rows are counted from 1, which is
        the header.
    """
    bars: list[DailyBar] = []
    for row, line in enumerate(text.splitlines()[1:], 2):
        bar, match = None, _ROW.fullmatch(line)
        with suppress(ValueError):  # no day of the calendar
            bar = match and _bar(*match.groups())
        if bar is None or min(bar[1:5]) <= 0 or (bars and bar.date <= bars[-1].date):
            raise DataError(
                f"{source}, row {row}: {shown(line)} is no later day; expected {_COLUMNS}"
            )
        bars.append(bar)
    return tuple(bars)


def _bar(date: str, *numbers: str) -> DailyBar:
    *prices, volume = numbers
    return DailyBar._make((datetime.date.fromisoformat(date), *map(Decimal, prices), int(volume)))


def _read_verified(name: str) -> str:
    directory = data_directory()
    remedy = "restore it with 'git checkout -- data', or install streamlet-lab again"
    try:
        text, checksums = (read_text(directory / file) for file in (name, CHECKSUMS))
    except DataError as error:
        raise DataError(f"{error}; {remedy}") from error
    if f"{hashlib.sha256(text.encode()).hexdigest()}  {name}" not in checksums.splitlines():
        raise DataError(
            f"{directory / name}: the data file is not the one that {CHECKSUMS} lists; {remedy}"
        )
    return text
