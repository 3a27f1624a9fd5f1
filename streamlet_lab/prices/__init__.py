"""Prices: paths, quotes, validation rules, aggregation, and the payload that a block carries.

Nothing here knows of consensus or of the simulator. The way of the data:
:mod:`~streamlet_lab.prices.models` → :mod:`~streamlet_lab.prices.paths` →
:mod:`~streamlet_lab.prices.feeds` → :mod:`~streamlet_lab.prices.quotes` →
:mod:`~streamlet_lab.prices.rounds`, by the rules of :mod:`~streamlet_lab.prices.validation` and one
of several :mod:`~streamlet_lab.prices.aggregation` → :mod:`~streamlet_lab.prices.payload`, which
voters judge in :mod:`~streamlet_lab.prices.voter`.
"""

from streamlet_lab.prices import dishonest as dishonest
from streamlet_lab.prices.aggregation import Aggregator as Aggregator
from streamlet_lab.prices.aggregation import aggregator as aggregator
from streamlet_lab.prices.aggregation import aggregators as aggregators
from streamlet_lab.prices.aggregation import find_aggregator as find_aggregator
from streamlet_lab.prices.attestation import SignedQuote as SignedQuote
from streamlet_lab.prices.attestation import admissible_quotes as admissible_quotes
from streamlet_lab.prices.attestation import decode_quotes as decode_quotes
from streamlet_lab.prices.attestation import encode_quotes as encode_quotes
from streamlet_lab.prices.attestation import objection_to_quotes as objection_to_quotes
from streamlet_lab.prices.attestation import sign_quote as sign_quote
from streamlet_lab.prices.correlation import TYPICAL_CORRELATION as TYPICAL_CORRELATION
from streamlet_lab.prices.correlation import PathStreams as PathStreams
from streamlet_lab.prices.daily_history import load_history as load_history
from streamlet_lab.prices.feeds import SIMULATED as SIMULATED
from streamlet_lab.prices.feeds import STEPS_PER_EPOCH as STEPS_PER_EPOCH
from streamlet_lab.prices.feeds import QuoteFeed as QuoteFeed
from streamlet_lab.prices.feeds import feed_symbol as feed_symbol
from streamlet_lab.prices.feeds import make_path as make_path
from streamlet_lab.prices.frame_path import FRAME as FRAME
from streamlet_lab.prices.frame_path import FrameFeed as FrameFeed
from streamlet_lab.prices.frame_path import ReplayPath as ReplayPath
from streamlet_lab.prices.intraday import TYPICAL_INTRADAY as TYPICAL_INTRADAY
from streamlet_lab.prices.jumps import JumpingPath as JumpingPath
from streamlet_lab.prices.lobster import read_lobster as read_lobster
from streamlet_lab.prices.models import Day as Day
from streamlet_lab.prices.models import GeometricBrownianMotion as GeometricBrownianMotion
from streamlet_lab.prices.models import GjrGarch as GjrGarch
from streamlet_lab.prices.models import Jump as Jump
from streamlet_lab.prices.models import MertonJumps as MertonJumps
from streamlet_lab.prices.models import Regime as Regime
from streamlet_lab.prices.models import RegimeSwitching as RegimeSwitching
from streamlet_lab.prices.models import ReturnModel as ReturnModel
from streamlet_lab.prices.models import path_model as path_model
from streamlet_lab.prices.models import path_models as path_models
from streamlet_lab.prices.outliers import TailRule as TailRule
from streamlet_lab.prices.outliers import find_outlier_rule as find_outlier_rule
from streamlet_lab.prices.outliers import outlier_rule as outlier_rule
from streamlet_lab.prices.outliers import outlier_rules as outlier_rules
from streamlet_lab.prices.paths import MOST_INTRADAY as MOST_INTRADAY
from streamlet_lab.prices.paths import TRADING_DAY as TRADING_DAY
from streamlet_lab.prices.paths import TYPICAL_NIGHTS as TYPICAL_NIGHTS
from streamlet_lab.prices.paths import PathSettings as PathSettings
from streamlet_lab.prices.paths import PricePath as PricePath
from streamlet_lab.prices.paths import SimulatedPath as SimulatedPath
from streamlet_lab.prices.payload import Claim as Claim
from streamlet_lab.prices.payload import GenesisPrice as GenesisPrice
from streamlet_lab.prices.payload import MalformedPayload as MalformedPayload
from streamlet_lab.prices.payload import NoPrice as NoPrice
from streamlet_lab.prices.payload import PriceConsensus as PriceConsensus
from streamlet_lab.prices.payload import decode_claims as decode_claims
from streamlet_lab.prices.payload import decode_payload as decode_payload
from streamlet_lab.prices.payload import encode_claims as encode_claims
from streamlet_lab.prices.quotes import ORIGIN as ORIGIN
from streamlet_lab.prices.quotes import SOURCES as SOURCES
from streamlet_lab.prices.quotes import StockPrice as StockPrice
from streamlet_lab.prices.rounds import Evaluation as Evaluation
from streamlet_lab.prices.rounds import PriceRound as PriceRound
from streamlet_lab.prices.rounds import QuoteReason as QuoteReason
from streamlet_lab.prices.rounds import valid_quotes as valid_quotes
from streamlet_lab.prices.source_faults import SOURCE_FAULTS as SOURCE_FAULTS
from streamlet_lab.prices.source_faults import Scene as Scene
from streamlet_lab.prices.source_faults import SourceFault as SourceFault
from streamlet_lab.prices.source_faults import Sources as Sources
from streamlet_lab.prices.source_faults import make_source_faults as make_source_faults
from streamlet_lab.prices.source_faults import source_fault_kind as source_fault_kind
from streamlet_lab.prices.source_faults import source_fault_kinds as source_fault_kinds
from streamlet_lab.prices.sources import Source as Source
from streamlet_lab.prices.sources import read_sources as read_sources
from streamlet_lab.prices.sources import standard_sources as standard_sources
from streamlet_lab.prices.sources import write_sources as write_sources
from streamlet_lab.prices.validation import PreviousConsensus as PreviousConsensus
from streamlet_lab.prices.validation import PriceValidation as PriceValidation
from streamlet_lab.prices.validation import unchecked_previous as unchecked_previous
from streamlet_lab.prices.voter import Voter as Voter
from streamlet_lab.prices.voter import VoterPolicy as VoterPolicy
