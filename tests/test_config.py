"""Configurations are data: written, read, compared and run again."""

from collections import deque
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamlet_lab import Experiment, Fault, Result
from streamlet_lab.config import (
    ED25519_TIMES,
    OBSERVER,
    ExperimentConfig,
    NetworkConfig,
    Partition,
    PricesConfig,
    alternating,
    load_config,
    make_config,
    read_settings,
    to_code,
)
from streamlet_lab.errors import DataError, InvalidInput
from streamlet_lab.prices import (
    SOURCE_FAULTS,
    SOURCES,
    TRADING_DAY,
    FrameFeed,
    Source,
    frame_path,
)
from streamlet_lab.prices.models import GeometricBrownianMotion
from streamlet_lab.simulator.delays import constant_delay

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
        ({"quorum": 4}, "quorum 4 needs the votes of faulty nodes"),
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


def _my_delays(stream: object, network: object, nodes: int) -> object:
    return constant_delay(1)


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
    texts = "node_3=crash@4", "node_4=silent_leader@4-8", "node_5=withhold_votes"
    own = {"node_4": {"kind": "silent_leader", "start": 4, "stop": 8}}
    views = iter(faults), deque(faults), {each.nodes: each for each in faults}.values()
    for same in (", ".join(texts), [*texts], (texts[0], own, faults[2]), *views):
        assert make_config(nodes=7, faults=same).faults == faults


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


# --- Writing and reading

nodes = st.integers(1, 12)
durations = st.integers(1, 10**14)
texts = st.text(st.characters(codec="utf-8"))
#: Of what parameters are made.
plain = st.recursive(
    st.integers(-(2**63), 2**63 - 1)
    | st.booleans()
    | texts
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)


def _text(microseconds: int) -> str:
    return f"{microseconds}us"


def _amounts(low: int, high: int) -> st.SearchStrategy[str]:
    return st.decimals(low, high, places=2).map(str)


def _traders() -> st.SearchStrategy[dict[str, Any]]:
    kind = st.sampled_from(["noise_trader", "market_maker", 'näïve "kind"'])
    options = {
        "count": st.integers(1, 10_000),
        "rate": st.floats(1e-6, 1e6),
        "parameters": st.dictionaries(st.sampled_from(["size", "edge"]), st.integers(0, 5)),
    }
    return st.fixed_dictionaries({"kind": kind}, optional=options)


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
        fault["parameters"] = draw(st.dictionaries(texts, plain, max_size=3))
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
    times, others = durations.map(_text), [*names[1:], OBSERVER]
    regions = st.fixed_dictionaries(dict.fromkeys("ab", times))
    return {
        "delta": times,
        "delays": st.sampled_from(["lognormal", "constant", "uniform", "regions", "my own"]),
        "samples": st.lists(times, max_size=3),
        "region_delays": st.fixed_dictionaries(dict.fromkeys("ab", regions)),
        "link_delays": st.dictionaries(
            st.sampled_from([f"node_0>{name}" for name in others]), times
        ),
        "slow_nodes": st.dictionaries(st.sampled_from([*names, OBSERVER]), st.floats(1, 1e6)),
        "gst": times,
        "bad_periods": st.lists(_intervals(), max_size=2),
        "partitions": st.lists(_partitions(names), max_size=2) if len(names) > 1 else st.just([]),
        "sign_time": times,
        "clock_skew": times | st.dictionaries(st.sampled_from(names), times),
    }


# What may differ from symbol to symbol.
_ASSET: dict[str, st.SearchStrategy[Any]] = {
    "base_price": _amounts(50, 500),
    "volatility": st.floats(0, 20),
    "path_model": st.sampled_from(["gbm", "merton", "my own"]),
    "path_parameters": st.dictionaries(texts, plain, max_size=2),
    "jumps": st.lists(
        st.fixed_dictionaries({"at": durations.map(_text), "percent": _amounts(-99, 1_000)})
    ),
    "min_price": _amounts(1, 50) | st.none(),
    "max_price": _amounts(500, 10**9) | st.none(),
    "min_volume": _amounts(1, 10**6),
    "deviation_rule": st.sampled_from(["widen", "strict", "re-anchor"]),
    "reanchor_after": st.integers(1, 100),
}

