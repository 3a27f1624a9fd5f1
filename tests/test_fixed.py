"""What a finished thing shows of itself is not changed by accident."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import streamlet_lab as sl
from streamlet_lab.columns import COLUMNS
from streamlet_lab.fixed import FixedDict, FixedList, fixed

STEPS = ["node_3 proposes 2 on 1 to node_0 at 9s"]


@pytest.fixture(scope="module")
def result() -> sl.Result:
    return sl.Experiment(
        epochs=9,
        faults=[{"kind": "script", "nodes": ["node_3"], "parameters": {"steps": STEPS}}],
        network={"slow_nodes": {"node_0": 2}},
        market={"traders": [{"kind": "noise_trader", "count": 20}, "market_maker"]},
    ).run()


CHANGES: dict[str, Callable[[pd.DataFrame], Any]] = {
    "a column": lambda frame: frame.__setitem__(frame.columns[0], 0),
    "a value": lambda frame: frame.iloc.__setitem__((slice(None), 0), frame.iloc[::-1, 0]),
    "no columns": lambda frame: frame.drop(columns=frame.columns[0], inplace=True),
    "no rows": lambda frame: frame.drop(index=frame.index, inplace=True),
    "other names": lambda frame: setattr(frame, "columns", range(len(frame.columns))),
    "another index": lambda frame: setattr(frame, "index", frame.index + 1),
}


@pytest.mark.filterwarnings("ignore:The inplace keyword")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("loaded", [False, True])
def test_a_frame_of_a_result_can_be_changed_and_changes_nothing_else(
    result: sl.Result, change: Callable[[pd.DataFrame], Any], loaded: bool, tmp_path: Any
) -> None:
    shown = result
    if loaded:
        result.save(tmp_path / "r.zip")
        shown = sl.Result.load(tmp_path / "r.zip")
    summary = shown.summary
    shown.save(tmp_path / "before.zip")
    for name in COLUMNS:
        change(shown.frames[name])
        change(getattr(shown, name))
    shown.save(tmp_path / "after.zip")

    assert shown.summary == summary
    assert (tmp_path / "before.zip").read_bytes() == (tmp_path / "after.zip").read_bytes()


def test_the_numbers_of_a_column_are_read_only(result: sl.Result) -> None:
    for values in (result.orders["time_s"].to_numpy(), result.orders["time_s"].values):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 7


def test_the_frames_of_a_sweep_are_copies() -> None:
    swept = sl.sweep({"epochs": 6, "market.traders": 0}, {"nodes": [4, 5]}, repeats=1)
    means = swept.means()
    frame = swept.frame
    frame.iloc[0, 1] = 7
    failures = swept.failures
    failures["x"] = []

    assert swept.means().equals(means)
    assert swept.failures.empty
    assert "x" not in swept.failures


SHOWN: dict[str, Callable[[sl.Result], Any]] = {
    "checks": lambda result: result.checks,
    "evidence": lambda result: result.evidence,
    "keys": lambda result: result.keys.keys,
    "final blocks": lambda result: result.ledger.tree.finalized,
    "notarized blocks": lambda result: result.ledger.tree.notarized,
    "slow nodes": lambda result: result.config.network.slow_nodes,
    "band": lambda result: result.config.market.band_parameters,
    "trader": lambda result: result.config.market.traders[0].parameters,
    "fault": lambda result: result.config.faults[0].parameters,
    "steps of a fault": lambda result: result.config.faults[0].parameters["steps"],
    "delays": lambda result: result.config.network.region_table["europe"],
    "views": lambda result: sl.scenario("B6").run().views,
}


@pytest.mark.parametrize("look", SHOWN.values(), ids=SHOWN)
def test_what_a_result_shows_besides_refuses_to_be_changed(
    result: sl.Result, look: Callable[[sl.Result], Any]
) -> None:
    shown = look(result)
    with pytest.raises(TypeError, match="shows what is fixed; change a copy"):
        shown.clear()
    for again in (copy.copy(shown), copy.deepcopy(shown), pickle.loads(pickle.dumps(shown))):
        assert (type(again), len(again)) == (type(shown), len(shown))


def test_a_network_keeps_its_nodes_and_its_feeds(result: sl.Result) -> None:
    network = sl.StockMarketConsensusNetwork(result.config)
    for shown in (network.nodes, network.feeds, network.faults):
        with pytest.raises(TypeError, match="shows what is fixed"):
            shown.clear()


@pytest.mark.parametrize("kind", [FixedDict, FixedList])
def test_every_way_to_change_one_is_refused(kind: type) -> None:
    (plain,) = (base for base in (dict, list) if issubclass(kind, base))
    changes = ["clear", "pop", "popitem", "setdefault", "update", "append", "extend", "insert"]
    changes += ["remove", "reverse", "sort"]
    changes += [f"__{name}__" for name in ("setitem", "delitem", "ior", "iadd", "imul")]
    for name in set(changes) & set(dir(plain)):
        with pytest.raises(TypeError, match="is fixed"):
            getattr(kind(), name)(None)


def test_what_is_deep_inside_is_fixed_too() -> None:
    made = {"a": [{"b": [1]}], "c": 2}

    assert fixed(made) == made
    assert type(fixed(made)["a"][0]["b"]) is FixedList
    fixed(made)["a"].copy().append(3)  # a copy is plain again
