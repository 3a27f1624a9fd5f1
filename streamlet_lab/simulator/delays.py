"""Kinds of delays by name: how long a message is on its way if nothing is wrong."""

import random
from collections.abc import Callable, Sequence
from functools import partial
from math import exp, log
from statistics import NormalDist
from typing import Final

from streamlet_lab.config import NetworkConfig
from streamlet_lab.consensus import Message
from streamlet_lab.registers import DELAYS

#: ``delay(message, sender, receiver, time)``: how long a message, sent at a time, is on its way
#: from one participant to another. Time and delay are in microseconds, a delay is at
#: least 1. Participants 0 … n − 1 are the voting nodes, n is the observer.
Delay = Callable[[Message, int, int, int], int]

#: What makes the delays of a kind, from a random stream, the configuration and the number of nodes.
DelayKind = Callable[[random.Random, NetworkConfig, int], Delay]

#: A delay of at least this means that the copy never arrives.
LOST: Final = 2**62

# The normal distribution's quantile of 0 is infinite; the next number above it that is drawn:
_LEAST: Final = 2.0**-53
_NORMAL: Final = NormalDist()

# What is drawn is clipped: to Δ in good times, to the end of the bad period or Δ in bad ones, as
# the paper allows an adversary to delay messages (section 2).
delay_kind, delay_kinds = DELAYS.doors(
    "a function of a random stream, the settings of the network and the number of\nnodes, which "
    "returns a function (message, sender, receiver, time) of delays in\nmicroseconds"
)


class LognormalDelays:
    """Independent delays: a shortest one plus a lognormal rest, clipped to Δ.

    Drawn by inversion: a uniform number is the quantile of its delay. So whether a delay would be
    too long is nearly always known from the number alone, and the delay itself is not needed.

    Parameters
    ----------
    median, bound : int
        Microseconds.
    spread : float
        Standard deviation of the rest's logarithm.
    shortest : int
        What no message is faster than, in microseconds; below the median.
    """

    def __init__(
        self, stream: random.Random, median: int, spread: float, bound: int, shortest: int = 0
    ) -> None:
        self._stream = stream
        self._curve = median - shortest, spread, shortest, bound
        # Some hundred stretches until Δ.
        shift = max(0, bound.bit_length() - 9)
        # Bound once, and not for each echo.
        self._stretches = shift, _Shares(self._share_below, shift), _NORMAL.inv_cdf

    def __call__(self, message: Message, sender: int, receiver: int, time: int) -> int:
        """Draw a delay, whatever its message, link and time."""
        scale, spread, shortest, bound = self._curve
        quantile = _NORMAL.inv_cdf(self._stream.random() or _LEAST)
        delay = shortest + round(scale * exp(spread * quantile))
        return max(1, min(delay, bound))

    def sooner(
        self, due: list[int], receivers: Sequence[int], least: int, time: int, *_: object
    ) -> tuple[list[int], list[tuple[int, int]]]:
        """Draw the delays of copies as :func:`draw_sooner` does, without most of the computation.

        Written out in one loop: a function for each copy took a fifth of a large network's time.
        """
        uniform = self._stream.random
        scale, spread, shortest, bound = self._curve
        shift, shares, inverse = self._stretches
        contested, found = [], []
        for receiver in receivers:
            limit = due[receiver] - time
            if limit > least:
                contested.append(receiver)
                share = uniform()
                # Whether the delay is too long shows nearly always without its computation.
                if limit > bound or share < shares[limit >> shift]:
                    rest = scale * exp(spread * inverse(share or _LEAST))
                    delay = shortest + round(rest) or 1
                    if delay > bound:
                        delay = bound
                    if delay < limit:
                        due[receiver] = arrival = time + delay
                        found.append((arrival, receiver))
        return contested, found

    def _share_below(self, limit: int) -> float:
        scale, spread, shortest, _ = self._curve
        if not (spread and scale):
            return 1.0
        if limit <= shortest:
            return 0.0
        return _NORMAL.cdf(log((limit - shortest) / scale) / spread)


