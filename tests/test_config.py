"""Configurations are data: written, read, compared and run again."""

import json
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from streamlet_lab import Experiment, ExperimentConfig, Fault
from streamlet_lab.config import (
    ED25519_TIMES,
    OBSERVER,
    REGION_DELAYS,
    NetworkConfig,
    Partition,
    alternating,
    load_config,
    make_config,
)
from streamlet_lab.errors import DataError, InvalidInput
from streamlet_lab.prices import SOURCES, TRADING_DAY
from streamlet_lab.units import format_duration

# --- What is there by default


def test_the_defaults_are_the_designs() -> None:
    config = make_config()

    assert config.nodes == 4
    assert config.feed == "simulated"
    assert config.signatures == "ed25519"
    assert config.echo
    assert config.epoch_length == 1_000_000
    assert config.market_time_per_epoch == 6.5 * 3_600 * 1_000_000
    assert config.network.delta == 500_000
    assert config.network.median_delay == 50_000
    assert config.network.delays == "lognormal"
    assert config.network.gst_in_force == config.network.loss == config.network.clock_skew == 0
    assert (config.model, config.leaders, config.trace) == ("byzantine", "round_robin", False)
    assert config.prices.voter_policy == "observe"
    assert config.prices.deviation_rule == "widen"
    assert config.market.band_percent == 5
    assert config.market.without_reference == "reject"
    assert config.market.reference_node == OBSERVER
    assert config.outside_model == ()


@pytest.mark.parametrize(
    ("nodes", "votes"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (6, 4), (7, 5), (10, 7)]
)
def test_the_quorum_is_two_thirds_rounded_up(nodes: int, votes: int) -> None:
    assert make_config(nodes=nodes).votes_needed == votes


def test_the_quorum_can_be_the_unsafe_one() -> None:
    config = make_config(nodes=5, quorum=3)

    assert config.votes_needed == 3
    assert config.outside_model == ("quorum 3 below ⌈2n/3⌉ = 4",)


def test_whatever_the_paper_does_not_promise_is_said() -> None:
    config = make_config(faults={"node_2": "crash", "node_3": "crash"}, epoch_length="999999us")

    assert config.outside_model == ("2 of 4 nodes faulty, 1 tolerated", "epoch shorter than 2Δ")


def test_the_rule_2f_plus_1_is_said_to_be_unsafe_where_it_is() -> None:
    assert make_config(nodes=7, quorum="2f+1").votes_needed == 5
    assert make_config(nodes=7, quorum="2f+1").outside_model == ()
    assert make_config(nodes=5, quorum="2f+1").votes_needed == 3
    assert make_config(nodes=5, quorum="2f+1").outside_model == (
        "quorum 2f+1, unsafe here: 3 below ⌈2n/3⌉ = 4",
    )


@pytest.mark.parametrize(
    ("model", "tolerated", "votes"), [("byzantine", 1, 4), ("crash", 2, 3), ("synchronous", 2, 3)]
)
def test_a_model_has_its_bound_and_its_quorum(model: str, tolerated: int, votes: int) -> None:
    config = make_config(nodes=5, model=model, faults=[Fault("crash", count=tolerated)])

    assert (config.tolerated, config.votes_needed) == (tolerated, votes)
    assert config.outside_model == ()
    worse = make_config(nodes=5, model=model, faults=[Fault("crash", count=tolerated + 1)])
    assert worse.outside_model == (f"{tolerated + 1} of 5 nodes faulty, {tolerated} tolerated",)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"model": "crash", "quorum": 2}, "quorum 2 below ⌊n/2⌋ + 1 = 3"),
        ({"model": "crash", "echo": False}, "messages are not echoed"),
        ({"model": "synchronous", "quorum": 1}, "quorum 1 below ⌈n/2⌉ = 2"),
        (
            {"model": "synchronous", "network": {"gst": "3s"}},
            "bad times until 3s: the synchronous model has none",
        ),
        (
            {"network": {"loss": 0.05, "when_lost": "forever"}},
            "0.05 of all copies lost for good, without catch-up",
        ),
        (
            {"network": {"loss": 0.05, "when_lost": "forever", "catch_up": True}},
            "0.05 of all copies lost for good, with catch-up",
        ),
        ({"network": {"clock_skew": "20ms"}}, "epoch shorter than 2Δ + 20ms clock skew"),
        # 5 verifications of 125 µs and two signatures of 40 µs
        ({"network": ED25519_TIMES}, "epoch shorter than 2Δ + 705us processing"),
    ],
)
def test_a_promise_that_is_lost_is_named(settings: dict[str, Any], reason: str) -> None:
    assert make_config(**settings).outside_model == (reason,)


