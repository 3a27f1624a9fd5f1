"""What each band does to one and the same order flow."""

import pytest

import streamlet_lab as sl
from streamlet_lab.matching.watch import bands as registered
from streamlet_lab.studies import BANDS, band_numbers, compare_bands, gains

# What traders send; the rest of the columns is what becomes of it.
COMMAND = [
    "order_id",
    "time_s",
    "epoch",
    "symbol",
    "trader",
    "kind",
    "intent",
    "side",
    "type",
    "time_in_force",
    "expires_s",
    "quantity",
    "price",
    "price_cents",
    "true_price",
    "fair",
]
MINUTES = {"market_time_per_epoch": "1min"}


def run(band, **settings):
    settings.setdefault("market", {})["band"] = band
    return sl.Experiment(**{"epochs": 40, "signatures": "none"} | settings).run()


def same_flow(results):
    """Whether traders sent the same orders in all runs."""
    first, *others = (result.orders[COMMAND] for result in results)
    return all(first.equals(other) for other in others)


def means(swept, measure):
    return swept.means(measure).set_index("market.band")["mean"]


def test_the_default_traders_send_the_same_whatever_the_band_does():
    results = [run(band, **MINUTES, seed=2) for band in BANDS]
    assert len(results[0].orders) > 100
    assert results[0].orders["intent"].value_counts()["far"] > 1
    assert same_flow(results)
    # And it does something: no two of these have the same fate.
    fates = {tuple(result.orders["filled"]) for result in results[:2]}
    assert len(fates) == 2


def test_every_band_is_compared_on_every_seed():
    swept = compare_bands(epochs=8, repeats=2, settings=MINUTES)
    assert swept.settings == ("market.band",)
    assert swept.frame["market.band"].tolist() == [name for name in BANDS for _ in range(2)]
    assert swept.frame.groupby("seed")["orders"].nunique().eq(1).all()
    assert set(BANDS) <= set(registered())


@pytest.mark.parametrize("band", ["consensus", "trade_only", "keep_resting"])
def test_fair_orders_that_meet_a_price_out_of_line_are_blocked(band):
    result = run(band, epochs=60, seed=7, faults={"node_3": "crash@20"})
    orders = result.orders[result.orders["type"] == "limit"].set_index("order_id")
    blocked, fair = set(), set()
    for name, order in orders.iterrows():
        if abs(order["price"] - order["true_price"]) <= 0.05 * order["true_price"]:
            fair.add(name)
    for row in result.rejections.itertuples():
        far = row.price == row.price and abs(row.price / row.true_price - 1) > 0.05
        meets = row.order_id in fair and row.reason == "outside_band" and far
        if meets and row.time_s == orders.loc[row.order_id, "time_s"]:
            blocked.add(row.order_id)
    share = band_numbers(result)["blocked_share"]
    assert (share.part, share.whole) == (len(blocked), len(fair))
    assert (share > 0.2) == (band != "consensus")


@pytest.mark.parametrize("band", ["consensus", "keep_resting"])
def test_shares_are_those_of_the_orders_counted_one_by_one(band):
    result = run(band, epochs=60, seed=1)
    came = dict(zip(result.orders["order_id"], result.orders["time_s"], strict=True))
    at_once, later = set(), set()
    for row in result.rejections.itertuples():
        if row.reason in ("outside_band", "no_consensus"):
            (at_once if row.time_s == came[row.order_id] else later).add(row.order_id)
    numbers = band_numbers(result)
    assert numbers["refused_share"] == len(at_once) / len(came) > 0
    assert numbers["swept_share"] == len(later) / len(came)
    assert bool(later) == (band == "consensus")
    for name, value in result.market_numbers.items():
        assert numbers[name] == value


def test_what_one_kind_gains_the_others_lose_and_who_knows_the_price_does_not_lose():
    traders = ["market_maker", "informed", {"kind": "noise_trader", "count": 5}]
    result = run("consensus", market={"traders": traders}, **MINUTES)
    gained = gains(result)
    trades = result.trades
    informed = trades["buy_order_id"].str.startswith("informed") * 1
    informed -= trades["sell_order_id"].str.startswith("informed")
    by_hand = (informed * trades["quantity"] * (trades["true_price"] - trades["price"])).sum()
    assert gained["informed"] == pytest.approx(by_hand)
    assert by_hand > 0
    assert gained.sum() == pytest.approx(0)
