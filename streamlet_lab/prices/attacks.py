"""How far colluding sources can move the price of one epoch: a search for their best quotes.

The liars see every honest quote and know the rules. What is searched, in whole cents:

- prices: both ends of what validates, and from the lowest honest quote (when pushing up) to three
  ranges of the honest quotes above the highest: every cent where that is narrow, else a grid that
  is refined in halving steps. There an aggregator that ranks or filters has its kinks.
- volumes: the most and the least that validate; confidences: none, and the price itself.
- not to count at all, by a volume of zero.

From the far end the liars first change what they say together, and then one at a time, until no
single change gains anything; and once more from the far end, one at a time at once. Where a higher
quote never lowers the aggregate, as with all of the lab's own but the MAD filter, and no rule
compares quotes with each other, no price but the far end is of use, and no other is tried.
Elsewhere the search finds what some liars can do; it is no proof that others cannot do better.
"""

from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from functools import cache
from itertools import product
from typing import Final, Literal, NamedTuple, get_args

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices.aggregation import (
    mean,
    median,
    pyth,
    trimmed_mean,
    volume_weighted_median,
    vwap,
)
from streamlet_lab.prices.quotes import ORIGIN, StockPrice, unchecked_quote
from streamlet_lab.prices.rounds import PriceRound, valid_quotes
from streamlet_lab.units import from_ticks, to_micros, to_name

Direction = Literal["up", "down"]

#: Aggregators that a higher quote never lowers.
MONOTONE: Final = frozenset({mean, median, pyth, trimmed_mean, volume_weighted_median, vwap})

# Prices on the grid; where the honest quotes are close together it has every cent.
_GRID: Final = 64
# A filter keeps no quote farther out than this many ranges of the honest ones.
_REACH: Final = 3

_NONE: Final = Decimal(0)
_NO_PRICE: Final = Decimal("-Infinity")


def most_extreme(
    honest: Sequence[StockPrice], liars: Sequence[str], known: PriceRound, direction: Direction
) -> tuple[StockPrice, ...]:
    """Return the liars' quotes that move the aggregate of the valid quotes furthest.

    Parameters
    ----------
    honest : sequence of StockPrice
        What the other sources quote in this epoch.
    liars : sequence of str
        Names of the sources that lie, together.
    known : PriceRound
        What the quotes are measured by. Its aggregator must treat all sources alike.

    Returns
    -------
    tuple of StockPrice
        One for each liar, in their order. Where no price comes about whatever they say, each quotes
        the far end of what validates; where nothing validates, the most extreme honest price.

    Raises
    ------
    InvalidInput
        If a liar is one of the honest sources or named twice, or the direction is unknown.

    Examples
    --------
    >>> from streamlet_lab.prices import PreviousConsensus, PriceValidation

    The liar of three may quote 10 % more than before, so the average moves by a third of that:

    >>> honest = [StockPrice.create("AAPL", 150, 500, name) for name in ("one", "two")]
    >>> known = PriceRound(PriceValidation(), "AAPL", 7, PreviousConsensus(Decimal(150), 6))
    >>> [lie] = most_extreme(honest, ["liar"], known, "up")
    >>> lie.price, mean([*honest, lie])
    (Decimal('165.00'), Decimal('155.00'))
    """
    to_name(direction, get_args(Direction), "direction")
    if len({*liars} - {quote.source for quote in honest}) < len(liars):
        raise InvalidInput("liars", [*liars], "other sources than the honest ones, each once")
    if not liars:
        return ()
    attack = _Attack(tuple(honest), tuple(liars), known, direction == "up")
    return attack.quotes(attack.search())


def last_valid(valid: int, outside: int, counts: Callable[[int], bool]) -> int:
    """Return the last price that counts, in cents, from one that does towards another."""
    if counts(outside):
        return outside
    prices = range(valid, outside, 1 if valid < outside else -1)
    return prices[bisect(prices, False, key=lambda cents: not counts(cents)) - 1]


class _Lie(NamedTuple):
    """What a liar says: cents, shares, and whether its confidence is as large as the price."""

    cents: int
    volume: Decimal
    unsure: bool


_Lies = tuple[_Lie, ...]
_Alternatives = Callable[[_Lie], Iterator[_Lie]]


