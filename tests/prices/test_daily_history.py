"""Real histories: exact content, names, and what happens when a file is not what it should be."""

import csv
import datetime
import itertools
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from streamlet_lab.errors import DataError, InvalidInput
from streamlet_lab.prices import TRADING_DAY, load_history, make_path
from streamlet_lab.prices import daily_history as history
from streamlet_lab.prices.daily_history import (
    CHECKSUMS,
    SPLITS,
    SYMBOLS,
    DailyBar,
    Split,
    adjust_for_splits,
    load_bars,
    parse_feed_name,
)


@pytest.fixture
def copied_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the data that a test may damage; nothing of it stays in the caches."""
    directory = tmp_path / "data"
    shutil.copytree(history.data_directory(), directory)
    monkeypatch.setattr(history, "data_directory", lambda: directory)
    history._read_bars.cache_clear()
    yield directory
    history._read_bars.cache_clear()


@pytest.mark.parametrize(
    ("symbol", "days", "first"),
    [
        ("AAPL", 3270, datetime.date(2000, 3, 1)),
        ("MSFT", 3270, datetime.date(2000, 3, 1)),
        ("IBM", 3270, datetime.date(2000, 3, 1)),
        ("GOOG", 2148, datetime.date(2004, 8, 19)),
    ],
)
def test_a_history_is_complete_and_in_order(symbol: str, days: int, first: datetime.date) -> None:
    dates = [bar.date for bar in load_bars(symbol)]

    assert len(dates) == len(set(dates)) == days
    assert dates == sorted(dates)
    assert (dates[0], dates[-1]) == (first, datetime.date(2013, 3, 1))


def test_prices_are_the_digits_of_the_file() -> None:
    first = load_bars("AAPL")[0]

    assert first == DailyBar(
        date=datetime.date(2000, 3, 1),
        open=Decimal("118.56"),
        high=Decimal("132.06"),
        low=Decimal("118.5"),
        close=Decimal("130.31"),
        volume=9_616_100,
    )
    assert str(load_bars("AAPL", 2012)[-1].close) == "532.1729"


def _days_on_which_the_adjustment_changes(symbol: str) -> dict[datetime.date, float]:
    """Days with the ratio of adj_close / close to that of the day before, where it is not near 1.

    Dividends change it by a few percent, MSFT's special one of $3 by a tenth.
    """
    file = history.data_directory() / f"{symbol.lower()}.csv"
    with file.open(encoding="ascii", newline="") as lines:
        shares = {
            datetime.date.fromisoformat(row["date"]): float(row["adj_close"]) / float(row["close"])
            for row in csv.DictReader(lines)
        }
    return {
        day: after / before
        for (_, before), (day, after) in itertools.pairwise(shares.items())
        if not 0.8 < after / before < 1.25
    }


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_the_table_has_every_split_that_the_source_knows(symbol: str) -> None:
    """The source adjusts its own last column for splits, by the same ratios on the same days."""
    found = _days_on_which_the_adjustment_changes(symbol)

    assert [Split(day, round(ratio)) for day, ratio in found.items()] == [*SPLITS[symbol]]


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_an_adjusted_history_has_no_jump_where_it_was_split(symbol: str) -> None:
    days = {split.date for split in SPLITS[symbol]}
    for before, after in itertools.pairwise(adjust_for_splits(symbol, load_bars(symbol))):
        if after.date in days:
            assert abs(after.close / before.close - 1) < Decimal("0.12")


def test_a_day_before_two_splits_counts_four_shares_for_one() -> None:
    assert adjust_for_splits("AAPL", load_bars("AAPL"))[0] == DailyBar(
        date=datetime.date(2000, 3, 1),
        open=Decimal("29.64"),
        high=Decimal("33.015"),
        low=Decimal("29.625"),
        close=Decimal("32.5775"),
        volume=38_464_400,
    )


@pytest.mark.parametrize("year", [2001, 2004, 2006, 2012])
def test_a_stretch_without_a_split_is_as_it_was_traded(year: int) -> None:
    assert adjust_for_splits("AAPL", load_bars("AAPL", year)) == load_bars("AAPL", year)


def test_the_day_of_the_split_counts_in_new_shares_already() -> None:
    bars = load_bars("AAPL", 2005)
    split = next(i for i, bar in enumerate(bars) if bar.date == datetime.date(2005, 2, 28))
    adjusted = adjust_for_splits("aapl", bars)

    assert adjusted[split:] == bars[split:]
    assert adjusted[split - 1].close == bars[split - 1].close / 2
    # Seen from the day before there has been no split yet.
    assert adjust_for_splits("AAPL", bars[:split]) == bars[:split]


def test_the_frame_shows_the_same_bars() -> None:
    bars = load_bars("GOOG", 2004)
    frame = load_history("GOOG", 2004)

    assert list(frame.columns) == ["open", "high", "low", "close", "volume"]
    assert list(frame.dtypes.astype(str)) == ["float64"] * 4 + ["int64"]
    assert list(frame.index) == [pd.Timestamp(bar.date) for bar in bars]
    assert list(frame["low"]) == [float(bar.low) for bar in bars]
    assert list(frame["volume"]) == [bar.volume for bar in bars]


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_each_share_and_each_year_of_it_is_a_feed(symbol: str) -> None:
    first = 2004 if symbol == "GOOG" else 2000
    assert parse_feed_name(symbol.lower()) == (symbol, None)
    for year in range(first, 2014):
        assert parse_feed_name(f"{symbol.lower()}-{year}") == (symbol, year)
        assert {bar.date.year for bar in load_bars(symbol, year)} == {year}


@pytest.mark.parametrize(
    ("name", "symbol", "meant"),
    [
        ("history", None, ("AAPL", None)),
        ("history", "GOOG", ("GOOG", None)),
        ("history", "goog", ("GOOG", None)),
        ("history-2004", "GOOG", ("GOOG", 2004)),
        ("history-2003", "IBM", ("IBM", 2003)),
        ("ibm-2003", "IBM", ("IBM", 2003)),
        ("ibm", "ibm", ("IBM", None)),
    ],
)
def test_the_symbols_own_history_is_a_feed(
    name: str, symbol: str | None, meant: tuple[str, int | None]
) -> None:
    assert parse_feed_name(name, symbol) == meant


@pytest.mark.parametrize("name", ["aapl", "aapl-2012"])
def test_a_symbol_that_contradicts_its_feed_is_refused(name: str) -> None:
    expected = f"symbol: 'MSFT' is not valid; expected AAPL, which the feed '{name}' names"
    with pytest.raises(InvalidInput, match=expected):
        make_path(name, 0, TRADING_DAY, symbol="MSFT")


UNKNOWN: list[Any] = ["tsla", "AAPL", "aapl-1999", "goog-2003", "aapl-", "aapl-12", "aapl-2012-1"]
UNKNOWN += ["", "History", "history-", "history-1999", "history2012", "-2012", None, 2012]


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_feed_is_refused(name: Any) -> None:
    known = "'simulated' or a real history: aapl, msft|a year of (AAPL|GOOG)'s history, "
    with pytest.raises(InvalidInput, match=f"^feed: {name!r} is not valid; expected ({known})"):
        make_path(name, 0, TRADING_DAY)


@pytest.mark.parametrize("symbol", ["FB", "", 3, None])
def test_an_unknown_symbol_and_a_year_without_trading_days_are_refused(symbol: Any) -> None:
    with pytest.raises(InvalidInput, match=rf"symbol: {symbol!r} .* one of AAPL, MSFT, IBM, GOOG"):
        load_bars(symbol)
    with pytest.raises(InvalidInput, match=r"year: 2003 .* from 2004 to 2013 for GOOG"):
        load_bars("GOOG", 2003)


def test_the_replay_is_the_closes_each_held_until_the_next() -> None:
    path = make_path("aapl-2012", 0, TRADING_DAY)
    bars = load_bars("AAPL", 2012)
    for day, bar in enumerate(bars):
        begin, end = day * TRADING_DAY, (day + 1) * TRADING_DAY - 1
        for time in (begin, (begin + end) // 2, end):
            assert Decimal(path.price(time)) == bar.close * 1_000_000
            assert path.volume(time) == bar.volume
        midnight = datetime.datetime.combine(bar.date, datetime.time(), datetime.UTC)
        for time in (begin, begin + 3_600_000_000, end):
            assert path.timestamp(time) - midnight == datetime.timedelta(microseconds=time - begin)
    assert path.duration == len(bars) * TRADING_DAY
    assert path.price(path.duration) == path.price(path.duration - 1)


@pytest.mark.parametrize(
    ("feed", "symbol", "base"),
    [
        ("aapl-2012", "AAPL", "405.00"),
        ("aapl-2004", "AAPL", "21.37"),
        ("goog-2004", "GOOG", "100.01"),
    ],
)
def test_genesis_carries_the_last_close_before_the_stretch(
    feed: str, symbol: str, base: str
) -> None:
    """Where nothing came before, the first day's open."""
    path = make_path(feed, 0, TRADING_DAY)

    assert path.symbol == symbol
    assert path.base_price == Decimal(base)


