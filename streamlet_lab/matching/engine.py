"""The matching engine: commands in, typed events out, money in ``Decimal``."""

import logging
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching.core import MatchingCore
from streamlet_lab.matching.depth import BookView
from streamlet_lab.matching.engine_settings import FIVE_PERCENT, EngineSettings
from streamlet_lab.matching.events import (
    Cancelled,
    Command,
    Event,
    MarketState,
    Rejected,
    RejectReason,
    Traded,
)
from streamlet_lab.matching.instrument import Instrument, OffGrid
from streamlet_lab.matching.log import Answer, LogView, fields_of
from streamlet_lab.matching.orders import Order, SelfTrade, Trade, read_price
from streamlet_lab.matching.reference import GIVEN, Reference, ask, check_network
from streamlet_lab.matching.watch import NEVER, Band
from streamlet_lab.units import CENT, format_price, to_seconds, to_text, to_whole

_LOG: Final = logging.getLogger("streamlet_lab.matching")
_INFO: Final = logging.INFO
_shows: Final = _LOG.isEnabledFor

_INVALID: Final = {"price": RejectReason.INVALID_PRICE, "quantity": RejectReason.INVALID_QUANTITY}
_OFF_GRID: Final = {"price": RejectReason.OFF_TICK, "quantity": RejectReason.OFF_LOT}


