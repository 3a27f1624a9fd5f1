"""The same settings with many seeds, by the batched engine: means with intervals, and bands."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from streamlet_lab.batched import MEASURES, play_batches
from streamlet_lab.config import ExperimentConfig
from streamlet_lab.intervals import Interval, mean_interval, share_interval
from streamlet_lab.units import to_seconds
from streamlet_lab.widgets.film_header import NUMBERS

RUNS: Final = 200
# So few at a time that a person sees them coming, and can stop them.
_BATCH: Final = 20
#: The quantiles of a band.
QUANTILES: Final = {"low": 0.05, "middle": 0.5, "high": 0.95}

# What single runs show and the batched engine measures; and of the orders what it knows.
_NUMBERS: Final = [name for name in NUMBERS if name in MEASURES]
_SHARES: Final = {"fair_refused_share": "fair orders refused at entry"}

_Array = np.ndarray[Any, np.dtype[Any]]


def play_many(
    config: ExperimentConfig, progress: Callable[[int, int], None], runs: int = RUNS
) -> dict[str, Any]:
    """Return what became of the runs of this seed and the next ones, as plain data.

    ``numbers`` are those of a film's header, and of fair orders the share that was refused at
    entry, each with ``mean``, ``low`` and ``high`` of its interval at 95 %, None where there is
    none, and a ``text``. ``epochs`` has ``start_s``, and by epoch the quantiles ``low``, ``middle``
    and ``high`` of ``latency_s``, None where a block is not final, and of ``error_bp``, by how much
    a final price is off the true one.

    Raises
    ------
    InvalidInput
        If the batched engine cannot play them: see
        :func:`~streamlet_lab.widgets.limits.why_not_many`.
    """
    measured: dict[str, list[Any]] = {name: [] for name in (*_NUMBERS, *_SHARES)}
    latency, error = [], []
    progress(0, runs)
    seeds = range(config.seed, config.seed + runs)
    for facts in play_batches(config, seeds, _BATCH):
        for name, values in measured.items():
            values += MEASURES[name](facts)
        latency.append(facts.latency)
        error.append(facts.error)
        progress(min(sum(map(len, latency)), runs), runs)
    return {
        "runs": runs,
        "seeds": [seeds[0], seeds[-1]],
        "sentence": f"{runs} runs with the seeds {seeds[0]} to {seeds[-1]}: means, with intervals "
        "at 95 %, and bands from the 5 % to the 95 % quantile.",
        "numbers": [_number(name, values) for name, values in measured.items()],
        "epochs": {
            "start_s": [to_seconds(epoch * config.epoch_length) for epoch in range(config.epochs)],
            # What is never final took longer than anything.
            "latency_s": _band(np.nan_to_num(np.concatenate(latency), nan=np.inf)),
            "error_bp": _band(np.concatenate(error)),
        },
    }


def _number(name: str, values: Sequence[Any]) -> dict[str, Any]:
    """Return a mean over runs with its interval, and how it reads."""
    if name in _SHARES:
        estimate, label, unit = share_interval(values), _SHARES[name], "share"
    else:
        known = [math.nan if value is None else value for value in values]
        estimate, label, unit = mean_interval(known), NUMBERS[name].label, NUMBERS[name].unit
    return {
        "name": name,
        "label": label,
        "unit": unit,
        "mean": _finite(estimate.mean),
        "low": _finite(estimate.low),
        "high": _finite(estimate.high),
        "runs": estimate.n,
        "text": _text(estimate, unit, 0 if name in _SHARES else NUMBERS[name].digits),
    }


def _text(estimate: Interval, unit: str, digits: int) -> str:
    """Write an estimate and its interval, whose half has two digits at least."""
    if math.isnan(estimate.mean):
        return "none"
    scale, end = (100, " %") if unit == "share" else (1, f" {unit}".rstrip())
    half = scale * (estimate.high - estimate.low) / 2
    if half > 0:
        digits = max(digits, 1 - math.floor(math.log10(half)))
    mean, low, high = (
        f"{scale * value:,.{digits}f}".replace("-", "−")
        for value in (estimate.mean, estimate.low, estimate.high)
    )
    return f"{mean} ({low} to {high}){end}" if half > 0 else f"{mean}{end}"


def _band(values: _Array) -> dict[str, list[float | None]]:
    """Return quantiles over runs by epoch: of the values that there are, themselves some of them.

    NaN is no value; an infinite one is larger than all others.
    """
    ranked = np.sort(values, axis=0)  # NaN comes last
    counts = (~np.isnan(ranked)).sum(axis=0)
    band = {}
    for name, share in QUANTILES.items():
        places = np.maximum(np.ceil(share * counts).astype(int) - 1, 0)
        row = np.take_along_axis(ranked, places[None], axis=0)[0]
        band[name] = [_finite(value) for value in np.where(counts > 0, row, np.nan).tolist()]
    return band


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
