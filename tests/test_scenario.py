"""The worked scenarios of the notes, each by name, and the text that scenarios are written in."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamlet_lab.config import make_config
from streamlet_lab.errors import DataError, InvalidInput
from streamlet_lab.scenarios import Scenario, check_scenario, scenario, scenario_names
from streamlet_lab.scenarios.syntax import read_chain, write_chain
from streamlet_lab.simulator import create_streamlet_network


def passes(name):
    """Whether the lab's own scenario ends as its file says; the report if not."""
    run = scenario(name).run()
    assert run.outcomes
    assert run.passed, run
    return True


# --- A: block trees


def test_a1_figure_1_of_the_paper():
    assert passes("A1")


def test_a2_genesis_is_the_first_of_three():
    assert passes("A2")


def test_a3_two_consecutive_epochs_are_not_enough():
    assert passes("A3")


def test_a4_three_consecutive_epochs_finalize_the_prefix_too():
    assert passes("A4")


def test_a5_a_gap_after_three_consecutive_epochs():
    assert passes("A5")


def test_a6_three_consecutive_epochs_after_a_gap():
    assert passes("A6")


def test_a7_no_two_epochs_consecutive():
    assert passes("A7")


def test_a8_pairs_of_consecutive_epochs():
    assert passes("A8")


def test_a9_notarizations_out_of_order():
    assert passes("A9")


def test_a10_a_hole_holds_up_what_is_above_it():
    assert passes("A10")


def test_a11_forks():
    assert passes("A11")


def test_a12_two_conflicting_views():
    assert passes("A12")


# --- B: networks, f < n/3


def test_b1_all_honest_and_every_delay_delta():
    assert passes("B1")


def test_b3_a_silent_leader():
    assert passes("B3")


def test_b4_the_echo_attack_where_messages_are_echoed():
    assert passes("B4")


def test_b4_without_echo_nothing_is_ever_final():
    assert passes("B4-without-echo")


def test_b5_a_pending_vote():
    assert passes("B5")


def test_b6_a_late_reveal():
    assert passes("B6")


def test_b7_a_partition_into_halves_that_heals():
    assert passes("B7")


def test_b8_a_node_that_was_cut_off_catches_up():
    assert passes("B8")


def test_b9_a_node_stays_behind_for_ever_if_messages_are_lost():
    assert passes("B9")


# --- C: beyond the bound


def test_c1_equivocation():
    assert passes("C1")


def test_c2_amnesia():
    assert passes("C2")


def test_c3_quorum_3_at_five_nodes():
    assert passes("C3")


def test_c3_quorum_4_at_five_nodes():
    assert passes("C3-quorum-4")


def test_every_scenario_of_the_lab_has_its_test():
    tests = [name for name in globals() if name.startswith("test_")]
    for name in scenario_names():
        prefix = f"test_{name.lower().replace('-', '_')}_"
        assert any(test.startswith(prefix) for test in tests), name


def test_names_are_in_their_natural_order_and_the_files_say_them_too():
    names = scenario_names()
    assert (names[0], names[11], names[12], len(names)) == ("A1", "A12", "B1", 25)
    assert all(scenario(name).name == name for name in names)


@pytest.mark.parametrize("name", ["B2", "", None])
def test_an_unknown_name_is_answered_with_the_known_ones(name):
    with pytest.raises(InvalidInput, match=r"scenario: .* is not valid; expected one of A1, .*C3"):
        scenario(name)


def test_capitals_do_not_matter():
    assert scenario("b4-WITHOUT-echo") == scenario("B4-without-echo")
    assert check_scenario("a2") == check_scenario("A2")


@pytest.mark.parametrize("source", ["nope", "", "nope.txt"])
def test_what_is_neither_a_name_nor_a_file_is_answered_with_the_names(
    source, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput, match=rf"'{source}' .* expected a file, or one of A1, A2, "):
        check_scenario(source)


def test_a_scenario_that_expects_nothing_says_so():
    run = Scenario.parse(f"{NETWORK}run 3\n").run()
    assert run.passed
    assert run.report()[1:] == ["nothing was expected: there is no line such as 'expect final 0-1'"]


