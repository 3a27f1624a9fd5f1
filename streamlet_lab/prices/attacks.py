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
from datetime import datetime
from decimal import Decimal
from functools import partial
from itertools import chain, product
from typing import Final, Literal, NamedTuple

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices.aggregators import (
    Aggregator,
    mean,
    median,
    price_range,
    pyth,
    trimmed_mean,
    volume_weighted_median,
    vwap,
)
from streamlet_lab.prices.quotes import StockPrice
from streamlet_lab.prices.validation import (
    OutlierRule,
    PreviousConsensus,
    PriceValidation,
    check_quotes,
)
from streamlet_lab.units import from_ticks, to_hundredths, to_micros

Direction = Literal["up", "down"]

#: Aggregators that a higher quote never lowers.
MONOTONE: Final = frozenset({mean, median, pyth, trimmed_mean, volume_weighted_median, vwap})

# Prices on the grid; where the honest quotes are close together it has every cent.
_GRID: Final = 64
# A filter keeps no quote farther out than this many ranges of the honest ones.
_REACH: Final = 3

_MICROS_PER_CENT: Final = 10_000
_NONE: Final = Decimal(0)
_NO_PRICE: Final = Decimal("-Infinity")


def most_extreme(
    honest: Sequence[StockPrice],
    liars: Sequence[str],
    rules: PriceValidation,
    symbol: str,
    epoch: int,
    previous: PreviousConsensus | None,
    aggregator: Aggregator,
    direction: Direction,
    timestamp: datetime,
    outlier: OutlierRule | None = None,
) -> tuple[StockPrice, ...]:
    """Return the liars' quotes that move the aggregate of the valid quotes furthest.

    Parameters
    ----------
    honest : sequence of StockPrice
        What the other sources quote in this epoch.
    liars : sequence of str
        Names of the sources that lie, together.
    rules, symbol, epoch, previous, outlier
        As :func:`~streamlet_lab.prices.validation.check_quotes` takes them.
    aggregator : Aggregator
        What makes one price of the valid quotes. It must treat all sources alike.
    direction : {"up", "down"}
    timestamp : datetime
        Of the liars' quotes.

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
    >>> honest = [StockPrice.create("AAPL", 150, 500, name) for name in ("one", "two")]
    >>> rules, before = PriceValidation(), PreviousConsensus(Decimal(150), epoch=6)
    >>> [lie] = most_extreme(
    ...     honest, ["liar"], rules, "AAPL", 7, before, mean, "up", honest[0].timestamp
    ... )
    >>> lie.price, mean([*honest, lie])
    (Decimal('165.00'), Decimal('155.00'))
    """
    if direction not in ("up", "down"):
        raise InvalidInput("direction", direction, "'up' or 'down'")
    if len({*liars} - {quote.source for quote in honest}) < len(liars):
        raise InvalidInput("liars", [*liars], "other sources than the honest ones, each once")

    attack = _Attack(
        tuple(honest),
        tuple(liars),
        rules,
        symbol,
        epoch,
        previous,
        aggregator,
        direction == "up",
        timestamp,
        outlier,
    )
    return attack.quotes(_search(attack)) if liars else ()


class _Lie(NamedTuple):
    """What a liar says. Without volume it does not count."""

    cents: int
    volume: Decimal
    unsure: bool  # how far the price may be off: by as much as itself, or not at all


_Lies = tuple[_Lie, ...]
_Alternatives = Callable[[_Lie], Iterable[_Lie]]


