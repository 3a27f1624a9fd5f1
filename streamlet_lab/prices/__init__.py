"""Prices: paths, quotes, validation rules, aggregation, and the payload that a block carries.

Nothing here knows of consensus or of the simulator. The way of the data:
:mod:`~streamlet_lab.prices.models` → :mod:`~streamlet_lab.prices.paths` →
:mod:`~streamlet_lab.prices.feeds` → :mod:`~streamlet_lab.prices.quotes` →
:mod:`~streamlet_lab.prices.validation` →
:mod:`~streamlet_lab.prices.aggregation`, by one of several
:mod:`~streamlet_lab.prices.aggregators` → :mod:`~streamlet_lab.prices.payload`;
:mod:`~streamlet_lab.prices.judgement` joins them for a leader and for its voters.
"""

from streamlet_lab.prices.aggregation import Aggregate, aggregate
from streamlet_lab.prices.aggregators import (
    Aggregator,
    PythPrice,
    aggregator,
    aggregators,
    find_aggregator,
    pyth_price,
)
from streamlet_lab.prices.feeds import (
    SIMULATED,
    STEPS_PER_EPOCH,
    AAPLPriceSimulator,
    QuoteFeed,
    make_path,
)
from streamlet_lab.prices.history import feed_names, load_history
from streamlet_lab.prices.judgement import Evaluation, Voter, VoterPolicy, evaluate
from streamlet_lab.prices.models import (
    Day,
    GeometricBrownianMotion,
    GjrGarch,
    Jump,
    MertonJumps,
    Regime,
    RegimeSwitching,
    ReturnModel,
    path_model,
    path_models,
)
from streamlet_lab.prices.paths import TRADING_DAY, HistoricalPath, PricePath, SimulatedPath
from streamlet_lab.prices.payload import (
    Claim,
    GenesisPrice,
    MalformedPayload,
    NoPrice,
    PriceConsensus,
    decode_payload,
)
from streamlet_lab.prices.quotes import ORIGIN, SOURCES, StockPrice
from streamlet_lab.prices.service import PriceConsensusService
from streamlet_lab.prices.validation import (
    PreviousConsensus,
    PriceValidation,
    QuoteCheck,
    QuoteReason,
    check_quotes,
)

__all__ = [
    "ORIGIN",
    "SIMULATED",
    "SOURCES",
    "STEPS_PER_EPOCH",
    "TRADING_DAY",
    "AAPLPriceSimulator",
    "Aggregate",
    "Aggregator",
    "Claim",
    "Day",
    "Evaluation",
    "GenesisPrice",
    "GeometricBrownianMotion",
    "GjrGarch",
    "HistoricalPath",
    "Jump",
    "MalformedPayload",
    "MertonJumps",
    "NoPrice",
    "PreviousConsensus",
    "PriceConsensus",
    "PriceConsensusService",
    "PricePath",
    "PriceValidation",
    "PythPrice",
    "QuoteCheck",
    "QuoteFeed",
    "QuoteReason",
    "Regime",
    "RegimeSwitching",
    "ReturnModel",
    "SimulatedPath",
    "StockPrice",
    "Voter",
    "VoterPolicy",
    "aggregate",
    "aggregator",
    "aggregators",
    "check_quotes",
    "decode_payload",
    "evaluate",
    "feed_names",
    "find_aggregator",
    "load_history",
    "make_path",
    "path_model",
    "path_models",
    "pyth_price",
]
