"""How long a message is on its way: delays by link, lossy links, bad times, partitions, clocks.

A delay is a function. :func:`make_links` starts from one kind of delays and wraps it, layer by
layer, into what the configuration says; each layer that draws has a random stream of its own, so
that switching it on leaves the draws of the others as they were.
"""

import hashlib
import inspect
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from statistics import NormalDist
from typing import Any, Final

from streamlet_lab.config import OBSERVER, NetworkConfig, Partition
from streamlet_lab.consensus import Message
from streamlet_lab.errors import InvalidInput
from streamlet_lab.kinds import Kinds
from streamlet_lab.streams import stream

#: ``delay(message, sender, receiver, time)``: how long a message, sent at a time, is on its way
#: from one participant to another. Time and delay are in microseconds, a delay is at
#: least 1. Participants 0 … n − 1 are the voting nodes, n is the observer.
Delay = Callable[[Message, int, int, int], int]

# Receiver, and time of arrival.
_Arrival = tuple[int, int]

#: What makes the delays of a kind, from a random stream, the configuration and the number of nodes.
DelayKind = Callable[[random.Random, NetworkConfig, int], Delay]

#: A delay of at least this means that the copy never arrives.
LOST: Final = 2**62

# The normal distribution's quantile of 0 is infinite; the next number above it that is drawn:
_LEAST: Final = 2.0**-53


@dataclass(frozen=True, slots=True)
class Links:
    """All links between the participants of a run.

    Parameters
    ----------
    delay : callable
        See :data:`Delay`.
    shortest : int
        What ``delay`` never falls below, in microseconds.
    """

    delay: Delay
    shortest: int


_KINDS = Kinds[DelayKind]("delay_kind", "kind", field="network.delays", besides="a function")


def delay_kind(name: str) -> Callable[[DelayKind], DelayKind]:
    """Register a kind of delays under a name, so that configurations can speak of it.

    What it draws is clipped: to Δ in good times, to the end of the bad period or Δ in bad ones, as
    the paper allows an adversary to delay messages (section 2).

    Parameters
    ----------
    name : str
        Of lowercase letters, digits and underscores.

    Raises
    ------
    InvalidInput
        If it is no such name, or one of the lab's own.

    Examples
    --------
    >>> @delay_kind("far_observer")
    ... def far_observer(stream, network, nodes):
    ...     return lambda message, sender, receiver, time: 90_000 if receiver == nodes else 10_000
    >>> links = make_links(NetworkConfig(delays="far_observer"), nodes=4, seed=0)
    >>> links.delay(None, 0, 1, 0), links.delay(None, 0, 4, 0)
    (10000, 90000)
    """
    return _KINDS.register(name)


def delay_kinds() -> tuple[str, ...]:
    """Return the names of all registered kinds, in alphabetical order."""
    return _KINDS.names()


def make_links(network: NetworkConfig, nodes: int, seed: int) -> Links:
    """Return the links that a configuration describes.

    Parameters
    ----------
    network : NetworkConfig
    nodes : int
        Number of voting nodes; the observer comes after them.
    seed : int
        The experiment's.

    Raises
    ------
    InvalidInput
        If there is no such kind of delays, or the function given is not one.
    """
    limit = _make_limit(network)
    delay = _make_base(network, nodes, stream(seed, "network"), limit)
    shortest = _shortest(network)
    if network.link_delays:
        fixed = _fixed_delays(network, nodes)
        delay, shortest = _with_fixed(delay, fixed), min(shortest, *fixed.values())
    if network.slow_nodes:
        delay = _with_slow_nodes(delay, _factors(network, nodes), limit)
    if network.bad_times:
        delay = _with_bad_times(delay, network, limit)
        if network.held:
            delay = _with_holding(delay, network, seed)
    if network.loss and network.when_lost == "retransmit":
        delay = _with_retransmission(delay, stream(seed, "network/loss"), network, limit)
    for partition in network.partitions:
        delay = _with_partition(delay, partition, nodes)
    if network.loss and network.when_lost == "forever":
        delay = _with_loss(delay, stream(seed, "network/loss"), network.loss)
    return Links(delay, shortest)