class _Attack:
    """What the liars know, what their lies gain, and the search for the best."""

    def __init__(
        self, honest: tuple[StockPrice, ...], liars: tuple[str, ...], known: PriceRound, up: bool
    ) -> None:
        self._honest = honest
        self._liars = liars
        self._known = known
        self._up = up
        # Some rules compare quotes with each other; without them one check of each will do.
        self._compared = known.outlier is not None or known.rules.is_reanchoring(known.previous)
        self._needed = known.rules.sources_needed(known.previous)
        self._valid_honest = valid_quotes(known.check(honest))
        self._honest_cents = [_floor_cents(quote.price) for quote in honest]
        self._remembered_gain = cache(self._gain_of)

    def quotes(self, lies: Iterable[_Lie]) -> tuple[StockPrice, ...]:
        """Return what the liars quote."""
        return tuple(map(self._quote, self._liars, lies))

    def search(self) -> _Lies:
        """Climb from where all liars quote the far end."""
        rules, previous, crowd = self._known.rules, self._known.previous, len(self._liars)
        low, high = rules.limits(previous)
        outside, opposite = (high, low) if self._up else (low, high)
        before = () if previous is None else (_floor_cents(previous.price),)
        tried = (*before, *self._honest_cents, outside, opposite)
        inside = next(filter(self._counts, tried), None)
        if inside is None:
            honest = self._honest_cents or [_floor_cents(rules.min_price)]
            extreme = max(honest) if self._up else min(honest)
            return (_Lie(extreme, rules.min_volume, unsure=False),) * crowd
        far, near = (last_valid(inside, end, self._counts) for end in (outside, opposite))
        prices, step = [far], 1
        if self._compared or self._known.aggregator not in MONOTONE:
            grid, step = self._grid(near, far)
            prices = [far, near, *grid]

        weights = [*product((rules.max_volume, rules.min_volume), (False, True)), (_NONE, False)]
        styles = [_Lie(far, *weight) for weight in weights]
        styles = [lie for lie in styles if not lie.volume or self._validates(lie)]

        def anything(lie: _Lie) -> Iterator[_Lie]:
            yield from (lie._replace(cents=cents) for cents in prices)
            yield from (style._replace(cents=lie.cents) for style in styles)

        def a_step_away(lie: _Lie) -> Iterator[_Lie]:
            for cents in (lie.cents - step, lie.cents + step):
                if min(near, far) <= cents <= max(near, far):
                    yield lie._replace(cents=cents)

        outermost = (styles[0],) * crowd
        alike = self._change_together(outermost, anything)
        best = max(
            (self._take_turns(lies, anything) for lies in (alike, outermost)), key=self._gain
        )
        while step > 1:
            step = (step + 1) // 2
            if len({*best}) == 1:
                best = self._change_together(best, a_step_away)
            best = self._take_turns(best, a_step_away)
        return best

    def _change_together(self, lies: _Lies, alternatives: _Alternatives) -> _Lies:
        """Take the best change of all liars, who say the same, until none gains anything."""
        while True:
            changed = [(lie,) * len(lies) for lie in alternatives(lies[0])]
            best = max([lies, *changed], key=self._gain)
            if best == lies:
                return lies
            lies = best

    def _take_turns(self, lies: _Lies, alternatives: _Alternatives) -> _Lies:
        """Take the best change of each liar in turn, until a whole round gains nothing."""
        while True:
            at_first = lies
            for place, own in enumerate(lies):
                before, after = lies[:place], lies[place + 1 :]
                changed = [(*before, lie, *after) for lie in alternatives(own)]
                lies = max([lies, *changed], key=self._gain)
            if lies == at_first:
                return lies

    def _gain(self, lies: _Lies) -> Decimal:
        """How far up or down the price comes, before it is rounded; −∞ without a price."""
        return self._remembered_gain(tuple(sorted(lies)))  # who says what does not matter

    def _gain_of(self, lies: _Lies) -> Decimal:
        said = [
            self._quote(name, lie)
            for name, lie in zip(self._liars, lies, strict=True)
            if lie.volume
        ]
        # What a liar says alone is known to be valid.
        quotes = (*self._valid_honest, *said)
        if self._compared:
            quotes = valid_quotes(self._known.check([*self._honest, *said]))
        if len(quotes) < self._needed:
            return _NO_PRICE
        price = self._known.aggregator.function(quotes)
        return price if self._up else price.copy_negate()

    def _validates(self, lie: _Lie) -> bool:
        """Whether it counts if all liars say it, or only one does."""
        said = self.quotes([lie] * len(self._liars))
        crowds = (said, said[:1]) if self._compared else (said[:1],)
        return any(self._known.check([*self._honest, *some])[-1].valid for some in crowds)

    def _counts(self, cents: int) -> bool:
        return self._validates(_Lie(cents, self._known.rules.min_volume, unsure=False))

    def _quote(self, source: str, lie: _Lie) -> StockPrice:
        price = from_ticks(lie.cents)
        confidence = price if lie.unsure else _NONE
        timestamp = self._known.timestamp or ORIGIN
        return unchecked_quote(self._known.symbol, price, lie.volume, source, timestamp, confidence)

    def _grid(self, near: int, far: int) -> tuple[range, int]:
        """Prices between two ends around the honest quotes, and how many cents they lie apart."""
        if not self._honest:
            return range(0), 1
        lowest, highest = min(self._honest_cents), max(self._honest_cents)
        reach = _REACH * (highest - lowest) + 1
        first, last = (lowest, highest + reach) if self._up else (lowest - reach, highest + 1)
        first, last = max(first, min(near, far)), min(last, max(near, far))
        step = max(-(-(last - first) // _GRID), 1)
        return range(first, last + 1, step), step


def _floor_cents(price: Decimal) -> int:
    return to_micros(price) // 10_000
