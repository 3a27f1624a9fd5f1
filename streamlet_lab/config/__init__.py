"""What a person types: the validated configuration of an experiment."""

from streamlet_lab.config.experiment_config import ExperimentConfig as ExperimentConfig
from streamlet_lab.config.experiment_config import check_config as check_config
from streamlet_lab.config.loading import given_settings as given_settings
from streamlet_lab.config.loading import load_config as load_config
from streamlet_lab.config.loading import make_config as make_config
from streamlet_lab.config.loading import read_settings as read_settings
from streamlet_lab.config.loading import with_setting as with_setting
from streamlet_lab.config.market_config import OBSERVER as OBSERVER
from streamlet_lab.config.market_config import MarketConfig as MarketConfig
from streamlet_lab.config.market_config import ReferenceConfig as ReferenceConfig
from streamlet_lab.config.market_config import TraderConfig as TraderConfig
from streamlet_lab.config.network_config import ED25519_TIMES as ED25519_TIMES
from streamlet_lab.config.network_config import REGION_DELAYS as REGION_DELAYS
from streamlet_lab.config.network_config import Interval as Interval
from streamlet_lab.config.network_config import NetworkConfig as NetworkConfig
from streamlet_lab.config.network_config import Partition as Partition
from streamlet_lab.config.network_config import alternating as alternating
from streamlet_lab.config.prices_config import AssetConfig as AssetConfig
from streamlet_lab.config.prices_config import PriceJump as PriceJump
from streamlet_lab.config.prices_config import PricesConfig as PricesConfig
from streamlet_lab.config.runnable import check_runnable as check_runnable
from streamlet_lab.config.runnable import check_span as check_span
from streamlet_lab.config.runnable import jump_times as jump_times
from streamlet_lab.config.runnable import make_stock as make_stock
from streamlet_lab.config.writing import to_code as to_code
