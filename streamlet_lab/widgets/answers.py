"""What a bench answers: a run, its messages recorded if they are not too many, and its film."""

from dataclasses import dataclass

from streamlet_lab.config import ExperimentConfig
from streamlet_lab.experiment import Experiment
from streamlet_lab.result import Result
from streamlet_lab.simulator import Progress
from streamlet_lab.widgets.film import MOST_ARRIVALS, Film, make_film


@dataclass(frozen=True)
class Answer:
    """A finished run and its film; the key tells it from those of other settings."""

    key: str
    result: Result
    film: Film


def make_answer(key: str, experiment: Experiment, progress: Progress) -> Answer:
    """Run an experiment."""
    config = experiment.config
    is_traced = expected_arrivals(config) <= MOST_ARRIVALS
    traced = Experiment.from_config(config.model_copy(update={"trace": is_traced}))
    result = traced.run(progress=progress)
    return Answer(key, result, make_film(result))


def expected_arrivals(config: ExperimentConfig) -> int:
    """Return how often a message arrives first at a node, if all nodes are honest.

    >>> expected_arrivals(ExperimentConfig(epochs=60, nodes=4))
    1200
    """
    return config.epochs * config.nodes * (config.nodes + 1)
