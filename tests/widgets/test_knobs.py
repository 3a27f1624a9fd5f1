"""The controls of the bench: what they say is the experiment that is run, and what they refuse."""

import json
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

import streamlet_lab as sl
from streamlet_lab import Experiment, InvalidInput
from streamlet_lab.config import MarketConfig, PricesConfig
from streamlet_lab.kinds import registers
from streamlet_lab.simulator import own_trader_kinds
from streamlet_lab.widgets.knobs import KNOBS, as_code, describe, experiment_of, to_settings
from streamlet_lab.widgets.touches import Touch

from .changes import CHANGES, NEEDS
from .flat import flat


def document(**settings):
    return flat(experiment_of(settings).config.to_document())


def controls(**settings):
    return {each["name"]: each for each in describe(settings)}


ANY = st.fixed_dictionaries({}, optional={name: st.just(CHANGES[name][0]) for name in CHANGES})


# --- What is meant


def test_the_defaults_are_those_of_an_experiment_without_signatures():
    assert experiment_of({}).config == Experiment(signatures="none").config


def test_no_control_is_forgotten_below():
    assert list(CHANGES) == list(KNOBS)


@pytest.mark.parametrize("name", CHANGES)
def test_a_control_changes_what_it_says_and_nothing_else(name):
    needs = NEEDS.get(name, {})
    before, after = document(**needs), document(**needs, **{name: CHANGES[name][0]})
    assert before.keys() <= after.keys()
    assert {key: leaf for key, leaf in after.items() if before.get(key) != leaf} == CHANGES[name][1]


@given(ANY)
def test_what_is_described_means_the_same_experiment(settings):
    try:
        config = experiment_of(settings).config
    except InvalidInput:
        return
    described = {each["name"]: each["value"] for each in json.loads(json.dumps(describe(settings)))}
    assert experiment_of(described).config == config
    assert {name: described[name] for name in settings} == settings


@given(ANY)
def test_the_code_makes_the_same_experiment(settings):
    try:
        experiment = experiment_of(settings)
    except InvalidInput:
        return
    code = as_code(experiment)
    assert eval(code, {"sl": sl}).config == experiment.config
    assert all(len(line) <= 88 for line in code.splitlines())


@pytest.mark.parametrize(
    "settings",
    [
        {"faulty": 2, "nodes": 7, "placed": "apart", "fault": "equivocate", "quorum": "2f+1"},
        {"lying": 1, "lie": "spiking", "voter_policy": "evidence", "signatures": "ed25519"},
        {"gst_s": 4, "held": 0.5, "loss": 0.1, "band": "luld", "momentum": 1.5, "nights": 0},
    ],
)
def test_the_code_runs_to_the_same_bytes(settings):
    experiment = experiment_of({"epochs": 12, **settings})
    runs = experiment.run(), eval(as_code(experiment), {"sl": sl}).run()
    left, right = ([frame.to_csv() for frame in run.frames.values()] for run in runs)
    assert left == right


@pytest.mark.parametrize("percent", [5, 5.1, 0.07, 7.35, "5.10", 33.33])
def test_a_percentage_is_what_was_typed(percent):
    config = experiment_of({"band_percent": percent}).config
    assert str(config.market.band_percent.normalize()) == str(Decimal(str(percent)).normalize())
    value = controls(band_percent=percent)["band_percent"]["value"]
    assert experiment_of({"band_percent": value}).config == config


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 5),
        ("epochs", 3_000),
        ("nodes", 40),
        ("median_delay_ms", 0.5),
        ("seed", 2**62 + 1),
        ("volatility", 20),
        ("market_time", "90s"),
        ("quorum", 1),
        ("leaders", ["node_1", "node_0"]),
    ],
)
def test_whatever_an_experiment_takes_can_be_said_and_the_track_stretches(name, value):
    control = controls(**{name: value})[name]
    assert experiment_of({name: value}).config == experiment_of({name: control["value"]}).config
    if control["kind"] == "choice":
        assert value in [choice for choice, _ in control["choices"]]
    else:
        assert control["low"] <= value <= control["high"]


def test_what_is_typed_in_another_way_means_the_same():
    assert experiment_of({"leaders": "node_1, node_0"}).config.leaders == ("node_1", "node_0")
    assert experiment_of({"market_time": 90}).config.market_time_per_epoch == 90_000_000
    assert controls(market_time=60)["market_time"]["value"] == "1min"
    assert ["90s", "90s an epoch"] in controls(market_time="90s")["market_time"]["choices"]
    assert experiment_of({"epochs": " 12 ", "loss": "0.1"}).config.network.loss == 0.1


