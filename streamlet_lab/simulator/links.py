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
from streamlet_lab.copies import given
from streamlet_lab.registers import DELAYS
from streamlet_lab.simulator.delays import LOST, Delay, shortest_delay
from streamlet_lab.streams import stream
from streamlet_lab.units import to_whole

#: ``layer(drawn, message, sender, receiver, time)``: a copy's delay, given what it was so far.
Layer = Callable[[int, Message, int, int, int], int]


@dataclass(frozen=True, slots=True)
class Links:
    """The delays of all links of a run, and what they never fall below, in microseconds."""

    delay: Delay
    shortest: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "delay", given(self.delay, "links.delay"))


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
    limit, shortest = _Limit(network.delta, network.bad_times), shortest_delay(network)
    names = [*(f"node_{index}" for index in range(nodes)), OBSERVER]
    layers: list[Layer] = []
    if network.delays not in DELAYS.own():  # those clip their delays themselves
        base = _OthersDelay(given(base, "network.delays"), limit)
    if network.link_delays:
        fixed = _fixed_delays(network, names)
        layers.append(_SingleLinks(fixed))
        shortest = min(shortest, *fixed.values())
    if network.slow_nodes:
        factors = [network.slow_nodes.get(name, 1.0) for name in names]
        layers.append(_SlowNodes(factors, limit))
    if network.bad_times:
        layers.append(_BadTimes(limit, network.slowdown))
        if network.held:
            layers.append(_Holding(network.bad_times, network.held, network.held_together, seed))
    if network.loss and network.when_lost == "retransmit":
        losing = stream(seed, "network/loss")
        layers.append(_Retransmission(losing, network.loss, network.retransmit_after, limit))
    layers += [_partition(partition, names) for partition in network.partitions]
    if network.loss and network.when_lost == "forever":
        layers.append(_Loss(stream(seed, "network/loss"), network.loss))
    return Links(_Layered(base, layers) if layers else base, shortest)


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


# --- What delays are made of, as values: what a function encloses is not copied with it.


@dataclass(frozen=True, slots=True)
class _Limit:
    """The longest delay by the time of sending: Δ, or until good times."""

    delta: int
    bad: Sequence[tuple[int, int]]

    def __call__(self, time: int) -> int:
        return max(self.delta, _last_stop(self.bad, time) - time) if self.bad else self.delta


@dataclass(frozen=True, slots=True)
class _Layered:
    base: Delay
    layers: Sequence[Layer]

    def __call__(self, message: Message, sender: int, receiver: int, time: int) -> int:
        drawn = self.base(message, sender, receiver, time)
        for layer in self.layers:
            drawn = layer(drawn, message, sender, receiver, time)
        return drawn


@dataclass(frozen=True, slots=True)
class _OthersDelay:
    """Delays of a kind that is not the lab's own, clipped."""

    delay: Callable[[Message, int, int, int], Any]
    limit: _Limit

    def __call__(self, message: Message, sender: int, receiver: int, time: int) -> int:
        given = self.delay(message, sender, receiver, time)
        expected = "delays in whole microseconds"
        drawn = to_whole(given, -LOST, "network.delays", expected=expected)
        return max(1, min(drawn, self.limit(time)))


# --- Layers


def _fixed_delays(network: NetworkConfig, names: Sequence[str]) -> dict[tuple[int, int], int]:
    index = {name: place for place, name in enumerate(names)}
    ends = {link: link.split(">") for link in network.link_delays}
    return {
        (index[sender], index[receiver]): min(network.link_delays[link], network.delta)
        for link, (sender, receiver) in ends.items()
    }


@dataclass(frozen=True, slots=True)
class _SingleLinks:
    fixed: Mapping[tuple[int, int], int]

    def __call__(self, drawn: int, message: Message, sender: int, receiver: int, time: int) -> int:
        return self.fixed.get((sender, receiver), drawn)


@dataclass(frozen=True, slots=True)
class _SlowNodes:
    factors: Sequence[float]
    limit: _Limit

    def __call__(self, drawn: int, message: Message, sender: int, receiver: int, time: int) -> int:
        slowed = round(drawn * self.factors[sender] * self.factors[receiver])
        return min(slowed, self.limit(time))


@dataclass(frozen=True, slots=True)
class _BadTimes:
    limit: _Limit
    slowdown: float

    def __call__(self, drawn: int, message: Message, sender: int, receiver: int, time: int) -> int:
        is_bad = any(start <= time < stop for start, stop in self.limit.bad)
        return min(round(drawn * self.slowdown), self.limit(time)) if is_bad else drawn


@dataclass(frozen=True, slots=True)
class _Holding:
    """Hold some messages back from some receivers, whoever passes them on.

    A hash decides on each message and receiver: so all copies meet the same fate, and the links'
    own draws stay as they are.
    """

    bad: Sequence[tuple[int, int]]
    share: float
    together: bool
    seed: int

    def __call__(self, drawn: int, message: Message, sender: int, receiver: int, time: int) -> int:
        periods = [period for period in self.bad if period[0] <= time < period[1]]
        if not periods:
            return drawn
        start, stop = max(periods, key=itemgetter(1))
        what = f"{type(message).__name__}/{message.epoch}".encode()
        digest = hashlib.blake2b(
            receiver.to_bytes(4) + (what if self.together else message.signed),
            digest_size=16,
            key=self.seed.to_bytes(8),
            person=b"held",
        ).digest()
        chance, instant = (int.from_bytes(half) / 2**64 for half in (digest[:8], digest[8:]))
        release = start + int((stop - start) * instant) if chance < self.share else 0
        return max(drawn, release - time)


@dataclass(frozen=True, slots=True)
class _Retransmission:
    """Each lost try costs a wait, half to one and a half of a mean that doubles: RFC 6298, 5.5."""

    stream: random.Random
    loss: float
    first: int
    limit: _Limit

    def __call__(self, drawn: int, message: Message, sender: int, receiver: int, time: int) -> int:
        latest, wait = self.limit(time), self.first
        while drawn < latest and self.stream.random() < self.loss:
            drawn += round(wait * self.stream.uniform(0.5, 1.5))
            wait *= 2
        return min(drawn, latest)


def _partition(partition: Partition, names: Sequence[str]) -> Layer:
    group_of = {name: group for group, members in enumerate(partition.groups) for name in members}
    groups = [group_of.get(name) for name in names]
    return _Partitioned(partition.start, partition.stop, partition.one_way, groups)


@dataclass(frozen=True, slots=True)
class _Partitioned:
    start: int
    stop: int
    one_way: bool
    groups: Sequence[int | None]  # of each participant

    def __call__(self, drawn: int, message: Message, sender: int, receiver: int, time: int) -> int:
        if not self.start <= time < self.stop:
            return drawn
        origin, target = self.groups[sender], self.groups[receiver]
        if origin is None or target is None or origin == target or (self.one_way and origin):
            return drawn
        return max(drawn, self.stop - time)


@dataclass(frozen=True, slots=True)
class _Loss:
    stream: random.Random
    loss: float

    def __call__(self, drawn: int, message: Message, sender: int, receiver: int, time: int) -> int:
        return LOST if self.stream.random() < self.loss else drawn
