"""A laboratory for markets whose reference price is made by Byzantine fault-tolerant consensus.

>>> import streamlet_lab as sl
>>> result = sl.Experiment(epochs=12, nodes=4, faults={"node_3": "crash@6"}).run()
>>> result.safe
True
"""

import logging

from streamlet_lab.config import ExperimentConfig
from streamlet_lab.consensus import Block, BlockTree, StreamletNode, Vote
from streamlet_lab.errors import DataError, InvalidInput, StreamletLabError
from streamlet_lab.experiment import Experiment, run_protocol
from streamlet_lab.fault import Fault
from streamlet_lab.matching import ConsensusMatchingEngine, Order, Trade
from streamlet_lab.prices import (
    AAPLPriceSimulator,
    PriceConsensus,
    PriceConsensusService,
    PriceValidation,
    StockPrice,
    feed_names,
    load_history,
)
from streamlet_lab.result import ProtocolRun, Result
from streamlet_lab.simulator import (
    NodeFault,
    StockMarketConsensusNetwork,
    StockMarketStreamletNode,
    create_aapl_consensus_network,
    fault_kind,
    fault_kinds,
)

__version__ = "0.1.0"

__all__ = [
    "AAPLPriceSimulator",
    "Block",
    "BlockTree",
    "ConsensusMatchingEngine",
    "DataError",
    "Experiment",
    "ExperimentConfig",
    "Fault",
    "InvalidInput",
    "NodeFault",
    "Order",
    "PriceConsensus",
    "PriceConsensusService",
    "PriceValidation",
    "ProtocolRun",
    "Result",
    "StockMarketConsensusNetwork",
    "StockMarketStreamletNode",
    "StockPrice",
    "StreamletLabError",
    "StreamletNode",
    "Trade",
    "Vote",
    "create_aapl_consensus_network",
    "fault_kind",
    "fault_kinds",
    "feed_names",
    "load_history",
    "run_protocol",
]

# A library is silent unless its user asks for its log.
logging.getLogger(__name__).addHandler(logging.NullHandler())
