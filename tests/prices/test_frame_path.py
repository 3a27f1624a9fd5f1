"""A person's own prices, replayed: what stands when, what is refused."""

import itertools
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import available_timezones

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamlet_lab.errors import InvalidInput, StreamletLabError, shown
from streamlet_lab.prices import TRADING_DAY, FrameFeed, ReplayPath

MINUTE = 60_000_000
HOUR = 60 * MINUTE
START = 1_705_312_800_000_000  # 2024-01-15 10:00 UTC


class Row(NamedTuple):
    time: int  # microseconds since 1970
    cents: int
    volume: int


def _frame(rows: list[Row]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "time": np.array([row.time for row in rows], dtype="datetime64[us]"),
            "price": [row.cents / 100 for row in rows],
            "volume": [row.volume for row in rows],
        }
    )


def _at(times: list[str], **columns: Any) -> pd.DataFrame:
    """A frame of rows at these times, at $10, $11, … and with 100 shares each."""
    prices = [10.0 + row for row in range(len(times))]
    data = {"time": pd.to_datetime(times), "price": prices, "volume": [100] * len(times)}
    return pd.DataFrame(data | columns)


GAPS = st.one_of(st.integers(1, 10), st.integers(1, HOUR), st.integers(1, 48 * HOUR))


@st.composite
def intraday(draw: st.DrawFn) -> list[Row]:
    """At least two rows, any time apart."""
    gaps = draw(st.lists(GAPS, min_size=1, max_size=12))
    times = itertools.accumulate(gaps, initial=START)
    return [Row(time, draw(st.integers(1, 10**7)), draw(st.integers(0, 10**6))) for time in times]


