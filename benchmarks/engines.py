"""The lab's matching core and other people's engines, all driven by the same flow.

Each class takes a flow, makes its commands of it outside the timing, and ``run`` sends them. It
returns the shares that were traded, which must be the same for every engine.
"""

from collections import deque
from datetime import datetime, timedelta
from decimal import Decimal
from heapq import heappop, heappush
from typing import Any, Protocol

from streamlet_lab.matching import (
    ConsensusMatchingEngine,
    EngineSettings,
    Instrument,
    Order,
    Reference,
    SelfTrade,
)
from streamlet_lab.matching.core import MatchingCore
from streamlet_lab.matching.orders import GTC, Fields

from .flow import CANCEL, CROSS, MIDDLE, Flow

MAKERS = 7


class Contender(Protocol):
    """An engine with its commands ready."""

    def __init__(self, flow: Flow) -> None: ...

    def run(self) -> None:
        """Send every command."""

    def traded(self) -> int:
        """Return how many shares were traded."""


class Peer(Contender, Protocol):
    """Somebody else's engine, and the package that it comes from."""

    package: str


class Lab:
    """The lab's core with everything on: records, event log, band, self-trade prevention."""

    def __init__(self, flow: Flow) -> None:
        settings = EngineSettings(Instrument("X"), self_trade=SelfTrade.CANCEL_OLDEST)
        self.core = MatchingCore(settings)
        reference = Reference(Decimal(MIDDLE) / 100, 0)
        self.core.move_reference(reference, 0)
        self._commands: list[Fields | str] = [
            str(event.order) if event.kind == CANCEL else self.fields(event)
            for event in flow.events
        ]

    @staticmethod
    def fields(event: Any) -> Fields:
        """Return an order as the core takes it."""
        trader = "taker" if event.kind == CROSS else f"maker_{event.order % MAKERS}"
        order = (str(event.order), event.side, event.ticks, event.quantity)
        return (*order, trader, GTC, False, None)

    def run(self) -> None:
        enter, cancel = self.core.enter, self.core.cancel
        for time, command in enumerate(self._commands):
            if type(command) is str:
                cancel(command, time)
            else:
                enter(command, time)  # type: ignore[arg-type]

    def traded(self) -> int:
        rows = self.core.log.rows
        return sum(rows[sequence][3] for sequence in self.core.log.tape)


class LabEngine:
    """The lab's engine, of which the core is the inside; orders were made before."""

    package = "streamlet_lab"

    def __init__(self, flow: Flow) -> None:
        self.engine = ConsensusMatchingEngine("X", self_trade=SelfTrade.CANCEL_OLDEST)
        self.engine.set_reference(Reference(Decimal(MIDDLE) / 100, 0), 0)
        self._commands: list[Order | str] = [
            str(event.order) if event.kind == CANCEL else self._order(event)
            for event in flow.events
        ]

    @staticmethod
    def _order(event: Any) -> Order:
        order_id, _, ticks, quantity, trader, *_ = Lab.fields(event)
        side, price = "buy" if event.side > 0 else "sell", Decimal(ticks) / 100
        return Order.limit(order_id, "X", side, quantity, price, trader, time_in_force="gtc")

    def run(self) -> None:
        submit, cancel = self.engine.submit, self.engine.cancel
        for time, command in enumerate(self._commands):
            if type(command) is str:
                cancel(command, time)
            else:
                submit(command, time)  # type: ignore[arg-type]

    def traded(self) -> int:
        return sum(trade.quantity for trade in self.engine.trades)


