"""The settings of the explorer: what each of them makes of the experiment."""

from typing import get_args

import pytest

from streamlet_lab import Experiment, Fault, InvalidInput, fault_kinds
from streamlet_lab.config import ED25519_TIMES, PricesConfig
from streamlet_lab.matching import StalePolicy, bands
from streamlet_lab.prices import aggregators, outlier_rules, path_models, source_fault_kinds
from streamlet_lab.simulator import delay_kinds, own_trader_kinds, reference_kinds
from streamlet_lab.widgets.settings import CONTROLS, Settings

from .others import OTHERS

# All that the other value of a setting changes in the document of the experiment.
CHANGES = {
    "epochs": {"epochs": 30},
    "nodes": {"nodes": 7},
    "faulty": {"faults.0.count": 2},
    "fault": {"faults.0.kind": "silent_leader"},
    "seed": {"seed": 5},
    "picture": {},
    "model": {"model": "crash"},
    "leaders": {"leaders": "hashed"},
    "quorum": {"quorum": "2f+1"},
    "epoch_deltas": {"epoch_length": "1750ms"},
    "echo": {"echo": False},
    "fault_epochs": {"faults.0.start": 4, "faults.0.stop": 9},
    "delays": {"network.delays": "uniform"},
    "median_delay_ms": {"network.median_delay": "90ms"},
    "delay_spread": {"network.delay_spread": 1.2},
    "delta_ms": {"network.delta": "800ms", "epoch_length": "1600ms"},
    "gst_s": {"network.gst": "10s"},
    "bad_s": {"network.bad_periods.0.start": "20s", "network.bad_periods.0.stop": "30s"},
    "slowdown": {"network.slowdown": 50.0},
    "held": {"network.held": 0.4},
    "loss": {"network.loss": 0.25},
    "when_lost": {"network.when_lost": "forever"},
    "catch_up": {"network.catch_up": True},
    "partition_s": {
        "network.partitions.0.start": "3s",
        "network.partitions.0.stop": "9s",
        "network.partitions.0.groups.0.0": "node_0",
        "network.partitions.0.groups.0.1": "node_1",
        "network.partitions.0.groups.1.0": "node_2",
        "network.partitions.0.groups.1.1": "node_3",
        "network.partitions.0.one_way": False,
    },
    "one_way": {},
    "slow_link_ms": {"network.link_delays.node_0>node_1": "300ms"},
    "slow_node": {"network.slow_nodes.node_0": 3.0},
    "clock_skew_ms": {"network.clock_skew": "40ms"},
    "processing": {f"network.{name}": time for name, time in ED25519_TIMES.items()},
    "path_model": {"prices.path_model": "merton"},
    "volatility": {"prices.volatility": 2.5},
    "market_time": {"market_time_per_epoch": "1min"},
    "sources": {
        **{f"prices.sources.{place}": f"market_data_{place + 1}" for place in range(2, 6)},
        "prices.sources.6": "external_feed",
    },
    "min_sources": {"prices.min_sources": 3},
    "lying": {
        "faults.1.kind": "adaptive",
        "faults.1.nodes.0": "external_feed",
        "faults.1.start": 0,
    },
    # Nobody lies by default.
    "lie": {},
    "lying_epochs": {},
    "aggregator": {"prices.aggregator": "trimmed_mean"},
    "voter_policy": {"prices.voter_policy": "evidence"},
    "deviation_rule": {"prices.deviation_rule": "re-anchor"},
    "outlier_rule": {"prices.outlier_rule": "tail"},
    "band": {"market.band": "clip"},
    "band_percent": {"market.band_percent": "2.5"},
    "reference": {
        "market.reference.kind": "twap",
        "market.reference.parameters.window": "1170min",
        "market.reference.parameters.every": "39min",
        "market.reference.parameters.check": "39min",
    },
    "stale": {
        "market.band_parameters.stale": "widen",
        # Three epochs of a trading day.
        "market.band_parameters.stale_after": 3 * 6.5 * 3_600,
    },
    # Stale references are kept by default.
    "stale_epochs": {},
    "without_reference": {"market.without_reference": "allow"},
    "zero_intelligence": {"market.traders.0.rate": 0.5},
    "informed": {
        "market.traders.2.kind": "informed",
        "market.traders.2.count": 1,
        "market.traders.2.rate": 1.5,
    },
    "market_maker": {
        "market.traders.2.kind": "market_maker",
        "market.traders.2.count": 1,
        "market.traders.2.rate": 2.0,
    },
    "momentum": {
        "market.traders.2.kind": "momentum",
        "market.traders.2.count": 1,
        "market.traders.2.rate": 2.5,
    },
    "fat_finger": {"market.traders.1.rate": 0.4},
    "manipulator": {
        "market.traders.2.kind": "manipulator",
        "market.traders.2.count": 1,
        "market.traders.2.rate": 3.0,
    },
}


