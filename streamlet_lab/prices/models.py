"""Laws of daily returns that a simulated path can follow, each under a name.

A model says what a day brings; :class:`~streamlet_lab.prices.paths.SimulatedPath` walks the day.
The lab's own models are fitted to the same data, the 2,557 daily returns of AAPL from 2003-01-02
to 2013-03-01 (``data/README.md``), and leave out the drift.
"""

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from streamlet_lab.errors import InvalidInput

TRADING_DAYS_PER_YEAR: Final = 252


@dataclass(frozen=True, slots=True)
class Jump:
    """A move at one instant.

    Parameters
    ----------
    time : float
        When, as a share of the day.
    size : float
        Of the logarithm of the price, in percent.
    """

    time: float
    size: float


@dataclass(frozen=True, slots=True)
class Day:
    """What one trading day brings, in percent of the logarithm of the price.

    Parameters
    ----------
    move : float
        From the day's beginning to its end, without the jumps.
    deviation : float
        Standard deviation with which the price wanders on its way there.
    jumps : tuple of Jump
        In order of time.
    """

    move: float
    deviation: float
    jumps: tuple[Jump, ...] = ()

    @property
    def total(self) -> float:
        """The day's return, jumps included."""
        return self.move + sum(jump.size for jump in self.jumps)


class ReturnModel(Protocol):
    """A law of daily returns."""

    def days(self, stream: random.Random) -> Iterator[Day]:
        """Yield one day after the other, without end, from a stream that the path draws from too.

        What a day needs is drawn when the day is asked for.
        """
        ...


F = TypeVar("F", bound=Callable[[], ReturnModel])

_MODELS: dict[str, Callable[[], ReturnModel]] = {}
_OWN: Final = ("gbm", "gjr_garch", "merton", "regime")


def path_model(name: str) -> Callable[[F], F]:
    """Register a law of daily returns under a name, so that configurations can speak of it.

    Parameters
    ----------
    name : str

    Raises
    ------
    InvalidInput
        If it is no name, or one of the lab's own.

    Examples
    --------
    >>> @path_model("coin")
    ... class Coin:
    ...     def days(self, stream):
    ...         while True:
    ...             yield Day(move=stream.choice((-1.0, 1.0)), deviation=1.0)
    >>> "coin" in path_models()
    True
    """
    if not (isinstance(name, str) and name.isidentifier()):
        raise InvalidInput("name", name, "a name such as 'my_model'")
    if name in _OWN and name in _MODELS:
        raise InvalidInput("name", name, "a name other than the lab's own models")

    def register(factory: F) -> F:
        _MODELS[name] = factory
        return factory

    return register


def path_models() -> tuple[str, ...]:
    """Return the names of all registered models, in alphabetical order."""
    return tuple(sorted(_MODELS))


def make_model(name: str) -> ReturnModel:
    """Return the model of a name, with its default parameters.

    Raises
    ------
    InvalidInput
        If there is no such model.
    """
    if name not in _MODELS:
        known = ", ".join(path_models())
        expected = f"one of {known}; a model of your own must be registered before"
        raise InvalidInput("path_model", name, expected)
    return _MODELS[name]()


def _check(name: str, value: float, least: float) -> None:
    if not (math.isfinite(value) and value >= least):
        expected = "a finite number" if math.isinf(least) else f"a finite number, at least {least}"
        raise InvalidInput(name, value, expected)


@path_model("gjr_garch")
@dataclass(frozen=True, slots=True)
class GjrGarch:
    """Daily GJR-GARCH(1,1) with Student-t innovations, in percent (Glosten et al. 1993).

    h' = ω + (α + γ·[e < 0])·e² + β·h, return e = √h·z, z of unit variance. The defaults are the
    fit to AAPL 2003–2013, without its drift. With them the fourth moment is just not finite, so the
    sample kurtosis differs widely from path to path.
    """

    omega: float = 0.0889
    alpha: float = 0.0241
    gamma: float = 0.063
    beta: float = 0.9314
    degrees_of_freedom: float = 5.43

    @property
    def long_run_variance(self) -> float:
        """Unconditional variance of a daily return, in percent squared."""
        return self.omega / (1 - self.alpha - self.gamma / 2 - self.beta)

    def next_variance(self, variance: float, shock: float) -> float:
        """Return tomorrow's variance after today's return ``shock``."""
        leverage = self.gamma if shock < 0 else 0.0
        return self.omega + (self.alpha + leverage) * shock * shock + self.beta * variance

    def innovation(self, stream: random.Random) -> float:
        """Draw a Student-t variate of unit variance."""
        nu = self.degrees_of_freedom
        chi_square = 2 * stream.gammavariate(nu / 2, 1)
        return stream.gauss(0, 1) * math.sqrt((nu - 2) / chi_square)

    def days(self, stream: random.Random) -> Iterator[Day]:
        """Yield days, the first of them with the long-run variance."""
        variance = self.long_run_variance
        while True:
            deviation = math.sqrt(variance)
            shock = deviation * self.innovation(stream)
            yield Day(shock, deviation)
            variance = self.next_variance(variance, shock)


