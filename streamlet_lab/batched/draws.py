"""All that chance decides in a batch of runs, in distribution as in full ones.

Each run draws from generators that belong to its seed and a name, as much as its configuration
needs: so what a seed gives does not depend on which others are in the batch, nor on how a batch is
split. Everything is a whole number from the beginning: microseconds, cents, shares.
"""

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from random import Random
from typing import Any, Final

import numpy as np

from streamlet_lab.batched.lockstep import Array, Delays, Inputs, Orders, Quotes, divide_half_even
from streamlet_lab.batched.walks import Streams, draw_paths, fill, normal, step_of
from streamlet_lab.config import OBSERVER, ExperimentConfig, make_stock
from streamlet_lab.consensus import hashed
from streamlet_lab.prices.sources import VOLUME_SPREAD, Source
from streamlet_lab.simulator.delays import regions_used
from streamlet_lab.simulator.traders import TraderContext
from streamlet_lab.streams import generator
from streamlet_lab.units import MICROSECONDS_PER_SECOND

# So many delays are drawn at a time: a megabyte, which a processor has at hand.
_DELAYS_AT_ONCE: Final = 2**18


def draw(config: ExperimentConfig, seeds: Sequence[int]) -> Inputs:
    """Return what chance decides with each of some seeds."""
    network, prices, orders = (
        [generator(seed, f"batched/{name}") for seed in seeds]
        for name in ("network", "prices", "orders")
    )
    paths = draw_paths(config, prices)
    return Inputs(
        _leaders(config, seeds),
        _delays(config, network),
        _quotes(config, prices, paths),
        _orders(config, orders, paths),
    )


def _leaders(config: ExperimentConfig, seeds: Sequence[int]) -> Array:
    """Return the leaders' numbers, runs × epochs: those of the full runs of the same seeds."""
    index = {name: number for number, name in enumerate(config.node_ids)}
    if config.leaders != "hashed":
        order = config.node_ids if config.leaders == "round_robin" else config.leaders
        turns = np.array([index[name] for name in order])
        return np.tile(np.resize(turns, config.epochs), (len(seeds), 1))
    chains = [f"{config.symbols[0]}/{config.feed}/{seed}" for seed in seeds]
    rules = [hashed(config.node_ids, chain) for chain in chains]
    return np.array([[index[rule(epoch)] for epoch in range(config.epochs)] for rule in rules])


# --- The network


