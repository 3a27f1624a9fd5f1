"""What lying leaders and lying sources do to a whole run: to the final price, and to the market."""

from collections.abc import Iterable
from typing import Any, Final, Unpack

import pandas as pd

from streamlet_lab.errors import InvalidInput
from streamlet_lab.fault import Fault
from streamlet_lab.grid import Sweep
from streamlet_lab.metrics import activity, displacement_bp, share_of
from streamlet_lab.prices import source_fault_kinds
from streamlet_lab.result import Result
from streamlet_lab.studies.common import Options, check_result, compare, known, read_names
from streamlet_lab.units import to_whole

#: What voters can check of a leader's claim, from the least to the most.
POLICIES: Final = ("bounds", "observe", "evidence")

# At one minute of market time an epoch, without nights and bursts, honest prices move by about
# 0.1 %: what is far from the truth is so because somebody lied.
_CALM: Final = {"market_time_per_epoch": "1min", "prices.nights": 0, "prices.intraday": 0}


def final_prices(result: Result) -> pd.DataFrame:
    """Return the final prices of a run beside the truth.

    Returns
    -------
    DataFrame
        One row for each final price: ``epoch``, ``symbol``, ``leader``, ``true_price`` and
        ``consensus_price`` in dollars, ``displacement_bp``: how far the second is above the first,
        basis points, and ``spread_bp``: the range of the epoch's honest quotes, those of sources
        without a fault, in basis points of the true price.
    """
    return _final_prices(result).drop(columns=["min", "max"])


def _final_prices(result: Result) -> pd.DataFrame:
    """Return the same, with the lowest and the highest honest quote."""
    check_result(result)
    prices = result.prices
    final = prices[prices["finalized_s"].notna() & (prices["claim"] == "price_consensus")]
    honest = result.quotes[~result.quotes["source"].isin(result.config.faulty_sources)]
    ends = honest.groupby(["epoch", "symbol"])["price"].agg(["min", "max"]).reset_index()
    table = final.merge(ends, on=["epoch", "symbol"], how="left")
    leaders = result.epochs.set_index("epoch")["leader"]
    table = table.assign(
        leader=table["epoch"].map(leaders),
        displacement_bp=displacement_bp(table),
        spread_bp=1e4 * (table["max"] - table["min"]) / table["true_price"],
    )
    columns = ["epoch", "symbol", "leader", "true_price", "consensus_price"]
    return table[[*columns, "displacement_bp", "spread_bp", "min", "max"]]


def oracle_numbers(result: Result) -> dict[str, float | None]:
    """Return how far the final prices of a run are from the truth, and what that cost.

    Returns
    -------
    dict
        ``worst_bp`` and ``mean_bp``: the largest and the mean displacement without sign;
        ``led_worst_bp``: the largest in blocks of faulty leaders; ``beyond_spread_bp``: by how much
        one of these is outside the range of the honest quotes at most, 0 or less if it never is;
        ``final_prices``; ``fair_stopped_rate`` as ``result.market_numbers`` has it; ``denied``: the
        part of it that is outside the band, which is what a displaced price does. None for what
        there is nothing to measure of.
    """
    prices, market = _price_numbers(result), activity(result.frames)
    rate = market["fair_stopped_rate"]
    return {**prices, "fair_stopped_rate": rate, "denied": share_of("denied", market)}


def _price_numbers(result: Result) -> dict[str, float | None]:
    final = _final_prices(result)
    size = final["displacement_bp"].abs()
    led = final[final["leader"].isin(result.config.faulty_nodes)]
    above, below = led["consensus_price"] - led["max"], led["min"] - led["consensus_price"]
    beyond = 1e4 * pd.concat([above, below], axis=1).max(axis=1) / led["true_price"]
    return {
        "worst_bp": known(size.max()),
        "mean_bp": known(size.mean()),
        "led_worst_bp": known(size[led.index].max()),
        "beyond_spread_bp": known(beyond.max()),
        "final_prices": len(final),
    }


def lying_leader(
    policies: str | Iterable[str] = POLICIES,
    aggregators: str | Iterable[str] = ("mean", "median"),
    *,
    direction: str = "up",
    nodes: int = 4,
    sources: int = 5,
    epochs: int = 60,
    **options: Unpack[Options],
) -> Sweep:
    """Run one leader that lies as much as voters let it, under each policy and aggregator.

    The direction is ``"up"`` or ``"down"``; the options are those of
    :func:`~streamlet_lab.studies.compare_bands`. Nobody trades: what is measured is that of
    :func:`oracle_numbers` which is of prices.
    """
    base: dict[str, Any] = {
        **_CALM,
        "nodes": nodes,
        "epochs": epochs,
        "faults": [Fault("price_manipulator", count=1, parameters={"direction": direction})],
        "prices.sources": sources,
        "market.traders": 0,
    }
    over = {
        "prices.voter_policy": read_names("policies", policies),
        "prices.aggregator": read_names("aggregators", aggregators),
    }
    return compare(over, base, {}, _price_numbers, **options)


def denied_trades(
    aggregators: str | Iterable[str] = ("mean", "median"),
    liars: int | Iterable[int] = (0, 1),
    *,
    kind: str = "colluding",
    sources: int = 3,
    epochs: int = 120,
    **options: Unpack[Options],
) -> Sweep:
    """Run lying sources against each aggregator, with a market around the price that they move.

    So many of the last sources have a fault of the kind, one of
    :func:`~streamlet_lab.prices.source_fault_kinds`; the options are those of
    :func:`lying_leader`. Measured are the :func:`oracle_numbers`.
    """
    if kind not in source_fault_kinds():
        expected = f"a kind of fault of sources, one of {', '.join(source_fault_kinds())}"
        raise InvalidInput("kind", kind, expected)
    base = {**_CALM, "epochs": epochs, "prices.sources": sources, "market.traders": 20}
    given = liars if isinstance(liars, Iterable) else (liars,)
    counts = [to_whole(count, 0, "liars") for count in given]
    faults = {count: [Fault(kind, count=count)] if count else [] for count in counts}
    over = {"prices.aggregator": read_names("aggregators", aggregators), "faults": faults}
    return compare(over, base, {}, oracle_numbers, **options)