@path_model("gbm")
@dataclass(frozen=True, slots=True)
class GeometricBrownianMotion:
    """Independent normal returns: constant volatility and nothing else.

    Parameters
    ----------
    volatility : float
        Standard deviation of the logarithm of the price over a year; the default is AAPL's, 2.38 %
        a day.
    """

    volatility: float = 0.378

    def __post_init__(self) -> None:
        _check("volatility", self.volatility, 0)

    def days(self, stream: random.Random) -> Iterator[Day]:
        """Yield days that do not depend on each other."""
        deviation = _daily_percent(self.volatility)
        while True:
            yield Day(stream.gauss(0, deviation), deviation)


@path_model("merton")
@dataclass(frozen=True, slots=True)
class MertonJumps:
    """Geometric Brownian motion with normal jumps at the times of a Poisson process (Merton 1976).

    The motion makes up for the mean of the jumps, so that there is no drift. The defaults are the
    maximum-likelihood fit to AAPL 2003–2013, which explains the tails by many jumps of the size of
    a day's return.

    Parameters
    ----------
    volatility : float
        Of the motion without the jumps, per year.
    jumps_per_year : float
    jump_mean, jump_deviation : float
        Of a jump of the logarithm of the price.
    """

    volatility: float = 0.2184
    jumps_per_year: float = 149.2
    jump_mean: float = 0.0004
    jump_deviation: float = 0.0247

    def __post_init__(self) -> None:
        _check("volatility", self.volatility, 0)
        _check("jumps_per_year", self.jumps_per_year, 0)
        _check("jump_mean", self.jump_mean, -math.inf)
        _check("jump_deviation", self.jump_deviation, 0)

    def days(self, stream: random.Random) -> Iterator[Day]:
        """Yield days that do not depend on each other."""
        deviation = _daily_percent(self.volatility)
        compensation = -100 * self.jump_mean * self.jumps_per_year / TRADING_DAYS_PER_YEAR
        while True:
            move = stream.gauss(compensation, deviation)
            yield Day(move, deviation, tuple(self._jumps(stream)))

    def _jumps(self, stream: random.Random) -> Iterator[Jump]:
        per_day = self.jumps_per_year / TRADING_DAYS_PER_YEAR
        time = stream.expovariate(per_day) if per_day else 1.0
        while time < 1:
            yield Jump(time, 100 * stream.gauss(self.jump_mean, self.jump_deviation))
            time += stream.expovariate(per_day)


@dataclass(frozen=True, slots=True)
class Regime:
    """A stretch of constant volatility and trend.

    Parameters
    ----------
    volatility : float
        Per year.
    trend : float
        Drift of the logarithm of the price, per year.
    days : float
        How long it lasts on average, in trading days; at least 1.
    """

    volatility: float
    trend: float = 0.0
    days: float = math.inf

    def __post_init__(self) -> None:
        _check("volatility", self.volatility, 0)
        _check("trend", self.trend, -math.inf)
        if not self.days >= 1:
            raise InvalidInput("days", self.days, "at least 1")


@path_model("regime")
@dataclass(frozen=True, slots=True)
class RegimeSwitching:
    """Normal returns with the volatility and the trend of a regime, which lasts a random time.

    Regimes take turns, each for a geometrically distributed number of days. A single one is the
    description's plain generator, with its volatility and trend. The default ones are the
    maximum-likelihood fit of two states (Hamilton 1989) to AAPL 2003–2013: calm and turbulent.
    """

    regimes: tuple[Regime, ...] = (Regime(0.274, days=27.8), Regime(0.615, days=8.0))

    def __post_init__(self) -> None:
        if not self.regimes:
            raise InvalidInput("regimes", self.regimes, "at least one regime")
        if len(self.regimes) > 1 and any(math.isinf(regime.days) for regime in self.regimes):
            raise InvalidInput("regimes", self.regimes, "regimes that end, or only one")

    def days(self, stream: random.Random) -> Iterator[Day]:
        """Yield days, the first in a regime that is drawn by the share of time it takes."""
        index = self._first(stream)
        while True:
            regime = self.regimes[index]
            deviation = _daily_percent(regime.volatility)
            drift = 100 * regime.trend / TRADING_DAYS_PER_YEAR
            yield Day(stream.gauss(drift, deviation), deviation)
            if stream.random() * regime.days < 1:
                index = (index + 1) % len(self.regimes)

    def _first(self, stream: random.Random) -> int:
        if len(self.regimes) == 1:
            return 0
        (index,) = stream.choices(range(len(self.regimes)), [one.days for one in self.regimes])
        return index


def _daily_percent(volatility: float) -> float:
    return 100 * volatility / math.sqrt(TRADING_DAYS_PER_YEAR)
