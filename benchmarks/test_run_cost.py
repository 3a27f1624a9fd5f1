"""What a run costs, as ratios to work of known size that is timed in the same run."""

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import streamlet_lab as sl

from .timing import seconds, signatures_alone, sized

ROUNDS = sized(15, 1)


@pytest.mark.parametrize("traders", [20, 40])
def test_whole_run_against_its_signatures(benchmark: BenchmarkFixture, traders: int) -> None:
    experiment = sl.Experiment(epochs=sized(200, 20), nodes=4, market={"traders": traders})
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
    print(f"\n{100 * runs:,} epochs / {runs} runs of 100 epochs = {ratio:.2f} (bar 1.2)")
