"""Rules that leave out a quote which history makes implausible, each under a name.

The lab's own is ``tail``. With c the previous consensus, t the market time since then in trading
days, and m the median of all otherwise valid quotes, a price p is an outlier if

- three sources or more quote, and |p − m| > g · m, or
- there is a previous consensus, and |p − c| > (g + d · √t) · c.

g is how far honest venues disagree, d the move that one trading day in a thousand exceeds. The
default d is taken from the tail of AAPL's daily moves 2003–2013 by extreme value theory
(:func:`tail_level`); g is 10 bp, for the venues of IBM, which disagree by 1 bp in the median and
by 3.3 bp at 95 %: a law of exponential tail with that median has 4.3 bp at 95 %, and leaves 10 bp
once in 1,024 quotes.

The square root is that of a price without jumps. At epochs shorter than a day it makes the second
part much sharper than a fixed 10 % (0.8 % at a minute); the cost is that after a jump the chain
waits without a price until √t has caught up, unless the rules re-anchor it first. What the rule is
worth is measured by ``tools/fit_outlier_rule.py``, and told in ``docs/explain/prices.md``.

What it cannot see: a lie below g, and what a majority agrees on as long as g + d · √t covers it.
Then it is the honest minority that is far from the median, and left out. One of two sources cannot
be told from the other either.
"""

import math
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Final, Self

from streamlet_lab.errors import InvalidInput
from streamlet_lab.kinds import Kinds
from streamlet_lab.prices.paths import TRADING_DAY
from streamlet_lab.prices.quotes import StockPrice
from streamlet_lab.prices.rounds import OutlierRule, Quotes
from streamlet_lab.prices.validation import PreviousConsensus, twice_median_micros
from streamlet_lab.units import is_within, to_decimal, to_hundredths, to_micros, to_number
from streamlet_lab.values import Whole, check_ranges

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import ArrayLike, NDArray

#: The largest of all sizes that :func:`tail_level` takes for the tail.
TAIL_SHARE: Final = 0.05

#: Return period of the lab's own rule, in trading days.
ONCE_IN: Final = 1_000

# Two parameters are fitted to the tail; with fewer points their errors are as large as they are.
_FEWEST_IN_TAIL: Final = 30

_RULES = Kinds[OutlierRule](
    "outlier_rule", "rule", field="outlier_rule", besides="a function of your own"
)
outlier_rule, outlier_rules = _RULES.doors(
    "a function ``rule(quote, quotes, previous, epoch)`` that says which quotes are\nleft out"
)


def find_outlier_rule(
    rule: str | OutlierRule, market_time_per_epoch: int = TRADING_DAY
) -> OutlierRule:
    """Return the rule of a name, or a function itself; a `TailRule` for epochs so long (in µs)."""
    if not callable(rule):
        rule = _RULES[rule]
    if isinstance(rule, TailRule):
        return replace(rule, market_time_per_epoch=market_time_per_epoch)
    return rule


def tail_level(sizes: "ArrayLike", once_in: float = ONCE_IN) -> Decimal:
    """Return the size that one in so many exceeds, by the method of peaks over threshold.

    The excesses over the 95 % quantile are taken to follow the generalized Pareto law, as those
    over a high threshold do in the limit (Balkema and de Haan 1974, Pickands 1975), which is fitted
    by maximum likelihood. Its quantile, unlike an empirical one, reaches beyond the largest size.

    Parameters
    ----------
    sizes : array of float
        Without sign, in percent: daily moves, or how far venues are apart.
    once_in : float
        At least 20, so that the level lies in the tail.

    Raises
    ------
    InvalidInput
        If the sizes are not all finite and at least 0, or fewer than 30 lie in the tail, which
        takes about 600.
    """
    # Takes longer to import than the rest of the room together.
    import numpy as np
    from scipy.stats import genpareto

    sample = _series(sizes, "sizes")
    if (sample < 0).any():
        raise InvalidInput("sizes", float(sample.min()), "sizes without sign, all at least 0")
    once_in = to_number(once_in, 1 / TAIL_SHARE, math.inf, "once_in")
    threshold = np.quantile(sample, 1 - TAIL_SHARE) if sample.size else 0.0
    excesses = sample[sample > threshold] - threshold
    if len(excesses) < _FEWEST_IN_TAIL:
        expected = f"at least {_FEWEST_IN_TAIL} beyond the {1 - TAIL_SHARE:.0%} quantile"
        raise InvalidInput("sizes", f"{len(sample)} sizes, {len(excesses)} in the tail", expected)
    shape, _, scale = genpareto.fit(excesses, floc=0)
    beyond = len(sample) / (len(excesses) * once_in)
    level = threshold + genpareto.isf(min(beyond, 1.0), shape, scale=scale)
    return to_decimal(round(float(level), 2), "level")