_PRICES: dict[str, st.SearchStrategy[Any]] = {
    **_ASSET,
    "aggregator": st.sampled_from(["mean", "median", "my own"]),
    "outlier_rule": st.sampled_from(["tail", "my own"]) | st.none(),
    "voter_policy": st.sampled_from(["observe", "bounds", "evidence"]),
}

_SOURCE: dict[str, st.SearchStrategy[Any]] = {
    "noise_bp": st.floats(0, 1_000) | st.integers(0, 1_000),
    "lag": durations.map(_text) | st.integers(0, 10**6),
    "confidence_bp": st.floats(0, 10_000) | st.none(),
}


@st.composite
def _sources(draw: st.DrawFn) -> list[Any]:
    """Names, and tables with a name in them."""
    names = draw(st.lists(st.sampled_from([*SOURCES, "x", "a_9"]), min_size=1, unique=True))
    tables = st.fixed_dictionaries({}, optional=_SOURCE)
    return [
        draw(st.just(name) | tables.map(lambda own, n=name: {"name": n, **own})) for name in names
    ]


@st.composite
def _price_settings(draw: st.DrawFn, symbols: list[str]) -> dict[str, Any]:
    sources = draw(_sources() | st.integers(1, 9))
    count = sources if isinstance(sources, int) else len(sources)
    fewest = draw(st.integers(1, count))
    reanchor = {"reanchor_sources": st.integers(fewest, count) | st.none()}
    asset = st.fixed_dictionaries({}, optional={**_ASSET, **reanchor})
    assets = {"assets": st.dictionaries(st.sampled_from(symbols), asset)}
    others = draw(st.fixed_dictionaries({}, optional={**_PRICES, **reanchor, **assets}))
    return {"sources": sources, "min_sources": fewest, **others}


def _names_of(sources: list[Any] | int) -> list[str]:
    return [source.name for source in PricesConfig(sources=sources, min_sources=1).sources]


@st.composite
def _source_faults(draw: st.DrawFn, sources: list[str]) -> dict[str, Any]:
    fault: dict[str, Any] = {"kind": draw(st.sampled_from(SOURCE_FAULTS.own()))}
    if draw(st.booleans()):
        return {**fault, "count": draw(st.integers(0, len(sources)))}
    return {**fault, "nodes": draw(st.lists(st.sampled_from(sources), min_size=1, unique=True))}


@st.composite
def settings(draw: st.DrawFn) -> dict[str, Any]:
    """Any valid settings, each given or left out."""
    count = draw(nodes)
    shortest, median = sorted(draw(st.tuples(durations, durations)))
    names = [f"node_{index}" for index in range(count)]
    network = _networks(names)
    symbols = draw(
        st.lists(st.sampled_from(["AAPL", "MSFT", "BRK.B", "X9"]), min_size=1, unique=True)
    )
    feeds = ["simulated", "history", "history-2012", "lobster"]
    if symbols in (["AAPL"], ["MSFT"]):
        feeds += [symbols[0].lower(), f"{symbols[0].lower()}-2012"]
    prices = draw(_price_settings(symbols))
    sources = _names_of(prices["sources"])
    market = {
        "traders": st.integers(0, 10_000) | st.lists(_traders(), max_size=3),
        "band": st.sampled_from(["consensus", "luld"]),
        "band_parameters": st.dictionaries(st.sampled_from("ab"), st.text("5min", max_size=4)),
        "band_percent": _amounts(1, 100),
        "self_trade": st.sampled_from(["none", "decrement"]),
        "reference": st.sampled_from(["consensus", {"kind": "twap", "parameters": {"a": "5min"}}]),
        "reference_node": st.sampled_from([OBSERVER, f"node_{count - 1}"]),
    }
    top = {
        "epochs": st.integers(1, 10_000_000),
        "seed": st.integers(0, 2**63 - 1),
        "feed": st.sampled_from(feeds),
        "faults": st.lists(_faults(count) | _source_faults(sources), max_size=3),
        "leaders": st.sampled_from(["round_robin", "hashed"])
        | st.lists(st.sampled_from(names), min_size=1, max_size=3),
        "epoch_length": durations.map(_text),
        "market_time_per_epoch": st.integers(1, TRADING_DAY).map(_text),
        "quorum": st.integers(1, count) | st.just("2f+1"),
        "echo": st.booleans(),
        "network": st.fixed_dictionaries(
            {"shortest_delay": st.just(_text(shortest)), "median_delay": st.just(_text(median))},
            optional=network,
        ),
        "market": st.fixed_dictionaries({}, optional=market),
    }
    others = draw(st.fixed_dictionaries({}, optional=top))
    return {"nodes": count, "symbols": symbols, "prices": prices, **others}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("configurations")


