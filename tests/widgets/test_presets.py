"""Presets: each is run, and what its sentence claims is so."""

import json
from functools import cache
from pathlib import Path

import pytest

import streamlet_lab as sl
from streamlet_lab.checks import Status
from streamlet_lab.widgets.knobs import as_code, describe, experiment_of
from streamlet_lab.widgets.presets import PRESETS, describe_presets

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


@cache
def run(name):
    return experiment_of(PRESETS[name].settings).run()


def final_at(name):
    """When each epoch's block was final, in seconds."""
    return run(name).epochs.set_index("epoch")["finalized_s"].dropna()


def denied_at(name):
    """When fair orders were stopped as outside of the band."""
    stopped = run(name).rejections
    is_false = (stopped["verdict"] == "false") & (stopped["reason"] == "outside_band")
    return stopped.loc[is_false, "time_s"]


def calm():
    assert 1 < run("calm").summary["median_latency_s"] < 1.2
    assert run("calm").summary["finalized_blocks"] == 59


def one_crashed():
    blocks = run("one_crashed").blocks
    assert "node_3" not in {*blocks["proposer"]}
    latency = run("one_crashed").summary["mean_latency_epochs"]
    assert latency > 2 * run("calm").summary["mean_latency_epochs"]


def two_neighbours():
    assert run("two_neighbours").config.faulty_nodes == {"node_5", "node_6"}
    epochs = {*(final_at("two_neighbours").index % 7)}
    assert epochs == {0, 1, 2, 3, 4}


def two_apart():
    assert run("two_apart").config.faulty_nodes == {"node_2", "node_6"}
    times = final_at("two_apart").round().drop_duplicates()
    assert {*times.diff().iloc[2:]} == {7}
    apart, together = (
        run(name).summary["mean_latency_epochs"] for name in ("two_apart", "two_neighbours")
    )
    assert 1.7 < apart / together < 2


def lying_leader():
    result = run("lying_leader")
    assert result.largest_displacement_bp < 5
    own = result.blocks[result.blocks["proposer"] == "node_3"]
    assert len(own) == 15
    assert not own["notarized"].any()
    latencies = [
        run(name).summary["mean_latency_epochs"] for name in ("lying_leader", "one_crashed")
    ]
    assert latencies[0] == pytest.approx(latencies[1], rel=0.01)


def colluding_feed():
    result = run("colluding_feed")
    assert result.largest_displacement_bp > 500
    assert result.summary["fair_orders_stopped"] / result.summary["fair_orders"] == pytest.approx(
        0.5, abs=0.05
    )


def partition():
    times = final_at("partition")
    assert final_at("calm").between(20, 30).sum() == 10
    assert times.between(20, 30).sum() == 0
    assert run("partition").safe
    assert times.max() > 58


def before_gst():
    times = final_at("before_gst")
    assert 20 < times.min() < 24
    assert len(times) > 35


def jump():
    times = final_at("jump")
    until = times[times.index >= 31].min()
    assert denied_at("jump").between(30.5, until).all()
    assert len(denied_at("jump")) > 10
    assert run("jump").summary["unfair_trades"] > 0


def luld():
    band, consensus = run("luld").summary, run("jump").summary
    assert denied_at("luld").empty
    assert (band["halted_s"], consensus["halted_s"]) == (5, 0)
    assert band["unfair_trades"] > 2 * consensus["unfair_trades"]


def unsafe_quorum():
    result = run("unsafe_quorum")
    assert not result.safe
    assert result.checks["consistency"].status is Status.VIOLATED
    assert [*result.evidence] == ["node_4"]
    safe = experiment_of({**PRESETS["unsafe_quorum"].settings, "quorum": 4}).run()
    assert safe.safe


CLAIMS = (
    calm,
    one_crashed,
    two_neighbours,
    two_apart,
    lying_leader,
    colluding_feed,
    partition,
    before_gst,
    jump,
    luld,
    unsafe_quorum,
)


@pytest.mark.parametrize("claim", CLAIMS)
def test_what_a_preset_says_is_so(claim):
    claim()


def test_no_preset_makes_no_claim():
    assert [claim.__name__ for claim in CLAIMS] == [*PRESETS]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_data_and_its_code_is_the_experiment(name):
    (preset,) = (each for each in describe_presets() if each["name"] == name)
    assert json.loads(json.dumps(preset)) == preset
    experiment = experiment_of(preset["settings"])
    assert eval(as_code(experiment), {"sl": sl}).config == experiment.config
    assert (NOTEBOOKS / f"{preset['lesson']}.ipynb").exists()
    assert preset["against"] is None or preset["against"] in PRESETS
    idle = {each["name"] for each in describe(preset["settings"]) if each["idle"]}
    assert not idle & preset["settings"].keys()


def test_what_is_outside_the_model_is_said():
    outside = {
        name for name in PRESETS if experiment_of(PRESETS[name].settings).config.outside_model
    }
    assert outside == {"unsafe_quorum"}
