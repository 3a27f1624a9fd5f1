"""What a table of quotes costs, as ratios to work of known size that is timed in the same run."""

import tracemalloc

import numpy as np
from pytest_benchmark.fixture import BenchmarkFixture

from streamlet_lab.prices.feeds import QuoteFeed
from streamlet_lab.prices.paths import TRADING_DAY, SimulatedPath
from streamlet_lab.prices.vectorised import TRADING_YEAR, quote_table
from streamlet_lab.streams import stream

from .timing import seconds

ROUNDS = 5
SECOND = 1_000_000
DAY = TRADING_DAY // SECOND


def test_a_year_of_seconds_against_its_random_numbers(benchmark: BenchmarkFixture) -> None:
    """Seven normal variates a row: one of the path, and a noise and a volume of each source."""
    whole, pure, by_step = [], [], []
    for _ in range(ROUNDS):
        whole.append(seconds(quote_table))
        pure.append(seconds(draw_a_year))
        by_step.append(seconds(walk_a_day) / DAY)
    # The quietest moments of each: a disturbed measurement of one must not flatter the other.
    took = min(whole)
    ratio, speed = took / min(pure), min(by_step) / (took / TRADING_YEAR)
    benchmark.extra_info["ratio"] = ratio
    benchmark.extra_info["speed"] = speed
    benchmark.pedantic(quote_table, rounds=1)
    print(
        f"\na year of seconds from three sources, {TRADING_YEAR} rows: table / its normal variates "
        f"alone = {ratio:.1f}; a row step by step / a row of the table = {speed:.0f}; "
        f"the table in {took:.1f} s, at worst {max(whole):.1f} s (bar 10 s)"
    )


def test_memory_of_a_year_of_seconds(benchmark: BenchmarkFixture) -> None:
    tracemalloc.start()
    table = benchmark.pedantic(quote_table, rounds=1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    size = int(table.memory_usage(index=False).sum())
    benchmark.extra_info["ratio"] = peak / size
    print(
        f"\na year of seconds from three sources: peak / table = {peak / size:.2f}; "
        f"{peak / 2**20:.0f} MiB at most"
    )


def draw_a_year() -> None:
    draws = np.random.default_rng(0)
    for _ in range(7):
        draws.standard_normal(TRADING_YEAR)


def walk_a_day() -> None:
    feed = QuoteFeed(SimulatedPath(stream(0, "bench"), SECOND), SECOND, 0)
    for epoch in range(DAY):
        feed.quotes(epoch)
