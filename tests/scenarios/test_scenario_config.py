"""A scenario of a configuration is that configuration."""

import hypothesis
import pytest
from test_config import settings

from streamlet_lab.config import make_config, read_settings
from streamlet_lab.errors import InvalidInput
from streamlet_lab.scenarios import Scenario
from streamlet_lab.simulator import create_streamlet_network


@hypothesis.settings(max_examples=60)
@hypothesis.given(given=settings())
# Without the default of min_sources, which is another one with evidence, it would be refused.
@hypothesis.example(
    given={
        "prices": {
            "sources": 4,
            "min_sources": 2,
            "reanchor_sources": 2,
            "voter_policy": "evidence",
        }
    }
)
def test_a_configuration_comes_back_from_the_text_of_its_scenario(given):
    config = read_settings(given)
    assert Scenario(Scenario.from_config(config, ["consistency holds"]).text).config == config


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
