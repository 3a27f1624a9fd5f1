"""The market on the clock: traders act, the engines match, and the references move."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple

from streamlet_lab.config import ExperimentConfig
from streamlet_lab.consensus import Block
from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching import ConsensusMatchingEngine, Event, Order, Reference, make_band
from streamlet_lab.matching.core import MatchingCore
from streamlet_lab.matching.watch import NEVER
from streamlet_lab.prices import PriceConsensus
from streamlet_lab.simulator.monitors import Monitor
from streamlet_lab.simulator.price_application import read_claims
from streamlet_lab.simulator.queue import Priority
from streamlet_lab.simulator.references import CONSENSUS, Publication, Publications
from streamlet_lab.simulator.stock import StockSimulation
from streamlet_lab.simulator.traders import (
    Action,
    Cancel,
    ExecutionReports,
    MarketView,
    Replace,
    Submit,
    Trader,
    make_traders,
)
from streamlet_lab.units import from_ticks, to_instance, to_name

_CENTS: Final = 100  # of a dollar: the ticks of all engines here
_MICROS_PER_CENT: Final = 10_000


class Arrival(NamedTuple):
    """An order at the instant at which the engine of a symbol took it in."""

    time: int
    symbol: str
    order: Order
    kind: str
    intent: str
    true_price: int  # micro-dollars


class Market(Monitor):
    """Traders and a matching engine for each symbol, on the clock of a consensus network.

    The references move at the instant at which the node that the market reads sees a block
    finalized, or an oracle in its place publishes. The market never looks at the true price;
    traders may, and oracles do. It adds itself to the monitors of the network.

    Attributes
    ----------
    engines : dict of str to ConsensusMatchingEngine
        By symbol.
    traders : list of Trader
        In the order of the configuration, for each symbol.
    arrivals : list of Arrival
        Every order, in the order of its arrival.
    quoted : dict of str to dict of Reference to int
        By symbol: of which instant of protocol time each reference is the true price, microseconds;
        of the consensus the start of its block's epoch, when the sources were asked.
    """

    def __init__(self, network: StockSimulation) -> None:
        config, symbols = network.config.market, network.symbols
        self.engines = {symbol: make_engine(network.config, symbol) for symbol in symbols}
        self.traders = make_traders(config.traders, symbols, network.config.seed)
        self.arrivals: list[Arrival] = []
        self.quoted: dict[str, dict[Reference, int]] = {symbol: {} for symbol in symbols}
        self._network = network
        self._reads = config.reference_node if config.reference.kind == CONSENSUS else None
        self._oracles = {
            symbol: Publications(config.reference, feed.path.price)
            for symbol, feed in network.feeds.items()
        }
        self._newest: dict[str, tuple[Decimal, Block]] = {}
        self._reports = {name: ExecutionReports(engine) for name, engine in self.engines.items()}
        network.monitors.append(self)
        for symbol in symbols:
            self._expect(symbol)
        for trader in self.traders:
            trader.attach(self._reports[trader.symbol].subscribe)
            first = network.queue.now + trader.wait()
            network.queue.schedule(first, Priority.ORDER, self._act, trader)

    def close(self, time: int) -> None:
        """Let everything happen that is due until the end of a run."""
        for symbol, engine in self.engines.items():
            engine.advance(time)
            self._reports[symbol].send()

    def submit(self, order: Order) -> Sequence[Event]:
        """Send an order now that is no trader's but a guest's, and return its events.

        What goes to an engine directly would be in no frame. An id that begins as those of a
        trader's own orders is refused.
        """
        symbol = to_name(getattr(order, "symbol", order), [*self.engines], "symbol")
        order_id = to_instance(order, Order, "order").order_id
        if order_id.startswith(tuple(f"{each.name}/{each.symbol}/" for each in self.traders)):
            raise InvalidInput("order_id", order_id, "an id that does not begin as a trader's own")
        time = self._network.queue.now
        true_price = self._network.true_price(time, symbol)
        self.arrivals.append(Arrival(time, symbol, order, "guest", "honest", true_price))
        events = self.engines[symbol].submit(order, time)
        self._reports[symbol].send()
        return events

    def finalized(self, time: int, node: str, block: Block) -> None:
        """Have the references moved once everything that arrives at this instant is in."""
        if node != self._reads:
            return
        for claim in read_claims(block):
            # A dishonest quorum may finalize the price of something that nobody trades.
            if isinstance(claim, PriceConsensus) and claim.symbol in self.engines:
                if not self._newest:
                    self._network.queue.schedule(time, Priority.REFERENCE, self._move_references)
                self._newest[claim.symbol] = (claim.consensus_price, block)

    def _move_references(self, time: int, _: None) -> None:
        newest, self._newest = self._newest, {}
        for symbol, (price, block) in newest.items():
            quoted = block.epoch * self._network.epoch_length
            self._move(symbol, Reference(price, time, block.hash.hex()), quoted)

    def _expect(self, symbol: str) -> None:
        """Have the next price carried out that an oracle publishes, if one does."""
        publication = next(self._oracles[symbol], None)
        if publication is not None:
            time = self._network.protocol_time(publication.time)
            argument = symbol, publication
            self._network.queue.schedule(time, Priority.REFERENCE, self._publish, argument)

    def _publish(self, time: int, published: tuple[str, Publication]) -> None:
        symbol, publication = published
        price = from_ticks(round(Fraction(publication.price, _MICROS_PER_CENT)))
        quoted = self._network.protocol_time(publication.quoted)
        self._move(symbol, Reference(price, time, kind="oracle"), quoted)
        self._expect(symbol)

    def _move(self, symbol: str, reference: Reference, quoted: int) -> None:
        self.quoted[symbol][reference] = quoted
        self.engines[symbol].set_reference(reference, reference.time)
        self._reports[symbol].send()

    def _act(self, time: int, trader: Trader) -> None:
        symbol = trader.symbol
        engine, reports = self.engines[symbol], self._reports[symbol]
        # What is due until now has happened when the trader looks.
        engine.advance(time)
        if reports.traders:
            reports.send()
        true_price = self._network.true_price(time, symbol)
        for action in trader.decide(_view(engine.core, time, symbol, true_price)):
            self._carry_out(action, trader, time, true_price)
            if reports.traders:
                reports.send()
        self._network.queue.schedule(time + trader.wait(), Priority.ORDER, self._act, trader)

    def _carry_out(self, action: Action, trader: Trader, time: int, true_price: int) -> None:
        engine = self.engines[trader.symbol]
        match action:
            case Submit(order, intent):
                arrival = Arrival(time, trader.symbol, order, trader.kind, intent, true_price)
                self.arrivals.append(arrival)
                engine.submit(order, time)
            case Cancel(order_id):
                engine.cancel(order_id, time)
            case Replace(order_id, price, quantity):
                engine.replace(order_id, price=price, quantity=quantity, time=time)


def make_engine(config: ExperimentConfig, symbol: str) -> ConsensusMatchingEngine:
    """Return the engine of a symbol, with the band and the policies of a configuration."""
    market = config.market
    return ConsensusMatchingEngine(
        symbol,
        band=make_band(market.band, market.band_percent, market.band_parameters),
        without_reference=market.without_reference,
        self_trade=market.self_trade,
        pace=Fraction(config.epoch_length, config.market_time_per_epoch),
    )


def _view(core: MatchingCore, time: int, symbol: str, true_price: int) -> MarketView:
    bid, ask, last = core.book.bids.best(), core.book.asks.best(), core.log.last_price
    reference, (low, high) = core.reference, core.limits
    return MarketView(
        time,
        symbol,
        true_price / 1e6,
        None if bid is None else bid / _CENTS,
        None if ask is None else ask / _CENTS,
        None if last is None else last / _CENTS,
        None if reference is None else float(reference.price),
        core.market,
        low / _CENTS if low else None,
        high / _CENTS if high < NEVER else None,
    )
