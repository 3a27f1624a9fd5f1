"""A sweep by the batched engine, by the full one, or by whichever can."""

import pytest

import streamlet_lab as sl
from streamlet_lab.batched import measure_runs

FAULTS = {"none": {}, "crash": {"node_3": "crash"}, "equivocate": {"node_3": "equivocate"}}
MEASURES = ("finalized_blocks", "fair_refused_share", "median_reference_age_s")
BASE = {"epochs": 12, "signatures": "none"}


def swept(over, **options):
    return sl.sweep(BASE, over, **{"repeats": 3, "measure": MEASURES, **options})


def test_auto_batches_the_points_that_it_can_and_says_which():
    auto = swept({"faults": FAULTS}, engine="auto")
    full = swept({"faults": FAULTS})

    assert auto.engines["engine"].tolist() == ["batched", "batched", "full"]
    assert auto.engines["why"].str.startswith("faults: 'equivocate'").tolist() == [False] * 2 + [
        True
    ]
    assert repr(auto).startswith("9 runs over faults (2 of 3 points batched); measured: fin")
    assert list(auto.frame.columns) == list(full.frame.columns)
    assert auto.frame.iloc[6:].equals(full.frame.iloc[6:])
    assert "batched" not in repr(full)
    assert set(full.engines["engine"]) == {"full"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"measure": sl.grid.summary_numbers}, "1 runs (full engine, for measure: 'safe'); meas"),
        ({"base": {"feed": "aapl-2012"}}, "1 runs (full engine, for feed: 'aapl-2012'); meas"),
        ({"engine": "full"}, "1 runs; measured: "),
    ],
)
def test_a_sweep_that_found_no_point_to_batch_says_why(options, said):
    base = BASE | options.pop("base", {})
    auto = {"repeats": 1, "measure": MEASURES, "engine": "auto"}
    assert repr(sl.sweep(base, {}, **{**auto, **options})).startswith(said)


def test_a_batched_row_is_what_its_seed_gives():
    frame = swept({"faults": {"crash": FAULTS["crash"]}}, engine="batched").frame
    config = sl.Experiment(**BASE, faults=FAULTS["crash"]).config
    numbers = measure_runs(config, frame["seed"].tolist(), MEASURES)

    for name in MEASURES:
        assert frame[name].tolist() == [run[name] for run in numbers]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({}, r"'full' or 'auto' for faults: 'equivocate'.* \(at faults=equivocate\)"),
        ({"measure": ("trades",)}, "'full' or 'auto' for measure: 'trades'"),
        ({"measure": len}, "'full' or 'auto' for measure: a function of one's own"),
        ({"run": len}, "'full' or 'auto' for run: another function than the whole system's"),
        ({"engine": "fast"}, "engine: 'fast' is not valid; expected one of full, batched, auto"),
    ],
)
def test_what_cannot_be_batched_is_refused_before_anything_runs(options, complaint):
    with pytest.raises(sl.InvalidInput, match=complaint):
        swept({"faults": FAULTS}, **{"engine": "batched", **options})
