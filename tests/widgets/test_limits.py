"""What an experiment is beyond: the paper's model, and many runs at once; in a sentence."""

import pytest

from streamlet_lab import Experiment
from streamlet_lab.batched import explain
from streamlet_lab.widgets.knobs import experiment_of
from streamlet_lab.widgets.limits import outside_model, why_not_many

from .changes import CHANGES, NEEDS


def test_what_is_outside_the_model_is_one_sentence():
    assert outside_model(Experiment()) is None
    assert outside_model(experiment_of({"faulty": 2, "echo": False})) == (
        "Outside the byzantine model: 2 of 4 nodes faulty, 1 tolerated; messages are not echoed."
    )


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"partition_s": [2, 4]}, "GST, bad time, partition: delays may exceed Δ."),
        ({"processing": True}, "Ed25519 times: the batched engine knows 0 only."),
        ({"band": "luld"}, "band: LULD; the batched engine knows consensus, keep resting."),
        ({"lying": 1, "lie": "stale"}, "faults: stale; the batched engine knows crash, silent le"),
        (
            {"momentum": 1},
            "momentum traders: momentum; the batched engine knows noise trader, fat finger.",
        ),
        ({"epoch_deltas": 1}, "epoch: 500ms is shorter than 2Δ, 1s."),
    ],
)
def test_what_cannot_be_played_at_once_is_said_in_the_words_of_the_controls(settings, sentence):
    said = why_not_many(experiment_of(settings))
    assert said.startswith(f"Many runs at once are not played for {sentence}")


@pytest.mark.parametrize("name", CHANGES)
def test_it_is_said_where_the_batched_engine_cannot(name):
    experiment = experiment_of({**NEEDS.get(name, {}), name: CHANGES[name][0]})
    assert (why_not_many(experiment) is None) == (explain(experiment.config) is None)
