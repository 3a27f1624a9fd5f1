"""What a person types: the validated configuration of an experiment."""

from streamlet_lab.config.experiment_config import ExperimentConfig
from streamlet_lab.config.frame_feed import FRAME, Feed, FrameFeed
from streamlet_lab.config.loading import load_config, make_config
from streamlet_lab.config.market_config import OBSERVER, MarketConfig, ReferenceConfig, TraderConfig
from streamlet_lab.config.network_config import (
    ED25519_TIMES,
    REGION_DELAYS,
    Interval,
    NetworkConfig,
    Partition,
    alternating,
)
from streamlet_lab.config.prices_config import AssetConfig, PricesConfig
from streamlet_lab.values import Amount, Duration

__all__ = [
    "ED25519_TIMES",
    "FRAME",
    "OBSERVER",
    "REGION_DELAYS",
    "Amount",
    "AssetConfig",
    "Duration",
    "ExperimentConfig",
    "Feed",
    "FrameFeed",
    "Interval",
    "MarketConfig",
    "NetworkConfig",
    "Partition",
    "PricesConfig",
    "ReferenceConfig",
    "TraderConfig",
    "alternating",
    "load_config",
    "make_config",
]
