"""Fit the outlier rule ``tail`` to real history, and measure what it is worth.

Prints the fitted constant for several return periods; how many honest quotes the rule takes for
outliers, on histories (those before 2003 and of other shares were not fitted) and on simulated
paths; and how many lies it finds, beside the plain rule that a price must lie within 10 % of the
previous consensus.

usage: python tools/fit_outlier_rule.py [--epochs N]
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from streamlet_lab.prices import (
    SIMULATED,
    TRADING_DAY,
    PreviousConsensus,
    PriceValidation,
    QuoteFeed,
    StockPrice,
    make_path,
)
from streamlet_lab.prices.daily_history import adjust_for_splits, load_bars
from streamlet_lab.prices.facts import real_returns
from streamlet_lab.prices.outliers import TailRule, find_outlier_rule, tail_level
from streamlet_lab.prices.rounds import OutlierRule
from streamlet_lab.units import round_price

MINUTE = TRADING_DAY // 390
LIES = (Decimal("0.001"), Decimal("0.01"), Decimal("0.05"), Decimal("0.10"))


def simple_returns(symbol: str, first_year: int, last_year: int) -> NDArray[np.float64]:
    """Return a share's daily returns in percent, without its splits."""
    bars = [
        bar
        for bar in adjust_for_splits(symbol, load_bars(symbol))
        if first_year <= bar.date.year <= last_year
    ]
    closes = np.array([float(bar.close) for bar in bars])
    return np.asarray(100 * (closes[1:] / closes[:-1] - 1))


def simulated_quotes(market_time_per_epoch: int, epochs: int) -> list[tuple[StockPrice, ...]]:
    """Return the quotes of three ordinary sources around a simulated path."""
    path = make_path(SIMULATED, 0, market_time_per_epoch)
    feed = QuoteFeed(path, market_time_per_epoch, 0)
    return [feed.quotes(epoch) for epoch in range(epochs)]


def lying(quotes: Sequence[StockPrice], lie: Decimal, liars: int) -> list[StockPrice]:
    """Return the quotes with the first few of them raised by a part of their price."""
    raised = [
        replace(quote, price=round_price(quote.price * (1 + lie))) for quote in quotes[:liars]
    ]
    return [*raised, *quotes[liars:]]


def flagged(
    epochs: Sequence[Sequence[StockPrice]], rule: OutlierRule, lie: Decimal, liars: int
) -> tuple[float, float]:
    """Return the shares of lies and of honest quotes that a rule takes for outliers.

    The previous consensus is an honest quote of the epoch before.
    """
    lies = honest = lies_found = honest_found = 0
    for epoch in range(1, len(epochs)):
        previous = PreviousConsensus(epochs[epoch - 1][-1].price, epoch - 1)
        quotes = lying(epochs[epoch], lie, liars)
        verdicts = [rule(quote, quotes, previous, epoch) for quote in quotes]
        lies, lies_found = lies + liars, lies_found + sum(verdicts[:liars])
        honest, honest_found = honest + len(quotes) - liars, honest_found + sum(verdicts[liars:])
    return lies_found / max(lies, 1), honest_found / honest


def ten_percent(
    quote: StockPrice, quotes: Sequence[StockPrice], previous: PreviousConsensus | None, epoch: int
) -> bool:
    """Take for an outlier what is more than 10 % away from the previous consensus."""
    return previous is not None and not PriceValidation().within_deviation(quote.price, previous)


def main() -> None:
    """Print the fit and both rates."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--epochs", type=int, default=20_000, metavar="N")
    options = parser.parse_args()

    returns = 100 * np.expm1(real_returns() / 100)
    print(
        f"moves of AAPL 2003-2013 ({len(returns)} days) exceeded once in so many days, in percent"
    )
    for days in (100, 250, 500, 1_000, 2_500):
        seen = np.quantile(abs(returns), 1 - 1 / days)
        print(f"  {days:5d}  fitted {tail_level(abs(returns), days):6.2f}  seen {seen:6.2f}")
    rule = TailRule.fit(returns)
    print(rule)

    print("\ndays whose move alone is beyond it (expected: 1 in 1,000)")
    for symbol, first, last in (
        ("AAPL", 2003, 2013),
        ("AAPL", 2000, 2002),
        ("MSFT", 2000, 2013),
        ("IBM", 2000, 2013),
        ("GOOG", 2004, 2013),
    ):
        moves = abs(simple_returns(symbol, first, last))
        beyond = int((moves > float(rule.daily_move_percent)).sum())
        share = 100 * beyond / len(moves)
        print(f"  {symbol:5} {first}-{last}  {beyond:3d} of {len(moves)}  {share:.3f} %")

    print(f"\nthree sources on a simulated path, {options.epochs} epochs: outliers in percent")
    print(f"  {'epoch':7} {'lie':>7} {'liars':>6} {'':>6} {'lies':>9} {'honest':>9}")
    for name, length in (("day", TRADING_DAY), ("minute", MINUTE)):
        epochs = simulated_quotes(length, options.epochs)
        rules = {"tail": find_outlier_rule("tail", length), "10 %": ten_percent}
        for lie, liars in [(Decimal(0), 0)] + [(lie, n) for n in (1, 2) for lie in LIES]:
            for label, judge in rules.items():
                found, wrong = flagged(epochs, judge, lie, liars)
                shown = f"{100 * found:9.3f}" if liars else f"{'':9}"
                print(f"  {name:7} {lie:7.1%} {liars:6d} {label:>6} {shown} {100 * wrong:9.4f}")


if __name__ == "__main__":
    main()
