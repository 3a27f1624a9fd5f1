"""The market on the clock: which price counts at which instant, and for whom."""

from bisect import bisect_right
from copy import deepcopy
from typing import ClassVar

import pytest

from streamlet_lab.errors import InvalidInput
from streamlet_lab.experiment import Experiment
from streamlet_lab.matching import Accepted, Order, ReferenceMoved, Rejected, RejectReason
from streamlet_lab.matching.log import Log
from streamlet_lab.simulator import Market, Priority, priced
from streamlet_lab.simulator.traders import Submit, Trader

from .stocks import network

SETTINGS = {
    "the default": {},
    "a crash": {"faults": {"node_3": "crash@6"}},
    "a silent leader, so that blocks become final in groups": {
        "faults": {"node_0": "silent_leader"}
    },
    "read from a node": {"market": {"reference_node": "node_2"}},
    "real prices": {"feed": "goog-2008"},
    "slow links": {"network": {"median_delay": "300ms"}},
}


def trade(epochs, **settings):
    lab, recorder = network(epochs=epochs, **settings)
    market = Market(lab)
    lab.run(epochs)
    return lab, recorder, market


def references(recorder, reader="observer"):
    """Instants and prices of what the reader saw finalized, oldest first."""
    found = [
        (time, claim)
        for time, node, block in recorder.finalizations
        if node == reader
        for claim in priced(block)
    ]
    return [time for time, _ in found], [claim for _, claim in found]


def met(market):
    """Every order's instant, and the reference that the engine knew then."""
    (engine,) = market.engines.values()
    moves = [event for event in engine.events if isinstance(event, ReferenceMoved)]
    moved = [event.time for event in moves]
    for arrival in market.arrivals:
        known = bisect_right(moved, arrival.time)
        yield arrival.time, moves[known - 1].reference if known else None


def assert_references_follow(recorder, market, reader="observer"):
    times, claims = references(recorder, reader)
    for time, reference in met(market):
        known = bisect_right(times, time)
        if known == 0:
            assert reference is None
        else:
            newest = claims[known - 1]
            assert reference.price == newest.consensus_price
            assert reference.block_hash == newest.block_hash
            assert reference.time == times[known - 1]


@pytest.mark.parametrize("setting", SETTINGS)
def test_an_order_meets_the_last_price_that_is_final_at_its_instant(setting):
    settings = SETTINGS[setting]
    _, recorder, market = trade(30, **settings)
    reader = settings.get("market", {}).get("reference_node", "observer")
    assert_references_follow(recorder, market, reader)
    assert len({reference for _, reference in met(market)}) > 5


def test_what_the_reader_has_not_seen_final_is_no_reference():
    # node_2 crashes in epoch 5; what it reads stands still.
    _, recorder, market = trade(
        20, faults={"node_2": "crash@5"}, market={"reference_node": "node_2"}
    )
    assert_references_follow(recorder, market, "node_2")
    assert market.engines["AAPL"].reference.time < 5_000_000


def test_at_one_instant_the_reference_moves_before_the_orders():
    lab, recorder, _ = trade(6, market={"traders": 0})
    times, claims = references(recorder)
    lab, recorder = network(epochs=6, market={"traders": 0})
    market, seen = Market(lab), []
    for time in times:
        for instant in (time - 1, time):
            lab.queue.schedule(
                instant, Priority.ORDER, lambda *_: seen.append(market.engines["AAPL"].reference)
            )
    lab.run(6)
    after = [reference.price for reference in seen[1::2]]
    before = [reference and reference.price for reference in seen[::2]]
    assert after == [claim.consensus_price for claim in claims]
    assert before == [None, *after[:-1]]


def test_traders_see_the_true_price_at_their_instant():
    lab, _, market = trade(12)
    seen = [arrival.true_price for arrival in market.arrivals]
    assert seen == [lab.true_price(time) for time, *_ in market.arrivals]
    assert len(set(seen)) > 30


def events_of(market, kind):
    return [event for event in market.engines["AAPL"].events if isinstance(event, kind)]


def test_orders_before_the_first_finalization_are_rejected():
    _, recorder, market = trade(12)
    first = references(recorder)[0][0]
    early = [arrival.order.order_id for arrival in market.arrivals if arrival.time < first]
    rejected = {
        event.order_id
        for event in events_of(market, Rejected)
        if event.reason is RejectReason.NO_CONSENSUS
    }
    assert early
    assert rejected == set(early)
    assert all(event.time >= first for event in events_of(market, Accepted))


def test_far_orders_are_rejected_by_a_band_as_wide_as_configured():
    _, _, narrow = trade(30)
    _, _, wide = trade(30, market={"band_percent": 50})
    for market, rejects in ((narrow, True), (wide, False)):
        far = {each.order.order_id for each in market.arrivals if each.intent == "far"}
        outside = {
            event.order_id
            for event in events_of(market, Rejected)
            if event.reason is RejectReason.OUTSIDE_BAND
        }
        assert far
        assert bool(outside & far) is rejects


def test_an_empty_market_leaves_the_network_alone():
    lab, recorder, market = trade(8, market={"traders": 0})
    assert market.arrivals == []
    alone, alone_recorder = network(epochs=8)
    alone.run(8)
    assert vars(recorder) == vars(alone_recorder)
    assert lab.get_finalized_consensus_prices() == alone.get_finalized_consensus_prices()


# Streams: comparing two settings on the same prices and orders is the normal use