def flat(value, place=""):
    """Return the leaves of a document by their places."""
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    else:
        return {place.removeprefix("."): value}
    return {
        key: leaf for name, part in parts for key, leaf in flat(part, f"{place}.{name}").items()
    }


def document(**settings):
    return flat(Settings(**settings).config().to_document())


def test_no_setting_is_forgotten_below():
    assert list(CHANGES) == list(OTHERS) == list(CONTROLS)


@pytest.mark.parametrize("name", CHANGES)
def test_a_setting_changes_what_it_says_and_nothing_else(name):
    before, after = document(), document(**{name: OTHERS[name]})
    assert before.keys() <= after.keys()
    assert {key: leaf for key, leaf in after.items() if before.get(key) != leaf} == CHANGES[name]


def test_a_partition_may_be_one_way():
    before, after = (
        document(partition_s=(3, 9)),
        document(partition_s=(3, 9), one_way=True),
    )
    changed = {key: leaf for key, leaf in after.items() if before[key] != leaf}
    assert changed == {"network.partitions.0.one_way": True}


def test_who_lies_how_and_when():
    config = Settings(sources=5, lying=2, lie="biased", lying_epochs=(4, 9)).config()
    assert config.source_faults == (
        Fault("biased", ("market_data_4", "external_feed"), start=4, stop=9),
    )
    assert config.faulty_sources == {*config.prices.source_names[-2:]}
    assert config.node_faults == (Fault("crash", count=1),)


def test_the_defaults_are_those_of_an_experiment():
    plain = Experiment(epochs=60, nodes=4, faults=[Fault("crash", count=1)], signatures="none")
    assert Settings().config().to_document() == plain.config.to_document()


@pytest.mark.parametrize("interval", [(0, 200), (4, 200)])
def test_a_fault_until_the_end_of_the_longest_run_never_ends(interval):
    config = Settings(fault_epochs=interval, lying=1, lying_epochs=interval).config()
    assert [(fault.start, fault.stop) for fault in config.faults] == 2 * [(interval[0], None)]


def test_an_odd_node_is_in_the_second_part_of_a_partition():
    (partition,) = Settings(nodes=5, partition_s=(0, 2)).config().network.partitions
    assert [len(group) for group in partition.groups] == [2, 3]


def test_what_does_not_go_together_is_refused_where_the_experiment_is_made():
    with pytest.raises(InvalidInput, match="two or more groups"):
        Settings(nodes=1, faulty=0, partition_s=(1, 2)).config()
    with pytest.raises(InvalidInput, match="at least min_sources, 4"):
        Settings(min_sources=4).config()


@pytest.mark.parametrize("epoch", [0, 7, 200])
def test_faulty_epochs_without_length_are_no_fault(epoch):
    settings = Settings(fault_epochs=(epoch, epoch), lying=1, lying_epochs=(epoch, epoch))
    assert settings.config().faults == ()


def test_the_quorum_that_takes_another_f_than_the_model_says_which():
    quorum = CONTROLS["quorum"]
    assert quorum.say("2f+1") == "quorum: 2⌊(n−1)/3⌋ + 1"
    assert Settings(nodes=7, model="crash", quorum="2f+1").config().votes_needed == 5


def test_knows_what_is_not_the_default():
    assert Settings().changed == {}
    assert Settings(loss=0.1, epochs=60, seed=4).changed == {"seed": 4, "loss": 0.1}


def names(setting):
    return {*CONTROLS[setting].names()}


def test_whatever_is_registered_can_be_chosen():
    assert names("fault") | {"script"} == {*fault_kinds()}
    assert names("delays") | {"sample"} == {*delay_kinds()}
    assert names("path_model") == {*path_models()}
    assert names("lie") == {*source_fault_kinds()}
    assert names("aggregator") == {*aggregators()}
    assert names("outlier_rule") - {"no rule"} == {*outlier_rules()}
    assert names("band") == {*bands()}
    assert names("reference") == {*reference_kinds()}
    assert names("stale") == {*get_args(StalePolicy)}
    assert {name for name, each in CONTROLS.items() if each.group == "Market"} >= {
        *own_trader_kinds()
    }
    for setting in ("deviation_rule", "voter_policy"):
        assert names(setting) == {*get_args(PricesConfig.model_fields[setting].annotation)}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 9),
        ("nodes", "4"),
        ("faulty", 5),
        ("lying", 4),
        ("fault", "gremlins"),
        ("delays", "sample"),
        ("loss", 0.6),
        ("partition_s", (9, 3)),
        ("echo", None),
        ("picture", "timeline"),
        ("outlier_rule", None),
    ],
)
def test_what_the_controls_cannot_take_is_refused(field, value):
    with pytest.raises(InvalidInput) as caught:
        Settings(**{field: value})
    assert (caught.value.field, caught.value.value) == (field, value)
