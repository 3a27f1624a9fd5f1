"""What a price band is to an engine, and the register of bands that go by a name.

A :class:`Band` is a value; its :meth:`Band.watch` is the band at work in one engine. The engine
tells its watch facts and asks it questions. Facts are what stands in the log, so that a replay
tells them again, in their order; a watch remembers nothing but facts, and its answers to questions
follow from them and from the time. So the log alone rebuilds a watch, as it rebuilds the book.
"""

import inspect
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeAlias, runtime_checkable

from streamlet_lab.errors import InvalidInput
from streamlet_lab.kinds import Kinds
from streamlet_lab.matching.events import MarketState

#: Later than any instant of a run, and higher than any price.
NEVER: Final = 1 << 62

#: The lowest and the highest price, in ticks; 0 and ``NEVER`` where there is no edge.
Range: TypeAlias = tuple[int, int]

#: What becomes of resting orders that a moved band leaves outside.
RestingPolicy = Literal["cancel", "clip", "keep"]


class Decision(NamedTuple):
    """What a watch wants; whatever is None stays as it is. Without a change nothing happens.

    Parameters
    ----------
    limits : Range or None
        Where trades may happen from now on.
    reference : Fraction or None
        What the band goes by from now on, in ticks. The engine rounds all but the consensus to
        whole ticks, half even.
    state : MarketState or None
        The state from now on: any but ``HALTED``, which is the operator's. Disregarded in a halt.
    kind : {"consensus", "trades", "auction"}
        Where the reference comes from; ``"consensus"`` means the engine's latest one.
    """

    limits: Range | None = None
    reference: Fraction | None = None
    state: MarketState | None = None
    kind: str = "consensus"


class BandWatch:
    """A band at work in one engine, with prices in ticks and instants in microseconds.

    A base class: as it stands, it refuses at entry and at the trade what is outside the limits
    that its decisions gave, and the orders that a move leaves outside are cancelled. Subclasses
    override what they do otherwise; :meth:`on_reference` is the least.

    Attributes
    ----------
    low, high : int
        The limits as last told by :meth:`moved`; before that, there are none.
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
    alarm: int = NEVER
    listens: bool = False
    on_breach: Literal["cancel", "auction"] = "cancel"
    resting: RestingPolicy = "cancel"

    def may_enter(self, side: int, ticks: int) -> int | None:
        """Return the price at which a limit order enters, None or 0 to refuse it.

        The side is 1 for a buy, -1 for a sell. The limit must not get better for others: only a
        lower bid, a higher ask.
        """
        return ticks if self.low <= ticks <= self.high else None

    def clipped(self, side: int, ticks: int) -> int:
        """Return a limit, or the edge where it is aggressive and lies beyond.

        A bid above the band is, and an ask below; for bands whose `may_enter` moves prices.
        """
        return min(ticks, self.high) if side > 0 else max(ticks, self.low)

    def may_trade(self, ticks: int) -> bool:
        """Whether the next execution may happen at this price; not asked in an auction.

        The answers do not change within a command: its own trades count when it is over.
        """
        return self.low <= ticks <= self.high

    def may_clear(self, ticks: int, time: int) -> bool:
        """Whether an auction may end at this price; if not, it goes on.

        Asked where :meth:`decide` ends an auction in which orders would trade, of the one price of
        these trades. A watch that says no must set its alarm to another instant at which it
        decides again. Not asked where an operator ends the auction.
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

        Parameters
        ----------
        ticks : Fraction
            The price, which need not lie on the grid.
        since : int
            When it became final; its age counts from there.
        time : int
            The present instant.
        """
        return None

    def decide(self, time: int, best_bid: int | None, best_ask: int | None) -> Decision | None:
        """Say what should change at this instant; must change nothing itself.

        Asked after each alarm, each reference and each change of state by the operator, and after
        each command if the watch listens; then again after what its decision brought, until
        nothing changes.
        """
        return None


@runtime_checkable
class Band(Protocol):
    """A rule about prices, as a value: the same one serves many engines."""

    def watch(self, pace: Fraction = Fraction(1)) -> BandWatch:
        """Begin to watch one engine that has no reference yet.

        Parameters
        ----------
        pace : Fraction
            Microseconds of the engine's time per microsecond of market time, in which a band's
            durations are meant.
        """
        ...


#: What makes a band of its parameters.
BandFactory: TypeAlias = Callable[..., Band]

REGISTER: Final = Kinds[BandFactory](
    "band", "band", field="market.band", besides="a function that returns one"
)
band = REGISTER.register
bands = REGISTER.names


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
expected one of the parameters percent, stale, stale_after
    """
    factory = kind if callable(kind) else REGISTER[kind]
    given = dict(parameters or {})
    taken = inspect.signature(factory).parameters
    takes_any = any(one.kind is one.VAR_KEYWORD for one in taken.values())
    if "percent" in given:
        expected = "another name: the percentage is given beside the parameters"
        raise InvalidInput("market.band_parameters.percent", given["percent"], expected)
    if "percent" in taken or takes_any:
        given["percent"] = percent
    made = REGISTER.make(factory, given, "market.band_parameters")
    if not isinstance(made, Band):
        expected = "what returns a band: an object with a method watch()"
        raise InvalidInput("market.band", kind, expected)
    return made
