"""Repeated runs: the grid, its common seeds, and the intervals of its means."""

import math
import os
import re
import signal
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import astuple
from functools import partial
from multiprocessing import get_context

import numpy as np
import pandas as pd
import pytest

from streamlet_lab import Experiment, InvalidInput, Trader
from streamlet_lab.config import make_config
from streamlet_lab.grid import sweep
from streamlet_lab.intervals import Share, mean_interval, share_difference, share_interval
from streamlet_lab.matching import BandWatch
from streamlet_lab.prices import GeometricBrownianMotion

NO_FAULT, SILENT = {}, {"node_3": "silent_leader"}


def as_is(config):
    """A run that takes no time: its result is what was to be run."""
    return config


def nodes_and_noise(config):
    """Thousands of nodes, and noise from the seed."""
    return {"size": 1000 * config.nodes + config.seed % 1000}


def sweep_configs(base, over, **options):
    return sweep(base, over, **({"run": as_is, "measure": nodes_and_noise, "repeats": 3} | options))


def rows(frame):
    return list(frame.itertuples(index=False, name=None))


# The grid.


def test_one_row_for_each_run_in_the_order_of_the_grid():
    swept = sweep_configs({}, {"nodes": [7, 4], "echo": [True, False]}, repeats=2)
    assert list(swept.frame.columns) == ["nodes", "echo", "repeat", "seed", "size"]
    assert rows(swept.frame[["nodes", "echo", "repeat"]]) == [
        (nodes, echo, repeat) for nodes in (7, 4) for echo in (True, False) for repeat in (0, 1)
    ]
    assert swept.settings == ("nodes", "echo")
    assert swept.measures == ("size",)
    assert swept.complete


def test_what_is_run_is_the_base_with_the_varied_settings_and_the_seed():
    ran = []
    base = {"epochs": 9, "network.delta": "400ms", "market": {"traders": 3}}
    over = {"network.median_delay": ["50ms", "200ms"], "market.band_percent": [1]}
    swept = sweep_configs(base, over, run=lambda config: ran.append(config) or config, repeats=1)
    seed = int(swept.frame["seed"][0])
    assert ran == [
        make_config(
            epochs=9,
            seed=seed,
            network={"delta": "400ms", "median_delay": delay},
            market={"traders": 3, "band_percent": 1},
        )
        for delay in ("50ms", "200ms")
    ]


def test_a_base_may_be_settings_an_experiment_or_a_configuration():
    settings = {"epochs": 9, "faults": SILENT, "network": {"median_delay": "80ms"}}
    settings |= {"prices": {"path_model": lambda: GeometricBrownianMotion(0.1)}}
    over = {"network.delta": ["300ms", "400ms"]}
    ran = []
    for base in settings, Experiment(**settings), make_config(**settings):
        sweep_configs(base, over, run=lambda config: ran.append(config) or config, repeats=1)
    assert ran[:2] == ran[2:4] == ran[4:]
    assert ran[0].faulty_nodes == {"node_3"}
    assert callable(ran[0].prices.path_model)


def test_a_base_need_be_valid_only_with_what_is_varied():
    swept = sweep_configs({"faults": {"node_6": "silent_leader"}}, {"nodes": [7, 10]})
    assert swept.complete


def test_columns_hold_labels_plain_values_or_texts():
    over = {
        "faults": {"none": NO_FAULT, "one silent": SILENT},
        "network.delay_spread": np.array([0.0, 0.5]),
        "quorum": [None, 3],
        "epochs": np.arange(8, 10),
    }
    first, *_, last = rows(sweep_configs({}, over, repeats=1).frame[list(over)])
    assert first == ("none", 0.0, "None", 8)
    assert last == ("one silent", 0.5, 3, 9)
    unlabelled = sweep_configs({}, {"faults": [(), SILENT]}, repeats=1)
    assert list(unlabelled.frame["faults"]) == ["()", "{'node_3': 'silent_leader'}"]

    def highest(quotes):
        return max(quote.price for quote in quotes)

    named = sweep_configs({}, {"prices.aggregator": ["median", highest]}, repeats=1)
    assert list(named.frame["prices.aggregator"]) == ["median", "highest"]


# Seeds.


