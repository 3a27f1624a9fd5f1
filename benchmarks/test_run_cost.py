"""What a run costs, as ratios to work of known size that is timed in the same run."""

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import streamlet_lab as sl

from .timing import seconds, signatures_alone

ROUNDS = 15


@pytest.mark.parametrize("traders", [20, 40])
def test_whole_run_against_its_signatures(benchmark: BenchmarkFixture, traders: int) -> None:
    experiment = sl.Experiment(epochs=200, nodes=4, market={"traders": traders})
    result = experiment.run()
    whole, pure = [], []
    for _ in range(ROUNDS):
        whole.append(seconds(experiment.run))
        pure.append(seconds(lambda: signatures_alone(result.signatures, result.verifications)))
    # The quietest moments of each: a disturbed measurement of one must not flatter the other.
    ratio = min(whole) / min(pure)
    benchmark.extra_info["ratio"] = ratio
    benchmark.pedantic(experiment.run, rounds=1)
    print(
        f"\n200 epochs, 4 nodes, {traders} traders: {result.signatures} "
        f"signatures, {result.verifications} verifications; "
        f"run / signatures alone = {ratio:.2f} (bar 1.5)"
    )


def test_cost_per_epoch_is_constant(benchmark: BenchmarkFixture) -> None:
    short, long = sl.Experiment(epochs=100), sl.Experiment(epochs=10_000)
    short.run()

    def hundred_short_runs() -> None:
        for _ in range(100):
            short.run()

    before, whole, after = map(seconds, (hundred_short_runs, long.run, hundred_short_runs))
    ratio = whole / ((before + after) / 2)
    benchmark.extra_info["ratio"] = ratio
    benchmark.pedantic(short.run, rounds=1)
    print(f"\n10,000 epochs / 100 runs of 100 epochs = {ratio:.2f} (bar 1.2)")
