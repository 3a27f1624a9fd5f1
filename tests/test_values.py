"""Numbers, truth values and texts of others: numpy's are Python's, and what is none is refused."""

import dataclasses
import importlib
import inspect
import math
from contextlib import suppress
from decimal import Decimal

import numpy as np
import pytest

import streamlet_lab as sl
from streamlet_lab import consensus, keys, matching, prices, studies, theory
from streamlet_lab.matching.engine_settings import EngineSettings
from streamlet_lab.prices import ORIGIN
from streamlet_lab.registers import TraderContext
from streamlet_lab.streams import stream

QUOTE = sl.StockPrice("AAPL", 150, 500, "venue", ORIGIN, 0.25)
GENESIS = consensus.make_genesis("chain")
BLOCK = sl.Block("chain", 1, 1, GENESIS.hash, b"")
PREVIOUS = prices.PreviousConsensus(150, 3, 1)
RULES = sl.PriceValidation(widening_percent=0, reanchor_after=3, reanchor_sources=3)
ROUND = prices.PriceRound(RULES, "AAPL", 4, PREVIOUS, ORIGIN)

#: One of each public value that people make. Their fields are read when they are made.
VALUES = [
    *(QUOTE, PREVIOUS, RULES, ROUND, sl.TailRule(), prices.Voter("AAPL", RULES)),
    prices.Scene(RULES, "AAPL", 4, None, quotes=(QUOTE,), earlier=lambda epoch: (QUOTE,)),
    sl.Source("venue", lag=5, confidence_bp=1.5),
    prices.PathSettings(),
    *(prices.GjrGarch(), prices.GeometricBrownianMotion(), prices.MertonJumps()),
    prices.Regime(0.2, days=8.0),
    prices.RegimeSwitching(),
    sl.PriceConsensus("AAPL", Decimal("150.00"), Decimal("150.00"), Decimal(500), 1, ORIGIN),
    prices.NoPrice("AAPL", "reason", ORIGIN),
    prices.GenesisPrice("AAPL", Decimal(150)),
    sl.Order("b-1", "AAPL", "buy", "limit", 100, 150, "me", "gtt", 9),
    matching.Instrument("AAPL", lot=100, day=60),
    matching.Reference(Decimal(150), 9),
    EngineSettings(matching.Instrument("AAPL")),
    matching.ConsensusBand(5.5, stale="halt", stale_after=60),
    matching.LuldBand(5, 60, 1, 30, 15, 60),
    matching.VolatilityAuctionBand(5, 2.5, 60),
    *(BLOCK, sl.Proposal(BLOCK, "a", b"1"), sl.Vote("chain", 1, 1, BLOCK.hash, "a", b"1")),
    consensus.FinalityRule(3, 1),
    sl.PublicKeys("chain", GENESIS.hash, 1, {"a": bytes(32)}),
    sl.Fault("crash", ("node_1",), start=1, stop=3),
    sl.Publication(9, 150_000_000, 0),
    sl.Send(sl.Vote("chain", 1, 1, BLOCK.hash, "a", b"1"), ("b",), 5),
]
#: What the lab makes and people read, or is read where it comes in; and bases of classes.
OTHERS = (
    "Aggregator Cancelled Certificate CheckResult Day Evidence FinalityProof Jump Links NodeFault "
    "OpaqueApplication OpenOrder Record Rejected Result Scenario SourceFault Sweep Trader "
    "VerifiedBlock"
)
ROOMS = ("", ".checks", ".consensus", ".frames", ".matching", ".prices", ".scenarios", ".simulator")

#: No number, no truth value, no text and nothing else that any field takes.
WRONG = [math.nan, math.inf, np.True_, True, Decimal("sNaN"), [1], b"1", "wrong", "1_50", "١٥٠"]


def _public_dataclasses():
    for room in ROOMS:
        module = importlib.import_module(f"streamlet_lab{room}")
        # The package imports a name when it is first asked for.
        for name, kind in [(name, getattr(module, name)) for name in dir(module)]:
            if name[0] != "_" and isinstance(kind, type) and dataclasses.is_dataclass(kind):
                yield name


def test_every_public_value_is_in_the_walk():
    walked = {type(value).__name__ for value in VALUES}
    assert {*_public_dataclasses()} - walked == {*OTHERS.split()}


def _fields():
    for value in VALUES:
        for field in dataclasses.fields(value):
            read_when_sent = isinstance(value, sl.Send) and field.name == "message"
            if field.init and not read_when_sent:
                yield pytest.param(value, field.name, id=f"{type(value).__name__}.{field.name}")