@pytest.mark.parametrize(
    "settings",
    [
        {"network": {"gst": "3s", "loss": 0.5}},
        {"network": {"loss": 0.0, "when_lost": "forever"}},
        {"network": {"clock_skew": "20ms"}, "epoch_length": "1020ms"},
        {"network": ED25519_TIMES, "epoch_length": "1000705us"},
    ],
)
def test_what_the_paper_still_promises(settings: dict[str, Any]) -> None:
    assert make_config(**settings).outside_model == ()


def test_only_the_skew_between_two_nodes_counts() -> None:
    skews = {f"node_{index}": f"{30 + index}ms" for index in range(4)}
    config = make_config(network={"clock_skew": skews}, epoch_length="1003ms")

    assert config.outside_model == ()
    assert make_config(network={"clock_skew": {"node_0": "3ms"}}).outside_model == (
        "epoch shorter than 2Δ + 3ms clock skew",
    )


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        make_config().epochs = 3


# --- The network


def test_an_epoch_is_twice_delta_unless_it_is_set() -> None:
    assert make_config(network={"delta": "80ms"}).epoch_length == 160_000
    assert make_config(network=NetworkConfig(delta="80ms")).epoch_length == 160_000
    assert make_config(network={"delta": "80ms"}, epoch_length="1s").epoch_length == 1_000_000


def test_the_last_disturbance_ends_at_the_gst_in_force() -> None:
    bad = {"start": "1s", "stop": "4s"}
    cut = {"start": "2s", "stop": "6s", "groups": "node_0|node_1"}

    assert make_config(network={"gst": "5s", "bad_periods": [bad]}).network.gst_in_force == 5e6
    assert make_config(network={"gst": "3s", "bad_periods": [bad]}).network.gst_in_force == 4e6
    assert make_config(network={"gst": "3s", "partitions": [cut]}).network.gst_in_force == 6e6
    assert make_config(network={"gst": "3s", "bad_periods": [bad]}).network.bad_times == (
        (0, 3_000_000),
        (1_000_000, 4_000_000),
    )


def test_groups_are_lists_or_a_text() -> None:
    listed = Partition(stop="1s", groups=[["node_0", "node_1"], ["node_2", "node_3"]])

    assert Partition(stop="1s", groups="node_0, node_1 | node_2,node_3") == listed


def test_the_regions_are_as_far_apart_in_both_directions_and_well_within_delta() -> None:
    pairs = [(a, b) for a in REGION_DELAYS for b in REGION_DELAYS]

    assert len(REGION_DELAYS) == 5
    assert all(REGION_DELAYS[a][b] == REGION_DELAYS[b][a] for a, b in pairs)
    assert max(REGION_DELAYS[a][b] for a, b in pairs) == 149_000
    assert {REGION_DELAYS[a][b] for a, b in pairs if a == b} == {1_000}
    # Light in glass covers 200 km/ms, and no two of these are nearer than 5,000 km.
    assert min(REGION_DELAYS[a][b] for a, b in pairs if a != b) >= 25_000


def _my_delays(stream: object, network: object, nodes: int) -> object:
    raise NotImplementedError


