"""What a configuration must be beyond its own settings, so that it can be run here.

A saved one may name kinds that nobody has registered here, or data that are not here: it can be
read all the same, but not run.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from math import ceil
from random import Random
from typing import NamedTuple

from streamlet_lab.config.experiment_config import ExperimentConfig
from streamlet_lab.config.market_config import OBSERVER
from streamlet_lab.config.prices_config import AssetConfig, PricesConfig
from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching import make_band
from streamlet_lab.prices import (
    FRAME,
    FrameFeed,
    JumpingPath,
    PricePath,
    ReplayPath,
    SourceFault,
    Voter,
    find_aggregator,
    find_outlier_rule,
    make_path,
    make_source_faults,
)
from streamlet_lab.registers import NODE_FAULTS, TraderContext
from streamlet_lab.units import format_duration


class Stock(NamedTuple):
    """A symbol's true price, how a claim about it is judged, and the faults of its sources."""

    path: PricePath
    voter: Voter
    faults: Mapping[str, Sequence[SourceFault]]


def check_runnable(config: ExperimentConfig) -> None:
    """Refuse kinds unknown here, parameters that they do not take, and feeds that end too soon."""
    paths = {name: make_stock(config, name).path for name in config.symbols}
    check_span(config, [*paths.values()], config.epochs)
    nodes = config.node_ids
    for fault in config.node_faults:
        given = fault.start, fault.stop
        made = NODE_FAULTS.make(fault.kind, fault.parameters, "faults.parameters", *given)
        made.check(fault.affected(nodes), (*nodes, OBSERVER))
    config.network.make_delays(Random(0), config.nodes)
    market = config.market
    make_band(market.band, market.band_percent, market.band_parameters)
    for symbol, path in paths.items():
        market.reference.check(path.price)
        for traders in market.traders:
            traders.make(TraderContext(f"{traders.name}_0", symbol, Random(0), traders.rate))


def make_stock(config: ExperimentConfig, symbol: str) -> Stock:
    """Make what a symbol needs; what is wrong with it is named where the configuration says it."""
    prices, epoch, seed = config.prices.of(symbol), config.market_time_per_epoch, config.seed
    try:
        path = _make_path(config, symbol)
        if prices.jumps:
            factors = [jump.factor for jump in prices.jumps]
            path = JumpingPath(path, [*zip(jump_times(config, symbol), factors, strict=True)])
        rule = prices.outlier_rule
        voter = Voter(
            symbol,
            prices.rules(path.bounds),
            prices.voter_policy,
            prices.tolerance_percent,
            find_aggregator(prices.aggregator),
            None if rule is None else find_outlier_rule(rule, epoch),
        )
        faults = make_source_faults(config.source_faults, prices.source_names, seed, symbol)
        return Stock(path, voter, faults)
    except InvalidInput as error:
        field, _, _ = error.field.partition(".")
        if field == "symbol":
            raise InvalidInput("symbols", error.value, error.expected) from error
        if field not in PricesConfig.model_fields:
            raise
        is_own = field in config.prices.assets.get(symbol, AssetConfig()).model_fields_set
        place = f"prices.assets.{symbol}" if is_own else "prices"
        raise InvalidInput(f"{place}.{error.field}", error.value, error.expected) from error


def _make_path(config: ExperimentConfig, symbol: str) -> PricePath:
    prices = config.prices.of(symbol)
    if isinstance(config.feed, str) and config.feed.startswith(FRAME):
        expected = "the DataFrame or CSV file itself, of which this is only the digest"
        raise InvalidInput("feed", config.feed, expected)
    if isinstance(config.feed, FrameFeed):
        return _replay_path(config.feed, symbol)
    return make_path(
        config.feed,
        config.seed,
        config.market_time_per_epoch,
        symbol=symbol,
        base_price=prices.base_price,
        bounds=prices.reflection,
        volatility=prices.volatility,
        trend=prices.trend,
        path_model=prices.path_model,
        path_parameters=prices.path_parameters,
        nights=prices.nights,
        intraday=prices.intraday,
        correlation=prices.correlation,
        splits=prices.splits,
    )


def jump_times(config: ExperimentConfig, symbol: str | None = None) -> list[int]:
    """Return the first instant of market time from each jump of a price on.

    Of the first symbol unless another one is named.
    """
    pace = Fraction(config.market_time_per_epoch, config.epoch_length)
    prices = config.prices.of(symbol or config.symbols[0])
    return [ceil(jump.at * pace) for jump in prices.jumps]


_replay_path = lru_cache(maxsize=4)(ReplayPath)  # a path is never changed, nor is a feed


def check_span(config: ExperimentConfig, paths: Sequence[PricePath], epochs: int) -> None:
    """Refuse a run that is longer than its feeds, or whose feeds are not of the same days.

    A block has one timestamp.
    """
    step = config.market_time_per_epoch
    for duration in (path.duration for path in paths if path.duration is not None):
        if epochs > (available := duration // step):
            lasts = f"the feed '{config.feed}' lasts for {format_duration(duration)}"
            each = f"an epoch is {format_duration(step)} of it (market_time_per_epoch)"
            raise InvalidInput("epochs", epochs, f"at most {available}: {lasts}, and {each}")
    for epoch in (0, epochs - 1):
        stamps = {path.symbol: path.timestamp(epoch * step) for path in paths if path.duration}
        if len(set(stamps.values())) > 1:
            days = ", ".join(f"{symbol} {stamp:%Y-%m-%d}" for symbol, stamp in stamps.items())
            expected = f"symbols whose feeds are of the same days; epoch {epoch} is {days}"
            raise InvalidInput("symbols", config.symbols, expected)
