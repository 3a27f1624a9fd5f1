"""How long a message is on its way: delays by link, lossy links, bad times, partitions, clocks.

A delay is a function. :func:`make_links` starts from one kind of delays and wraps it, layer by
layer, into what the configuration says; each layer that draws has a random stream of its own, so
that switching it on leaves the draws of the others as they were.
"""

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from streamlet_lab.config import OBSERVER, NetworkConfig, Partition
from streamlet_lab.consensus import Message
from streamlet_lab.errors import InvalidInput
from streamlet_lab.registers import DELAYS
from streamlet_lab.simulator.delays import LOST, Delay, shortest_delay
from streamlet_lab.streams import stream


@dataclass(frozen=True, slots=True)
class Links:
    """The delays of all links of a run, and what they never fall below, in microseconds."""

    delay: Delay
    shortest: int


def make_links(network: NetworkConfig, nodes: int, seed: int) -> Links:
    """Return the links that a configuration describes between voting nodes, and to the observer.

    Raises
    ------
    InvalidInput
        If there is no such kind of delays, or the function given is not one.

    Examples
    --------
    >>> from streamlet_lab.simulator.delays import delay_kind
    >>> @delay_kind("far_observer")
    ... def far_observer(stream, network, nodes):
    ...     return lambda message, sender, receiver, time: 90_000 if receiver == nodes else 10_000
    >>> links = make_links(NetworkConfig(delays="far_observer"), nodes=4, seed=0)
    >>> links.delay(None, 0, 1, 0), links.delay(None, 0, 4, 0)
    (10000, 90000)
    """
    limit = _make_limit(network)
    delay = _make_base(network, nodes, stream(seed, "network"), limit)
    shortest = shortest_delay(network)
    if network.link_delays:
        fixed = _fixed_delays(network, nodes)
        delay, shortest = _with_fixed(delay, fixed), min(shortest, *fixed.values())
    if network.slow_nodes:
        factors = [network.slow_nodes.get(name, 1.0) for name in _participants(nodes)]
        delay = _with_slow_nodes(delay, factors, limit)
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


def _make_base(
    network: NetworkConfig, nodes: int, stream: random.Random, limit: Callable[[int], int]
) -> Delay:
    """Return the kind's delays, none of them above the limit of its time."""
    delay: Delay = network.make_delays(stream, nodes)
    # The lab's own kinds clip their delays themselves.
    return delay if network.delays in DELAYS.own() else _clipped(delay, limit)


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


def _participants(nodes: int) -> list[str]:
    return [*(f"node_{index}" for index in range(nodes)), OBSERVER]


def _fixed_delays(network: NetworkConfig, nodes: int) -> dict[tuple[int, int], int]:
    index = {name: place for place, name in enumerate(_participants(nodes))}
    ends = {link: link.split(">") for link in network.link_delays}
    return {
        (index[sender], index[receiver]): min(network.link_delays[link], network.delta)
        for link, (sender, receiver) in ends.items()
    }


def _with_fixed(delay: Delay, fixed: Mapping[tuple[int, int], int]) -> Delay:
    def replaced(message: Message, sender: int, receiver: int, time: int) -> int:
        # Drawn in any case, so that the other links' delays are those without this setting.
        drawn = delay(message, sender, receiver, time)
        return fixed.get((sender, receiver), drawn)

    return replaced


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
