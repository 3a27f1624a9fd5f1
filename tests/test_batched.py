"""The batched engine is the full one, run for run, where it plays at all; the rest it refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import streamlet_lab as sl
from streamlet_lab.batched import MEASURES, measure_runs
from streamlet_lab.batched.lockstep import NEVER_IN_RUN, Delays, Inputs, Orders, Quotes, play
from streamlet_lab.batched.tally import tally
from streamlet_lab.consensus import Proposal
from streamlet_lab.measures import to_measure
from streamlet_lab.streams import generator


def from_table(table):
    """Delays of a kind that looks each copy up, by message, sender, receiver and epoch."""

    def kind(stream, network, nodes):
        def delay(message, sender, receiver, time):
            if isinstance(message, Proposal):
                return int(table[0, sender, receiver, message.block.epoch])
            voter = int(message.voter.removeprefix("node_"))
            return int(table[1 + voter, sender, receiver, message.epoch])

        return delay

    return kind


def micros(values):
    return np.round(values.to_numpy(dtype=float) * 1e6).astype(np.int64)


def inputs_of(result, table):
    """What chance decided in a full run."""
    config = result.config
    names = [*config.node_ids]
    leaders = np.array([[names.index(leader) for leader in result.epochs["leader"]]])
    sources = [*config.prices.source_names]
    shape = len(sources), 1, config.epochs
    price, volume, said = (np.zeros(shape, np.int64) for _ in range(3))
    quotes = result.quotes
    place = quotes["source"].map(sources.index).to_numpy(), 0, quotes["epoch"].to_numpy()
    price[place] = quotes["price_micros"]
    volume[place] = quotes["volume"]
    said[place] = 1
    true_price = micros(result.prices["true_price"])[None]
    orders = result.orders
    return Inputs(
        leaders,
        [Delays(slice(0, 1), slice(0, config.epochs), table[:, :, :, None])],
        Quotes(price, volume, said == 1, true_price),
        Orders(
            np.zeros(len(orders), np.int64),
            micros(orders["time_s"]),
            orders["price_cents"].fillna(0).to_numpy(dtype=np.int64),
            micros(orders["true_price"]),
        ),
    )


def times(values):
    """Seconds as microseconds; what did not happen never does."""
    return np.where(values.isna(), NEVER_IN_RUN, micros(values.fillna(0)))


def assert_same(result, outcome):
    """Every fact of every epoch, node and order."""
    config = result.config
    epochs, finality, orders = result.epochs, result.finality, result.orders
    assert outcome.proposed[0].tolist() == (epochs["block_hash"] != "").tolist()
    assert outcome.voted.sum(axis=0)[0].tolist() == epochs["votes"].tolist()
    for name, column in ((outcome.notarized_at, "notarized_s"), (outcome.final_at, "finalized_s")):
        full = np.full(name[:, 0].shape, NEVER_IN_RUN)
        nodes = finality["node"].map([*config.node_ids, "observer"].index)
        full[nodes, finality["epoch"]] = times(finality[column])
        assert name[:, 0].tolist() == full.tolist()
    cents = result.prices["consensus_cents"].fillna(0)
    assert outcome.cents[0].tolist() == cents.tolist()
    assert outcome.ordered_at.tolist() == orders["reference_epoch"].fillna(-1).tolist()
    known = outcome.ordered_at >= 0
    assert outcome.age[known].tolist() == micros(orders["reference_age_s"][known]).tolist()
    refused = orders["status"] == "rejected"
    early = refused & (orders["reason"] == "no_consensus")
    assert early.tolist() == (~known & (config.market.without_reference == "reject")).tolist()
    outside = refused & (orders["reason"] == "outside_band")
    assert outcome.outside.tolist() == outside.tolist()


@st.composite
def experiments(draw):
    """Settings that the batched engine plays, and a seed for the delays."""
    nodes = draw(st.integers(1, 10))
    epochs = draw(st.integers(1, 24))
    names = [f"node_{index}" for index in range(nodes)]
    kinds = st.sampled_from(["crash", "silent_leader", "withhold_votes"])
    faults = []
    for name in draw(st.lists(st.sampled_from(names), max_size=3)):
        kind, start = draw(kinds), draw(st.integers(0, 12))
        stop = None if kind == "crash" else draw(st.none() | st.integers(start + 1, 20))
        faults.append({"kind": kind, "nodes": [name], "start": start, "stop": stop})
    if draw(st.booleans()):
        faults.append({"kind": "biased", "nodes": ["market_data_1"], "parameters": {"bp": 900}})
    source = {
        "outage": draw(st.sampled_from([0, 0.4])),
        "noise_bp": draw(st.sampled_from([1, 200])),
    }
    return {
        "nodes": nodes,
        "epochs": epochs,
        "seed": draw(st.integers(0, 10**6)),
        "faults": faults,
        "model": draw(st.sampled_from(["byzantine", "crash", "synchronous"])),
        "leaders": draw(
            st.sampled_from(["round_robin", "hashed"])
            | st.lists(st.sampled_from(names), min_size=1, max_size=5)
        ),
        "quorum": draw(st.none() | st.just("2f+1") | st.integers(1, nodes)),
        "echo": draw(st.booleans()),
        "epoch_length": draw(st.sampled_from(["1s", "1234567us"])),
        "signatures": "none",
        "market_time_per_epoch": draw(st.sampled_from(["6.5h", "32.5h", "1min"])),
        "prices": {
            "aggregator": draw(st.sampled_from(["mean", "median", "trimmed_mean", "vwap"])),
            "voter_policy": draw(st.sampled_from(["observe", "bounds"])),
            "deviation_rule": draw(st.sampled_from(["widen", "strict"])),
            "max_deviation_percent": draw(st.sampled_from([1, 2, 10])),
            "min_sources": draw(st.integers(1, 3)),
            "min_price": draw(st.sampled_from([50, "149.995"])),
            "max_price": draw(st.sampled_from([500, "155.005"])),
            "min_volume": draw(st.sampled_from([100, 1_000])),
            "max_volume": draw(st.sampled_from([2_000, 10**10])),
            "sources": [
                "market_data_1",
                {"name": "market_data_2", **source},
                {"name": "external_feed", **source},
            ],
        },
        "market": {
            "band": draw(st.sampled_from(["consensus", "keep_resting"])),
            "band_percent": draw(st.sampled_from([1, 5])),
            "fair_percent": draw(st.sampled_from([1, 5])),
            "without_reference": draw(st.sampled_from(["reject", "allow"])),
            "reference_node": draw(st.sampled_from(["observer", *names])),
            "traders": ["noise_trader", {"kind": "fat_finger", "rate": 0.2}],
        },
    }


@settings(max_examples=60)
@given(experiments(), st.sampled_from([1, 450_000, 500_000]), st.integers(0, 10**6))
def test_it_makes_the_same_of_the_same_inputs(settings, shortest, seed):
    """Also where all delays are Δ, so that everything arrives at the same instants."""
    nodes, epochs = settings["nodes"], settings["epochs"]
    shape = nodes + 1, nodes, nodes + 1, epochs
    table = generator(seed, "delays").integers(shortest, 500_001, shape, dtype=np.int32)
    result = sl.Experiment(**settings, network={"delays": from_table(table)}).run()

    inputs = inputs_of(result, table)
    outcome = play(result.config, inputs)
    assert_same(result, outcome)
    (numbers,) = tally(result.config, inputs, outcome, [*MEASURES])
    measured = np.array([*to_measure([*MEASURES])(result).values()], dtype=float)
    expected = pytest.approx(measured, abs=0, rel=1e-12, nan_ok=True)
    assert np.array([*numbers.values()], dtype=float) == expected


def test_what_arrives_at_the_instant_of_an_order_is_there_before_it():
    config = sl.ExperimentConfig(epochs=3, nodes=1, prices={"sources": 2})
    delays = np.full((2, 1, 2, 1, 3), 7, np.int32)
    shape = 2, 1, 3
    quotes = Quotes(
        np.full(shape, 150_000_000), np.full(shape, 500), np.ones(shape, bool), np.ones((1, 3))
    )
    times = np.array([1_000_006, 1_000_007, 1_000_008])
    orders = Orders(np.zeros(3, int), times, np.full(3, 15_000), np.full(3, 150_000_000))
    leaders = np.zeros((1, 3), int)
    delays = [Delays(slice(0, 1), slice(0, 3), delays)]
    outcome = play(config, Inputs(leaders, delays, quotes, orders))

    assert outcome.ordered_at.tolist() == [-1, 0, 0]
    assert outcome.age[1:].tolist() == [0, 1]


@pytest.mark.parametrize("settings", [{}, {"leaders": "hashed", "nodes": 7}])
def test_what_a_seed_gives_does_not_depend_on_the_batch(settings, monkeypatch):
    config = sl.ExperimentConfig(epochs=30, **settings)
    whole = measure_runs(config, range(12), [*MEASURES])
    monkeypatch.setattr("streamlet_lab.batched.tally._EPOCHS", 30 * 5)
    monkeypatch.setattr("streamlet_lab.batched.draws._DELAYS_AT_ONCE", 26_880)

    assert measure_runs(config, range(12), [*MEASURES]) == whole
    assert measure_runs(config, [7, 3], [*MEASURES]) == [whole[7], whole[3]]
    assert whole[7] != whole[3]


def test_it_refuses_by_name_what_it_does_not_know():
    config = sl.ExperimentConfig(faults={"node_3": "equivocate"})
    with pytest.raises(sl.InvalidInput, match="'full' or 'auto' for faults: 'equivocate'"):
        measure_runs(config, [1], ["orders"])
    with pytest.raises(sl.InvalidInput, match=r"measure: 'ordres' .*did you mean 'orders'"):
        measure_runs(sl.ExperimentConfig(), [1], ["ordres"])


def test_a_corridor_without_end_is_one_that_nothing_leaves():
    """A hundred thousand blocks without a price, at the dearest one: no product overflows."""
    prices = {"max_price": 100_000, "base_price": 99_999, "max_deviation_percent": 10**9}
    config = sl.ExperimentConfig(epochs=9, prices={**prices, "sources": [{"name": "a"}, "b"]})

    assert measure_runs(config, [1], ["epochs_without_price"]) == [{"epochs_without_price": 0}]
