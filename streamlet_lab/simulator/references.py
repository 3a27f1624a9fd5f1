"""Where the market's reference comes from: what is final, or an oracle that needs no agreement.

Beside the consensus stand baselines. Each is an oracle that everybody trusts and that sees the true
price itself, so that what they cost is the cost of an old price alone, and what the consensus costs
beyond that is the cost of agreeing. A kind is a function of the true price that yields what it
publishes, in the order of time; the market carries each publication out at its instant.

All durations are of market time, as those of bands are: what the age of a price costs depends on
how far the market moves meanwhile, and an oracle's heartbeat of an hour is an hour of the market.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import count, islice
from typing import Annotated, Any, Final, TypeAlias

from pydantic import BeforeValidator

from streamlet_lab.config import ReferenceConfig
from streamlet_lab.errors import InvalidInput
from streamlet_lab.registers import REFERENCES
from streamlet_lab.units import format_duration, is_within, to_hundredths, to_whole
from streamlet_lab.values import Duration, Span, Whole, check_ranges

#: The kind that is moved by what becomes final.
CONSENSUS: Final = "consensus"

_FIELD: Final = "market.reference"
_MINUTE: Final = 60_000_000

#: Market time longer than zero.
_Period = Annotated[int, Span(1)]


def _read_hundredths(percent: object) -> int:
    return to_hundredths(percent, "deviation_percent")


@dataclass(frozen=True, slots=True)
class Publication:
    """A price that an oracle publishes at an instant of market time, in microseconds.

    It is in micro-dollars; the market rounds it to the cent, half even. It was quoted when it was
    the true price; where it is an average, at the mean of these instants.
    """

    time: Annotated[int, Whole()]
    price: int | Fraction
    quoted: Annotated[int, Whole()]

    def __post_init__(self) -> None:
        check_ranges(self)
        expected = "whole micro-dollars above zero, or a Fraction of them"
        if not isinstance(self.price, Fraction):
            object.__setattr__(self, "price", to_whole(self.price, 1, "price", None, expected))
        elif self.price <= 0:
            raise InvalidInput("price", self.price, expected)


#: From an instant of market time to the true price, microseconds to micro-dollars.
TruePrice: TypeAlias = Callable[[int], int]
#: From the true price, and parameters, to what is published.
ReferenceKind: TypeAlias = Callable[..., Iterator[Publication]]

reference_kind, reference_kinds = REFERENCES.doors(
    "a generator of `Publication`, given the true price in micro-dollars as a\nfunction of market "
    "time in microseconds"
)


class Publications(Iterator[Publication]):
    """What a reference publishes about one symbol, in the order of time.

    A copy has the kind begin again, and skips what was published before.

    Parameters
    ----------
    price : callable
        The true price.
    published : int
        How many to skip.

    Raises
    ------
    InvalidInput
        When it comes to that, if what it yields is no publication, or is earlier than the one
        before.

    Examples
    --------
    >>> doubling = lambda time: 1_000_000 * 2 ** (time // 60_000_000)
    >>> settings = {"delay": "90s", "every": "1min"}
    >>> feed = Publications(ReferenceConfig(kind="delayed", parameters=settings), doubling)
    >>> next(feed), next(feed)
    (Publication(time=90000000, price=1000000, quoted=0), \
Publication(time=150000000, price=2000000, quoted=60000000))
    """

    def __init__(self, reference: ReferenceConfig, price: TruePrice, published: int = 0) -> None:
        self._reference, self._price, self._published = reference, price, published
        self._rest = islice(_publish(reference, price), published, None)

    def __next__(self) -> Publication:
        publication = next(self._rest)
        self._published += 1
        return publication

    def __reduce__(self) -> tuple[Any, ...]:
        return Publications, (self._reference, self._price, self._published)


def _publish(reference: ReferenceConfig, price: TruePrice) -> Iterator[Publication]:
    last = 0
    for one in reference.make(price):
        if not isinstance(one, Publication) or one.time < last:
            raise InvalidInput(_FIELD, one, f"a Publication, in microseconds from {last} on")
        last = one.time
        yield one


@reference_kind(CONSENSUS)
def _consensus(price: TruePrice) -> Iterator[Publication]:
    """Publish nothing: what becomes final where the market looks moves the reference."""
    return iter(())


@reference_kind("delayed")
def _delayed(
    price: TruePrice,
    *,
    delay: Duration = 15 * _MINUTE,
    every: _Period = 5 * _MINUTE,
    first: Duration = 0,
) -> Iterator[Publication]:
    """Publish the true price of some time ago.

    It is quoted regularly, for the first time at ``first``, and each time known a delay later: its
    age goes from the delay up to the delay and a period, and is half-way on average. With a short
    period the age is always the same; with one as long as the time between two finalizations it
    rises and falls as that of the consensus does. Exchanges delay the prices that they give away by
    fifteen minutes.
    """
    for time in count(first, every):
        yield Publication(time + delay, price(time), time)


@reference_kind("heartbeat")
def _heartbeat(
    price: TruePrice,
    *,
    deviation_percent: Annotated[int, BeforeValidator(_read_hundredths)] = 50,
    heartbeat: _Period = 60 * _MINUTE,
    check: _Period = _MINUTE,
    delay: Duration = 0,
) -> Iterator[Publication]:
    """Publish the true price when it has moved, or when it was not published for some time.

    As public oracles do: a new price is due when the true one deviates by more than a threshold
    from the last published, or a heartbeat after that (Chainlink, *Decentralized Data Model*;
    0.5 % and an hour are what its busiest feeds have). The oracle looks once in ``check``, and the
    market knows a delay later. So the reference may be old, and is yet never further from the truth
    than the threshold and what the market moves from one look to the next, and in the delay.
    """
    last, since = 0, 0  # nothing is within a percentage of zero
    for time in count(0, check):
        now = price(time)
        if time - since >= heartbeat or not is_within(now, last, deviation_percent):
            yield Publication(time + delay, now, time)
            last, since = now, time


@reference_kind("twap")
def _twap(
    price: TruePrice,
    *,
    window: _Period = 30 * _MINUTE,
    every: _Period = 5 * _MINUTE,
    check: _Period = _MINUTE,
) -> Iterator[Publication]:
    """Publish the time-weighted average of the true price over a window that ends now.

    The price is looked at regularly and counts until the next look: sums of what was seen are kept,
    and an average is the difference of two, as in the oracle of Uniswap v2. Window and period are
    multiples of the time between two looks. At the beginning, the window is what there is. On a
    random walk the average of n looks, c apart, is at c (n + 1)/2 mean age as far from the truth,
    in mean squares, as a price of the age c (n + 1)(2n + 1)/(6n): about a third of the window.
    """
    looks, period = _multiple(window, check, "window"), _multiple(every, check, "every")

    def averages() -> Iterator[Publication]:
        sums = [0]
        for number in count(1):
            sums.append(sums[-1] + price((number - 1) * check))
            if number % period == 0:
                seen = min(looks, number)
                average = Fraction(sums[number] - sums[number - seen], seen)
                yield Publication(number * check, average, number * check - (seen + 1) * check // 2)

    return averages()


def _multiple(duration: int, step: int, field: str) -> int:
    """Return how many steps a duration has."""
    steps, rest = divmod(duration, step)
    if rest:
        raise InvalidInput(field, format_duration(duration), "a whole multiple of check")
    return steps


REFERENCES.close()
