"""The matching engine: commands in, typed events out, money in ``Decimal``."""

import logging
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching.band import NEVER, Band
from streamlet_lab.matching.depth import BookView
from streamlet_lab.matching.door import Door
from streamlet_lab.matching.events import Cancelled, Event, MarketState, Rejected
from streamlet_lab.matching.instrument import Instrument
from streamlet_lab.matching.orders import Order, Trade, read_price
from streamlet_lab.matching.record import EngineState
from streamlet_lab.matching.reference import (
    GIVEN,
    FinalizedPrices,
    LastFinalizedPrice,
    Reference,
    ReferenceSource,
)
from streamlet_lab.matching.replay import restore
from streamlet_lab.matching.selftrade import SelfTrade
from streamlet_lab.matching.settings import FIVE_PERCENT, EngineSettings, WithoutReference
from streamlet_lab.matching.views import EventLog, TradeTape
from streamlet_lab.units import format_price, to_seconds

_LOG: Final = logging.getLogger("streamlet_lab.matching")


class ConsensusMatchingEngine:
    """Matches the orders of one symbol inside a band around the finalized consensus price.

    With the default band a limit price outside is rejected at entry. Every execution price is
    checked again just before it trades; what is left of an order that meets a price outside is
    cancelled. When the reference moves, resting orders that are now outside are cancelled. Other
    bands do other things at each of these points, move with other prices than the consensus, and
    change the state of the market. A market order that finds nobody is accepted, and what is left
    of it is cancelled with ``no_liquidity``.

    The reference comes from a network that is asked at each command, or is pushed with
    :meth:`set_reference` at the instant at which it changes. Where both happen, the network's
    answer counts again from the next command on.

    Simulated time is an integer number of microseconds and never runs backwards. A command that
    names no time happens at the time of the latest command or reference. What is due before a
    command happens before it, and at one instant orders expire before anything else: their events
    come first in what the command returns, then what the band's alarm brings, then
    ``ReferenceMoved``, ``BandMoved`` and the cancellations, then the command's own, and last what
    the band makes of it.

    Parameters
    ----------
    symbol : str or Instrument
        The only symbol whose orders are accepted; an instrument says its tick, lot and day too.
    consensus_network : ReferenceSource, FinalizedPrices or None
        What is asked for the reference; None where it is only pushed.
    band : Band
        Which prices may enter, trade and rest.
    without_reference : {"reject", "allow"}
        Before the first reference, orders are rejected with ``no_consensus``, or trade unchecked.
    self_trade : SelfTrade or str
        What happens where an order would trade with another one of the same trader.
    pace : Fraction or int
        Microseconds of the engine's time per microsecond of market time, in which the band's
        durations are meant.

    Attributes
    ----------
    settings : EngineSettings
    book : BookView
        The resting orders.
    events : EventLog
        Every event so far; the position of an event is its sequence number.
    trades : TradeTape
        Every trade so far; the position of a trade is its id.

    Raises
    ------
    InvalidInput
        If the symbol is empty, the network offers no reference, a policy is not known, or band or
        pace are none.
    """

    def __init__(
        self,
        symbol: str | Instrument,
        consensus_network: ReferenceSource | FinalizedPrices | None = None,
        *,
        band: Band = FIVE_PERCENT,
        without_reference: WithoutReference = "reject",
        self_trade: SelfTrade | str = SelfTrade.NONE,
        pace: Fraction | int = 1,
    ) -> None:
        instrument = symbol if isinstance(symbol, Instrument) else Instrument(symbol)
        offered = getattr(consensus_network, "symbol", instrument.symbol)
        if offered != instrument.symbol:
            raise InvalidInput(
                "symbol", instrument.symbol, f"{offered}, which the network agrees on"
            )
        # The settings turn a policy's name into the policy, or refuse it.
        self.settings = EngineSettings(
            instrument,
            band,
            without_reference,
            self_trade,  # type: ignore[arg-type]
            Fraction(pace) if isinstance(pace, int) else pace,
        )
        self.instrument = instrument
        self._core = core = self.settings.core()
        self._door = Door(core, instrument)
        self._source = self._connect(consensus_network)
        self.book = BookView(core.book, core.log, instrument)
        self.events = EventLog(core.log, self.settings)
        self.trades = TradeTape(core.log, instrument)

    @property
    def symbol(self) -> str:
        """What is traded."""
        return self.instrument.symbol

    @property
    def band(self) -> Band:
        """Which prices may enter, trade and rest."""
        return self.settings.band

    @property
    def reference(self) -> Reference | None:
        """The latest consensus that the engine knows, None before the first."""
        return self._core.reference

    @property
    def band_reference(self) -> Reference | None:
        """What the band goes by: the latest consensus, or a price of its own; None before any."""
        return self._core.band_reference

    @property
    def band_limits(self) -> tuple[Decimal | None, Decimal | None] | None:
        """The lowest and the highest price that may trade, in dollars; None before a reference.

        One of the two is None where there is no such edge.
        """
        if self._core.limits is None:
            return None
        low, high = self._core.limits
        price = self.instrument.price
        return (price(low) if low else None), (price(high) if high < NEVER else None)

    @property
    def now(self) -> int:
        """The instant of the latest command, in microseconds."""
        return self._core.now

    @property
    def market(self) -> MarketState:
        """What becomes of orders now."""
        return self._core.market

    def process_order(self, order: Order, time: int | None = None) -> list[Trade]:
        """Submit an order and return its trades; see :meth:`submit`."""
        first = len(self.trades)
        self._submit(order, time)
        return self.trades[first:]

    def submit(self, order: Order, time: int | None = None) -> list[Event]:
        """Match an order.

        Parameters
        ----------
        order : Order
            The order. An id that was accepted before is refused, whatever became of it.
        time : int or None
            The instant in microseconds.

        Returns
        -------
        list of Event
            What was due before, then ``Accepted`` or ``Rejected``, then the trades, then
            ``Cancelled`` if a remainder could not rest.

        Raises
        ------
        InvalidInput
            If the time runs backwards.
        """
        first = len(self.events)
        self._submit(order, time)
        return self.events[first:]

    def receive(self, fields: Mapping[str, Any], time: int | None = None) -> list[Event]:
        """Take in an order from outside, as the fields of an :class:`Order`.

        What is no valid order is rejected with ``invalid_price``, ``invalid_quantity`` or
        ``invalid_order``, as a gateway would; everything else goes as in :meth:`submit`.

        Raises
        ------
        InvalidInput
            If the time runs backwards.

        Examples
        --------
        >>> engine = ConsensusMatchingEngine("AAPL")
        >>> (event,) = engine.receive({"order_id": "b-1", "symbol": "AAPL", "side": "buy",
        ...                            "order_type": "market", "quantity": 0})
        >>> event.reason
        <RejectReason.INVALID_QUANTITY: 'invalid_quantity'>
        """
        first = self._begin(time)
        begun = len(self.events)
        order = self._door.read(fields)
        if order is not None:
            self._log_order(order)
            self._door.submit(order)
        self._report(begun)
        return self.events[first:]

    def cancel(self, order_id: str, time: int | None = None) -> list[Event]:
        """Take a resting order out of the book.

        Returns
        -------
        list of Event
            What was due before, then ``Cancelled``, or ``Rejected`` with ``unknown_id`` where no
            such order rests, or rests any more.

        Raises
        ------
        InvalidInput
            If the time runs backwards.
        """
        return self._command(time, lambda: self._core.cancel(order_id, self.now))

    def reduce(self, order_id: str, quantity: int, time: int | None = None) -> list[Event]:
        """Take shares off a resting order, which keeps its priority.

        Parameters
        ----------
        order_id : str
        quantity : int
            Shares to take off, at most those that are left: all of them is a cancel.
        time : int or None
            The instant in microseconds.

        Returns
        -------
        list of Event
            What was due before, then ``Reduced``, ``Cancelled`` or ``Rejected``.

        Raises
        ------
        InvalidInput
            If the time runs backwards.
        """
        return self._command(time, lambda: self._door.reduce(order_id, quantity))

    def replace(
        self,
        order_id: str,
        *,
        price: Decimal | float | str | None = None,
        quantity: int | None = None,
        time: int | None = None,
    ) -> list[Event]:
        """Give a resting order another price or size.

        A smaller size at the same price keeps the priority. Anything else queues again behind all
        others, and is checked and matched as a new order would be; if it is refused, the order
        stays as it was.

        Parameters
        ----------
        order_id : str
        price : Decimal or None
            The price from now on, in dollars; None leaves it.
        quantity : int or None
            Shares that are open from now on, whatever was traded before; None leaves them.
        time : int or None
            The instant in microseconds.

        Returns
        -------
        list of Event
            What was due before, then ``Replaced`` or ``Rejected``, then what an order's arrival
            may bring.

        Raises
        ------
        InvalidInput
            If the time runs backwards.
        """
        return self._command(time, lambda: self._door.replace(order_id, price, quantity))

    def set_reference(self, reference: Reference, time: int | None = None) -> list[Event]:
        """Tell the band of a newer consensus.

        Parameters
        ----------
        reference : Reference
            The price that has just become final.
        time : int or None
            The instant in microseconds.

        Returns
        -------
        list of Event
            What was due before, ``ReferenceMoved``, ``BandMoved``, and the cancellations: bids
            before asks, on each side first those beyond its best end, from the outermost price
            inwards, at one price by arrival. Then ``StateChanged``, if the band says so.

        Raises
        ------
        InvalidInput
            If the time runs backwards, or is earlier than the reference; or that is a band's own.
        """
        self._check_time(time)
        first = len(self.events)
        self._adopt(reference, time)
        self._report(first)
        return self.events[first:]

    def advance(self, time: int) -> list[Event]:
        """Let the clock reach an instant and return what was due until then.

        Raises
        ------
        InvalidInput
            If the time runs backwards.
        """
        return self._operate(self._core.advance, time)

    def end_day(self, time: int | None = None) -> list[Event]:
        """End the trading day: every day order expires, in the order of acceptance.

        Raises
        ------
        InvalidInput
            If the time runs backwards.
        """
        return self._operate(self._core.end_day, time)

    def halt(self, time: int | None = None) -> list[Event]:
        """Halt the market: orders are refused, resting ones may be cancelled or reduced.

        Nobody but the operator ends a halt. A call auction that is going on is ended before, and
        its orders are matched.

        Raises
        ------
        InvalidInput
            If the time runs backwards.
        """
        return self._operate(self._core.halt, time)

    def resume(self, time: int | None = None) -> list[Event]:
        """End a halt, or a call auction before its time.

        The band may close the market again at once, such as for a reference that is too old. A
        pause is the band's to end, so that in any other state nothing happens.

        Raises
        ------
        InvalidInput
            If the time runs backwards.
        """
        return self._operate(self._core.resume, time)

    def get_latest_consensus_price(self) -> Decimal | None:
        """Return the latest finalized consensus price in dollars, None before the first."""
        reference = self._latest_reference()
        return None if reference is None else reference.price

    def validate_trade_price(self, price: Decimal | float | str) -> bool:
        """Whether the band lets a price trade at this instant, whatever the market's state.

        Raises
        ------
        InvalidInput
            If it is not a price on the instrument's grid.
        """
        ticks = self.instrument.ticks(read_price(price))
        latest, watch = self._latest_reference(), self._core.watch
        if latest is None:
            return self.settings.without_reference == "allow"
        if latest != self.reference:
            watch = deepcopy(watch)
            reference = self.instrument.fraction_of_ticks(latest.price)
            decision = watch.on_reference(reference, latest.time, self.now)
            if decision is not None and decision.limits is not None:
                watch.moved(decision.limits, reference, self.now)
        return watch.may_trade(ticks)

    def state(self) -> EngineState:
        """Return everything that decides what the engine does next, as a value that compares."""
        return self._core.state()

    def _connect(self, network: ReferenceSource | FinalizedPrices | None) -> ReferenceSource | None:
        if network is None or isinstance(network, ReferenceSource):
            return network
        if isinstance(network, FinalizedPrices):
            return LastFinalizedPrice(network, lambda: self.now)
        raise InvalidInput(
            "consensus_network",
            network,
            "an object with reference() or get_finalized_consensus_prices()",
        )

    def _latest_reference(self) -> Reference | None:
        asked = None if self._source is None else self._source.reference()
        return asked or self.reference

    def _begin(self, time: int | None) -> int:
        """Let happen what comes before a command; return the sequence number of its first event."""
        self._check_time(time)
        first = len(self.events)
        if time is not None:
            self._core.advance(time)
        if self._source is not None:
            reference = self._source.reference()
            if reference is not None and reference != self.reference:
                self._adopt(reference, time)
        self._report(first)
        return first

    def _command(self, time: int | None, carry_out: Callable[[], None]) -> list[Event]:
        """Carry out a trader's command after what comes before it; return the events of both."""
        first = self._begin(time)
        begun = len(self.events)
        carry_out()
        self._report(begun)
        return self.events[first:]

    def _operate(self, carry_out: Callable[[int], None], time: int | None) -> list[Event]:
        """Carry out what the operator or the clock wants at an instant, and return its events."""
        self._check_time(time)
        first = len(self.events)
        carry_out(self.now if time is None else time)
        self._report(first)
        return self.events[first:]

    def _check_time(self, time: int | None) -> None:
        if time is None:
            return
        is_whole = isinstance(time, int) and not isinstance(time, bool)
        if not is_whole or not self.now <= time < NEVER:
            raise InvalidInput("time", time, f"whole microseconds, not before {self.now}")

    def _adopt(self, reference: Reference, time: int | None) -> None:
        if not isinstance(reference, Reference):
            raise InvalidInput("reference", reference, "a Reference")
        if time is not None and reference.time > time:
            raise InvalidInput("reference.time", reference.time, f"an instant not after {time}")
        if reference.kind not in GIVEN:
            expected = f"{' or '.join(map(repr, GIVEN))}: others are the band's"
            raise InvalidInput("reference.kind", reference.kind, expected)
        ticks = self.instrument.fraction_of_ticks(reference.price)
        now = max(self.now, reference.time) if time is None else time
        self._core.move_reference(reference, ticks, now)

    def _submit(self, order: Order, time: int | None) -> None:
        if not isinstance(order, Order):
            raise InvalidInput("order", order, "an Order; receive() takes the fields of one")
        self._begin(time)
        begun = len(self.events)
        self._log_order(order)
        self._door.submit(order)
        self._report(begun)

    def _log_order(self, order: Order) -> None:
        if _LOG.isEnabledFor(logging.INFO):
            price = "market" if order.price is None else format_price(order.price)
            reference = "none yet" if self.reference is None else format_price(self.reference.price)
            _LOG.info("%s", f"Processing order at {price} (consensus: {reference})")

    def _report(self, first: int) -> None:
        """Tell the standard log of what was refused or cancelled since a sequence number."""
        if not _LOG.isEnabledFor(logging.INFO):
            return
        for event in self.events[first:]:
            if isinstance(event, Rejected | Cancelled):
                age = event.reference_age
                known = "" if age is None else f", reference final for {to_seconds(age):.6f} s"
                extra = {"event": event}
                _LOG.info("%s [%s%s]", event.message, event.reason, known, extra=extra)


def replay(
    events: Iterable[Event], settings: EngineSettings | None = None
) -> ConsensusMatchingEngine:
    """Rebuild an engine from its events alone, without matching anything again.

    The engine has no network; its clock stands at the latest event.

    Parameters
    ----------
    events : EventLog or iterable of Event
        The log, from its beginning.
    settings : EngineSettings or None
        The settings of the engine that wrote it; an :class:`EventLog` knows them.

    Raises
    ------
    InvalidInput
        If the settings are not known.
    """
    if settings is None:
        if not isinstance(events, EventLog):
            raise InvalidInput("settings", None, "the settings of the engine that wrote the events")
        settings = events.settings
    engine = ConsensusMatchingEngine(
        settings.instrument,
        band=settings.band,
        without_reference=settings.without_reference,
        self_trade=settings.self_trade,
        pace=settings.pace,
    )
    restore(engine._core, settings.instrument, events)
    return engine
