"""The frames of the market, computed slowly: from the events, the network and fractions.

Nothing is shared with the package but the events themselves: each instant is told from the
beginning of the log.
"""

from collections import defaultdict
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, NamedTuple

from streamlet_lab.config import ExperimentConfig, make_config
from streamlet_lab.facade import StockMarketConsensusNetwork
from streamlet_lab.frames import Record, make_frames
from streamlet_lab.matching import (
    Accepted,
    Cancelled,
    Command,
    Expired,
    Instrument,
    Reduced,
    ReferenceMoved,
    Rejected,
    Replaced,
    Side,
    StateChanged,
    Traded,
)
from streamlet_lab.matching.events import BandMoved, Repriced
from streamlet_lab.matching.log import Log
from streamlet_lab.simulator import Market, Recorder


class Lab(NamedTuple):
    """A finished run with its insides."""

    config: ExperimentConfig
    network: StockMarketConsensusNetwork
    market: Market
    recorder: Recorder
    frames: dict[str, Any]

    def events(self, symbol):
        return list(self.market.engines[symbol].events)

    def true_price(self, time_s, symbol):
        return Fraction(self.network.true_price(round(time_s * 10**6), symbol), 10**6)

    def is_fair(self, price, time_s, symbol):
        true = self.true_price(time_s, symbol)
        return abs(price - true) <= Fraction(self.config.market.fair_percent) / 100 * true


def run(**settings):
    """Run an experiment as :class:`Experiment` does, and keep its insides."""
    config = make_config(signatures="none", **settings)
    network, recorder = StockMarketConsensusNetwork(config), Recorder()
    network.monitors.append(recorder)
    market = Market(network)
    network.run(config.epochs)
    market.close(config.epochs * config.epoch_length)
    frames = dict(make_frames(Record.of(config, network, recorder, market)))
    return Lab(config, network, market, recorder, frames)


def told(events, arrivals, true_price):
    """The record of a market of which there are only the events, and the true price at a time."""
    config = make_config(epochs=1, market_time_per_epoch="1s")
    log = Log(Instrument("AAPL"))
    for event in events:
        log.append(event)
    return Record(
        config=config,
        recorder=Recorder(),
        tree=StockMarketConsensusNetwork(config).observer.tree,
        observer="observer",
        copies={},
        paths={"AAPL": SimpleNamespace(price=true_price)},
        engines={"AAPL": SimpleNamespace(events=events, core=SimpleNamespace(log=log))},
        arrivals=arrivals,
        quoted={"AAPL": {}},
    )


def until(events, time):
    return [event for event in events if event.time <= time]


def reference_at(events):
    """What prices are held against after these events."""
    consensus = band = None
    for event in events:
        if isinstance(event, ReferenceMoved):
            consensus = event.reference
        elif isinstance(event, BandMoved):
            band = event.reference
    return band or consensus


class Open(NamedTuple):
    side: Side
    price: Fraction
    quantity: int


def open_orders(events):
    """The orders in the book after these events, told by what the events say is left."""
    orders = {}

    def leave(order_id, quantity):
        if order_id in orders and quantity:
            orders[order_id] = orders[order_id]._replace(quantity=quantity)
        else:
            orders.pop(order_id, None)

    for event in events:
        match event:
            case Accepted(order=order) if order.price is not None and order.time_in_force.rests:
                orders[order.order_id] = Open(order.side, Fraction(order.price), order.quantity)
            case Traded(trade=trade):
                leave(trade.buy_order_id, event.buy_remaining)
                leave(trade.sell_order_id, event.sell_remaining)
            case Reduced():
                leave(event.order_id, event.remaining)
            case Cancelled() | Expired():
                leave(event.order_id, 0)
            case Replaced() | Repriced():
                if event.order_id in orders:
                    side = orders[event.order_id].side
                    moved = Open(side, Fraction(event.price), event.quantity)
                    orders[event.order_id] = moved
    return orders


def levels(orders, side):
    """Price, shares and number of orders, best price first."""
    found = defaultdict(list)
    for order in orders:
        if order.side is side:
            found[order.price].append(order.quantity)
    best_first = sorted(found, reverse=side is Side.BUY)
    return [(price, sum(found[price]), len(found[price])) for price in best_first]


#: Why band, reference, auction or halt stop orders.
STOPPING = {"outside_band", "no_consensus", "stale_reference", "in_auction", "halted"}


class Stop(NamedTuple):
    """An order that was stopped, told from the events alone."""

    event: Rejected | Cancelled
    where: str
    own_price: Fraction | None
    came_fair: bool
    fair: bool
    quantity: int

    @property
    def verdict(self):
        if self.own_price is None:
            return "market"
        if self.came_fair and self.fair:
            return "false"
        if not (self.came_fair or self.fair):
            return "justified"
        return "turned_fair" if self.fair else "turned_unfair"


def stops(lab, symbol):
    """Every order of a symbol that was stopped, each told by going back through the log."""
    events = lab.events(symbol)
    return [
        _stop(lab, symbol, events[: number + 1])
        for number, event in enumerate(events)
        if isinstance(event, Rejected | Cancelled)
        and event.reason in STOPPING
        and getattr(event, "command", Command.ORDER) is Command.ORDER
    ]


def _stop(lab, symbol, log):
    last = log[-1]
    if isinstance(last, Rejected):
        order, where, came = last.order, "at_entry", last.time
        price = None if order is None or order.price is None else Fraction(order.price)
        first = price
        quantity = 0 if order is None else order.quantity
    else:
        assert isinstance(last, Cancelled)
        own = [
            (number, event)
            for number, event in enumerate(log)
            if isinstance(event, Accepted | Replaced) and event.order_id == last.order_id
        ]
        accepted, (begin, latest) = own[0][1], own[-1]
        assert isinstance(accepted, Accepted)
        came = accepted.time
        first = None if accepted.order.price is None else Fraction(accepted.order.price)
        price = Fraction(latest.price) if isinstance(latest, Replaced) else first
        # What the band, or the end of an auction, takes away comes after a move of either.
        rested = any(isinstance(event, BandMoved | StateChanged) for event in log[begin:])
        where = "swept" if rested and last.reason != "in_auction" else "at_trade"
        quantity = last.quantity
    came_fair = first is None or lab.is_fair(first, came / 10**6, symbol)
    fair = price is None or lab.is_fair(price, last.time / 10**6, symbol)
    return Stop(last, where, price, came_fair, fair, quantity)
