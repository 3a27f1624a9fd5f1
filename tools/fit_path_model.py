"""Fit the default path model, GJR-GARCH-t, to AAPL's daily returns of 2003–2013, without drift.

The parameters of the highest likelihood make paths unlike the history: the fourth moment hardly
exists, so that a few paths have an enormous sample kurtosis, and falls raise the volatility too
little. So three moments of the history are conditions, and the likelihood decides about the rest:

- the variance is the sample's (variance targeting, Engle and Mezrich 1996);
- the excess kurtosis, in its closed form, is at most a standard error above the sample's;
- the leverage, as its mean over simulated paths of the history's length, likewise.

Tail index, clustering and autocorrelation are left out of the fit and show how good it is. Beside
it stands the fit of the highest likelihood, the path model "gjr_garch_mle", with what it changes.

Two more numbers of the default path are found here: the share of the nights in AAPL's variance, and
how fat the tails within a session have to be for the kurtosis of five minutes in the literature.

usage: python tools/fit_path_model.py [--paths N]
"""

import argparse
import functools
import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize
from scipy.special import gammaln, stdtrit
from scipy.stats import chi2, norm

from streamlet_lab.prices import GjrGarch, facts, path_model
from streamlet_lab.prices.daily_history import SYMBOLS
from streamlet_lab.prices.intraday import PARTS, TYPICAL_INTRADAY
from streamlet_lab.prices.models import gjr_garch_mle
from streamlet_lab.streams import stream
from streamlet_lab.studies import compare_ages

Returns = NDArray[np.float64]

#: Of the paths of the fit; the check in the tests has seeds 0 to 39.
FIRST_SEED = 1_000
CHECKS = {"the tests' seeds": range(40), "other seeds": range(2_000, 2_040)}

#: Days that a resample of the history keeps together, and how many resamples there are.
BLOCK, RESAMPLES = 252, 1_000

#: Variance, kurtosis and leverage.
CONDITIONS = 3

#: Excess kurtosis of the moves of S&P 500 index futures in five minutes (Cont 2001).
KURTOSIS_OF_FIVE_MINUTES = 15.95


def standard_errors(returns: Returns) -> dict[str, float]:
    """Return how much each fact varies between resamples of a history, by its name.

    Half the width of the middle 95 % of the resamples, over 1.96. They are the tolerances of the
    fit, and no measure of how far another history may be off: see `streamlet_lab.prices.facts`. The
    resampling is a moving-block bootstrap (Künsch 1989). Blocks of a trading year keep what lasts
    for weeks, such as the clustering of volatility; joins between blocks weaken it by lag / 252,
    8 % at most.
    """
    random_stream = stream(0, "prices/facts/bootstrap")
    starts = range(len(returns) - BLOCK + 1)
    blocks = math.ceil(len(returns) / BLOCK)
    measured: dict[str, list[float]] = {name: [] for name in facts.FACTS}
    for _ in range(RESAMPLES):
        drawn = random_stream.choices(starts, k=blocks)
        resample = np.concatenate([returns[start : start + BLOCK] for start in drawn])
        for name, fact in facts.FACTS.items():
            measured[name].append(fact(resample[: len(returns)]))
    ends = {name: np.quantile(values, (0.025, 0.975)) for name, values in measured.items()}
    return {name: float(np.ptp(pair) / 2 / norm.ppf(0.975)) for name, pair in ends.items()}


def half_life(model: GjrGarch) -> float:
    """Return after how many days half of a surprise in the variance is left."""
    return math.log(0.5) / math.log(model.persistence)


def log_likelihood(model: GjrGarch, returns: Returns) -> float:
    """Return the logarithm of the density of the returns, in percent, without their mean.

    The first day has the long-run variance.
    """
    shocks = returns - returns.mean()
    variances, variance = [], model.long_run_variance
    for shock in shocks.tolist():
        variances.append(variance)
        variance = model.next_variance(variance, shock)
    nu, scaled = model.degrees_of_freedom, np.array(variances)
    constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - math.log(math.pi * (nu - 2)) / 2
    tails = (nu + 1) / 2 * np.log1p(shocks**2 / scaled / (nu - 2))
    return float(np.sum(constant - np.log(scaled) / 2 - tails))


