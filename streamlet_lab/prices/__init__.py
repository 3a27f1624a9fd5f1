"""Prices: paths, quotes, validation rules, aggregation, and the payload that a block carries.

Nothing here knows of consensus or of the simulator. The way of the data:
:mod:`~streamlet_lab.prices.models` → :mod:`~streamlet_lab.prices.paths` →
:mod:`~streamlet_lab.prices.feeds` → :mod:`~streamlet_lab.prices.quotes` →
:mod:`~streamlet_lab.prices.rounds`, by the rules of :mod:`~streamlet_lab.prices.validation` and one
of several :mod:`~streamlet_lab.prices.aggregators` → :mod:`~streamlet_lab.prices.payload`, which
voters judge in :mod:`~streamlet_lab.prices.judgement`.
"""

from streamlet_lab.prices import dishonest
from streamlet_lab.prices.aggregators import (
    Aggregator,
    aggregator,
    aggregators,
    find_aggregator,
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
from streamlet_lab.prices.correlation import TYPICAL_CORRELATION, PathStreams
from streamlet_lab.prices.daily_history import HistoricalPath, feed_names, load_history
from streamlet_lab.prices.feeds import (
    SIMULATED,
    STEPS_PER_EPOCH,
    QuoteFeed,
    feed_symbol,
    make_path,
)
from streamlet_lab.prices.frame_path import ReplayPath
from streamlet_lab.prices.judgement import Voter, VoterPolicy
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
    PathSettings,
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
from streamlet_lab.prices.rounds import (
    Evaluation,
    OutlierRule,
    PriceRound,
    QuoteCheck,
    QuoteReason,
    make_consensus,
    valid_quotes,
)
from streamlet_lab.prices.session import TYPICAL_INTRADAY
from streamlet_lab.prices.source_faults import (
    SOURCE_FAULTS,
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
from streamlet_lab.prices.sources import Source, read_sources, standard_sources, write_sources
from streamlet_lab.prices.validation import PreviousConsensus, PriceValidation

__all__ = [
    "MOST_INTRADAY",
    "ORIGIN",
    "SIMULATED",
    "SOURCES",
    "SOURCE_FAULTS",
    "STEPS_PER_EPOCH",
    "TRADING_DAY",
    "TYPICAL_CORRELATION",
    "TYPICAL_INTRADAY",
    "TYPICAL_NIGHTS",
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
    "PathSettings",
    "PathStreams",
    "PreviousConsensus",
    "PriceConsensus",
    "PricePath",
    "PriceRound",
    "PriceValidation",
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
    "aggregator",
    "aggregators",
    "decode_claims",
    "decode_payload",
    "decode_quotes",
    "dishonest",
    "encode_claims",
    "encode_quotes",
    "equivocates",
    "feed_names",
    "feed_symbol",
    "find_aggregator",
    "find_outlier_rule",
    "load_history",
    "make_consensus",
    "make_path",
    "make_source_faults",
    "most_extreme",
    "objection_to_quotes",
    "outlier_rule",
    "outlier_rules",
    "own_source_fault_kinds",
    "path_model",
    "path_models",
    "read_lobster",
    "read_sources",
    "reserve_kinds",
    "sign_quote",
    "source_fault_kind",
    "source_fault_kinds",
    "standard_sources",
    "tail_level",
    "valid_quotes",
    "write_sources",
]
