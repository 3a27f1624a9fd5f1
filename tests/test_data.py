"""The shipped data, the document that describes them and the script that makes them agree."""

import gzip
import hashlib
import itertools
import os
import re
import runpy
import statistics
import zipfile
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest

from streamlet_lab.prices.daily_history import (
    CHECKSUMS,
    SPLITS,
    SYMBOLS,
    adjust_for_splits,
    load_bars,
)

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data"
README = (DATA / "README.md").read_text(encoding="utf-8")
ARCHIVE = "STOCKS_ARCHIVE"


@pytest.fixture(scope="module")
def make_data() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(ROOT / "tools" / "make_data.py")))


def test_the_checksums_cover_exactly_the_shipped_files() -> None:
    lines = [line.split("  ") for line in (DATA / CHECKSUMS).read_text().splitlines()]
    listed = {name: digest for digest, name in lines}

    assert listed == {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in DATA.glob("*.csv")
    }
    assert set(listed) == {f"{symbol.lower()}.csv" for symbol in SYMBOLS}


def test_the_readme_states_the_measured_facts() -> None:
    measured = []
    for symbol in SYMBOLS:
        bars = load_bars(symbol)
        closes = [bar.close for bar in bars]
        days = f"{len(bars)} | {bars[0].date} | {bars[-1].date}"
        ends = f"{min(closes):.2f} | {max(closes):.2f}"
        measured.append(f"| `{symbol.lower()}.csv` | {days} | {ends} |")

    assert re.findall(r"\| `\w+\.csv`.*", README) == measured


def test_the_readme_counts_what_the_rules_run_into() -> None:
    outside, moves, off_cent = {}, {}, {}
    for symbol in SYMBOLS:
        bars = load_bars(symbol)
        closes = [bar.close for bar in bars]
        outside[symbol] = sum(not 50 <= close <= 500 for close in closes)
        moves[symbol] = sum(
            abs(close - previous) * 10 > previous for previous, close in itertools.pairwise(closes)
        )
        off_cent[symbol] = sum(
            any(price % Decimal("0.01") for price in (bar.open, bar.high, bar.low, bar.close))
            for bar in bars
        )
    text = " ".join(README.split())

    for sentence, counts in {
        "{AAPL} rows of AAPL, {MSFT} of MSFT, {IBM} of IBM and {GOOG} of GOOG": off_cent,
        "{AAPL} days for AAPL, {MSFT} for MSFT, {IBM} for IBM and {GOOG} for GOOG": outside,
        "in a day {AAPL}, {MSFT}, {IBM} and {GOOG} times": moves,
    }.items():
        assert sentence.format(**counts) in text


def test_the_readme_measures_the_volumes_that_look_halved() -> None:
    text = " ".join(README.split())
    off_hundred = []
    for symbol in SYMBOLS:
        bars = load_bars(symbol)
        volumes = [bar.volume for bar in adjust_for_splits(symbol, bars)]
        off_hundred += [(symbol, bar.date) for bar in bars if bar.volume % 100]
        for split in SPLITS[symbol]:
            day = [bar.date for bar in bars].index(split.date)
            near = volumes[day - 10 : day] + volumes[day + 1 : day + 11]
            times = f"{volumes[day] / statistics.median(near):.2f} times"
            assert re.search(rf"{split.date} \({bars[day].volume}(\)[^;.]*|, ){times}", text)
            assert (volumes[day] < min(near)) == (split.date.year != 2000)

    assert off_hundred == [("MSFT", SPLITS["MSFT"][0].date)]
    assert f"of all {sum(len(load_bars(symbol)) for symbol in SYMBOLS)} volumes" in text


def test_the_script_refuses_another_source(make_data: SimpleNamespace, tmp_path: Path) -> None:
    archive = tmp_path / "other.whl"
    with zipfile.ZipFile(archive, "w") as wheel:
        wheel.writestr(make_data.MEMBER, gzip.compress(b"Ticker,Date\n"))

    with pytest.raises(SystemExit, match=f"expected {make_data.MEMBER_SHA256}"):
        make_data.read_source(archive)


def test_the_script_splits_by_symbol_and_changes_no_digit(make_data: SimpleNamespace) -> None:
    source = (
        "Ticker,Date,Open,High,Low,Close,Volume,Adj Close\n"
        "AAPL,2000-03-01,118.50,132.06,118.5,130.31,9616100,4.186662803811\n"
        "FB,2012-05-18,42.05,45.0,38.0,38.2318,573576400,38.2318\n"
        "IBM,2000-03-01,102.0,105.5,100.06,100.25,10807800,73.29\n"
    )
    header = b"date,open,high,low,close,volume,adj_close\n"

    assert make_data.split_by_symbol(source) == {
        "aapl.csv": header + b"2000-03-01,118.50,132.06,118.5,130.31,9616100,4.186662803811\n",
        "msft.csv": header,
        "ibm.csv": header + b"2000-03-01,102.0,105.5,100.06,100.25,10807800,73.29\n",
        "goog.csv": header,
    }


@pytest.mark.skipif(
    ARCHIVE not in os.environ,
    reason=f"{ARCHIVE} does not name the wheel of the source (tools/make_data.py says which)",
)
def test_the_script_reproduces_the_shipped_files(make_data: SimpleNamespace) -> None:
    made = make_data.make(Path(os.environ[ARCHIVE]))

    assert made == {name: (DATA / name).read_bytes() for name in made}