class _Shares(dict[int, float]):
    """At least the share of delays below the end of each stretch of 2^shift microseconds."""

    def __init__(self, share_below: Callable[[int], float], shift: int) -> None:
        self._share_below, self._shift = share_below, shift

    def __missing__(self, stretch: int) -> float:
        share = self[stretch] = self._share_below((stretch + 1) << self._shift)
        return share


def draw_sooner(
    delay: Delay,
    due: list[int],
    receivers: Sequence[int],
    least: int,
    time: int,
    message: Message,
    sender: int,
) -> tuple[list[int], list[tuple[int, int]]]:
    """Draw the delays of copies that are all sent at a time, one to each of several receivers.

    ``due`` is when each participant has the message anyway, ``least`` what no delay is below.
    Nothing is drawn where a copy cannot come sooner.

    Returns those for whom a delay was drawn, and arrival and receiver of each copy that comes
    sooner than what was due; that it does is entered.
    """
    contested = [receiver for receiver in receivers if due[receiver] - time > least]
    found = []
    for receiver in contested:
        arrival = time + delay(message, sender, receiver, time)
        if arrival < due[receiver]:
            due[receiver] = arrival
            found.append((arrival, receiver))
    return contested, found


def constant_delay(microseconds: int) -> Delay:
    """Return a delay that is the same on every link at every time."""
    return partial(_always, microseconds)


def _always(delay: int, *_: object) -> int:
    return delay


@delay_kind("lognormal")
def _lognormal(stream: random.Random, network: NetworkConfig, nodes: int) -> Delay:
    return LognormalDelays(
        stream, network.median_delay, network.delay_spread, network.delta, network.fastest
    )


@delay_kind("constant")
def _constant(stream: random.Random, network: NetworkConfig, nodes: int) -> Delay:
    return constant_delay(min(network.median_delay, network.delta))


@delay_kind("uniform")
def _uniform(stream: random.Random, network: NetworkConfig, nodes: int) -> Delay:
    low, high = network.fastest, 2 * network.median_delay - network.fastest
    return partial(_between, stream, low, high, network.delta)


def _between(stream: random.Random, low: int, high: int, bound: int, *_: object) -> int:
    return max(1, min(stream.randint(low, high), bound))


@delay_kind("sample")
def _sample(stream: random.Random, network: NetworkConfig, nodes: int) -> Delay:
    return partial(_one_of, stream, network.samples, network.delta)


def _one_of(stream: random.Random, samples: Sequence[int], bound: int, *_: object) -> int:
    return min(stream.choice(samples), bound)


@delay_kind("regions")
def _regions(stream: random.Random, network: NetworkConfig, nodes: int) -> Delay:
    # The observer, like node 0, is in the first region.
    regions, table = regions_used(network), network.region_table
    places = [regions[index % nodes % len(regions)] for index in range(nodes + 1)]
    distances = [[table[origin][target] for target in places] for origin in places]
    return partial(_between_regions, stream, network, distances)


def _between_regions(
    stream: random.Random,
    network: NetworkConfig,
    distances: Sequence[Sequence[int]],  # from participant to participant, microseconds
    message: Message,
    sender: int,
    receiver: int,
    time: int,
) -> int:
    distance = distances[sender][receiver]
    rest = distance / 10 * stream.lognormvariate(0.0, network.delay_spread)
    return min(distance + round(rest), network.delta)


DELAYS.close()


def regions_used(network: NetworkConfig) -> tuple[str, ...]:
    """Return the regions that nodes are in, one after the other."""
    return network.regions or tuple(network.region_table)


def shortest_delay(network: NetworkConfig) -> int:
    """Return what the base delays never fall below, which is known for the lab's own kinds."""
    match network.delays:
        case "lognormal" | "uniform":
            shortest = network.fastest
        case "constant":
            shortest = network.median_delay
        case "sample":
            shortest = min(network.samples)
        case "regions":
            regions = regions_used(network)
            shortest = min(network.region_table[a][b] for a in regions for b in regions)
        case _:
            shortest = 1
    return max(1, min(shortest, network.delta))