def simulate(model: GjrGarch, uniforms: Returns) -> Returns:
    """Return paths, one a row, that move smoothly with the parameters: quantiles of uniforms."""
    nu = model.degrees_of_freedom
    innovations = math.sqrt((nu - 2) / nu) * stdtrit(nu, uniforms)
    variance = np.full(len(uniforms), model.long_run_variance)
    shocks: Returns = np.empty_like(innovations)
    for day, drawn in enumerate(innovations.T):
        shock = np.sqrt(variance) * drawn
        shocks[:, day] = shock
        response = model.alpha + model.gamma * (shock < 0)
        variance = model.omega + response * shock**2 + model.beta * variance
    return shocks


def highest_likelihood(returns: Returns) -> GjrGarch:
    """Return the fit without conditions."""

    def read(logarithms: Returns) -> GjrGarch | None:
        omega, alpha, gamma, rest, nu = np.exp(logarithms)
        beta = 1 - rest - alpha - gamma / 2
        return GjrGarch(omega, alpha, gamma, beta, 2 + nu) if beta >= 0 else None

    def loss(logarithms: Returns) -> float:
        model = read(logarithms)
        return math.inf if model is None else -log_likelihood(model, returns)

    start = np.log([0.09, 0.024, 0.063, 0.013, 3.4])
    options = {"maxiter": 4_000, "maxfev": 4_000, "xatol": 1e-5, "fatol": 1e-5}
    found = minimize(loss, start, method="Nelder-Mead", options=options)
    model = read(found.x)
    assert found.success, found.message
    assert model is not None
    return model


def conditional_fit(returns: Returns, paths: int) -> GjrGarch:
    """Return the fit with the conditions."""
    variance = float(np.var(returns))
    most = {
        name: _a_standard_error_above(name, returns) for name in ("excess_kurtosis", "leverage")
    }
    seeds = range(FIRST_SEED, FIRST_SEED + paths)
    uniforms = np.array([np.random.default_rng(seed).random(len(returns)) for seed in seeds])

    @functools.lru_cache(maxsize=16)
    def read(logarithms: tuple[float, ...]) -> GjrGarch:
        alpha, gamma, rest, nu = np.exp(logarithms)
        return GjrGarch(variance * rest, alpha, gamma, 1 - rest - alpha - gamma / 2, 4 + nu)

    @functools.lru_cache(maxsize=16)
    def mean_leverage(model: GjrGarch) -> float:
        return float(np.mean([facts.leverage(path) for path in simulate(model, uniforms)]))

    # Both of the order of 0.1 to 1, as the optimizer likes it. Inverted, the kurtosis stays finite
    # where the fourth moment does not.
    def kurtosis_left(logarithms: Returns) -> float:
        return 10 / read(tuple(logarithms)).excess_kurtosis - 10 / most["excess_kurtosis"]

    def leverage_left(logarithms: Returns) -> float:
        return 100 * (most["leverage"] - mean_leverage(read(tuple(logarithms))))

    found = minimize(
        lambda logarithms: -log_likelihood(read(tuple(logarithms)), returns),
        np.log([0.018, 0.10, 0.03, 2.9]),
        method="SLSQP",
        constraints=[
            {"type": "ineq", "fun": kurtosis_left},
            {"type": "ineq", "fun": leverage_left},
        ],
        options={"eps": 1e-4, "ftol": 1e-4, "maxiter": 100},
    )
    assert found.success, found.message
    return read(tuple(found.x))


