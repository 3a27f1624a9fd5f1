"""How often the lab's intervals hold the truth: the tables of `docs/coverage.md`.

Each case draws many sets of runs of one law, makes the interval of each set at 95 %, and counts
those that hold the true value: that of the whole pool of runs. Beside each interval stands the one
that the lab had before. Three kinds of cases:

- paths alone: days of the default model, 60 to a run, and how many of them end outside a band of
  5 % around the price some days before, at the default volatility and at half of it; and a law of
  which the rare runs matter most;
- whole runs of the default experiment, without a fault and with one node crashed from the start;
- histories of 2,557 days, as long as the real one of AAPL.

A fourth table is of sweeps that stop where their interval is narrow enough, `sweep(…, until=…)`.

usage: python tools/measure_coverage.py [--sets N] [--runs N] [--histories N] [--old-facts N]
"""

import argparse
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import streamlet_lab as sl
from streamlet_lab.grid import looks
from streamlet_lab.intervals import Interval
from streamlet_lab.prices import GjrGarch
from streamlet_lab.prices.facts import FACTS, middle
from streamlet_lab.streams import generator
from streamlet_lab.studies import outside_by_age

Array = NDArray[np.float64]
Estimate = Callable[[NDArray[np.int64]], Interval]

SIZES = (4, 5, 10, 20, 40)
DAYS, BAND, AGES = 60, 0.05, (1, 2, 3)
POOL = 200_000  # runs of paths alone
HISTORY, YEAR, RESAMPLES, PATHS = 2_557, 252, 200, 40
WIDTHS, MOST_RUNS = (0.6, 0.4, 0.3, 0.2, 0.15), 1_000
COLUMNS = "   covered    below above     width"
HEAD = "{:<49}{:>2} |{:<34} |{:<34}"


class Tally:
    """How many intervals of a case missed the truth, below it and above, and how wide they were."""

    def __init__(self) -> None:
        self.below, self.above = 0, 0
        self.widths: list[float] = []

    def add(self, low: float, high: float, truth: float) -> None:
        """Count one interval."""
        self.below += high < truth
        self.above += low > truth
        self.widths.append(high - low)

    def __str__(self) -> str:
        count = len(self.widths)
        covered = 1 - (self.below + self.above) / count
        error = math.sqrt(max(covered * (1 - covered), 1 / count) / count)
        misses = f"{100 * self.below / count:5.1f} {100 * self.above / count:5.1f}"
        width = f"{np.median(self.widths):9.4g}"
        return f"{100 * covered:6.1f} ± {100 * error:3.1f} {misses} {width}"


class Pool(NamedTuple):
    """A case: many runs, and two intervals with what each of them is to hold."""

    name: str
    size: int
    old: tuple[float, Estimate]
    new: tuple[float, Estimate]


def draw_returns(paths: int, days: int, name: str) -> Array:
    """Return daily returns of the default model, one path a row: its law, drawn all at once."""
    model, rng = GjrGarch(), generator(0, f"coverage/{name}")
    nu = model.degrees_of_freedom
    variance = np.full(paths, model.long_run_variance)
    returns = np.empty((days, paths))
    for day in returns:
        day[:] = np.sqrt(variance * (nu - 2) / nu) * rng.standard_t(nu, paths)
        response = model.alpha + model.gamma * (day < 0)
        variance = model.omega + response * day**2 + model.beta * variance
    drawn: Array = returns.T / 100
    return drawn


def moves_outside(returns: Array, age: int) -> NDArray[np.int64]:
    """Return of each path how many prices are outside the band around those ``age`` days before."""
    logs = np.cumsum(np.insert(returns, 0, 0, axis=1), axis=1)
    outside: NDArray[np.int64] = (abs(np.expm1(logs[:, age:] - logs[:, :-age])) > BAND).sum(axis=1)
    return outside


def of_means(values: Sequence[float]) -> tuple[float, Estimate]:
    """Return the mean of all runs, and the lab's interval of it from chosen ones."""
    return float(np.mean(values)), lambda runs: sl.mean_interval([values[run] for run in runs])


def mean_pool(name: str, values: Sequence[float]) -> Pool:
    """Return a case of means: the interval is what it was."""
    return Pool(name, len(values), of_means(values), of_means(values))


def share_pool(name: str, shares: Sequence[sl.Share]) -> Pool:
    """Return a case of shares, with intervals however few the runs; before, the t of the rates."""

    def estimate(runs: NDArray[np.int64]) -> Interval:
        return sl.share_interval([shares[run] for run in runs], fewest=2)

    return Pool(name, len(shares), of_means(shares), (pooled(shares), estimate))


