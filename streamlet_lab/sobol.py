"""Points that fill a box of settings evenly: for a sweep over more settings than a grid can have.

They are the first ones of a scrambled Sobol sequence. Halton's would be its like for a count that
is no power of two, but its coordinates hang together where there are many settings. More points
with the same seed begin with the same ones, so that a study can grow.
"""

import math
from collections.abc import Callable, Collection, Mapping
from itertools import islice
from typing import Any, Final

import pandas as pd

from streamlet_lab.errors import InvalidInput
from streamlet_lab.streams import generator
from streamlet_lab.units import (
    format_duration,
    to_microseconds,
    to_name,
    to_number,
    to_python,
    to_whole,
)

_MOST_POINTS: Final = 2**16
_MOST_DRAWN: Final = 20  # as a power of two
# In units of a millisecond a box has that many durations at least.
_COARSE: Final = 100_000

# From a place between 0 and 1 to the value there.
_Scale = Callable[[float], Any]


def quasi_random(
    bounds: Mapping[str, tuple[Any, Any]],
    *,
    count: int = 64,
    seed: int = 0,
    log: Collection[str] = (),
) -> pd.DataFrame:
    """Return points of settings that fill a box evenly, one a row, as :func:`sweep` takes them.

    Parameters
    ----------
    bounds : mapping of str to pair
        The least and the greatest value of each setting, which both may occur: two whole numbers,
        between which there are whole ones; two durations as texts, between which there are whole
        milliseconds, or microseconds where they are less than 100 ms apart; or two other numbers,
        between which there are some of six digits.
    count : int
        How many points, all different.
    seed : int
        Of the scrambling.
    log : collection of str
        Settings of which ratios are to be even, not differences.

    Examples
    --------
    >>> quasi_random({"nodes": (4, 16), "network.delta": ("100ms", "1s")}, count=3, log=["nodes"])
       nodes network.delta
    0      4         734ms
    1     13         389ms
    2     10         815ms
    """
    if not isinstance(bounds, Mapping) or not bounds:
        raise InvalidInput("bounds", bounds, "pairs by setting, such as {'nodes': (4, 16)}")
    if isinstance(log, str) or not isinstance(log, Collection):
        raise InvalidInput("log", log, "a list of settings")
    for name in log:
        to_name(name, bounds, "log")
    scales = {name: _scale(name, pair, name in log) for name, pair in bounds.items()}
    count = to_whole(count, 1, "count", _MOST_POINTS)
    points: dict[tuple[Any, ...], None] = {}  # whole numbers may occur again
    power = (count - 1).bit_length()
    for more in range(power, min(power + 8, _MOST_DRAWN), 2):
        points = dict.fromkeys(_points(scales, more, seed))
        if len(points) >= count:
            break
    else:
        expected = f"no more points than the {len(points)} different ones that were found"
        raise InvalidInput("count", count, expected)
    return pd.DataFrame(islice(points, count), columns=[*scales])


def _points(scales: Mapping[str, _Scale], power: int, seed: int) -> list[tuple[Any, ...]]:
    """Return the first ones of the sequence, as many as a power of two."""
    from scipy.stats.qmc import Sobol

    sequence = Sobol(len(scales), rng=generator(seed, "quasi_random"))
    rows = sequence.random_base2(power).tolist()
    return [
        tuple(scale(at) for scale, at in zip(scales.values(), row, strict=True)) for row in rows
    ]


def _scale(name: str, pair: object, log: bool) -> _Scale:
    """Return how a setting is measured out between its ends."""
    field = f"bounds.{name}"
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        raise InvalidInput(field, pair, "the least and the greatest value")
    low, high = map(to_python, pair)
    if isinstance(low, str) and isinstance(high, str):
        least, most = to_microseconds(low, field), to_microseconds(high, field)
        is_coarse = most - least >= _COARSE and least % 1_000 == most % 1_000 == 0
        unit = 1_000 if is_coarse else 1
        among = _whole(least // unit, most // unit, log, field, pair)
        return lambda at: format_duration(among(at) * unit)
    if type(low) is int and type(high) is int:
        return _whole(low, high, log, field, pair)
    start, end = (to_number(each, -math.inf, math.inf, field) for each in (low, high))
    between = _between(start, end, log, field, pair)
    return lambda at: min(max(float(f"{between(at):.6g}"), start), end)


def _whole(low: int, high: int, log: bool, field: str, pair: object) -> Callable[[float], int]:
    between = _between(low, high, log, field, pair, 1)
    return lambda at: min(math.floor(between(at)), high)


def _between(
    low: float, high: float, log: bool, field: str, pair: object, beyond: int = 0
) -> Callable[[float], float]:
    if not low < high:
        raise InvalidInput(field, pair, "a least value below the greatest")
    if not log:
        return lambda at: low + at * (high + beyond - low)
    if low <= 0:
        raise InvalidInput(field, pair, "values above 0, as ratios are to be even")
    return lambda at: low * ((high + beyond) / low) ** at