def clock_offsets(network: NetworkConfig, nodes: int, seed: int) -> tuple[int, ...]:
    """Return by how much each participant's clock is late, in microseconds; the observer's is not.

    >>> clock_offsets(NetworkConfig(clock_skew={"node_1": "3ms"}), nodes=2, seed=0)
    (0, 3000, 0)
    """
    skew = network.clock_skew
    if isinstance(skew, int):
        draw = stream(seed, "clock").randint
        return (*(draw(0, skew) for _ in range(nodes)), 0)
    late = [skew.get(f"node_{index}", 0) for index in range(nodes)]
    # Nobody can tell how late all clocks are together.
    return (*(offset - min(late) for offset in late), 0)


# --- Kinds of delays


class LognormalDelays:
    """Independent delays: a shortest one plus a lognormal rest, clipped to Δ.

    Drawn by inversion: a uniform number is the quantile of its delay. So whether a delay would be
    too long is nearly always known from the number alone, and the delay itself is not needed.

    Parameters
    ----------
    stream : random.Random
    median, bound : int
        Microseconds.
    spread : float
        Standard deviation of the rest's logarithm.
    shortest : int
        What no message on no link is faster than, in microseconds; below the median.
    """

    def __init__(
        self, stream: random.Random, median: int, spread: float, bound: int, shortest: int = 0
    ) -> None:
        self._uniform = stream.random
        self._normal = NormalDist()
        self._scale, self._spread = median - shortest, spread
        self._shortest, self._bound = shortest, bound
        # Some hundred stretches until Δ.
        self._shift = max(0, bound.bit_length() - 9)
        self._shares = _Shares(self._share_below, self._shift)

    def __call__(self, message: Message, sender: int, receiver: int, time: int) -> int:
        """Draw a delay, whatever its message, link and time."""
        return self._quantile(self._uniform())

    def sooner(self, due: Sequence[int], receivers: Sequence[int], time: int) -> list[_Arrival]:
        """Draw a delay for each of several copies; return those that come before another is due.

        Parameters
        ----------
        due : sequence of int
            When each participant has the message otherwise.
        receivers : sequence of int
            To whom the copies go.
        time : int
            When they are sent.
        """
        uniform, shift, shares = self._uniform, self._shift, self._shares
        found = []
        for receiver in receivers:
            limit = due[receiver] - time
            drawn = uniform()
            if drawn < shares[limit >> shift]:
                delay = self._quantile(drawn)
                if delay < limit:
                    found.append((receiver, time + delay))
        return found

    def _quantile(self, share: float) -> int:
        rest = self._scale * math.exp(self._spread * self._normal.inv_cdf(share or _LEAST))
        delay = self._shortest + round(rest)
        return delay if 1 <= delay <= self._bound else max(1, min(delay, self._bound))

    def _share_below(self, limit: int) -> float:
        if limit > self._bound or not (self._spread and self._scale):
            return 1.0
        if limit <= self._shortest:
            return 0.0
        return self._normal.cdf(math.log((limit - self._shortest) / self._scale) / self._spread)


class _Shares(dict[int, float]):
    """At least the share of delays below the end of each stretch of 2^shift microseconds."""

    def __init__(self, share_below: Callable[[int], float], shift: int) -> None:
        self._share_below, self._shift = share_below, shift

    def __missing__(self, stretch: int) -> float:
        share = self[stretch] = self._share_below((stretch + 1) << self._shift)
        return share


def constant_delay(microseconds: int) -> Delay:
    """Return a delay that is the same on every link at every time."""
    return lambda message, sender, receiver, time: microseconds


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
    draw, bound = stream.randint, network.delta
    low, high = network.fastest, 2 * network.median_delay - network.fastest
    return lambda message, sender, receiver, time: max(1, min(draw(low, high), bound))


