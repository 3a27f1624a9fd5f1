"""What a run costs, as ratios to work of known size that is timed in the same run."""

import statistics

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import streamlet_lab as sl

from .timing import calls, seconds, signatures_alone, sized

ROUNDS = sized(15, 1)


def whole_run(experiment: sl.Experiment) -> sl.Result:
    """Run an experiment, and read what most people look at."""
    result = experiment.run()
    for name in ("epochs", "orders", "trades"):
        getattr(result, name)
    return result


@pytest.mark.parametrize("traders", [20, 40])
def test_whole_run_against_its_signatures(benchmark: BenchmarkFixture, traders: int) -> None:
    experiment = sl.Experiment(epochs=sized(200, 20), nodes=4, market={"traders": traders})
    result = whole_run(experiment)
    whole, pure = [], []
    for _ in range(ROUNDS):
        whole.append(seconds(lambda: whole_run(experiment)))
        pure.append(seconds(lambda: signatures_alone(result.signatures, result.verifications)))
    ratio = statistics.median(whole) / statistics.median(pure)
    benchmark.extra_info["ratio"] = ratio
    benchmark.pedantic(whole_run, args=(experiment,), rounds=1)
    print(
        f"\n200 epochs, 4 nodes, {traders} traders: {result.signatures} "
        f"signatures, {result.verifications} verifications; "
        f"run and frames / signatures alone = {ratio:.2f} (bar 1.8)"
    )


def test_calls_in_an_epoch(benchmark: BenchmarkFixture) -> None:
    experiment = sl.Experiment(epochs=100, signatures="none")
    whole_run(experiment)  # what is made once in a process
    count = calls(lambda: whole_run(experiment)) / 100
    benchmark.extra_info["calls"] = count
    benchmark.pedantic(whole_run, args=(experiment,), rounds=1)
    print(f"\n100 epochs without signatures: {count:,.0f} calls in an epoch (bar 1,200)")


def test_cost_per_epoch_is_constant(benchmark: BenchmarkFixture) -> None:
    runs = sized(100, 2)
    short, long = sl.Experiment(epochs=100), sl.Experiment(epochs=100 * runs)
    short.run()

    def short_runs() -> None:
        for _ in range(runs):
            short.run()

    before, whole, after = map(seconds, (short_runs, long.run, short_runs))
    ratio = whole / ((before + after) / 2)
    benchmark.extra_info["ratio"] = ratio
    benchmark.pedantic(short.run, rounds=1)
    print(f"\n{100 * runs:,} epochs / {runs} runs of 100 epochs = {ratio:.2f} (bar 1.1)")
