"""What a price band is to an engine, and the register of bands that go by a name.

A :class:`Band` is a value; its :meth:`Band.watch` is the band at work in one engine. The engine
tells its watch facts and asks it questions. Facts are what stands in the log, so that a replay
tells them again, in their order; a watch remembers nothing but facts, and its answers follow from
them and from the time. So the log alone rebuilds a watch, as it rebuilds the book.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeAlias, runtime_checkable

from streamlet_lab.errors import InvalidInput
from streamlet_lab.kinds import Kinds
from streamlet_lab.matching.events import MarketState
from streamlet_lab.units import to_hundredths
from streamlet_lab.values import Span

#: Later than any instant of a run, and higher than any price.
NEVER: Final = 1 << 62

#: The lowest and the highest price, in ticks; 0 and ``NEVER`` where there is no edge.
Range: TypeAlias = tuple[int, int]

#: What becomes of resting orders that a moved band leaves outside.
RestingPolicy = Literal["cancel", "clip", "keep"]


class Decision(NamedTuple):
    """What a watch wants from now on; None stays as it is. Without a change nothing happens.

    Trades may happen inside the limits. The band goes by the reference, in ticks, whose kind is
    ``"consensus"``, the engine's latest one, or ``"trades"`` or ``"auction"``, which the engine
    rounds to whole ticks, half even. The state is any but ``HALTED``, which is the operator's, and
    disregarded in a halt.
    """

    limits: Range | None = None
    reference: Fraction | None = None
    state: MarketState | None = None
    kind: str = "consensus"


#: What a watch is asked of each price, unless it is free inside the limits.
RULES: Final = ("may_enter", "may_trade")


def _defines(kind: type, name: str) -> type:
    """Return the class from which a class has something."""
    return next(base for base in kind.__mro__ if name in vars(base))


class BandWatch:
    """A band at work in one engine, with prices in ticks and instants in microseconds.

    A base class: as it stands, it refuses at entry and at the trade what is outside the limits
    that its decisions gave, and the orders that a move leaves outside are cancelled. Subclasses
    override what they do otherwise; :meth:`on_reference` is the least.

    Attributes
    ----------
    low, high : int
        The limits as last told by :meth:`moved`; before that, there are none. Any other fact may
        set them too; then they hold from the next command on.
    is_free_inside : bool
        Whether limit orders inside the limits enter as they are and trade, so that
        :meth:`may_enter` and :meth:`may_trade` are asked only outside. A class that overrides or
        inherits one of them, or an instance that has its own, is asked always, unless a class that
        knows it says here that this holds.
    alarm : int
        The next instant at which the engine must call :meth:`wake`. Facts may set it, always to
        an instant later than their own.
    listens : bool
        Whether it is told of trades, and asked to :meth:`decide` after each command.
    on_breach : {"cancel", "auction"}
        What happens where :meth:`may_trade` says no: what is left of the arriving order is
        cancelled, or a call auction begins, which it joins.
    resting : {"cancel", "clip", "keep"}
        What becomes of resting orders outside when the limits move, and after an auction, which
        takes any price: cancelled; moved to the edge if they are aggressive (bids above, asks
        below), while the others wait; or left alone.
    """

    low: int = 0
    high: int = NEVER
    is_free_inside: bool = True
    alarm: int = NEVER
    listens: bool = False
    on_breach: Literal["cancel", "auction"] = "cancel"
    resting: RestingPolicy = "cancel"

    def __init_subclass__(cls) -> None:
        says = _defines(cls, "is_free_inside")
        # Who says it must know the rule: a mixin's may stand behind it.
        if not all(issubclass(says, _defines(cls, rule)) for rule in RULES):
            cls.is_free_inside = False

    def may_enter(self, side: int, ticks: int) -> int | None:
        """Return the price at which a limit order enters, None or 0 to refuse it.

        The side is 1 for a buy, -1 for a sell. The limit must not get better for others: only a
        lower bid, a higher ask.
        """
        return ticks if self.low <= ticks <= self.high else None

    def clipped(self, side: int, ticks: int) -> int:
        """Return a limit, or the edge if it is a bid above the band or an ask below."""
        return min(ticks, self.high) if side > 0 else max(ticks, self.low)

    def may_trade(self, ticks: int) -> bool:
        """Whether the next execution may happen at this price; not asked in an auction.

        The answers do not change within a command: its own trades count when it is over.
        """
        return self.low <= ticks <= self.high

    def may_clear(self, ticks: int, time: int) -> bool:
        """Whether an auction may end at this price; if not, it goes on.

        Asked where :meth:`decide` ends an auction in which orders would trade, but not where an
        operator does. A watch that says no must set its alarm to another instant at which it
        decides again.
        """
        return True

    def traded(self, ticks: int, quantity: int, time: int) -> None:
        """Take in a trade; told only to those who listen, of auctions too."""

    def moved(self, limits: Range, reference: Fraction | None, time: int) -> None:
        """Take in that the limits moved; the reference is None where there is none."""
        self.low, self.high = limits

    def entered(self, state: MarketState, time: int) -> None:
        """Take in the state of the market from now on: by own decision, a breach, an operator."""

    def wake(self, time: int) -> None:
        """Take in that the alarm went off: set the next one, later than this instant."""
        self.alarm = NEVER

    def on_reference(self, ticks: Fraction, since: int, time: int) -> Decision | None:
        """Take in a new consensus reference, and say what comes of it.

        A fact and a question: on a replay it is told again, and the answer is in the log already.
        The price need not lie on the grid; its age counts from ``since``, when it became final.
        """
        return None

    def decide(self, time: int, best_bid: int | None, best_ask: int | None) -> Decision | None:
        """Say what should change at this instant; must change nothing itself.

        Asked after each alarm, each reference and each change of state by the operator, and after
        each command if the watch listens; then again after what its decision brought, until
        nothing changes.
        """
        return None


class CallWatch(BandWatch):
    """A watch that knows the state of the market, and when a call phase or an extension ends.

    A call phase lasts for its length in microseconds, and so does each extension of it.
    """

    listens = True

    def __init__(self, length: int) -> None:
        self._length = length
        self._state = MarketState.OPEN
        self._since = 0  # when the state began

    def entered(self, state: MarketState, time: int) -> None:
        """Start the timer of the state."""
        self._state, self._since = state, time
        self.wake(time)

    def _calls(self, time: int) -> int:
        """How many times the length of a call is over."""
        return (time - self._since) // self._length

    def _end_of_call(self, time: int) -> int:
        return self._since + (self._calls(time) + 1) * self._length

    def _end_call(self, time: int) -> Decision | None:
        """Open the market if the call phase, or an extension, ends at this instant."""
        is_over = time > self._since and (time - self._since) % self._length == 0
        return Decision(state=MarketState.OPEN) if is_over else None


@runtime_checkable
class Band(Protocol):
    """A rule about prices, as a value: the same one serves many engines."""

    def watch(self, pace: Fraction = Fraction(1)) -> BandWatch:
        """Begin to watch one engine that has no reference yet.

        The pace is microseconds of the engine's time per microsecond of market time, in which a
        band's durations are meant.
        """
        ...


#: What makes a band of its parameters.
BandFactory: TypeAlias = Callable[..., Band]

REGISTER: Final = Kinds[BandFactory](
    "band", "band", field="market.band", besides="a function that returns one"
)
band, bands = REGISTER.doors(
    "a class or a function that makes a band, a value with a method ``watch()``,\nof its percentage"
    " and its parameters"
)


def band_parameters(kind: str | BandFactory) -> Mapping[str, inspect.Parameter]:
    """Return what a band takes, by name."""
    return inspect.signature(kind if callable(kind) else REGISTER[kind]).parameters


def make_band(
    kind: str | BandFactory,
    percent: Decimal | float | str = 5,
    parameters: Mapping[str, Any] | None = None,
) -> Band:
    """Make a band by its name, or by what makes it.

    Parameters
    ----------
    kind : str or callable
        A name that was registered with :func:`band`, or a class or function of your own.
    percent : Decimal
        How wide it is on either side, in percent; given to whatever has such a parameter.
    parameters : mapping, optional
        Its other parameters by their names. Durations are seconds, or texts such as ``"5min"``.

    Raises
    ------
    InvalidInput
        If there is no such band, it has no such parameter, or a value is not valid.

    Examples
    --------
    >>> import streamlet_lab.matching
    >>> make_band("consensus", 5, {"stale": "halt", "stale_after": "3min"})
    ConsensusBand(percent=5, at_entry='reject', resting='cancel', stale='halt', stale_after='3min')
    >>> make_band("clip", 5, {"stale_fater": "3min"})
    Traceback (most recent call last):
    ...
    streamlet_lab.errors.InvalidInput: market.band_parameters.stale_fater: '3min' is not valid; \
