"""A laboratory for markets whose reference price is made by Byzantine fault-tolerant consensus.

>>> import streamlet_lab as sl
>>> result = sl.Experiment(epochs=12, nodes=4, faults={"node_3": "crash@6"}).run()
>>> result.safe
True
"""

# isort: off
from streamlet_lab.interrupts import end_at_once, is_command

if is_command():  # which answers Ctrl-C, also while all that follows is imported
    end_at_once()

# isort: on
import logging
import types

from streamlet_lab import studies as studies
from streamlet_lab.config import ED25519_TIMES as ED25519_TIMES
from streamlet_lab.config import REGION_DELAYS as REGION_DELAYS
from streamlet_lab.config import ExperimentConfig as ExperimentConfig
from streamlet_lab.config import alternating as alternating
from streamlet_lab.consensus import Block as Block
from streamlet_lab.consensus import BlockTree as BlockTree
from streamlet_lab.consensus import Evidence as Evidence
from streamlet_lab.consensus import FinalityProof as FinalityProof
from streamlet_lab.consensus import Proposal as Proposal
from streamlet_lab.consensus import PublicKeys as PublicKeys
from streamlet_lab.consensus import StreamletNode as StreamletNode
from streamlet_lab.consensus import Vote as Vote
from streamlet_lab.consensus import is_proven as is_proven
from streamlet_lab.consensus import verify_proof as verify_proof
from streamlet_lab.description import AAPLPriceSimulator as AAPLPriceSimulator
from streamlet_lab.description import PriceConsensusService as PriceConsensusService
from streamlet_lab.description import StockMarketConsensusNetwork as StockMarketConsensusNetwork
from streamlet_lab.description import StockMarketStreamletNode as StockMarketStreamletNode
from streamlet_lab.description import create_aapl_consensus_network as create_aapl_consensus_network
from streamlet_lab.errors import DataError as DataError
from streamlet_lab.errors import InvalidInput as InvalidInput
from streamlet_lab.errors import StreamletLabError as StreamletLabError
from streamlet_lab.experiment import Experiment as Experiment
from streamlet_lab.experiment import run_protocol as run_protocol
from streamlet_lab.fault import Fault as Fault
from streamlet_lab.grid import Sweep as Sweep
from streamlet_lab.grid import sweep as sweep
from streamlet_lab.intervals import Share as Share
from streamlet_lab.intervals import mean_interval as mean_interval
from streamlet_lab.intervals import share_difference as share_difference
from streamlet_lab.intervals import share_interval as share_interval
from streamlet_lab.matching import ConsensusMatchingEngine as ConsensusMatchingEngine
from streamlet_lab.matching import Order as Order
from streamlet_lab.matching import Trade as Trade
from streamlet_lab.matching import band as band
from streamlet_lab.matching import bands as bands
from streamlet_lab.prices import Aggregator as Aggregator
from streamlet_lab.prices import PriceConsensus as PriceConsensus
from streamlet_lab.prices import PriceValidation as PriceValidation
from streamlet_lab.prices import Scene as Scene
from streamlet_lab.prices import Source as Source
from streamlet_lab.prices import SourceFault as SourceFault
from streamlet_lab.prices import StockPrice as StockPrice
from streamlet_lab.prices import TailRule as TailRule
from streamlet_lab.prices import aggregator as aggregator
from streamlet_lab.prices import aggregators as aggregators
from streamlet_lab.prices import load_history as load_history
from streamlet_lab.prices import outlier_rule as outlier_rule
from streamlet_lab.prices import outlier_rules as outlier_rules
from streamlet_lab.prices import path_model as path_model
from streamlet_lab.prices import path_models as path_models
from streamlet_lab.prices import read_lobster as read_lobster
from streamlet_lab.prices import source_fault_kind as source_fault_kind
from streamlet_lab.prices import source_fault_kinds as source_fault_kinds
from streamlet_lab.quasi_random import quasi_random as quasi_random
from streamlet_lab.result import Result as Result
from streamlet_lab.scenarios import Scenario as Scenario
from streamlet_lab.scenarios import ScenarioRun as ScenarioRun
from streamlet_lab.scenarios import scenario as scenario
from streamlet_lab.scenarios import scenario_names as scenario_names
from streamlet_lab.simulator import NodeFault as NodeFault
from streamlet_lab.simulator import Publication as Publication
from streamlet_lab.simulator import Send as Send
from streamlet_lab.simulator import Trader as Trader
from streamlet_lab.simulator import delay_kind as delay_kind
from streamlet_lab.simulator import delay_kinds as delay_kinds
from streamlet_lab.simulator import fault_kind as fault_kind
from streamlet_lab.simulator import fault_kinds as fault_kinds
from streamlet_lab.simulator import reference_kind as reference_kind
from streamlet_lab.simulator import reference_kinds as reference_kinds
from streamlet_lab.simulator import trader_kind as trader_kind
from streamlet_lab.simulator import trader_kinds as trader_kinds

__version__ = "0.1.0"

# For `import *`: no module but those that are meant, which would hide names of the user's own.
__all__ = [
    name
    for name, value in vars().items()
    if name[0] != "_" and (not isinstance(value, types.ModuleType) or name == "studies")
]

# A library is silent unless its user asks for its log.
logging.getLogger(__name__).addHandler(logging.NullHandler())