def test_a_logarithmic_track_begins_above_zero():
    assert controls(median_delay_ms=-3)["median_delay_ms"]["low"] == 1
    assert controls(median_delay_ms=0.5)["median_delay_ms"]["low"] == 0.5


def test_a_whole_number_that_no_float_has_goes_as_a_text():
    assert controls(seed=2**53 + 1)["seed"]["value"] == "9007199254740993"


def test_faulty_nodes_are_the_last_or_apart():
    def faulty(**settings):
        return sorted(experiment_of({"faulty": 2, "nodes": 7} | settings).config.faulty_nodes)

    assert faulty() == ["node_5", "node_6"]
    assert faulty(placed="apart") == ["node_2", "node_6"]
    assert faulty(placed="apart", faulty=3, nodes=10) == ["node_2", "node_5", "node_9"]


@pytest.mark.parametrize(
    ("settings", "groups"),
    [
        ({"nodes": 5}, (("node_0", "node_1"), ("node_2", "node_3", "node_4"))),
        ({"nodes": 5, "faulty": 1}, (("node_0", "node_1"), ("node_2", "node_3"))),
        ({"nodes": 5, "faulty": 2, "placed": "apart"}, (("node_0",), ("node_2", "node_3"))),
    ],
)
def test_a_partition_keeps_halves_of_the_honest_nodes_apart(settings, groups):
    (partition,) = experiment_of({"partition_s": [0, 2], **settings}).config.network.partitions
    assert partition.groups == groups


@pytest.mark.parametrize("epoch", [0, 7])
def test_faulty_epochs_without_length_are_no_fault(epoch):
    settings = {"faulty": 1, "lying": 1}
    none = {"fault_epochs": [epoch, epoch], "lying_epochs": [epoch, epoch]}
    assert len(experiment_of(settings).config.faults) == 2
    assert experiment_of(settings | none).config.faults == ()


def test_with_evidence_so_many_sources_are_needed_that_liars_are_a_minority():
    settings = {"sources": 7, "voter_policy": "evidence"}
    assert experiment_of(settings).config.prices.min_sources == 5
    assert controls(**settings)["min_sources"]["default"] == 5
    assert experiment_of(settings | {"min_sources": 2}).config.prices.min_sources == 2


def test_what_was_done_to_a_run_is_a_part_of_its_experiment():
    done = [
        {"at": 3.5, "kind": "crash", "nodes": ["node_1"]},
        Touch(6_000_000, "cut", ("node_0", "node_2")),
    ]
    experiment = experiment_of({"faulty": 1, "nodes": 7}, done)
    assert (
        as_code(experiment)
        == """sl.Experiment(
    nodes=7,
    faults={"node_6": "crash", "node_1": "crash@4"},
    signatures="none",
    network={"partitions": [{"start": "6s", "stop": "61s", "groups": "node_0|node_2"}]},
)"""
    )
    with pytest.raises(InvalidInput, match="crash node_9 at 3 s"):
        experiment_of({}, [{"at": 3, "kind": "crash", "nodes": ["node_9"]}])


# --- Settings of an experiment beside those of controls


def test_settings_of_an_experiment_become_those_of_controls():
    given = {
        "market_time_per_epoch": "60min",
        "network": {"loss": 0.1, "median_delay": "20ms", "held_together": True},
        "prices": {"sources": 5, "outlier_rule": "tail", "assets": {"AAPL": {"base_price": 90}}},
        "market": {"band_percent": "2.5", "traders": ["momentum"]},
        "faults": {"node_1": "crash@3"},
    }
    settings = to_settings(nodes=7, faulty=1, **given)
    assert json.loads(json.dumps(settings)) == settings
    assert settings["market_time"] == "1h"
    assert (settings["loss"], settings["median_delay_ms"], settings["sources"]) == (0.1, 20, 5)
    assert (settings["outlier_rule"], settings["band_percent"]) == ("tail", 2.5)
    assert settings["network"] == {"held_together": True}
    config = experiment_of(settings).config
    given["faults"] = {"node_6": "crash"} | given["faults"]
    assert config == Experiment(nodes=7, signatures="none", **given).config


