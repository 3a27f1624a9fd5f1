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
from streamlet_lab.prices import daily_history as history
from streamlet_lab.prices.daily_history import DailyBar, Split, adjust_for_splits, load_bars


@pytest.fixture
def copied_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the data that a test may damage; nothing of it stays in the caches."""
    directory = tmp_path / "data"
    shutil.copytree(history.data_directory(), directory)
    monkeypatch.setattr(history, "data_directory", lambda: directory)
    _forget()
    yield directory
    _forget()


def _forget() -> None:
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
    bars = history.load_bars(symbol)
    dates = [bar.date for bar in bars]

    assert len(bars) == days
    assert dates[0] == first
    assert dates[-1] == datetime.date(2013, 3, 1)
    assert all(earlier < later for earlier, later in itertools.pairwise(dates))


def test_prices_are_the_digits_of_the_file() -> None:
    first = history.load_bars("AAPL")[0]

    assert first == history.DailyBar(
        date=datetime.date(2000, 3, 1),
        open=Decimal("118.56"),
        high=Decimal("132.06"),
        low=Decimal("118.5"),
        close=Decimal("130.31"),
        volume=9_616_100,
    )
    assert str(history.load_bars("AAPL", 2012)[-1].close) == "532.1729"


@pytest.mark.parametrize(
    ("day", "before", "after"),
    [
        (datetime.date(2000, 6, 21), "101.25", "55.63"),
        (datetime.date(2005, 2, 28), "88.99", "44.86"),
    ],
)
def test_prices_are_not_adjusted_for_splits(day: datetime.date, before: str, after: str) -> None:
    bars = history.load_bars("AAPL")
    split = next(i for i, bar in enumerate(bars) if bar.date == day)

    assert bars[split - 1].close == Decimal(before)
    assert bars[split].close == Decimal(after)


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


@pytest.mark.parametrize("symbol", history.SYMBOLS)
def test_the_table_has_every_split_that_the_source_knows(symbol: str) -> None:
    """The source adjusts its own last column for splits, by the same ratios on the same days."""
    found = _days_on_which_the_adjustment_changes(symbol)

    assert [Split(day, round(ratio)) for day, ratio in found.items()] == [*history.SPLITS[symbol]]


@pytest.mark.parametrize("symbol", history.SYMBOLS)
def test_an_adjusted_history_has_no_jump_where_it_was_split(symbol: str) -> None:
    bars = adjust_for_splits(symbol, load_bars(symbol))
    for before, after in itertools.pairwise(bars):
        if after.date in {split.date for split in history.SPLITS[symbol]}:
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


def test_a_year_is_a_stretch_of_the_history() -> None:
    year = history.load_bars("AAPL", 2012)

    assert len(year) == 250
    assert {bar.date.year for bar in year} == {2012}
    assert set(year) < set(history.load_bars("AAPL"))


def test_the_frame_shows_the_same_bars() -> None:
    bars = history.load_bars("GOOG", 2004)
    frame = history.load_history("GOOG", 2004)

    assert list(frame.columns) == ["open", "high", "low", "close", "volume"]
    assert list(frame.dtypes.astype(str)) == ["float64"] * 4 + ["int64"]
    assert list(frame.index) == [pd.Timestamp(bar.date) for bar in bars]
    assert list(frame["low"]) == [float(bar.low) for bar in bars]
    assert list(frame["volume"]) == [bar.volume for bar in bars]


def test_each_share_and_each_year_of_it_is_a_feed() -> None:
    names = history.feed_names()

    assert names[:2] == ["aapl", "aapl-2000"]
    assert len(names) == 4 + 3 * 14 + 10
    for name in names:
        symbol, year = history.parse_feed_name(name)
        assert name == symbol.lower() + ("" if year is None else f"-{year}")
        assert history.load_bars(symbol, year)


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
    assert history.parse_feed_name(name, symbol) == meant


@pytest.mark.parametrize("name", ["aapl", "aapl-2012"])
def test_a_symbol_that_contradicts_its_feed_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        history.parse_feed_name(name, "MSFT")

    assert str(caught.value) == (
        f"symbol: 'MSFT' is not valid; expected AAPL, which the feed '{name}' names, "
        "or the feed 'history' for any share"
    )


UNKNOWN: list[Any] = [
    "tsla",
    "AAPL",
    "aapl-1999",
    "goog-2003",
    "aapl-",
    "aapl-12",
    "aapl-2012-1",
    "",
]
UNKNOWN += ["History", "history-", "history-1999", "history2012", "-2012", None, 2012]


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_feed_is_refused(name: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        history.parse_feed_name(name)

    assert str(caught.value) == (
        f"feed: {name!r} is not valid; expected 'simulated' or a real history: "
        "aapl, msft, ibm, goog, history (the symbol's own), or one year of it such as aapl-2012; "
        "lobster; or a DataFrame with time, price and volume"
    )


@pytest.mark.parametrize("symbol", ["FB", "", 3, None])
def test_an_unknown_symbol_is_refused(symbol: Any) -> None:
    with pytest.raises(InvalidInput, match=rf"symbol: {symbol!r} .* one of AAPL, MSFT, IBM, GOOG"):
        history.load_bars(symbol)


def test_a_year_without_trading_days_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"year: 2003 .* from 2004 to 2013 for GOOG"):
        history.load_bars("GOOG", 2003)


@pytest.mark.parametrize("name", ["aapl.csv", history.CHECKSUMS])
def test_a_missing_file_is_named(copied_data: Path, name: str) -> None:
    (copied_data / name).unlink()
    with pytest.raises(DataError) as caught:
        history.load_bars("AAPL")

    assert str(copied_data / name) in str(caught.value)
    assert "install streamlet-lab again" in str(caught.value)


def test_a_changed_file_is_named(copied_data: Path) -> None:
    file = copied_data / "aapl.csv"
    file.write_bytes(file.read_bytes().replace(b"130.31", b"130.32"))
    with pytest.raises(DataError) as caught:
        history.load_bars("AAPL")

    assert str(file) in str(caught.value)
    assert "install streamlet-lab again" in str(caught.value)
