"""What is due to consensus, and what to age."""

import numpy as np
import pytest

import streamlet_lab as sl
from streamlet_lab.prices import TRADING_DAY
from streamlet_lab.studies import (
    REFERENCES,
    beside_consensus,
    compare_references,
    reference_numbers,
)

CRASH = {"faults": {"node_3": "crash"}}
HOURS = {"market_time_per_epoch": "1h", "epoch_length": "800ms", "network.delta": "400ms"}


@pytest.fixture(scope="module")
def calm():
    return compare_references(epochs=45, repeats=4)


def means(swept, measure):
    return swept.means(measure).set_index("market.reference")["mean"]


def test_the_consensus_comes_first_and_all_have_the_same_seeds_and_orders(calm):
    assert list(calm.frame["market.reference"].unique()) == ["consensus", *REFERENCES]
    assert calm.complete
    assert len(calm.frame) == calm.planned == 5 * 4
    seeds = calm.frame.groupby("repeat")
    assert (seeds[["seed", "orders", "fair_orders"]].nunique() == 1).all(axis=None)
    assert (calm.frame["without_reference"] == 0).all()


@pytest.mark.parametrize(
    ("settings", "epoch_days", "period"),
    [({}, 1, 1), (CRASH, 1, 4), (HOURS, 1 / 6.5, 1)],
    ids=["a day", "a crash", "hours"],
)
def test_the_others_are_given_the_age_of_the_consensus(settings, epoch_days, period):
    names = ["delayed", "delayed_always", "twap"]
    # So calm that no move leaves the corridor: an epoch without a price would age the reference.
    still = {**settings, "prices.volatility": 0.3}
    swept = compare_references(names, settings=still, epochs=50, repeats=3)
    ages = means(swept, "mean_age_days") / epoch_days
    # The consensus is at least an epoch old, and as old again as finality is rare.
    assert ages["consensus"] == pytest.approx(1.1 + period / 2, abs=0.15)
    for name in ("delayed", "delayed_always", "twap"):
        # A window has whole steps; and orders do not come at equal distances.
        assert ages[name] == pytest.approx(ages["consensus"], abs=0.06), name
    periods = means(swept, "period_days") / epoch_days
    assert periods["consensus"] == pytest.approx(period)
    assert periods["delayed"] == pytest.approx(period)
    phases = means(swept, "phase_days") / epoch_days
    # Where node_3 never leads a block, the middle one of the three others is final first.
    assert phases["delayed"] == phases["consensus"] == pytest.approx(1 if period > 1 else 0)
    assert periods["delayed_always"] < 0.3  # as often as an order comes


def test_the_differences_are_those_of_runs_with_the_same_seed(calm):
    table = beside_consensus(calm, "mean_age_days", "distance_percent")
    assert list(table["reference"]) == 2 * ["consensus", *REFERENCES]
    assert table[table["reference"] == "consensus"]["difference"].isna().all()
    wide = calm.frame.pivot(index="repeat", columns="market.reference", values="distance_percent")
    row = table[(table["measure"] == "distance_percent") & (table["reference"] == "twap")].iloc[0]
    paired = wide["consensus"] - wide["twap"]
    assert row["mean"] == pytest.approx(wide["twap"].mean())
    assert row["difference"] == pytest.approx(paired.mean())
    assert row["low"] < row["difference"] < row["high"]
    assert row["n"] == 4


def test_the_numbers_of_a_reference_are_those_of_its_orders_counted_one_by_one():
    reference = {"kind": "delayed", "parameters": {"delay": "9h", "every": "13h"}}
    settings = {"epochs": 40, "signatures": "none", "seed": 3, "market": {"reference": reference}}
    experiment = sl.Experiment(**settings)
    result = experiment.run()
    step, ages, squares, fair = TRADING_DAY // 10, [], [], set()
    entry, later = set(), set()
    for row in result.orders.itertuples():
        if row.time_s < 10:
            continue
        market_time = round(row.time_s * TRADING_DAY)
        quoted = (market_time - 9 * 3_600 * 10**6) // (2 * TRADING_DAY) * 2 * TRADING_DAY
        assert round(row.reference_quoted_s * TRADING_DAY) == quoted
        ages.append((market_time // step - quoted // step) / 10)
        squares.append((row.reference_price / row.true_price - 1) ** 2)
        if row.fair and row.type == "limit":
            fair.add(row.order_id)
    for row in result.rejections.itertuples():
        if row.order_id in fair and row.verdict == "false":
            (entry if row.action == "rejected" else later).add(row.order_id)
    # What had come before does not count, though it is swept later.
    swept = result.rejections[result.rejections.time_s >= 10]
    assert not {*swept.order_id} <= {*result.orders.order_id[result.orders.time_s >= 10]}
    numbers = reference_numbers(result)
    assert numbers["orders"] == len(ages) > 100
    assert numbers["mean_age_days"] == pytest.approx(sum(ages) / len(ages))
    assert numbers["distance_percent"] == pytest.approx(100 * np.sqrt(sum(squares) / len(squares)))
    assert numbers["period_days"] == pytest.approx(2)
    assert numbers["phase_days"] == 0
    assert numbers["fair_orders"] == len(fair)
    assert numbers["fair_stopped_at_entry"] == len(entry) > 0
    assert numbers["fair_orders_stopped"] == len(entry | later) > len(entry)
    assert numbers["fair_stopped_rate"] == len(entry | later) / len(fair)


def test_a_run_that_is_over_too_soon_has_no_numbers():
    numbers = reference_numbers(sl.Experiment(epochs=10, signatures="none").run())
    assert numbers["mean_age_days"] is numbers["period_days"] is numbers["distance_percent"] is None
    assert numbers["orders"] == 0
    with pytest.raises(sl.InvalidInput, match="final after 10 epochs"):
        compare_references("twap", epochs=10, repeats=1)


def test_progress_is_that_of_all_runs():
    seen = []
    compare_references(
        ["twap", "heartbeat"],
        epochs=12,
        repeats=2,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(done, 6) for done in range(1, 7)]


def test_an_interrupt_loses_nothing_that_was_finished():
    def stop(done, total):
        if done == 2:
            raise KeyboardInterrupt

    swept = compare_references("twap", epochs=12, repeats=3, progress=stop)
    assert len(swept.frame) == 2
    assert swept.planned == 6
    assert not swept.complete


def test_a_run_that_fails_costs_no_other(monkeypatch):
    failing = iter([True])

    def numbers(result):
        if next(failing, False):
            raise ZeroDivisionError
        return reference_numbers(result)

    monkeypatch.setattr("streamlet_lab.studies.reference_costs.reference_numbers", numbers)
    with pytest.warns(UserWarning, match="a run failed"):
        swept = compare_references("twap", epochs=12, repeats=3)
    assert (len(swept.frame), len(swept.failures), swept.planned) == (5, 1, 6)
    assert not swept.interrupted