@delay_kind("sample")
def _sample(stream: random.Random, network: NetworkConfig, nodes: int) -> Delay:
    draw, samples, bound = stream.choice, network.samples, network.delta
    return lambda message, sender, receiver, time: min(draw(samples), bound)


@delay_kind("regions")
def _regions(stream: random.Random, network: NetworkConfig, nodes: int) -> Delay:
    draw, spread, bound = stream.lognormvariate, network.delay_spread, network.delta
    regions = _regions_used(network)
    rows = [network.region_table[region] for region in regions]
    count = len(regions)

    def delay(message: Message, sender: int, receiver: int, time: int) -> int:
        # The observer, like node 0, is in the first region.
        distance = rows[sender % nodes % count][regions[receiver % nodes % count]]
        return min(distance + round(distance / 10 * draw(0.0, spread)), bound)

    return delay


_KINDS.close()


def _regions_used(network: NetworkConfig) -> tuple[str, ...]:
    return network.regions or tuple(network.region_table)


def _shortest(network: NetworkConfig) -> int:
    """Return what the base delays never fall below, which is known for the lab's own kinds."""
    match network.delays:
        case "lognormal" | "uniform":
            shortest = network.fastest
        case "constant":
            shortest = network.median_delay
        case "sample":
            shortest = min(network.samples)
        case "regions":
            regions = _regions_used(network)
            shortest = min(network.region_table[a][b] for a in regions for b in regions)
        case _:
            shortest = 1
    return max(1, min(shortest, network.delta))


def _make_base(
    network: NetworkConfig, nodes: int, stream: random.Random, limit: Callable[[int], int]
) -> Delay:
    """Return the kind's delays, none of them above the limit of its time."""
    delays = network.delays
    kind = _KINDS[delays] if isinstance(delays, str) else delays
    try:
        inspect.signature(kind).bind(stream, network, nodes)
    except TypeError as error:
        raise InvalidInput(
            "network.delays", delays, "a function of a stream, the network and the number of nodes"
        ) from error
    delay: Delay = kind(stream, network, nodes)
    if not callable(delay):
        raise InvalidInput("network.delays", delays, "what returns a function that gives delays")
    # The lab's own kinds clip their delays themselves.
    return delay if isinstance(delays, str) and delays in _KINDS.own() else _clipped(delay, limit)


# --- Layers


def _last_stop(intervals: Sequence[tuple[int, int]], time: int) -> int:
    """Return when the last interval that a time lies in is over; the time itself if in none."""
    return max((stop for start, stop in intervals if start <= time < stop), default=time)


def _make_limit(network: NetworkConfig) -> Callable[[int], int]:
    """Return the longest delay that a message sent at a time may have: Δ, or until good times."""
    delta, bad = network.delta, network.bad_times
    if not bad:
        return lambda time: delta
    return lambda time: max(delta, _last_stop(bad, time) - time)


def _clipped(delay: Delay, limit: Callable[[int], int]) -> Delay:
    def clipped(message: Message, sender: int, receiver: int, time: int) -> int:
        drawn: Any = delay(message, sender, receiver, time)
        if not isinstance(drawn, int):
            raise InvalidInput("network.delays", drawn, "delays in whole microseconds")
        return max(1, min(drawn, limit(time)))

    return clipped


def _participants(nodes: int) -> dict[str, int]:
    names = {f"node_{index}": index for index in range(nodes)}
    return {**names, OBSERVER: nodes}


def _fixed_delays(network: NetworkConfig, nodes: int) -> dict[tuple[int, int], int]:
    index = _participants(nodes)
    links = {link: link.split(">") for link in network.link_delays}
    return {
        (index[sender], index[receiver]): min(network.link_delays[link], network.delta)
        for link, (sender, receiver) in links.items()
    }


