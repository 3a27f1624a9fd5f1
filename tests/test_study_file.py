"""A study as a file: what it says is what `sweep` is given."""

from pathlib import Path

import pandas as pd
import pytest

from streamlet_lab.errors import DataError, InvalidInput
from streamlet_lab.grid import sweep
from streamlet_lab.sobol import quasi_random
from streamlet_lab.study_file import load_study

EXAMPLE = Path(__file__).resolve().parents[1] / "docs" / "study.toml"


def study(tmp_path, text):
    path = tmp_path / "study.toml"
    path.write_text(text, encoding="utf-8")
    return load_study(path)


def test_the_example_is_the_study_that_its_comment_names():
    assert load_study(EXAMPLE) == {
        "repeats": 12,
        "measure": ["fair_stopped_rate", "median_latency_s", "epochs_without_price"],
        "base": {"epochs": 20, "signatures": "none", "market": {"traders": 10}},
        "over": {
            "network.median_delay": ["20ms", "80ms"],
            "faults": {"none": {}, "one crashed": {"node_3": "crash@0"}},
        },
    }


@pytest.mark.parametrize(
    ("text", "over"),
    [
        ("", {}),
        (
            "[over]\nnodes = [4, 7]\n'network.delta' = ['1s']",
            {"nodes": [4, 7], "network.delta": ["1s"]},
        ),
        ("[over.market]\nband.none = 'none'", {"market.band": {"none": "none"}}),
        ("[[over]]\nnodes = 4\nnetwork.delta = '1s'", [{"nodes": 4, "network.delta": "1s"}]),
    ],
)
def test_a_section_may_be_written_in_each_way(tmp_path, text, over):
    assert study(tmp_path, text) == {"base": {}, "over": over}


def test_points_may_be_drawn(tmp_path):
    text = "[quasi_random]\ncount = 4\nlog = ['network.delta']\nbounds.nodes = [4, 16]\n"
    text += "bounds.network.delta = ['100ms', '2s']\n"
    bounds = {"nodes": (4, 16), "network.delta": ("100ms", "2s")}
    drawn = quasi_random(bounds, count=4, log=["network.delta"])
    pd.testing.assert_frame_equal(study(tmp_path, text)["over"], drawn)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("quasi_random = 3", "quasi_random: 3 .* a table of bounds, count, seed, log"),
        ("quasi_random.count = 3", "quasi_random: {'count': 3} .* a table of bounds"),
        ("[quasi_random]\nbounds = {}\ncounts = 3", "'counts' .*did you mean 'count'"),
        ("quasi_random.bounds = {}", "bounds: {}"),
        ("quasi_random.bounds.nodes = 4", r"nodes: 4 "),
        ("over.nodes = [4]\nquasi_random.count = 3", "'over' has some too"),
        ("repeat = 3", r"study: 'repeat' is not valid; .*did you mean 'repeats'"),
        ("[over]\n'network.delta' = [1]\nnetwork.delta = [2]", "'network.delta' .* once"),
        ("[[over]]\n[[over]]\n'market.band' = 1\nmarket.band = 2", r"over\[1\]: 'market.band'"),
    ],
)
def test_a_mistake_in_what_only_a_file_has_is_refused(tmp_path, text, message):
    with pytest.raises(InvalidInput, match=message):
        study(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("base.nodess = 4", r"'nodess' .*did you mean 'nodes'"),
        ("base = 3", "base: 3"),
        ("over.network.delta = ['soon']", r"network\.delta: 'soon'"),
        ("measure = ['trade']", r"measure: 'trade' .*did you mean 'trades'"),
        ("until = 'narrow'", "until: 'narrow'"),
    ],
)
def test_a_mistake_in_what_a_sweep_takes_is_refused_by_the_sweep(tmp_path, text, message):
    with pytest.raises(InvalidInput, match=message):
        sweep(**study(tmp_path, text))


@pytest.mark.parametrize("text", ["repeats = \n", "[base]\nnodes = 4\n[base]"])
def test_what_is_no_toml_is_refused_with_its_line(tmp_path, text):
    with pytest.raises(DataError, match=r"study\.toml: not a TOML document: .*line"):
        study(tmp_path, text)