def _is_taken(good, wrong):
    """Whether a value is of the kind of a good one after all."""
    if isinstance(good, bool):
        return isinstance(wrong, bool | np.bool_)
    if isinstance(good, str | bytes):
        return isinstance(wrong, type(good))
    return isinstance(good, dict | tuple) or callable(good) or good is None


@pytest.mark.parametrize(("value", "name"), [*_fields()])
def test_a_field_takes_its_own_kind_and_names_itself_where_it_is_given_another(value, name):
    good = getattr(value, name)
    for wrong in WRONG:
        may_be_endless = name == "days" and wrong is math.inf
        if not _is_taken(good, wrong) and not may_be_endless:
            with pytest.raises(sl.InvalidInput) as caught:
                dataclasses.replace(value, **{name: wrong})
            assert caught.value.field.startswith(name)
    for extreme in (None, -1, 10**30, 10**5000, Decimal("1e30"), {}):
        with suppress(sl.InvalidInput):
            dataclasses.replace(value, **{name: extreme})


def _numpys(number):
    """Return the same number, or truth value, as numpy has it."""
    if isinstance(number, bool):
        return [np.bool_(number)]
    if isinstance(number, Decimal):
        return [np.float64(number)] + [np.int64(number)] * (number == int(number))
    if isinstance(number, int):
        return [np.int64(number), np.array([number])[0]]
    return [np.float64(number), np.float32(number)] if isinstance(number, float) else []


@pytest.mark.parametrize(("value", "name"), [*_fields()])
def test_a_number_of_numpy_is_stored_as_pythons(value, name):
    for number in _numpys(getattr(value, name)):
        made = dataclasses.replace(value, **{name: number})
        if not isinstance(number, np.float32):  # as it prints
            assert made == value
        assert "np." not in repr(made)
        assert type(getattr(made, name)) is type(getattr(value, name))


# --- Functions


class Nobody(sl.Trader):
    """Makes orders when it is told to."""

    def act(self, view):
        """Do nothing."""


def _trader(name="nobody_0", symbol="AAPL"):
    return Nobody(TraderContext(name, symbol, stream(0, "nobody"), 1.0))


def _aggregated(price):
    aggregator = prices.Aggregator("price", lambda quotes: price, lambda sources: 0)
    return prices.PriceRound(RULES, "AAPL", 4, None, aggregator=aggregator).aggregate([QUOTE])


def _proposal(proposer, certificate=None):
    keyring = keys.make_keyring("none", ["a"], 0)
    return consensus.sign_proposal(BLOCK, proposer, keyring, certificate)


def _engine():
    engine = sl.ConsensusMatchingEngine("AAPL", without_reference="allow")
    engine.submit(sl.Order.limit("b-1", "AAPL", "buy", 100, 150), 5)
    return engine


def _path(feed="simulated"):
    return prices.make_path(feed, 0, prices.TRADING_DAY)


def _band(**settings):
    return sl.studies.displacement("mean", [(3, 1)], **settings).to_dict()


