"""What a bench is asked, and answers: a run, with a record of its messages, and its film."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streamlet_lab.config import ExperimentConfig
from streamlet_lab.errors import InvalidInput
from streamlet_lab.experiment import Experiment
from streamlet_lab.result import Result
from streamlet_lab.simulator import Progress
from streamlet_lab.widgets.film import MOST_ARRIVALS, Film, make_film


@dataclass(frozen=True)
class Question:
    """A run that is asked for, or many; the key tells its settings from others."""

    key: str
    asked: int
    experiment: Experiment
    many: bool = False


@dataclass(frozen=True)
class Answer:
    """A finished run and its film."""

    key: str
    result: Result
    film: Film


def key_of(settings: Mapping[str, Any], touches: Sequence[Any]) -> str:
    """Return what tells settings and touches from others: the text that a browser gets."""
    try:
        return json.dumps([settings, touches], sort_keys=True)
    except (TypeError, ValueError):
        expected = "plain data, and kinds by their names: a browser has no functions of Python"
        raise InvalidInput("settings", settings, expected) from None


def make_answer(question: Question, progress: Progress) -> Answer:
    """Run what is asked for, with a record of its messages if they are not too many."""
    config = question.experiment.config
    is_traced = expected_arrivals(config) <= MOST_ARRIVALS
    traced = Experiment.from_config(config.model_copy(update={"trace": is_traced}))
    result = traced.run(progress=progress)
    return Answer(question.key, result, make_film(result))


def expected_arrivals(config: ExperimentConfig) -> int:
    """Return how often a message arrives first at a node, if all nodes are honest.

    >>> expected_arrivals(ExperimentConfig(epochs=60, nodes=4))
    1200
    """
    return config.epochs * config.nodes * (config.nodes + 1)
