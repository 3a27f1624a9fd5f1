"""What if, from here: a run that is copied or pickled goes on as if it never had been."""

import gc
import pickle
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from enum import Enum
from hashlib import sha256
from itertools import pairwise
from multiprocessing import get_context
from random import Random
from types import FunctionType, ModuleType

import pandas as pd
import pytest

from streamlet_lab import Experiment
from streamlet_lab.checks import Check, market_checks, protocol_checks
from streamlet_lab.config import make_config
from streamlet_lab.errors import InvalidInput
from streamlet_lab.facade import (
    AAPLPriceSimulator,
    PriceConsensusService,
    create_aapl_consensus_network,
)
from streamlet_lab.frames import Record, make_frames
from streamlet_lab.frames.tables import columns_of
from streamlet_lab.matching import (
    ConsensusMatchingEngine,
    Order,
    Reference,
    Traded,
    bands,
    make_band,
)
from streamlet_lab.prices import SOURCE_FAULTS, aggregators, outlier_rules
from streamlet_lab.prices.models import Day, path_models
from streamlet_lab.registers import DELAYS, NODE_FAULTS, REFERENCES, TRADERS
from streamlet_lab.scenarios import scenario
from streamlet_lab.simulator import Market, Recorder, StockSimulation, create_streamlet_network

EPOCHS, SPLIT = 8, 4
SMALL = {
    "epochs": EPOCHS,
    "trace": True,
    "market": {"traders": [{"kind": "noise_trader", "count": 5}]},
}
MINUTES = pd.DataFrame(
    {"time": pd.date_range("2024-01-15 15:00", periods=300, freq="min"), "price": 150.0}
).assign(volume=range(900, 1200))
SCRIPT = [
    "node_3 proposes 3X on 2 to node_0,node_1 at 3900ms",
    "node_3 votes 5 at 5900ms",
    "node_3 proposes 7X on 6 to node_0 at 7900ms",
]
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


class Drifting:
    """A model that changes itself as its days go by."""

    deviation = 1.0

    def days(self, stream):
        while True:
            yield Day(stream.gauss(0, self.deviation), self.deviation)
            self.deviation += 0.1


def _faulty(node, kind):
    parameters = {"steps": SCRIPT} if kind == "script" else {}
    return {"faults": [{"kind": kind, "nodes": [node], "parameters": parameters}]}


