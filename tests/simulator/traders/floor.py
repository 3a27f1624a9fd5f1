"""A trading floor: traders on a clock of their own, and a real engine."""

from heapq import heapify, heapreplace

from streamlet_lab.config import TraderConfig
from streamlet_lab.matching import ConsensusMatchingEngine, Reference, Traded
from streamlet_lab.simulator.traders import Cancel, MarketView, Replace, Submit, TraderContext
from streamlet_lab.streams import stream

SYMBOL = "AAPL"
TRUE_PRICE = 150.0
SECOND = 1_000_000


class Traders(TraderConfig):
    """Some traders of a kind, in one line."""

    def __init__(self, kind, count=1, **fields):
        super().__init__(kind=kind, count=count, **fields)


def seat(name="trader_0", seed=0, rate=1.0, symbol=SYMBOL):
    return TraderContext(name, symbol, stream(seed, f"trader/{name}/{symbol}"), rate)


def view(true_price=TRUE_PRICE, **fields):
    return MarketView(fields.pop("time", 0), SYMBOL, true_price, **fields)


class Floor:
    """Traders who meet at a real engine; the true price is a function of time."""

    def __init__(
        self, traders, true_price=lambda time: TRUE_PRICE, *, instrument=SYMBOL, **settings
    ):
        self.engine = ConsensusMatchingEngine(instrument, **settings)
        self.traders = {f"{one.name}/{one.symbol}": one for one in traders}
        self.true_price = true_price
        self._agenda = [(one.wait(), index, one) for index, one in enumerate(traders)]
        heapify(self._agenda)

    def run(self, until, after_each=lambda: None):
        """Let everybody act until an instant, in microseconds."""
        while self._agenda and self._agenda[0][0] <= until:
            time, index, trader = self._agenda[0]
            self.act(trader, time)
            heapreplace(self._agenda, (time + trader.wait(), index, trader))
            after_each()
        self.tell(self.engine.advance(until))

    def act(self, trader, time):
        self.tell(self.engine.advance(time))
        for action in trader.decide(self.view(time)):
            match action:
                case Submit():
                    events = self.engine.submit(action.order, time)
                case Cancel():
                    events = self.engine.cancel(action.order_id, time)
                case Replace():
                    events = self.engine.replace(
                        action.order_id, price=action.price, quantity=action.quantity, time=time
                    )
            self.tell(events)

    def tell(self, events):
        for event in events:
            if isinstance(event, Traded):
                ids = event.trade.buy_order_id, event.trade.sell_order_id
            else:
                ids = (getattr(event, "order_id", ""),)
            for owner in dict.fromkeys(one.rpartition("/")[0] for one in ids):
                if owner in self.traders:
                    self.traders[owner].on_event(event)

    def set_reference(self, price, time=None):
        time = self.engine.now if time is None else time
        self.tell(self.engine.set_reference(Reference(round(price, 2), time), time))

    def open_at(self, price):
        """Have strangers trade once, so that there is a last price."""
        for order_id, side in (("opening-1", "buy"), ("opening-2", "sell")):
            self.engine.receive(
                {
                    "order_id": order_id,
                    "symbol": SYMBOL,
                    "side": side,
                    "order_type": "limit",
                    "quantity": 10,
                    "price": price,
                }
            )
        assert len(self.engine.trades) == 1

    def view(self, time):
        engine = self.engine
        last = engine.trades[-1].price if len(engine.trades) else None
        reference = None if engine.reference is None else engine.reference.price
        return MarketView(
            time,
            SYMBOL,
            self.true_price(time),
            best_bid=dollars(engine.book.best_bid),
            best_ask=dollars(engine.book.best_ask),
            last_price=dollars(last),
            reference=dollars(reference),
            state=engine.market,
        )

    def cash(self, trader):
        """What a trader has received less what it has paid, in dollars, from the tape."""
        own = f"{trader.name}/{trader.symbol}/"
        return sum(
            float(trade.price)
            * trade.quantity
            * (trade.sell_order_id.startswith(own) - trade.buy_order_id.startswith(own))
            for trade in self.engine.trades
        )


def dollars(price):
    return None if price is None else float(price)