class NaivePath:
    """The documented rules, row by row."""

    def __init__(self, rows: list[Row]) -> None:
        gaps = [after.time - before.time for before, after in itertools.pairwise(rows)]
        usual = sorted(gaps)[(len(gaps) - 1) // 2]
        longest = max(30 * MINUTE, 2 * usual)
        self.rows = rows
        self.starts = [0]
        for gap in gaps:
            hold = gap if gap <= longest else usual
            self.starts.append(self.starts[-1] + min(hold, TRADING_DAY))
        self.duration = self.starts[-1] + min(usual, TRADING_DAY)

    def row(self, market_time: int) -> int:
        found = 0
        for row, start in enumerate(self.starts):
            if start <= market_time:
                found = row
        return found

    def volume(self, market_time: int) -> int:
        now = min(market_time, self.duration - 1)
        return sum(
            row.volume
            for row, start in zip(self.rows, self.starts, strict=True)
            if now - TRADING_DAY < start <= now
        )


@given(intraday(), st.data())
def test_it_does_what_the_naive_path_does(rows: list[Row], data: st.DataObject) -> None:
    path, naive = ReplayPath(_frame(rows)), NaivePath(rows)

    assert path.duration == naive.duration
    asked = [*naive.starts, *(start - 1 for start in naive.starts[1:]), naive.duration]
    asked += data.draw(st.lists(st.integers(0, naive.duration), max_size=10))
    for time in asked:
        row = naive.row(time)
        assert path.price(time) == rows[row].cents * 10_000
        assert path.volume(time) == naive.volume(time)
        microseconds = rows[row].time + time - naive.starts[row]
        assert path.timestamp(time) == datetime.fromtimestamp(0, UTC) + timedelta(
            microseconds=microseconds
        )


DAYS = pd.bdate_range("2024-02-26", "2024-03-15")  # New York's clock is put forward within it
DAILY = {
    "dates": DAYS,
    "openings": (DAYS + pd.Timedelta("9.5h")).tz_localize("America/New_York"),
    "closes, one of a half day": DAYS + pd.to_timedelta([16, 16, 13, *[16] * 12], unit="h"),
    "first trades, at any hour": DAYS + pd.to_timedelta([10, 16, 9, 15, 12] * 3, unit="h"),
    "without one day": DAYS.delete(3),
    "weeks": pd.date_range("2024-01-05 16:00", periods=8, freq="W-FRI"),
    "months": pd.date_range("2024-01-31 16:00", periods=8, freq="ME"),
    "one day, at noon": pd.DatetimeIndex(["2024-01-15 12:00"]),
}


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata", "Pacific/Apia"])
@pytest.mark.parametrize("times", DAILY.values(), ids=DAILY)
def test_rows_a_day_or_more_apart_are_trading_days_in_every_zone(
    times: pd.DatetimeIndex, zone: str
) -> None:
    times = times.tz_localize("UTC") if times.tz is None else times
    path = ReplayPath(_at([*times.tz_convert(zone)]))

    assert path.duration == len(times) * TRADING_DAY
    for row, time in enumerate(times):
        first, last = row * TRADING_DAY, (row + 1) * TRADING_DAY - 1
        assert path.price(first) == path.price(last) == (10 + row) * 1_000_000
        assert path.volume(first) == path.volume(last) == 100
        assert path.timestamp(first) == time


def test_hours_around_the_clock_are_hours_and_a_day_without_any_is_a_closure() -> None:
    hours = pd.date_range("2024-01-15", periods=72, freq="h")

    assert ReplayPath(_at([*hours])).duration == 72 * HOUR
    assert ReplayPath(_at([*hours[:24], *hours[48:]])).duration == 48 * HOUR


def test_a_midnight_that_does_not_exist_or_comes_twice_is_no_matter() -> None:
    """In every zone that has one from 2000 on: the last one, among days and among hours."""
    midnights = pd.date_range("2000-01-01", "2030-01-01")
    found = []
    for zone in sorted(available_timezones()):
        local = midnights.tz_localize(zone, nonexistent="NaT", ambiguous="NaT")
        for midnight in midnights[local.isna()][-1:]:
            for frequency, held in (("D", TRADING_DAY), ("h", HOUR)):
                around = pd.date_range(
                    midnight - pd.Timedelta("36h"), midnight + pd.Timedelta("36h"), freq=frequency
                )
                path = ReplayPath(_at([*around.tz_localize("UTC").tz_convert(zone)]))
                assert path.duration == len(around) * held
            found.append(zone)

    assert {"America/Santiago", "Asia/Beirut", "America/Havana", "Pacific/Apia"} <= set(found)


FORMS: dict[str, Callable[[pd.DatetimeIndex], Any]] = {
    "seconds": lambda times: times.as_unit("s"),
    "nanoseconds": lambda times: times.as_unit("ns"),
    "dates": lambda times: [time.date() for time in times],
    "datetimes": lambda times: pd.Series(times.to_pydatetime(), dtype=object),
    "in zones of their own": lambda times: pd.Series(
        [times[0], times[1].tz_localize("UTC").tz_convert("Asia/Tokyo")], dtype=object
    ),
    "periods": lambda times: times.to_period("D"),
    "categories": pd.Categorical,
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_times_come_in_many_forms(form: Callable[[pd.DatetimeIndex], Any]) -> None:
    times = pd.DatetimeIndex(["2024-01-15", "2024-01-16"])
    path = ReplayPath(_at(["2024-01-15", "2024-01-16"], time=form(times)))

    assert path.timestamp(0) == datetime(2024, 1, 15, tzinfo=UTC)
    assert path.timestamp(TRADING_DAY) == datetime(2024, 1, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    "dtype", ["Int64", "UInt8", "Float64", "float16", "string", "category", "object", "Sparse[int]"]
)
def test_numbers_come_in_many_types(dtype: str) -> None:
    numbers = pd.Series([150, 151]).astype(dtype)
    path = ReplayPath(_at(["2024-01-15", "2024-01-16"], price=numbers, volume=numbers))

    assert [path.price(0), path.price(TRADING_DAY)] == [150_000_000, 151_000_000]
    assert [path.volume(0), path.volume(TRADING_DAY)] == [150, 151]


def test_a_time_without_a_zone_is_utc_and_any_other_zone_is_the_same_instant() -> None:
    naive = _at(["2024-01-15 14:30", "2024-01-15 14:31"])
    zone = naive.assign(time=naive["time"].dt.tz_localize("UTC").dt.tz_convert("Asia/Kolkata"))

    assert ReplayPath(naive).timestamp(0) == datetime(2024, 1, 15, 14, 30, tzinfo=UTC)
    assert ReplayPath(zone).timestamp(0) == datetime(2024, 1, 15, 14, 30, tzinfo=UTC)


def test_of_rows_within_one_microsecond_the_last_price_and_all_shares_count() -> None:
    seconds = [
        "14:30:00.000000001",
        "14:30:00.000000999",
        "14:30:00.000001000",
        "14:30:01.000000000",
    ]
    path = ReplayPath(_at([f"2024-01-15 {second}" for second in seconds]))

    assert path.price(0) == 11_000_000
    assert path.volume(0) == 200
    assert path.price(1) == 12_000_000


@pytest.mark.parametrize(
    ("gaps", "held"),
    [
        ([1, 30, 1], [1, 30, 1]),
        ([1, 30.001, 1], [1, 1, 1]),
        ([60, 60, 120, 121, 60], [60, 60, 120, 60, 60]),
    ],
    ids=["half an hour", "more", "twice the usual time, and more"],
)
def test_a_longer_gap_takes_no_market_time(gaps: list[float], held: list[float]) -> None:
    """In minutes; the last row is held for the usual time, that of the first gap."""
    times = itertools.accumulate([round(gap * MINUTE) for gap in gaps], initial=START)

    assert ReplayPath(_frame([Row(time, 100, 1) for time in times])).duration == MINUTE * (
        sum(held) + held[0]
    )


@pytest.mark.parametrize(
    ("price", "micro_dollars"),
    [
        (152.45, 152_450_000),
        (0.1 + 0.2, 300_000),  # 0.30000000000000004
        (1 / 3, 333_333),
        (10.0000005, 10_000_000),  # half even
        (10.0000015, 10_000_002),
        (np.float32(152.45), 152_450_000),
        (Decimal("152.450001"), 152_450_001),
        ("152.45", 152_450_000),
        (7, 7_000_000),
        (0.01, 10_000),
    ],
)
def test_prices_are_taken_as_they_print_and_rounded_to_micro_dollars(
    price: Any, micro_dollars: int
) -> None:
    path = ReplayPath(_at(["2024-01-15"], price=pd.Series([price])))

    assert path.price(0) == micro_dollars
    assert path.base_price == Decimal(micro_dollars) / 1_000_000


def test_genesis_carries_the_digits_of_the_first_price() -> None:
    path = ReplayPath(_at(["2024-01-15"], price=[Decimal("152.450")]))

    assert str(path.base_price) == "152.450"


def test_other_columns_and_the_index_do_not_matter_and_nothing_is_changed() -> None:
    plain = _at(["2024-01-15 14:30", "2024-01-15 14:31"])
    busy = plain.assign(bid=1.0, price_note="x").set_index(pd.Index([7, 7]))[
        ["bid", "volume", "price_note", "price", "time"]
    ]
    before = busy.copy(deep=True)
    path = ReplayPath(busy)

    assert path.price(MINUTE) == ReplayPath(plain).price(MINUTE) == 11_000_000
    pd.testing.assert_frame_equal(busy, before)


@pytest.mark.parametrize(
    "frame_of",
    [
        lambda plain: plain.set_axis(["Date", "Close", "Volume"], axis=1),
        lambda plain: plain.set_axis(["DATE", "close", "VOLUME"], axis=1).assign(Adj=1),
        lambda plain: plain.set_index("time"),
        lambda plain: plain.set_index(pd.DatetimeIndex(plain["time"], name="Date"))[
            ["volume", "price"]
        ],
        lambda plain: plain.assign(date="x", Close=1),
        lambda plain: FrameFeed.from_csv(plain.to_csv(index=False), "my.csv"),
        lambda plain: FrameFeed.from_csv(
            "Date,Open,Close,Volume\n2024-01-15T14:30Z,1,10.00,5\n2024-01-15 15:31+01:00,1,11,6\n",
            "my.csv",
        ),
    ],
)
def test_columns_have_the_names_that_other_sources_give_them(
    frame_of: Callable[[pd.DataFrame], pd.DataFrame | FrameFeed],
) -> None:
    plain = _at(["2024-01-15 14:30", "2024-01-15 14:31"], price=[10.0, 11.0], volume=[5, 6])
    path, same = ReplayPath(frame_of(plain)), ReplayPath(plain)

    for time in (0, MINUTE):
        assert path.timestamp(time) == same.timestamp(time)
        assert path.price(time) == same.price(time)
        assert path.volume(time) == same.volume(time)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "my.csv: not a CSV file with a header"),
        ("time,price,volume\n2024-01-15,1,2,3\n", "my.csv: not a CSV file with a header"),
        ("time,price,volume\n", "rows: 0 "),
        ("a;b;c\n1;2;3\n", "columns: .* one column 'time' or 'date'"),
        ("date,close,volume\n2024-01-15,1,2\n16/01/2024,1,2\n", "time in row 1: '16/01/2024'"),
        ("date,close,volume\n2024-01-15,n/a,2\n", "close in row 0: 'n/a'"),
        ("date,close,volume\n2024-01-15,1,\n", "volume in row 0: ''"),
    ],
)
@pytest.mark.filterwarnings("ignore")  # what pandas only warns of is refused, too
def test_a_file_that_is_no_table_of_prices_is_refused(content: str, complaint: str) -> None:
    with pytest.raises(StreamletLabError, match=complaint):
        FrameFeed.from_csv(content, "my.csv")