def test_a_line_that_is_no_toml_has_the_place_in_that_line():
    with pytest.raises(InvalidInput) as caught:
        Scenario(f"{NETWORK}quorum = three\nrun 3", "mine.txt")
    said = str(caught.value)
    assert said.startswith("mine.txt, line 4: ")
    assert "(Invalid value (at column 10))" in said


# --- What a run says

NETWORK = """scenario mine: three epochs
nodes = 4
network.delays = "constant"
"""


def test_a_wrong_expectation_fails_and_says_what_was_there():
    run = Scenario.parse(
        f"{NETWORK}run 3\n"
        "expect longest 0..2, final 0\n"
        "expect node_1: longest 0..1|0-2, final 0-1\n"
        "expect guilty node_2\n"
        "expect consistency violated\n"
        "expect final 0-1\n"
    ).run()
    assert not run.passed
    assert [(outcome.line, outcome.found) for outcome in run.failures[:3]] == [
        (5, "node_0, node_1, node_2, node_3, observer: final 0-1"),
        (6, "node_1: longest 0..2"),
        (7, "guilty none"),
    ]
    assert run.failures[3].found.startswith("consistency holds: ")
    report = str(run).splitlines()
    assert report == repr(run).splitlines() == run.report()
    assert report[0] == "mine: three epochs"
    assert report[1:3] == [
        "  NOT MET: expect longest 0..2, final 0",
        "    line 5, found node_0, node_1, node_2, node_3, observer: final 0-1",
    ]
    assert report[-2:] == ["  met: expect final 0-1", "1 of 5 expectations met"]


def test_views_that_differ_are_told_apart():
    run = Scenario.parse(
        "scenario two: two views\n"
        "chain 0-1\nnotarize 0 1 in X\nnotarize 0 in Y\n"
        "expect longest none\nexpect X, Y: final 0\n"
    ).run()
    assert [outcome.found for outcome in run.outcomes] == [
        "X: longest 0-1; Y: longest 0",
        "Y: final none",
    ]


def test_an_expectation_is_about_the_moment_in_which_it_stands():
    run = Scenario.parse(f"{NETWORK}run 1\nexpect longest 0\nrun 2\nexpect longest 0..2\n").run()
    assert run.passed
    assert run.simulation.next_epoch == 3
    assert [*run.views] == ["node_0", "node_1", "node_2", "node_3", "observer"]


def test_forks_of_one_length_are_written_side_by_side():
    text = "scenario forks: a fork\nchain 0-1A\nchain 1B-2 on 0\nnotarize 0 1B 1A\n"
    assert Scenario.parse(f"{text}expect longest 0-1B|0-1A\n").run().passed
    assert not Scenario.parse(f"{text}expect longest 0-1A|0-1B\n").run().passed


def test_a_faulty_nodes_view_counts_only_where_it_is_named():
    text = f'{NETWORK}faults.node_3 = "crash"\nrun 3\n'
    assert Scenario.parse(f"{text}expect longest 0..2\nexpect node_3: longest none\n").run().passed


def test_a_scripted_node_may_stand_beside_other_faults():
    made = Scenario.parse(
        f'{NETWORK}faults.node_2 = "silent_leader@4-8"\nnode_3 votes 0 at 900ms\nrun 2\n'
    )
    short, script = made.config.faults
    assert (short.kind, short.start, short.stop) == ("silent_leader", 4, 8)
    assert script.parameters == {"steps": ["node_3 votes 0 at 900ms"]}


# --- What is wrong with a text

