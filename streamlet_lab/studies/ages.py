"""How often a price is outside the band around what it was some days before: on paths alone.

No network, no market. It is what a band around an old reference costs if everything else is
perfect, and so the yardstick for the runs of :mod:`~streamlet_lab.studies.stale`.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from streamlet_lab.errors import InvalidInput
from streamlet_lab.intervals import Share, share_interval
from streamlet_lab.prices import ReturnModel
from streamlet_lab.prices.daily_history import adjust_for_splits, load_bars
from streamlet_lab.prices.facts import model_returns
from streamlet_lab.prices.models import TRADING_DAYS_PER_YEAR, make_model
from streamlet_lab.studies.common import read_names
from streamlet_lab.theory import first_passage_share, stale_outside_share
from streamlet_lab.units import to_number, to_whole

#: In trading days.
AGES: Final = (1, 2, 3)

_SYMBOL: Final = "AAPL"
_FIRST_YEAR: Final = 2003

# So that a move of exactly the band's width is inside, as in the market.
_ROUNDING: Final = 1e-12

_Path = NDArray[np.float64]


def outside_by_age(
    prices: ArrayLike,
    ages: Iterable[int] = AGES,
    *,
    band_percent: float = 5.0,
    block: int = TRADING_DAYS_PER_YEAR,
) -> pd.DataFrame:
    """Return the share of prices outside the band around an earlier price of the same path.

    Parameters
    ----------
    prices : array of float
        At equal steps: daily ones make the ages days.
    ages : iterable of int
        How many steps earlier.
    band_percent : float
        Half the width of the band; exactly so far away is inside.
    block : int
        Steps of one stretch, about: what is longer ago than that no longer matters.

    Returns
    -------
    DataFrame
        One row for each age: ``age``, ``share``, and the ends ``low`` and ``high`` of its 95 %
        interval. That is :func:`~streamlet_lab.intervals.share_interval` with stretches of the path
        in place of runs; NaN if there are fewer than ten. In blocks of a trading year calm and
        turbulent times are kept together: see ``docs/coverage.md`` for what it covers.

    Examples
    --------
    >>> outside_by_age([100, 106, 104, 98, 98, 98], [1, 2], block=1)[["age", "share"]]
       age  share
    0    1    0.4
    1    2    0.5
    """
    block = to_whole(block, 1, "block")
    path = _path(prices)
    return _outside([path], _ages(ages, len(path)), _band(band_percent), block)


def compare_ages(
    models: Iterable[str] | Mapping[str, ReturnModel] = ("gjr_garch", "gbm"),
    ages: Iterable[int] = AGES,
    *,
    band_percent: float = 5.0,
    paths: int = 40,
) -> pd.DataFrame:
    """Compare real AAPL with models of it: how often is a price outside the band around an old one.

    The real history is from 2003 to 2013-03-01; splits are taken out.

    Parameters
    ----------
    models : iterable of str, or mapping of str to ReturnModel
        Names of :func:`~streamlet_lab.prices.path_models`, or models under names of one's own.
    ages, band_percent
        As of :func:`outside_by_age`; the ages in trading days.
    paths : int
        How many paths of each model, each as long as the history, with the seeds 0, 1, 2, …

    Returns
    -------
    DataFrame
        One row for each path and age, first those of the history, as path ``"real"``: ``path``,
        ``age``; ``share``, ``low`` and ``high``, for the history as :func:`outside_by_age` has
        them, for a model those of all its paths together, with the interval over paths;
        ``diffusion`` and ``first_passage``: what a geometric Brownian motion with the standard
        deviation of the same daily returns has, of being outside after that time
        (:func:`~streamlet_lab.theory.stale_outside_share`) and of having been outside meanwhile
        (:func:`~streamlet_lab.theory.first_passage_share`).
    """
    paths = to_whole(paths, 1, "paths", 1_000_000)
    made = _models(models)
    band, real = _band(band_percent), _real_closes()
    steps = _ages(ages, len(real))
    table = _outside([real], steps, band, TRADING_DAYS_PER_YEAR)
    tables = [_beside_diffusion("real", table, np.diff(np.log(real)), band)]
    for name, model in made.items():
        returns = [model_returns(model, seed, len(real) - 1) / 100 for seed in range(paths)]
        drawn = [np.exp(np.concatenate([[0.0], np.cumsum(each)])) for each in returns]
        table = _outside(drawn, steps, band, len(real))
        tables.append(_beside_diffusion(name, table, np.concatenate(returns), band))
    return pd.concat(tables, ignore_index=True)


def _outside(paths: Iterable[_Path], ages: Iterable[int], band: float, block: int) -> pd.DataFrame:
    """Return the share outside on all paths together, with its interval over their stretches."""
    rows = []
    for age in ages:
        stretches: list[NDArray[np.bool_]] = []
        for path in paths:
            before = path[:-age]
            outside = np.abs(path[age:] - before) > band * before * (1 + _ROUNDING)
            stretches += np.array_split(outside, max(len(outside) // block, 1))
        found = share_interval(Share(int(each.sum()), len(each)) for each in stretches)
        rows.append((age, found.mean, found.low, found.high))
    return pd.DataFrame(rows, columns=["age", "share", "low", "high"])


def _beside_diffusion(name: str, table: pd.DataFrame, returns: _Path, band: float) -> pd.DataFrame:
    """Put a path's name before its shares, and after them what a diffusion has."""
    deviation = float(np.std(returns))
    table.insert(0, "path", name)
    return table.assign(
        diffusion=[stale_outside_share(age, deviation, band) for age in table["age"]],
        first_passage=[first_passage_share(age, deviation, band) for age in table["age"]],
    )


def _real_closes() -> _Path:
    bars = adjust_for_splits(_SYMBOL, load_bars(_SYMBOL))
    return np.array([float(bar.close) for bar in bars if bar.date.year >= _FIRST_YEAR])


def _models(models: Iterable[str] | Mapping[str, ReturnModel]) -> dict[str, ReturnModel]:
    if not isinstance(models, Mapping):
        return {name: make_model(name) for name in read_names("models", models)}
    return {name: make_model(lambda model=model: model) for name, model in models.items()}


def _path(prices: ArrayLike) -> _Path:
    expected = "at least two finite prices above 0, one after the other"
    try:
        path = np.asarray(prices, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput("prices", prices, expected) from None
    if path.ndim != 1 or len(path) < 2:
        raise InvalidInput("prices", prices, expected)
    wrong = path[~(np.isfinite(path) & (path > 0))]
    if len(wrong):
        raise InvalidInput("prices", float(wrong[0]), expected)
    return path


def _ages(ages: Iterable[int], length: int) -> tuple[int, ...]:
    if not isinstance(ages, Iterable):
        raise InvalidInput("ages", ages, "a list of whole numbers of steps")
    return tuple(to_whole(age, 1, "ages", length - 1) for age in ages)


def _band(percent: float) -> float:
    return to_number(percent, 0, 100, "band_percent", above=True, below=True) / 100