def test_a_function_is_named_in_the_file_and_marked_as_missing_from_it(tmp_path: Path) -> None:
    config = make_config(network={"delays": _my_delays})
    path = tmp_path / "e.toml"
    config.save(path)
    loaded = load_config(path)

    assert loaded.network.delays == "callable:_my_delays"
    for one in (config, loaded):
        assert "delays='callable:_my_delays'" in repr(one)
        assert one.not_rerunnable == ("network.delays is the function _my_delays",)
    with pytest.raises(InvalidInput, match="callable:_my_delays"):
        Experiment.load(path)
    assert make_config(network={"delays": "constant"}).not_rerunnable == ()


_CUT = {"stop": "1s", "groups": "node_0|node_1"}


@pytest.mark.parametrize(
    ("network", "field", "expected"),
    [
        ({"delays": 3}, "network.delays", "the name of a kind of delays, or a function"),
        ({"delays": "sample"}, "network.samples", "one delay or more"),
        ({"samples": [0]}, "network.samples.0", "greater than 0"),
        ({"region_delays": {}}, "network.region_delays", "at least 1 item"),
        ({"region_delays": {"a": {"b": 1}}}, "network.region_delays.a", "a delay to each of a"),
        ({"region_delays": {"a": {"a": 0}}}, "network.region_delays.a.a", "greater than 0"),
        ({"regions": ["moon"]}, "network.regions", "one of north_america, europe"),
        ({"link_delays": {"node_0": 1}}, "network.link_delays", "such as 'node_0>node_1'"),
        ({"link_delays": {"node_0>node_0": 1}}, "network.link_delays", "two nodes"),
        ({"link_delays": {"node_0>node_4": 1}}, "network.link_delays", "'observer' or a node"),
        ({"link_delays": {"node_0>node_1": 0}}, "network.link_delays.node_0>node_1", "than 0"),
        ({"slow_nodes": {"node_0": 0.5}}, "network.slow_nodes.node_0", "greater than or equal"),
        ({"slow_nodes": {"node_4": 2}}, "network.slow_nodes", "'observer' or a node from node_0"),
        ({"loss": 1.1}, "network.loss", "less than or equal to 1"),
        ({"loss": float("nan")}, "network.loss", "finite number"),
        ({"when_lost": "weep"}, "network.when_lost", "'retransmit' or 'forever'"),
        ({"retransmit_after": 0}, "network.retransmit_after", "greater than 0"),
        ({"delta": "400000h"}, "network.delta", "less than or equal to"),
        ({"gst": "400000h"}, "network.gst", "less than or equal to"),
        ({"gst": -1}, "network.gst", "zero or more"),
        ({"slowdown": 0.5}, "network.slowdown", "greater than or equal to 1"),
        ({"bad_periods": [{"start": 1}]}, "network.bad_periods.0", "a stop in it"),
        ({"bad_periods": [{"start": 1, "stop": 1}]}, "network.bad_periods.0.stop", "after the st"),
        ({"bad_periods": [{"end": 1, "stop": 1}]}, "network.bad_periods.0", "start, stop"),
        ({"partitions": [{"stop": 1}]}, "network.partitions.0", "a groups in it"),
        ({"partitions": [_CUT | {"groups": "node_0"}]}, "partitions.0.groups", "two or more"),
        ({"partitions": [_CUT | {"groups": [["node_0"], []]}]}, "0.groups", "none empty"),
        ({"partitions": [_CUT | {"groups": "node_0|node_0"}]}, "0.groups", "no node twice"),
        ({"partitions": [_CUT | {"groups": "node_0|"}]}, "partitions", "node_0 to node_3"),
        ({"partitions": [_CUT | {"groups": "node_0|observer"}]}, "partitions", "node_0 to node_3"),
        ({"sign_time": "soon"}, "network.sign_time", "seconds as a number"),
        ({"verify_time": -1}, "network.verify_time", "zero or more"),
        ({"clock_skew": "soon"}, "network.clock_skew", "seconds as a number"),
        ({"clock_skew": {"node_1": "soon"}}, "network.clock_skew.node_1", "seconds as a number"),
        ({"clock_skew": {"node_4": 1}}, "network.clock_skew", "a node from node_0 to node_3"),
    ],
)
def test_a_mistake_about_the_network_is_named(
    network: dict[str, Any], field: str, expected: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        make_config(network=network)

    assert field in caught.value.field
    assert expected in caught.value.expected


@pytest.mark.parametrize(
    ("settings", "field", "expected"),
    [
        ({"model": "kind"}, "model", "'byzantine', 'crash' or 'synchronous'"),
        ({"leaders": "oldest"}, "leaders", "'round_robin', 'hashed' or a list"),
        ({"leaders": []}, "leaders", "'round_robin', 'hashed' or a list"),
        ({"leaders": ["node_4"]}, "leaders", "a node from node_0 to node_3"),
        ({"quorum": "3f+1"}, "quorum", "at least 1, or '2f+1'"),
    ],
)
def test_a_mistake_about_the_protocol_is_named(
    settings: dict[str, Any], field: str, expected: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        make_config(**settings)

    assert caught.value.field == field
    assert expected in caught.value.expected


# --- Durations


@pytest.mark.parametrize(
    ("value", "microseconds"),
    [
        (1, 1_000_000),
        (0.25, 250_000),
        ("250ms", 250_000),
        ("0.25s", 250_000),
        ("1min", 60_000_000),
        ("6.5h", 23_400_000_000),
        ("390min", 23_400_000_000),
        ("7us", 7),
    ],
)
def test_durations_are_seconds_or_texts_with_a_unit(value: object, microseconds: int) -> None:
    assert make_config(epoch_length=value).epoch_length == microseconds
    assert make_config(market_time_per_epoch=value).market_time_per_epoch == microseconds
    assert make_config(network={"delta": value}).network.delta == microseconds


@given(st.integers(1, 86_400_000_000))
def test_numbers_and_texts_mean_the_same_durations(microseconds: int) -> None:
    for value in (f"{microseconds}us", format_duration(microseconds), microseconds / 1e6):
        assert make_config(epoch_length=value).epoch_length == microseconds


@pytest.mark.parametrize("value", ["1000", "5000000000", "0001"])
def test_a_text_without_a_unit_is_no_duration(value: str) -> None:
    """Nobody means nanoseconds."""
    with pytest.raises(InvalidInput, match="epoch_length"):
        make_config(epoch_length=value)


# --- Faults


def test_the_short_form_of_faults() -> None:
    faults = make_config(
        nodes=7,
        faults={"node_3": "crash@4", "node_4": "silent_leader@4-8", "node_5": "withhold_votes"},
    ).faults

    assert faults == (
        Fault("crash", nodes=("node_3",), start=4),
        Fault("silent_leader", nodes=("node_4",), start=4, stop=8),
        Fault("withhold_votes", nodes=("node_5",)),
    )


def test_the_long_form_of_faults() -> None:
    fault = {"kind": "lying_leader", "count": 1, "start": 2, "parameters": {"price": "9999"}}

    assert make_config(faults=[fault]).faults == (
        Fault("lying_leader", count=1, start=2, parameters={"price": "9999"}),
    )


def test_a_count_takes_the_last_nodes() -> None:
    nodes = make_config(nodes=7).node_ids

    assert Fault("crash", count=0).affected(nodes) == ()
    assert Fault("crash", count=2).affected(nodes) == ("node_5", "node_6")
    assert Fault("crash", count=7).affected(nodes) == nodes
    assert Fault("crash", nodes=("node_1",)).affected(nodes) == ("node_1",)


def test_faulty_nodes_are_counted_once() -> None:
    faults = [Fault("silent_leader", nodes=("node_3",)), Fault("crash", count=1, start=9)]

    assert make_config(faults=faults).faulty_nodes == {"node_3"}


# --- Writing and reading

nodes = st.integers(1, 12)
shares = st.floats(0, 1)
durations = st.integers(1, 10**14)


def _text(microseconds: int) -> str:
    return f"{microseconds}us"


def _amounts(low: int, high: int) -> st.SearchStrategy[str]:
    return st.decimals(low, high, places=2).map(str)


@st.composite
def _faults(draw: st.DrawFn, nodes: int) -> dict[str, Any]:
    start = draw(st.integers(0, 100))
    fault: dict[str, Any] = {
        "kind": draw(st.sampled_from(["crash", "silent_leader", "withhold_votes", 'näïve "kind"'])),
        "start": start,
    }
    if draw(st.booleans()):
        fault["stop"] = start + draw(st.integers(1, 100))
    if draw(st.booleans()):
        fault["count"] = draw(st.integers(0, nodes))
    else:
        names = st.sampled_from([f"node_{index}" for index in range(nodes)])
        fault["nodes"] = draw(st.lists(names, min_size=1, unique=True))
    if draw(st.booleans()):
        fault["parameters"] = draw(
            st.dictionaries(
                st.text(st.characters(codec="utf-8"), min_size=1),
                st.integers(-(2**63), 2**63 - 1)
                | st.booleans()
                | st.text(st.characters(codec="utf-8"))
                | st.floats(allow_nan=False, allow_infinity=False)
                | st.lists(st.integers(0, 9)),
                max_size=3,
            )
        )
    return fault


@st.composite
def _intervals(draw: st.DrawFn) -> dict[str, Any]:
    start, stop = sorted(draw(st.lists(durations, min_size=2, max_size=2, unique=True)))
    return {"start": _text(start), "stop": _text(stop)}


@st.composite
def _partitions(draw: st.DrawFn, names: list[str]) -> dict[str, Any]:
    shuffled = draw(st.permutations(names))
    cut = draw(st.integers(1, len(names) - 1))
    groups = [shuffled[:cut], shuffled[cut:]]
    return {**draw(_intervals()), "groups": groups, "one_way": draw(st.booleans())}


def _networks(names: list[str]) -> dict[str, st.SearchStrategy[Any]]:
    texts, others = durations.map(_text), [*names[1:], OBSERVER]
    regions = st.fixed_dictionaries(dict.fromkeys("ab", texts))
    return {
        "delta": texts,
        "delays": st.sampled_from(["lognormal", "constant", "uniform", "regions", "my own"]),
        "delay_spread": st.floats(0, 5),
        "samples": st.lists(texts, max_size=3),
        "region_delays": st.fixed_dictionaries(dict.fromkeys("ab", regions)),
        "link_delays": st.dictionaries(
            st.sampled_from([f"node_0>{name}" for name in others]), texts
        ),
        "slow_nodes": st.dictionaries(st.sampled_from([*names, OBSERVER]), st.floats(1, 1e6)),
        "loss": shares,
        "when_lost": st.sampled_from(["retransmit", "forever"]),
        "retransmit_after": texts,
        "gst": texts,
        "bad_periods": st.lists(_intervals(), max_size=2),
        "slowdown": st.floats(1, 1e9),
        "partitions": st.lists(_partitions(names), max_size=2) if len(names) > 1 else st.just([]),
        "sign_time": texts,
        "verify_time": texts,
        "clock_skew": texts | st.dictionaries(st.sampled_from(names), texts),
        "catch_up": st.booleans(),
    }


@st.composite
def settings(draw: st.DrawFn) -> dict[str, Any]:
    """Any valid settings, each given or left out."""
    count = draw(nodes)
    sources = draw(st.lists(st.sampled_from(SOURCES), min_size=1, unique=True))
    shortest, median = sorted(draw(st.tuples(durations, durations)))
    names = [f"node_{index}" for index in range(count)]
    network = _networks(names)
    prices = {
        "base_price": _amounts(50, 500),
        "volatility": st.floats(0, 20),
        "trend": st.floats(-50, 50),
        "min_price": _amounts(1, 50),
        "max_price": _amounts(500, 10**9),
        "min_volume": _amounts(1, 10**6),
        "max_deviation_percent": _amounts(0, 100),
        "deviation_rule": st.sampled_from(["widen", "strict"]),
        "voter_policy": st.sampled_from(["observe", "bounds"]),
        "tolerance_percent": _amounts(0, 100),
    }
    market = {
        "traders": st.integers(0, 10_000),
        "orders_per_epoch": st.floats(1e-6, 1e6),
        "market_order_share": shares,
        "far_share": shares,
        "price_spread_percent": st.floats(0, 20),
        "band_percent": _amounts(1, 100),
        "without_reference": st.sampled_from(["reject", "allow"]),
        "reference_node": st.sampled_from([OBSERVER, f"node_{count - 1}"]),
    }
    top = {
        "epochs": st.integers(1, 10_000_000),
        "seed": st.integers(0, 2**63 - 1),
        "feed": st.text(st.characters(codec="utf-8")),
        "faults": st.lists(_faults(count), max_size=3),
        "model": st.sampled_from(["byzantine", "crash", "synchronous"]),
        "leaders": st.sampled_from(["round_robin", "hashed"])
        | st.lists(st.sampled_from(names), min_size=1, max_size=3),
        "trace": st.booleans(),
        "epoch_length": durations.map(_text),
        "market_time_per_epoch": st.integers(1, TRADING_DAY).map(_text),
        "quorum": st.integers(1, count) | st.just("2f+1"),
        "echo": st.booleans(),
        "signatures": st.sampled_from(["ed25519", "none"]),
        "remember_verifications": st.booleans(),
        "network": st.fixed_dictionaries(
            {"shortest_delay": st.just(_text(shortest)), "median_delay": st.just(_text(median))},
            optional=network,
        ),
        "prices": st.fixed_dictionaries(
            {"sources": st.just(sources), "min_sources": st.integers(1, len(sources))},
            optional=prices,
        ),
        "market": st.fixed_dictionaries({}, optional=market),
    }
    return {"nodes": count, **draw(st.fixed_dictionaries({}, optional=top))}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("configurations")


@pytest.mark.parametrize("suffix", [".toml", ".json"])
@given(given=settings())
def test_what_is_saved_is_loaded(given: dict[str, Any], suffix: str, directory: Path) -> None:
    config = make_config(**given)
    path = directory / f"experiment{suffix}"
    config.save(path)
    loaded = load_config(path)

    assert loaded == config
    saved = path.read_bytes()
    loaded.save(path)
    assert path.read_bytes() == saved


@given(settings())
def test_a_document_is_plain_data(given: dict[str, Any]) -> None:
    config = make_config(**given)
    document = config.to_document()

    assert json.loads(json.dumps(document)) == document
    assert make_config(**document) == config


def test_files_say_what_people_write(tmp_path: Path) -> None:
    config = make_config(epochs=12, market_time_per_epoch="1min", prices={"base_price": 152.45})
    config.save(tmp_path / "experiment.toml")
    text = (tmp_path / "experiment.toml").read_text(encoding="utf-8")

    assert 'epoch_length = "1s"\n' in text
    assert 'market_time_per_epoch = "1min"\n' in text
    assert 'base_price = "152.45"\n' in text
    assert "epochs = 12\n" in text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("e.toml", 'epochs = 7\n[faults]\nnode_3 = "crash@4"\n[network]\ndelta = 0.25\n'),
        ("e.json", '{"epochs": 7, "faults": {"node_3": "crash@4"}, "network": {"delta": "250ms"}}'),
    ],
)
def test_a_file_written_by_hand(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")

    assert load_config(tmp_path / name) == make_config(
        epochs=7, faults={"node_3": "crash@4"}, network={"delta": "250ms"}
    )


def test_a_network_written_by_hand(tmp_path: Path) -> None:
    text = """
        [network]
        gst = "5s"
        clock_skew = {node_1 = "3ms"}
        [[network.partitions]]
        start = "10s"
        stop = "20s"
        groups = "node_0,node_1|node_2,node_3"
    """
    (tmp_path / "e.toml").write_text(text, encoding="utf-8")
    loaded = load_config(tmp_path / "e.toml")
    loaded.save(tmp_path / "e.toml")
    saved = tomllib.loads((tmp_path / "e.toml").read_text(encoding="utf-8"))

    assert saved["network"]["clock_skew"] == {"node_1": "3ms"}
    assert saved["network"]["partitions"] == [
        {
            "start": "10s",
            "stop": "20s",
            "groups": [["node_0", "node_1"], ["node_2", "node_3"]],
            "one_way": False,
        }
    ]


def test_an_empty_file_is_the_default_experiment(tmp_path: Path) -> None:
    (tmp_path / "e.toml").touch()

    assert load_config(tmp_path / "e.toml") == ExperimentConfig()


@pytest.mark.parametrize("suffix", [".toml", ".json"])
def test_an_experiment_is_saved_and_loaded(tmp_path: Path, suffix: str) -> None:
    experiment = Experiment(epochs=5, nodes=7, faults={"node_6": "silent_leader@1-3"})
    path = tmp_path / "deeper" / f"e{suffix}"
    experiment.save(path)

    assert Experiment.load(path).config == experiment.config


@pytest.mark.parametrize("suffix", ["", ".yaml", ".zip", ".TXT"])
def test_another_file_type_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"experiment{suffix}"
    with pytest.raises(InvalidInput, match=r"path: .* a file name ending in \.toml or \.json"):
        make_config().save(path)

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("e.toml", b"epochs = "),
        ("e.toml", b"epochs = 1\nepochs = 2\n"),
        ("e.toml", b"\xff\xfe\x00"),
        ("e.json", b""),
        ("e.json", b'{"epochs": 12'),
        ("e.json", b"[1, 2]"),
        ("e.json", b'"epochs"'),
        ("e.json", b"\x00\x01"),
        ("e.json", b'{"epochs": ' + b"9" * 5_000 + b"}"),
        ("e.json", b'{"epochs": ' + b"[" * 100_000),
        ("e.toml", b"epochs = " + b"[" * 100_000),
    ],
    ids=range(11),
)
def test_a_file_that_is_no_configuration(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        load_config(path)

    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.toml", tmp_path):
        with pytest.raises(DataError) as caught:
            load_config(path)
        assert str(path) in str(caught.value)


def test_a_mistake_in_a_file_is_reported_as_one_in_code(tmp_path: Path) -> None:
    path = tmp_path / "e.toml"
    path.write_text("[market]\nband = 5\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"market: 'band' .* traders, orders_per_epoch"):
        load_config(path)


def test_amounts_are_taken_as_they_print() -> None:
    prices: list[Mapping[str, object]] = [
        {"base_price": value} for value in (152.45, "152.45", Decimal("152.45"))
    ]

    assert len({make_config(prices=section).prices.base_price for section in prices}) == 1
    assert make_config(prices=prices[0]) == make_config(prices=prices[2])


# --- Good and bad periods in turn


def test_bad_periods_take_turns_with_good_ones_and_are_over_in_time() -> None:
    periods = alternating("4s", 2, until="11s")
    assert [(period.start, period.stop) for period in periods] == [
        (4_000_000, 6_000_000),
        (10_000_000, 11_000_000),
    ]
    assert make_config(network={"bad_periods": periods}).network.gst_in_force == 11_000_000


@pytest.mark.parametrize(
    ("arguments", "field"),
    [((0, 1, 9), "good"), ((1, "0s", 9), "bad"), ((1, 1, 0), "until"), (("x", 1, 9), "good")],
)
def test_a_period_has_a_length(arguments: tuple[Any, Any, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        alternating(*arguments)
    assert caught.value.field == field
