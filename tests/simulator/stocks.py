"""Networks that agree on prices, and what was recorded of their runs."""

from streamlet_lab.config import make_config
from streamlet_lab.simulator import Recorder, StockMarketConsensusNetwork, priced


def network(**settings):
    """A network, and the recorder that watches it."""
    recorder = Recorder()
    return StockMarketConsensusNetwork(make_config(**settings), monitors=[recorder]), recorder


def run(epochs, **settings):
    lab, recorder = network(epochs=epochs, **settings)
    lab.run(epochs)
    return lab, recorder


def liar(price, node="node_1", **settings):
    """A leader that claims a price of its own invention."""
    return {"kind": "lying_leader", "nodes": [node], "parameters": {"price": price}, **settings}


def follow(lab, price_at):
    """Let a network that has not begun quote around a price that is given by epoch."""
    lab.feed.path = GivenPath(lab.feed.path, lab.config.market_time_per_epoch, price_at)


class GivenPath:
    """Another path's calendar and volume, and prices in dollars as given."""

    def __init__(self, path, market_time_per_epoch, price_at):
        self.symbol, self.base_price, self.bounds = path.symbol, path.base_price, path.bounds
        self.duration, self.volume, self.timestamp = path.duration, path.volume, path.timestamp
        self.price = lambda time: round(1_000_000 * price_at(time // market_time_per_epoch))


def claims(lab):
    """The finalized price of each epoch; None where there is none."""
    return {block.epoch: priced(block) for block in lab.observer.tree.finalized[1:]}