def kurtosis_within_the_session(model: GjrGarch, intraday: float, cells: int) -> float:
    """Return the excess kurtosis of the moves in so many cells of 30 seconds, from their beginning.

    That is 3 E[v²] / E[v]², less 3, where v is the variance in them: a share of the day's variance,
    and by how much more the day's own square is on average is what the model has beyond its
    innovations.
    """
    nu = model.degrees_of_freedom
    of_days = (model.excess_kurtosis + 3) / (3 * (nu - 2) / (nu - 4))
    products = np.ones((1, 1))  # E[s t] of the shares of any two cells
    for parts in PARTS[:4]:
        grown = parts**intraday
        alike, unlike = grown / parts**2, (parts - grown) / (parts**2 * (parts - 1))
        within = unlike + (alike - unlike) * np.eye(parts)
        split = np.kron(products, np.full((parts, parts), 1 / parts**2))
        split += np.kron(np.diag(np.diag(products)), within - 1 / parts**2)
        products = split
    count = len(products) // cells
    squares = [products[i : i + cells, i : i + cells].sum() for i in range(0, count * cells, cells)]
    return float(3 * of_days * np.mean(squares) * count**2 - 3)


def fitted_intraday(model: GjrGarch) -> float:
    """Return the ``intraday`` that gives five minutes the kurtosis of the literature."""
    return float(
        brentq(
            lambda h: kurtosis_within_the_session(model, h, 10) - KURTOSIS_OF_FIVE_MINUTES,
            0.01,
            0.9,
        )
    )


def _a_standard_error_above(name: str, returns: Returns) -> float:
    return facts.FACTS[name](returns) + standard_errors(returns)[name]


def main() -> None:
    """Fit, and print parameters, likelihoods and facts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--paths", type=int, default=400, metavar="N", help="paths of the fit")
    options = parser.parse_args()
    returns = facts.real_returns()
    models = {
        "highest_likelihood": highest_likelihood(returns),
        "gjr_garch_mle": gjr_garch_mle(),
        "conditional": conditional_fit(returns, options.paths),
        "gjr_garch": GjrGarch(),
    }
    print(
        f"{'':<20}{'ω':>9}{'α':>9}{'γ':>9}{'β':>9}{'ν':>9}{'log L':>12}{'kurtosis':>10}"
        f"{'half-life':>11}"
    )
    for name, model in models.items():
        values = (model.omega, model.alpha, model.gamma, model.beta, model.degrees_of_freedom)
        row = "".join(f"{value:9.4f}" for value in values)
        moments = f"{log_likelihood(model, returns):12.2f}{model.excess_kurtosis:10.2f}"
        print(f"{name:<20}{row}{moments}{half_life(model):11.1f}")
    for name in ("highest_likelihood", "conditional"):
        path_model(name)(lambda model=models[name]: model)
    lost = log_likelihood(models["gjr_garch_mle"], returns) - log_likelihood(GjrGarch(), returns)
    print(
        f"\nThe conditions cost {lost:.2f} of log L: likelihood ratio {2 * lost:.2f}, "
        f"p = {chi2.sf(2 * lost, CONDITIONS):.1e} with {CONDITIONS} degrees of freedom"
    )
    for label, seeds in CHECKS.items():
        print(f"\nFacts, {label}: {seeds.start} to {seeds.stop - 1}")
        print(facts.compare_facts(models, seeds).round(4).to_string(index=False))
    print("\nShare of prices more than 5 % away from those some days before")
    print(compare_ages(models, (1, 2, 3)).round(4).to_string(index=False))
    print("\nShare of the nights in the variance")
    for symbol in SYMBOLS:
        print(f"{symbol:<6}{facts.night_share(symbol):.3f}")
    intraday = fitted_intraday(GjrGarch())
    print(f"\nintraday = {intraday:.3f}; excess kurtosis with the default, {TYPICAL_INTRADAY}:")
    for minutes in (0.5, 1, 5, 30):
        found = kurtosis_within_the_session(GjrGarch(), TYPICAL_INTRADAY, round(2 * minutes))
        print(f"{minutes:>4} min{found:9.2f}")


if __name__ == "__main__":
    main()
