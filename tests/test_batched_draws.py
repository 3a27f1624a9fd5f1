"""What the batched engine draws has the law of what full runs draw.

Two samples of fixed seeds, so that a verdict is the same every time: only a change of a law, or of
what is drawn, can turn one of these tests red.
"""

import os
import subprocess
import sys
from itertools import islice

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

import streamlet_lab as sl
from streamlet_lab.batched.draws import draw
from streamlet_lab.batched.lockstep import NEVER_IN_RUN, play
from streamlet_lab.batched.walks import _days, draw_paths, points_of, step_of
from streamlet_lab.config import make_stock
from streamlet_lab.prices.models import GjrGarch, MertonJumps
from streamlet_lab.simulator.links import make_links
from streamlet_lab.streams import generator, stream

# The processor's own ways to draw 400,000 delays, and prices, quotes and orders.
DRAWN = """
import hashlib
import streamlet_lab as sl
from streamlet_lab.batched.draws import draw

digest = hashlib.sha256()
for model in "gjr_garch", "merton":
    config = sl.ExperimentConfig(epochs=100, prices={"path_model": model})
    inputs = draw(config, range(20))
    for array in (*(each.delay for each in inputs.delays), *inputs.quotes, *inputs.orders):
        digest.update(array.tobytes())
print(digest.hexdigest())
"""


def assert_one_law(full, batched):
    assert len(full) >= 80
    assert ks_2samp(full, batched).pvalue > 0.003


@pytest.mark.parametrize(
    "network",
    [
        {},
        {"delta": "70ms", "shortest_delay": "10ms", "median_delay": "40ms", "delay_spread": 1.5},
        {"delays": "uniform"},
        {"delays": "constant", "link_delays": {"node_0>node_1": "90ms", "node_1>observer": "9s"}},
        {"delays": "regions", "slow_nodes": {"node_0": 2, "observer": 1.5}},
        {
            "delays": "regions",
            "regions": ["here", "there"],
            "region_delays": {
                "here": {"here": "20ms", "there": "70ms"},
                "there": {"here": "60ms", "there": "30ms"},
            },
        },
    ],
)
def test_delays(network):
    config = sl.ExperimentConfig(epochs=50, network=network)
    delay = make_links(config.network, 4, 1).delay
    drawn = np.concatenate([each.delay for each in draw(config, range(20)).delays], axis=3)

    for sender, receiver in ((0, 1), (1, 4), (3, 2)):
        full = [delay(None, sender, receiver, 0) for _ in range(2_000)]
        assert_one_law(full, drawn[2, sender, receiver].ravel())


