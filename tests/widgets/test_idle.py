"""Controls that have no effect now say why, and then they have none."""

import pytest

from streamlet_lab.widgets.knobs import describe, experiment_of

from .changes import CHANGES, NEEDS

#: Settings, and which controls have no effect in them.
SITUATIONS = [
    ({}, "fault placed fault_epochs lie lying_epochs"),
    ({}, "slowdown held when_lost catch_up one_way jump_s stale_epochs"),
    ({"nodes": 1}, "leaders echo"),
    ({"delays": "constant"}, "delay_spread"),
    ({"delays": "uniform"}, "delay_spread"),
    ({"delays": "regions"}, "median_delay_ms"),
    ({"faulty": 1, "lying": 1, "fault_epochs": [3, 3]}, "faulty fault"),
    ({"faulty": 1, "fault_epochs": [12, None]}, "faulty fault"),
    ({"lying": 1, "lying_epochs": [12, None]}, "lying lie"),
    ({"bad_s": [12, 30], "partition_s": [12, 13]}, "bad_s partition_s"),
    ({"feed": "aapl"}, "path_model volatility nights intraday"),
    ({"jump_percent": 8, "jump_s": 12.5}, "jump_percent"),
    ({"sources": 1, "min_sources": 1}, "aggregator"),
    ({"band": "luld"}, "stale stale_epochs"),
    ({"noise_trader": 0, "fat_finger": 0}, "without_reference"),
]


def idle(settings):
    return {each["name"]: each["idle"] for each in describe(settings) if each["idle"]}


def frames(settings):
    result = experiment_of({"epochs": 12, **settings}).run()
    return {name: frame.to_csv() for name, frame in result.frames.items()}


@pytest.mark.parametrize(("settings", "names"), SITUATIONS)
def test_a_control_without_an_effect_says_so_and_has_none(settings, names):
    settings = {"epochs": 12, **settings}
    assert {*names.split()} <= idle(settings).keys()
    before = frames(settings)
    for name in names.split():
        other = {"bad_s": [0, 0], "partition_s": [0, 0]}.get(name, CHANGES[name][0])
        if (name, settings.get("band")) != ("stale", "luld"):  # which is refused
            assert frames(settings | {name: other}) == before, name


@pytest.mark.parametrize("name", CHANGES)
def test_a_control_that_has_an_effect_does_not_say_that_it_has_none(name):
    assert name not in idle({**NEEDS.get(name, {}), name: CHANGES[name][0]})


def test_what_is_given_or_done_beside_the_controls_has_effects_too():
    assert "slowdown" not in idle({"network": {"bad_periods": [{"start": 2, "stop": 4}]}})
    assert "catch_up" not in idle({"faults": {"node_1": "crash@2-4"}})
    done = describe({}, [{"at": 3, "kind": "crash", "nodes": ["node_1"]}])
    assert not any(each["idle"] for each in done if each["name"] == "catch_up")
