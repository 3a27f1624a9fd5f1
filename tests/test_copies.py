"""What if, from here: a run that is copied or pickled on the way goes on as if it never had been."""

import gc
import pickle
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from enum import Enum
from hashlib import sha256
from multiprocessing import get_context
from random import Random
from types import FunctionType, ModuleType

import pandas as pd
import pytest

from streamlet_lab import Experiment
from streamlet_lab.checks import Check, market_checks, protocol_checks
from streamlet_lab.config import make_config
from streamlet_lab.description import (
    AAPLPriceSimulator,
    PriceConsensusService,
    create_aapl_consensus_network,
)
from streamlet_lab.errors import InvalidInput
from streamlet_lab.frames import Record, make_frames
from streamlet_lab.matching import ConsensusMatchingEngine, Order, Reference, bands, make_band
from streamlet_lab.prices import aggregators, outlier_rules, path_models, source_fault_kinds
from streamlet_lab.registers import DELAYS, NODE_FAULTS, REFERENCES, TRADERS
from streamlet_lab.simulator import (
    Market,
    Recorder,
    StockSimulation,
    create_streamlet_network,
    delay_kind,
)

EPOCHS, SPLIT = 8, 4
SMALL = {
    "epochs": EPOCHS,
    "trace": True,
    "market": {"traders": [{"kind": "zero_intelligence", "count": 5}]},
}
MINUTES = pd.DataFrame(
    {"time": pd.date_range("2024-01-15 15:00", periods=300, freq="min"), "price": 150.0}
).assign(volume=range(900, 1200))
NEEDED = {
    "script": {"steps": ["node_3 votes 5 at 11s"]},
    "lobster": None,  # a feed of files that are not here
}
LINKS = {
    "delays": "uniform",
    "loss": 0.1,
    "slow_nodes": {"node_1": 2},
    "link_delays": {"node_0>node_1": "20ms"},
    "bad_periods": [{"start": "3s", "stop": "5s"}],
    "held": 0.3,
    "partitions": [{"start": "4s", "stop": "5s", "groups": [["node_0"], ["node_1", "node_2"]]}],
    "clock_skew": "5ms",
    "sign_time": "1ms",
    "verify_time": "1ms",
}


def _faulty(node, kind):
    return {"faults": [{"kind": kind, "nodes": [node], "parameters": NEEDED.get(kind, {})}]}


CASES = {
    **{f"fault {kind}": _faulty("node_3", kind) for kind in NODE_FAULTS.own()},
    **{f"source {kind}": _faulty("external_feed", kind) for kind in source_fault_kinds()},
    **{
        f"trader {kind}": {"market": {"traders": ["zero_intelligence", "market_maker", kind]}}
        for kind in TRADERS.own()
    },
    **{f"band {kind}": {"market": {"band": kind}} for kind in bands()},
    **{f"reference {kind}": {"market": {"reference": kind}} for kind in REFERENCES.own()},
    **{f"delays {kind}": {"network": {"delays": kind, "samples": [0.01]}} for kind in DELAYS.own()},
    **{f"model {kind}": {"prices": {"path_model": kind}} for kind in path_models()},
    **{f"aggregator {kind}": {"prices": {"aggregator": kind}} for kind in aggregators()},
    **{f"outliers {kind}": {"prices": {"outlier_rule": kind}} for kind in outlier_rules()},
    "every layer of links": {"network": LINKS},
    "loss for ever": {"network": {"loss": 0.1, "when_lost": "forever"}},
    "evidence": {"prices": {"voter_policy": "evidence"}},
    "crashes": {"model": "crash", "faults": {"node_3": "crash@2-6"}},
    "synchronous": {"model": "synchronous", "network": {"delays": "constant"}},
    "without signatures": {"signatures": "none", "leaders": "hashed"},
    "leaders by name": {"leaders": ["node_0", "node_2"]},
    "history": {"feed": "history-2012"},
    "frame": {"feed": MINUTES, "market_time_per_epoch": "1min"},
    "three symbols": {"symbols": ["AAPL", "MSFT", "IBM"], "market": {"reference": "heartbeat"}},
    "bare": {"bare": True, "network": {"catch_up": True}},
}


def begin(settings, epochs):
    """A run of so many epochs, with all that watches it; a copy of it is one of everything."""
    settings = dict(settings)
    bare = settings.pop("bare", False)
    config = make_config(**SMALL | settings)
    run = create_streamlet_network(config) if bare else StockSimulation(config)
    if not bare:
        Market(run)
    checks = (protocol_checks if bare else market_checks)(config, run)
    run.monitors[:0] = [Recorder(), *checks]
    run.run(epochs)
    return run


def part(run, kind):
    return next((one for one in run.monitors if isinstance(one, kind)), None)


def end(run):
    """Run it to its end, and return a digest of all frames and verdicts."""
    run.run(run.config.epochs - run.next_epoch)
    market = part(run, Market)
    if market is not None:
        market.close(run.config.epochs * run.epoch_length)
    frames = make_frames(Record.of(run.config, run, part(run, Recorder), market))
    verdicts = [one.result() for one in run.monitors if isinstance(one, Check)]
    text = "".join(frame.to_csv() for frame in frames.values()) + repr(verdicts)
    return sha256(text.encode()).hexdigest()


def end_pickled(content):
    return end(pickle.loads(content))


@pytest.fixture(scope="module")
def elsewhere():
    """Another process, with other hashes of texts."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield pool


def reached(root):
    """All objects that belong to one, by their ids."""
    found, ahead = {}, [root]
    while ahead:
        thing = ahead.pop()
        if id(thing) not in found and not isinstance(thing, type | ModuleType | Enum):
            found[id(thing)] = thing
            is_function = isinstance(thing, FunctionType)
            ahead += [thing.__closure__] if is_function else gc.get_referents(thing)
    return found


def shared(one, other):
    """What two have in common although it changes, or may."""
    both = reached(other)
    common = [thing for key, thing in reached(one).items() if key in both]
    changing = (list, dict, set, deque, bytearray, Random, Iterator)
    return [
        thing
        for thing in common
        if isinstance(thing, changing)
        or not getattr(getattr(thing, "__dataclass_params__", None), "frozen", True)
    ]


@pytest.mark.parametrize("settings", CASES.values(), ids=CASES.keys())
def test_a_copy_on_the_way_goes_on_as_a_run_that_was_never_copied(settings, elsewhere):
    run = begin(settings, SPLIT)
    copied, content = deepcopy(run), pickle.dumps(run)
    there, pickled = elsewhere.submit(end_pickled, content), pickle.loads(content)
    assert shared(run, copied) == []
    for _ in range(2):
        for each in (copied, run, pickled):
            each.run(1)

    assert {end(pickled), end(run), end(copied), there.result()} == {end(begin(settings, 0))}
