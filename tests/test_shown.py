"""What others wrote is shown as text: no terminal obeys it, and on no page it is a tag."""

from dataclasses import replace

import pandas as pd
import pytest

from streamlet_lab import Experiment, Sweep
from streamlet_lab.checks import CheckResult, Status
from streamlet_lab.cli import main
from streamlet_lab.consensus import Evidence, Vote
from streamlet_lab.consensus.evidence import Offence
from streamlet_lab.fuzz import Search
from streamlet_lab.scenarios import Scenario

HOSTILE = "\x1b[31mred\u202e \x07\x9b"
TREE = f"scenario X: a title {HOSTILE}\nchain 0\nnotarize 0\nexpect final 0 # {HOSTILE}\n"

VOTE = Vote("x", 1, 1, b"", f"node_3{HOSTILE}", b"")
FRAME = pd.DataFrame({HOSTILE: ["x"], "repeat": [0], "seed": [0], f"m{HOSTILE}": [1.0]})
SHOWN = {
    "scenario": lambda: Scenario(TREE),
    "run of a scenario": lambda: Scenario(TREE).run(),
    "evidence": lambda: Evidence(Offence.TWO_VOTES, VOTE, VOTE),
    "sweep": lambda: Sweep(FRAME, (HOSTILE,), planned=1),
    "search": lambda: Search(1, (), {HOSTILE: 1}, unsaved=(HOSTILE,)),
}


@pytest.mark.parametrize("name", SHOWN)
def test_what_others_wrote_is_shown_with_escapes(name):
    text = repr(SHOWN[name]())
    assert all(line.isprintable() for line in text.split("\n"))
    assert r"\x1b[31mred" in text


def test_a_command_prints_nothing_that_a_terminal_obeys(tmp_path, capsys):
    file = tmp_path / f"{HOSTILE}.txt"
    for text in (TREE, TREE.replace("chain 0\n", f"chain 0\n{HOSTILE}\n")):
        file.write_text(text, encoding="utf-8")
        main(["scenario", str(file)])
        printed = "".join(capsys.readouterr())
        assert r"\x1b[31mred" in printed
        assert all(line.isprintable() for line in printed.split("\n"))


TAG = "<img src=x onerror=alert(1)>"


def test_a_sweep_is_a_page_of_texts():
    frame = FRAME.set_axis([f"{TAG}x", "repeat", "seed", f"{TAG}m"], axis="columns")
    page = Sweep(frame.replace({f"{TAG}x": {"x": TAG}}), (f"{TAG}x",), planned=1)._repr_html_()
    assert "<img" not in page
    assert page.count("&lt;img") >= 4


def test_a_result_shows_texts():
    name = f"{TAG}{HOSTILE}"
    checks = {"consistency": CheckResult(name, "", Status.HOLDS, name)}
    evidence = {name: Evidence(Offence.TWO_VOTES, VOTE, VOTE)}
    result = replace(Experiment(epochs=10).run(), checks=checks, evidence=evidence)
    page = result._repr_html_()
    assert page.isprintable()
    assert "&lt;img" in page
    assert "<img" not in page