expected one of the parameters percent, stale, stale_after (did you mean 'stale_after'?)
    """
    factory = kind if callable(kind) else REGISTER[kind]
    taken = band_parameters(kind)
    given = dict(parameters or {})
    if "percent" in given:
        expected = "another name: the percentage is given beside the parameters"
        raise InvalidInput("market.band_parameters.percent", given["percent"], expected)
    if "percent" in taken or any(one.kind is one.VAR_KEYWORD for one in taken.values()):
        given["percent"] = percent
    made = REGISTER.make(factory, given, "market.band_parameters")
    if not isinstance(made, Band):
        expected = "what returns a band: an object with a method watch()"
        raise InvalidInput("market.band", kind, expected)
    return made


# What bands take, and the prices that a percentage allows.


def read_percent(value: object, field: str) -> int:
    """Read a percentage above 0 and up to 100, as hundredths of a percent."""
    hundredths = to_hundredths(value, field)
    if not 0 < hundredths <= 10_000:
        raise InvalidInput(field, value, "more than 0 and at most 100")
    return hundredths


def read_duration(value: object, field: str, pace: Fraction | int = 1) -> int:
    """Read a duration of market time that is longer than zero, as microseconds at some pace."""
    return math.ceil(Span(1).read(value, field) * pace)


def limits_around(ticks: Fraction | int, hundredths: int) -> Range:
    """Return the lowest and the highest price, in ticks, within a percentage of a price.

    Both are rounded inwards, so that none is farther away than the percentage.

    >>> limits_around(15_245, 500)
    (14483, 16007)
    """
    # In integers, because bands are moved often: -(-a // b) is a / b rounded up.
    price, unit = ticks.numerator, ticks.denominator * 10_000
    return -(-price * (10_000 - hundredths) // unit), price * (10_000 + hundredths) // unit
