"""Networks that agree on prices, and what was recorded of their runs."""

from streamlet_lab.config import make_config
from streamlet_lab.facade import StockMarketConsensusNetwork
from streamlet_lab.simulator import Recorder, priced

# So that the price never leaves the corridor of the deviation rule by itself.
CALM = {"volatility": 0.2}


def network(**settings):
    """A network on a calm market, and the recorder that watches it."""
    recorder = Recorder()
    settings["prices"] = {**CALM, **settings.get("prices", {})}
    return StockMarketConsensusNetwork(make_config(**settings), monitors=[recorder]), recorder


def run(epochs, **settings):
    lab, recorder = network(epochs=epochs, **settings)
    lab.run(epochs)
    return lab, recorder


def reasons_to_refuse(lab):
    """Why nodes refused blocks in a run."""
    (recorder,) = (one for one in lab.monitors if isinstance(one, Recorder))
    return {refusal.reason for refusal in recorder.refusals}


def liar(price, node="node_1", **settings):
    """A leader that claims a price of its own invention."""
    return {"kind": "lying_leader", "nodes": [node], "parameters": {"price": price}, **settings}


def follow(lab, price_at):
    """Let a network that has not begun quote around a price in dollars that is given by epoch."""
    length = lab.config.market_time_per_epoch
    lab.feed.path.price = lambda time: round(1_000_000 * price_at(time // length))


def price_in(block):
    """The price in a block of one symbol; None where there is none."""
    prices = priced(block)
    assert len(prices) <= 1
    return prices[0] if prices else None


def claims(lab):
    """The finalized price of each epoch; None where there is none."""
    return {block.epoch: price_in(block) for block in lab.observer.tree.finalized[1:]}