def _jump(at, percent):
    return {"at": at, "percent": percent}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"market_time_per_epoch": "90s"},
        {
            "market_time_per_epoch": "13h",
            "prices": {"volatility": 3, "trend": 5, "base_price": 480},
        },
        {"market_time_per_epoch": "2h", "prices": {"path_model": "merton", "nights": 0.7}},
        {"prices": {"path_model": "gbm", "intraday": 0, "nights": 0, "min_price": 149}},
        {"prices": {"path_model": "gjr_garch_mle", "intraday": 0.7}},
        {"prices": {"path_parameters": {"omega": 1.0, "degrees_of_freedom": 3}}},
        {"prices": {"correlation": 0, "assets": {"AAPL": {"volatility": 4}}}},
        {"prices": {"base_price": 460, "jumps": [_jump("500ms", -20), _jump("2s", "44.5")]}},
    ],
)
def test_true_prices(settings):
    config = sl.ExperimentConfig(epochs=4, **settings)
    paths = [
        make_stock(config.model_copy(update={"seed": seed}), "AAPL").path for seed in range(150)
    ]
    streams = [generator(seed, "test") for seed in range(2_000)]
    drawn, last = draw_paths(config, streams), points_of(config) - 1

    assert (drawn[:, 0] == paths[0].price(0)).all()
    for first, second in ((0, 1), (0, last), (last // 2, last // 2 + 1), (last - 3, last)):
        full = [
            np.log(path.price(second * step_of(config)) / path.price(first * step_of(config)))
            for path in paths
        ]
        assert_one_law(full, np.log(drawn[:, second] / drawn[:, first]))


SOURCES = [
    {"name": "a", "noise_bp": 30, "bias_bp": -20, "volume_share": 3},
    {"name": "b", "outage": 0.4, "outage_epochs": 3, "lag": "3h"},
]
TRADERS = [
    {"kind": "noise_trader", "count": 9, "rate": 0.3, "parameters": {"spread_percent": 2}},
    {"kind": "fat_finger", "rate": 0.7, "parameters": {"from_percent": 1, "to_percent": 50}},
]


@pytest.fixture(
    scope="module",
    params=[
        {},
        {
            "prices": {"sources": SOURCES, "min_sources": 1},
            "faults": [{"kind": "biased", "nodes": ["a"], "start": 3, "parameters": {"bp": 250}}],
            "market": {"traders": TRADERS},
            "market_time_per_epoch": "2h",
        },
    ],
    ids=["default", "other"],
)
def both(request):
    """Full runs with one node, and what is drawn for the same."""
    settings = {"epochs": 6, "nodes": 1, "signatures": "none", **request.param}
    runs = [sl.Experiment(**settings, seed=seed).run() for seed in range(80)]
    quotes, orders = (
        pd.concat([run.frames[name].assign(run=seed) for seed, run in enumerate(runs)])
        for name in ("quotes", "orders")
    )
    return quotes, orders, draw(runs[0].config, range(1_000, 3_000))


def test_quotes(both):
    full, _, inputs = both
    heard = inputs.quotes
    for index, source in enumerate(full["source"].unique()):
        for epoch in (0, 4):
            said = full[(full["source"] == source) & (full["epoch"] == epoch)]
            given = heard.given[index, :, epoch]
            assert abs(len(said) / 80 - given.mean()) < 0.12
            ratio = heard.price[index, :, epoch] / heard.true_price[:, epoch]
            assert ks_2samp(said["price"] / said["true_price"], ratio[given]).pvalue > 0.003
            volumes = heard.volume[index, given, epoch]
            assert ks_2samp(said["volume"], volumes).pvalue > 0.003


def test_an_outage_makes_the_next_epoch_worse():
    sources = [{"name": "a", "outage": 0.4, "outage_epochs": 3}, "b", "c"]
    config = sl.ExperimentConfig(epochs=50, prices={"sources": sources})
    given = draw(config, range(200)).quotes.given[0]
    before, after = given[:, :-1], given[:, 1:]

    assert (~given).mean() == pytest.approx(0.4, abs=0.02)
    assert (~after)[~before].mean() == pytest.approx(1 - 1 / 3, abs=0.02)
    assert (~after)[before].mean() == pytest.approx(0.4 / 0.6 / 3, abs=0.02)


def test_orders(both):
    _, full, inputs = both
    orders, limit = inputs.orders, inputs.orders.cents > 0
    assert_one_law(full.groupby("run").size(), np.bincount(orders.run))
    assert_one_law(full["time_s"], orders.time / 1e6)
    assert abs((full["type"] == "market").mean() - (~limit).mean()) < 0.02
    ratio = orders.cents[limit] * 1e4 / orders.true_price[limit]
    assert_one_law((full["price"] / full["true_price"]).dropna(), ratio)


@pytest.mark.parametrize("leaders", ["hashed", "round_robin", ["node_5", "node_1"]])
def test_leaders_are_those_of_the_full_run(leaders):
    settings = {"epochs": 20, "nodes": 7, "leaders": leaders, "market": {"traders": 0}}
    config = sl.ExperimentConfig(**settings)
    drawn = draw(config, [3, 5]).leaders

    for seed, row in zip((3, 5), drawn, strict=True):
        full = sl.Experiment(**settings, seed=seed, signatures="none").run().epochs["leader"]
        assert full.tolist() == [f"node_{number}" for number in row]


@pytest.mark.parametrize("settings", [{}, {"nodes": 7, "faults": {"node_6": "crash"}}])
def test_latencies_and_ages(settings):
    settings = {"epochs": 40, "signatures": "none", **settings}
    runs = [sl.Experiment(**settings, seed=seed).run() for seed in range(6)]
    inputs = draw(runs[0].config, range(100))
    outcome = play(runs[0].config, inputs)
    latency = outcome.final_at[-1] - np.arange(40) * 1_000_000
    ages = outcome.age[outcome.ordered_at >= 0]

    # One of each run is independent of the others, and all of them are nearly so.
    full = pd.concat([run.epochs["latency_s"].dropna() for run in runs])
    assert_one_law(full, latency[outcome.final_at[-1] < NEVER_IN_RUN] / 1e6)
    full = pd.concat([run.orders["reference_age_s"].dropna() for run in runs])
    assert_one_law(full, ages / 1e6)


def test_a_night_has_its_share_of_the_days_variance():
    prices = {"path_model": "gbm", "path_parameters": {"volatility": 0.3}, "nights": 0.7}
    config = sl.ExperimentConfig(epochs=1, market_time_per_epoch="20us", prices=prices)
    drawn = draw_paths(config, [generator(seed, "test") for seed in range(4_000)])
    night = np.log(drawn[:, 1] / drawn[:, 0])

    assert night.var() / (0.7 * 0.3**2 / 252) == pytest.approx(1, abs=0.06)


def test_each_day_follows_from_the_one_before():
    model, streams = GjrGarch(), [generator(seed, "test") for seed in range(3)]
    move, deviation = _days(model, streams, 20)
    assert deviation[:, 0] ** 2 == pytest.approx(model.long_run_variance)
    for run in range(3):
        for day in range(19):
            after = model.next_variance(deviation[run, day] ** 2, move[run, day])
            assert deviation[run, day + 1] ** 2 == pytest.approx(after)


def test_days_make_up_for_the_mean_of_their_jumps():
    model = MertonJumps(volatility=0, jump_mean=0.01)
    move, deviation = _days(model, [generator(1, "test")], 3)
    (day,) = islice(model.days(stream(1, "test")), 1)

    assert move.tolist() == [[day.move] * 3]
    assert not deviation.any()


def test_a_processor_without_newer_instructions_draws_the_same():
    features = np._core._multiarray_umath
    newer = [each for each in features.__cpu_dispatch__ if features.__cpu_features__[each]]
    drawn = [
        subprocess.run(
            [sys.executable, "-c", DRAWN],
            env=os.environ | {"NPY_DISABLE_CPU_FEATURES": " ".join(without)},
            check=True,
            capture_output=True,
        ).stdout
        for without in ([], newer)
    ]
    assert drawn[0] == drawn[1]
