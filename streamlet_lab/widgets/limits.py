"""What holds for an experiment no more: the paper's promises, and many runs at once."""

import re
from typing import Final

from streamlet_lab.batched import explain
from streamlet_lab.experiment import Experiment
from streamlet_lab.widgets.knob_table import KNOBS, TRADERS
from streamlet_lab.widgets.refusals import control_of
from streamlet_lab.widgets.words import write

# A name in quotes, or of several words.
_NAME: Final = re.compile(r"'([\w-]+)'|\b([a-z]+(?:_[a-z]+)+)\b")


def outside_model(experiment: Experiment) -> str | None:
    """Say in a sentence why the paper promises nothing for an experiment; None if it does."""
    config = experiment.config
    reasons = "; ".join(config.outside_model)
    return f"Outside the {config.model} model: {reasons}." if reasons else None


def why_not_many(experiment: Experiment) -> str | None:
    """Say in the words of the controls why many runs cannot be played at once; None if they can.

    >>> why_not_many(Experiment(network={"loss": 0.1}))
    'Many runs at once are not played for loss: the batched engine knows 0 only.'
    """
    reason = explain(experiment.config)
    if reason is None:
        return None
    places, _, why = reason.partition(": ")
    first, *others = places.split(", ")
    section = first.rpartition(".")[0]
    paths = [first, *(f"{section}.{name}" if section else name for name in others)]
    label = ", ".join(dict.fromkeys(_label(path, why) for path in paths))
    text = why.replace("it knows", "the batched engine knows")
    said = _NAME.sub(lambda name: write(name[1] or name[2]), text)
    return f"Many runs at once are not played for {label}: {said}."


def _label(path: str, why: str) -> str:
    kind = _NAME.match(why)
    if path == "market.traders" and kind and kind[1] in TRADERS:
        return KNOBS[kind[1]].label
    name = "processing" if path == "network.sign_time" else control_of(path)
    return path if name is None else KNOBS[name].label
