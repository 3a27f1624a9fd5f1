"""Thousands of runs in lockstep, against the full engine, both in one process."""

import math
from statistics import median

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import streamlet_lab as sl
from streamlet_lab.batched import MEASURES, measure_runs

from .timing import peak_mib, seconds, sized

pytest.importorskip("resource")  # there is none on Windows

_PROGRAM = """
import sys
import streamlet_lab as sl
from streamlet_lab.batched import MEASURES, measure_runs

runs, epochs = map(int, sys.argv[1:])
config = sl.Experiment(epochs=epochs, signatures="none").config
measure_runs(config, range(runs), [*MEASURES])
"""

EPOCHS = sized(100, 5)
#: Of both engines; of the full one no frame is read, so that it is what a run costs at least.
ROUNDS = sized(9, 1)


def per_epoch(nodes: int, runs: int, epochs: int) -> tuple[float, float]:
    """Return the seconds of an epoch: batched, and of the full engine without signatures."""
    experiment = sl.Experiment(epochs=epochs, nodes=nodes, signatures="none")
    measure_runs(experiment.config, range(2), [*MEASURES])
    experiment.run()
    full, batched = [], []
    for _ in range(ROUNDS):
        full.append(seconds(experiment.run))
        work = lambda: measure_runs(experiment.config, range(runs), [*MEASURES])  # noqa: E731
        batched.append(seconds(work) / runs)
    return median(batched) / epochs, median(full) / epochs


def test_a_million_epochs(benchmark: BenchmarkFixture) -> None:
    """Prices, references and order checks in, all measures taken, at four nodes."""
    runs = sized(10_000, 20)
    config = sl.Experiment(epochs=EPOCHS, signatures="none").config
    _, full = per_epoch(4, 20, EPOCHS)
    took = seconds(lambda: benchmark.pedantic(measure_runs, (config, range(runs), [*MEASURES])))
    peak = peak_mib(_PROGRAM, runs, EPOCHS)
    ratio = took / (runs * EPOCHS) / full
    benchmark.extra_info |= {"ratio": ratio, "peak_mib": peak}
    print(
        f"\n{runs:,} runs of {EPOCHS} epochs in {took:.1f} s, {took / runs / EPOCHS * 1e6:.1f} µs "
        f"an epoch; batched / full engine = 1/{1 / ratio:.0f} (bar 1/100); peak memory "
        f"{peak:.0f} MiB (bar 1,024)"
    )


def test_by_number_of_nodes(benchmark: BenchmarkFixture) -> None:
    """Exponents of n, fitted by least squares of logarithms."""
    sizes = {4: sized((300, 100), (2, 5)), 16: sized((60, 40), (1, 2)), 64: sized((4, 10), (1, 1))}
    costs = {nodes: per_epoch(nodes, *size) for nodes, size in sizes.items()}
    most = sl.Experiment(epochs=sized(10, 1), nodes=64).config
    benchmark.pedantic(measure_runs, (most, [0], ["messages"]))
    exponents = [_slope({n: cost[which] for n, cost in costs.items()}) for which in (0, 1)]
    benchmark.extra_info |= {"exponents": exponents}
    print()
    for nodes, (batched, full) in costs.items():
        print(
            f"n = {nodes:2}: {batched * 1e6:10,.1f} µs an epoch, full {full * 1e6:10,.0f} µs, "
            f"1/{full / batched:.0f}"
        )
    print("exponents: batched n^{:.1f}, full n^{:.1f}".format(*exponents))


def _slope(costs: dict[int, float]) -> float:
    xs, ys = ([math.log(each) for each in part] for part in (costs.keys(), costs.values()))
    middle = sum(xs) / len(xs), sum(ys) / len(ys)
    over = sum((x - middle[0]) * (y - middle[1]) for x, y in zip(xs, ys, strict=True))
    return over / sum((x - middle[0]) ** 2 for x in xs)


@pytest.mark.parametrize("points", [sized(50, 2)])
def test_a_heat_map(benchmark: BenchmarkFixture, points: int) -> None:
    """A grid of fifty points, two hundred runs each, as a sweep with its intervals."""
    delays = [f"{20 + 10 * step}ms" for step in range(points // 2)]
    over = {"network.median_delay": delays, "faults": {"none": {}, "crash": {"node_3": "crash"}}}
    repeats = sized(200, 2)

    def sweep() -> None:
        base = {"epochs": EPOCHS, "signatures": "none"}
        names = ("median_latency_s", "fair_refused_share")
        sl.sweep(base, over, repeats=repeats, measure=names, engine="batched").means()

    took = seconds(lambda: benchmark.pedantic(sweep))
    print(f"\n{points} points × {repeats} runs of {EPOCHS} epochs, with intervals: {took:.1f} s")