WRONG = {
    # what is wrong: (text, line, what the message says)
    "nothing": ("", None, "a first line such as"),
    "no name": ("nodes = 4\n", 1, "'nodes = 4' is not valid; expected 'scenario NAME: "),
    "no run": (
        "scenario x: y\nnodes = 4\n",
        None,
        "lines: ['nodes = 4'] is not valid; expected among them a line such as 'run 12', or 'chain",
    ),
    "only a title": ("scenario x: y\n", None, "lines: [] is not valid; expected among them a line"),
    "unknown command": (
        f"{NETWORK}\nrum 3",
        5,
        "command: 'rum 3' is not valid; expected a setting",
    ),
    "epochs": (f"{NETWORK}run 0", 4, "run: '0' is not valid; expected a number of epochs"),
    "epochs twice": (f"{NETWORK}epochs = 9\nrun 3", 4, "epochs: 9 is not valid"),
    "not TOML": (f"{NETWORK}quorum = three\nrun 3", 4, "expected a line of TOML"),
    "many epochs": (f"{NETWORK}run 99999999999", 4, "a number of epochs from 1 to 9999999"),
    "twice": (
        f"{NETWORK}nodes = 5\nrun 3",
        4,
        "setting: 'nodes = 5' is not valid; expected a setting that no line before gives",
    ),
    "below a value": (f"{NETWORK}network.delays.x = 5\nrun 3", 4, "a setting that no line before"),
    "no such setting": (f"{NETWORK}nods = 4\nrun 3", 4, "expected one of the settings"),
    "bad setting": (
        f"{NETWORK}# why\nquorum = 9\nrun 3",
        5,
        "quorum: 9 is not valid; expected at most",
    ),
    "bad inner setting": (f"{NETWORK}network.loss = 2\nrun 3", 4, "network.loss: 2 is not valid"),
    "no such inner setting": (f"{NETWORK}network.dela = 4\nrun 3", 4, "'dela' is not valid"),
    "no such second fault": (
        f'{NETWORK}faults.node_0 = "crash"\nfaults.node_1 = "cough"\nrun 3',
        5,
        "'cough' is not valid",
    ),
    "elsewhere": (
        f'{NETWORK}network.median_delay = "1us"\nepoch_length = 0\nrun 3',
        5,
        "epoch_length",
    ),
    "no such fault": (f'{NETWORK}faults.node_1 = "cough"\nrun 3', 4, "'cough' is not valid"),
    "prices": (f'{NETWORK}faults.node_1 = "lying_leader"\nrun 3', 4, "without prices"),
    "expectation": (f"{NETWORK}run 3\nexpect all 0", 5, "expected 'expect longest CHAIN"),
    "fact": (f"{NETWORK}run 3\nexpect longest 0, first 1", 5, "expected 'expect longest CHAIN"),
    "falling epochs": (f"{NETWORK}run 3\nexpect final 2-1", 5, "chain: '2-1' is not valid"),
    "falling range": (f"{NETWORK}run 3\nexpect final 3..1", 5, "chain: '3..1' is not valid"),
    "no such view": (f"{NETWORK}run 3\nexpect node_9: final 0", 5, "'node_9' is not valid"),
    "nobody guilty": (f"{NETWORK}run 3\nexpect guilty X", 5, "'X' is not valid"),
    "no such check": (f"{NETWORK}run 3\nexpect luck holds", 5, "expected one of consistency"),
    "step": (f"{NETWORK}node_3 votes\nrun 3", 4, "command: 'node_3 votes' is not valid"),
    "step without time": (f"{NETWORK}node_3 votes 0 to node_1\nrun 3", 4, "BLOCK to NODES at TIME"),
    "step at once": (f"{NETWORK}node_3 votes 0 at 0us\nrun 3", 4, "messages take time"),
    "step downwards": (f"{NETWORK}node_3 proposes 2 on 2A at 5us\nrun 3", 4, "an epoch before 2"),
    "two parents": (
        f"{NETWORK}node_3 proposes 2 on 1 at 5us\nnode_3 proposes 2 on 0 at 5us\nrun 3",
        5,
        "expected 2 on 1, as before",
    ),
    "step by a stranger": (f"{NETWORK}node_4 votes 0 at 5us\nrun 3", 4, "a node from node_0"),
    "step to a stranger": (
        f"{NETWORK}node_3 votes 0 to node_4 at 5us\nrun 3",
        4,
        "expected to node_0",
    ),
    "delivery": (f"{NETWORK}deliver votes of 0\nrun 3", 4, "expected 'deliver WHAT of EPOCHS"),
    "loss with a time": (
        f"{NETWORK}lose votes at 3us\nrun 3",
        4,
        "expected 'deliver WHAT of EPOCHS",
    ),
    "delivery at once": (f"{NETWORK}deliver votes after 0us\nrun 3", 4, "messages take time"),
    "delivery to a stranger": (f"{NETWORK}lose votes to bob\nrun 3", 4, "'bob' is not valid"),
    "both kinds": (f"{NETWORK}chain 0-1\nrun 3", 2, "either block trees or a network, not both"),
    "no such parent": ("scenario x: y\nchain 1-2 on 0", 2, "block: '0' is not valid"),
    "below its parent": ("scenario x: y\nchain 1-2\nchain 2A on 2", 3, "an epoch after 2"),
    "block twice": ("scenario x: y\nchain 1-2\nchain 2-3 on 1", 3, "is there already"),
    "no such block": ("scenario x: y\nchain 1-2\nnotarize 3", 3, "expected one of genesis, 1, 2"),
    "no blocks": ("scenario x: y\nchain none", 2, "blocks of rising epochs"),
    "notarize nothing": ("scenario x: y\nchain 0\nnotarize", 3, "blocks such as"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_line_is_named_with_its_number_before_anything_runs(case):
    text, line, message = WRONG[case]
    with pytest.raises(InvalidInput) as caught:
        Scenario(text, "mine.txt").run()
    said = str(caught.value)
    assert said.startswith("mine.txt: " if line is None else f"mine.txt, line {line}: ")
    assert message in said


def test_a_step_that_comes_too_early_for_its_block_is_named_with_its_line():
    made = Scenario(f"{NETWORK}node_3 votes 1 at 1s\nrun 3", "mine.txt")
    with pytest.raises(InvalidInput, match=r"^mine\.txt, line 4: step: .* seen before 1000000us"):
        made.run()


# --- Files


def test_a_scenario_is_saved_and_loaded_as_it_was_written(tmp_path):
    path = tmp_path / "mine.txt"
    made = Scenario.parse(f"{NETWORK}run 3  # short\n\n# why\nexpect final 0-1\n")
    made.save(path)
    loaded = Scenario.load(path)
    assert loaded == made
    assert loaded.to_text() == path.read_text() == made.text
    assert repr(loaded) == "Scenario(mine: three epochs)"


def test_a_file_that_is_not_there_or_not_text_is_said_so(tmp_path: Path):
    with pytest.raises(DataError, match="cannot be read"):
        Scenario.load(tmp_path / "mine.txt")
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="not a text in UTF-8"):
        Scenario.load(tmp_path / "bytes.txt")


def test_check_scenario_takes_a_name_or_a_file(tmp_path):
    lines, passed = check_scenario("A2")
    assert passed
    assert lines[0].startswith("A2: ")
    (tmp_path / "mine.txt").write_text("scenario x: y\nchain 0\nnotarize 0\nexpect final 0\n")
    lines, passed = check_scenario(str(tmp_path / "mine.txt"))
    assert not passed
    assert lines[-1] == "0 of 1 expectations met"


# --- From a configuration

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
    config = make_config(**chosen)
    made = Scenario.from_config(config, ["consistency holds"])
    assert Scenario.parse(made.to_text()).config == config


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


def test_a_saved_run_may_be_shorter_and_has_a_name_of_its_own():
    made = Scenario.from_config(
        make_config(signatures="none"),
        ["longest 0..3", "guilty none"],
        epochs=4,
        name="fuzz-12",
        title="what the fuzzer found",
    )
    assert made.run().passed
    assert made.config.epochs == 4
    assert made.to_text().splitlines() == [
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


@given(st.sets(st.integers(0, 30)), st.sampled_from(["", "A"]))
def test_chains_are_read_as_they_are_written(epochs, tag):
    names = tuple(f"{epoch}{tag if epoch % 5 == 0 else ''}" for epoch in sorted(epochs))
    assert read_chain(write_chain(names)) == names
