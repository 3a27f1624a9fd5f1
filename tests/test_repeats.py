"""Many runs: in worker processes, kept in a store, until intervals are narrow, with a bar."""

import importlib
import io
import math
import os
import subprocess
import sys
import threading
import types
from functools import partial

import numpy as np
import pandas as pd
import pytest
from loky import get_reusable_executor

import streamlet_lab as sl
from streamlet_lab import DataError, InvalidInput, StreamletLabError, sweep
from streamlet_lab.grid import looks
from streamlet_lab.identity import code_of, digest_of_modules
from streamlet_lab.intervals import Share, share_interval
from streamlet_lab.measures import SUMMARY_NUMBERS, Chosen, run_experiment, summary_numbers
from streamlet_lab.prices import GeometricBrownianMotion
from streamlet_lab.registers import DELAYS

OVER = {"nodes": [4, 7]}


def as_is(config):
    return config


def noise(config):
    """A normal number of the seed, the same at each point."""
    return {"noise": float(np.random.default_rng(config.seed).standard_normal())}


def sweep_noise(over=OVER, **options):
    return sweep({}, over, **({"run": as_is, "measure": noise, "repeats": 3} | options))


@pytest.fixture(scope="module")
def workers():
    """Two worker processes, which are gone afterwards."""
    yield 2
    get_reusable_executor(max_workers=2).shutdown(wait=True, kill_workers=True)


# Workers.


def dies_or_fails(config):
    if config.nodes == 7:
        os._exit(3)
    if config.nodes == 10:
        raise ValueError("ten")
    return config


def test_a_run_that_ends_its_worker_fails_and_no_other(workers, tmp_path):
    told, factor = [], 3
    options = {"repeats": 1, "measure": lambda config: {"size": factor * config.seed}}
    there = {"workers": workers, "progress": lambda *step: told.append(step)}
    over = {"nodes": [4, 7, 10, 13]}
    with pytest.warns(UserWarning, match="a run failed"):
        swept = sweep_noise(over, run=dies_or_fails, **options, **there, store=tmp_path / "s.db")
    pd.testing.assert_frame_equal(swept.frame, sweep_noise({"nodes": [4, 13]}, **options).frame)
    assert told == [(done, 4) for done in range(1, 5)]
    errors = dict(zip(swept.failures["nodes"], swept.failures["error"], strict=True))
    assert "the worker ended in this run (EXIT(3))" in errors[7]
    assert errors[10] == "ValueError: ten"


SCRIPT = """
import streamlet_lab as sl

@sl.fault_kind("even")
class Even(sl.NodeFault):
    def votes(self, epoch):
        return epoch % 2 == 0

@sl.delay_kind("near")
def near(stream, network, nodes):
    return lambda *link: 1_000

@sl.trader_kind("buyer")
class Buyer(sl.Trader):
    def act(self, view):
        yield self.buy(100, view.true_price)

@sl.aggregator("highest", breakdown=lambda sources: 0)
def highest(quotes):
    return max(quote.price for quote in quotes)

def measure(result):
    numbers = result.summary
    return {name: numbers[name] for name in ("orders", "finalized_blocks", "mean_latency_s")}

base = {"epochs": 6, "signatures": "none"}
base |= {"market.traders": ["buyer"], "faults": {"node_0": "even"}, "network.delays": "near"}
over = {"prices.aggregator": {"name": "highest", "itself": highest}}
frames = [sl.sweep(base, over, repeats=2, measure=measure, workers=n).frame for n in (2, None)]
assert frames[0].equals(frames[1])
print(len(frames[0]))
"""


def test_workers_know_what_a_script_defines_and_registers(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=300)
    assert (done.stdout, done.stderr) == ("4\n", "")


def test_a_kind_that_cannot_be_sent_is_missed_only_by_who_names_it(workers, monkeypatch):
    lock = threading.Lock()

    @sl.delay_kind("locked")
    def locked(stream, network, nodes):
        return lambda *link: lock and 1_000

    try:
        assert sweep_noise(workers=workers).complete
        with pytest.raises(InvalidInput, match=r"^delay_kind\.locked: .*'_thread\.lock'"):
            sweep_noise({"network.delays": ["locked"]}, workers=workers)
    finally:
        del DELAYS._kinds["locked"]


