"""A scenario of a configuration is that configuration."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamlet_lab.config import ExperimentConfig, make_config
from streamlet_lab.errors import InvalidInput
from streamlet_lab.scenarios import Scenario
from streamlet_lab.simulator import create_streamlet_network

nodes = st.integers(1, 5).map("node_{}".format)
durations = st.integers(1, 10**7).map("{}us".format)
settings = st.fixed_dictionaries(
    {"nodes": st.just(6)},
    optional={
        "seed": st.integers(0, 2**62),
        "epochs": st.integers(1, 99),
        "epoch_length": durations,
        "leaders": st.one_of(st.just("hashed"), st.lists(nodes, min_size=1, max_size=4)),
        "quorum": st.one_of(st.integers(1, 6), st.just("2f+1")),
        "model": st.sampled_from(["byzantine", "crash", "synchronous"]),
        "echo": st.booleans(),
        "signatures": st.just("none"),
        "feed": st.sampled_from(["simulated", "history", "lobster", "aapl-2012"]),
        "prices": st.fixed_dictionaries(
            {},
            optional={
                "sources": st.just(["a", {"name": "b", "noise_bp": 5, "lag": "1min"}]),
                "assets": st.just({"AAPL": {"base_price": 90, "path_parameters": {"x": [1, "y"]}}}),
                "outlier_rule": st.just("tail"),
            },
        ),
        "faults": st.lists(
            st.builds(
                lambda node, kind, start: {"kind": kind, "nodes": [node], "start": start},
                nodes,
                st.sampled_from(["crash", "silent_leader", "withhold_votes"]),
                st.integers(0, 5),
            ),
            max_size=3,
        ),
        "network": st.fixed_dictionaries(
            {},
            optional={
                "delta": durations,
                "loss": st.floats(0, 1),
                "gst": durations,
                "slow_nodes": st.dictionaries(nodes, st.floats(1, 9), max_size=2),
                "link_delays": st.dictionaries(
                    nodes.map("node_0>{}".format), durations, max_size=2
                ),
                "clock_skew": st.one_of(durations, st.dictionaries(nodes, durations, max_size=2)),
                "partitions": st.lists(
                    st.just({"stop": "9ms", "groups": "node_0|node_1,node_2", "one_way": True}),
                    max_size=2,
                ),
            },
        ),
    },
)


@given(settings)
def test_a_configuration_comes_back_from_the_text_of_its_scenario(chosen):
    config = ExperimentConfig(**chosen)
    made = Scenario.from_config(config, ["consistency holds"])
    assert Scenario(made.text).config == config


def test_a_faults_parameters_come_back():
    crash = {"kind": "crash", "nodes": ["node_0"], "parameters": {"reaches": 2}}
    script = {"kind": "script", "count": 1, "parameters": {"steps": ["node_3 votes 0 at 5us"]}}
    config = make_config(faults=[crash, script])
    assert Scenario.from_config(config, []).config == config


def test_a_saved_run_is_the_same_run():
    config = make_config(
        nodes=5,
        epochs=20,
        seed=7,
        leaders="hashed",
        faults={"node_4": "silent_leader@3-9"},
        network={"loss": 0.2, "gst": "3s"},
    )
    direct = create_streamlet_network(config)
    direct.run(20)
    again = Scenario.from_config(config, ["consistency holds"]).run().views
    notarized = {name: node.tree.notarized for name, node in direct.nodes.items()}
    assert {name: tree.notarized for name, tree in again.items()} == notarized


def test_a_saved_run_names_what_differs_from_the_defaults():
    made = Scenario.from_config(
        make_config(signatures="none", epochs=4),
        ["longest 0..3", "guilty none"],
        name="fuzz-12",
        title="what the fuzzer found",
    )
    assert made.run().passed
    assert made.text.splitlines() == [
        "scenario fuzz-12: what the fuzzer found",
        'signatures = "none"',
        "seed = 0",
        'epoch_length = "1s"',
        "run 4",
        "expect longest 0..3",
        "expect guilty none",
    ]


def test_a_configuration_with_a_function_cannot_be_saved():
    config = make_config(network={"delays": lambda stream, network, nodes: lambda *copy: 1})
    with pytest.raises(InvalidInput, match="a configuration that is data"):
        Scenario.from_config(config, [])
