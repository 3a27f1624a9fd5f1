"""How often fair orders are stopped, and epochs stay without a price, at the default settings.

Beside two of the measured shares stands what the path's own statistics say: the same question asked
of the underlying prices alone, at the times when prices became final in the run.

usage: python tools/measure_defaults.py [--runs N] [--epochs N]
"""

import argparse
import itertools
import math

import numpy as np

import streamlet_lab as sl
from streamlet_lab.simulator import StockSimulation
from streamlet_lab.units import MICROSECONDS_PER_SECOND


def measured(result: sl.Result) -> tuple[sl.Share | None, sl.Share | None, sl.Share]:
    """Return which share of fair orders was stopped, and at entry; of epochs without a price."""
    numbers = result.market_numbers
    unpriced = result.epochs["claim"] != "price_consensus"
    return (
        numbers["fair_stopped_rate"],
        sl.Share.of(numbers["fair_stopped_at_entry"], numbers["fair_orders"]),
        sl.Share(int(unpriced.sum()), len(unpriced)),
    )


def expected(experiment: sl.Experiment, result: sl.Result) -> tuple[sl.Share, sl.Share]:
    """Return the shares of fair orders stopped at entry, and of epochs without a price.

    From the path and the times of finality alone. A reference that is final at time t was quoted at
    the beginning of its epoch. An honest limit price is the true price times a normal factor, which
    is fair near one; the chance to be fair and outside the band follows for each order from the two
    true prices. Before the first finalization every order is stopped. An epoch has no price if the
    path moved by more than 10 %.
    """
    network = StockSimulation(experiment.config)
    length, market = network.epoch_length, experiment.config.market
    spread = 0.005  # of a noise trader's limit prices
    band, fair = (float(percent) / 100 for percent in (market.band_percent, market.fair_percent))
    finals = result.epochs.dropna(subset=["finalized_s"])
    final_at = finals["finalized_s"].to_numpy()
    quoted = [network.true_price(int(epoch) * length) for epoch in finals["epoch"]]
    orders = result.orders
    limits = orders[(orders["intent"] == "honest") & (orders["type"] == "limit")]
    is_fair = _between(1 - fair, 1 + fair, spread)
    stopped = []
    for time in limits["time_s"]:
        latest = int(np.searchsorted(final_at, time, side="right")) - 1
        passes = 0.0
        if latest >= 0:
            now = network.true_price(round(time * MICROSECONDS_PER_SECOND))
            low, high = ((1 + sign * band) * quoted[latest] / now for sign in (-1, 1))
            passes = _between(max(low, 1 - fair), min(high, 1 + fair), spread)
        stopped.append(is_fair - passes)
    starts = [network.true_price(epoch * length) for epoch in range(experiment.config.epochs)]
    moves = [abs(after / before - 1) for before, after in itertools.pairwise(starts)]
    return (
        sl.Share(math.fsum(stopped), is_fair * len(limits)),
        sl.Share(sum(move > 0.10 for move in moves), len(starts)),
    )


def _between(low: float, high: float, spread: float) -> float:
    """Probability that 1 + spread · Z lies between the two."""
    below_low, below_high = (math.erf((end - 1) / spread / math.sqrt(2)) for end in (low, high))
    return max(0.0, 0.5 * (below_high - below_low))


def _line(label: str, shares: list[sl.Share | None]) -> str:
    found = sl.share_interval(shares)
    ends = f"[{100 * found.low:.2f}, {100 * found.high:.2f}]"
    return f"{label:<52} {100 * found.mean:6.2f} %  {ends} {found.note}".rstrip()


def main() -> None:
    """Run the default experiment with many seeds and print the shares."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--runs", type=int, default=40, metavar="N")
    parser.add_argument("--epochs", type=int, default=200, metavar="N")
    options = parser.parse_args()
    rows = []
    for seed in range(options.runs):
        experiment = sl.Experiment(epochs=options.epochs, seed=seed, signatures="none")
        result = experiment.run()
        rows.append((*measured(result), *expected(experiment, result)))
    stopped, at_entry, unpriced, at_entry_by_path, unpriced_by_path = map(
        list, zip(*rows, strict=True)
    )
    print(f"{options.runs} runs of {options.epochs} epochs, default settings, 95 % intervals")
    print(_line("fair orders stopped, for whatever reason", stopped))
    print(_line("fair orders stopped at entry, measured", at_entry))
    print(_line("the same, from the path alone", at_entry_by_path))
    print(_line("epochs without a price, measured", unpriced))
    print(_line("the same, from the path alone", unpriced_by_path))


if __name__ == "__main__":
    main()