def difference_pool(name: str, first: Sequence[sl.Share], second: Sequence[sl.Share]) -> Pool:
    """Return a case of a paired difference; before, the t of the differences of rates."""

    def estimate(runs: NDArray[np.int64]) -> Interval:
        sides = ([side[run] for run in runs] for side in (first, second))
        return sl.share_difference(*sides, fewest=2)

    gains = [after - before for before, after in zip(first, second, strict=True)]
    return Pool(name, len(first), of_means(gains), (pooled(second) - pooled(first), estimate))


def pooled(shares: Iterable[sl.Share]) -> float:
    """Return all parts over all wholes."""
    shares = list(shares)
    return sum(share.part for share in shares) / sum(share.whole for share in shares)


def path_pools() -> Iterable[Pool]:
    """Yield the cases of paths alone."""
    returns = draw_returns(POOL, DAYS, "paths")
    for volatility in (1.0, 0.5):
        for age in AGES:
            parts = moves_outside(volatility * returns, age).tolist()
            shares = [sl.Share(part, DAYS + 1 - age) for part in parts]
            days = "day" if age == 1 else "days"
            yield share_pool(f"path alone, volatility {volatility:g}, {age} {days}", shares)
    for name, numbers in (
        ("mean of the largest move in a run", abs(returns).max(axis=1)),
        ("mean of the mean move in a run", abs(returns).mean(axis=1)),
    ):
        yield mean_pool(name, numbers.tolist())


def rare_pool() -> Pool:
    """Return a case that no interval can cover: one run in 20 has most events, the others few."""
    rng = generator(0, "coverage/rare")
    rates = np.where(rng.random(POOL) < 0.05, 0.3, 0.01)
    parts = rng.binomial(DAYS, rates).tolist()
    return share_pool("one run in 20 has most", [sl.Share(part, DAYS) for part in parts])


def run_numbers(result: sl.Result) -> dict[str, Any]:
    """Return what whole runs are measured by."""
    market, unpriced = result.market_numbers, result.epochs["claim"] != "price_consensus"
    return {
        "stopped": market["fair_stopped_rate"],
        "unfair": market["unfair_trade_rate"],
        "unpriced": sl.Share(int(unpriced.sum()), len(unpriced)),
        "displacement": result.summary["largest_displacement_bp"],
    }


def run_pools(runs: int) -> Iterable[Pool]:
    """Yield the cases of whole runs: one pool without a fault, and one with a crash, paired."""
    measured: dict[str, list[dict[str, Any]]] = {"none": [], "crash": []}
    for seed in range(runs):
        for name, numbers in measured.items():
            faults = {"node_3": name} if name != "none" else {}
            made = sl.Experiment(epochs=DAYS, seed=seed, signatures="none", faults=faults)
            numbers.append(run_numbers(made.run()))
    calm, crash = (
        {name: [run[name] for run in numbers] for name in numbers[0]}
        for numbers in measured.values()
    )
    yield share_pool("whole runs, fair orders stopped", calm["stopped"])
    yield share_pool("the same with a crash", crash["stopped"])
    yield difference_pool("crash less none, paired", calm["stopped"], crash["stopped"])
    yield share_pool("whole runs, unfair trades", calm["unfair"])
    yield share_pool("whole runs, epochs without a price", calm["unpriced"])
    yield mean_pool("mean of the largest displacement", calm["displacement"])


def print_pools(pools: Iterable[Pool], sets: int) -> None:
    """Print a line for each case and number of runs: the interval before, and the lab's."""
    print(HEAD.format("", "", " before: t of the rates", " now"))
    print(HEAD.format("", "n", COLUMNS, COLUMNS))
    for name, size, old, new in pools:
        rng = generator(0, f"coverage/{name}")
        for n in SIZES:
            tallies = (Tally(), Tally())
            for _ in range(sets):
                chosen = rng.integers(size, size=n)
                for tally, (truth, estimate) in zip(tallies, (old, new), strict=True):
                    found = estimate(chosen)
                    tally.add(found.low, found.high, truth)
            label = f"{name} ({new[0]:.4g})" if n == SIZES[0] else ""
            print(HEAD.format(label, n, *map(str, tallies)))


def stopped_pools() -> Iterable[Pool]:
    """Yield the cases of sweeps that stop by themselves: laws that are more and more skewed."""
    rng = generator(0, "coverage/stopped")
    yield mean_pool("a normal number", rng.standard_normal(POOL).tolist())
    yield mean_pool("an exponential number", rng.exponential(size=POOL).tolist())
    yield mean_pool("a lognormal number", rng.lognormal(size=POOL).tolist())
    for volatility in (1.0, 0.5):
        parts = moves_outside(volatility * draw_returns(POOL, DAYS, "paths"), 1).tolist()
        shares = [sl.Share(part, DAYS) for part in parts]
        yield share_pool(f"path alone, volatility {volatility:g}, 1 day", shares)


