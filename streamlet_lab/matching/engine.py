"""The matching engine: commands in, typed events out, money in ``Decimal``."""

import logging
from collections.abc import Iterable, Mapping
from copy import copy
from decimal import Decimal
from typing import Any, Final

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching.band import Band
from streamlet_lab.matching.commands import fields_of
from streamlet_lab.matching.core import EngineState
from streamlet_lab.matching.depth import BookView
from streamlet_lab.matching.events import (
    Cancelled,
    Command,
    Event,
    MarketState,
    Rejected,
    RejectReason,
)
from streamlet_lab.matching.instrument import Instrument
from streamlet_lab.matching.orders import Order, Trade, read_price, require_quantity
from streamlet_lab.matching.reference import (
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

_INVALID: Final = {
    "price": RejectReason.INVALID_PRICE,
    "quantity": RejectReason.INVALID_QUANTITY,
}
_LOG = logging.getLogger("streamlet_lab.matching")


class ConsensusMatchingEngine:
    """Matches the orders of one symbol inside a band around the finalized consensus price.

    With the default band a limit price outside is rejected at entry. Every execution price is
    checked again just before it trades; what is left of an order that meets a price outside is
    cancelled. When the reference moves, resting orders that are now outside are cancelled. A
    market order that finds nobody is accepted, and what is left of it is cancelled with
    ``no_liquidity``.

    The reference comes from a network that is asked at each command, or is pushed with
    :meth:`set_reference` at the instant at which it changes. Where both happen, the network's
    answer counts again from the next command on.

    Simulated time is an integer number of microseconds and never runs backwards. A command that
    names no time happens at the time of the latest command or reference. What is due before a
    command happens before it, and at one instant orders expire before anything else: their events
    come first in what the command returns, then ``ReferenceMoved`` and its cancellations, then
    the command's own.

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
        If the symbol is empty, the network offers no reference, or a policy is not known.
    """

    def __init__(
        self,
        symbol: str | Instrument,
        consensus_network: ReferenceSource | FinalizedPrices | None = None,
        *,
        band: Band = FIVE_PERCENT,
        without_reference: WithoutReference = "reject",
        self_trade: SelfTrade | str = SelfTrade.NONE,
    ) -> None:
        instrument = symbol if isinstance(symbol, Instrument) else Instrument(symbol)
        offered = getattr(consensus_network, "symbol", instrument.symbol)
        if offered != instrument.symbol:
            raise InvalidInput(
                "symbol", instrument.symbol, f"{offered}, which the network agrees on"
            )
        # The settings turn a policy's name into the policy, or refuse it.
        self.settings = EngineSettings(instrument, band, without_reference, self_trade)  # type: ignore[arg-type]
        self.instrument = instrument
        self._core = core = self.settings.core()
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
        """The reference that the latest command was held against, None before the first."""
        return self._core.reference

    @property
    def now(self) -> int:
        """The instant of the latest command, in microseconds."""
        return self._core.now

    @property
    def market(self) -> MarketState:
        """Whether orders are matched."""
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
        try:
            order = Order(**fields)
        except (InvalidInput, TypeError) as error:
            first = self._begin(time)
            order_id = fields.get("order_id")
            field = error.field if isinstance(error, InvalidInput) else ""
            self._core.reject(
                _INVALID.get(field, RejectReason.INVALID_ORDER),
                Command.ORDER,
                order_id if isinstance(order_id, str) else "",
                detail=str(error),
            )
            self._report(len(self.events) - 1)
            return self.events[first:]
        return self.submit(order, time)

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
        first = self._begin(time)
        begun = len(self.events)
        self._core.cancel(order_id, self.now)
        self._report(begun)
        return self.events[first:]

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
        first = self._begin(time)
        begun = len(self.events)
        if self._is_quantity(Command.REDUCE, order_id, quantity):
            self._core.reduce(order_id, quantity, self.now)
        self._report(begun)
        return self.events[first:]

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
        first = self._begin(time)
        begun = len(self.events)
        self._replace(order_id, price, quantity)
        self._report(begun)
        return self.events[first:]

    def set_reference(self, reference: Reference, time: int | None = None) -> list[Event]:
        """Move the band.

        Parameters
        ----------
        reference : Reference
            The price that has just become final.
        time : int or None
            The instant in microseconds.

        Returns
        -------
        list of Event
            What was due before, ``ReferenceMoved``, and the cancellations: bids before asks, on
            each side first those beyond its best end, from the outermost price inwards, at one
            price by arrival.

        Raises
        ------
        InvalidInput
            If the time runs backwards, or is earlier than the reference.
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
        self._check_time(time)
        first = len(self.events)
        self._core.advance(time)
        self._report(first)
        return self.events[first:]

    def end_day(self, time: int | None = None) -> list[Event]:
        """End the trading day: every day order expires, in the order of acceptance.

        Raises
        ------
        InvalidInput
            If the time runs backwards.
        """
        self._check_time(time)
        first = len(self.events)
        self._core.end_day(self.now if time is None else time)
        self._report(first)
        return self.events[first:]

    def halt(self, time: int | None = None) -> list[Event]:
        """Halt the market: orders are refused, resting ones may be cancelled or reduced.

        Raises
        ------
        InvalidInput
            If the time runs backwards.
        """
        return self._set_market(MarketState.HALTED, time)

    def resume(self, time: int | None = None) -> list[Event]:
        """Open the market again.

        Raises
        ------
        InvalidInput
            If the time runs backwards.
        """
        return self._set_market(MarketState.OPEN, time)

    def get_latest_consensus_price(self) -> Decimal | None:
        """Return the latest finalized consensus price in dollars, None before the first."""
        reference = self._latest_reference()
        return None if reference is None else reference.price

    def validate_trade_price(self, price: Decimal | float | str) -> bool:
        """Whether a price may trade at this instant.

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
            watch = copy(watch)
            watch.move_reference(self.instrument.fraction_of_ticks(latest.price), self.now)
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

    def _check_time(self, time: int | None) -> None:
        if time is None:
            return
        if isinstance(time, bool) or not isinstance(time, int) or time < self.now:
            raise InvalidInput("time", time, f"whole microseconds, not before {self.now}")

    def _adopt(self, reference: Reference, time: int | None) -> None:
        if time is not None and reference.time > time:
            raise InvalidInput("reference.time", reference.time, f"an instant not after {time}")
        ticks = self.instrument.fraction_of_ticks(reference.price)
        now = max(self.now, reference.time) if time is None else time
        self._core.move_reference(reference, ticks, now)

    def _set_market(self, state: MarketState, time: int | None) -> list[Event]:
        self._check_time(time)
        first = len(self.events)
        self._core.set_market(state, self.now if time is None else time)
        self._report(first)
        return self.events[first:]

    def _submit(self, order: Order, time: int | None) -> None:
        self._begin(time)
        begun = len(self.events)
        if _LOG.isEnabledFor(logging.INFO):
            _LOG.info("%s", self._describe(order))
        if order.symbol != self.symbol:
            self._refuse_order(order, RejectReason.WRONG_SYMBOL)
        elif order.quantity % self.instrument.lot:
            self._refuse_order(order, RejectReason.OFF_LOT, self._off_lot(order.quantity))
        else:
            try:
                fields = fields_of(order, self.instrument)
            except InvalidInput as error:
                self._refuse_order(order, RejectReason.OFF_TICK, str(error))
            else:
                if order.order_id not in self._core.log.accepted:
                    self._core.log.orders[order.order_id] = order
                self._core.enter(fields, self.now)
        self._report(begun)

    def _refuse_order(self, order: Order, reason: RejectReason, detail: str = "") -> None:
        command, order_id = Command.ORDER, order.order_id
        self._core.reject(reason, command, order_id, order.price, order, detail)

    def _replace(
        self, order_id: str, price: Decimal | float | str | None, quantity: int | None
    ) -> None:
        if quantity is not None and not self._is_quantity(Command.REPLACE, order_id, quantity):
            return
        ticks = None
        if price is not None:
            try:
                amount = read_price(price)
            except InvalidInput as error:
                reason = RejectReason.INVALID_PRICE
                self._core.reject(reason, Command.REPLACE, order_id, detail=str(error))
                return
            try:
                ticks = self.instrument.ticks(amount)
            except InvalidInput as error:
                reason = RejectReason.OFF_TICK
                self._core.reject(reason, Command.REPLACE, order_id, amount, detail=str(error))
                return
        self._core.replace(order_id, ticks, quantity, self.now)

    def _is_quantity(self, command: Command, order_id: str, quantity: int) -> bool:
        """Whether a quantity is one; otherwise the command is rejected."""
        try:
            require_quantity(quantity)
        except InvalidInput as error:
            reason = RejectReason.INVALID_QUANTITY
            self._core.reject(reason, command, order_id, detail=str(error))
            return False
        if quantity % self.instrument.lot:
            detail = self._off_lot(quantity)
            self._core.reject(RejectReason.OFF_LOT, command, order_id, detail=detail)
            return False
        return True

    def _off_lot(self, quantity: int) -> str:
        expected = f"a multiple of the lot size {self.instrument.lot}"
        return str(InvalidInput("quantity", quantity, expected))

    def _describe(self, order: Order) -> str:
        price = "market" if order.price is None else format_price(order.price)
        reference = "none yet" if self.reference is None else format_price(self.reference.price)
        return f"Processing order at {price} (consensus: {reference})"

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
    )
    restore(engine._core, settings.instrument, events)
    return engine