@pytest.mark.filterwarnings("ignore:a run failed")
def test_a_kind_of_a_module_that_a_worker_does_not_have_is_missed_only_by_who_names_it(
    workers, monkeypatch
):
    module = types.ModuleType("only_here")
    exec("def far(stream, network, nodes): return lambda *_: 1", module.__dict__)
    monkeypatch.setitem(sys.modules, "only_here", module)
    sl.delay_kind("far")(module.far)
    try:
        assert sweep_noise(workers=workers).complete
        over = {"network.delays": ["lognormal", "far"]}
        swept = sweep_noise(over, run=run_experiment, measure=("orders",), workers=workers)
    finally:
        del DELAYS._kinds["far"]
    assert len(swept.frame) == len(swept.failures) == 3
    assert swept.failures["error"].str.contains("'far' .* must be registered before").all()


@pytest.mark.parametrize("what", ["run", "measure", "settings"])
def test_what_cannot_be_sent_to_a_worker_is_refused_before_anything_runs(what):
    lock = threading.Lock()

    def holding(config):
        return lock and noise(config)

    options = {what: holding}
    over = OVER
    if what == "settings":
        over, options = {"prices.path_model": [lambda: lock and GeometricBrownianMotion()]}, {}
    with pytest.raises(InvalidInput, match=f"^{what}: .* sent to another process .*'_thread.lock'"):
        sweep_noise(over, workers=2, **options)


# Stores.


def failing(config):
    if config.nodes == 7 and config.seed % 2:
        raise ValueError("odd")
    return config


@pytest.mark.parametrize("stop", [0, 1, 5, 7])
@pytest.mark.filterwarnings("ignore:a run failed")
def test_a_sweep_goes_on_where_it_stopped(tmp_path, stop):
    ran = []

    def run(config):
        if len(ran) == stop:
            ran.append(None)
            raise KeyboardInterrupt
        ran.append((config.nodes, config.seed))
        return failing(config)

    options = {"store": tmp_path / "s.db", "run": run, "repeats": 4}
    assert sweep_noise(**options).interrupted
    told = []
    swept = sweep_noise(progress=lambda *step: told.append(step), **options)
    whole = sweep_noise(run=failing, repeats=4)
    assert swept.frame.to_csv() == whole.frame.to_csv()
    assert swept.failures.to_csv() == whole.failures.to_csv()
    ran.remove(None)
    assert len(ran) == len({*ran}) == 8  # nothing twice
    assert told == [(done, 8) for done in range(stop + 1, 9)]


def test_more_repeats_and_fewer_are_of_the_same_study(tmp_path):
    store, ran = tmp_path / "s.db", []

    def run(config):
        ran.append(config)
        return config

    for repeats, runs in ((2, 4), (5, 10), (3, 10)):
        swept = sweep_noise(run=run, repeats=repeats, store=store)
        pd.testing.assert_frame_equal(swept.frame, sweep_noise(repeats=repeats).frame)
        assert len(ran) == runs


@pytest.mark.filterwarnings("ignore:a run failed")
def test_a_failure_is_kept_and_tried_again_where_errors_are_raised(tmp_path):
    broken = [True]

    def run(config):
        if broken[0] and config.nodes == 7:
            raise ValueError("broken")
        return config

    options = {"store": tmp_path / "s.db", "run": run}
    assert len(sweep_noise(**options).failures) == 3
    broken[0] = False
    assert len(sweep_noise(**options).failures) == 3
    assert sweep_noise(on_error="raise", **options).complete
    assert sweep_noise(**options).complete


OTHERS = {
    "seed": {"seed": 1},
    "run": {"run": lambda config: config},
    "measure": {"measure": lambda config: {"noise": 1}},
    "base.nodes is 4 in it, and 5 here": {"over": {"nodes": [5, 7]}},
    "points.1.labels.nodes is 7 in it, and 10 here": {"over": {"nodes": [4, 10]}},
    "points.2 is nothing in it": {"over": {"nodes": [4, 7, 10]}},
    "points.0.labels": {"over": {"faults": {"none": {}, "some": {"node_1": "crash"}}}},
}


@pytest.mark.parametrize("what", OTHERS)
def test_the_store_of_another_study_is_refused_with_the_first_difference(tmp_path, what):
    store = tmp_path / "s.db"
    sweep_noise(store=store)
    with pytest.raises(DataError, match=rf"s\.db: the store of another study: {what}"):
        sweep_noise(store=store, **OTHERS[what])


