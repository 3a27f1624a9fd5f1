"""LOBSTER message files: tiny ones made here, and a real sample where there is one.

The real ones may not be passed on. A check of them needs ``LOBSTER_DIR``, the folder with at least
one message file.
"""

import csv
import itertools
import os
import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from streamlet_lab.errors import DataError, InvalidInput
from streamlet_lab.prices import ReplayPath
from streamlet_lab.prices.feeds import make_path
from streamlet_lab.prices.lobster import lobster_feed, read_lobster, read_messages

NAME = "MSFT_2012-06-21_34200000_37800000_message_50.csv"
MESSAGES = """\
34200.004241176,1,16113575,18,308700,1
34200.1,4,16113575,18,308700,-1
34200.100000001,4,16113576,100,308701,-1
34200.100000001,4,16113577,20,308800,-1
34200.100000001,5,0,3,308750,1
34200.2,2,16113578,5,308600,1
34201,5,0,50,308650,1
34201.5,3,16113578,5,308600,1
34202.000000999,6,-1,700,308000,-1
34203.25,7,0,0,-1,-1
34203.5,4,16113580,7,308900,1
"""


NOTHING = "is of no shares, or at no price"


def _write(
    folder: Path,
    text: str = MESSAGES,
    name: str = NAME,
    encoding: str = "utf-8",
    newline: str = "\n",
) -> Path:
    path = folder / name
    path.write_text(text, encoding=encoding, newline=newline)
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that ``LOBSTER_DIR`` names."""
    monkeypatch.setenv("LOBSTER_DIR", str(tmp_path))
    return tmp_path


def test_executions_are_merged_by_their_time(tmp_path: Path) -> None:
    """The last price and all shares of one time; nothing else is a trade."""
    frame = read_lobster(_write(tmp_path))

    assert list(frame.columns) == ["time", "price", "volume"]
    assert list(frame["price"]) == [30.87, 30.875, 30.865, 30.89]
    assert list(frame["volume"]) == [18, 123, 50, 7]
    assert [str(time) for time in frame["time"]] == [
        "2012-06-21 09:30:00.100000-04:00",
        "2012-06-21 09:30:00.100000001-04:00",
        "2012-06-21 09:30:01-04:00",
        "2012-06-21 09:30:03.500000-04:00",
    ]


@pytest.mark.parametrize(
    ("date", "utc"),
    [
        ("2012-01-03", "14:30"),  # winter
        ("2012-03-09", "14:30"),  # the Friday before the clock was put forward
        ("2012-03-12", "13:30"),  # the Monday after
        ("2012-11-05", "14:30"),  # the Monday after it was put back
    ],
)
def test_times_are_new_yorks_on_the_day_that_the_name_states(
    tmp_path: Path, date: str, utc: str
) -> None:
    path = _write(tmp_path, "34200,4,1,10,308700,1\n", NAME.replace("2012-06-21", date))
    (time,) = read_lobster(str(path))["time"]

    assert time.tz_convert("UTC").strftime("%Y-%m-%d %H:%M") == f"{date} {utc}"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "34204.0,4,1,10,308700",
        "34204.0,4,1,10,308700,1,0",
        "34204.0,4,1,10,308700,0",
        "34204.0,4,1,10,308700,",
        "34204.0,8,1,10,308700,1",
        "34204.0,4,1,-10,308700,1",
        "34204.0,4,1,10,30.87,1",
        "34204.0,4,x,10,308700,1",
        "34204.0000000001,4,1,10,308700,1",
        "34204.,4,1,10,308700,1",
        "-34204.0,4,1,10,308700,1",
        "nan,4,1,10,308700,1",
        "34204.0, 4, 1, 10, 308700, 1",
        "time,type,id,size,price,direction",
        "34204.0,4,1,10,308700,1" + "0" * 5_000,
        "34204.0,4,1,10," + "9" * 5_000 + ",1",
        "34204.0,4,1,١٠,308700,1",
    ],
)
def test_a_malformed_row_is_named(tmp_path: Path, line: str) -> None:
    path = _write(tmp_path, MESSAGES + line + "\n34205.0,4,1,10,308700,1\n")
    shown = repr(line)[:90]
    with pytest.raises(
        DataError, match=re.escape(f"{path}, row 12: {shown}") + ".* is not a message"
    ):
        read_lobster(path)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("34203.499999999,1,1,10,308700,1", "is earlier than the row before"),
        ("86400.0,4,1,10,308700,1", "is not of this day"),
        ("34203.499999999,7,0,0,-1,-1", "is earlier than the row before"),
        *((f"34204,{kind},1,0,308700,1", NOTHING) for kind in range(1, 6)),
        *((f"34204,{kind},1,10,-1,1", NOTHING) for kind in range(1, 6)),
        ("34204,4,1,10,0,1", NOTHING),
    ],
)
def test_a_row_that_cannot_be_is_named(tmp_path: Path, line: str, expected: str) -> None:
    path = _write(tmp_path, MESSAGES + line + "\n")
    with pytest.raises(DataError, match=re.escape(f"{path}, row 12: {line!r} {expected}")):
        read_lobster(path)


@pytest.mark.parametrize("price", [-1, 0, 1])
@pytest.mark.parametrize("kind", [6, 7])
def test_a_cross_or_a_halt_may_be_of_no_shares_at_no_price(
    tmp_path: Path, kind: int, price: int
) -> None:
    path = _write(tmp_path, MESSAGES + f"34204,{kind},0,0,{price},-1\n")
    pd.testing.assert_frame_equal(read_lobster(path), read_lobster(_write(tmp_path)))


@pytest.mark.parametrize(("encoding", "newline"), [("utf-8-sig", "\n"), ("ascii", "\r\n")])
def test_a_mark_and_other_ends_of_lines_do_not_matter(
    tmp_path: Path, encoding: str, newline: str
) -> None:
    other = read_lobster(_write(tmp_path, encoding=encoding, newline=newline))
    pd.testing.assert_frame_equal(other, read_lobster(_write(tmp_path)))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_another_encoding_is_named(tmp_path: Path, encoding: str) -> None:
    path = _write(tmp_path, encoding=encoding)
    with pytest.raises(DataError, match=re.escape(f"{path}, row 1: not a text in UTF-8; it seems")):
        read_lobster(path)


def test_a_large_file_is_read_row_by_row(tmp_path: Path) -> None:
    """A line without an end takes no memory, and what is read before it is there at once."""
    path = _write(tmp_path, MESSAGES)
    with path.open("r+b") as file:
        file.seek(10**9)  # a hole, which takes no place
        file.write(b"\n")
    messages = read_messages(path)

    assert sum(1 for _ in itertools.islice(messages, 11)) == 11
    with pytest.raises(
        DataError, match="row 12: not a text in UTF-8; it seems to be UTF-16 without"
    ):
        next(messages)


@pytest.mark.parametrize("path", [None, 3, "x\0/" + NAME])
def test_what_is_no_path_is_refused(path: Any) -> None:
    with pytest.raises(InvalidInput, match=r"^path: .* expected a name such as MSFT_2012-06-21_"):
        read_lobster(path)


def test_a_link_to_nowhere_is_named(folder: Path) -> None:
    (folder / NAME).symlink_to(folder / "nowhere")
    with pytest.raises(
        DataError, match=re.escape(f"{folder / NAME}: cannot be read (No such file")
    ):
        make_path("lobster", 0, 1_000_000, symbol="MSFT")


def test_a_file_without_an_execution_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path, MESSAGES.splitlines()[0])
    with pytest.raises(DataError, match=re.escape(f"{path}: no execution")):
        read_lobster(path)


@pytest.mark.parametrize(
    "name",
    [
        "trades.csv",
        NAME.replace("message", "orderbook"),
        NAME.replace("2012-06-21", "2012-06-31"),
        NAME.replace("2012", "9999"),
        NAME.replace("2012", "0001"),
        NAME + ".gz",
    ],
)
def test_a_name_that_states_no_date_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match=r"^path: .* expected a name such as MSFT_2012-06-21_"):
        read_lobster(_write(tmp_path, name=name))


def test_the_feed_is_found_by_its_symbol(folder: Path) -> None:
    _write(folder)
    _write(folder, "34200,4,1,10,5850000,1\n", NAME.replace("MSFT", "AAPL"))
    _write(folder, "not read\n", NAME.replace("message", "orderbook"))
    _write(folder, "not read\n", "README.md")

    pd.testing.assert_frame_equal(lobster_feed("MSFT"), read_lobster(folder / NAME))
    assert list(lobster_feed("AAPL")["price"]) == [585.0]


def test_files_are_read_again_only_if_they_have_changed(folder: Path) -> None:
    _write(folder)
    path = make_path("lobster", 0, 1_000_000, symbol="MSFT")
    assert make_path("lobster", 1, 2_000_000, symbol="MSFT") is path
    _write(folder, "34200,4,1,10,5850000,1\n34201,4,2,10,5860000,1\n")
    assert make_path("lobster", 0, 1_000_000, symbol="MSFT").base_price == Decimal(585)


def test_the_files_of_several_days_and_hours_are_joined_in_order(folder: Path) -> None:
    """By date and time, not as text: 9 o'clock comes before 10."""
    for date, start, end, price in (
        ("2012-06-22", 34_200_000, 37_800_000, 300_000),
        ("2012-06-21", 100_000_00, 34_200_000, 200_000),
        ("2012-06-21", 9_000_000, 10_000_000, 100_000),
    ):
        line = f"{start // 1000},4,1,10,{price},1\n"
        _write(folder, line, f"MSFT_{date}_{start}_{end}_message_10.csv")
    frame = lobster_feed("MSFT")

    assert list(frame["price"]) == [10.0, 20.0, 30.0]
    assert frame["time"].is_monotonic_increasing
    assert list(frame.index) == [0, 1, 2]