RESULT = sl.Experiment(epochs=6).run()
#: A function, and arguments that it takes; in a range of its own where they are wrong.
CALLS = {
    "engine": lambda pace=2: sl.ConsensusMatchingEngine("AAPL", pace=pace).settings,
    "submit": lambda time=7: _engine().submit(sl.Order.limit("s", "AAPL", "sell", 9, 150), time),
    "reduce": lambda order_id="b-1", time=7: _engine().reduce(order_id, 10, time),
    "replace": lambda order_id="b-1", time=7: _engine().replace(order_id, quantity=9, time=time),
    "cancel": lambda order_id="b-1", time=7: _engine().cancel(order_id, time),
    "advance": lambda time=7: _engine().advance(time),
    "end_day": lambda time=7: _engine().end_day(time),
    "halt": lambda time=7: _engine().halt(time),
    "set_reference": lambda time=7: _engine().set_reference(matching.Reference(150, 5), time),
    "validate": lambda price=150: _engine().validate_trade_price(price),
    "depth": lambda levels=2: _engine().book.depth(levels),
    "depth_over_time": lambda times=7: [*matching.depth_over_time(_engine().events, [times])],
    "ticks": lambda price=150: matching.Instrument("AAPL").ticks(price),
    "dollars": lambda ticks=150: matching.Instrument("AAPL").price(ticks),
    "shares": lambda quantity=150: matching.Instrument("AAPL").check_quantity(quantity),
    "make_band": lambda percent=5: matching.make_band("luld", percent),
    "buy": lambda quantity=300, price=150.5: _trader().buy(quantity, price),
    "trader.replace": lambda order_id="a", price=150.5, quantity=3: _trader().replace(
        order_id, price, quantity
    ),
    "trader": lambda name="nobody_0", symbol="AAPL": _trader(name, symbol).buy(9, 150).order,
    "voter.round": lambda epoch=4: prices.Voter("AAPL", RULES).round(epoch, PREVIOUS, ORIGIN),
    "sign": lambda proposer="a": _proposal(proposer),
    "trader.draw": lambda quantity=3: _trader().draw_quantity(quantity),
    "sources": lambda sources=3: prices.read_sources(sources),
    "price": lambda market_time=7: _path().price(market_time),
    "volume": lambda market_time=7: _path().volume(market_time),
    "timestamp": lambda market_time=7: _path().timestamp(market_time),
    "history": lambda market_time=7: _path("history-2012").price(market_time),
    "load_history": lambda year=2012: sl.load_history("AAPL", year).to_dict(),
    "make_path": lambda seed=3, market_time_per_epoch=60_000, correlation=0.5: prices.make_path(
        "simulated", seed, market_time_per_epoch, correlation=correlation
    ).price(60_000),
    "quotes": lambda seed=3, epoch=4: prices.QuoteFeed(_path(), 60_000, seed).quotes(epoch),
    "simulator": lambda base_price=150, volatility=1.5, seed=3: sl.AAPLPriceSimulator(
        base_price, volatility=volatility, seed=seed
    ).generate_price_feed("external_feed"),
    "service": lambda seed=3, epoch=4: sl.PriceConsensusService(seed=seed).process_epoch_prices(
        epoch
    ),
    "quorum": lambda nodes=4: consensus.quorum(nodes),
    "culprits": lambda nodes=4, quorum=3: consensus.guaranteed_culprits(nodes, quorum),
    "round_robin": lambda epoch=3: consensus.round_robin(["a", "b"])(epoch),
    "hashed": lambda epoch=3: consensus.hashed(["a", "b"], "chain")(epoch),
    "tree": lambda quorum=3: sl.BlockTree(GENESIS, quorum).quorum,
    "keyring": lambda seed=3, remember=True: keys.make_keyring(
        "ed25519", ["a"], seed, remember=remember
    ).public_key("a"),
    "ideal": lambda seed=3: keys.make_keyring("none", ["a"], seed).sign("a", b""),
    "proof": lambda block=2: RESULT.proof(block),
    "verify": lambda allow_unsafe_quorum=False: sl.verify_proof(
        RESULT.proof(2), RESULT.keys, allow_unsafe_quorum=allow_unsafe_quorum
    ),
    "sensitivity": lambda fair_percent=2: RESULT.sensitivity([fair_percent]).to_dict(),
    "config": lambda epochs=9, nodes=5, seed=3, quorum=4: sl.ExperimentConfig(
        epochs=epochs, nodes=nodes, seed=seed, quorum=quorum
    ),
    "lengths": lambda echo=False, epoch_length=2, market_time_per_epoch=60: sl.Experiment(
        echo=echo, epoch_length=epoch_length, market_time_per_epoch=market_time_per_epoch
    ),
    "market": lambda traders=3, band_percent=5, depth_levels=4: sl.Experiment(
        market={"traders": traders, "band_percent": band_percent, "depth_levels": depth_levels}
    ),
    "prices": lambda base_price=160, volatility=1.5, sources=5, min_sources=3: sl.Experiment(
        prices={
            "base_price": base_price,
            "volatility": volatility,
            "sources": sources,
            "min_sources": min_sources,
        }
    ),
    "network": lambda delta=2, loss=0.5, catch_up=True, clock_skew=1: sl.Experiment(
        network={"delta": delta, "loss": loss, "catch_up": catch_up, "clock_skew": clock_skew}
    ),
    "alternating": lambda good=4, bad=1, until=12: sl.alternating(good, bad, until),
    "sweep": lambda repeats=1, seed=3: sl.sweep(
        {"epochs": 2, "market.traders": 0}, {"nodes": [4]}, repeats=repeats, seed=seed
    ).frame.to_dict(),
    "box": lambda count=3, seed=2: sl.quasi_random(
        {"nodes": (4, 16)}, count=count, seed=seed
    ).to_dict(),
    "displacement": lambda epochs=2, seeds=1, true_price=150, noise_bp=1.5: _band(
        epochs=epochs, seeds=seeds, true_price=true_price, noise_bp=noise_bp
    ),
    "push": lambda sources=3, liars=1, seed=3: studies.push(
        "mean", sources, liars, epochs=2, seed=seed
    ).to_dict(),
    "ages": lambda ages=2, band_percent=5, block=20: studies.outside_by_age(
        range(100, 400), [ages], band_percent=band_percent, block=block
    ).to_dict(),
    "share": lambda whole=4: sl.Share(1, whole),
    "share_interval": lambda fewest=3: sl.share_interval([sl.Share(1, 4)] * 3, fewest=fewest),
    "messages": lambda nodes=4, echo=True: theory.messages_per_epoch(nodes, echo=echo),
    "chance": lambda length=3, trials=5, p=0.5: theory.chance_of_run(length, trials, p),
    "denied": lambda displacement_bp=100, band_percent=5: theory.denied_share(
        displacement_bp, band_percent
    ),
}
ARGUMENTS = [
    pytest.param(call, name, parameter.default, id=f"{what}.{name}")
    for what, call in CALLS.items()
    for name, parameter in inspect.signature(call).parameters.items()
]