def alike(microseconds):
    def delays_alike(stream, network, nodes):
        return lambda *link: microseconds

    return delays_alike


@pytest.mark.parametrize(
    ("study", "first", "second", "difference"),
    [
        (
            lambda name: {"run": run_experiment, "measure": [name], "over": {"epochs": [2]}},
            "messages",
            "safe",
            r"measure\.0 is 'messages' in it, and 'safe' here",
        ),
        (
            lambda node: {"over": {"faults": {"one": {node: "crash"}}}},
            "node_1",
            "node_2",
            r"base\.faults",
        ),
        (
            lambda delay: {"over": {"network.delays": {"a": alike(delay), "b": alike(2_000)}}},
            1_000,
            3_000,
            r"points\.0\.functions\.network\.delays is .*delays_alike",
        ),
    ],
)
def test_what_a_label_stands_for_is_part_of_the_study(tmp_path, study, first, second, difference):
    store = tmp_path / "s.db"
    for _ in range(2):
        assert sweep_noise(**study(first), store=store).complete
    with pytest.raises(DataError, match=f"another study: {difference}"):
        sweep_noise(**study(second), store=store)


class Scaled:
    """A measure that is an object."""

    unit = 1

    def __init__(self, factor):
        self.factor = factor

    def __call__(self, config):
        return {"noise": self.factor * config.nodes}


def times(factor, seen=None):
    def measure(config):
        if seen is not None:
            seen.append(config)
        return noise({"factor": factor}.get(config))

    return measure


SAME = {
    "itself": lambda: noise,
    "an object of the same state": lambda: Scaled(1),
    "a part of a function": lambda: partial(noise, 1),
    "a closure over the same": lambda: times(3),
    "what fills a list": lambda: times(3, [*range(next(COUNT))]),
    "a lambda": lambda: lambda config: noise(config),
}
COUNT = iter(range(9))
OTHER = {
    "another function": (noise, as_is),
    "an object of another state": (Scaled(1), Scaled(2)),
    "a part with another argument": (partial(noise, 1), partial(noise, 2)),
    "a closure over another number": (times(3), times(4)),
    "another lambda": (lambda config: noise(config), lambda config: as_is(config)),
    "a choice of other numbers": (Chosen(("safe",)), Chosen(("orders",))),
}


@pytest.mark.parametrize("what", SAME)
def test_what_measures_the_same_is_told_as_the_same(what):
    assert code_of(SAME[what]()) == code_of(SAME[what]())


@pytest.mark.parametrize("what", OTHER)
def test_what_measures_something_else_is_told_as_something_else(what):
    first, second = OTHER[what]
    assert code_of(first) != code_of(second)


HELPED = """
factor = {factor}

def helper(result):
    return {{"orders": factor * len(result.orders)}}  # {comment}

class Base:
    def measure(self, result):
        return helper(result)

class Measure(Base):
    def __call__(self, result):
        return self.measure(result)
"""


def test_what_a_function_uses_is_part_of_it(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    told = []
    for factor, comment in ((1, "once"), (1, "once"), (2, "once"), (1, "anew")):
        (tmp_path / "helped.py").write_text(HELPED.format(factor=factor, comment=comment))
        told.append(code_of(importlib.import_module("helped").Measure()))
        del sys.modules["helped"]
    assert told[0] == told[1]
    assert len({*told}) == 3


# Until intervals are narrow.


def test_a_store_that_another_state_of_the_lab_made_is_refused(tmp_path, monkeypatch):
    sweep_noise(store=tmp_path / "s.db")
    monkeypatch.setattr("streamlet_lab.identity._CODE", "5f")
    with pytest.raises(DataError, match=r"another state of the lab's code: code is '.*'5f'"):
        sweep_noise(store=tmp_path / "s.db")


def test_a_state_of_the_lab_is_all_that_may_have_a_say_in_a_run(tmp_path):
    room = tmp_path / "room"
    shown = [tmp_path / name / "a.py" for name in ("charts", ".hidden", "room/.hidden")]
    for path in (room / "a.py", *shown):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"a\nb\n")
    digests = [digest_of_modules(tmp_path)]
    for path in shown:
        path.write_bytes(b"b")
    (room / "a.py").write_bytes(b"a\r\nb\r\n")
    assert digest_of_modules(tmp_path) == digests[0]
    for change in (
        lambda: (room / "a.py").write_bytes(b"ab\n"),
        lambda: (room / "a.py").rename(room / "b.py"),
        lambda: (room / "a.py").write_bytes(b""),
    ):
        change()
        digests.append(digest_of_modules(tmp_path))
    assert len({*digests}) == 4


