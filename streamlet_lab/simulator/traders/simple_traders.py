"""Kinds of traders that keep nothing, or only what they have seen, from one act to the next."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

from streamlet_lab.errors import InvalidInput
from streamlet_lab.simulator.traders.trader import (
    Action,
    Intent,
    MarketView,
    Percent,
    Shares,
    Trader,
    trader_kind,
)
from streamlet_lab.values import Number, Whole


@trader_kind("noise_trader")
@dataclass(eq=False, repr=False, kw_only=True)
class NoiseTrader(Trader):
    """A noise trader: it buys or sells at random, at a price around the true one.

    It never looks at the book, the reference or its orders: the same seed sends the same orders
    into any market. The zero-intelligence traders of Gode and Sunder (1993) are others: they bid at
    random within a budget.
    """

    spread_percent: Percent = 0.5  # standard deviation of its limit prices around the true price
    market_order_share: Annotated[float, Number(0, 1)] = 0.2  # of its orders
    size: Shares | None = None  # of each order; 10 to 200 at random unless given, here and below

    def act(self, view: MarketView) -> tuple[Action]:
        send = self.buy if self.random.random() < 0.5 else self.sell
        quantity = self.draw_quantity(self.size)
        distance = self.random.gauss(0, self.spread_percent / 100)
        is_market_order = self.random.random() < self.market_order_share
        return (send(quantity, None if is_market_order else view.true_price * (1 + distance)),)


@trader_kind("fat_finger")
@dataclass(eq=False, repr=False, kw_only=True)
class FatFinger(Trader):
    """Sends limit orders that are far from the true price, above or below, on either side.

    It looks at nothing, as a noise trader does.
    """

    intent: ClassVar[Intent] = "far"

    # The least and the largest distance from the true price; all between are equally likely.
    from_percent: Percent = 6
    to_percent: Percent = 30
    size: Shares | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.from_percent > self.to_percent:
            expected = f"at least from_percent, {self.from_percent}"
            raise InvalidInput("to_percent", self.to_percent, expected)

    def act(self, view: MarketView) -> tuple[Action]:
        send = self.buy if self.random.random() < 0.5 else self.sell
        quantity = self.draw_quantity(self.size)
        sign = 1 if self.random.random() < 0.5 else -1
        distance = sign * self.random.uniform(self.from_percent / 100, self.to_percent / 100)
        return (send(quantity, view.true_price * (1 + distance)),)


@trader_kind("informed")
@dataclass(eq=False, repr=False, kw_only=True)
class Informed(Trader):
    """Sees the true price with noise, takes quotes that are wrong, and quotes where none is.

    At each act it perceives a new value, true price × (1 + noise), and cancels what is left of its
    former order. If the best quote is better than that value by more than the edge, it takes it,
    up to the value. Otherwise it offers to buy or to sell, as chance has it, an edge away from the
    value. While orders are not matched as they come, it takes nothing.

    As in Glosten and Milgrom (1985) its trades carry information. Their informed trader only takes
    quotes; this one also makes them.
    """

    noise_percent: Percent = 0.2  # standard deviation of what it perceives around the true price
    edge_percent: Percent = 0.1  # what it wants to gain, at least
    size: Shares | None = None

    def act(self, view: MarketView) -> Iterator[Action]:
        # It draws all that it may need, so that the instants of its acts do not depend on the book.
        value = view.true_price * (1 + self.random.gauss(0, self.noise_percent / 100))
        quantity = self.draw_quantity(self.size)
        would_rather_buy = self.random.random() < 0.5
        edge = self.edge_percent / 100
        bid, ask = value * (1 - edge), value * (1 + edge)

        for order_id in self.orders:
            yield self.cancel(order_id)
        takes = view.is_continuous
        if takes and view.best_ask is not None and view.best_ask < bid:
            yield self.buy(quantity, value, time_in_force="ioc")
        elif takes and view.best_bid is not None and view.best_bid > ask:
            yield self.sell(quantity, value, time_in_force="ioc")
        elif would_rather_buy:
            yield self.buy(quantity, bid)
        else:
            yield self.sell(quantity, ask)


@trader_kind("manipulator")
@dataclass(eq=False, repr=False, kw_only=True)
class Manipulator(Trader):
    """Waits until the reference is displaced, and trades with whoever quotes around it.

    It knows the true price, and that a lying feed pushes the reference away from it. While the
    reference is too high, it sells to those who bid more than the true price; while it is too low,
    it buys from those who ask less. It never rests an order, and waits
    while orders are not matched as they come. The lie is the work of others: faults of nodes or of
    sources. An old reference looks like a displaced one, so a threshold that is meant for lies
    alone must be larger than what the true price moves in the age of a reference.
    """

    intent: ClassVar[Intent] = "manipulating"

    threshold_percent: Percent = 1.0  # it waits until the reference is farther from the true price
    edge_percent: Percent = 0.1  # it trades where it gains more
    size: Shares | None = None

    def act(self, view: MarketView) -> Iterator[Action]:
        quantity = self.draw_quantity(self.size)
        if view.reference is None or not view.is_continuous:
            return
        true, edge, threshold = (
            view.true_price,
            self.edge_percent / 100,
            self.threshold_percent / 100,
        )
        pushed_up = view.reference > true * (1 + threshold)
        pushed_down = view.reference < true * (1 - threshold)
        dear, cheap = true * (1 + edge), true * (1 - edge)
        if pushed_up and view.best_bid is not None and view.best_bid > dear:
            yield self.sell(quantity, dear, time_in_force="ioc")
        elif pushed_down and view.best_ask is not None and view.best_ask < cheap:
            yield self.buy(quantity, cheap, time_in_force="ioc")


@trader_kind("momentum")
@dataclass(eq=False, repr=False, kw_only=True)
class Momentum(Trader):
    """Buys what has risen and sells what has fallen, with market orders.

    At each act it compares the last price with the one that it saw a number of acts ago. It knows
    neither the true price nor the reference. While orders are not matched as they come, it looks
    on.
    """

    lookback: Annotated[int, Whole(1, 100_000)] = 5  # how many of its own acts
    threshold_percent: Percent = 0.5  # it follows a larger move
    size: Shares | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._seen = deque[float](maxlen=self.lookback + 1)

    def act(self, view: MarketView) -> Iterator[Action]:
        quantity = self.draw_quantity(self.size)
        if view.last_price is None:
            return
        self._seen.append(view.last_price)
        if len(self._seen) <= self.lookback or not view.is_continuous:
            return
        change = view.last_price / self._seen[0] - 1
        if change > self.threshold_percent / 100:
            yield self.buy(quantity)
        elif change < -self.threshold_percent / 100:
            yield self.sell(quantity)