@pytest.mark.parametrize(
    "settings",
    [
        {"faults": {"node_3": "crash@6"}},
        {"faults": {"node_0": "silent_leader", "node_1": "lying_leader@3-9"}},
        {"nodes": 7},
        {"echo": False},
        {"network": {"median_delay": "200ms"}},
        {"prices": {"deviation_rule": "strict", "max_deviation_percent": 0.1}},
        {"market": {"band_percent": 1, "without_reference": "allow"}},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_other_settings_meet_the_same_prices_and_orders(settings):
    lab, recorder, market = trade(20)
    other_lab, other_recorder, other_market = trade(20, **settings)
    for epoch in range(20):
        assert other_lab.feed.quotes(epoch) == lab.feed.quotes(epoch)
    assert other_market.arrivals == market.arrivals
    changed = vars(other_recorder) != vars(recorder)
    assert changed or other_market.engines["AAPL"].events != market.engines["AAPL"].events


# What traders see


class Watcher(Trader):
    """Bids for a moment only, and remembers all that it sees."""

    seen: ClassVar[list] = []

    def act(self, view):
        self.seen.append((view, dict(self.orders)))
        yield self.buy(10, 100.0, time_in_force="gtt", expires=view.time + 1)


def watch(**market):
    Watcher.seen = []
    traders = [Watcher, *market.pop("traders", [])]
    market = {"traders": traders, "band_percent": 100, "without_reference": "allow", **market}
    lab, _ = network(epochs=20, symbols=["AAPL", "MSFT"], market=market)
    exchange = Market(lab)
    lab.run(20)
    return exchange, Watcher.seen


def test_what_is_due_has_happened_when_a_trader_looks():
    _, seen = watch()
    assert len(seen) > 20
    assert all(view.best_bid is None and not orders for view, orders in seen)


def test_traders_see_the_latest_trade_of_their_own_symbol():
    flow = {"kind": "noise_trader", "count": 4, "rate": 2}
    market, seen = watch(traders=[flow])
    for symbol, engine in market.engines.items():
        trades = engine.trades[:]
        times = [trade.time for trade in trades]
        views = [view for view, _ in seen if view.symbol == symbol]
        assert len({view.last_price for view in views}) > 5
        for view in views:
            before = bisect_right(times, view.time)
            assert view.last_price == (float(trades[before - 1].price) if before else None)


# Whom it tells


class Looks(Trader):
    """Sends orders of all sorts, and looks at its account from a certain act on."""

    seen: ClassVar[list] = []

    def __init__(self, context, *, first=0):
        super().__init__(context)
        self.acts, self.first = 0, first

    def act(self, view):
        self.acts += 1
        if self.acts > self.first:
            self.seen.append((view.time, self.position, deepcopy(self.orders)))
            yield from (self.cancel(one) for one in list(self.orders)[3:])
        yield self.buy(30, view.true_price)
        yield self.sell(40, view.true_price)
        # Made by hand, under an id of its own choice.
        by_hand = f"{self.name}/{self.symbol}/mine/{self.acts}"
        yield Submit(Order.limit(by_hand, self.symbol, "buy", 10, 1), "honest")


class Told(Looks):
    """The same under the same name, with an `on_event` of its own: it is told at once."""

    def on_event(self, event):
        super().on_event(event)


Told.__name__ = Looks.__name__


@pytest.mark.parametrize("first", [0, 5])
@pytest.mark.parametrize("band", ["consensus", "clip", "volatility_auction"])
def test_who_looks_late_sees_what_who_is_told_at_once_sees(band, first):
    seen = []
    for kind in (Looks, Told):
        Looks.seen = []
        others = {"kind": "noise_trader", "count": 5}
        traders = [{"kind": kind, "count": 2, "parameters": {"first": first}}, others]
        _, _, market = trade(30, market={"traders": traders, "band": band, "band_percent": 1})
        accounts = [(one.position, one.orders) for one in market.traders]
        seen.append((Looks.seen, accounts))
        rest = market.engines["AAPL"].book
        resting = [each.order.order_id for each in (*rest.bids, *rest.asks)]
        assert sorted(resting) == sorted(one for _, orders in accounts for one in orders)
        assert sum(position for position, _ in accounts) == 0
    assert seen[0] == seen[1]
    assert len({position for _, position, _ in seen[0][0]}) > 10


def test_for_traders_who_do_not_look_no_event_is_made(monkeypatch):
    def made(*_):
        raise AssertionError("nobody asked for an event")

    monkeypatch.setattr(Log, "event", made)
    _, _, market = trade(12)
    assert len(market.engines["AAPL"].events) > 60
    with pytest.raises(AssertionError, match="nobody asked"):
        market.traders[0].position  # noqa: B018


def test_a_run_that_forgets_what_happened_tells_who_looks_late():
    seen = []
    for record in ("all", "summary"):
        Looks.seen = []
        traders = [{"kind": Looks, "parameters": {"first": 150}}, "noise_trader"]
        Experiment(epochs=300, record=record, signatures="none", market={"traders": traders}).run()
        seen.append(Looks.seen)
    assert seen[0] == seen[1]
    assert len({position for _, position, _ in seen[0]}) > 10


@pytest.mark.parametrize("listens", [True, False])
def test_a_guest_cannot_pass_for_a_trader(listens):
    lab, _ = network(epochs=4)
    market = Market(lab)
    name = market.traders[0].name
    if listens:
        market.traders[0].listen()
    with pytest.raises(InvalidInput, match=r"order_id: .* not begin as a trader's"):
        market.submit(Order.limit(f"{name}/AAPL/guest", "AAPL", "buy", 10, 150))
    assert not market.arrivals
    market.submit(Order.limit(f"{name}/guest", "AAPL", "buy", 10, 150))
    assert not market.traders[0].orders