def _with_fixed(delay: Delay, fixed: Mapping[tuple[int, int], int]) -> Delay:
    def replaced(message: Message, sender: int, receiver: int, time: int) -> int:
        # Drawn in any case, so that the other links' delays are those without this setting.
        drawn = delay(message, sender, receiver, time)
        return fixed.get((sender, receiver), drawn)

    return replaced


def _factors(network: NetworkConfig, nodes: int) -> list[float]:
    return [network.slow_nodes.get(name, 1.0) for name in _participants(nodes)]


def _with_slow_nodes(delay: Delay, factors: Sequence[float], limit: Callable[[int], int]) -> Delay:
    def slowed(message: Message, sender: int, receiver: int, time: int) -> int:
        drawn = delay(message, sender, receiver, time)
        return min(round(drawn * factors[sender] * factors[receiver]), limit(time))

    return slowed


def _with_bad_times(delay: Delay, network: NetworkConfig, limit: Callable[[int], int]) -> Delay:
    bad, slowdown = network.bad_times, network.slowdown

    def slowed(message: Message, sender: int, receiver: int, time: int) -> int:
        drawn = delay(message, sender, receiver, time)
        if _last_stop(bad, time) == time:
            return drawn
        return min(round(drawn * slowdown), limit(time))

    return slowed


def _with_holding(delay: Delay, network: NetworkConfig, seed: int) -> Delay:
    """Hold some messages back from some receivers, whoever passes them on.

    A hash decides on each message and receiver: so all copies meet the same fate, and the links'
    own draws stay as they are.
    """
    bad, share, together = network.bad_times, network.held, network.held_together
    key = seed.to_bytes(8)

    def what(message: Message) -> bytes:
        kind_and_epoch = f"{type(message).__name__}/{message.epoch}"
        return kind_and_epoch.encode() if together else message.signed

    def held(message: Message, sender: int, receiver: int, time: int) -> int:
        drawn = delay(message, sender, receiver, time)
        periods = [period for period in bad if period[0] <= time < period[1]]
        if not periods:
            return drawn
        start, stop = max(periods, key=itemgetter(1))
        digest = hashlib.blake2b(
            receiver.to_bytes(4) + what(message), digest_size=16, key=key, person=b"held"
        ).digest()
        chance, instant = (int.from_bytes(half) / 2**64 for half in (digest[:8], digest[8:]))
        release = start + int((stop - start) * instant) if chance < share else 0
        return max(drawn, release - time)

    return held


def _with_retransmission(
    delay: Delay, stream: random.Random, network: NetworkConfig, limit: Callable[[int], int]
) -> Delay:
    """Each lost try costs a wait, half to one and a half of a mean that doubles: RFC 6298, 5.5."""
    loss, first = network.loss, network.retransmit_after
    draw, between = stream.random, stream.uniform

    def retransmitted(message: Message, sender: int, receiver: int, time: int) -> int:
        drawn, latest, wait = delay(message, sender, receiver, time), limit(time), first
        while drawn < latest and draw() < loss:
            drawn += round(wait * between(0.5, 1.5))
            wait *= 2
        return min(drawn, latest)

    return retransmitted


def _with_partition(delay: Delay, partition: Partition, nodes: int) -> Delay:
    start, stop, one_way = partition.start, partition.stop, partition.one_way
    group_of = {name: group for group, names in enumerate(partition.groups) for name in names}
    groups = [group_of.get(name) for name in _participants(nodes)]

    def held(message: Message, sender: int, receiver: int, time: int) -> int:
        drawn = delay(message, sender, receiver, time)
        if not start <= time < stop:
            return drawn
        origin, target = groups[sender], groups[receiver]
        if origin is None or target is None or origin == target or (one_way and origin):
            return drawn
        return max(drawn, stop - time)

    return held


def _with_loss(delay: Delay, stream: random.Random, loss: float) -> Delay:
    draw = stream.random

    def lossy(message: Message, sender: int, receiver: int, time: int) -> int:
        drawn = delay(message, sender, receiver, time)
        return LOST if draw() < loss else drawn

    return lossy
