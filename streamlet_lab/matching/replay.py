"""An engine rebuilt from its log alone, without matching anything again.

Events are taken as facts: an accepted order that may rest joins its queue, and every later event
takes from it what it says. What arrives and never rests leaves no trace in the book. The watch of
the band is told the same facts, and asked nothing.
"""

from collections.abc import Iterable
from typing import assert_never

from streamlet_lab.matching.band import NEVER
from streamlet_lab.matching.book import Resting
from streamlet_lab.matching.commands import IOC, Entry, fields_of
from streamlet_lab.matching.core import MatchingCore
from streamlet_lab.matching.events import (
    Accepted,
    BandMoved,
    Cancelled,
    Clipped,
    Event,
    Expired,
    Reduced,
    ReferenceMoved,
    Rejected,
    Replaced,
    StateChanged,
    Traded,
    Uncrossed,
)
from streamlet_lab.matching.instrument import Instrument
from streamlet_lab.matching.log import (
    ACCEPTED,
    BAND,
    CANCEL_REASONS,
    CANCELLED,
    CLIPPED,
    COMMANDS,
    EXPIRED,
    REDUCED,
    REFERENCE,
    REJECT_REASONS,
    REJECTED,
    REPLACED,
    STATE,
    STATES,
    TRADED,
    UNCROSSED,
)
from streamlet_lab.matching.orders import Side


def restore(core: MatchingCore, instrument: Instrument, events: Iterable[Event]) -> None:
    """Bring a new core into the state in which a log left the one that wrote it."""
    for event in events:
        _pass_time(core, event.time)
        _apply(core, instrument, event)
    core.set_alarm()


def _pass_time(core: MatchingCore, time: int) -> None:
    """Wake the band when the engine woke it; what it decided then stands in the log."""
    core.now = time
    while core.watch.alarm <= time:
        core.watch.wake(core.watch.alarm)


def _apply(core: MatchingCore, instrument: Instrument, event: Event) -> None:
    log, time = core.log, event.time
    match event:
        case Accepted(sequence, _, order):
            fields = fields_of(order, instrument)
            entry = Entry._make(fields)
            log.rows.append((ACCEPTED, time, fields))
            log.accepted[entry.order_id] = sequence
            if entry.time_in_force < IOC:
                assert entry.ticks is not None
                order_id, trader, quantity = entry.order_id, entry.trader, entry.quantity
                resting = Resting(order_id, trader, quantity, sequence)
                core.book.add(resting, entry.side, entry.ticks)
                core.schedule_expiry(order_id, sequence)
        case Rejected():
            what = (REJECT_REASONS.index(event.reason), COMMANDS.index(event.command))
            judged = (event.order_id, event.price, event.reference, event.order, event.detail)
            log.rows.append((REJECTED, time, *what, *judged))
        case Traded(sequence, trade, buy_remaining, sell_remaining):
            bought = (trade.buy_order_id, buy_remaining)
            sold = (trade.sell_order_id, sell_remaining)
            is_buy = trade.aggressor is Side.BUY
            (arrived, left), (waited, kept) = (bought, sold) if is_buy else (sold, bought)
            ticks = instrument.ticks(trade.price)
            log.tape.append(sequence)
            traded = (trade.trade_id, ticks, trade.quantity, 1 if is_buy else -1)
            log.rows.append((TRADED, time, *traded, arrived, waited, left, kept))
            _take(core, arrived, trade.quantity)
            _take(core, waited, trade.quantity)
            if core.watch.listens:
                core.watch.traded(ticks, trade.quantity, time)
        case Cancelled():
            order_id, quantity, price = event.order_id, event.quantity, event.price
            judged_at = None if price is None else instrument.ticks(price)
            reason = CANCEL_REASONS.index(event.reason)
            row = (CANCELLED, time, reason, order_id, quantity, judged_at, event.reference)
            log.rows.append(row)
            _take(core, order_id, quantity)
        case Reduced(_, _, order_id, why, quantity, remaining):
            reason = CANCEL_REASONS.index(why)
            log.rows.append((REDUCED, time, order_id, reason, quantity, remaining))
            _take(core, order_id, quantity)
        case Replaced(sequence, _, order_id, price, quantity, keeps):
            ticks = instrument.ticks(price)
            log.rows.append((REPLACED, time, order_id, ticks, quantity, keeps))
            resting = core.book.orders[order_id]
            if keeps:
                core.book.reduce(resting, resting.remaining - quantity)
            else:
                _queue_again(core, resting, ticks, quantity, sequence)
        case Clipped(sequence, _, order_id, price, quantity):
            ticks = instrument.ticks(price)
            log.rows.append((CLIPPED, time, order_id, ticks, quantity))
            clipped = core.book.orders.get(order_id)
            if clipped is not None:
                _queue_again(core, clipped, ticks, quantity, sequence)
        case Expired(_, _, order_id, quantity):
            log.rows.append((EXPIRED, time, order_id, quantity))
            _take(core, order_id, quantity)
        case ReferenceMoved(_, _, reference):
            log.rows.append((REFERENCE, time, reference))
            core.adopt(reference, core.market)
            told = instrument.fraction_of_ticks(reference.price)
            core.watch.on_reference(told, reference.time, time)
        case BandMoved(_, _, lowest, highest, band_reference):
            low = 0 if lowest is None else instrument.ticks(lowest)
            high = NEVER if highest is None else instrument.ticks(highest)
            log.rows.append((BAND, time, low, high, band_reference))
            core.adopt_band((low, high), band_reference)
            core.watch.moved((low, high), core.ticks_of(band_reference), time)
        case Uncrossed(_, _, cleared_at, quantity, surplus):
            found = None if cleared_at is None else instrument.ticks(cleared_at)
            log.rows.append((UNCROSSED, time, found, quantity, surplus))
        case StateChanged(_, _, state):
            log.rows.append((STATE, time, STATES.index(state)))
            core.adopt(core.reference, state)
            core.watch.entered(state, time)
        case _:
            assert_never(event)


def _take(core: MatchingCore, order_id: str, quantity: int) -> None:
    resting = core.book.orders.get(order_id)
    if resting is not None:
        core.book.reduce(resting, quantity)


def _queue_again(
    core: MatchingCore, resting: Resting, ticks: int, quantity: int, priority: int
) -> None:
    core.book.lift(resting)
    resting.remaining, resting.priority = quantity, priority
    core.book.add(resting, core.log.entry(resting.order_id).side, ticks)