class DictBook:
    """The least that has price-time priority and a log: dicts of queues, and a list of tuples.

    No checks, no band, no traders, no conditions. A cancelled order stays in its queue until its
    turn comes, and so does an empty price.
    """

    package = "benchmarks"

    def __init__(self, flow: Flow) -> None:
        bids: tuple[dict[int, deque[list[Any]]], list[int]] = {}, []  # queues by price, its heap
        asks: tuple[dict[int, deque[list[Any]]], list[int]] = {}, []
        self._sides = {1: (*bids, *asks), -1: (*asks, *bids)}  # the own one, the opposite
        self._live: dict[str, list[Any]] = {}  # what is left of an order, and its id
        self._log: list[tuple[Any, ...]] = []
        self._commands = [
            (str(event.order), event.side, event.ticks, event.quantity) for event in flow.events
        ]

    def run(self) -> None:
        enter, cancel = self._enter, self._cancel
        for time, (order_id, side, ticks, quantity) in enumerate(self._commands):
            if side:
                enter(order_id, side, ticks, quantity, time)
            else:
                cancel(order_id, time)

    def traded(self) -> int:
        return sum(row[5] for row in self._log if row[0] == "traded")

    def _cancel(self, order_id: str, time: int) -> None:
        resting = self._live.pop(order_id)
        self._log.append(("cancelled", time, order_id, resting[0]))
        resting[0] = 0

    def _enter(self, order_id: str, side: int, ticks: int, quantity: int, time: int) -> None:
        log, live = self._log, self._live
        own, own_keys, queues, keys = self._sides[side]
        log.append(("accepted", time, order_id, side, ticks, quantity))
        while quantity and keys and keys[0] <= side * ticks:
            key = keys[0]
            queue = queues[key]
            while queue and quantity:
                left, other = resting = queue[0]
                shares = left if left < quantity else quantity
                if shares:
                    log.append(("traded", time, order_id, other, side * key, shares))
                    quantity -= shares
                if left > shares:
                    resting[0] = left - shares
                else:
                    queue.popleft()
                    if left:
                        del live[other]
            if not queue:
                heappop(keys)
                del queues[key]
        if quantity:
            key = -side * ticks
            if key not in own:
                own[key] = deque()
                heappush(own_keys, key)
            live[order_id] = resting = [quantity, order_id]
            own[key].append(resting)


class LightMatchingEngine:
    """lightmatchingengine: pure Python, without log, band or checks."""

    package = "lightmatchingengine"

    def __init__(self, flow: Flow) -> None:
        from lightmatchingengine import lightmatchingengine as peer

        self._engine = peer.LightMatchingEngine()
        self._commands = [
            (event.order, event.ticks, event.quantity, 1 if event.side > 0 else 2)
            if event.kind != CANCEL
            else (event.order, 0, 0, 0)
            for event in flow.events
        ]
        self._shares = 0

    def run(self) -> None:
        add, cancel, ids = self._engine.add_order, self._engine.cancel_order, {}
        for number, ticks, quantity, side in self._commands:
            if side:
                order, trades = add("X", ticks, quantity, side)
                ids[number] = order.order_id
                if trades:
                    self._shares += order.cum_qty
            else:
                cancel(ids[number], "X")

    def traded(self) -> int:
        return self._shares


class Bourse:
    """bourse: an order book in Rust."""

    package = "bourse"

    def __init__(self, flow: Flow) -> None:
        import bourse

        self._book = bourse.core.OrderBook(0, 1, True)
        self._commands = [
            (event.order, event.kind != CANCEL, event.side > 0, event.quantity, event.ticks)
            for event in flow.events
        ]

    def run(self) -> None:
        book, ids = self._book, {}
        place, cancel, set_time = book.place_order, book.cancel_order, book.set_time
        for time, (number, is_order, is_bid, quantity, ticks) in enumerate(self._commands):
            set_time(time)  # orders of one instant lose their priority there
            if is_order:
                ids[number] = place(is_bid, quantity, 0, price=ticks)
            else:
                cancel(ids[number])

    def traded(self) -> int:
        return sum(trade[3] for trade in self._book.get_trades())


class OrderMatching:
    """order-matching: pure Python, whole order objects."""

    package = "order_matching"

    def __init__(self, flow: Flow) -> None:
        from loguru import logger
        from order_matching.enums import Side
        from order_matching.matching_engine import MatchingEngine
        from order_matching.order import LimitOrder
        from order_matching.orders import Orders

        logger.disable("order_matching")
        self._engine = MatchingEngine(seed=0)
        self._shares = 0
        start = datetime(2024, 1, 15)  # noqa: DTZ001 (the peer compares with a naive one)
        self._commands: list[tuple[Any, datetime, str]] = []
        for number, event in enumerate(flow.events):
            now, name, order = start + timedelta(microseconds=number), str(event.order), None
            if event.kind != CANCEL:
                side = Side.BUY if event.side > 0 else Side.SELL
                order = Orders(
                    [
                        LimitOrder(
                            side=side,
                            price=float(event.ticks),
                            size=event.quantity,
                            timestamp=now,
                            order_id=name,
                            trader_id="x",
                        )
                    ]
                )
            self._commands.append((order, now, name))

    def run(self) -> None:
        engine = self._engine
        for orders, now, name in self._commands:
            if orders is None:
                engine.cancel_order(name)
            else:
                engine.place(orders)
                for trade in engine.match(now).trades:
                    self._shares += int(trade.size)

    def traded(self) -> int:
        return self._shares