@pytest.mark.parametrize(
    "given",
    [
        {"network": {"delays": "sample", "samples": ["20ms", "30ms"]}},
        {"network": {"clock_skew": {"node_1": "20ms"}}},
        {"network": {"partitions": [{"stop": 3, "groups": "node_0|node_1"}]}},
        {"faults": {"node_1": {"kind": "crash", "parameters": {"reaches": 1}}}, "symbols": ["X"]},
        {"leaders": ["node_1", "node_0"], "quorum": 2, "prices": {"base_price": "90.50"}},
        {"market": MarketConfig(traders=0, band="luld", band_parameters={"pause": "2min"})},
        {"market": {"reference": {"kind": "delayed", "parameters": {"delay": "3min"}}}},
    ],
)
def test_what_no_control_can_say_stays_as_it_was_given(given):
    settings = to_settings(**given)
    assert json.loads(json.dumps(settings)) == settings
    assert experiment_of(settings).config == Experiment(signatures="none", **given).config
    assert len(describe(settings)) == len(KNOBS)


def test_what_is_given_beside_a_control_counts_and_is_said():
    settings = to_settings(epoch_length="2s", market={"traders": 3}, prices={"sources": ["a", "b"]})
    idle = {name: each["idle"] for name, each in controls(**settings).items() if each["idle"]}
    assert idle.keys() >= {"epoch_deltas", "sources", "momentum", "fat_finger"}
    assert experiment_of({**settings, "momentum": 3}).config.market.traders[0].count == 3


# --- What is refused


@pytest.mark.parametrize(
    ("settings", "field", "sentence"),
    [
        (
            {"sources": 1},
            "sources",
            (
                "sources: 1 is fewer than min. sources, 2. "
                "Lower min. sources to 1 or raise sources to 2."
            ),
        ),
        (
            {"nodes": 4, "faulty": 5},
            "faulty",
            (
                "faulty nodes: 5 are more than there are nodes, 4. "
                "Lower faulty nodes to 4 or raise nodes to 5."
            ),
        ),
        (
            {"lying": 4},
            "lying",
            (
                "lying sources: 4 are more than there are sources, 3. "
                "Lower lying sources to 3 or raise sources to 4."
            ),
        ),
        (
            {"nodes": 1, "partition_s": [1, 2]},
            "partition_s",
            (
                "partition: it keeps two halves of the honest nodes apart, and there is 1. "
                "Raise nodes, or set the partition to 0 s to 0 s."
            ),
        ),
        (
            {"faulty": 3, "partition_s": [1, 2]},
            "partition_s",
            (
                "partition: it keeps two halves of the honest nodes apart, and there is 1 of 4. "
                "Raise nodes or lower faulty nodes, or set the partition to 0 s to 0 s."
            ),
        ),
        (
            {"nodes": 1, "slow_link_ms": 20},
            "slow_link_ms",
            "node 0 to node 1: there is no node 1. Raise nodes to 2, or set this delay to 0 ms.",
        ),
        (
            {"band": "luld", "stale": "widen"},
            "stale",
            (
                "stale price: the band LULD has no rule for an old price. "
                "Set stale price to keep, or the band to consensus."
            ),
        ),
        (
            {"quorum": 5},
            "quorum",
            (
                "quorum: 5 votes are more than there are nodes, 4. "
                "Lower quorum to 4 or raise nodes to 5."
            ),
        ),
        (
            {"partition_s": [9, 3]},
            "partition_s",
            "partition: it cannot last from 9 s to 3 s. Stop at 9 s or later.",
        ),
        (
            {"momentum": -1},
            "momentum",
            "momentum traders: -1 is not valid; expected a number of at least 0.",
        ),
        (
            {"epochs": 0},
            "epochs",
            "epochs: 0 is not valid; expected a whole number from 1 to 10,000,000.",
        ),
        (
            {"median_delay_ms": 0},
            "median_delay_ms",
            "delay: 0 is not valid; expected a number from 0.001 to 9,223,372,036,854,775 ms.",
        ),
        ({"jump_percent": -100}, "jump_percent", "jump: -100 % is not valid; expected a number ab"),
        ({"epochs": 60.5}, "epochs", "epochs: 60.5 is not valid; expected a whole number from 1"),
        ({"epochs": "many"}, "epochs", "epochs: 'many' is not valid; expected a whole"),
        ({"nodes": True}, "nodes", "nodes: True is not valid; expected a whole number"),
        ({"echo": 1}, "echo", "echo: 1 is not valid; expected True or False."),
        ({"bad_s": 3}, "bad_s", "bad time: 3 is not valid; expected a start and a stop."),
        ({"bad_s": [3, None]}, "bad_s", "bad time: None is not valid; expected a number f"),
        (
            {"fault": "gremlins", "faulty": 1},
            "fault",
            "fault: 'gremlins' is not valid; expected one",
        ),
        (
            {"lie": "gremlins", "lying": 1, "faulty": 1},
            "lie",
            "lie: 'gremlins' is not valid; expecte",
        ),
        ({"delays": "sample"}, "delays", "delays: 'sample' is not valid; expected one of constant"),
        ({"loss": 2}, "loss", "loss: 2 is not valid; expected a number from 0 to 1."),
        (
            {"market_time": "soon"},
            "market_time",
            "market time of an epoch: 'soon' is not valid; ex",
        ),
        ({"leaders": ["node_9"]}, "leaders", "leaders: ['node_9'] is not valid; expected a node f"),
        ({"band_percent": 5.001}, "band_percent", "band ±: 5.001 % is not valid; expected zero or"),
        ({"epoch_deltas": 0}, "epoch_deltas", "epoch: 0 Δ is not valid; expected more than 0 Δ."),
        ({"fault_epochs": [0.5, 3]}, "fault_epochs", "faulty epochs: 0.5 is not valid; expected a"),
        ({"aggregator": None}, "aggregator", "aggregator: None is not valid; expected one of mad"),
        ({"nodes": 10**9, "partition_s": [0, 1]}, "nodes", "nodes: 1000000000 is not valid; expec"),
        (
            {"partition_s": ["1e400", 0]},
            "partition_s",
            "partition: '1e400' is not valid; expected ",
        ),
        ({"epochs": "9" * 10**6}, "epochs", "epochs: '999"),
        (
            {"gst_s": 1e300},
            "gst_s",
            "GST: 1e+300 is not valid; expected a number from 0 to 1,000,000,000 s.",
        ),
        ({"gst_s": 1e-9}, "gst_s", "GST: 1e-09 s is not valid; expected a whole number of micro"),
        (
            {"jump_percent": 8, "jump_s": 1e-9},
            "jump_s",
            "jump at: 1e-09 s is not valid; expected a",
        ),
        (
            {"loss": "0,5"},
            "loss",
            "loss: '0,5' is not valid; expected a number from 0 to 1, with a d",
        ),
        (
            {"jump_percent": "1e99"},
            "jump_percent",
            "jump: '1e99' is not valid; expected a number f",
        ),
    ],
)
def test_what_makes_no_experiment_is_said_in_the_words_of_the_controls(settings, field, sentence):
    with pytest.raises(InvalidInput) as caught:
        experiment_of(settings)
    assert caught.value.field == field
    assert str(caught.value).startswith(sentence)
    assert len(describe(settings)) == len(KNOBS)