class _Attack:
    """What the liars know, and what their lies gain."""

    def __init__(
        self,
        honest: tuple[StockPrice, ...],
        liars: tuple[str, ...],
        rules: PriceValidation,
        symbol: str,
        epoch: int,
        previous: PreviousConsensus | None,
        aggregator: Aggregator,
        up: bool,
        timestamp: datetime,
        outlier: OutlierRule | None,
    ) -> None:
        self.honest = honest
        self.liars = liars
        self.rules = rules
        self.previous = previous
        self.aggregator = aggregator
        self.up = up
        self._symbol = symbol
        self._timestamp = timestamp
        self._check = partial(
            check_quotes,
            rules=rules,
            symbol=symbol,
            epoch=epoch,
            previous=previous,
            timestamp=timestamp,
            outlier=outlier,
        )
        self._needed = rules.sources_needed(previous)
        # Some rules compare quotes with each other; without them one check of each will do.
        self.compared = outlier is not None or rules.is_reanchoring(previous)
        self._valid_honest = self._valid(honest)
        self._gains: dict[_Lies, Decimal] = {}

    def quotes(self, lies: Iterable[_Lie]) -> tuple[StockPrice, ...]:
        return tuple(map(self._quote, self.liars, lies))

    def validates(self, lie: _Lie) -> bool:
        """Whether it counts if all liars say it, or only one does."""
        if not self.compared:
            return bool(self._valid([self._quote(self.liars[0], lie)]))
        said = self.quotes([lie] * len(self.liars))
        return any(self._check([*self.honest, *some])[-1].valid for some in (said, said[:1]))

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
        quotes = self._valid_honest + said
        if self.compared:
            quotes = self._valid([*self.honest, *said])
        if len(quotes) < self._needed:
            return _NO_PRICE
        price = self.aggregator.function(quotes)
        return price if self.up else price.copy_negate()

    def _quote(self, source: str, lie: _Lie) -> StockPrice:
        price = from_ticks(lie.cents)
        confidence = price if lie.unsure else _NONE
        return StockPrice(self._symbol, price, lie.volume, source, self._timestamp, confidence)

    def _valid(self, quotes: Sequence[StockPrice]) -> list[StockPrice]:
        return [check.quote for check in self._check(quotes) if check.valid]


def _search(attack: _Attack) -> _Lies:
    """Climb from where all liars quote the far end."""
    rules, crowd = attack.rules, len(attack.liars)
    lowest, highest = -_floor_cents(-rules.min_price), _floor_cents(rules.max_price)
    outside, opposite = (highest, lowest) if attack.up else (lowest, highest)
    inside = _some_valid_price(attack, lowest, highest)
    if inside is None:
        return (_Lie(_most_extreme_honest(attack), rules.min_volume, unsure=False),) * crowd
    far = near = _last_valid(attack, inside, outside)
    prices, step = [far], 1
    if attack.compared or attack.aggregator not in MONOTONE:
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


def _some_valid_price(attack: _Attack, lowest: int, highest: int) -> int | None:
    """Return a price, in cents, at which the liars' quotes count; None without any."""
    known = [quote.price for quote in attack.honest]
    if attack.previous is not None:
        known.insert(0, attack.previous.price)
    edge = _corridor_edge(attack, attack.up)
    prices = chain(map(_floor_cents, known), edge, (lowest, highest))
    return next((cents for cents in prices if _counts(attack, cents)), None)


def _last_valid(attack: _Attack, valid: int, outside: int) -> int:
    """Search for the last valid price, from one that is towards one that may not be."""
    if _counts(attack, outside):
        return outside
    guesses = _corridor_edge(attack, valid < outside)
    while abs(outside - valid) > 1:
        cents = next(guesses, (valid + outside) // 2)
        if not min(valid, outside) < cents < max(valid, outside):
            continue
        if _counts(attack, cents):
            valid = cents
        else:
            outside = cents
    return valid


def _corridor_edge(attack: _Attack, upper: bool) -> Iterator[int]:
    """Yield the cents around the edge of the plain corridor: mostly it is there."""
    if attack.previous is not None:
        percent = attack.rules.max_deviation_percent
        signed = to_hundredths(percent, "max_deviation_percent") * (1 if upper else -1)
        edge = to_micros(attack.previous.price) * (10_000 + signed) // (10_000 * _MICROS_PER_CENT)
        yield from (edge, edge + 1)


def _counts(attack: _Attack, cents: int) -> bool:
    return attack.validates(_Lie(cents, attack.rules.min_volume, unsure=False))


def _most_extreme_honest(attack: _Attack) -> int:
    if not attack.honest:
        return _floor_cents(attack.rules.min_price)
    return _floor_cents(price_range(attack.honest)[attack.up])


def _floor_cents(price: Decimal) -> int:
    return to_micros(price) // _MICROS_PER_CENT
