"""Laws of daily returns that a simulated path can follow, each under a name.

A model says what a day brings; :class:`~streamlet_lab.prices.paths.SimulatedPath` walks the day.
The lab's own models are fitted to the 2,557 daily returns of AAPL from 2003-01-02 to 2013-03-01
(``data/README.md``), and leave out their drift.
"""

import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Protocol

from streamlet_lab.errors import InvalidInput
from streamlet_lab.kinds import Kinds
from streamlet_lab.units import to_number
from streamlet_lab.values import Number, check_ranges

TRADING_DAYS_PER_YEAR: Final = 252

# Of any parameter: with far more a return overflows, or a day has more jumps than anyone waits for.
_MOST: Final = 1_000_000
_Positive = Annotated[float, Number(0, _MOST, above=True)]
_NotNegative = Annotated[float, Number(0, _MOST)]
_Any = Annotated[float, Number(-_MOST, _MOST)]


@dataclass(frozen=True, slots=True)
class Jump:
    """A move of the logarithm of the price, in percent, at an instant, as a share of the day."""

    time: float
    size: float


@dataclass(frozen=True, slots=True)
class Day:
    """What one trading day brings, in percent of the logarithm of the price.

    ``move`` is from the day's beginning to its end, without the jumps, and ``deviation`` the
    standard deviation with which the price wanders on its way there. Jumps are in order of time.
    """

    move: float
    deviation: float
    jumps: tuple[Jump, ...] = ()

    @property
    def total(self) -> float:
        """The day's return, jumps included."""
        return self.move + sum(jump.size for jump in self.jumps)


class ReturnModel(Protocol):
    """A law of daily returns.

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

    def days(self, stream: random.Random) -> Iterator[Day]:
        """Yield one day after the other, without end, each drawn when it is asked for.

        Nothing else draws from the stream: the days are the same whatever happens within them.
        """


_MODELS = Kinds[Callable[..., ReturnModel]](
    "path_model", "model", field="path_model", besides="a class or a function that makes a model"
)
path_model, path_models = _MODELS.doors(
    "a law of daily returns: a class or a function that makes a `ReturnModel`"
)


def make_model(
    model: str | Callable[..., ReturnModel], parameters: Mapping[str, object] = {}
) -> ReturnModel:
    """Return a model with these parameters, and the defaults of the others.

    It is one of :func:`path_models`, or what makes a model itself, such as a class. Parameters are
    plain data: numbers, and for ``"regime"`` a list of tables. The description's generator has one
    volatility and one trend, both per year:

    >>> make_model("regime", {"regimes": [{"volatility": 0.3, "trend": 0.1}]})
    RegimeSwitching(regimes=(Regime(volatility=0.3, trend=0.1, days=inf),))
    >>> make_model("gbm", {"volatility": -1})
    Traceback (most recent call last):
    ...
    streamlet_lab.errors.InvalidInput: path_parameters.volatility: -1 is not valid; expected a \