def _delays(config: ExperimentConfig, streams: Streams) -> Iterator[Delays]:
    """Yield the delays of all copies, so many at a time as fit into a processor's cache."""
    nodes = config.nodes
    copies = (nodes + 1) * nodes * (nodes + 1)  # of an epoch: message, sender, receiver
    epochs = min(config.epochs, max(1, _DELAYS_AT_ONCE // copies))
    runs = max(1, _DELAYS_AT_ONCE // (copies * epochs))
    for run in range(0, len(streams), runs):
        for epoch in range(0, config.epochs, epochs):
            here = slice(run, run + runs), slice(epoch, min(epoch + epochs, config.epochs))
            shape = nodes + 1, nodes, nodes + 1, here[1].stop - epoch
            drawn = np.stack([_draw_delays(config, each, shape) for each in streams[here[0]]])
            yield Delays(*here, np.moveaxis(_changed(config, drawn), 0, 3).copy())


def _draw_delays(
    config: ExperimentConfig, stream: np.random.Generator, shape: tuple[int, ...]
) -> Array:
    """Draw delays of one run in microseconds, as the kinds of `simulator.delays` do."""
    network = config.network
    shortest: Any = network.fastest
    scale: Any = network.median_delay - shortest
    match network.delays:
        case "constant":
            return np.full(shape, network.median_delay, np.int32)
        case "uniform":
            high = network.median_delay + scale
            return stream.integers(shortest, high + 1, shape, dtype=np.int32)
        case "regions":
            shortest = _distances(config)[:, :, None]
            scale = shortest / 10
    # A Gaussian number in single precision is drawn faster. Its exponential in double precision:
    # processors differ in the last bit, by which one whole microsecond in 1,000 would be another.
    gaussian = stream.standard_normal(shape, np.float32)
    drawn = np.multiply(gaussian, network.delay_spread, dtype=np.float64)
    np.exp(drawn, out=drawn)
    drawn *= scale
    np.rint(drawn, out=drawn)
    drawn += shortest
    return np.asarray(np.clip(drawn, 1, network.delta, out=drawn).astype(np.int32))


def _distances(config: ExperimentConfig) -> Array:
    """Return the delays from region to region, sender × receiver."""
    regions, table = regions_used(config.network), config.network.region_table
    # The observer, like node 0, is in the first region.
    places = [regions[index % len(regions)] for index in (*range(config.nodes), 0)]
    return np.array([[table[origin][target] for target in places] for origin in places[:-1]])


def _changed(config: ExperimentConfig, drawn: Array) -> Array:
    """Return delays, run message sender receiver epoch, of single links and slow nodes."""
    network = config.network
    np.minimum(drawn, network.delta, out=drawn)
    index = {name: number for number, name in enumerate((*config.node_ids, OBSERVER))}
    for link, delay in network.link_delays.items():
        sender, receiver = (index[name] for name in link.split(">"))
        if sender < config.nodes:  # the observer sends nothing
            drawn[:, :, sender, receiver] = min(delay, network.delta)
    if network.slow_nodes:
        slow = np.array([network.slow_nodes.get(name, 1.0) for name in index])
        factors = slow[: config.nodes, None] * slow
        slowed = np.rint(drawn * factors[:, :, None])
        drawn = np.minimum(slowed, network.delta).astype(np.int32)
    return drawn


# --- Sources


def _quotes(config: ExperimentConfig, streams: Streams, paths: Array) -> Quotes:
    """Draw what each source says, as `QuoteFeed` has it, and let the biased ones lie."""
    sources, step = config.prices.sources, step_of(config)
    times = np.arange(config.epochs) * config.market_time_per_epoch
    shape = len(sources), len(streams), config.epochs
    price, volume = np.empty(shape, np.int64), np.empty(shape, np.int64)
    given = np.ones(shape, np.bool_)
    gaussian = fill(streams, (len(sources), 2, config.epochs), normal)
    shares = math.fsum(source.volume_share for source in sources)
    stock = make_stock(config, config.symbols[0])
    traded = np.array([stock.path.volume(int(time)) for time in times])
    for index, source in enumerate(sources):
        seen = paths[:, np.maximum(times - source.lag, 0) // step]
        factor = 1 + source.bias_bp / 10_000 + source.noise_bp / 10_000 * gaussian[:, index, 0]
        cents = np.maximum(np.rint(seen * factor / 10_000), 1).astype(np.int64)
        for fault in stock.faults[source.name]:
            _lie(fault, cents[:, fault.start : fault.stop])
        price[index] = cents * 10_000
        part = source.volume_share / shares * math.exp(-(VOLUME_SPREAD**2) / 2)
        volume[index] = np.rint(traded * part * np.exp(VOLUME_SPREAD * gaussian[:, index, 1]))
        if source.outage:
            given[index] = ~_outages(source, streams, config.epochs)
    return Quotes(price, volume, given, paths[:, times // step])


def _lie(fault: Any, cents: Array) -> None:
    """Move prices as a biased source does."""
    factor = 1 + Fraction(fault.bp) / 10_000
    by = np.full_like(cents, factor.denominator)
    cents[:] = np.maximum(divide_half_even(cents * factor.numerator, by), 1)


def _outages(source: Source, streams: Streams, epochs: int) -> Array:
    """Draw a chain of two states, as a source of a feed does."""
    drawn = fill(streams, (epochs,), lambda stream, row: stream.random(out=row))
    stays = 1 - 1 / source.outage_epochs
    falls = source.outage / (1 - source.outage) / source.outage_epochs
    is_out = np.empty(drawn.shape, np.bool_)
    chance = np.full(len(streams), source.outage)
    for epoch in range(epochs):
        is_out[:, epoch] = drawn[:, epoch] < chance
        chance = np.where(is_out[:, epoch], stays, falls)
    return is_out


# --- Traders


def _orders(config: ExperimentConfig, streams: Streams, paths: Array) -> Orders:
    """Draw the orders of all traders; alike ones together act as one Poisson process does."""
    length = config.epochs * config.epoch_length
    drawn: list[tuple[Any, Any, Any]] = [([], [], [])]
    for traders in config.market.traders:
        kind = traders.make(TraderContext(f"{traders.name}_0", config.symbols[0], Random(0)))
        expected = traders.count * traders.rate * length / MICROSECONDS_PER_SECOND
        draw_distances = _NEAR_AND_FAR[traders.name]
        for run, stream in enumerate(streams):
            count = stream.poisson(expected)
            here = np.full(count, run), stream.random(count), draw_distances(kind, stream, count)
            drawn.append(here)
    of_run, share, distance = map(np.concatenate, zip(*drawn, strict=True))
    of_run = of_run.astype(np.int64)
    time = np.minimum((share * length).astype(np.int64), length - 1)
    steps = config.market_time_per_epoch / config.epoch_length / step_of(config)
    point = np.minimum((time * steps).astype(np.int64), paths.shape[1] - 1)
    true_price = paths[of_run, point]
    price = np.maximum(np.rint(true_price / 1e6 * (1 + distance) * 100), 1)
    return Orders(of_run, time, np.nan_to_num(price).astype(np.int64), true_price)


def _draw_near(kind: Any, stream: np.random.Generator, count: int) -> Array:
    """Draw how far from the true price orders of noise traders are; NaN for market orders."""
    distance = kind.spread_percent / 100 * stream.standard_normal(count)
    distance[stream.random(count) < kind.market_order_share] = np.nan
    return np.asarray(distance)


def _draw_far(kind: Any, stream: np.random.Generator, count: int) -> Array:
    """Draw how far from the true price fat fingers are."""
    distance = stream.uniform(kind.from_percent / 100, kind.to_percent / 100, count)
    return np.where(stream.random(count) < 0.5, distance, -distance)


_NEAR_AND_FAR: Final = {"noise_trader": _draw_near, "fat_finger": _draw_far}
