"""What every study refuses, by the name of the setting, before anything runs."""

import math

import pytest

import streamlet_lab as sl
from streamlet_lab.studies import (
    band_numbers,
    compare_ages,
    compare_bands,
    compare_references,
    denied_trades,
    final_prices,
    lying_leader,
    oracle_numbers,
    outside_by_age,
    reference_numbers,
    staleness,
    staleness_numbers,
)

NINE = {"prices": [100] * 9}
ONE = {"bands": "consensus"}
SHORT = {"epochs": 2, "repeats": 1}


@pytest.mark.parametrize(
    ("study", "options", "field"),
    [
        (outside_by_age, {"prices": [100]}, "prices"),
        (outside_by_age, {"prices": [100, -1, 100, 100]}, "prices"),
        (outside_by_age, {"prices": [100, math.nan, 100, 100]}, "prices"),
        (outside_by_age, {"prices": [[100, 101], [100, 102]]}, "prices"),
        (outside_by_age, {**NINE, "ages": [0]}, "ages"),
        (outside_by_age, {**NINE, "ages": [9]}, "ages"),
        (outside_by_age, {**NINE, "ages": [1.5]}, "ages"),
        (outside_by_age, {**NINE, "ages": 2}, "ages"),
        (outside_by_age, {**NINE, "band_percent": 0}, "band_percent"),
        (outside_by_age, {**NINE, "band_percent": "5"}, "band_percent"),
        (outside_by_age, {**NINE, "block": 0}, "block"),
        (compare_ages, {"models": "no_such"}, "path_model"),
        (compare_ages, {"models": {"mine": 3}}, "path_model"),
        (compare_ages, {"models": {}, "paths": 0}, "paths"),
        (compare_ages, {"models": {}, "ages": [100_000]}, "ages"),
        (compare_ages, {"models": {}, "band_percent": 100}, "band_percent"),
        (compare_bands, {"bands": "no_such"}, "market.band"),
        (compare_bands, {"bands": []}, "bands"),
        (compare_bands, {"bands": [max]}, "bands"),
        (compare_bands, {**ONE, "settings": 3}, "settings"),
        (compare_bands, {**ONE, "settings": {"market.band": "luld"}}, "settings"),
        (compare_bands, {**ONE, "settings": {"market.band_percent": 0}}, "market.band_percent"),
        (compare_bands, {**ONE, "repeats": 0}, "repeats"),
        (lying_leader, {**SHORT, "policies": 3}, "policies"),
        (lying_leader, {**SHORT, "policies": "no_such"}, "prices.voter_policy"),
        (lying_leader, {**SHORT, "aggregators": [max]}, "aggregators"),
        (denied_trades, {**SHORT, "aggregators": []}, "aggregators"),
        (denied_trades, {**SHORT, "kind": "crash"}, "kind"),
        (denied_trades, {**SHORT, "kind": None}, "kind"),
        (denied_trades, {**SHORT, "liars": -1}, "liars"),
        (denied_trades, {**SHORT, "liars": "1"}, "liars"),
        (denied_trades, {**SHORT, "liars": [0, True]}, "liars"),
        (compare_references, {"references": "median"}, "references"),
        (compare_references, {"references": []}, "references"),
        (compare_references, {"settings": {"market.reference": "twap"}}, "settings"),
        (compare_references, {"epochs": 0}, "epochs"),
        (staleness, {"cause": "weather"}, "cause"),
        (staleness, {"cause": ["latency"]}, "cause"),
        (staleness, {"values": 3}, "over.network.median_delay"),
        (staleness, {"values": [-1]}, "network.median_delay"),
        (staleness, {"settings": {"prices.path_model": "no_such"}}, "prices.path_model"),
    ],
)
def test_a_wrong_setting_is_refused_before_anything_runs(study, options, field):
    with pytest.raises(sl.InvalidInput) as caught:
        study(**options)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "measure", [band_numbers, final_prices, oracle_numbers, reference_numbers, staleness_numbers]
)
def test_only_a_run_with_a_market_can_be_measured(measure):
    for given in (3, sl.run_protocol(epochs=2, signatures="none")):
        with pytest.raises(sl.InvalidInput, match=r"^result: .*Experiment"):
            measure(given)
