"""What a sweep runs, and what it measures in each run, unless told otherwise."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from streamlet_lab.config import ExperimentConfig
from streamlet_lab.errors import InvalidInput
from streamlet_lab.experiment import Experiment
from streamlet_lab.metrics import MEASURES, SHARES, share_of
from streamlet_lab.totals import IN_SUMMARY
from streamlet_lab.units import to_name

#: From a run's result to numbers by name; None is a number that this run does not have.
Measure = Callable[[Any], Mapping[str, float | None]]

#: The numbers of a summary; a run of the bare protocol has those up to ``messages``.
SUMMARY_NUMBERS: Final = (
    "faulty_nodes",
    "safe",
    "convicted_nodes",
    "proposed_blocks",
    "finalized_blocks",
    "median_latency_s",
    "mean_latency_s",
    "mean_latency_epochs",
    "messages",
    "sources",
    "faulty_sources",
    "tolerated_sources",
    "finalized_prices",
    "epochs_without_price",
    "refused_blocks",
    "largest_displacement_bp",
    *IN_SUMMARY,
)


def run_experiment(config: ExperimentConfig) -> Any:
    """Run the whole system: what a sweep runs unless told otherwise."""
    return Experiment.from_config(config).run()


def summary_numbers(result: Any) -> dict[str, float | None]:
    """Return what a sweep measures unless told otherwise: the numbers of ``result.summary``.

    Settings that the summary repeats are left out.
    """
    summary = getattr(result, "summary", None)
    if not isinstance(summary, Mapping):
        raise InvalidInput("run", result, "a result with a summary, or a measure of your own")
    return {
        name: value
        for name, value in summary.items()
        if isinstance(value, int | float | None) and name not in ExperimentConfig.model_fields
    }


#: Those of ``result.market_numbers``, and shares of these, that a summary does not have.
MARKET_NUMBERS: Final = tuple(name for name in (*MEASURES, *SHARES) if name not in SUMMARY_NUMBERS)


@dataclass(frozen=True)
class Chosen:
    """Measures some of the numbers of ``result.summary``, or of its market."""

    names: tuple[str, ...]

    def __call__(self, result: Any) -> dict[str, float | None]:
        """Return them by name."""
        numbers = summary_numbers(result)
        if not numbers.keys() >= {*self.names}:
            market = result.market_numbers
            shares = {name: share_of(name, market) for name in SHARES}
            numbers = {**market, **shares, **numbers}
        return {name: numbers[to_name(name, numbers, "measure")] for name in self.names}


def to_measure(measure: Measure | Iterable[str]) -> Measure:
    """Return what measures a run: a function, or the names of numbers of its summary."""
    if callable(measure):
        return measure
    names = (measure,) if isinstance(measure, str) else measure
    if not isinstance(names, list | tuple) or not names:
        expected = "a function, or names of numbers of the summary or of the market"
        raise InvalidInput("measure", measure, expected)
    for name in names:
        to_name(name, (*SUMMARY_NUMBERS, *MARKET_NUMBERS), "measure")
    if len({*names}) < len(names):
        raise InvalidInput("measure", measure, "each name once")
    return Chosen(tuple(names))


def names_of(measure: Measure) -> tuple[str, ...] | None:
    """Return which numbers of the summary are measured, or None if it may be something else."""
    if measure is summary_numbers:
        return SUMMARY_NUMBERS
    return measure.names if isinstance(measure, Chosen) else None
