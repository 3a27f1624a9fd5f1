"""How often honest orders are rejected, and epochs stay without a price, at the default settings.

Beside each measured share stands what the path's own statistics say: the same question asked of
the underlying prices alone, without consensus, network or order book.

usage: python tools/measure_defaults.py [--runs N] [--epochs N]
"""

import argparse
import itertools
import math

import numpy as np

import streamlet_lab as sl
from streamlet_lab.charts import Flow
from streamlet_lab.simulator import StockMarketConsensusNetwork
from streamlet_lab.units import MICROSECONDS_PER_SECOND


def measured(result: sl.Result) -> tuple[sl.Share, sl.Share]:
    """Return the share of honest limit orders rejected at entry, and of epochs without a price.

    Orders before the first finalization are left out: they are rejected for another reason.
    """
    orders = result.orders
    limits = orders[
        (orders["intent"] == "honest")
        & (orders["type"] == "limit")
        & orders["reference_price"].notna()
    ]
    unpriced = result.epochs["claim"] != "price_consensus"
    return (
        sl.Share(int((limits["status"] == "rejected").sum()), len(limits)),
        sl.Share(int(unpriced.sum()), len(unpriced)),
    )


def expected(experiment: sl.Experiment, result: sl.Result) -> tuple[sl.Share, sl.Share]:
    """Return the same two shares, from the path alone.

    A reference that is final at time t was quoted at the beginning of its epoch. An honest limit
    price is the true price times a normal factor; the share outside the band follows for each
    order from the two true prices. An epoch has no price if the path moved by more than 10 %.
    """
    network = StockMarketConsensusNetwork(experiment.config)
    length, market = network.epoch_length, experiment.config.market
    spread, band = Flow().spread_percent / 100, float(market.band_percent) / 100
    finals = result.epochs.dropna(subset=["finalized_s"])
    final_at = finals["finalized_s"].to_numpy()
    quoted = [network.true_price(int(epoch) * length) for epoch in finals["epoch"]]
    orders = result.orders
    limits = orders[(orders["intent"] == "honest") & (orders["type"] == "limit")]
    shares = []
    for time in limits["time_s"]:
        latest = int(np.searchsorted(final_at, time, side="right")) - 1
        if latest >= 0:
            now = network.true_price(round(time * MICROSECONDS_PER_SECOND))
            shares.append(1 - _inside(now / quoted[latest], spread, band))
    starts = [network.true_price(epoch * length) for epoch in range(experiment.config.epochs)]
    moves = [abs(after / before - 1) for before, after in itertools.pairwise(starts)]
    return (
        sl.Share(math.fsum(shares), len(shares)),
        sl.Share(sum(move > 0.10 for move in moves), len(starts)),
    )


def _inside(ratio: float, spread: float, band: float) -> float:
    """Probability that ratio · (1 + spread · Z) lies in 1 ± band."""
    low, high = (((1 + sign * band) / ratio - 1) / spread for sign in (-1, 1))
    return 0.5 * (math.erf(high / math.sqrt(2)) - math.erf(low / math.sqrt(2)))


def _line(label: str, shares: list[sl.Share]) -> str:
    found = sl.share_interval(shares)
    ends = f"[{100 * found.low:.2f}, {100 * found.high:.2f}]"
    return f"{label:<52} {100 * found.mean:6.2f} %  {ends} {found.note}".rstrip()


def main() -> None:
    """Run the default experiment with many seeds and print both shares."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--runs", type=int, default=40, metavar="N")
    parser.add_argument("--epochs", type=int, default=200, metavar="N")
    options = parser.parse_args()
    rows = []
    for seed in range(options.runs):
        experiment = sl.Experiment(epochs=options.epochs, seed=seed, signatures="none")
        result = experiment.run()
        rows.append((*measured(result), *expected(experiment, result)))
    rejected, unpriced, rejected_by_path, unpriced_by_path = map(list, zip(*rows, strict=True))
    print(f"{options.runs} runs of {options.epochs} epochs, default settings, 95 % intervals")
    print(_line("honest limit orders rejected, measured", rejected))
    print(_line("the same, from the path alone", rejected_by_path))
    print(_line("epochs without a price, measured", unpriced))
    print(_line("the same, from the path alone", unpriced_by_path))


if __name__ == "__main__":
    main()