def test_a_sweep_goes_on_until_all_its_intervals_are_narrow():
    swept = sweep_noise(until=0.2, repeats=1_000)
    runs = swept.planned // 2
    assert runs in looks(1_000)
    assert (runs, swept.narrow) == (len(swept.frame) // 2, True)
    means = swept.means("noise")
    assert ((means["high"] - means["low"]) / 2 <= 0.2).all()
    before = sweep_noise(repeats=looks(1_000)[looks(1_000).index(runs) - 1]).means("noise")
    assert ((before["high"] - before["low"]) / 2 > 0.2).any()
    assert swept.frame.equals(sweep_noise(repeats=runs).frame)


def test_or_until_there_are_enough_runs():
    swept = sweep_noise(until={"noise": 0.01}, repeats=40)
    assert (swept.planned, swept.narrow) == (80, False)
    assert repr(swept).endswith("measured: noise; intervals wider than they were to be")


def test_of_a_share_it_is_half_the_width_of_its_own_interval():
    def rare(config):
        return {"rare": Share(config.seed % 20 == 0, 1), "noise": 1e9 * (config.seed % 7)}

    swept = sweep_noise({}, measure=rare, until={"rare": 0.05}, repeats=2_000)
    assert swept.narrow
    found = share_interval(
        [rare(sl.ExperimentConfig(seed=int(s)))["rare"] for s in swept.frame["seed"]]
    )
    assert (found.high - found.low) / 2 <= 0.05


def test_a_point_whose_runs_all_fail_is_not_waited_for():
    def fails(config):
        return {4: as_is}[config.nodes](config)

    with pytest.warns(UserWarning, match="KeyError"):
        swept = sweep_noise(run=fails, until=1.0, repeats=1_000)
    assert (swept.planned, swept.narrow) == (60, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"until": {"nois": 0.1}}, "^until: 'nois' .* noise"),
        ({"until": 0.1, "measure": lambda config: {"a": 1, "b": 2}}, "^until: .* several: a, b"),
    ],
)
def test_a_width_of_what_is_not_measured_is_refused(options, message):
    with pytest.raises(InvalidInput, match=message):
        sweep_noise(**({"repeats": 100} | options))


def test_it_is_refused_once_the_first_run_is_finished_which_is_kept(tmp_path):
    made = []

    def counted(config):
        made.append(config)
        return config if len(made) > 1 else 1 / 0

    options = {"run": counted, "repeats": 40, "store": tmp_path / "s.db"}
    with (
        pytest.warns(UserWarning, match="ZeroDivision"),
        pytest.raises(InvalidInput, match="nois'"),
    ):
        sweep_noise(until={"nois": 0.1}, **options)
    assert len(made) == 2
    with pytest.raises(InvalidInput, match=r"until: 'nois' .* noise"):
        sweep_noise(until={"nois": 0.1}, **options)
    assert len(made) == 2
    sweep_noise(until={"noise": 9.0}, **options)
    assert len(made) == 60


@pytest.mark.parametrize("until", [1.0, {"finalized_blok": 1.0}])
def test_a_width_of_what_is_not_measured_is_refused_before_anything_runs(until):
    told = []
    with pytest.raises(InvalidInput, match=r"^until: "):
        sweep({"epochs": 2}, {}, repeats=31, until=until, progress=lambda *step: told.append(step))
    assert not told


# Measures by name.


def test_the_summary_has_the_numbers_that_may_be_named():
    result = run_experiment(sl.ExperimentConfig(epochs=4, signatures="none"))
    assert tuple(summary_numbers(result)) == SUMMARY_NUMBERS
    bare = sl.run_protocol(epochs=4, signatures="none")
    assert tuple(summary_numbers(bare)) == SUMMARY_NUMBERS[: SUMMARY_NUMBERS.index("messages") + 1]


def test_numbers_of_the_summary_are_measured_by_their_names():
    base = {"epochs": 4, "signatures": "none"}
    whole = sweep(base, OVER, repeats=1)
    names = ("fair_stopped_rate", "finalized_blocks")
    swept = sweep(base, OVER, repeats=1, measure=names)
    assert swept.measures == names
    pd.testing.assert_frame_equal(swept.frame, whole.frame[swept.frame.columns])


