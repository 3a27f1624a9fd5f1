"""What became of the market: orders, trades, rejections, the band and the book.

Everything is read from the engines' events, which are made once for each symbol.
"""

from collections.abc import Iterable
from functools import partial
from itertools import chain
from operator import itemgetter

from streamlet_lab.frames.book import book_rows
from streamlet_lab.frames.tables import Rows, Timed
from streamlet_lab.frames.tape import Tape
from streamlet_lab.simulator import Arrival, Market, Recorder, StockSimulation


def market_rows(network: StockSimulation, market: Market, recorder: Recorder) -> dict[str, Rows]:
    """Return the rows of all frames of the market, by the names of the frames."""
    settings = network.config.market
    samples, levels = market.samples, settings.depth_levels
    # References come from the chain that the market reads, which need not be the observer's.
    epochs = {
        block.hash.hex(): block.epoch
        for _, node, block in recorder.finalizations
        if node == settings.reference_node
    }
    arrivals: dict[str, list[Arrival]] = {symbol: [] for symbol in market.engines}
    for arrival in market.arrivals:
        arrivals[arrival.symbol].append(arrival)
    tapes, books = [], []
    for symbol, engine in market.engines.items():
        events, true_price = list(engine.events), partial(network.true_price, symbol=symbol)
        tape = Tape(
            symbol,
            events,
            arrivals[symbol],
            true_price=true_price,
            epoch_length=network.epoch_length,
            fair_hundredths=settings.fair_hundredths,
            epochs=epochs,
            quoted=market.quoted[symbol],
        )
        tapes.append(tape)
        books.append(book_rows(tape, events, samples, levels, true_price))
    return {
        "orders": _by_time(tape.orders() for tape in tapes),
        "trades": _by_time(tape.trades for tape in tapes),
        "rejections": _by_time(tape.rejections for tape in tapes),
        "bands": _by_time(tape.bands for tape in tapes),
        "book": _by_time(book for book, _ in books),
        "depth": _by_time(depth for _, depth in books),
    }


def _by_time(symbols: Iterable[Iterable[Timed]]) -> Rows:
    """Return the rows of all symbols by time; at one instant in the order of the symbols."""
    return [row for _, row in sorted(chain.from_iterable(symbols), key=itemgetter(0))]