FAR = pd.Period(ordinal=10**12, freq="M")
MINUTES = ["2024-01-15 14:30", "2024-01-15 14:31", "2024-01-15 14:32"]
PRICE = "a price from 0.01 to below 100 billion dollars"
VOLUME = "a whole number of shares, zero or more"
REFUSED: dict[str, tuple[Any, str, Any, str]] = {
    # what is wrong: the frame, and the field, value and expectation of the message
    "no frame": ([1, 2], "frame", "list", "a pandas DataFrame with the columns"),
    "no time": (
        _at(MINUTES).drop(columns="time"),
        "columns",
        ["price", "volume"],
        "one column 'time'",
    ),
    "two closes": (
        _at(MINUTES).rename(columns={"price": "Close"}).assign(CLOSE=1),
        "columns",
        ["time", "Close", "volume", "CLOSE"],
        "one column 'price' or 'close'",
    ),
    "two levels of columns": (
        pd.concat({"AAPL": _at(MINUTES)}, axis=1),
        "columns",
        [("AAPL", "time"), ("AAPL", "price"), ("AAPL", "volume")],
        "one level of names",
    ),
    "no price": (_at(MINUTES).drop(columns="price"), "columns", ["time", "volume"], "'price'"),
    "no volume": (_at(MINUTES).drop(columns="volume"), "columns", ["time", "price"], "'volume'"),
    "two prices": (
        pd.concat([_at(MINUTES), _at(MINUTES)[["price"]]], axis=1),
        "columns",
        ["time", "price", "volume", "price"],
        "one column 'price'",
    ),
    "no row": (_at(MINUTES)[:0], "rows", 0, "at least one row"),
    "times as text": (_at(MINUTES, time=MINUTES), "time in row 0", MINUTES[0], "to_datetime"),
    "times as numbers": (_at(MINUTES, time=[1, 2, 3]), "time in row 0", 1, "to_datetime"),
    "a time missing among dates": (
        _at(MINUTES, time=[date(2024, 1, 1), None, date(2024, 1, 3)]),
        "time in row 1",
        None,
        "a date or a time",
    ),
    "a year beyond Python's": (
        _at(MINUTES[:2], time=np.array(["2024-01-15", "20000-01-01"], "datetime64[s]")),
        "time in row 1",
        "20000-01-01T00:00:00",
        "a time from 0001-01-02 to before 9999-12-30",
    ),
    "a year beyond microseconds": (
        _at(MINUTES[:1], time=np.array([2**62], "datetime64[s]")),
        "time in row 0",
        "146138514283-06-19T07:45:04",
        "before 9999-12-30",
    ),
    "a period beyond all times": (
        _at(MINUTES[:1], time=pd.PeriodIndex([FAR], freq="M")),
        "time in row 0",
        FAR,
        "a date or a time",
    ),
    "a far year beside nanoseconds": (
        _at(MINUTES[:2], time=pd.Series([pd.Timestamp(1), date(9000, 1, 1)], dtype=object)),
        "time",
        "object",
        "datetime64",
    ),
    "a time is missing": (
        _at(MINUTES, time=pd.to_datetime([MINUTES[0], "NaT", MINUTES[2]])),
        "time in row 1",
        "NaT",
        "a time",
    ),
    "unsorted": (
        _at([MINUTES[0], MINUTES[2], MINUTES[1]]),
        "time in row 2",
        "2024-01-15 14:31:00",
        "a time after that of the row before, 2024-01-15 14:32:00",
    ),
    "one time twice": (
        _at([MINUTES[0], MINUTES[1], MINUTES[1]]),
        "time in row 2",
        "2024-01-15 14:31:00",
        "a time after that of the row before, 2024-01-15 14:31:00",
    ),
    "price NaN": (_at(MINUTES, price=[1, 2, np.nan]), "price in row 2", np.nan, PRICE),
    "price too high": (_at(MINUTES, price=[1, 2, 1e11]), "price in row 2", 1e11, PRICE),
    "price in no type of number": (_at(MINUTES[:1], price=[[1]]), "price in row 0", [1], PRICE),
    "price missing": (
        _at(MINUTES, price=pd.Series([1, None, 3], dtype="Int64")),
        "price in row 1",
        np.nan,
        PRICE,
    ),
    "price of thousands of digits": (
        _at(MINUTES[:1], price=pd.Series([10**5_000], dtype=object)),
        "price in row 0",
        10**5_000,
        PRICE,
    ),
    "price below a cent": (_at(MINUTES, price=[1, 2, 0.009]), "price in row 2", 0.009, PRICE),
    "price with a low line": (_at(MINUTES[:1], price=["1_5"]), "price in row 0", "1_5", PRICE),
    "price in other digits": (_at(MINUTES[:1], price=["١٥"]), "price in row 0", "١٥", PRICE),
    "price as a word": (_at(MINUTES, price=["1", "2", "x"]), "price in row 2", "x", PRICE),
    "volume negative": (_at(MINUTES, volume=[1, -1, 1]), "volume in row 1", -1, VOLUME),
    "volume fractional": (_at(MINUTES, volume=[1, 1.5, 1]), "volume in row 1", 1.5, VOLUME),
    "volume truth": (_at(MINUTES, volume=[True, True, True]), "volume in row 0", True, VOLUME),
}


@pytest.mark.parametrize("wrong", REFUSED)
def test_bad_input_is_refused_by_field_row_and_value(wrong: str) -> None:
    frame, field, value, expected = REFUSED[wrong]
    with pytest.raises(InvalidInput) as caught:
        ReplayPath(frame)

    assert caught.value.field == field
    assert shown(caught.value.value) == shown(value)
    assert expected in caught.value.expected
    assert str(caught.value).startswith(f"{field}: {shown(value)} is not valid; expected ")
