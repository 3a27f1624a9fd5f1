"""Kinds of traders that keep nothing, or only what they have seen, from one act to the next."""

from collections import deque
from collections.abc import Iterator
from typing import Annotated, ClassVar

from streamlet_lab.errors import InvalidInput
from streamlet_lab.registers import TraderContext
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


@trader_kind("zero_intelligence")
class ZeroIntelligence(Trader):
    """Buys or sells at random, at a price around the true one (after Gode and Sunder 1993).

    It never looks at the book, the reference or its orders: the same seed sends the same orders
    into any market.

    Parameters
    ----------
    spread_percent : float
        Standard deviation of its limit prices around the true price.
    market_order_share : float
        Share of its orders that are market orders.
    size : int, optional
        Shares of each order; 10 to 200 at random unless given, here and below.
    """

    def __init__(
        self,
        context: TraderContext,
        *,
        spread_percent: Percent = 0.5,
        market_order_share: Annotated[float, Number(0, 1)] = 0.2,
        size: Shares | None = None,
    ) -> None:
        super().__init__(context)
        self._spread = spread_percent / 100
        self._market_share = market_order_share
        self._size = size

    def act(self, view: MarketView) -> Iterator[Action]:
        send = self.buy if self.random.random() < 0.5 else self.sell
        quantity = self.draw_quantity(self._size)
        distance = self.random.gauss(0, self._spread)
        is_market_order = self.random.random() < self._market_share
        yield send(quantity, None if is_market_order else view.true_price * (1 + distance))


@trader_kind("fat_finger")
class FatFinger(Trader):
    """Sends limit orders that are far from the true price, above or below, on either side.

    It looks at nothing, as zero intelligence does.

    Parameters
    ----------
    from_percent, to_percent : float
        The least and the largest distance from the true price; all between are equally likely.
    size : int, optional
    """

    intent: ClassVar[Intent] = "far"

    def __init__(
        self,
        context: TraderContext,
        *,
        from_percent: Percent = 6,
        to_percent: Percent = 30,
        size: Shares | None = None,
    ) -> None:
        super().__init__(context)
        if from_percent > to_percent:
            raise InvalidInput("to_percent", to_percent, f"at least from_percent, {from_percent}")
        self._nearest = from_percent / 100
        self._farthest = to_percent / 100
        self._size = size

    def act(self, view: MarketView) -> Iterator[Action]:
        send = self.buy if self.random.random() < 0.5 else self.sell
        quantity = self.draw_quantity(self._size)
        sign = 1 if self.random.random() < 0.5 else -1
        distance = sign * self.random.uniform(self._nearest, self._farthest)
        yield send(quantity, view.true_price * (1 + distance))


@trader_kind("informed")
class Informed(Trader):
    """Sees the true price with noise, takes quotes that are wrong, and quotes where none is.

    At each act it perceives a new value, true price × (1 + noise), and cancels what is left of its
    former order. If the best quote is better than that value by more than the edge, it takes it,
    up to the value. Otherwise it offers to buy or to sell, as chance has it, an edge away from the
    value. While orders are not matched as they come, it takes nothing.

    This is the informed trader of Glosten and Milgrom (1985), whose trades tell the others.

    Parameters
    ----------
    noise_percent : float
        Standard deviation of what it perceives around the true price.
    edge_percent : float
        What it wants to gain, at least.
    size : int, optional
    """

    def __init__(
        self,
        context: TraderContext,
        *,
        noise_percent: Percent = 0.2,
        edge_percent: Percent = 0.1,
        size: Shares | None = None,
    ) -> None:
        super().__init__(context)
        self._noise = noise_percent / 100
        self._edge = edge_percent / 100
        self._size = size

    def act(self, view: MarketView) -> Iterator[Action]:
        # It draws all that it may need, so that the instants of its acts do not depend on the book.
        value = view.true_price * (1 + self.random.gauss(0, self._noise))
        quantity = self.draw_quantity(self._size)
        would_rather_buy = self.random.random() < 0.5
        bid, ask = value * (1 - self._edge), value * (1 + self._edge)

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
class Manipulator(Trader):
    """Waits until the reference is displaced, and trades with whoever quotes around it.

    It knows the true price, and that a lying feed pushes the reference away from it. While the
    reference is too high, it sells to those who bid more than the true price; while it is too low,
    it buys from those who ask less. It never rests an order, and waits
    while orders are not matched as they come. The lie is the work of others: faults of nodes or of
    sources. An old reference looks like a displaced one, so a threshold that is meant for lies
    alone must be larger than what the true price moves in the age of a reference.

    Parameters
    ----------
    threshold_percent : float
        It waits until the reference is farther than this from the true price.
    edge_percent : float
        It trades where it gains more than this.
    size : int, optional
    """

    intent: ClassVar[Intent] = "manipulating"

    def __init__(
        self,
        context: TraderContext,
        *,
        threshold_percent: Percent = 1.0,
        edge_percent: Percent = 0.1,
        size: Shares | None = None,
    ) -> None:
        super().__init__(context)
        self._threshold = threshold_percent / 100
        self._edge = edge_percent / 100
        self._size = size

    def act(self, view: MarketView) -> Iterator[Action]:
        quantity = self.draw_quantity(self._size)
        if view.reference is None or not view.is_continuous:
            return
        true = view.true_price
        pushed_up = view.reference > true * (1 + self._threshold)
        pushed_down = view.reference < true * (1 - self._threshold)
        dear, cheap = true * (1 + self._edge), true * (1 - self._edge)
        if pushed_up and view.best_bid is not None and view.best_bid > dear:
            yield self.sell(quantity, dear, time_in_force="ioc")
        elif pushed_down and view.best_ask is not None and view.best_ask < cheap:
            yield self.buy(quantity, cheap, time_in_force="ioc")


@trader_kind("momentum")
class Momentum(Trader):
    """Buys what has risen and sells what has fallen, with market orders.

    At each act it compares the last price with the one that it saw a number of acts ago. It knows
    neither the true price nor the reference. While orders are not matched as they come, it looks
    on.

    Parameters
    ----------
    lookback : int
        How many of its own acts it looks back.
    threshold_percent : float
        It follows a move that is larger than this.
    size : int, optional
    """

    def __init__(
        self,
        context: TraderContext,
        *,
        lookback: Annotated[int, Whole(1, 100_000)] = 5,
        threshold_percent: Percent = 0.5,
        size: Shares | None = None,
    ) -> None:
        super().__init__(context)
        self._lookback = lookback
        self._seen = deque[float](maxlen=self._lookback + 1)
        self._threshold = threshold_percent / 100
        self._size = size

    def act(self, view: MarketView) -> Iterator[Action]:
        quantity = self.draw_quantity(self._size)
        if view.last_price is None:
            return
        self._seen.append(view.last_price)
        if len(self._seen) <= self._lookback or not view.is_continuous:
            return
        change = view.last_price / self._seen[0] - 1
        if change > self._threshold:
            yield self.buy(quantity)
        elif change < -self._threshold:
            yield self.sell(quantity)