def print_stopped(pools: Iterable[Pool], sets: int) -> None:
    """Print a line for each case and half width: intervals that ended a sweep, and others."""
    print("Until half the width is at most so many standard deviations: the interval where it")
    print(f"stops, after {looks(MOST_RUNS)[0]} runs or more, and one of as many runs that nobody")
    print("looked at before; the last column has runs in place of a width\n")
    print(HEAD.format("", "", " as many runs, not looked at", " stopped where narrow enough"))
    print(HEAD.format("", "", COLUMNS, COLUMNS.replace("width", " runs")))
    for name, size, _, (truth, estimate) in pools:
        rng = generator(0, f"coverage/stopped/{name}")
        pilot = estimate(rng.integers(size, size=10_000))
        deviation = (pilot.high - pilot.low) / 2 / 1.96 * math.sqrt(10_000)
        for width in WIDTHS:
            plain, stopped = Tally(), Tally()
            for _ in range(sets):
                chosen = rng.integers(size, size=MOST_RUNS)
                for runs in looks(MOST_RUNS):
                    found = estimate(chosen[:runs])
                    if found.high - found.low <= 2 * width * deviation:
                        break
                stopped.add(found.low, found.high, truth)
                stopped.widths[-1] = runs
                unseen = estimate(rng.integers(size, size=runs))
                plain.add(unseen.low, unseen.high, truth)
            label = f"{name} ({truth:.4g})" if width == WIDTHS[0] else ""
            print(
                HEAD.format(f"{label:<43} {width:5.2f}", "", str(plain), str(stopped)), flush=True
            )


def resample(rng: np.random.Generator, length: int) -> NDArray[np.int64]:
    """Return the days of one resample of a moving-block bootstrap, in blocks of a year."""
    starts = rng.integers(length - YEAR + 1, size=math.ceil(length / YEAR))
    return (starts[:, None] + np.arange(YEAR)).ravel()[:length]


def percentiles(values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of a percentile interval."""
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)


def print_histories(histories: int, old_facts: int) -> None:
    """Print what is covered of a history: shares by age, and facts."""
    returns = draw_returns(histories, HISTORY, "histories")
    rng = generator(0, "coverage/bootstrap")
    print(HEAD.format("a history of ten years", "", " before: bootstrap of years", " now"))
    print(HEAD.format("", "", COLUMNS, COLUMNS))
    truths = {age: float(moves_outside(returns, age).mean() / (HISTORY + 1 - age)) for age in AGES}
    tallies = {age: (Tally(), Tally()) for age in AGES}
    for each in returns:
        path = np.exp(np.cumsum(np.insert(each, 0, 0)))
        ends = outside_by_age(path, AGES)[["low", "high"]].to_numpy()
        for age, (low, high) in zip(AGES, ends, strict=True):
            old, new = tallies[age]
            outside = abs(path[age:] / path[:-age] - 1) > BAND
            shares = [outside[resample(rng, len(outside))].mean() for _ in range(RESAMPLES)]
            old.add(*percentiles(shares), truths[age])
            new.add(float(low), float(high), truths[age])
    for age, (old, new) in tallies.items():
        print(HEAD.format(f"share outside, age {age} ({truths[age]:.4g})", "", str(old), str(new)))
    for name, fact in FACTS.items():
        values = np.array([fact(100 * each) for each in returns])
        truth, old, new = float(values.mean()), Tally(), Tally()
        for each in returns[:old_facts]:
            resampled = [fact(100 * each[resample(rng, HISTORY)]) for _ in range(RESAMPLES)]
            old.add(*percentiles(resampled), truth)
        for _ in range(20 * histories):
            one, *others = rng.choice(histories, size=PATHS + 1, replace=False)
            new.add(*middle(values[others]), float(values[one]))
        print(HEAD.format(f"{name} ({truth:.4g})", "", str(old), str(new)))


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    add = parser.add_argument
    add("--sets", type=int, default=2_000, metavar="N", help="sets of runs of each case")
    add("--runs", type=int, default=300, metavar="N", help="whole runs of each pool")
    add("--histories", type=int, default=400, metavar="N", help="histories of ten years")
    add("--old-facts", type=int, default=100, metavar="N", help="histories that are resampled")
    options = parser.parse_args()
    print("Of 100 intervals at 95 %: how many hold the truth, which stands in brackets (± standard")
    print("error), how many end below it, how many begin above it; and their median width\n")
    print_pools(itertools.chain(path_pools(), [rare_pool()]), options.sets)
    print()
    print_pools(run_pools(options.runs), options.sets)
    print()
    print_stopped(stopped_pools(), options.sets)
    print()
    print_histories(options.histories, options.old_facts)


if __name__ == "__main__":
    main()