def test_a_repeat_has_the_same_seed_for_every_setting_in_whatever_sweep():
    frame = sweep_configs({}, {"nodes": [4, 7, 10]}, repeats=5, seed=5).frame
    assert (frame.groupby("repeat")["seed"].nunique() == 1).all()
    assert frame["seed"].nunique() == 5
    assert frame["seed"].between(0, 2**63 - 1).all()
    other = sweep_configs({"epochs": 9}, {"echo": [False]}, repeats=2, seed=5)
    assert [*other.frame["seed"]] == [*frame["seed"][:2]]


def test_the_same_sweep_gives_the_same_bytes_in_any_order_of_the_grid():
    over = {"nodes": [4, 7], "echo": [True, False]}
    one, again = (sweep_configs({}, over) for _ in range(2))
    turned = sweep_configs({}, {"echo": [False, True], "nodes": [7, 4]})
    assert one.frame.to_csv() == again.frame.to_csv()
    assert (repr(one), one._repr_html_()) == (repr(again), again._repr_html_())
    by = ["nodes", "echo", "repeat"]
    columns = [*by, "seed", "size"]
    one_sorted, turned_sorted = (
        each.frame.sort_values(by)[columns].to_csv(index=False) for each in (one, turned)
    )
    assert one_sorted == turned_sorted


# What is refused.


@pytest.mark.parametrize(
    ("base", "over", "field"),
    [
        ({}, {"nodes": [4, 0]}, "nodes"),
        ({}, {"epochs": [9], "network.delta": ["1s", "soon"]}, "network.delta"),
        ({}, {"network.speed": [1]}, "network"),
        ({}, {"faults": [(), {"node_3": "sulking"}]}, "faults"),
        ({}, {"feed": ["simulated", "tulips"]}, "feed"),
        ({"epochs": -1}, {"nodes": [4]}, "epochs"),
        ({"network": 3}, {"network.delta": ["1s"]}, "network"),
        ("epochs", {}, "base"),
        ({}, {"nodes": []}, "over.nodes"),
        ({}, {"nodes": 4}, "over.nodes"),
        ({}, {"feed": "simulated"}, "over.feed"),
        ({}, {"nodes": {4, 7}}, "over.nodes"),
        ({}, {"nodes": [4, 7, 4]}, "over.nodes"),
        ({}, {"seed": [1, 2]}, "over"),
        ({}, {"epochs": range(1, 401), "network.delay_spread": range(400)}, "over"),
        ({}, ["nodes"], "over"),
        ({}, "nodes", "over"),
        ({}, {4: [1, 2]}, "setting"),
        ({4: 1}, {}, "setting"),
    ],
)
def test_a_mistake_is_refused_before_anything_runs(base, over, field):
    ran = []
    with pytest.raises(InvalidInput) as refused:
        sweep(base, over, run=ran.append, measure=nodes_and_noise)
    assert refused.value.field == field
    assert ran == []


@pytest.mark.parametrize(
    ("measured", "field"),
    [
        ({"size": "large"}, "measure.size"),
        ({"size": math.inf}, "measure.size"),
        ({"nodes": 4}, "measure"),
        ({"seed": 4}, "measure"),
        ({"late.part": 4}, "measure"),
        ({"late.whole": 4}, "measure"),
        (3, "measure"),
        (None, "measure"),
    ],
)
def test_a_measure_is_a_finite_number_with_a_name_of_its_own(measured, field):
    with pytest.raises(InvalidInput) as refused:
        sweep_configs({}, {"nodes": [4]}, measure=lambda result: measured, on_error="raise")
    assert refused.value.field == field


def test_a_class_or_function_of_ones_own_is_that_of_every_run():
    class Buyer(Trader):
        def act(self, view):
            yield self.buy(100, view.true_price)

    class Wide:
        def watch(self, pace=1):
            return BandWatch()

    def make_model():
        return GeometricBrownianMotion(0.1)

    settings = {
        "epochs": 4,
        "signatures": "none",
        "market": {"traders": [{"kind": Buyer, "count": 2}, "fat_finger"], "band": Wide},
        "prices": {"path_model": make_model, "aggregator": "median"},
    }
    swept = sweep(settings, {"nodes": [4, 5]}, repeats=2)
    assert (swept.frame["orders"] > 0).all()


# Means and differences.