def test_a_split_is_no_jump_unless_history_is_kept_as_traded() -> None:
    """88.99 before the split of two for one, 44.86 after it."""
    split = [bar.date for bar in load_bars("AAPL", 2005)].index(datetime.date(2005, 2, 28))
    adjusted, kept = (
        make_path("aapl-2005", 0, TRADING_DAY, splits=splits) for splits in ("adjust", "keep")
    )
    before, after = (split - 1) * TRADING_DAY, split * TRADING_DAY

    assert [path.price(before) for path in (adjusted, kept)] == [44_495_000, 88_990_000]
    assert [path.price(after) for path in (adjusted, kept)] == [44_860_000, 44_860_000]
    assert adjusted.volume(before) == 2 * kept.volume(before)
    assert adjusted.volume(after) == kept.volume(after)


@pytest.mark.parametrize("feed", ["aapl", "goog-2008"])
def test_the_bounds_of_history_never_bind_on_it(feed: str) -> None:
    """Half the lowest close and twice the highest, to the cent."""
    path = make_path(feed, 0, TRADING_DAY)
    assert path.duration is not None
    closes = [Decimal(path.price(time)).scaleb(-6) for time in range(0, path.duration, TRADING_DAY)]
    low, high = path.bounds

    assert abs(low - min(closes) / 2) <= Decimal("0.005")
    assert abs(high - max(closes) * 2) <= Decimal("0.005")