number from 0 to 1e+06
    """
    made: ReturnModel = _MODELS.make(model, parameters, "path_parameters")
    if not callable(getattr(made, "days", None)):
        raise InvalidInput("path_model", model, "what makes a model with a method days(stream)")
    return made


@path_model("gjr_garch")
@dataclass(frozen=True, slots=True)
class GjrGarch:
    """Daily GJR-GARCH(1,1) with Student-t innovations, in percent (Glosten et al. 1993).

    h' = ω + (α + γ·[e < 0])·e² + β·h, return e = √h·z, z of unit variance and ν degrees of freedom;
    α + γ/2 + β < 1.

    The default is the one with the highest likelihood, given AAPL's returns of 2003–2013 without
    their drift, of those whose variance is the sample's and whose excess kurtosis and leverage are
    within a standard error of it (`prices.facts`). :func:`gjr_garch_mle` is the fit without these
    conditions. ``tools/fit_path_model.py`` is the fit of both.
    """

    omega: _Positive = 0.208
    alpha: _NotNegative = 0.0136
    gamma: _NotNegative = 0.109
    beta: _NotNegative = 0.895
    degrees_of_freedom: Annotated[float, Number(2, _MOST, above=True)] = 7.29

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.persistence >= 1:
            expected = "so little that alpha + gamma/2 + beta < 1, or the variance has no mean"
            raise InvalidInput("beta", self.beta, expected)

    @property
    def persistence(self) -> float:
        """Share of a day's variance that the next day's keeps on average: φ₁ = α + γ/2 + β."""
        return self.alpha + self.gamma / 2 + self.beta

    @property
    def long_run_variance(self) -> float:
        """Unconditional variance of a daily return, in percent squared: ω / (1 − φ₁)."""
        return self.omega / (1 - self.persistence)

    @property
    def excess_kurtosis(self) -> float:
        """Kurtosis of a daily return minus 3; infinite where there is no fourth moment.

        With the innovations' κ = E[z⁴] = 3(ν − 2)/(ν − 4), squaring the recursion gives
        φ₂ = E[((α + γ·[z < 0])·z² + β)²] = κ(α² + αγ + γ²/2) + 2β(α + γ/2) + β², and
        E[e⁴] / E[e²]² = κ(1 − φ₁²) / (1 − φ₂). The fourth moment exists if ν > 4 and φ₂ < 1
        (Ling and McAleer 2002). Samples have less on average: one path rarely has the largest days.
        """
        alpha, gamma, beta, nu = self.alpha, self.gamma, self.beta, self.degrees_of_freedom
        if nu <= 4:
            return math.inf
        kurtosis = 3 * (nu - 2) / (nu - 4)
        squared = kurtosis * (alpha**2 + alpha * gamma + gamma**2 / 2)
        second = squared + 2 * beta * (alpha + gamma / 2) + beta**2
        if second >= 1:
            return math.inf
        return kurtosis * (1 - self.persistence**2) / (1 - second) - 3

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


@path_model("gjr_garch_mle")
def gjr_garch_mle() -> GjrGarch:
    """Return the fit of the highest likelihood to the same returns, without conditions.

    A surprise in its variance is half gone after 45.9 days, in the default's after 18.4. The
    logarithm of its likelihood is 7.8 higher; by chance that much comes about once in 750 times
    (likelihood ratio 15.65, p = 1.3e-3 for three conditions). The price: an excess kurtosis of 28.9
    where the history has 4.6 and the default 5.7, and a leverage of −0.021 where the history has
    −0.054 and the default −0.037. What it changes for a reference that is one, two or three days
    old: 4.8, 11.9 and 18.6 % of prices are more than 5 % away from it, with the default 4.4, 11.8
    and 18.8 %, in the history 4.2, 10.9 and 18.2 %. ``tools/fit_path_model.py`` measures all this.
    """
    return GjrGarch(0.092, 0.0239, 0.06, 0.9311, 5.54)


@path_model("gbm")
@dataclass(frozen=True, slots=True)
class GeometricBrownianMotion:
    """Independent normal returns: a constant volatility, per year, and nothing else.

    The default is AAPL's, 2.38 % a day.
    """

    volatility: _NotNegative = 0.378

    def __post_init__(self) -> None:
        check_ranges(self)

    def days(self, stream: random.Random) -> Iterator[Day]:
        deviation = _daily_percent(self.volatility)
        while True:
            yield Day(stream.gauss(0, deviation), deviation)


@path_model("merton")
@dataclass(frozen=True, slots=True)
class MertonJumps:
    """Geometric Brownian motion with normal jumps at the times of a Poisson process (Merton 1976).

    The annual volatility is that of the motion without the jumps. It makes up for their mean, so
    that there is no drift. The defaults are the maximum-likelihood fit to AAPL 2003–2013, which
    explains the tails by many jumps of the size of a day's return.
    """

    volatility: _NotNegative = 0.2184
    jumps_per_year: _NotNegative = 149.2
    jump_mean: _Any = 0.0004  # of the logarithm of the price
    jump_deviation: _NotNegative = 0.0247

    def __post_init__(self) -> None:
        check_ranges(self)

    def days(self, stream: random.Random) -> Iterator[Day]:
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
    """A stretch of constant volatility and trend, per year, and its mean length in trading days."""

    volatility: _NotNegative
    trend: _Any = 0.0
    days: float = math.inf

    def __post_init__(self) -> None:
        check_ranges(self)
        if not (isinstance(self.days, float) and self.days == math.inf):
            object.__setattr__(self, "days", to_number(self.days, 1, math.inf, "days"))


@path_model("regime")
@dataclass(frozen=True, slots=True)
class RegimeSwitching:
    """Normal returns with the volatility and the trend of a regime, which lasts a random time.

    Regimes take turns, each for a geometrically distributed number of days. A single one is the
    description's plain generator, with its volatility and trend. The default ones are the
    maximum-likelihood fit of two states (Hamilton 1989) to AAPL 2003–2013: calm and turbulent. A
    table with the parameters of a `Regime` stands for one; of several, each must end.
    """

    regimes: tuple[Regime, ...] = (Regime(0.274, days=27.8), Regime(0.615, days=8.0))

    def __post_init__(self) -> None:
        if not (isinstance(self.regimes, list | tuple) and self.regimes):
            raise InvalidInput("regimes", self.regimes, "a list of at least one regime")
        regimes = tuple(
            one if isinstance(one, Regime) else _MODELS.make(Regime, one, f"regimes.{index}")
            for index, one in enumerate(self.regimes)
        )
        object.__setattr__(self, "regimes", regimes)
        if len(regimes) > 1 and any(math.isinf(regime.days) for regime in regimes):
            raise InvalidInput("regimes", regimes, "regimes that end, or only one")

    def days(self, stream: random.Random) -> Iterator[Day]:
        """Yield days, the first in a regime that is drawn by the share of time it takes."""
        index, count = 0, len(self.regimes)
        if count > 1:
            (index,) = stream.choices(range(count), [one.days for one in self.regimes])
        while True:
            regime = self.regimes[index]
            deviation = _daily_percent(regime.volatility)
            drift = 100 * regime.trend / TRADING_DAYS_PER_YEAR
            yield Day(stream.gauss(drift, deviation), deviation)
            if stream.random() * regime.days < 1:
                index = (index + 1) % count


_MODELS.close()


def _daily_percent(volatility: float) -> float:
    return 100 * volatility / math.sqrt(TRADING_DAYS_PER_YEAR)
