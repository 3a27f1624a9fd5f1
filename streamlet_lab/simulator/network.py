"""A gossip network: everyone echoes every message that is new.

In Streamlet every node echoes every message that is new to it (section 3). Only the first arrival
of a message at a node matters to the node, so the network keeps, for each message and receiver, the
earliest arrival known so far and drops the later copies unseen. That is exact: the test suite
compares it with an echo carried out copy by copy.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from streamlet_lab.consensus import Message
from streamlet_lab.simulator.delays import LOST, LognormalDelays
from streamlet_lab.simulator.links import Links
from streamlet_lab.simulator.queue import EventQueue, Priority

#: ``delivered(received, sender, receiver, sent, message)``.
Delivered = Callable[[int, int, int, int, Message], None]

_ARRIVED: Final = -1
# Looked up once: an enumeration's members cost more to reach than to compare.
_DELIVERY: Final = Priority.DELIVERY


class _Tally:
    """Copies of the messages of one kind about one epoch."""

    __slots__ = ("echoed", "received", "sent")

    def __init__(self) -> None:
        self.sent = self.echoed = self.received = 0


class _Flood:
    """One message on its way to everyone.

    For each participant ``due`` has the earliest arrival known; a copy sent now may still come
    before it for those in ``open``, and since time only goes forward, for no others later on. For
    one that may be down when a copy arrives, nothing is due until one has: each copy counts.
    From ``not_before`` on everyone takes it in; who has a clock that is less late does so before.
    """

    __slots__ = ("due", "message", "not_before", "open", "tally", "via")

    def __init__(self, message: Message, participants: int, tally: _Tally, not_before: int) -> None:
        self.message = message
        self.tally = tally
        self.not_before = not_before
        self.due = [LOST] * participants
        self.open: Sequence[int] = range(participants)
        self.via: dict[int, tuple[int, int]] = {}


def _at_once(epoch: int) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Reception:
    """How participants take in what arrives.

    Parameters
    ----------
    not_before : callable
        Epoch → from which time on a clock that is not late lets messages about it in. A copy that
        comes sooner stays with its sender until then, so that nobody has to keep it, or loses what
        others have.
    late : sequence of int
        Microseconds that each participant's clock is late; none is unless given.
    verify_time : int
        Microseconds that a participant is busy with each message that is new to it, one after the
        other, before it takes it in and passes it on.
    """

    not_before: Callable[[int], int] = _at_once
    late: Sequence[int] = ()
    verify_time: int = 0


class Network:
    """Carries messages between participants: the voting nodes, and an observer behind them.

    Parameters
    ----------
    queue : EventQueue
    links : Links
        A copy that cannot overtake one already on its way, at the shortest delay, is not drawn.
    voters : int
        Participants 0 … voters − 1 send and echo; the observer only receives.
    receive : callable
        ``receive(time, participant, message)``: called at the first arrival of each message.
    echo : bool
        Whether voters pass on what is new to them.
    unreliable : collection of int
        Participants that may go down and come back.
    reception : Reception
    delivered : callable, optional
        Called with the times and participants of each first arrival.

    Attributes
    ----------
    online : list of bool
        Whether each participant is up. What arrives at one that is down is lost to it.
    echoes : list of bool
        Whether each participant passes on what is new to it; the faulty may not care to.
    """

    def __init__(
        self,
        queue: EventQueue,
        links: Links,
        voters: int,
        receive: Callable[[int, int, Message], None],
        *,
        echo: bool = True,
        unreliable: Collection[int] = (),
        reception: Reception = Reception(),
        delivered: Delivered | None = None,
    ) -> None:
        self._queue = queue
        self._delay, self._shortest_delay = links.delay, links.shortest
        self._sooner = links.delay.sooner if isinstance(links.delay, LognormalDelays) else None
        self._voters = voters
        self._participants = participants = voters + 1
        self._receive = receive
        self._unreliable = frozenset(unreliable)
        self._not_before = reception.not_before
        late = tuple(reception.late) or (0,) * participants
        self._latest = max(late)
        self._ahead = [self._latest - one for one in late]
        self._verify_time = reception.verify_time
        self._let_in = self._verify_first if reception.verify_time else self._take_in
        self._busy_until = [0] * participants
        self._delivered = delivered
        # Nobody may be down, or asks whose copy came first: the usual case, and the fast one.
        self._is_plain = not self._unreliable and delivered is None
        self.online = [True] * participants
        self.echoes = [echo] * voters + [False]
        self._floods: dict[Message, _Flood] = {}
        self._tallies: dict[tuple[int, str], _Tally] = {}

    @property
    def copies(self) -> dict[tuple[int, str], tuple[int, int, int]]:
        """By epoch and kind of message: copies sent by authors, passed on, and first to arrive.

        All among voters. The observer's are not counted: the protocol has none.
        """
        return {key: (one.sent, one.echoed, one.received) for key, one in self._tallies.items()}

    def on_their_way(self) -> Iterator[Message]:
        """Yield the messages of which a copy is yet to arrive."""
        for message, flood in self._floods.items():
            if any(_ARRIVED < due < LOST for due in flood.due):
                yield message

    def forget(self, epoch: int) -> list[Message]:
        """Drop, and return, all messages about earlier epochs: none of them is sent again."""
        gone = [message for message in self._floods if message.epoch < epoch]
        for message in gone:
            del self._floods[message]
        return gone

    def forget_copies(self, epoch: int) -> None:
        """Drop the counts of copies of messages about earlier epochs."""
        self._tallies = {key: one for key, one in self._tallies.items() if key[0] >= epoch}

    def broadcast(self, time: int, sender: int, message: Message) -> None:
        """Send a participant's own message to all others."""
        flood = self._flood(message)
        flood.tally.sent += self._voters - 1
        flood.due[sender] = _ARRIVED
        self._echo(time, sender, flood)

    def send(
        self, time: int, sender: int, receiver: int, message: Message, delay: int | None = None
    ) -> None:
        """Send one copy to one participant, with a delay of one's own instead of the link's."""
        flood = self._flood(message)
        flood.tally.sent += receiver < self._voters
        if delay is None:
            delay = self._delay(message, sender, receiver, time)
        if time + delay < flood.due[receiver]:
            self._send(time, sender, receiver, flood, time + delay)

    def _flood(self, message: Message) -> _Flood:
        flood = self._floods.get(message)
        if flood is None:
            key = (message.epoch, type(message).__name__)
            tally = self._tallies.get(key)
            if tally is None:
                tally = self._tallies[key] = _Tally()
            not_before = self._not_before(message.epoch) + self._latest
            flood = _Flood(message, self._participants, tally, not_before)
            self._floods[message] = flood
        return flood

    def _echo(self, time: int, sender: int, flood: _Flood) -> None:
        """Send a message on to all others: the author, and whoever it is new to (section 3)."""
        message, due, delay = flood.message, flood.due, self._delay
        earliest = time + self._shortest_delay
        flood.open = contested = [one for one in flood.open if due[one] > earliest]
        if self._sooner is None:
            sooner = [
                (receiver, arrival)
                for receiver in contested
                if (arrival := time + delay(message, sender, receiver, time)) < due[receiver]
            ]
        else:
            sooner = self._sooner(due, contested, time)
        if self._is_plain:
            schedule, arrive = self._queue.schedule, self._arrive
            for receiver, arrival in sooner:
                due[receiver] = arrival
                schedule(arrival, _DELIVERY, arrive, (flood, receiver))
        else:
            for receiver, arrival in sooner:
                self._send(time, sender, receiver, flood, arrival)

    def _send(self, time: int, sender: int, receiver: int, flood: _Flood, arrival: int) -> None:
        """Let a copy be on its way that comes before all others known so far."""
        if receiver in self._unreliable:
            copy = (flood, receiver, sender, time)
            self._queue.schedule(arrival, _DELIVERY, self._arrive_perhaps, copy)
            return
        flood.due[receiver] = arrival
        if self._delivered is not None:
            flood.via[receiver] = (sender, time)
        self._queue.schedule(arrival, _DELIVERY, self._arrive, (flood, receiver))

    def _arrive(self, time: int, delivery: tuple[_Flood, int]) -> None:
        flood, receiver = delivery
        if flood.due[receiver] != time:
            return  # an earlier copy has overtaken this one
        flood.due[receiver] = _ARRIVED
        # Nearly always false: the rest is not even computed.
        if time < flood.not_before and time < (
            not_before := flood.not_before - self._ahead[receiver]
        ):
            self._queue.schedule(not_before, _DELIVERY, self._let_in, delivery)
        else:
            self._let_in(time, delivery)

    def _arrive_perhaps(self, time: int, copy: tuple[_Flood, int, int, int]) -> None:
        """Let a copy arrive at a participant that may be down, or may have had another one."""
        flood, receiver, sender, sent = copy
        not_before = flood.not_before - self._ahead[receiver]
        if time < not_before:
            self._queue.schedule(not_before, _DELIVERY, self._arrive_perhaps, copy)
        elif flood.due[receiver] != _ARRIVED and self.online[receiver]:
            flood.due[receiver] = _ARRIVED
            flood.via[receiver] = (sender, sent)
            self._let_in(time, (flood, receiver))

    def _verify_first(self, time: int, delivery: tuple[_Flood, int]) -> None:
        """Have a message taken in once those that came before it are verified, and it is too."""
        receiver = delivery[1]
        done = max(time, self._busy_until[receiver]) + self._verify_time
        self._busy_until[receiver] = done
        self._queue.schedule(done, _DELIVERY, self._take_in, delivery)

    def _take_in(self, time: int, delivery: tuple[_Flood, int]) -> None:
        flood, receiver = delivery
        if not self.online[receiver]:
            return
        if receiver < self._voters:
            tally = flood.tally
            tally.received += 1
            if self.echoes[receiver]:
                tally.echoed += self._voters - 1
                if flood.open:
                    self._echo(time, receiver, flood)
        if self._delivered is not None:
            sender, sent = flood.via[receiver]
            self._delivered(time, sender, receiver, sent, flood.message)
        self._receive(time, receiver, flood.message)