def test_means_of_each_setting_are_those_of_its_rows():
    swept = sweep_configs({}, {"nodes": [7, 4]}, repeats=6)
    means = swept.means("size")
    assert " ".join(means.columns) == "nodes measure mean low high n estimator note"
    for nodes, row in zip((7, 4), rows(means), strict=True):
        interval = mean_interval(swept.frame.loc[swept.frame["nodes"] == nodes, "size"])
        assert row == (nodes, "size", *astuple(interval))


def test_what_a_run_does_not_have_is_left_out_and_counted():
    numbers = iter([1, None, np.float64(3), math.nan, np.int64(5)])

    def measure(config):
        number = next(numbers)
        return {"latency": number} | ({"once": np.True_} if number == 1 else {})

    swept = sweep_configs({}, {}, measure=measure, repeats=5)
    assert swept.frame["latency"].isna().tolist() == [False, True, False, True, False]
    assert rows(swept.means()[["measure", "mean", "n"]]) == [("latency", 3.0, 3), ("once", 1.0, 1)]


def test_a_difference_is_taken_between_runs_with_the_same_seed():
    swept = sweep_configs({}, {"echo": [True, False], "nodes": [4, 7]}, repeats=6)
    # The noise is the seed's, so it cancels; unpaired it would drown in an interval of hundreds.
    assert rows(swept.difference("size", "nodes", 4, 7)) == [
        (echo, "size", 3000.0, 3000.0, 3000.0, 6, "t", "") for echo in (True, False)
    ]
    assert rows(swept.difference("size", "nodes", 7, 4))[0][2] == -3000.0


def test_a_difference_of_the_first_repeats_is_that_of_a_shorter_sweep():
    measure = {"measure": lambda config: {"size": config.nodes * (config.seed % 1000)}}
    shorter, longer = (
        sweep_configs({}, {"nodes": [4, 7]}, repeats=repeats, **measure) for repeats in (5, 9)
    )
    expected = shorter.difference("size", "nodes", 4, 7)
    assert longer.difference("size", "nodes", 4, 7, repeats=5).equals(expected)
    with pytest.raises(InvalidInput, match="repeats"):
        longer.difference("size", "nodes", 4, 7, repeats=0)


def test_a_table_has_means_and_differences_as_texts_with_shares_in_percent():
    swept = sweep_configs({}, **LATE)
    shown = swept.table("whole", "late", against={"nodes": 4})
    assert list(shown.index) == [4, 7, "7 − 4"]
    assert list(shown.columns) == ["whole", "late"]
    gap = swept.difference("late", "nodes", 4, 7).iloc[0]
    late = [f"{100 * gap[end]:.1f}" for end in ("mean", "low", "high")]
    assert shown.loc["7 − 4", "late"] == "{} [{}, {}]".format(*late)
    assert shown.loc["7 − 4", "whole"] == "0.0 [0.0, 0.0]"
    whole = swept.means("whole").iloc[0]
    assert swept.table("whole", digits=3).loc[4, "whole"].startswith(f"{whole['mean']:.3f} [")
    for against in ({"size": 4}, {"nodes": 5}):
        with pytest.raises(InvalidInput):
            swept.table("late", against=against)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("weight", "nodes", 4, 7), "measure"),
        (("size", "epochs", 4, 7), "setting"),
        (("size", "nodes", 5, 7), "first"),
        (("size", "nodes", 4, "many"), "second"),
    ],
)
def test_a_difference_of_what_is_not_there_is_refused(arguments, field):
    with pytest.raises(InvalidInput) as refused:
        sweep_configs({}, {"nodes": [4, 7]}).difference(*arguments)
    assert refused.value.field == field


# Shares.


