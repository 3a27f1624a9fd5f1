"""Links with delays, and messages that everyone passes on.

In Streamlet every node echoes every message that is new to it. Only the first arrival of a message
at a node matters to the node, so the network keeps, for each message and receiver, the earliest
arrival known so far and drops the later copies unseen. That is exact: the test suite compares it
with an echo carried out copy by copy.
"""

import math
import random
from collections import Counter
from collections.abc import Callable
from typing import Final

from streamlet_lab.consensus import Message
from streamlet_lab.simulator.queue import EventQueue, Priority

#: Delay in microseconds, at least 1, of a message on the link from one participant to another.
Delay = Callable[[Message, int, int, int], int]

_ARRIVED: Final = -1


def constant_delay(microseconds: int) -> Delay:
    """Return a delay that is the same on every link at every time."""
    return lambda message, sender, receiver, time: microseconds


def lognormal_delay(stream: random.Random, median: int, spread: float, bound: int) -> Delay:
    """Return independent lognormal delays, clipped to Δ.

    Parameters
    ----------
    stream : random.Random
    median, bound : int
        Microseconds.
    spread : float
        Standard deviation of the delay's logarithm.
    """

    def delay(message: Message, sender: int, receiver: int, time: int) -> int:
        drawn = round(median * math.exp(spread * stream.gauss(0, 1)))
        return min(max(drawn, 1), bound)

    return delay


class _Flood:
    """One message on its way to everyone: earliest known arrival by receiver."""

    __slots__ = ("due", "message")

    def __init__(self, message: Message, participants: int) -> None:
        self.message = message
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

    Attributes
    ----------
    online : list of bool
        Whether each participant is up. What arrives at one that is down is lost to it.
    sent, echoed, received : Counter
        By (epoch of the message, its kind): copies that authors sent and that nodes passed on to
        voters, and first arrivals at voters. Listeners are not counted: the protocol has none.
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
    ) -> None:
        self._queue = queue
        self._delay = delay
        self._voters = voters
        self._participants = voters + listeners
        self._receive = receive
        self._echo = echo
        self.online = [True] * self._participants
        self.sent: Counter[tuple[int, str]] = Counter()
        self.echoed: Counter[tuple[int, str]] = Counter()
        self.received: Counter[tuple[int, str]] = Counter()

    def broadcast(self, time: int, sender: int, message: Message) -> None:
        """Send a participant's own message to all others."""
        flood = _Flood(message, self._participants)
        flood.due[sender] = _ARRIVED
        self.sent[message.epoch, type(message).__name__] += self._voters - 1
        self._forward(time, sender, flood)

    def _forward(self, time: int, sender: int, flood: _Flood) -> None:
        due = flood.due
        for receiver in range(self._participants):
            if due[receiver] == _ARRIVED:
                continue
            arrival = time + self._delay(flood.message, sender, receiver, time)
            if arrival < due[receiver]:
                due[receiver] = arrival
                self._queue.schedule(arrival, Priority.DELIVERY, self._arrive, (flood, receiver))

    def _arrive(self, time: int, delivery: tuple[_Flood, int]) -> None:
        flood, receiver = delivery
        if flood.due[receiver] != time:
            return  # an earlier copy has overtaken this one
        flood.due[receiver] = _ARRIVED
        if not self.online[receiver]:
            return
        message = flood.message
        if receiver < self._voters:
            key = (message.epoch, type(message).__name__)
            self.received[key] += 1
            if self._echo:
                self.echoed[key] += self._voters - 1
                self._forward(time, receiver, flood)
        self._receive(time, receiver, message)
