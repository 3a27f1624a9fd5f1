"""The worked scenarios of the lab, by name, and the command that plays them."""

import pytest

from streamlet_lab.errors import InvalidInput
from streamlet_lab.scenarios import find_scenario, scenario, scenario_names


@pytest.mark.parametrize("name", scenario_names())
def test_a_worked_scenario_ends_as_its_file_says(name):
    run = scenario(name).run()
    assert run.outcomes
    assert run.passed, run


def test_scenario_names_are_in_their_natural_order_and_the_files_say_them_too():
    names = scenario_names()
    assert (names[0], names[11], names[12], len(names)) == ("A1", "A12", "B1", 25)
    assert all(scenario(name).name == name for name in names)


@pytest.mark.parametrize("name", ["B2", "", None])
def test_an_unknown_name_is_answered_with_the_known_ones(name):
    with pytest.raises(InvalidInput, match=r"scenario: .* is not valid; expected one of A1, .*C3"):
        scenario(name)


@pytest.mark.parametrize("source", ["nope", "", "nope.txt"])
def test_find_scenario_answers_what_is_neither_a_name_nor_a_file_with_the_names(
    source, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput, match=rf"'{source}' .* expected a file, or one of A1, A2, "):
        find_scenario(source)


def test_find_scenario_takes_a_name_or_a_file(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("scenario x: y\nchain 0\nnotarize 0\nexpect final 0\n")
    assert find_scenario("b4-WITHOUT-echo") == scenario("B4-without-echo")
    assert find_scenario(str(path)).name == "x"
