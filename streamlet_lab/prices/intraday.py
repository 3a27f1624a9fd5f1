"""How a simulated price gets from a day's open to its close.

A session is a tree of cells. The whole of it is cut into cells of 39 minutes, these into cells of
19.5 minutes, then of 90, 30, 6 seconds and 1 second, and by tens down to a millisecond. A cell is
cut only where somebody looks into it, always in the same way: its Gaussians and its clock come from
streams that belong to its place in time. So whoever looks at the price in larger steps sees some of
the prices that others see in smaller ones.

Within a cell the price is a Brownian bridge from its beginning to its end, in the time of a clock
that runs the faster the more happens (Clark 1973). The clock is a multiplicative cascade
(Mandelbrot, Fisher and Calvet 1997, "A multifractal model of asset returns"): of the variance of
a cell its k parts take shares with a symmetric Dirichlet law, whose concentration
a = (k − k^h) / (k (k^h − 1)) makes the mean of their squares k^h / k². A cell of the share τ of the
session therefore has a share s of the variance with E[s] = τ and E[s²] = τ^(2 − h). Given the day's
variance, where its return is normal, the kurtosis of the price's move in the cell is

    3 E[s²] / E[s]² = 3 τ^(−h),

that of the normal law for the whole session and the larger the shorter the time. Of moves across
several cells it is somewhat lower than of those in one cell of their length. ``intraday`` is h:
with 0 the clock is the one on the wall, and the price a Brownian bridge.
"""

import itertools
import math
import random
from typing import Final, TypeAlias

from streamlet_lab.prices.correlation import PathStreams

#: Into how many parts the session is cut, each of them again, and so on.
PARTS: Final = (10, 2, 13, 3, 5, 6, 10, 10, 10)

#: The smallest cells, in microseconds: a usual move in one of them is below a tenth of a cent.
SMALLEST: Final = 1_000

_WHOLE: Final = math.prod(PARTS) * SMALLEST  # of a trading day, 6.5 hours

#: With this h the default model's moves in five minutes have the excess kurtosis of those of S&P
#: 500 index futures, 15.95 (Cont 2001, "Empirical properties of asset returns", Quantitative
#: Finance 1, 223–236). ``tools/fit_path_model.py`` is the fit.
TYPICAL_INTRADAY: Final = 0.34


#: Level, start, width, the logarithm of the price at the start and at the end, and the variance.
#: Not a class: a dozen are made in an epoch.
_Cell: TypeAlias = tuple[int, int, int, float, float, float]


class Session:
    """The logarithm of the price from one day's open to its close, without jumps.

    The market time ``start`` is the open; ``variance`` is that of the Brownian motion between
    ``opening`` and ``closing``, and ``intraday`` is h above, from 0 to less than 1.
    """

    def __init__(
        self,
        streams: PathStreams,
        start: int,
        opening: float,
        closing: float,
        variance: float,
        intraday: float,
    ) -> None:
        self._streams = streams
        self._intraday = intraday
        # Those that are not over yet, the earliest on top.
        self._cells = [(0, start, _WHOLE, opening, closing, variance)]

    def at(self, time: int) -> float:
        """Return the logarithm of the price before the close; times must not go backwards."""
        cells = self._cells
        while True:
            _, start, width, first, _, _ = cells[-1]
            if time < start + SMALLEST:
                return first
            cell = cells.pop()
            if time < start + width:
                cells.extend(reversed(self._cut(cell)))

    def _cut(self, cell: _Cell) -> list[_Cell]:
        """Return a cell's parts in their order."""
        level, start, width, first, last, variance = cell
        parts = PARTS[level]
        width //= parts
        gaussians, stream = self._streams.stretch(start, width, parts - 1)
        cut = []
        for gaussian, share in zip(gaussians, self._shares(parts, stream), strict=True):
            there = first + share * (last - first)
            there += math.sqrt(variance * share * (1 - share)) * gaussian
            cut.append((level + 1, start, width, first, there, variance * share))
            start, first, variance = start + width, there, variance * (1 - share)
        cut.append((level + 1, start, width, first, last, variance))
        return cut

    def _shares(self, parts: int, stream: random.Random) -> list[float]:
        """Return which share each part but the last has of the variance that is left for it."""
        grown = parts**self._intraday
        if grown == 1:  # for an exponent of 0, and for one that is lost beside 1
            return [1 / left for left in range(parts, 1, -1)]
        concentration = (parts - grown) / (parts * (grown - 1))
        weights = [stream.gammavariate(concentration, 1.0) for _ in range(parts)]
        left = [*itertools.accumulate(reversed(weights))][:0:-1]
        # With a small concentration all that is left may be too small for a float.
        return [weight / rest if rest else 0.0 for weight, rest in zip(weights, left, strict=False)]
