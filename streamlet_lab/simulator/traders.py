"""A simple stream of traders around the underlying path."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from streamlet_lab.config import MarketConfig
from streamlet_lab.matching import Order, OrderType, Side
from streamlet_lab.streams import stream
from streamlet_lab.units import from_ticks

#: What a trader meant: an honest price around the true one, or one that is far away.
Intent = Literal["honest", "far"]

_LOT = 10
_LARGEST_LOTS = 20
_FAR_FROM, _FAR_TO = 0.06, 0.30


class Submission(NamedTuple):
    """An order on its way to the market, and what its trader knew and meant."""

    order: Order
    intent: Intent
    true_price: int  # micro-dollars


class Trader:
    """Sends limit and market orders at the instants of a Poisson process.

    Honest limit prices are normal around the true price at that instant, on either side; a few
    orders are far away, as a typing error or an attempt at manipulation would be.

    Parameters
    ----------
    name : str
    symbols : sequence of str
        What it trades: one as often as another.
    config : MarketConfig
    seed : int
    epoch_length : int
        Microseconds of protocol time.
    """

    def __init__(
        self, name: str, symbols: Sequence[str], config: MarketConfig, seed: int, epoch_length: int
    ) -> None:
        self.name = name
        self._symbols = tuple(symbols)
        self._config = config
        self._stream = stream(seed, f"trader/{name}")
        self._mean_wait = epoch_length * config.traders / config.orders_per_epoch
        self._orders = 0

    def wait(self) -> int:
        """Draw the time until the next order, in microseconds, at least 1."""
        return max(round(self._stream.expovariate(1) * self._mean_wait), 1)

    def next_symbol(self) -> str:
        """Draw what the next order is for."""
        # With one symbol there is nothing to draw.
        return self._symbols[0] if len(self._symbols) == 1 else self._stream.choice(self._symbols)

    def next_submission(self, symbol: str, true_price: int) -> Submission:
        """Make the next order, given the symbol's true price in micro-dollars."""
        draw, config = self._stream, self._config
        order_id = f"{self.name}/{self._orders}"
        self._orders += 1
        side = Side.BUY if draw.random() < 0.5 else Side.SELL
        quantity = _LOT * draw.randint(1, _LARGEST_LOTS)
        if draw.random() < config.far_share:
            sign = 1 if draw.random() < 0.5 else -1
            distance = sign * draw.uniform(_FAR_FROM, _FAR_TO)
            return self._limit(order_id, symbol, side, quantity, true_price, distance, "far")
        if draw.random() < config.market_order_share:
            order = Order(order_id, symbol, side, OrderType.MARKET, quantity, None, self.name)
            return Submission(order, "honest", true_price)
        distance = draw.gauss(0, config.price_spread_percent / 100)
        return self._limit(order_id, symbol, side, quantity, true_price, distance, "honest")

    def _limit(
        self,
        order_id: str,
        symbol: str,
        side: Side,
        quantity: int,
        true_price: int,
        distance: float,
        intent: Intent,
    ) -> Submission:
        cents = max(round(true_price * (1 + distance) / 10_000), 1)
        price = from_ticks(cents)
        order = Order(order_id, symbol, side, OrderType.LIMIT, quantity, price, self.name)
        return Submission(order, intent, true_price)