@pytest.mark.parametrize("more", [{}, {"trace": True}, {"record": "all"}])
def test_a_run_of_which_only_the_summary_is_read_gives_the_same_numbers(more):
    base = {"epochs": 8, "signatures": "none", "faults": {"node_3": "equivocate"}, **more}
    read, whole = (
        sweep(base, OVER, repeats=2, **options).frame
        for options in ({}, {"measure": lambda result: summary_numbers(result)})
    )
    pd.testing.assert_frame_equal(read, whole, check_exact=True)
    config = sl.ExperimentConfig(**base, nodes=7, seed=int(read["seed"].iloc[-1]))
    numbers = summary_numbers(run_experiment(config))
    expected = np.array([*numbers.values()], dtype=float)
    assert [*read[[*numbers]].iloc[-1]] == pytest.approx([*expected], nan_ok=True)


REFUSED = {
    "measure": [("finalised_blocks",), ("safe", "safe"), (), ("epochs",), {"safe"}, 4, (4,)],
    "on_error": ["stop"],
    "progress": ["yes", 1],
    "repeats": [0, 2.0, 10**8],
    "until": [0, {}],
    "workers": [0, -1, True, 2.0, "2"],
}
MORE = [
    ({"until": {"noise": math.nan}}, r"until\.noise: "),
    ({"until": 0.1, "repeats": 30}, "repeats: 30 .* more than 30"),
    ({"workers": 2, "executor": 2}, "workers: 2 .* None beside an executor"),
    ({"executor": 2}, "executor: "),
]


@pytest.mark.parametrize(
    ("options", "message"),
    [({name: value}, f"{name}: ") for name, values in REFUSED.items() for value in values] + MORE,
)
def test_what_a_sweep_does_not_take_is_refused_before_anything_runs(options, message):
    ran = []
    with pytest.raises(InvalidInput, match=f"^{message}"):
        sweep_noise(**({"run": ran.append} | options))
    assert not ran


# Progress.


def interrupt(config):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("is_watched", "last", "bar"),
    [(True, as_is, "6/6"), (True, interrupt, "2/6"), (False, as_is, "")],
)
def test_a_bar_is_shown_where_somebody_may_watch_and_closed(monkeypatch, is_watched, last, bar):
    terminal = io.StringIO()
    terminal.isatty = lambda: is_watched
    monkeypatch.setattr(sys, "stderr", terminal)
    runs = iter([as_is, as_is, last, *[as_is] * 3])
    sweep_noise(run=lambda config: next(runs)(config), progress=True)
    assert bar in terminal.getvalue()
    assert terminal.getvalue()[-1:] == "\n" * is_watched


# Files of frames.


def test_a_frame_goes_to_parquet_and_back(tmp_path):
    over = {"quorum": [None, 3], "echo": [True, False], "nodes": [4, 7]}
    swept = sweep_noise(over)
    swept.to_parquet(tmp_path / "s.parquet")
    read = pd.read_parquet(tmp_path / "s.parquet")
    pd.testing.assert_frame_equal(read, swept.frame.astype({"quorum": "str"}))
    assert [*read["quorum"].unique()] == ["None", "3"]


def test_without_pyarrow_one_is_told_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(StreamletLabError, match=r"pip install 'streamlet-lab\[parquet\]'"):
        sweep_noise().to_parquet(tmp_path / "s.parquet")
    assert not [*tmp_path.iterdir()]


WITHOUT = """
import hashlib, sys
if sys.argv[1] == "without":
    sys.modules["pyarrow"] = None
import streamlet_lab as sl

result = sl.Experiment(epochs=6, signatures="none", faults={"node_3": "equivocate"}).run()
result.save(sys.argv[2])
texts = [frame.to_csv() + str(frame.dtypes) for frame in result.frames.values()]
texts += [repr(result), repr(sl.Result.load(sys.argv[2]))]
print(hashlib.sha256(repr(texts).encode()).hexdigest(), "pyarrow" in sys.modules)
"""


def test_a_run_is_the_same_without_pyarrow(tmp_path):
    outputs, files = [], []
    for how in ("with", "without"):
        path = tmp_path / f"{how}.zip"
        command = [sys.executable, "-c", WITHOUT, how, path]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
        outputs.append(done.stdout)
        files.append(path.read_bytes())
    assert outputs[0] == outputs[1]
    assert files[0] == files[1]