def test_files_that_overlap_are_refused(folder: Path) -> None:
    """The same hour with fewer levels would count every trade twice."""
    fewer = _write(folder, name=NAME.replace("_50.csv", "_10.csv"))
    _write(folder)
    with pytest.raises(DataError, match=re.escape(f"{fewer} and {NAME} overlap in time")):
        lobster_feed("MSFT")


def test_without_the_folder_or_the_symbols_files_the_feed_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(folder)
    with pytest.raises(DataError, match="no message file of AAPL; expected AAPL_<date>_<start>"):
        lobster_feed("AAPL")
    monkeypatch.setenv("LOBSTER_DIR", str(folder / "missing"))
    with pytest.raises(DataError, match=r"missing: the folder that LOBSTER_DIR names cannot be"):
        lobster_feed("MSFT")
    monkeypatch.delenv("LOBSTER_DIR")
    with pytest.raises(InvalidInput, match=r"^LOBSTER_DIR: None .* the folder of your LOBSTER"):
        make_path("lobster", 0, 1_000_000, symbol="MSFT")


def test_every_price_comes_back_exactly(tmp_path: Path) -> None:
    """Of a hundredth of a cent, and of as many digits as a message may have."""
    prices = [100, 101, 308_701, 1_999_999_900, 9_999_999_999, *range(1_234_567_001, 1_234_567_400)]
    lines = [f"{34_200 + row},4,1,10,{price},1\n" for row, price in enumerate(prices)]
    path = ReplayPath(read_lobster(_write(tmp_path, "".join(lines))))

    assert [path.price(row * 1_000_000) for row in range(len(prices))] == [
        price * 100 for price in prices
    ]


