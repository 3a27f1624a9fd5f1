"""One experiment gives one result, byte for byte: in every process, at every time, in any order.

The golden values below say what the lab computes. When the model changes on purpose, renew them
with ``python tests/test_determinism.py``: paste what it prints, then ``ruff format``.
"""

import decimal
import hashlib
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from streamlet_lab import Experiment
from streamlet_lab.prices import SIMULATED, TRADING_DAY, make_path

EXPERIMENT = {
    "epochs": 8,
    "nodes": 4,
    "seed": 1,
    "faults": {"node_3": "crash@4"},
    "market": {"traders": 100},
}

# --- Golden values: renew with `python tests/test_determinism.py`
GOLDEN_RESULT_SHA256 = "df257aa66fd237ec7b53625e01b53eed13c56253c342bd12238dffeea5c8328b"
GOLDEN_DAILY_PRICES_MICROS = [
    150000000,
    151459982,
    150776929,
    150786507,
    152236398,
    150042112,
    152004314,
    150927498,
]
GOLDEN_MINUTE_PRICES_MICROS = [
    150000000,
    147805926,
    147830949,
    147874984,
    147824795,
    147915118,
    147920564,
    147911411,
]
GOLDEN_QUOTES = [
    ("market_data_1", "150.93", "1074"),
    ("market_data_2", "150.91", "1702"),
    ("external_feed", "150.94", "444"),
]
# --- end of golden values


def _bytes(directory, **settings):
    path = directory / "result.zip"
    Experiment(**settings).run().save(path)
    return path.read_bytes()


def _digest(directory):
    return hashlib.sha256(_bytes(directory, **EXPERIMENT)).hexdigest()


def _prices(market_time_per_epoch):
    path = make_path(SIMULATED, 1, market_time_per_epoch)
    return [path.price(epoch * market_time_per_epoch) for epoch in range(8)]


def _quotes():
    quotes = Experiment(**EXPERIMENT).run().quotes
    return [
        (str(row.source), str(row.price), str(row.volume))
        for row in quotes[quotes.epoch == 7].itertuples()
    ]


def test_a_saved_result_is_these_bytes(tmp_path):
    assert _digest(tmp_path) == GOLDEN_RESULT_SHA256


def test_daily_prices_are_these():
    assert _prices(TRADING_DAY) == GOLDEN_DAILY_PRICES_MICROS


def test_prices_by_the_minute_are_these():
    assert _prices(60_000_000) == GOLDEN_MINUTE_PRICES_MICROS


def test_quotes_are_these():
    assert _quotes() == GOLDEN_QUOTES


def test_processes_agree_whatever_their_environment(tmp_path):
    """Hash seeds, time zones and locales differ; so do the places where they run."""
    environments = [
        {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C", "PYTHONUTF8": "0"},
        {"PYTHONHASHSEED": "4242", "TZ": "Asia/Kathmandu", "LC_ALL": "tr_TR.UTF-8"},
    ]
    program = f"import streamlet_lab as sl; sl.Experiment(**{EXPERIMENT!r}).run().save('r.zip')"
    contents = [_bytes(tmp_path, **EXPERIMENT)]
    for index, environment in enumerate(environments):
        directory = tmp_path / str(index)
        directory.mkdir()
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=directory,
            env={**os.environ, **environment},
            check=True,
            timeout=120,
        )
        contents.append((directory / "r.zip").read_bytes())

    assert len(set(contents)) == 1


def test_the_order_of_experiments_does_not_matter(tmp_path):
    other = {"epochs": 6, "feed": "aapl-2012", "seed": 1, "nodes": 7}
    one_first = [_bytes(tmp_path, **EXPERIMENT), _bytes(tmp_path, **other)]
    other_first = [_bytes(tmp_path, **other), _bytes(tmp_path, **EXPERIMENT)]

    assert one_first == other_first[::-1]


def test_experiments_may_run_inside_each_other(tmp_path):
    inner = []

    def report(epoch, epochs):
        if epoch == 3:
            inner.append(_bytes(tmp_path, **EXPERIMENT))

    Experiment(**EXPERIMENT).run(progress=report).save(tmp_path / "outer.zip")

    assert inner == [(tmp_path / "outer.zip").read_bytes()]


def test_global_random_streams_are_neither_read_nor_moved(tmp_path):
    contents = []
    generator = np.random
    for seed in (1, 2):
        random.seed(seed)
        np.random.seed(seed)
        before = random.getstate(), generator.get_state()[2]
        contents.append(_bytes(tmp_path, **EXPERIMENT))
        assert (random.getstate(), generator.get_state()[2]) == before

    assert contents[0] == contents[1]


@pytest.mark.parametrize("feed", ["simulated", "aapl-2000"])
@pytest.mark.parametrize(
    "context",
    [
        decimal.Context(prec=4),
        decimal.Context(prec=50, rounding=decimal.ROUND_UP),
        decimal.Context(traps=[decimal.Inexact, decimal.FloatOperation]),
    ],
    ids=["few digits", "rounding up", "trapping"],
)
def test_the_callers_decimal_context_changes_nothing(tmp_path, feed, context):
    settings = {**EXPERIMENT, "feed": feed, "epochs": 90}
    expected = _bytes(tmp_path, **settings)
    with decimal.localcontext(context):
        assert _bytes(tmp_path, **settings) == expected


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        print(f'GOLDEN_RESULT_SHA256: Final = "{_digest(Path(name))}"')
    print(f"GOLDEN_DAILY_PRICES_MICROS: Final = {_prices(TRADING_DAY)}")
    print(f"GOLDEN_MINUTE_PRICES_MICROS: Final = {_prices(60_000_000)}")
    print(f"GOLDEN_QUOTES: Final = {_quotes()}")
