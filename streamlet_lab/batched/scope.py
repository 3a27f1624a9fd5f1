"""Which experiments the batched engine can play: the first thing that it cannot, by name."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import chain
from typing import Any, Final

from streamlet_lab.batched.walks import step_of
from streamlet_lab.config import (
    ExperimentConfig,
    NetworkConfig,
    check_config,
    check_runnable,
    jump_times,
    make_stock,
)
from streamlet_lab.config.market_config import MarketConfig
from streamlet_lab.config.prices_config import PricesConfig
from streamlet_lab.prices import SIMULATED
from streamlet_lab.prices.dishonest import Biased
from streamlet_lab.units import MICROSECONDS_PER_SECOND, format_duration
from streamlet_lab.values import kind_name

#: What it knows of each setting that names a kind.
FAULTS: Final = ("crash", "silent_leader", "withhold_votes", "biased")
DELAYS: Final = ("lognormal", "constant", "uniform", "regions")
MODELS: Final = ("gjr_garch", "gjr_garch_mle", "gbm", "merton")
AGGREGATORS: Final = ("mean", "median", "trimmed_mean", "vwap")
TRADERS: Final = ("noise_trader", "fat_finger")
BANDS: Final = ("consensus", "keep_resting")
RULES: Final = ("widen", "strict")
POLICIES: Final = ("observe", "bounds")

_MOST_NODES: Final = 200
_MOST_EPOCHS: Final = 100_000
_LONGEST_DELTA: Final = 500_000_000  # of two of them, or twice the median, fits into 32 bits
_MOST_ORDERS: Final = 1_000_000  # of a run, expected
_MOST_STEPS: Final = 5_000_000  # of a path's grid
_LONGEST_SPAN: Final = 10**7  # trading days
_LONGEST_RUN: Final = 10**8  # seconds: a run and a time in it fit into 64 bits
_DEAREST: Final = Decimal(100_000)  # dollars: products of prices and volumes fit into 64 bits
_LARGEST_VOLUME: Final = 1_000
# With fewer values two copies often arrive at one instant, and the queue decides which comes first.
_FEWEST_DELAYS: Final = 1_000


def explain(config: ExperimentConfig) -> str | None:
    """Say what the batched engine cannot do of an experiment; None if it can do all of it.

    It plays honest, crashed, silent and vote-withholding nodes whose messages all arrive within Δ,
    simulated prices of one share from honest or biased sources, and orders whose prices nobody's
    book decides.

    Raises
    ------
    InvalidInput
        If no engine can play it, such as a kind with parameters that it does not take.

    Examples
    --------
    >>> explain(ExperimentConfig(faults={"node_3": "crash@4"}))
    >>> explain(ExperimentConfig(faults={"node_3": "equivocate"}))
    "faults: 'equivocate'; it knows crash, silent_leader, withhold_votes, biased"
    """
    check_runnable(check_config(config))
    reasons = (_of_run, _of_network, _of_prices, _of_market)
    return next((why for reason in reasons for why in reason(config)), None)


def _unknown(setting: str, value: Any, known: tuple[str, ...]) -> Iterator[str]:
    if value not in known:
        yield f"{setting}: {kind_name(value)!r}; it knows {', '.join(known)}"


def _above(setting: str, value: float, most: float) -> Iterator[str]:
    if value > most:
        yield f"{setting}: {value:,.0f} is more than {most:,.0f}"


def _of_run(config: ExperimentConfig) -> Iterator[str]:
    yield from _above("nodes", config.nodes, _MOST_NODES)
    yield from _above("epochs", config.epochs, _MOST_EPOCHS)
    if config.feed != SIMULATED:
        yield f"feed: {str(config.feed)!r}; its prices are simulated"
    if len(config.symbols) > 1:
        yield f"symbols: {', '.join(config.symbols)}; it knows one at a time"
    for fault in config.faults:
        yield from _unknown("faults", fault.kind, FAULTS)
        if fault.kind == "crash" and (fault.stop is not None or fault.parameters):
            yield "faults: 'crash' of a node that comes back, or in the middle of a message"
    lies = chain.from_iterable(make_stock(config, config.symbols[0]).faults.values())
    if any(lie.bp * 10_000 % 1 for lie in lies if isinstance(lie, Biased)):
        yield "faults: 'biased' by more decimal places than four"
    if config.epoch_length < 2 * config.network.delta:
        least = format_duration(2 * config.network.delta)
        yield f"epoch_length: {format_duration(config.epoch_length)} is shorter than 2Δ, {least}"
    seconds = config.epochs * config.epoch_length / MICROSECONDS_PER_SECOND
    yield from _above("epoch_length: seconds of a run", seconds, _LONGEST_RUN)


def _of_network(config: ExperimentConfig) -> Iterator[str]:
    network = config.network
    yield from _above("network.delta", network.delta, _LONGEST_DELTA)
    yield from _above("network.median_delay", network.median_delay, _LONGEST_DELTA)
    yield from _unknown("network.delays", network.delays, DELAYS)
    if network.gst_in_force:
        yield "network.gst, bad_periods, partitions: delays may exceed Δ"
    for name in ("loss", "sign_time", "verify_time", "clock_skew"):
        value = getattr(network, name)
        if any(value.values()) if isinstance(value, dict) else value:
            yield f"network.{name}: it knows 0 only"
    if 0 < _values(network) < _FEWEST_DELAYS:
        yield "network.delay_spread: delays so much alike that many copies arrive at one instant"


def _values(network: NetworkConfig) -> float:
    """Return over how many microseconds delays spread; 0 if all of them are alike."""
    rest = network.median_delay - network.fastest
    match network.delays:
        case "lognormal":
            return network.delay_spread * rest
        case "uniform":
            return 2.0 * rest
        case "regions":
            delays = [delay for row in network.region_table.values() for delay in row.values()]
            return network.delay_spread * max(delays) / 10
    return 0


def _of_prices(config: ExperimentConfig) -> Iterator[str]:
    prices: PricesConfig = config.prices.of(config.symbols[0])
    yield from _unknown("prices.path_model", prices.path_model, MODELS)
    yield from _unknown("prices.aggregator", prices.aggregator, AGGREGATORS)
    yield from _unknown("prices.voter_policy", prices.voter_policy, POLICIES)
    yield from _unknown("prices.deviation_rule", prices.deviation_rule, RULES)
    if prices.outlier_rule is not None:
        yield f"prices.outlier_rule: {kind_name(prices.outlier_rule)!r}; it knows none"
    if prices.max_deviation_percent < 1 or prices.reflection[0] < 1:
        # Else a price that is rounded to the cent may lie outside where the quotes lie inside.
        yield "prices.max_deviation_percent, min_price: it knows 1 percent, and a dollar, or more"
    if max(prices.reflection) > _DEAREST:
        yield f"prices.max_price: it knows at most ${_DEAREST:,}"
    for source in prices.sources:
        yield from _above("prices.sources.volume_share", source.volume_share, _LARGEST_VOLUME)
    if any(at % step_of(config) for at in jump_times(config)):
        yield "prices.jumps: it knows tenths of an epoch"
    span = config.epochs * config.market_time_per_epoch
    yield from _above("market_time_per_epoch", span / 23_400_000_000, _LONGEST_SPAN)
    yield from _above("market_time_per_epoch", config.epochs * 10, _MOST_STEPS)


def _of_market(config: ExperimentConfig) -> Iterator[str]:
    market: MarketConfig = config.market
    yield from _unknown("market.band", market.band, BANDS)
    for name, value in market.band_parameters.items():
        # What becomes of resting orders is no matter of those that arrive.
        if name != "resting" and value != {"at_entry": "reject", "stale": "keep"}.get(name):
            yield f"market.band_parameters.{name}: {value!r}"
    if market.reference.kind != "consensus":
        yield f"market.reference: {kind_name(market.reference.kind)!r}; it knows consensus"
    for traders in market.traders:
        yield from _unknown("market.traders", traders.kind, TRADERS)
    yield from _above("market.traders: orders of a run", expected_orders(config), _MOST_ORDERS)


def expected_orders(config: ExperimentConfig) -> float:
    """Return how many orders a run has on average."""
    rate = sum(traders.count * traders.rate for traders in config.market.traders)
    return rate * config.epochs * config.epoch_length / MICROSECONDS_PER_SECOND