@given(given=settings())
def test_what_is_saved_is_loaded(given: dict[str, Any], directory: Path) -> None:
    config = ExperimentConfig(**given)
    for path in (directory / "experiment.toml", directory / "experiment.json"):
        config.save(path)
        loaded = load_config(path)

        assert loaded == config
        saved = path.read_bytes()
        loaded.save(path)
        assert path.read_bytes() == saved


@pytest.mark.parametrize("suffix", [".toml", ".json"])
def test_what_could_not_be_read_again_is_not_saved(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"experiment{suffix}"
    links = {f"node_{a}>node_{b}": "5ms" for a in range(200) for b in range(200) if a != b}
    make_config(nodes=200, network={"link_delays": links}).save(path)
    assert len(load_config(path).network.link_delays) == len(links)

    with pytest.raises(InvalidInput, match="link_delays: 79600 is not valid; expected at most 40,"):
        make_config(nodes=400, network={"link_delays": links | {f"{a}x": 1 for a in links}})
    many = make_config(network={"delays": "sample", "samples": ["5ms"] * 100_001})
    with pytest.raises(DataError, match=f"{suffix}: could not be read again: .* at most 100,000"):
        many.save(path)


def test_files_say_what_people_write(tmp_path: Path) -> None:
    config = make_config(epochs=12, market_time_per_epoch="1min", prices={"base_price": 152.45})
    config.save(tmp_path / "experiment.toml")
    text = (tmp_path / "experiment.toml").read_text(encoding="utf-8")

    assert 'epoch_length = "1s"\n' in text
    assert 'market_time_per_epoch = "1min"\n' in text
    assert 'base_price = "152.45"\n' in text
    assert "epochs = 12\n" in text


@pytest.mark.parametrize("suffix", ["", ".TXT"])
def test_another_file_type_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"experiment{suffix}"
    with pytest.raises(InvalidInput, match=r"path: .* a file name ending in \.toml or \.json"):
        make_config().save(path)

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("e.toml", b"epochs = "),
        ("e.toml", b"\xff\xfe\x00"),
        ("e.json", b'{"epochs": 12'),
        ("e.json", b"[1, 2]"),
    ],
    ids=range(4),
)
def test_a_file_that_is_no_configuration(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        load_config(path)

    assert str(path) in str(caught.value)


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


# --- Sources


def test_sources_are_a_number_or_names_or_tables() -> None:
    table = {"name": "external_feed", "noise_bp": 5, "lag": "1min"}
    mixed = make_config(prices={"sources": ["market_data_1", table]}).prices

    assert mixed.sources == (
        Source("market_data_1"),
        Source("external_feed", noise_bp=5, lag=60_000_000),
    )
    assert make_config(prices={"sources": mixed.sources}).prices == mixed
    assert make_config(prices={"sources": 3}).prices == make_config().prices
    assert make_config().prices.source_names == SOURCES
    assert len(make_config(prices={"sources": 99}).prices.sources) == 99


def test_a_file_with_sources_symbols_and_assets(tmp_path: Path) -> None:
    text = """
        symbols = ["AAPL", "MSFT"]
        [faults]
        node_3 = "crash@4"
        reuters = "biased@4-8"
        [prices]
        sources = ["market_data_1", {name = "reuters", lag = "1min"}]
        [prices.assets.MSFT]
        base_price = "300"
        [prices.path_parameters]
        omega = 0.1
    """
    (tmp_path / "e.toml").write_text(text, encoding="utf-8")
    loaded = load_config(tmp_path / "e.toml")

    assert loaded == make_config(
        symbols=["AAPL", "MSFT"],
        faults={"node_3": "crash@4", "reuters": "biased@4-8"},
        prices={
            "sources": ["market_data_1", Source("reuters", lag=60_000_000)],
            "assets": {"MSFT": {"base_price": 300}},
            "path_parameters": {"omega": 0.1},
        },
    )


# --- Faults of sources


def test_faults_of_nodes_and_of_sources_are_told_apart() -> None:
    config = make_config(
        faults=[
            Fault("crash", count=1, start=4),
            Fault("biased", count=2),
            Fault("stale", nodes=("market_data_1",), start=60),
        ]
    )

    assert [fault.kind for fault in config.node_faults] == ["crash"]
    assert [fault.kind for fault in config.source_faults] == ["biased", "stale"]
    assert config.faulty_nodes == {"node_3"}
    assert config.faulty_sources == {"market_data_2", "external_feed"}


def test_a_count_of_sources_becomes_their_names() -> None:
    """So that a file says whose fault it is, whoever reads it."""
    config = make_config(faults=[Fault("biased", count=1), Fault("crash", count=1)])

    assert config.faults[0].nodes == ("external_feed",)
    assert config.faults[0].count is None
    assert (config.faults[1].nodes, config.faults[1].count) == ((), 1)
    assert config == make_config(faults=[{"kind": "biased", "nodes": ["external_feed"]}, CRASH])
    two = make_config(faults=[Fault("stale", count=2)], prices={"sources": ["a", "b", "c"]})
    assert two.faults[0].nodes == ("b", "c")
    assert make_config(faults=[Fault("biased", count=0)]).faulty_sources == frozenset()


CRASH = Fault("crash", count=1)


def test_a_fault_of_sources_is_one_by_their_names_even_if_nobody_registered_its_kind() -> None:
    config = read_settings({"faults": {"external_feed": "elsewhere@4", "node_1": "crash"}})

    assert [fault.kind for fault in config.source_faults] == ["elsewhere"]
    assert [fault.kind for fault in config.node_faults] == ["crash"]
    assert config.faulty_sources == {"external_feed"}
    assert config.faulty_nodes == {"node_1"}
    assert read_settings(config.to_document()) == config


@pytest.mark.parametrize(
    ("sources", "given", "fewest"),
    [
        (2, {}, 2),
        (3, {}, 2),
        (4, {}, 3),
        (6, {}, 3),
        (7, {}, 5),
        (10, {}, 7),
        (7, {"min_sources": 2}, 2),
        (7, {"min_sources": 6}, 6),
        (1, {"min_sources": 1}, 1),
    ],
)
def test_evidence_asks_for_so_many_sources_that_liars_are_a_minority(
    sources: int, given: dict[str, Any], fewest: int
) -> None:
    prices = PricesConfig(sources=sources, voter_policy="evidence", **given)

    assert prices.min_sources == fewest
    assert prices.rules((Decimal(1), Decimal(2))).min_sources == fewest
    assert PricesConfig(**prices.model_dump()) == prices
    if not given:
        for policy in ("observe", "bounds"):
            assert PricesConfig(sources=sources, voter_policy=policy).min_sources == 2


# --- Symbols


@pytest.mark.parametrize(
    ("feed", "symbols"),
    [
        ("simulated", ("AAPL",)),
        ("history-2012", ("AAPL",)),
        ("msft", ("MSFT",)),
        ("goog-2008", ("GOOG",)),
        ("lobster", ("AAPL",)),
    ],
)
def test_a_feed_may_say_whose_it_is(feed: str, symbols: tuple[str, ...]) -> None:
    config = ExperimentConfig(feed=feed)

    assert config.symbols == symbols
    assert ExperimentConfig(feed=feed, symbols=list(symbols)) == config


def test_an_asset_has_its_own_settings_and_the_common_ones() -> None:
    prices = make_config(
        symbols=["AAPL", "MSFT"],
        prices={
            "base_price": 200,
            "min_price": 20,
            "volatility": 2,
            "assets": {"MSFT": {"base_price": 30, "deviation_rule": "strict", "min_price": None}},
        },
    ).prices
    aapl, msft = prices.of("AAPL"), prices.of("MSFT")

    assert aapl == prices
    assert (aapl.base_price, msft.base_price) == (200, 30)
    assert (aapl.deviation_rule, msft.deviation_rule) == ("widen", "strict")
    assert (aapl.volatility, msft.volatility) == (2, 2)
    assert msft.min_price == 20, "None says nothing"
    assert msft.sources == prices.sources


def test_an_asset_can_go_back_to_a_default() -> None:
    """What is said is said, even where it is the default."""
    assets = {"MSFT": {"volatility": 1.0}}
    config = make_config(symbols=["AAPL", "MSFT"], prices={"volatility": 3, "assets": assets})
    again = make_config(**config.to_document())

    for prices in (config.prices, again.prices):
        assert (prices.of("AAPL").volatility, prices.of("MSFT").volatility) == (3, 1)


def test_the_start_of_a_replay_is_in_its_prices() -> None:
    """A base price, and where a path reflects, are a simulated path's."""
    bounds = {"min_price": 1, "max_price": 20}

    assert make_config(feed="history", prices=bounds).prices.min_price == 1
    assert make_config(feed=_frame(), prices=bounds).prices.max_price == 20
    with pytest.raises(InvalidInput, match=r"prices\.base_price: '150\.00' .* from 1 to 20"):
        make_config(prices=bounds)


@pytest.mark.parametrize(
    ("count", "given", "needed"), [(3, None, 3), (4, None, 3), (7, None, 5), (7, 4, 4), (7, 7, 7)]
)
def test_re_anchoring_takes_more_than_two_thirds_of_the_sources(
    count: int, given: int | None, needed: int
) -> None:
    settings = {"deviation_rule": "re-anchor", "sources": count, "reanchor_sources": given}
    rules = make_config(prices=settings).prices.rules((Decimal(1), Decimal(9)))

    assert rules.reanchor_sources == needed


# --- Frames and functions, which no file contains


def _frame(price: float = 9.5) -> pd.DataFrame:
    days = pd.date_range("2024-01-01", periods=70)
    return pd.DataFrame({"time": days, "price": price, "volume": 7_000})


def test_a_frame_that_is_changed_later_does_not_change_the_configuration() -> None:
    frame = _frame()
    config = make_config(feed=frame)
    frame["price"] = 1.0

    assert config == make_config(feed=_frame())
    assert isinstance(config.feed, FrameFeed)
    assert set(config.feed.columns()[1]) == {Decimal("9.5")}


def _cheapest(quotes: Any) -> Decimal:
    return Decimal(min(quote.price for quote in quotes))


def _steady() -> object:
    return GeometricBrownianMotion(volatility=0.0)


def _no_outliers(*_: Any) -> bool:
    return False


_OWN: dict[str, Any] = {
    "symbols": ["AAPL", "MSFT"],
    "prices": {
        "aggregator": _cheapest,
        "path_model": _steady,
        "outlier_rule": _no_outliers,
        "assets": {"MSFT": {"path_model": _steady}},
    },
}
_REASONS = (
    "prices.path_model is the function _steady",
    "prices.assets.MSFT.path_model is the function _steady",
    "prices.aggregator is the function _cheapest",
    "prices.outlier_rule is the function _no_outliers",
)


@pytest.mark.parametrize("suffix", [".toml", ".json"])
def test_what_a_file_does_not_contain_is_said_before_and_after(suffix: str, tmp_path: Path) -> None:
    config = make_config(**_OWN)
    path = tmp_path / f"e{suffix}"
    config.save(path)
    loaded = load_config(path)

    assert config.not_rerunnable == loaded.not_rerunnable == _REASONS
    assert loaded.to_document() == config.to_document()
    assert load_config(path) == loaded
    with pytest.raises(InvalidInput, match=r"function _\w+ itself"):
        Experiment.load(path)


@pytest.mark.parametrize("suffix", [".toml", ".json"])
def test_a_saved_experiment_has_the_prices_of_its_frame(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"e{suffix}"
    experiment = Experiment(epochs=5, feed=_frame())
    experiment.save(path)
    loaded = Experiment.load(path)

    assert loaded.config == experiment.config
    assert loaded.config.not_rerunnable == ()
    assert loaded.run().compare(experiment.run()).equal


def test_a_frame_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read = Mock(wraps=frame_path._read_rows)
    monkeypatch.setattr(frame_path, "_read_rows", read)
    Experiment(epochs=5, feed=_frame(9.75)).run()

    read.assert_called_once()


def test_a_result_of_ones_own_functions_is_loaded_but_not_run_again(tmp_path: Path) -> None:
    result = Experiment(epochs=4, **_OWN).run()
    result.save(tmp_path / "own.zip")
    loaded = Result.load(tmp_path / "own.zip")

    pd.testing.assert_frame_equal(loaded.prices, result.prices)
    assert loaded.config.not_rerunnable == _REASONS
    assert loaded.summary == result.summary
    with pytest.raises(InvalidInput) as caught:
        Experiment.from_config(loaded.config)
    assert str(caught.value) == (
        "prices.path_model: 'callable:_steady' is not valid; expected the function _steady itself, "
        "which a file can name but not contain"
    )


# --- How an experiment prints


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"feed": "msft-2012"}, 'Experiment(feed="msft-2012")'),
        ({"prices": {"sources": 3}}, "Experiment()"),
        (
            {"prices": {"sources": ["a", {"name": "b", "lag": 60}]}},
            'Experiment(prices={"sources": ["a", {"name": "b", "lag": "1min"}]})',
        ),
        (
            {"prices": {"assets": {"AAPL": {"base_price": 90}}}},
            'Experiment(prices={"assets": {"AAPL": {"base_price": 90}}})',
        ),
        ({"prices": {"aggregator": _cheapest}}, 'Experiment(prices={"aggregator": _cheapest})'),
        (
            {"faults": {"external_feed": "biased@4", "node_3": "crash@2-5"}},
            'Experiment(faults={"external_feed": "biased@4", "node_3": "crash@2-5"})',
        ),
        (
            {"faults": [Fault("split", ["node_2", "node_3"], stop=9)]},
            'Experiment(faults=[{"kind": "split", "nodes": ["node_2", "node_3"], "stop": 9}])',
        ),
        (
            {"faults": "node_3=crash,node_3=split"},
            """Experiment(
    faults=[
        {"kind": "crash", "nodes": ["node_3"]},
        {"kind": "split", "nodes": ["node_3"]},
    ],
)""",
        ),
        (
            {"faults": {"node_3": {"kind": "crash", "parameters": {"reaches": 1}}}},
            'Experiment(faults={"node_3": {"kind": "crash", "parameters": {"reaches": 1}}})',
        ),
        (
            {"network": {"partitions": [{"stop": 3, "groups": "node_0|node_1"}]}},
            'Experiment(network={"partitions": [{"stop": "3s", "groups": "node_0|node_1"}]})',
        ),
        (
            {"market": {"traders": ["momentum", {"kind": "informed", "count": 3}]}},
            'Experiment(market={"traders": ["momentum", {"kind": "informed", "count": 3}]})',
        ),
        ({"market": {"reference": "twap"}}, 'Experiment(market={"reference": "twap"})'),
        ({"market": {"band_percent": "2.50"}}, 'Experiment(market={"band_percent": "2.50"})'),
        # What is the default only where something else is as it is.
        (
            {"epoch_length": 1, "network": {"delta": 1}},
            'Experiment(epoch_length="1s", network={"delta": "1s"})',
        ),
        ({"epoch_length": 2, "network": {"delta": 1}}, 'Experiment(network={"delta": "1s"})'),
        (
            {"prices": {"voter_policy": "evidence", "min_sources": 2, "sources": 3}},
            'Experiment(prices={"voter_policy": "evidence"})',
        ),
        (
            {"prices": {"voter_policy": "evidence", "min_sources": 1}},
            'Experiment(prices={"min_sources": 1, "voter_policy": "evidence"})',
        ),
        (
            {"feed": "history", "symbols": ["AAPL", "MSFT"]},
            'Experiment(feed="history", symbols=["AAPL", "MSFT"])',
        ),
    ],
)
def test_an_experiment_prints_as_what_makes_it(given: dict[str, Any], text: str) -> None:
    experiment = Experiment(**given)

    assert repr(experiment) == text
    names = {"Experiment": Experiment, "_cheapest": _cheapest}
    assert eval(text, names).config == experiment.config


def test_what_is_too_long_for_a_line_has_a_line_for_each_of_its_items() -> None:
    prices = {"sources": 4, "voter_policy": "evidence", "min_sources": 2, "aggregator": "vwap"}
    experiment = Experiment(epochs=12, market_time_per_epoch="1min", nodes=9, prices=prices)

    assert to_code(experiment.config).splitlines() == [
        "sl.Experiment(",
        "    epochs=12,",
        "    nodes=9,",
        '    market_time_per_epoch="1min",',
        "    prices={",
        '        "sources": 4,',
        '        "min_sources": 2,',
        '        "aggregator": "vwap",',
        '        "voter_policy": "evidence",',
        "    },",
        ")",
    ]
