"""How long a message is on its way: delays by link, lossy links, bad times, partitions, clocks.

:func:`make_links` starts from one kind of delays, and has layer after layer change what was drawn.
Each layer that draws has a random stream of its own, so that switching it on leaves the draws of
the others as they were.
"""

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from streamlet_lab.config import OBSERVER, NetworkConfig, Partition
from streamlet_lab.consensus import Message
from streamlet_lab.registers import DELAYS
from streamlet_lab.simulator.delays import LOST, Delay, shortest_delay
from streamlet_lab.streams import stream
from streamlet_lab.units import to_whole

#: ``layer(drawn, message, sender, receiver, time)``: a copy's delay, given what it was so far.
Layer = Callable[[int, Message, int, int, int], int]

# The longest delay that a message sent at a time may have.
_Limit = Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Links:
    """The delays of all links of a run, and what they never fall below, in microseconds."""

    delay: Delay
    shortest: int


def make_links(network: NetworkConfig, nodes: int, seed: int) -> Links:
    """Return the links that a configuration describes between voting nodes, and to the observer.

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
    base: Delay = network.make_delays(stream(seed, "network"), nodes)
    limit, shortest = _make_limit(network), shortest_delay(network)
    names = [*(f"node_{index}" for index in range(nodes)), OBSERVER]
    layers: list[Layer] = []
    if network.delays not in DELAYS.own():  # those clip their delays themselves
        layers.append(_clip(limit))
    if network.link_delays:
        fixed = _fixed_delays(network, names)
        layers.append(_single_links(fixed))
        shortest = min(shortest, *fixed.values())
    if network.slow_nodes:
        layers.append(_slow_nodes([network.slow_nodes.get(name, 1.0) for name in names], limit))
    if network.bad_times:
        layers.append(_bad_times(network, limit))
        if network.held:
            layers.append(_holding(network, seed))
    if network.loss and network.when_lost == "retransmit":
        layers.append(_retransmission(stream(seed, "network/loss"), network, limit))
    layers += [_partition(partition, names) for partition in network.partitions]
    if network.loss and network.when_lost == "forever":
        layers.append(_loss(stream(seed, "network/loss"), network.loss))
    return Links(_layered(base, layers) if layers else base, shortest)


def _layered(base: Delay, layers: Sequence[Layer]) -> Delay:
    def delay(message: Message, sender: int, receiver: int, time: int) -> int:
        drawn = base(message, sender, receiver, time)
        for layer in layers:
            drawn = layer(drawn, message, sender, receiver, time)
        return drawn

    return delay


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


def _last_stop(intervals: Sequence[tuple[int, int]], time: int) -> int:
    """Return when the last interval that a time lies in is over; the time itself if in none."""
    return max((stop for start, stop in intervals if start <= time < stop), default=time)


def _make_limit(network: NetworkConfig) -> _Limit:
    """Return the longest delay by the time of sending: Δ, or until good times."""
    delta, bad = network.delta, network.bad_times
    if not bad:
        return lambda time: delta
    return lambda time: max(delta, _last_stop(bad, time) - time)


# --- Layers


def _clip(limit: _Limit) -> Layer:
    def layer(drawn: Any, message: Message, sender: int, receiver: int, time: int) -> int:
        expected = "delays in whole microseconds"
        whole = (
            drawn
            if type(drawn) is int
            else to_whole(drawn, -LOST, "network.delays", None, expected)
        )
        return max(1, min(whole, limit(time)))

    return layer


def _fixed_delays(network: NetworkConfig, names: Sequence[str]) -> dict[tuple[int, int], int]:
    index = {name: place for place, name in enumerate(names)}
    ends = {link: link.split(">") for link in network.link_delays}
    return {
        (index[sender], index[receiver]): min(network.link_delays[link], network.delta)
        for link, (sender, receiver) in ends.items()
    }


def _single_links(fixed: Mapping[tuple[int, int], int]) -> Layer:
    return lambda drawn, message, sender, receiver, time: fixed.get((sender, receiver), drawn)


def _slow_nodes(factors: Sequence[float], limit: _Limit) -> Layer:
    def layer(drawn: int, message: Message, sender: int, receiver: int, time: int) -> int:
        return min(round(drawn * factors[sender] * factors[receiver]), limit(time))

    return layer


def _bad_times(network: NetworkConfig, limit: _Limit) -> Layer:
    bad, slowdown = network.bad_times, network.slowdown

    def layer(drawn: int, message: Message, sender: int, receiver: int, time: int) -> int:
        is_bad = any(start <= time < stop for start, stop in bad)
        return min(round(drawn * slowdown), limit(time)) if is_bad else drawn

    return layer


def _holding(network: NetworkConfig, seed: int) -> Layer:
    """Hold some messages back from some receivers, whoever passes them on.

    A hash decides on each message and receiver: so all copies meet the same fate, and the links'
    own draws stay as they are.
    """
    bad, share, together = network.bad_times, network.held, network.held_together
    key = seed.to_bytes(8)

    def what(message: Message) -> bytes:
        kind_and_epoch = f"{type(message).__name__}/{message.epoch}"
        return kind_and_epoch.encode() if together else message.signed

    def layer(drawn: int, message: Message, sender: int, receiver: int, time: int) -> int:
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

    return layer


def _retransmission(stream: random.Random, network: NetworkConfig, limit: _Limit) -> Layer:
    """Each lost try costs a wait, half to one and a half of a mean that doubles: RFC 6298, 5.5."""
    loss, first = network.loss, network.retransmit_after
    draw, between = stream.random, stream.uniform

    def layer(drawn: int, message: Message, sender: int, receiver: int, time: int) -> int:
        latest, wait = limit(time), first
        while drawn < latest and draw() < loss:
            drawn += round(wait * between(0.5, 1.5))
            wait *= 2
        return min(drawn, latest)

    return layer


def _partition(partition: Partition, names: Sequence[str]) -> Layer:
    start, stop, one_way = partition.start, partition.stop, partition.one_way
    group_of = {name: group for group, members in enumerate(partition.groups) for name in members}
    groups = [group_of.get(name) for name in names]

    def layer(drawn: int, message: Message, sender: int, receiver: int, time: int) -> int:
        if not start <= time < stop:
            return drawn
        origin, target = groups[sender], groups[receiver]
        if origin is None or target is None or origin == target or (one_way and origin):
            return drawn
        return max(drawn, stop - time)

    return layer


def _loss(stream: random.Random, loss: float) -> Layer:
    draw = stream.random

    return lambda drawn, message, sender, receiver, time: LOST if draw() < loss else drawn
