"""What a command costs among a thousand and among a million resting orders."""

import gc
import random
import statistics

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from streamlet_lab.matching import EngineSettings, Instrument
from streamlet_lab.matching.core import MatchingCore
from streamlet_lab.matching.orders import GTC, Fields

from .timing import seconds, sized

SIZES = sized([1_000, 10_000, 100_000, 1_000_000], [1_000, 2_000])
ROUNDS, COMMANDS = sized((7, 20_000), (1, 2_000))
MIDDLE = 150_000


def limit(order_id: str, side: int, ticks: int, quantity: int, trader: str) -> Fields:
    """Return a limit order that waits until it is cancelled."""
    return order_id, side, ticks, quantity, trader, GTC, False, None


def filled(size: int, levels: int) -> MatchingCore:
    """Return a core with so many resting orders at so many prices a side."""
    core = MatchingCore(EngineSettings(Instrument("X"), without_reference="allow"))
    draw = random.Random(size)
    for number in range(size):
        side = 1 if number % 2 else -1
        ticks = MIDDLE - side * draw.randint(1, levels)
        core.enter(limit(f"r{number}", side, ticks, draw.randint(1, 100), "maker"), number)
    return core


def work(core: MatchingCore, size: int, levels: int, turn: int) -> float:
    """Return the seconds of one add, one cancel and one crossing order, many times over."""
    draw, now = random.Random(turn), core.now
    commands: list[tuple[Fields, Fields, Fields]] = []
    for number in range(COMMANDS // 4):
        name, side = f"w{turn}.{number}", 1 if number % 2 else -1
        passive = MIDDLE - side * draw.randint(1, levels)
        stays = limit(f"{name}a", side, passive, 50, "maker")
        best = limit(f"{name}b", -side, MIDDLE, 10, "maker")
        crosses = limit(f"{name}c", side, MIDDLE, 10, "taker")
        commands.append((stays, best, crosses))

    def run() -> None:
        for offset, (stays, best, crosses) in enumerate(commands):
            core.enter(stays, now + offset)
            core.enter(best, now + offset)
            core.enter(crosses, now + offset)
            core.cancel(stays[0], now + offset)

    gc.collect()
    gc.freeze()
    taken = seconds(run)
    gc.unfreeze()
    assert len(core.book.orders) == size
    return taken


@pytest.mark.parametrize("prices", ["same", "growing"])
def test_cost_per_command_does_not_grow_with_the_book(
    benchmark: BenchmarkFixture, prices: str
) -> None:
    levels = {size: 20 if prices == "same" else size // 50 for size in SIZES}
    cores = {size: filled(size, levels[size]) for size in SIZES}
    taken: dict[int, list[float]] = {size: [] for size in SIZES}
    for turn in range(ROUNDS):
        for size, core in cores.items():
            taken[size].append(work(core, size, levels[size], turn))
    costs = {size: statistics.median(times) / COMMANDS * 1e6 for size, times in taken.items()}
    ratio = costs[SIZES[-1]] / costs[SIZES[0]]
    benchmark.extra_info["ratio"] = ratio
    benchmark.pedantic(lambda: work(cores[SIZES[0]], SIZES[0], levels[SIZES[0]], ROUNDS), rounds=1)
    table = ", ".join(
        f"{size:,} orders at {2 * levels[size]:,} prices {cost:.2f} µs"
        for size, cost in costs.items()
    )
    print(f"\n{table}; largest / smallest = {ratio:.2f}")