CASES = {
    **{f"fault {kind}": _faulty("node_3", kind) for kind in NODE_FAULTS.own()},
    **{f"source {kind}": _faulty("external_feed", kind) for kind in SOURCE_FAULTS.own()},
    **{
        f"trader {kind}": {"market": {"traders": ["noise_trader", "market_maker", kind]}}
        for kind in TRADERS.own()
    },
    **{f"band {kind}": {"market": {"band": kind}} for kind in bands()},
    **{f"reference {kind}": {"market": {"reference": kind}} for kind in REFERENCES.own()},
    **{f"delays {kind}": {"network": {"delays": kind, "samples": [0.01]}} for kind in DELAYS.own()},
    **{f"model {kind}": {"prices": {"path_model": kind}} for kind in path_models()},
    **{f"aggregator {kind}": {"prices": {"aggregator": kind}} for kind in aggregators()},
    **{f"outliers {kind}": {"prices": {"outlier_rule": kind}} for kind in outlier_rules()},
    "a model of one's own": {"prices": {"path_model": Drifting}},
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


def frames_of(run):
    """Run it to its end."""
    run.run(run.config.epochs - run.next_epoch)
    market = part(run, Market)
    if market is not None:
        market.close(run.config.epochs * run.epoch_length)
    return make_frames(Record.of(run.config, run, part(run, Recorder), market))


def end(run):
    """Run it to its end, and return a digest of all frames and verdicts."""
    columns = columns_of(frames_of(run))
    verdicts = [one.result() for one in run.monitors if isinstance(one, Check)]
    text = repr([{each: array.tolist() for each, array in one.items()} for one in columns.values()])
    return sha256((text + repr(verdicts)).encode()).hexdigest()


def end_pickled(content):
    return end(pickle.loads(content))


@pytest.fixture(scope="module")
def elsewhere():
    """Another process, with other hashes of texts."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield pool


# Beyond these is the rest of the program, or what pandas remembers.
_WHOLE = (type, ModuleType, Enum, pd.DataFrame)


def reached(root):
    """All objects that belong to one, by their ids."""
    found, ahead = {}, [root]
    while ahead:
        thing = ahead.pop()
        if id(thing) not in found and not isinstance(thing, _WHOLE):
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


def test_what_happens_to_a_copy_does_not_happen_to_the_run():
    run = begin({}, SPLIT)
    one, other, another = (deepcopy(run) for _ in range(3))
    one.nodes["node_0"].proposes = False
    market = part(other, Market)
    highest = market.engines["AAPL"].band_limits[1]
    events = market.submit(Order.limit("mine", "AAPL", "buy", 100_000, highest))
    bought = sum(event.trade.quantity for event in events if isinstance(event, Traded))
    assert bought == -sum(trader.position for trader in market.traders) > 0
    for trader in part(another, Market).traders:
        trader.random.seed(7)

    ends = [end(each) for each in (one, other, another, run)]
    assert len({*ends}) == 4
    assert ends[-1] == end(begin({}, 0))
    orders = frames_of(other)["orders"]
    assert [*orders.kind[orders.order_id == "mine"]] == ["guest"]


def orders(engine, first, count=40):
    draw = Random(first)
    for number in range(first, first + count):
        time = number * 5_000_000
        if number % 20 == 0:
            price = 150 + draw.randint(-10, 10)
            engine.set_reference(Reference(price, time), time)
        side, price = draw.choice(["buy", "sell"]), 150 + draw.randint(-300, 300) / 20
        order = Order.limit(f"o-{number}", "AAPL", side, 10 * draw.randint(1, 20), str(price))
        engine.submit(order, time)
    return list(engine.events)


@pytest.mark.parametrize("kind", bands())
def test_an_engine_is_copied_with_its_band_in_any_state(kind):
    engine = ConsensusMatchingEngine("AAPL", band=make_band(kind), without_reference="allow")
    orders(engine, 0)
    copies = [deepcopy(engine), pickle.loads(pickle.dumps(engine))]
    assert all(each.book.depth() == engine.book.depth() for each in copies)

    assert orders(copies[0], 40) == orders(engine, 40) == orders(copies[1], 40)
    assert shared(engine, copies[0]) == []


@pytest.mark.parametrize("copy", [deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))])
def test_a_copy_of_an_engine_on_a_network_goes_by_its_own_clock(copy):
    """What is fresh there may be a minute old here, where the market would pause."""
    network = create_aapl_consensus_network(4, epoch_length="1s")
    band = make_band("consensus", 5, {"stale": "halt", "stale_after": "20s"})
    engine = ConsensusMatchingEngine("AAPL", network, band=band)
    network.run_price_consensus_simulation(epochs=4)
    engine.submit(Order.limit("o-1", "AAPL", "buy", 10, "150"), network.queue.now)
    copied = copy(engine)  # and its network
    network.run_price_consensus_simulation(epochs=60)
    engine.submit(Order.limit("o-2", "AAPL", "buy", 10, "150"), network.queue.now)

    copied.submit(Order.limit("o-2", "AAPL", "buy", 10, "150"), 5_000_000)
    assert engine.now == 64_000_000
    assert (copied.now, copied.market) == (5_000_000, "open")
    assert copied.reference.time < 5_000_000 < 50_000_000 < engine.reference.time


def test_services_are_copied_as_they_are():
    service, simulator = PriceConsensusService(seed=3), AAPLPriceSimulator(seed=3)

    def go_on(service, simulator, first):
        epochs = range(first, first + 5)
        quotes = [simulator.generate_price_feed("external_feed") for _ in epochs]
        return [service.process_epoch_prices(epoch) for epoch in epochs], quotes

    go_on(service, simulator, 0)
    copied, pickled = (
        deepcopy((service, simulator)),
        pickle.loads(pickle.dumps((service, simulator))),
    )
    assert go_on(*copied, 5) == go_on(*pickled, 5) == go_on(service, simulator, 5)
    assert shared((service, simulator), copied) == []


def test_no_length_is_too_deep():
    """Of a chain, of the certificates of a chain, and of the queue at one price."""
    run = create_streamlet_network(
        make_config(nodes=1, epochs=1_500, model="crash", signatures="none", epoch_length="1s")
    )
    run.run(1_500)
    newest = [*run.nodes["node_0"]._certificates.values()][::-1]
    engine = ConsensusMatchingEngine("AAPL", without_reference="allow")
    for number in range(1_500):
        engine.submit(Order.limit(f"o-{number}", "AAPL", "buy", 10, "150"))
    for copy in (deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))):
        links, _, tree, book = copy((newest, run, run.observer.tree, engine.book))
        assert tree.finalized == run.observer.tree.finalized
        assert [*tree.chain(tree.finalized[-1].hash)] == tree.finalized[::-1]
        assert all(link.parent is before for link, before in pairwise(links))
        assert book.bids == engine.book.bids


def waves(stream, network, nodes):
    """Delays that depend on the last one, and draw from a stream that nobody else sees."""
    last, draw, own = 10_000, stream.random, Random(5)

    def delay(message, sender, receiver, time, noise=own):
        nonlocal last
        last = round(last / 2 + 10_000 * (draw() + noise.random()))
        return last

    return delay


def test_functions_that_are_given_are_copied_with_what_they_enclose_but_not_pickled():
    own = {"network": {"delays": waves}, "prices": {"aggregator": lambda quotes: quotes[0].price}}
    run = begin(own, SPLIT)
    copied = deepcopy(run)
    assert end(run) == end(copied) == end(begin(own, 0))
    with pytest.raises(
        InvalidInput, match=r"prices.aggregator: '.*<lambda>' .* deepcopy takes any"
    ):
        pickle.dumps(begin(own, SPLIT))
    with pytest.raises(InvalidInput, match=r"network.delays: 'waves.<locals>.delay'"):
        pickle.dumps(begin({"network": {"delays": waves}}, SPLIT))
    model = {"assets": {"AAPL": {"path_model": lambda: Drifting()}}}
    with pytest.raises(InvalidInput, match=r"prices.assets.AAPL.path_model: '.*<lambda>'"):
        pickle.dumps(make_config(prices=model))


def test_results_and_errors_are_copied_whatever_they_are_about():
    result = Experiment(epochs=6, faults={"node_3": "equivocate"}).run()
    for copied in (deepcopy(result), pickle.loads(pickle.dumps(result))):
        assert (copied.summary, copied.config) == (result.summary, result.config)
        assert copied.evidence == result.evidence
        assert copied.proof(3) == result.proof(3)
        pd.testing.assert_frame_equal(copied.orders, result.orders)
    played = scenario("B1").run()
    assert repr(deepcopy(played)) == repr(pickle.loads(pickle.dumps(played))) == repr(played)
    for value in (lambda: 0, (number for number in "12"), 7):
        error = InvalidInput("act", value, "a list of actions")
        pickled = pickle.loads(pickle.dumps(error))
        for copied in (deepcopy(error), pickled, pickle.loads(pickle.dumps(pickled))):
            assert (str(copied), copied.field) == (str(error), "act")
