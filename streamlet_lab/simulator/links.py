"""How long a message is on its way: delays by link, lossy links, bad times, partitions, clocks.

:func:`make_links` starts from one kind of delays, and has layer after layer change what was drawn.
Each layer that draws has a random stream of its own, so that switching it on leaves the draws of
the others as they were.
"""

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any

from streamlet_lab.config import OBSERVER, NetworkConfig, Partition
from streamlet_lab.consensus import Message
from streamlet_lab.copies import given
from streamlet_lab.registers import DELAYS
from streamlet_lab.simulator.delays import LOST, Delay, shortest_delay
from streamlet_lab.streams import stream
from streamlet_lab.units import to_whole

#: ``layer(drawn, time, sender, receiver, message)``: a copy's delay, given what it was so far.
Layer = Callable[[int, int, int, int, Message], int]
Intervals = Sequence[tuple[int, int]]
Limit = Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Links:
    """The delays of all links of a run, and what they never fall below, in microseconds.

    What draws the delays of copies that matter only to one who missed the first is made by
    ``further``; without it that is ``delay``, too.
    """

    delay: Delay
    shortest: int
    further: Callable[[], Delay] | None = None

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
    shortest = shortest_delay(network)
    if network.link_delays:
        shortest = min(shortest, network.delta, *network.link_delays.values())
    make = partial(_make_delay, network, nodes, seed)
    return Links(make(""), shortest, partial(make, "/further"))


def _make_delay(network: NetworkConfig, nodes: int, seed: int, part: str) -> Delay:
    """Return the delays of links, drawn from streams that other parts of the run do not have."""
    base: Delay = network.make_delays(stream(seed, f"network{part}"), nodes)
    limit = partial(_limit, network.delta, network.bad_times)
    names = [*(f"node_{index}" for index in range(nodes)), OBSERVER]
    layers: list[Layer] = []
    if network.delays not in DELAYS.own():  # those clip their delays themselves
        base = partial(_clipped, given(base, "network.delays"), limit)
    if network.link_delays:
        layers.append(partial(_on_single_links, _fixed_delays(network, names)))
    if network.slow_nodes:
        factors = [network.slow_nodes.get(name, 1.0) for name in names]
        layers.append(partial(_slowed, factors, limit))
    if network.bad_times:
        layers.append(partial(_in_bad_times, network.bad_times, limit, network.slowdown))
        if network.held:
            layers.append(partial(_held_back, network, seed))
    if network.loss and network.when_lost == "retransmit":
        losing = stream(seed, f"network{part}/loss")
        layers.append(partial(_retransmitted, network, losing, limit))
    layers += [_partition(one, names) for one in network.partitions]
    if network.loss and network.when_lost == "forever":
        layers.append(partial(_lost_for_good, stream(seed, f"network{part}/loss"), network.loss))
    return partial(_layered, base, layers) if layers else base


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


def _last_stop(intervals: Intervals, time: int) -> int:
    """Return when the last interval that a time lies in is over; the time itself if in none."""
    return max((stop for start, stop in intervals if start <= time < stop), default=time)


# --- What delays are made of: `partial` binds the parts, since a closure's are not copied with it.


def _limit(delta: int, bad: Intervals, time: int) -> int:
    """Return the longest delay of what is sent at a time: Δ, or until good times."""
    return max(delta, _last_stop(bad, time) - time) if bad else delta


def _layered(
    base: Delay, layers: Sequence[Layer], message: Message, sender: int, receiver: int, time: int
) -> int:
    drawn = base(message, sender, receiver, time)
    for layer in layers:
        drawn = layer(drawn, time, sender, receiver, message)
    return drawn


def _clipped(
    delay: Delay, limit: Limit, message: Message, sender: int, receiver: int, time: int
) -> int:
    """Return a delay of a kind that is not the lab's own, clipped."""
    given: Any = delay(message, sender, receiver, time)
    drawn = to_whole(given, -LOST, "network.delays", expected="delays in whole microseconds")
    return max(1, min(drawn, limit(time)))


# --- Layers


def _fixed_delays(network: NetworkConfig, names: Sequence[str]) -> dict[tuple[int, int], int]:
    index = {name: place for place, name in enumerate(names)}
    ends = {link: link.split(">") for link in network.link_delays}
    return {
        (index[sender], index[receiver]): min(network.link_delays[link], network.delta)
        for link, (sender, receiver) in ends.items()
    }


def _on_single_links(
    fixed: Mapping[tuple[int, int], int], drawn: int, time: int, sender: int, receiver: int, *_: Any
) -> int:
    return fixed.get((sender, receiver), drawn)


def _slowed(
    factors: Sequence[float],
    limit: Limit,
    drawn: int,
    time: int,
    sender: int,
    receiver: int,
    *_: Any,
) -> int:
    return min(round(drawn * factors[sender] * factors[receiver]), limit(time))


def _in_bad_times(
    bad: Intervals, limit: Limit, slowdown: float, drawn: int, time: int, *_: Any
) -> int:
    is_bad = any(start <= time < stop for start, stop in bad)
    return min(round(drawn * slowdown), limit(time)) if is_bad else drawn


def _held_back(
    network: NetworkConfig,
    seed: int,
    drawn: int,
    time: int,
    _: int,
    receiver: int,
    message: Message,
) -> int:
    """Hold some messages back from some receivers, whoever passes them on.

    A hash decides on each message and receiver: so all copies meet the same fate, and the links'
    own draws stay as they are.
    """
    periods = [period for period in network.bad_times if period[0] <= time < period[1]]
    if not periods:
        return drawn
    start, stop = max(periods, key=itemgetter(1))
    what = f"{type(message).__name__}/{message.epoch}".encode()
    digest = hashlib.blake2b(
        receiver.to_bytes(4) + (what if network.held_together else message.signed),
        digest_size=16,
        key=seed.to_bytes(8),
        person=b"held",
    ).digest()
    chance, instant = (int.from_bytes(half) / 2**64 for half in (digest[:8], digest[8:]))
    release = start + int((stop - start) * instant) if chance < network.held else 0
    return max(drawn, release - time)


def _retransmitted(
    network: NetworkConfig, losing: random.Random, limit: Limit, drawn: int, time: int, *_: Any
) -> int:
    """Have each lost try cost half to one and a half of a wait that doubles: RFC 6298, 5.5."""
    latest, wait = limit(time), network.retransmit_after
    while drawn < latest and losing.random() < network.loss:
        drawn += round(wait * losing.uniform(0.5, 1.5))
        wait *= 2
    return min(drawn, latest)


def _partition(partition: Partition, names: Sequence[str]) -> Layer:
    group_of = {name: group for group, members in enumerate(partition.groups) for name in members}
    return partial(_kept_apart, partition, [group_of.get(name) for name in names])


def _kept_apart(
    partition: Partition,
    groups: Sequence[int | None],  # of each participant
    drawn: int,
    time: int,
    sender: int,
    receiver: int,
    *_: Any,
) -> int:
    if not partition.start <= time < partition.stop:
        return drawn
    origin, target = groups[sender], groups[receiver]
    if origin is None or target is None or origin == target or (partition.one_way and origin):
        return drawn
    return max(drawn, partition.stop - time)


def _lost_for_good(losing: random.Random, loss: float, drawn: int, *_: Any) -> int:
    return LOST if losing.random() < loss else drawn
