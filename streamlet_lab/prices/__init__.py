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
from streamlet_lab.prices.attacks import most_extreme
from streamlet_lab.prices.attestation import (
    SignedQuote,
    admissible_quotes,
    decode_quotes,
    encode_quotes,
    objection_to_quotes,
    sign_quote,
)
from streamlet_lab.prices.correlation import (
    TYPICAL_CORRELATION,
    PathStreams,
    realised_correlation,
)
from streamlet_lab.prices.dishonest import (
    Scene,
    SourceFault,
    Sources,
    equivocates,
    make_source_faults,
    own_source_fault_kinds,
    reserve_kinds,
    source_fault_kind,
    source_fault_kinds,
)
from streamlet_lab.prices.feeds import (
    SIMULATED,
    STEPS_PER_EPOCH,
    AAPLPriceSimulator,
    QuoteFeed,
    feed_symbol,
    make_path,
)
from streamlet_lab.prices.history import feed_names, load_history
from streamlet_lab.prices.judgement import Evaluation, Voter, VoterPolicy, evaluate
from streamlet_lab.prices.lobster import read_lobster
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
from streamlet_lab.prices.outliers import (
    TailRule,
    find_outlier_rule,
    outlier_rule,
    outlier_rules,
    tail_level,
)
from streamlet_lab.prices.paths import (
    MOST_INTRADAY,
    TRADING_DAY,
    TYPICAL_NIGHTS,
    HistoricalPath,
    PricePath,
    SimulatedPath,
)
from streamlet_lab.prices.payload import (
    Claim,
    GenesisPrice,
    MalformedPayload,
    NoPrice,
    PriceConsensus,
    decode_claims,
    decode_payload,
    encode_claims,
)
from streamlet_lab.prices.quotes import ORIGIN, SOURCES, StockPrice
from streamlet_lab.prices.replay import ReplayPath
from streamlet_lab.prices.service import PriceConsensusService
from streamlet_lab.prices.session import TYPICAL_INTRADAY
from streamlet_lab.prices.sources import Source, read_sources, standard_sources, write_sources
from streamlet_lab.prices.validation import (
    OutlierRule,
    PreviousConsensus,
    PriceValidation,
    QuoteCheck,
    QuoteReason,
    check_quotes,
)

__all__ = [
    "MOST_INTRADAY",
    "ORIGIN",
    "SIMULATED",
    "SOURCES",
    "STEPS_PER_EPOCH",
    "TRADING_DAY",
    "TYPICAL_CORRELATION",
    "TYPICAL_INTRADAY",
    "TYPICAL_NIGHTS",
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
    "OutlierRule",
    "PathStreams",
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
    "ReplayPath",
    "ReturnModel",
    "Scene",
    "SignedQuote",
    "SimulatedPath",
    "Source",
    "SourceFault",
    "Sources",
    "StockPrice",
    "TailRule",
    "Voter",
    "VoterPolicy",
    "admissible_quotes",
    "aggregate",
    "aggregator",
    "aggregators",
    "check_quotes",
    "decode_claims",
    "decode_payload",
    "decode_quotes",
    "encode_claims",
    "encode_quotes",
    "equivocates",
    "evaluate",
    "feed_names",
    "feed_symbol",
    "find_aggregator",
    "find_outlier_rule",
    "load_history",
    "make_path",
    "make_source_faults",
    "most_extreme",
    "objection_to_quotes",
    "outlier_rule",
    "outlier_rules",
    "own_source_fault_kinds",
    "path_model",
    "path_models",
    "pyth_price",
    "read_lobster",
    "read_sources",
    "realised_correlation",
    "reserve_kinds",
    "sign_quote",
    "source_fault_kind",
    "source_fault_kinds",
    "standard_sources",
    "tail_level",
    "write_sources",
]
