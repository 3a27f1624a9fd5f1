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

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import product
from typing import Final, Literal, NamedTuple, get_args

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices.aggregation import (
    mean,
    median,
    price_range,
    pyth,
    trimmed_mean,
    volume_weighted_median,
    vwap,
)
from streamlet_lab.prices.quotes import ORIGIN, StockPrice
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
    direction : {"up", "down"}

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
    return attack.quotes(_search(attack))


class _Lie(NamedTuple):
    """What a liar says: cents, shares, and whether its confidence is as large as the price."""

    cents: int
    volume: Decimal
    unsure: bool


_Lies = tuple[_Lie, ...]
_Alternatives = Callable[[_Lie], Iterator[_Lie]]


class _Attack:
    """What the liars know, and what their lies gain."""

    def __init__(
        self, honest: tuple[StockPrice, ...], liars: tuple[str, ...], known: PriceRound, up: bool
    ) -> None:
        self.honest = honest
        self.liars = liars
        self.known = known
        self.up = up
        # Some rules compare quotes with each other; without them one check of each will do.
        self.compared = known.outlier is not None or known.rules.is_reanchoring(known.previous)
        self._needed = known.rules.sources_needed(known.previous)
        self._valid_honest = valid_quotes(known.check(honest))
        self._gains: dict[_Lies, Decimal] = {}

    def quotes(self, lies: Iterable[_Lie]) -> tuple[StockPrice, ...]:
        return tuple(map(self._quote, self.liars, lies))

    def validates(self, lie: _Lie) -> bool:
        """Whether it counts if all liars say it, or only one does."""
        if not self.compared:
            return self.known.check([self._quote(self.liars[0], lie)])[0].valid
        said = self.quotes([lie] * len(self.liars))
        return any(self.known.check([*self.honest, *some])[-1].valid for some in (said, said[:1]))

    def counts(self, cents: int) -> bool:
        """Whether a price counts."""
        return self.validates(_Lie(cents, self.known.rules.min_volume, unsure=False))

    def gain(self, lies: _Lies) -> Decimal:
        """How far up or down the price comes, before it is rounded; −∞ without a price.

        Where quotes are checked one by one, these are known to be valid.
        """
        who_does_not_matter = tuple(sorted(lies))
        if who_does_not_matter not in self._gains:
            self._gains[who_does_not_matter] = self._gain(lies)
        return self._gains[who_does_not_matter]

    def _gain(self, lies: _Lies) -> Decimal:
        said = [self._quote(*each) for each in zip(self.liars, lies, strict=True) if each[1].volume]
        quotes = (*self._valid_honest, *said)
        if self.compared:
            quotes = valid_quotes(self.known.check([*self.honest, *said]))
        if len(quotes) < self._needed:
            return _NO_PRICE
        price = self.known.aggregator.function(quotes)
        return price if self.up else price.copy_negate()

    def _quote(self, source: str, lie: _Lie) -> StockPrice:
        price = from_ticks(lie.cents)
        confidence = price if lie.unsure else _NONE
        timestamp = self.known.timestamp or ORIGIN
        return StockPrice(self.known.symbol, price, lie.volume, source, timestamp, confidence)


def _search(attack: _Attack) -> _Lies:
    """Climb from where all liars quote the far end."""
    rules, crowd = attack.known.rules, len(attack.liars)
    low, high = rules.limits(attack.known.previous)
    outside, opposite = (high, low) if attack.up else (low, high)
    inside = _some_valid_price(attack, outside, opposite)
    if inside is None:
        return (_Lie(_most_extreme_honest(attack), rules.min_volume, unsure=False),) * crowd
    far = near = _last_valid(attack, inside, outside)
    prices, step = [far], 1
    if attack.compared or attack.known.aggregator not in MONOTONE:
        near = _last_valid(attack, inside, opposite)
        grid, step = _grid(attack, near, far)
        prices = [far, near, *grid]

    weights = [*product((rules.max_volume, rules.min_volume), (False, True)), (_NONE, False)]
    styles = [_Lie(far, *weight) for weight in weights]
    styles = [lie for lie in styles if not lie.volume or attack.validates(lie)]

    def anything(lie: _Lie) -> Iterator[_Lie]:
        yield from (lie._replace(cents=cents) for cents in prices)
        yield from (style._replace(cents=lie.cents) for style in styles)

    def a_step_away(lie: _Lie) -> Iterator[_Lie]:
        for cents in (lie.cents - step, lie.cents + step):
            if min(near, far) <= cents <= max(near, far):
                yield lie._replace(cents=cents)

    outermost = (styles[0],) * crowd
    alike = _change_together(attack, outermost, anything)
    climbed = (_take_turns(attack, lies, anything) for lies in (alike, outermost))
    best = max(climbed, key=attack.gain)
    while step > 1:
        step = (step + 1) // 2
        if len({*best}) == 1:
            best = _change_together(attack, best, a_step_away)
        best = _take_turns(attack, best, a_step_away)
    return best


def _change_together(attack: _Attack, lies: _Lies, alternatives: _Alternatives) -> _Lies:
    """Take the best change of all liars, who say the same, until none gains anything."""
    while True:
        changed = ((lie,) * len(lies) for lie in alternatives(lies[0]))
        best = max(changed, key=attack.gain, default=lies)
        if attack.gain(best) <= attack.gain(lies):
            return lies
        lies = best


def _take_turns(attack: _Attack, lies: _Lies, alternatives: _Alternatives) -> _Lies:
    """Take the best change of each liar in turn, until a whole round gains nothing."""
    place = content = 0
    while content < len(lies):
        before, after = lies[:place], lies[place + 1 :]
        changed = ((*before, lie, *after) for lie in alternatives(lies[place]))
        best = max(changed, key=attack.gain, default=lies)
        content += 1
        if attack.gain(best) > attack.gain(lies):
            lies, content = best, 1
        place = (place + 1) % len(lies)
    return lies


def _grid(attack: _Attack, near: int, far: int) -> tuple[range, int]:
    """Prices between two ends around the honest quotes, and how many cents they lie apart."""
    if not attack.honest:
        return range(0), 1
    lowest, highest = map(_floor_cents, price_range(attack.honest))
    reach = _REACH * (highest - lowest) + 1
    first, last = (lowest, highest + reach) if attack.up else (lowest - reach, highest + 1)
    first, last = max(first, min(near, far)), min(last, max(near, far))
    step = max(-(-(last - first) // _GRID), 1)
    return range(first, last + 1, step), step


def _some_valid_price(attack: _Attack, *ends: int) -> int | None:
    """Return a price, in cents, at which the liars' quotes count; None without any."""
    known = [_floor_cents(quote.price) for quote in attack.honest]
    if attack.known.previous is not None:
        known.insert(0, _floor_cents(attack.known.previous.price))
    return next(filter(attack.counts, (*known, *ends)), None)


def _last_valid(attack: _Attack, valid: int, outside: int) -> int:
    """Search for the last valid price, from one that is towards one that may not be."""
    if attack.counts(outside):
        return outside
    while abs(outside - valid) > 1:
        cents = (valid + outside) // 2
        if attack.counts(cents):
            valid = cents
        else:
            outside = cents
    return valid


def _most_extreme_honest(attack: _Attack) -> int:
    if not attack.honest:
        return _floor_cents(attack.known.rules.min_price)
    return _floor_cents(price_range(attack.honest)[attack.up])


def _floor_cents(price: Decimal) -> int:
    return to_micros(price) // 10_000