@pytest.mark.parametrize(("call", "name", "good"), ARGUMENTS)
def test_an_argument_takes_numpys_and_refuses_what_is_none(call, name, good):
    expected = call()
    for number in _numpys(good):
        if not isinstance(number, np.float32):
            found = call(**{name: number})
            assert repr(found) == repr(expected)
            assert "np." not in repr(found)
    for wrong in WRONG:
        if not _is_taken(good, wrong):
            with pytest.raises(sl.InvalidInput) as caught:
                call(**{name: wrong})
            assert name.split("_")[0] in caught.value.field


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: _aggregated(Decimal(10) ** 15), "aggregator price"),
        (lambda: _aggregated(Decimal("-0.01")), "aggregator price"),
        (lambda: prices.Voter("AAPL", RULES).round(4, 3, ORIGIN), "previous"),
        (lambda: prices.Voter("AAPL", RULES).round(4, None, 3), "timestamp"),
        (lambda: _proposal("a", "x"), "certificate"),
    ],
)
def test_what_a_user_hands_over_is_refused_where_it_comes_in(call, field):
    with pytest.raises(sl.InvalidInput) as caught:
        call()
    assert caught.value.field == field


@pytest.mark.parametrize("day", [3_000_000, 2**40])
def test_a_time_beyond_the_calendar_is_refused(day):
    with pytest.raises(sl.InvalidInput, match=r"^market_time: .* before the year 10000"):
        _path().timestamp(day * 86_400_000_000)


def test_parameters_are_kept_as_files_have_them():
    given = {"a": np.int64(2), "b": [np.float64(0.5), {"c": np.True_}]}
    kept = sl.Fault("crash", count=1, parameters=given).parameters
    assert repr(kept) == "{'a': 2, 'b': [0.5, {'c': True}]}"
    for wrong in (math.nan, 10**400, np.datetime64("2024"), np.timedelta64(3), None, (1,), {1: 2}):
        with pytest.raises(sl.InvalidInput, match=r"^parameters\.a: "):
            sl.Fault("crash", count=1, parameters={"a": [wrong]})


def test_a_sample_is_of_numbers():
    assert sl.mean_interval(np.array([1, 2, math.nan, 3])) == sl.mean_interval([1, 2, 3])
    for wrong in (True, "1", None, math.inf, Decimal("sNaN")):
        with pytest.raises(sl.InvalidInput, match=r"^values: "):
            sl.mean_interval([1, wrong])
    for shares in ([0.5], [True], "12"):
        with pytest.raises(sl.InvalidInput, match=r"^shares: "):
            sl.share_interval(shares)


def test_a_trader_may_draw_from_numpy():
    class Drawing(sl.Trader):
        def act(self, view):
            rng = np.random.default_rng(self.random.getrandbits(32))
            yield self.buy(rng.integers(1, 5) * 100, rng.normal(view.true_price, 1))

    run = sl.Experiment(epochs=4, market={"traders": [{"kind": Drawing, "rate": 2}]}).run()
    assert len(run.orders) > 3
    assert {*run.orders["quantity"]} <= {100, 200, 300, 400}


def test_rules_and_delays_of_ones_own_may_answer_in_numpy():
    settings = {
        "epochs": 4,
        "market": {"traders": 0},
        "prices": {"outlier_rule": lambda quote, quotes, previous, epoch: np.bool_(False)},
        "network": {"delays": lambda stream, network, nodes: lambda *copy: np.int64(50_000)},
    }
    plain = settings | {
        "prices": {"outlier_rule": lambda quote, quotes, previous, epoch: False},
        "network": {"delays": lambda stream, network, nodes: lambda *copy: 50_000},
    }
    assert sl.Experiment(**settings).run().summary == sl.Experiment(**plain).run().summary