def test_the_trades_are_replayed_as_they_came(folder: Path) -> None:
    _write(folder)
    path = make_path("lobster", 0, 1_000_000, symbol="MSFT")

    assert path.symbol == "MSFT"
    assert path.base_price == Decimal("30.87")
    first = datetime(2012, 6, 21, 13, 30, 0, 100_000, UTC)
    assert path.timestamp(0) == first
    # Two rows in one microsecond: the later one stands.
    assert [path.price(time) for time in (0, 899_999, 900_000, 3_400_000)] == [
        30_875_000,
        30_875_000,
        30_865_000,
        30_890_000,
    ]
    assert [path.volume(time) for time in (0, 900_000, 3_400_000)] == [141, 191, 198]
    assert path.timestamp(900_000) == first + timedelta(milliseconds=900)


@pytest.mark.skipif(
    "LOBSTER_DIR" not in os.environ,
    reason="LOBSTER_DIR is not set: the samples may not be passed on with the lab",
)
def test_real_files_give_every_execution_once() -> None:
    """Read by other code: a dictionary from the time's own digits to price and shares."""
    paths = sorted(Path(os.environ["LOBSTER_DIR"]).glob("*_message_*.csv"))
    assert paths
    for path in paths:
        price: dict[Decimal, int] = {}
        shares: dict[Decimal, int] = defaultdict(int)
        for time, kind, _, size, amount, _ in csv.reader(path.read_text().splitlines()):
            if kind in {"4", "5"}:
                price[Decimal(time)] = int(amount)
                shares[Decimal(time)] += int(size)
        frame = read_lobster(path)
        midnight = pd.Timestamp(path.name.split("_")[1], tz="America/New_York")
        seconds = [Decimal((time - midnight).value).scaleb(-9) for time in frame["time"]]

        assert seconds == list(price)
        assert [round(value * 10_000) for value in frame["price"]] == list(price.values())
        assert list(frame["volume"]) == list(shares.values())
