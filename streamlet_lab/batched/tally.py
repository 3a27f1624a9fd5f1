"""What is measured in a batch of runs, under the names and by the definitions of full results."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Final

import numpy as np

from streamlet_lab.batched.draws import draw
from streamlet_lab.batched.lockstep import NEVER_IN_RUN, Array, Inputs, Played, duties_of, play
from streamlet_lab.batched.scope import expected_orders, explain
from streamlet_lab.batched.walks import points_of
from streamlet_lab.config import ExperimentConfig
from streamlet_lab.errors import InvalidInput
from streamlet_lab.intervals import Share
from streamlet_lab.units import to_name

#: What is measured in a run, by name; None is a number that this run does not have.
Numbers = dict[str, float | None]

# Of a batch at most: epochs of all runs, points of paths, and orders. So a batch takes a hundred
# megabytes.
_EPOCHS: Final = 2**15
_POINTS: Final = 2**19
_ORDERS: Final = 2**19

_MICROS: Final = 1e6
_PRICE: Final = 10_000  # micro-dollars in a cent
_RUN: Final = 47  # bits of a time


def measure_runs(
    config: ExperimentConfig, seeds: Sequence[int], measures: Sequence[str]
) -> list[Numbers]:
    """Return what is measured in the run of each seed, instead of that of the configuration.

    Raises
    ------
    InvalidInput
        If the engine cannot play it, or does not know one of the measures.

    Examples
    --------
    >>> config = ExperimentConfig(epochs=12, faults={"node_3": "silent_leader"})
    >>> measure_runs(config, seeds=[1, 2], measures=["proposed_blocks", "finalized_blocks"])
    [{'proposed_blocks': 9.0, 'finalized_blocks': 8.0}, \
{'proposed_blocks': 9.0, 'finalized_blocks': 8.0}]
    """
    return [numbers for batch in measure_batches(config, seeds, measures) for numbers in batch]


def measure_batches(
    config: ExperimentConfig, seeds: Sequence[int], measures: Sequence[str]
) -> Iterator[list[Numbers]]:
    """Yield the same batch by batch, each as soon as it is played."""
    for name in measures:
        to_name(name, MEASURES, "measure")
    for facts in play_batches(config, seeds):
        yield _numbers_of(facts, measures)


def play_batches(
    config: ExperimentConfig, seeds: Sequence[int], most: int = _EPOCHS
) -> "Iterator[Facts]":
    """Yield what is known of the runs of some seeds, batch by batch of so many runs at most.

    Raises
    ------
    InvalidInput
        If the engine cannot play them.
    """
    if why := explain(config):
        raise InvalidInput("engine", "batched", f"'full' or 'auto' for {why}")
    expected = max(1, int(expected_orders(config)))
    room = min(_EPOCHS // config.epochs, _POINTS // points_of(config), _ORDERS // expected)
    runs = max(1, min(room, most))
    for first in range(0, len(seeds), runs):
        inputs = draw(config, seeds[first : first + runs])
        yield Facts(config, inputs, play(config, inputs))


def tally(
    config: ExperimentConfig, inputs: Inputs, outcome: Played, measures: Sequence[str]
) -> list[Numbers]:
    """Return what is measured in runs that were played, one after the other."""
    return _numbers_of(Facts(config, inputs, outcome), measures)


def _numbers_of(facts: "Facts", measures: Sequence[str]) -> list[Numbers]:
    columns = [MEASURES[name](facts) for name in measures]
    return [dict(zip(measures, row, strict=True)) for row in zip(*columns, strict=True)]


class Facts:
    """What the measures are made of: runs × epochs, and what is known of each order."""

    def __init__(self, config: ExperimentConfig, inputs: Inputs, outcome: Played) -> None:
        self.config, self.inputs, self.outcome = config, inputs, outcome
        self.runs, self.epochs = outcome.proposed.shape
        self.final_at = outcome.final_at[-1]  # at the observer
        self.is_final = self.final_at < NEVER_IN_RUN
        self.is_priced = self.is_final & (outcome.cents > 0)
        self.orders = inputs.orders

    @cached_property
    def latency(self) -> Array:
        """Seconds until each block was final; NaN of those that are not."""
        starts = np.arange(self.epochs) * self.config.epoch_length
        return np.where(self.is_final, (self.final_at - starts) / _MICROS, np.nan)

    @cached_property
    def latency_epochs(self) -> Array:
        # At the instant at which an epoch ends it is that one still.
        epochs = (self.final_at - 1) // self.config.epoch_length - np.arange(self.epochs)
        return np.where(self.is_final, epochs, np.nan)

    @cached_property
    def error(self) -> Array:
        """By how much each final price is off the true one of its epoch, basis points; else NaN."""
        cents, true = self.outcome.cents, self.inputs.quotes.true_price
        off = 1e4 * ((cents / 100) / (true / _MICROS) - 1)
        return np.where(self.is_priced, off, np.nan)

    @cached_property
    def displacement(self) -> Array:
        """How far the worst final price is from the true one of its epoch, basis points."""
        farthest = np.where(self.is_priced, np.abs(self.error), -1).max(axis=1)
        return np.where(farthest < 0, np.nan, farthest)

    @cached_property
    def messages(self) -> Array:
        """Copies that were sent and passed on."""
        sent = self.outcome.proposed + self.outcome.voted.sum(axis=0)
        online = duties_of(self.config).online.sum(axis=0)
        speakers = online if self.config.echo else np.ones_like(online)
        return np.asarray((sent * speakers).sum(axis=1) * (self.config.nodes - 1))

    @cached_property
    def is_limit(self) -> Array:
        return np.asarray(self.orders.cents > 0)

    @cached_property
    def is_fair(self) -> Array:
        """Which limit orders have a price that is near the true one."""
        true, hundredths = self.orders.true_price, self.config.market.fair_hundredths
        off = np.abs(self.orders.cents * _PRICE - true)
        return np.asarray(self.is_limit & (off * 10_000 <= hundredths * true))

    @cached_property
    def is_early(self) -> Array:
        """Which orders were refused for want of a reference."""
        refuses = self.config.market.without_reference == "reject"
        return np.asarray(refuses & (self.outcome.ordered_at < 0))

    @cached_property
    def is_refused(self) -> Array:
        return self.is_early | self.outcome.outside

    def count(self, orders: Array) -> Array:
        """Count some of the orders of each run."""
        return np.bincount(self.orders.run[orders], minlength=self.runs)

    def ages(self) -> tuple[Array, Array]:
        """Return the ages in seconds, run by run and sorted, and how many each run has."""
        known = self.outcome.ordered_at >= 0
        keys = np.sort((self.orders.run[known] << _RUN) + self.outcome.age[known])
        return (keys & (2**_RUN - 1)) / _MICROS, self.count(known)


def _middle(ranked: Array, first: Array, counts: Array) -> Array:
    """Return the median of each row of sorted values, which begin at some places; NaN of none."""
    places = first + np.maximum(counts - 1, 0) // 2, first + counts // 2
    low, high = (np.append(ranked, 0)[np.minimum(place, ranked.size)] for place in places)
    return np.where(counts > 0, (low + high) / 2, np.nan)


def _median_latency(facts: Facts) -> Array:
    ranked = np.sort(facts.latency, axis=1)  # NaN comes last
    first = np.arange(facts.runs) * facts.epochs
    return _middle(ranked.ravel(), first, facts.is_final.sum(axis=1))


def _mean(values: Array) -> Array:
    known = ~np.isnan(values)
    counts = known.sum(axis=1)
    return np.asarray(np.where(known, values, 0).sum(axis=1) / np.where(counts, counts, np.nan))


def _median_age(facts: Facts) -> Array:
    ages, counts = facts.ages()
    return _middle(ages, np.cumsum(counts) - counts, counts)


def _mean_age(facts: Facts) -> Array:
    known = facts.outcome.ordered_at >= 0
    ages = np.bincount(facts.orders.run[known], facts.outcome.age[known] / _MICROS, facts.runs)
    counts = facts.count(known)
    return np.asarray(ages / np.where(counts, counts, np.nan))


# What it measures: each of a batch, a value for each run.
_Measure = Callable[[Facts], Sequence[float | None]]


def _numbers(number: Callable[[Facts], Array], digits: int | None = 3) -> _Measure:
    """Return a measure that a run may lack, rounded as the summary rounds it."""

    def measure(facts: Facts) -> list[float | None]:
        values = number(facts).astype(float).tolist()
        rounded = values if digits is None else [round(value, digits) for value in values]
        return [None if value != value else value for value in rounded]

    return measure


def _orders(which: Callable[[Facts], Array]) -> _Measure:
    """Return how many orders of each run are such."""
    return _numbers(lambda facts: facts.count(which(facts)))


def _share(which: Callable[[Facts], Array], among: Callable[[Facts], Array]) -> _Measure:
    """Return the share of such orders among some of each run."""

    def measure(facts: Facts) -> list[float | None]:
        whole = among(facts)
        counts = (facts.count(orders).tolist() for orders in (which(facts) & whole, whole))
        return [Share.of(*pair) for pair in zip(*counts, strict=True)]

    return measure


def _same(number: Callable[[ExperimentConfig], int | None]) -> _Measure:
    """Return a number of the configuration, which all runs have in common."""
    return _numbers(lambda facts: np.full(facts.runs, number(facts.config), float))


#: What the batched engine measures.
MEASURES: Final[dict[str, _Measure]] = {
    "faulty_nodes": _same(lambda config: len(config.faulty_nodes)),
    "sources": _same(lambda config: len(config.prices.sources)),
    "faulty_sources": _same(lambda config: len(config.faulty_sources)),
    "tolerated_sources": _same(lambda config: config.prices.tolerated_sources),
    "proposed_blocks": _numbers(lambda facts: facts.outcome.proposed.sum(axis=1)),
    "finalized_blocks": _numbers(lambda facts: facts.is_final.sum(axis=1)),
    "median_latency_s": _numbers(_median_latency),
    "mean_latency_s": _numbers(lambda facts: _mean(facts.latency)),
    "mean_latency_epochs": _numbers(lambda facts: _mean(facts.latency_epochs)),
    "messages": _numbers(lambda facts: facts.messages),
    "finalized_prices": _numbers(lambda facts: facts.is_priced.sum(axis=1)),
    "epochs_without_price": _numbers(lambda facts: (facts.outcome.cents == 0).sum(axis=1)),
    "largest_displacement_bp": _numbers(lambda facts: facts.displacement),
    "orders": _orders(lambda facts: facts.orders.run >= 0),
    "fair_orders": _orders(lambda facts: facts.is_fair),
    "market_orders": _orders(lambda facts: ~facts.is_limit),
    "stopped_at_entry": _orders(lambda facts: facts.is_refused),
    "without_reference": _orders(lambda facts: facts.is_early),
    "fair_stopped_at_entry": _orders(lambda facts: facts.is_fair & facts.is_refused),
    "fair_stopped_no_consensus": _orders(lambda facts: facts.is_fair & facts.is_early),
    "fair_refused_share": _share(lambda facts: facts.is_refused, lambda facts: facts.is_fair),
    "fair_outside_share": _share(
        lambda facts: facts.outcome.outside, lambda facts: facts.is_fair & ~facts.is_early
    ),
    "mean_reference_age_s": _numbers(_mean_age, None),
    "median_reference_age_s": _numbers(_median_age),
}