class ConsensusMatchingEngine:
    """Matches the orders of one symbol inside a band around the finalized consensus price.

    With the default band a limit price outside is rejected at entry, every execution price is
    checked again just before it trades (what is left of the order is cancelled), and resting orders
    that a moved reference leaves outside are cancelled. Other bands do other things at each of
    these points, move with other prices than the consensus, and change the state of the market.

    Simulated time is an integer number of microseconds and never runs backwards: every method that
    takes an instant raises `InvalidInput` for an earlier one. A command that names none happens at
    the time of the latest command or reference. Every command returns its events, and before them
    those of what was due: at one instant orders expire before anything else, then come what the
    band's alarm brings, ``ReferenceMoved``, ``BandMoved`` and the cancellations, then the command's
    own, and last what the band makes of it.

    Parameters
    ----------
    symbol : str or Instrument
        The only symbol whose orders are accepted; an instrument says its tick, lot and day too.
    consensus_network : object, optional
        What is asked for the reference at each command: it has ``reference()`` as the lab's
        network, or the description's ``get_finalized_consensus_prices()``. None where the reference
        is pushed at the instant at which it changes, with :meth:`set_reference`.
    band, without_reference, self_trade, pace
        See :class:`EngineSettings`.

    Attributes
    ----------
    settings : EngineSettings
    instrument : Instrument
    symbol : str
    core : MatchingCore
        The engine in whole ticks, and its log in rows: to look at often, not to change.
    book : BookView
        The resting orders.
    events : sequence of Event
        Every event so far; the position of an event is its sequence number.
    trades : sequence of Trade
        Every trade so far; the position of a trade is its id.
    """

    def __init__(
        self,
        symbol: str | Instrument,
        consensus_network: object = None,
        *,
        band: Band = FIVE_PERCENT,
        without_reference: str = "reject",
        self_trade: SelfTrade | str = SelfTrade.NONE,
        pace: Fraction | int = 1,
    ) -> None:
        self.instrument = symbol if isinstance(symbol, Instrument) else Instrument(symbol)
        self.symbol = self.instrument.symbol
        if consensus_network is not None:
            check_network(consensus_network)
        offered = getattr(consensus_network, "symbol", self.symbol)
        if offered != self.symbol:
            expected = f"{offered}, which the network agrees on"
            raise InvalidInput("symbol", self.symbol, expected)
        settings: Any = (band, without_reference, self_trade, pace)  # names of policies are read
        self.settings = EngineSettings(self.instrument, *settings)
        self._network = consensus_network
        self.core = core = MatchingCore(self.settings)
        self.book = BookView(core.book, core.log, self.instrument)
        self._log = log = core.log
        self._rows = log.rows
        self.events = LogView[Event](log.count, log.event, self.settings)
        self.trades = LogView[Trade](log.count_trades, log.trade, self.settings)
        is_plain = self.instrument.tick == CENT and self.instrument.lot == 1
        self._symbol_in_cents = self.symbol if is_plain else None  # whose orders fit the core

    @property
    def reference(self) -> Reference | None:
        """The latest consensus that the engine knows, None before the first."""
        return self.core.reference

    @property
    def band_reference(self) -> Reference | None:
        """What the band goes by: the latest consensus, or a price of its own; None before any."""
        return self.core.band_reference

    @property
    def band_limits(self) -> tuple[Decimal | None, Decimal | None]:
        """The lowest and the highest price that may trade, in dollars; None: no such edge."""
        return self.core.limits_in_dollars()

    @property
    def now(self) -> int:
        """The instant of the latest command, in microseconds."""
        return self.core.now

    @property
    def market(self) -> MarketState:
        """Whether orders are matched, collected or refused."""
        return self.core.market

    # What traders send.

    def process_order(self, order: Order, time: int | None = None) -> list[Trade]:
        """Submit an order and return its trades; see :meth:`submit`."""
        return [event.trade for event in self.submit(order, time) if isinstance(event, Traded)]

    def submit(self, order: Order, time: int | None = None) -> Answer:
        """Match an order.

        ``Accepted`` or ``Rejected``, then the trades, then ``Cancelled`` if a remainder could not
        rest. An id that was accepted before is refused, whatever became of it.
        """
        if not isinstance(order, Order):
            raise InvalidInput("order", order, "an Order; receive() takes the fields of one")

        first = begun = len(self._rows)
        shows = _shows(_INFO)
        if shows or self._network is not None or type(time) is not int:
            time, begun = self._prepare(time), len(self._rows)
        if shows:
            self._announce(order)
        fields = order.in_cents
        if fields is None or order.symbol != self._symbol_in_cents:
            self._convert(order, time)
        else:
            self.core.enter(fields, time)
        if shows:
            self._report(begun)
        answer = Answer()  # as `Log.answer` does: a call less, here and in `cancel`
        answer.log, answer.start, answer.stop = self._log, first, len(self._rows)
        return answer

    def receive(self, fields: Mapping[str, Any], time: int | None = None) -> Answer:
        """Take in an order from outside, as the fields of an :class:`Order`.

        What is no valid order is rejected with ``invalid_price``, ``invalid_quantity`` or
        ``invalid_order``, as a gateway would; everything else goes as in :meth:`submit`.

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
            refused, given = error, fields.get("order_id")
            order_id = given if isinstance(given, str) else ""
            return self._carry_out(lambda now: self._refuse(refused, Command.ORDER, order_id), time)
        return self.submit(order, time)

    def cancel(self, order_id: str, time: int | None = None) -> Answer:
        """Take a resting order out of the book: ``Cancelled``.

        ``Rejected`` with ``unknown_id`` where no such order rests, or rests any more.
        """
        if type(order_id) is not str:
            to_text(order_id, "order_id")
        first = begun = len(self._rows)
        shows = _shows(_INFO)
        if shows or self._network is not None or type(time) is not int:
            time, begun = self._prepare(time), len(self._rows)
        self.core.cancel(order_id, time)
        if shows:
            self._report(begun)
        answer = Answer()
        answer.log, answer.start, answer.stop = self._log, first, len(self._rows)
        return answer

    def reduce(self, order_id: str, quantity: int, time: int | None = None) -> Answer:
        """Take shares off a resting order, which keeps its priority: ``Reduced``.

        At most those that are left: all of them is a cancel.
        """
        to_text(order_id, "order_id")

        def take_off(now: int) -> None:
            try:
                shares = self.instrument.check_quantity(quantity)
            except InvalidInput as error:
                self._refuse(error, Command.REDUCE, order_id)
            else:
                self.core.reduce(order_id, shares, now)

        return self._carry_out(take_off, time)

    def replace(
        self,
        order_id: str,
        *,
        price: Decimal | float | str | None = None,
        quantity: int | None = None,
        time: int | None = None,
    ) -> Answer:
        """Give a resting order another price or size: ``Replaced``, then as if it had arrived.

        The quantity is what is open from now on, whatever was traded before; None leaves the one or
        the other. A smaller size at the same price keeps the priority. Anything else queues again
        behind all others, and is checked and matched as a new order would be; if it is refused, the
        order stays as it was.
        """
        to_text(order_id, "order_id")

        def change(now: int) -> None:
            ticks = amount = shares = None
            try:
                if quantity is not None:
                    shares = self.instrument.check_quantity(quantity)
                if price is not None:
                    amount = read_price(price)
                    ticks = self.instrument.ticks(amount)
            except InvalidInput as error:
                self._refuse(error, Command.REPLACE, order_id, price=amount)
            else:
                self.core.replace(order_id, ticks, shares, now)

        return self._carry_out(change, time)

    # What the operator and the clock do; no network is asked before.

    def set_reference(self, reference: Reference, time: int | None = None) -> Answer:
        """Take in a newer consensus, a price that has just become final.

        ``ReferenceMoved``, ``BandMoved``, and the cancellations: bids before asks, on each side
        first those beyond its best end, from the outermost price inwards, at one price by arrival.
        Then ``StateChanged``, if the band says so. A reference from the future, or of a kind that
        only bands make, raises `InvalidInput`.
        """

        def move(now: int) -> None:
            self._take_in(reference, None if time is None else now)

        return self._carry_out(move, time, asks=False)

    def advance(self, time: int) -> Answer:
        """Let the clock reach an instant."""
        core = self.core
        if type(time) is int and core.now <= time < core.alarm:  # nothing is due
            core.now = time
            return self._log.answer(len(self._rows))
        return self._carry_out(self.core.advance, time, asks=False)

    def end_day(self, time: int | None = None) -> Answer:
        """End the trading day: every day order expires, in the order of acceptance."""
        return self._carry_out(self.core.end_day, time, asks=False)

    def halt(self, time: int | None = None) -> Answer:
        """Halt the market: orders are refused, resting ones may be cancelled or reduced.

        Nobody but the operator ends a halt. A call auction that is going on is ended before, and
        its orders are matched.
        """
        return self._carry_out(self.core.halt, time, asks=False)

    def resume(self, time: int | None = None) -> Answer:
        """End a halt, or a call auction before its time.

        The band may close the market again at once, such as for a reference that is too old. A
        pause is the band's to end, so that in any other state nothing happens.
        """
        return self._carry_out(self.core.resume, time, asks=False)

    # The description's questions.

    def get_latest_consensus_price(self) -> Decimal | None:
        """Return the latest finalized consensus price in dollars, None before the first."""
        reference = self.reference
        if self._network is not None:
            reference = ask(self._network, reference, self.now) or reference
        return None if reference is None else reference.price

    def validate_trade_price(self, price: Decimal | float | str) -> bool:
        """Whether the band lets a price trade at this instant, whatever the market's state.

        A network is asked for the latest reference first, as at each command.
        """
        ticks = self.instrument.ticks(read_price(price))
        self._carry_out(lambda now: None, None)
        if self.reference is None:
            return self.settings.without_reference == "allow"
        return self.core.watch.may_trade(ticks)

    # What is common to all commands.

    def _carry_out(
        self, command: Callable[[int], None], time: int | None, asks: bool = True
    ) -> Answer:
        """Carry out a command at an instant; return its events, and before them what was due."""
        first = len(self._rows)
        now = self._prepare(time) if asks else self._read_instant(time)
        begun = len(self._rows)
        command(now)
        self._report(begun)
        return self._log.answer(first)

    def _read_instant(self, time: int | None) -> int:
        now, expected = self.now, f"whole microseconds, not before {self.now}"
        return now if time is None else to_whole(time, now, "time", NEVER - 1, expected)

    def _prepare(self, time: int | None) -> int:
        """Do what comes before a command: what is due, the network's answer. Return its instant."""
        core, first = self.core, len(self._rows)
        if time is not None:
            time = self._read_instant(time)
            core.advance(time)
        if self._network is not None:
            reference = ask(self._network, core.reference, core.now)
            if reference is not None and reference != core.reference:
                self._take_in(reference, time)
        self._report(first)
        return core.now

    def _convert(self, order: Order, now: int) -> None:
        """Enter an order whose price must be converted or checked for this instrument."""
        self.core.advance(now)
        if order.symbol != self.symbol:
            self.core.reject(RejectReason.WRONG_SYMBOL, Command.ORDER, order.order_id, order)
            return
        try:
            fields = fields_of(order, self.instrument)
        except OffGrid as error:
            self._refuse(error, Command.ORDER, order.order_id, order)
        else:
            self.core.enter(fields, now)

    def _refuse(
        self,
        error: Exception,
        command: Command,
        order_id: str,
        order: Order | None = None,
        price: Decimal | None = None,
    ) -> None:
        """Reject a command for what is not valid in it."""
        field = error.field if isinstance(error, InvalidInput) else ""
        reasons = _OFF_GRID if isinstance(error, OffGrid) else _INVALID
        reason = reasons.get(field, RejectReason.INVALID_ORDER)
        self.core.reject(reason, command, order_id, order, price, str(error))

    def _take_in(self, reference: Reference, time: int | None) -> None:
        if not isinstance(reference, Reference):
            raise InvalidInput("reference", reference, "a Reference")
        if time is not None and reference.time > time:
            raise InvalidInput("reference.time", reference.time, f"an instant not after {time}")
        if reference.kind not in GIVEN:
            expected = f"{' or '.join(map(repr, GIVEN))}: others are the band's"
            raise InvalidInput("reference.kind", reference.kind, expected)
        now = max(self.now, reference.time) if time is None else time
        self.core.move_reference(reference, now)

    def _announce(self, order: Order) -> None:
        """Show an order that comes in the standard log."""
        price = "market" if order.price is None else format_price(order.price)
        known = "none yet" if self.reference is None else format_price(self.reference.price)
        _LOG.info("Processing order at %s (consensus: %s)", price, known)

    def _report(self, first: int) -> None:
        """Show what was stopped since a sequence number in the standard log."""
        for event in self.events[first:] if _shows(_INFO) else ():
            if isinstance(event, Rejected | Cancelled):
                age = event.reference_age
                known = "" if age is None else f", reference final for {to_seconds(age):.6f} s"
                extra = {"event": event}
                _LOG.info("%s [%s%s]", event.message, event.reason, known, extra=extra)
