"""A scenario is played as its text says, and a wrong line is named."""

import tomllib
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamlet_lab.errors import DataError, InvalidInput
from streamlet_lab.scenarios import Scenario, scenario, scenario_config, scenario_names
from streamlet_lab.scenarios.syntax import read_chain, write_chain

NETWORK = """scenario mine: three epochs
nodes = 4
network.delays = "constant"
"""


# --- The worked ones


@pytest.mark.parametrize("name", scenario_names())
def test_a_worked_scenario_ends_as_its_file_says(name):
    run = scenario(name).run()
    assert run.outcomes
    assert run.passed, run


def test_scenario_names_are_in_their_natural_order_and_the_files_say_them_too():
    names = scenario_names()
    assert (names[0], names[11], names[12], len(names)) == ("A1", "A12", "B1", 25)
    assert all(scenario(name).name == name for name in names)


@pytest.mark.parametrize("source", ["nope", "", "nope.txt", None])
def test_what_is_neither_a_name_nor_a_file_is_answered_with_the_names(
    source, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput, match=rf"{source!r} .* expected a file, or one of A1, A2, "):
        scenario(source)


def test_a_scenario_is_found_by_its_name_or_its_file(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("scenario x: y\nchain 0\nnotarize 0\nexpect final 0\n")
    assert scenario("b4-WITHOUT-echo") == scenario("B4-without-echo")
    assert scenario(str(path)).name == scenario(path).name == "x"


# --- What comes of a text


@given(st.sets(st.integers(0, 30)), st.sampled_from(["", "A"]))
def test_chains_are_read_as_they_are_written(epochs, tag):
    names = tuple(f"{epoch}{tag if epoch % 5 == 0 else ''}" for epoch in sorted(epochs))
    assert read_chain(write_chain(names)) == names


def test_a_wrong_expectation_fails_and_says_what_was_there():
    run = Scenario(
        f"{NETWORK}run 3\n"
        "expect longest 0..2, final 0\n"
        "expect node_1: longest 0..1|0-2, final 0-1\n"
        "expect guilty node_2\n"
        "expect consistency violated\n"
        "expect final 0-1\n"
    ).run()
    assert not run.passed
    failures = [outcome for outcome in run.outcomes if not outcome.met]
    assert [(outcome.line, outcome.found) for outcome in failures[:3]] == [
        (5, "node_0, node_1, node_2, node_3, observer: final 0-1"),
        (6, "node_1: longest 0..2"),
        (7, "guilty none"),
    ]
    assert failures[3].found.startswith("consistency holds: ")
    report = str(run).splitlines()
    assert report[0] == "mine: three epochs"
    assert report[1:3] == [
        "  NOT MET: expect longest 0..2, final 0",
        "    line 5, found node_0, node_1, node_2, node_3, observer: final 0-1",
    ]
    assert report[-2:] == ["  met: expect final 0-1", "1 of 5 expectations met"]


def test_a_scenario_that_expects_nothing_says_so():
    run = Scenario(f"{NETWORK}run 3\n").run()
    assert run.passed
    assert str(run).splitlines()[1:] == [
        "nothing was expected: there is no line such as 'expect final 0-1'"
    ]


def test_views_that_differ_are_told_apart():
    run = Scenario(
        "scenario two: two views\n"
        "chain 0-1\nnotarize 0 1 in X\nnotarize 0 in Y\n"
        "expect longest none\nexpect X, Y: final 0\n"
    ).run()
    assert [outcome.found for outcome in run.outcomes] == [
        "X: longest 0-1; Y: longest 0",
        "Y: final none",
    ]


def test_an_expectation_is_about_the_moment_in_which_it_stands():
    run = Scenario(f"{NETWORK}run 1\nexpect longest 0\nrun 2\nexpect longest 0..2\n").run()
    assert run.passed
    assert run.simulation.next_epoch == 3
    assert [*run.views] == ["node_0", "node_1", "node_2", "node_3", "observer"]


def test_forks_of_one_length_are_written_side_by_side():
    text = "scenario forks: a fork\nchain 0-1A\nchain 1B-2 on 0\nnotarize 0 1B 1A\n"
    assert Scenario(f"{text}expect longest 0-1B|0-1A\n").run().passed
    assert not Scenario(f"{text}expect longest 0-1A|0-1B\n").run().passed


def test_a_faulty_nodes_view_counts_only_where_it_is_named():
    text = f'{NETWORK}faults.node_3 = "crash"\nrun 3\n'
    assert Scenario(f"{text}expect longest 0..2\nexpect node_3: longest none\n").run().passed


def test_a_scripted_node_may_stand_beside_other_faults():
    made = Scenario(
        f'{NETWORK}faults.node_2 = "silent_leader@4-8"\nnode_3 votes 0 at 900ms\nrun 2\n'
    )
    short, script = made.config.faults
    assert (short.kind, short.start, short.stop) == ("silent_leader", 4, 8)
    assert script.parameters == {"steps": ["node_3 votes 0 at 900ms"]}


# --- What is wrong with a text

# Lines behind those of NETWORK, which of them is wrong, and what the message says.
WRONG_LINES = [
    ('faults.node_1 = "cough"\nnetwork.loss = 2', 5, "network.loss: 2 is not valid"),
    ("\nrum 3", 5, "command: 'rum 3' is not valid; expected a setting"),
    ("run 0", 4, "run: '0' is not valid; expected a number of epochs"),
    ("epochs = 9", 4, "epochs: 9 is not valid"),
    ("quorum = three", 4, "(Invalid value (at column 10))"),
    (f"x = {'{x=' * 2000}1{'}' * 2000}", 4, "a line of TOML"),
    (f"{'x.' * 999}x = 1", 4, "command: 'x.x."),
    ("nodes = 5", 4, "setting: 'nodes = 5' is not valid; expected a setting that no line before"),
    ("nodes.x = 5", 4, "a setting that no line before"),
    ("network.delays.x = 5", 4, "a setting that no line before"),
    ("network = 5", 4, "a setting that no line before"),
    ("nods = 4", 4, "expected one of the settings"),
    ("network.dela = 4", 4, "'dela' is not valid"),
    ("# why\nquorum = 9", 5, "quorum: 9 is not valid; expected at most"),
    ('network.median_delay = "1us"\nepoch_length = 0', 5, "epoch_length"),
    ('faults.node_0 = "crash"\nfaults.node_1 = "cough"', 5, "'cough' is not valid"),
    ('faults.node_1 = "lying_leader"', 4, "without prices"),
    ("expect all 0", 4, "expected 'expect longest CHAIN"),
    ("expect final 2-1", 4, "chain: '2-1' is not valid"),
    ("expect node_9: final 0", 4, "'node_9' is not valid"),
    ("expect guilty X", 4, "'X' is not valid"),
    ("expect luck holds", 4, "expected one of consistency"),
    ("node_3 votes", 4, "command: 'node_3 votes' is not valid"),
    ("node_3 votes 0 to node_1", 4, "BLOCK to NODES at TIME"),
    (
        "node_3 proposes 2 on 1 at 5us\nnode_3 proposes 2 on 0 at 5us",
        5,
        "expected 2 on 1, as before",
    ),
    ("node_4 votes 0 at 5us", 4, "a node from node_0"),
    ("node_3 votes 0 to node_4 at 5us", 4, "expected to node_0"),
    ("deliver votes of 0", 4, "expected 'deliver WHAT of EPOCHS"),
    ("lose votes to bob", 4, "'bob' is not valid"),
    ("chain 0-1", 2, "either block trees or a network, not both"),
]

# The same of whole texts.
TOO_LONG = "-".join(f"{9000 * n}..{9000 * n + 8999}" for n in range(2))
WRONG_TEXTS = [
    ("", None, "a first line such as"),
    ("nodes = 4\n", 1, "'nodes = 4' is not valid; expected 'scenario NAME: "),
    ("scenario x: y\nnodes = 4\n", None, "lines: ['nodes = 4'] is not valid; expected among them"),
    ("scenario x: y\nchain 1-2 on 0", 2, "block: '0' is not valid"),
    ("scenario x: y\nchain 1-2\nchain 2A on 2", 3, "an epoch after 2"),
    ("scenario x: y\nchain 1-2\nchain 2-3 on 1", 3, "is there already"),
    ("scenario x: y\nchain 1-2\nnotarize 3", 3, "expected one of genesis, 1, 2"),
    ("scenario x: y\nchain none", 2, "blocks of rising epochs"),
    (f"scenario x: y\nchain {TOO_LONG}", 2, "at most 10,000 blocks"),
    ("scenario x: y\nchain 0\nnotarize", 3, "blocks such as"),
]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [(f"{NETWORK}{lines}\nrun 3", *rest) for lines, *rest in WRONG_LINES] + WRONG_TEXTS,
    ids=range(len(WRONG_LINES) + len(WRONG_TEXTS)),
)
def test_a_wrong_line_is_named_with_its_number_before_anything_runs(text, line, message):
    with pytest.raises(InvalidInput) as caught:
        Scenario(text, "mine.txt").run()
    said = str(caught.value)
    assert said.startswith("mine.txt: " if line is None else f"mine.txt, line {line}: ")
    assert message in said


