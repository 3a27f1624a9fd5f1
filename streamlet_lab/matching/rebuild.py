"""An engine rebuilt from its events alone, without matching anything again."""

from collections.abc import Iterable

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching.book import Resting
from streamlet_lab.matching.engine import ConsensusMatchingEngine
from streamlet_lab.matching.engine_settings import EngineSettings
from streamlet_lab.matching.events import BandMoved, Event, ReferenceMoved, StateChanged, Traded
from streamlet_lab.matching.orders import Side
from streamlet_lab.matching.session import TradingSession
from streamlet_lab.matching.tracker import OrderTracker
from streamlet_lab.matching.watch import NEVER


def replay(
    events: Iterable[Event], settings: EngineSettings | None = None
) -> ConsensusMatchingEngine:
    """Rebuild an engine from its events alone, without matching anything again.

    The engine has no network; its clock stands at the latest event.

    Parameters
    ----------
    events : iterable of Event
        The log, from its beginning.
    settings : EngineSettings, optional
        Those of the engine that wrote it; the events of an engine know them.
    """
    settings = settings or getattr(events, "settings", None)
    if settings is None:
        raise InvalidInput("settings", None, "the settings of the engine that wrote the events")
    engine = ConsensusMatchingEngine(
        settings.instrument,
        band=settings.band,
        without_reference=settings.without_reference,
        self_trade=settings.self_trade,
        pace=settings.pace,
    )
    _restore(engine.core, events)
    return engine


def _restore(core: TradingSession, events: Iterable[Event]) -> None:
    """Bring a new core into the state in which another one wrote these events.

    Events are taken as facts. The watch of the band is given the same ones at the same instants,
    and asked nothing: what it decided is in the log already.
    """
    tracker, watch, instrument = OrderTracker(), core.watch, core.instrument
    for event in events:
        core.now = time = event.time
        while watch.alarm <= time:
            watch.wake(watch.alarm)
        core.log.append(event)
        tracker.follow(event)
        match event:
            case Traded(trade=trade) if watch.listens:
                watch.traded(instrument.ticks(trade.price), trade.quantity, time)
            case ReferenceMoved(reference=reference):
                core.adopt(reference, core.market)
                ticks = instrument.fraction_of_ticks(reference.price)
                watch.on_reference(ticks, reference.time, time)
            case BandMoved(low=low, high=high, reference=band_reference):
                lowest = 0 if low is None else instrument.ticks(low)
                highest = NEVER if high is None else instrument.ticks(high)
                core.adopt_band((lowest, highest), band_reference)
            case StateChanged(state=state):
                core.adopt(core.reference, state)
                watch.entered(state, time)
    _fill_book(core, tracker)
    core.set_alarm()


def _fill_book(core: TradingSession, tracker: OrderTracker) -> None:
    waiting = []
    for order_id, opened in tracker.open.items():
        order = opened.order
        if order.time_in_force.rests:
            assert opened.price is not None
            ticks, trader = core.instrument.ticks(opened.price), order.trader
            key = -ticks if order.side is Side.BUY else ticks
            waiting.append(Resting.of(order_id, trader, opened.quantity, opened.priority, key))
            core.schedule_expiry(order_id)
    core.book.fill(waiting)