@dataclass(frozen=True, slots=True)
class TailRule:
    """Leaves out what is far from the other quotes, or further than √t days move the price.

    This is the lab's own rule; the module has the formulas. It is decided in integers, exactly.

    It knows neither nights nor that minutes have fatter tails than days: of the default path's
    minutes it takes 2 to 4 in a thousand for outliers, opens among them.

    Parameters
    ----------
    daily_move_percent : Decimal
        Largest plausible move of a trading day, in percent; in hundredths. By default what AAPL
        2003–2013 exceeds on one day in a thousand.
    disagreement_percent : Decimal
        Largest plausible distance of a source from the median of all, in percent; in hundredths.
    market_time_per_epoch : int
        Microseconds.

    Examples
    --------
    One of three sources lies by 1 %, which no rule on single quotes would see:

    >>> quotes = [StockPrice.create("AAPL", price, 500, "") for price in (150, 150.02, 151.5)]
    >>> [tail(quote, quotes, None, 0) for quote in quotes]
    [False, False, True]
    """

    daily_move_percent: Decimal = Decimal("13.66")
    disagreement_percent: Decimal = Decimal("0.10")
    market_time_per_epoch: Annotated[int, Whole(1)] = TRADING_DAY
    _move: int = field(init=False, repr=False, compare=False)  # hundredths of a percent
    _disagreement: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_ranges(self)
        move = to_hundredths(self.daily_move_percent, "daily_move_percent")
        object.__setattr__(self, "_move", move)
        disagreement = to_hundredths(self.disagreement_percent, "disagreement_percent")
        object.__setattr__(self, "_disagreement", disagreement)

    @classmethod
    def fit(cls, returns: "ArrayLike") -> Self:
        """Make the rule of a share from its history, for epochs of a trading day.

        The returns are simple daily ones in percent, up and down, without splits; 600 or more.
        """
        return cls(tail_level(abs(_series(returns, "returns"))))

    def __call__(
        self, quote: StockPrice, quotes: Quotes, previous: PreviousConsensus | None, epoch: int, /
    ) -> bool:
        return self._is_far_from_others(quote, quotes) or (
            previous is not None and self._is_sudden(quote, previous, epoch)
        )

    def _is_far_from_others(self, quote: StockPrice, quotes: Quotes) -> bool:
        # Of two that disagree nobody can say which one is wrong.
        if len(quotes) < 3:
            return False
        twice_price = 2 * to_micros(quote.price)
        return not is_within(twice_price, twice_median_micros(quotes), self._disagreement)

    def _is_sudden(self, quote: StockPrice, previous: PreviousConsensus, epoch: int) -> bool:
        reference = to_micros(previous.price)
        elapsed = (epoch - previous.epoch) * self.market_time_per_epoch
        distance = 10_000 * abs(to_micros(quote.price) - reference)
        excess = distance - self._disagreement * reference
        # Squares on both sides instead of a root, which would have to be rounded: at short epochs
        # the allowed move is far below a hundredth of a percent.
        return excess > 0 and excess**2 * TRADING_DAY > (self._move * reference) ** 2 * elapsed


def _series(values: "ArrayLike", name: str) -> "NDArray[float64]":
    import numpy as np

    try:
        series = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(name, values, "a series of numbers") from error
    if series.ndim != 1:
        raise InvalidInput(name, f"{series.ndim} dimensions", "a series of numbers, one dimension")
    if not np.isfinite(series).all():
        strange = float(series[~np.isfinite(series)][0])
        raise InvalidInput(name, strange, "finite numbers only")
    return series


#: The default rule, for epochs of a trading day.
tail: Final = outlier_rule("tail")(TailRule())

_RULES.close()
