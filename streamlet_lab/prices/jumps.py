"""A path whose price jumps at given instants, whatever it does by itself."""

import math
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

from streamlet_lab.prices.paths import PricePath


class JumpingPath:
    """Another path, multiplied by a factor from each of some instants of market time on.

    The other path draws what it draws without jumps, and its price before the first one is its own.
    A price that a jump carries beyond the path's bounds is reflected at them in logarithms, as a
    simulated path is: it goes on as far inside of the bound as it would be outside.

    Parameters
    ----------
    jumps : sequence of (int, Fraction)
        Instants of market time, and factors above zero, in the order in which they apply.
    """

    def __init__(self, path: PricePath, jumps: Sequence[tuple[int, Fraction]]) -> None:
        self.symbol, self.base_price = path.symbol, path.base_price
        self.bounds, self.duration = path.bounds, path.duration
        self._path, self._jumps = path, tuple(jumps)
        # Bounds may be finer than a micro-dollar.
        low, high = (bound * 1_000_000 for bound in path.bounds)
        self._lowest, self._highest = math.ceil(low), math.floor(high)

    def price(self, market_time: int) -> int:
        """Return the true price in micro-dollars."""
        price = self._path.price(market_time)
        for at, factor in self._jumps:
            if at <= market_time:
                price = self._reflected(round(price * factor))
        return price

    def volume(self, market_time: int) -> int:
        """Return what the other path says."""
        return self._path.volume(market_time)

    def timestamp(self, market_time: int) -> datetime:
        """Return what the other path says."""
        return self._path.timestamp(market_time)

    def _reflected(self, price: int) -> int:
        if self._lowest <= price <= self._highest:
            return price
        low = math.log(self._lowest)
        width = math.log(self._highest) - low
        position = (math.log(max(price, 1)) - low) % (2 * width)
        folded = round(math.exp(low + min(position, 2 * width - position)))
        return min(max(folded, self._lowest), self._highest)
