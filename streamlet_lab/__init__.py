"""A laboratory for markets whose reference price is made by Byzantine fault-tolerant consensus.

>>> import streamlet_lab as sl
>>> result = sl.Experiment(epochs=12, nodes=4, faults={"node_3": "crash@6"}).run()
>>> result.safe
True
"""

import logging

from streamlet_lab import studies
from streamlet_lab.config import ED25519_TIMES, REGION_DELAYS, ExperimentConfig, alternating
from streamlet_lab.consensus import (
    Block,
    BlockTree,
    Evidence,
    FinalityProof,
    Proposal,
    PublicKeys,
    StreamletNode,
    Vote,
    is_proven,
    verify_proof,
)
from streamlet_lab.description import (
    AAPLPriceSimulator,
    PriceConsensusService,
    StockMarketConsensusNetwork,
    StockMarketStreamletNode,
    create_aapl_consensus_network,
)
from streamlet_lab.errors import DataError, InvalidInput, StreamletLabError
from streamlet_lab.experiment import Experiment, run_protocol
from streamlet_lab.fault import Fault
from streamlet_lab.grid import Sweep, sweep
from streamlet_lab.intervals import Share, mean_interval, share_difference, share_interval
from streamlet_lab.matching import ConsensusMatchingEngine, Order, Trade, band, bands
from streamlet_lab.prices import (
    Aggregator,
    PriceConsensus,
    PriceValidation,
    Scene,
    Source,
    SourceFault,
    StockPrice,
    TailRule,
    aggregator,
    aggregators,
    load_history,
    outlier_rule,
    outlier_rules,
    path_model,
    path_models,
    read_lobster,
    source_fault_kind,
    source_fault_kinds,
)
from streamlet_lab.result import Result
from streamlet_lab.scenarios import Scenario, ScenarioRun, scenario, scenario_names
from streamlet_lab.simulator import (
    NodeFault,
    Publication,
    Send,
    Trader,
    delay_kind,
    delay_kinds,
    fault_kind,
    fault_kinds,
    reference_kind,
    reference_kinds,
    trader_kind,
    trader_kinds,
)

__version__ = "0.1.0"

__all__ = [
    "ED25519_TIMES",
    "REGION_DELAYS",
    "AAPLPriceSimulator",
    "Aggregator",
    "Block",
    "BlockTree",
    "ConsensusMatchingEngine",
    "DataError",
    "Evidence",
    "Experiment",
    "ExperimentConfig",
    "Fault",
    "FinalityProof",
    "InvalidInput",
    "NodeFault",
    "Order",
    "PriceConsensus",
    "PriceConsensusService",
    "PriceValidation",
    "Proposal",
    "PublicKeys",
    "Publication",
    "Result",
    "Scenario",
    "ScenarioRun",
    "Scene",
    "Send",
    "Share",
    "Source",
    "SourceFault",
    "StockMarketConsensusNetwork",
    "StockMarketStreamletNode",
    "StockPrice",
    "StreamletLabError",
    "StreamletNode",
    "Sweep",
    "TailRule",
    "Trade",
    "Trader",
    "Vote",
    "aggregator",
    "aggregators",
    "alternating",
    "band",
    "bands",
    "create_aapl_consensus_network",
    "delay_kind",
    "delay_kinds",
    "fault_kind",
    "fault_kinds",
    "is_proven",
    "load_history",
    "mean_interval",
    "outlier_rule",
    "outlier_rules",
    "path_model",
    "path_models",
    "read_lobster",
    "reference_kind",
    "reference_kinds",
    "run_protocol",
    "scenario",
    "scenario_names",
    "share_difference",
    "share_interval",
    "source_fault_kind",
    "source_fault_kinds",
    "studies",
    "sweep",
    "trader_kind",
    "trader_kinds",
    "verify_proof",
]

# A library is silent unless its user asks for its log.
logging.getLogger(__name__).addHandler(logging.NullHandler())