def test_a_name_that_nothing_has_is_refused():
    with pytest.raises(InvalidInput, match="did you mean 'nodes'"):
        experiment_of({"nods": 4})


def test_none_is_no_rule_and_the_models_quorum_as_in_a_configuration():
    given = {"outlier_rule": None, "quorum": None}
    assert experiment_of(given).config == experiment_of({}).config


# --- What is offered


def choices(name):
    return {value for value, _ in controls()[name]["choices"]}


def test_whatever_is_registered_can_be_chosen():
    for name, register, besides in [
        ("fault", "fault_kind", {"script"}),
        ("delays", "delay_kind", {"sample"}),
        ("path_model", "path_model", set()),
        ("lie", "source_fault_kind", set()),
        ("aggregator", "aggregator", set()),
        ("band", "band", set()),
        ("reference", "reference_kind", set()),
    ]:
        assert choices(name) | besides == {*registers()[register]}
    assert choices("outlier_rule") - {"no rule"} == {*registers()["outlier_rule"]}
    assert choices("quorum") == {"from the model", "2f+1", 1, 2, 3, 4}
    assert KNOBS.keys() >= {*own_trader_kinds()} - {"scripted"}
    for name in ("deviation_rule", "voter_policy"):
        assert choices(name) == {*get_args(PricesConfig.model_fields[name].annotation)}


def test_the_tracks_of_counts_end_where_there_are_no_more():
    there = controls(nodes=7, sources=5)
    assert [there[name]["high"] for name in ("faulty", "lying", "min_sources")] == [7, 5, 5]


def test_every_control_has_a_help_and_those_of_settings_their_range():
    there = controls(fault="equivocate")
    assert all(len(each["help"]) > 10 for each in there.values())
    assert there["loss"]["help"] == "Probability that a copy is lost. From 0 to 1."
    assert "Equivocate: The leader shows one half" in there["fault"]["help"]
    assert not any("`" in each["help"] or ":class:" in each["help"] for each in there.values())