@pytest.mark.parametrize("name", ["aapl.csv", CHECKSUMS])
def test_a_missing_file_is_named(copied_data: Path, name: str) -> None:
    (copied_data / name).unlink()
    with pytest.raises(DataError, match=f"^{copied_data / name}: .* install streamlet-lab again"):
        load_bars("AAPL")


def test_a_changed_file_is_named(copied_data: Path) -> None:
    file = copied_data / "aapl.csv"
    file.write_bytes(file.read_bytes().replace(b"130.31", b"130.32"))
    with pytest.raises(DataError, match=f"^{file}: .* install streamlet-lab again"):
        load_bars("AAPL")


@pytest.mark.parametrize(
    "row",
    [
        "",
        "2000-03-03,1,1,1,1,1",
        "2000-03-32,1,1,1,1,1,1.0",
        "2000-03-02,1,1,1,1,1,1.0",
        "2000-03-03,1,1,1,-1,1,1.0",
        "2000-03-03,1,1,0.00,1,1,1.0",
        "2000-03-03,1,1,1,1e5,1,1.0",
        "2000-03-03,1,1,1,1_0,1,1.0",
        "2000-03-03,1,1,1,١,1,1.0",
        f"2000-03-03,1,1,1,1,{'9' * 5_000},1.0",
    ],
)
def test_a_row_that_is_no_later_day_is_named(row: str) -> None:
    text = f"date,open,high,low,close,volume,adj_close\n2000-03-02,1,1,1,1.50,1,1.0\n{row}\n"
    with pytest.raises(
        DataError, match=f"^h.csv, row 3: '{row[:20]}.* is no later day; expected da"
    ):
        history.parse_bars(text, "h.csv")


@pytest.mark.parametrize("name", ["aapl.csv", CHECKSUMS])
@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_data_file_in_another_encoding_is_named(
    copied_data: Path, name: str, encoding: str
) -> None:
    file = copied_data / name
    file.write_text("é" + file.read_text(), encoding=encoding)
    with pytest.raises(DataError, match=f"^{file}: not a text in UTF-8; .* install streamlet-lab"):
        load_bars("AAPL")


def test_a_data_file_with_other_line_ends_or_a_mark_is_the_same(copied_data: Path) -> None:
    """As Windows has them."""
    expected = load_bars("AAPL")
    for name in ("aapl.csv", CHECKSUMS):
        text = (copied_data / name).read_text()
        (copied_data / name).write_text(text, encoding="utf-8-sig", newline="\r\n")
    history._read_bars.cache_clear()

    assert load_bars("AAPL") == expected
