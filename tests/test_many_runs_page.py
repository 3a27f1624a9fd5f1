"""The pages on many runs say what is true: calls, a saved study, a cluster."""

import importlib
import re
from pathlib import Path

import distributed
import pandas as pd
import pytest

import streamlet_lab as sl

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("many_runs.md", "how_to/saved_study.md", "how_to/cluster.md")
PAGE = "".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in PAGES)
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
# What asks for machines that are not here.
ELSEWHERE = ("SSHCluster", "SLURMCluster", "KubeCluster")

KINDS = """
import streamlet_lab as sl


@sl.trader_kind("one_share")
class OneShare(sl.Trader):
    def act(self, view):
        yield self.buy(1, view.true_price)
"""


def names_after(blocks, names):
    for block in blocks:
        exec(compile(block, "many_runs.md", "exec"), names)
    return names


@pytest.mark.slow
def test_its_calls_give_one_frame_wherever_the_runs_are_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = names_after(BLOCKS[:1], {})
    expected = names["swept"].frame
    whole = [each for each in BLOCKS if "repeats=12" in each and "LocalCluster" not in each]
    assert len(whole) == 3
    for block in whole[1:]:
        pd.testing.assert_frame_equal(names_after([block], names)["swept"].frame, expected)
    assert (tmp_path / "study.db").exists()
    (until,) = (each for each in BLOCKS if "until=" in each)
    assert names_after([until], names)["swept"].narrow
    (auto,) = (each for each in BLOCKS if "engine=" in each)
    assert set(names_after([auto], names)["swept"].engines["engine"]) == {"batched"}


@pytest.mark.slow
def test_on_a_local_cluster_of_two_workers_too():
    (block,) = (each for each in BLOCKS if "LocalCluster(" in each)
    names = names_after([BLOCKS[0]], {"__name__": "__main__"})
    expected = names["swept"].frame
    pd.testing.assert_frame_equal(names_after([block], names)["swept"].frame, expected)


@pytest.mark.slow
def test_a_cluster_knows_the_kinds_of_a_module_that_is_uploaded(tmp_path, monkeypatch):
    (tmp_path / "my_kinds.py").write_text(KINDS, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("my_kinds")
    base = {"epochs": 4, "signatures": "none", "market": {"traders": ["one_share"]}}
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.upload_file(str(tmp_path / "my_kinds.py"))
        swept = sl.sweep(base, {}, repeats=1, executor=client.get_executor())
    assert swept.frame["orders"].tolist() == [3]


def test_what_it_says_of_other_clusters_is_python():
    elsewhere = [block for block in BLOCKS if any(name in block for name in ELSEWHERE)]
    assert len(elsewhere) == len(ELSEWHERE)
    for block in elsewhere:
        compile(block, "many_runs.md", "exec")
    assert callable(distributed.SSHCluster)