def test_a_step_that_comes_too_early_for_its_block_is_named_with_its_line():
    made = Scenario(f"{NETWORK}node_3 votes 1 at 1s\nrun 3", "mine.txt")
    with pytest.raises(InvalidInput, match=r"^mine\.txt, line 4: step: .* seen before 1000000us"):
        made.run()


def test_every_setting_is_read_once_and_a_wrong_one_is_found_in_a_few_steps():
    right = [f'network.link_delays."node_0>node_{index}" = "1ms"' for index in range(1, 400)]
    lines = ["scenario mine: many settings", "nodes = 400", *right, "run 3"]
    with mock.patch.object(tomllib, "loads", wraps=tomllib.loads) as read:
        Scenario("\n".join(lines))
    assert [call.args[0] for call in read.call_args_list] == lines[1:-1]
    lines.insert(300, "network.loss = 2")
    make = mock.patch.object(scenario_config, "read_settings", wraps=scenario_config.read_settings)
    with make as made, pytest.raises(InvalidInput, match=r"line 301: network\.loss: 2 is not"):
        Scenario("\n".join(lines))
    assert made.call_count <= 11


# --- Files


def test_a_scenario_is_saved_and_loaded_as_it_was_written(tmp_path):
    path = tmp_path / "mine.txt"
    made = Scenario(f"{NETWORK}run 3  # short\n\n# why\nexpect final 0-1\n")
    made.save(path)
    loaded = Scenario.load(path)
    assert loaded == made
    assert path.read_text() == made.text
    assert repr(loaded) == "Scenario(mine: three epochs)"


def test_a_file_that_is_not_there_or_not_text_is_said_so(tmp_path: Path):
    with pytest.raises(DataError, match="cannot be read"):
        Scenario.load(tmp_path / "mine.txt")
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="not a text in UTF-8"):
        Scenario.load(tmp_path / "bytes.txt")