def late_orders(config):
    """From 0 to 4 late ones of 5 to 9, more with more nodes; of some runs none at all."""
    whole = 5 + config.seed % 5
    late = Share(min(config.seed % 3 + config.nodes // 7, 4), whole)
    return {"late": None if config.seed % 11 == 0 else late, "whole": whole}


def late_shares(swept, nodes):
    """The shares of one setting, from the seeds alone."""
    seeds = swept.frame.loc[swept.frame["nodes"] == nodes, "seed"]
    return [late_orders(make_config(seed=int(seed), nodes=nodes))["late"] for seed in seeds]


LATE = {"over": {"nodes": [4, 7]}, "measure": late_orders, "repeats": 25}


def test_a_share_is_pooled_with_its_own_interval():
    swept = sweep_configs({}, **LATE)
    assert swept.measures == ("late", "whole")
    assert swept.is_share("late")
    assert not swept.is_share("whole")
    means = swept.means("late").set_index("nodes")
    for nodes in (4, 7):
        shares = late_shares(swept, nodes)
        assert None in shares
        pooled = share_interval(shares)
        assert pooled.mean != pytest.approx(mean_interval(filter(None, shares)).mean, rel=1e-3)
        assert tuple(means.loc[nodes]) == ("late", *astuple(pooled))


def test_a_difference_of_shares_is_that_of_pooled_ones():
    swept = sweep_configs({}, **LATE)
    (row,) = rows(swept.difference("late", "nodes", 4, 7))
    expected = share_difference(late_shares(swept, 4), late_shares(swept, 7))
    assert row == ("late", *astuple(expected))
    assert row[1] > 0
    assert row[-2] == "cluster"


def test_yes_and_no_are_a_share_of_runs():
    answers = iter([True, False, np.True_, True])
    swept = sweep_configs({}, {}, measure=lambda config: {"safe": next(answers)}, repeats=4)
    (row,) = rows(swept.means())
    clopper_pearson = [pytest.approx(bound, abs=1e-5) for bound in (0.19412, 0.99369)]
    assert [*row] == ["safe", 0.75, *clopper_pearson, 4, "exact", ""]


def test_what_is_a_share_in_some_runs_only_is_refused():
    late = [0.25, Share(1, 4), None]
    message = r"measure\.late: 0\.25 .* a share, as in other runs"
    measured = iter(late * 2)
    with pytest.raises(InvalidInput, match=message):
        sweep_configs({}, {}, measure=lambda config: {"late": next(measured)}, on_error="raise")
    measured = iter(late)
    swept = sweep_configs({}, {}, measure=lambda config: {"late": next(measured)})
    assert swept.frame["repeat"].tolist() == [1, 2]
    assert swept.failures["error"].str.contains(message).tolist() == [True]


# Progress and interrupts.


@pytest.mark.parametrize(
    ("error", "why"), [(KeyboardInterrupt, ""), (ValueError("no"), "; 6 failed, .* ValueError: no")]
)
@pytest.mark.filterwarnings("ignore:a run failed")
def test_a_sweep_without_a_finished_run_has_nothing_to_compare(error, why):
    def stop(config):
        raise error

    swept = sweep_configs({}, {"nodes": [4, 7]}, run=stop)
    assert swept.means().empty
    for ask in (lambda: swept.means("size"), lambda: swept.difference("size", "nodes", 4, 7)):
        with pytest.raises(InvalidInput, match=f"of which at least one run was finished{why}$"):
            ask()


def test_an_interrupt_keeps_what_was_finished():
    left = iter(range(5))

    def run(config):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return config

    over = {"nodes": [4, 7, 10]}
    swept = sweep_configs({}, over, run=run, repeats=4)
    whole = sweep_configs({}, over, repeats=4)
    assert swept.interrupted
    assert rows(swept.frame) == [
        row for row in rows(whole.frame) if row[:2] in {(4, 0), (4, 1), (7, 0), (7, 1), (10, 0)}
    ]
    assert isinstance(swept.interrupt, KeyboardInterrupt)
    assert rows(swept.means()[["nodes", "n"]]) == [(4, 2), (7, 2), (10, 1)]
    assert repr(swept) == "interrupted: 5 of 12 runs over nodes; measured: size"


# Runs that fail.


class Unpicklable(Exception):
    """It has more arguments than its text: another process cannot read it back."""

    def __init__(self, code, text):
        super().__init__(text)


def fails_with_seven(config):
    if config.nodes == 7:
        raise Unpicklable(1, "seven is too many")
    return config


def number_without_seven(config):
    return nodes_and_noise(fails_with_seven(config))


def dies_with_seven(config):
    if config.nodes == 7:
        os._exit(1)
    return config


here = nullcontext
two_threads = partial(ThreadPoolExecutor, 2)
one_process = partial(ProcessPoolExecutor, 1, mp_context=get_context("spawn"))
BY_RUN, BY_MEASURE = {"run": fails_with_seven}, {"measure": number_without_seven}


@pytest.mark.parametrize(
    ("make_executor", "failing"),
    [(here, BY_RUN), (here, BY_MEASURE), (two_threads, BY_RUN), (one_process, BY_MEASURE)],
)
def test_runs_that_fail_are_kept_with_their_error_and_lose_no_other(make_executor, failing):
    over = {"nodes": [4, 7, 10]}
    told = []
    with (
        make_executor() as executor,
        pytest.warns(UserWarning, match="seven is too many") as warned,
    ):
        swept = sweep_configs(
            {}, over, executor=executor, progress=lambda *step: told.append(step), **failing
        )
    assert len(warned) == 1
    whole = sweep_configs({}, over)
    assert rows(swept.frame) == [row for row in rows(whole.frame) if row[0] != 7]
    seven = whole.frame.loc[whole.frame["nodes"] == 7, ["nodes", "repeat", "seed"]]
    error = "Unpicklable: seven is too many"
    assert rows(swept.failures) == [(*row, error) for row in rows(seven)]
    assert told == [(done, 9) for done in range(1, 10)]
    assert (swept.complete, swept.interrupted) == (False, False)
    assert repr(swept) == (
        f"6 of 9 runs over nodes; measured: size; 3 failed, the first with {error}"
    )


@pytest.mark.parametrize("make_executor", [here, two_threads])
def test_or_the_first_error_is_raised(make_executor):
    with make_executor() as executor, pytest.raises(Unpicklable, match="seven is too many"):
        sweep_configs({}, {"nodes": [4, 7]}, executor=executor, on_error="raise", **BY_RUN)


def test_a_killed_worker_loses_nothing_that_was_finished():
    with one_process() as executor, pytest.warns(UserWarning, match="BrokenProcessPool"):
        swept = sweep_configs({}, {"nodes": [4, 7]}, run=dies_with_seven, executor=executor)
    assert rows(swept.frame[["nodes", "repeat"]]) == [(4, 0)]
    assert swept.failures["error"].str.startswith("BrokenProcessPool: ").tolist() == [True] * 5


class Speechless(Exception):
    def __str__(self):
        raise TypeError("no text")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (SystemExit(3), "SystemExit: 3"),  # a run that wants to end all
        (Speechless(), "Speechless: a TypeError in its own text"),
        (ValueError("\x1b[31mred\n"), r"ValueError: \x1b[31mred\n"),
    ],
)
def test_whatever_the_error_of_a_run_it_fails_alone_and_is_shown_as_text(error, told):
    def fails(config):
        if config.nodes == 7:
            raise error
        return config

    with pytest.warns(UserWarning, match=re.escape(f"left out: {told}; see")):
        swept = sweep_configs({}, {"nodes": [4, 7]}, run=fails)
    assert (len(swept.frame), {*swept.failures["error"]}) == (3, {told})
    with pytest.raises(type(error)):
        sweep_configs({}, {"nodes": [4, 7]}, run=fails, on_error="raise")


