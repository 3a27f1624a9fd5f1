"""Links with delays, and messages that everyone passes on.

In Streamlet every node echoes every message that is new to it. Only the first arrival of a message
at a node matters to the node, so the network keeps, for each message and receiver, the earliest
arrival known so far and drops the later copies unseen. That is exact: the test suite compares it
with an echo carried out copy by copy.
"""

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Final

from streamlet_lab.consensus import Message
from streamlet_lab.simulator.queue import EventQueue, Priority

#: Delay in microseconds, at least 1, of a message on the link from one participant to another.
Delay = Callable[[Message, int, int, int], int]

_ARRIVED: Final = -1
_DRAWS_PER_BLOCK: Final = 512


def constant_delay(microseconds: int) -> Delay:
    """Return a delay that is the same on every link at every time."""
    return lambda message, sender, receiver, time: microseconds


def lognormal_delay(
    stream: random.Random, median: int, spread: float, bound: int, shortest: int = 0
) -> Delay:
    """Return independent delays: a shortest one plus a lognormal rest, clipped to Δ.

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
    draws = chain.from_iterable(_lognormal_blocks(stream, median, spread, bound, shortest))
    return lambda message, sender, receiver, time: next(draws)


def _lognormal_blocks(
    stream: random.Random, median: int, spread: float, bound: int, shortest: int
) -> Iterator[list[int]]:
    """Draw for ever, by Box and Muller; in blocks, since a run draws mostly these."""
    uniform, exp, log, sqrt = stream.random, math.exp, math.log, math.sqrt
    sin, cos, tau = math.sin, math.cos, math.tau
    scale = median - shortest
    while True:
        drawn: list[int] = []
        for _ in range(_DRAWS_PER_BLOCK // 2):
            angle, radius = tau * uniform(), spread * sqrt(-2.0 * log(1.0 - uniform()))
            drawn.append(shortest + round(scale * exp(radius * cos(angle))))
            drawn.append(shortest + round(scale * exp(radius * sin(angle))))
        yield [delay if 1 <= delay <= bound else max(1, min(delay, bound)) for delay in drawn]


class _Tally:
    """Copies of the messages of one kind about one epoch."""

    __slots__ = ("echoed", "received", "sent")

    def __init__(self) -> None:
        self.sent = self.echoed = self.received = 0


class _Flood:
    """One message on its way to everyone: earliest known arrival by receiver."""

    __slots__ = ("due", "message", "tally")

    def __init__(self, message: Message, participants: int, tally: _Tally) -> None:
        self.message = message
        self.tally = tally
        self.due: list[float] = [math.inf] * participants


class Network:
    """Carries messages between participants: first the voting nodes, then listeners.

    Parameters
    ----------
    queue : EventQueue
    delay : callable
        See :data:`Delay`.
    voters : int
        Participants 0 … voters − 1 send and echo.
    listeners : int
        Participants behind them only receive.
    receive : callable
        ``receive(time, participant, message)``: called at the first arrival of each message.
    echo : bool
        Whether voters pass on what is new to them.
    shortest_delay : int
        What ``delay`` never falls below. A copy that cannot overtake one already on its way is not
        even drawn.

    Attributes
    ----------
    online : list of bool
        Whether each participant is up. What arrives at one that is down is lost to it.
    """

    def __init__(
        self,
        queue: EventQueue,
        delay: Delay,
        voters: int,
        listeners: int,
        receive: Callable[[int, int, Message], None],
        *,
        echo: bool = True,
        shortest_delay: int = 1,
    ) -> None:
        self._queue = queue
        self._shortest_delay = shortest_delay
        self._delay = delay
        self._voters = voters
        self._participants = voters + listeners
        self._receive = receive
        self._echo = echo
        self.online = [True] * self._participants
        self._tallies: dict[tuple[int, str], _Tally] = {}

    @property
    def sent(self) -> Counter[tuple[int, str]]:
        """Copies that authors sent to voters, by epoch of the message and its kind.

        Listeners are not counted, here and below: the protocol has none.
        """
        return Counter({key: tally.sent for key, tally in self._tallies.items()})

    @property
    def echoed(self) -> Counter[tuple[int, str]]:
        """Copies that voters passed on to voters, by epoch of the message and its kind."""
        return Counter({key: tally.echoed for key, tally in self._tallies.items()})

    @property
    def received(self) -> Counter[tuple[int, str]]:
        """First arrivals at voters, by epoch of the message and its kind."""
        return Counter({key: tally.received for key, tally in self._tallies.items()})

    def broadcast(self, time: int, sender: int, message: Message) -> None:
        """Send a participant's own message to all others."""
        key = (message.epoch, type(message).__name__)
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = _Tally()
        tally.sent += self._voters - 1
        flood = _Flood(message, self._participants, tally)
        flood.due[sender] = _ARRIVED
        self._forward(time, sender, flood)

    def _forward(self, time: int, sender: int, flood: _Flood) -> None:
        message, due, delay = flood.message, flood.due, self._delay
        hopeless = time + self._shortest_delay
        for receiver, earliest in enumerate(due):
            if earliest <= hopeless:
                continue
            arrival = time + delay(message, sender, receiver, time)
            if arrival < earliest:
                due[receiver] = arrival
                self._queue.schedule(arrival, Priority.DELIVERY, self._arrive, (flood, receiver))

    def _arrive(self, time: int, delivery: tuple[_Flood, int]) -> None:
        flood, receiver = delivery
        if flood.due[receiver] != time:
            return  # an earlier copy has overtaken this one
        flood.due[receiver] = _ARRIVED
        if not self.online[receiver]:
            return
        if receiver < self._voters:
            flood.tally.received += 1
            if self._echo:
                flood.tally.echoed += self._voters - 1
                self._forward(time, receiver, flood)
        self._receive(time, receiver, flood.message)