def test_sigterm_is_an_interrupt_where_nobody_else_handles_it():
    def terminated(config):
        signal.raise_signal(signal.SIGTERM)
        return config

    assert sweep_configs({}, {"nodes": [4, 7]}, run=terminated).interrupted
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    seen = []
    before = signal.signal(signal.SIGTERM, lambda *_: seen.append(1))
    try:
        assert sweep_configs({}, {"nodes": [4, 7]}, run=terminated).complete
    finally:
        signal.signal(signal.SIGTERM, before)
    assert len(seen) == 6


# Elsewhere.


def faulty_nodes(config):
    """What another process can import."""
    return {"faulty": len(config.faulty_nodes), "noise": config.seed % 1000}


def make_config_again(config):
    return make_config(**config.to_document())


@pytest.mark.parametrize("make_executor", [two_threads, one_process])
def test_an_executor_changes_nothing(make_executor):
    over = {"faults": {"none": NO_FAULT, "silent": SILENT}, "echo": [True, False]}
    told = []
    with make_executor() as executor:
        options = {"run": make_config_again, "progress": lambda *step: told.append(step)}
        there = sweep_configs({}, over, measure=faulty_nodes, executor=executor, **options)
    here = sweep_configs({}, over, measure=faulty_nodes)
    pd.testing.assert_frame_equal(there.frame, here.frame)
    assert told == [(done, 12) for done in range(1, 13)]
