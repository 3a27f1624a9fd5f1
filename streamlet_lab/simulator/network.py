"""A gossip network: everyone echoes every message that is new.

In Streamlet every node echoes every message that is new to it (section 3). Only the first arrival
of a message at a node matters to the node, so the network keeps, for each message and receiver, the
earliest arrival known so far and drops the later copies unseen. That is exact: the test suite
compares it with an echo carried out copy by copy.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Final

from streamlet_lab.consensus import Message
from streamlet_lab.fixed import FixedDict
from streamlet_lab.simulator.delays import LOST, LognormalDelays, draw_sooner
from streamlet_lab.simulator.links import Links
from streamlet_lab.simulator.queue import EventQueue, Priority

#: ``delivered(received, sender, receiver, sent, message)``.
Delivered = Callable[[int, int, int, int, Message], None]

# No copy arrives before the first microsecond.
_ARRIVED: Final = 0
_NO_ONE: Final[dict[int, tuple[int, int]]] = FixedDict()
# Looked up once: an enumeration's members cost more to reach than to compare.
_DELIVERY: Final = Priority.DELIVERY


class _Tally:
    """Copies of the messages of one kind about one epoch; an echo sends one to all others.

    From ``not_before`` on everyone takes them in; who has a clock that is less late does so before.
    What arrives before ``at_once`` may have to wait.
    """

    __slots__ = ("at_once", "echoed", "not_before", "sent", "unechoed")

    def __init__(self, not_before: int, at_once: int) -> None:
        self.sent = self.echoed = self.unechoed = 0
        self.not_before = not_before
        self.at_once = at_once


class _Flood:
    """One message on its way to everyone.

    For each participant ``due`` has the earliest arrival known; a copy sent now may still come
    before it for those in ``open``, and since time only goes forward, for no others later on. From
    ``closed`` on no copy comes before what is due. To one that may be down when that copy arrives,
    further copies are sent: each counts. Their delays are drawn apart, so that what the others
    draw, and when this one has what it does not miss, is the same as if it were always up.
    """

    __slots__ = ("closed", "due", "message", "network", "open", "tally", "via")

    def __init__(self, message: Message, network: "Network", tally: _Tally) -> None:
        self.message = message
        self.network = network
        self.tally = tally
        self.open: Sequence[int] = network.participants
        self.due = [LOST] * len(self.open)
        self.closed = LOST
        # From whom the copy came, and when it left, if anybody asks.
        self.via: dict[int, tuple[int, int]] = {} if network.asks_whose else _NO_ONE

    def echo(self, time: int, sender: int) -> None:
        """Send the message on to all others: the author, and whoever it is new to (section 3)."""
        network, plain = self.network, self.network.is_plain
        due = self.due if plain else self.due.copy()
        self.open, sooner = network.sooner(
            due, self.open, network.shortest_delay, time, self.message, sender
        )
        if network.unreliable:
            # In the order of the participants, as all copies leave.
            sooner = sorted([*sooner, *self._further(time, sender, sooner)], key=itemgetter(1))
        elif not self.open:
            self.closed = 0
        if not plain:
            for arrival, receiver in sooner:
                self.send(time, sender, receiver, arrival)
        elif sooner:
            if network.delivered is not None:
                self.via |= dict.fromkeys([receiver for _, receiver in sooner], (sender, time))
            network.queue.schedule_each(_DELIVERY, self.arrive, sooner)

    def _further(
        self, time: int, sender: int, sooner: Collection[tuple[int, int]]
    ) -> Iterator[tuple[int, int]]:
        """Yield arrival and receiver of copies that come no sooner to those who may be down."""
        first = {receiver for _, receiver in sooner}
        for receiver in self.network.unreliable:
            due = self.due[receiver]
            if due != _ARRIVED and receiver not in first:
                delay = self.network.further(self.message, sender, receiver, time)
                yield max(time + delay, due), receiver

    def send(self, time: int, sender: int, receiver: int, arrival: int) -> None:
        """Let a copy be on its way, if it may be the first that its receiver takes in."""
        network, due = self.network, self.due[receiver]
        if receiver in network.unreliable:
            if arrival < LOST:
                self.due[receiver] = min(due, arrival)
                copy = (receiver, sender, time)
                network.queue.schedule(arrival, _DELIVERY, self.arrive_perhaps, copy)
            return
        if arrival >= due:
            return
        self.due[receiver] = arrival
        if network.delivered is not None:
            self.via[receiver] = (sender, time)
        network.queue.schedule(arrival, _DELIVERY, self.arrive, receiver)

    def arrive(self, time: int, receiver: int, waited: bool = False) -> None:
        """Let the first copy arrive at a participant, which takes it in at once or has waited."""
        network = self.network
        if not waited:
            if self.due[receiver] != time:
                return  # an earlier copy has overtaken this one
            self.due[receiver] = _ARRIVED
            if time < self.tally.at_once:
                self._wait(time, receiver)
                return
        if not network.online[receiver]:
            return
        if network.echoes[receiver]:
            self.tally.echoed += 1
            if time < self.closed:
                self.echo(time, receiver)
        elif receiver < network.voters:
            self.tally.unechoed += 1
        if network.delivered is not None:
            sender, sent = self.via.pop(receiver)
            network.delivered(time, sender, receiver, sent, self.message)
        network.receive(time, receiver, self.message)

    def _wait(self, time: int, receiver: int) -> None:
        """Have the message taken in once the receiver's clock lets it in, and it is verified."""
        not_before = self._not_before(receiver)
        if time < not_before:
            self.network.queue.schedule(not_before, _DELIVERY, self._let_in, receiver)
        else:
            self._let_in(time, receiver)

    def arrive_perhaps(self, time: int, copy: tuple[int, int, int]) -> None:
        """Let a copy arrive at a participant that may be down, or may have had another one."""
        receiver, sender, sent = copy
        not_before = self._not_before(receiver)
        if time < not_before:
            self.network.queue.schedule(not_before, _DELIVERY, self.arrive_perhaps, copy)
        elif self.due[receiver] != _ARRIVED and self.network.online[receiver]:
            self.due[receiver] = _ARRIVED
            self.via[receiver] = (sender, sent)
            self._let_in(time, receiver)

    def _not_before(self, receiver: int) -> int:
        return self.tally.not_before - self.network.ahead[receiver]

    def _let_in(self, time: int, receiver: int) -> None:
        """Have the message taken in once those that came before it are verified, and it is too."""
        network = self.network
        if not network.verify_time:
            self._take_in(time, receiver)
            return
        done = max(time, network.busy_until[receiver]) + network.verify_time
        network.busy_until[receiver] = done
        network.queue.schedule(done, _DELIVERY, self._take_in, receiver)

    def _take_in(self, time: int, receiver: int) -> None:
        self.arrive(time, receiver, waited=True)


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
        self.queue = queue
        self.delay, self.shortest_delay = links.delay, links.shortest
        delay = links.delay
        self.sooner = (
            delay.sooner if isinstance(delay, LognormalDelays) else partial(draw_sooner, delay)
        )
        self.voters = voters
        self.participants = range(voters + 1)
        self.receive = receive
        self.unreliable = tuple(sorted({*unreliable}))
        self.further = links.delay
        if self.unreliable and links.further is not None:
            self.further = links.further()
        late = tuple(reception.late) or (0,) * (voters + 1)
        self._latest = max(late)
        self.ahead = [self._latest - one for one in late]
        self._not_before = reception.not_before
        self.verify_time = reception.verify_time
        self.busy_until = [0] * (voters + 1)
        self.delivered = delivered
        # Nobody may be down: the usual case, and the fast one.
        self.is_plain = not self.unreliable
        self.asks_whose = delivered is not None or not self.is_plain
        self.online = [True] * (voters + 1)
        self.echoes = [echo] * voters + [False]
        self._floods: dict[Message, _Flood] = {}
        self._under_way: list[_Flood] = []
        self._everyone_has_it = [_ARRIVED] * (voters + 1)
        self._tallies: dict[tuple[int, str], _Tally] = {}

    @property
    def copies(self) -> dict[tuple[int, str], tuple[int, int, int]]:
        """By epoch and kind of message: copies sent by authors, passed on, and first to arrive.

        All among voters. The observer's are not counted: the protocol has none.
        """
        others, tallies = self.voters - 1, self._tallies.items()
        return {
            key: (one.sent, one.echoed * others, one.echoed + one.unechoed) for key, one in tallies
        }

    def on_their_way(self) -> list[Message]:
        """Return the messages of which a copy is yet to arrive.

        One that a participant missed while it was down is among them until it has it.
        """
        found = []
        for message, flood in self._floods.items():
            # Most are with everyone. A generator would be called for each participant of each.
            if flood.due is not self._everyone_has_it:
                for due in flood.due:
                    if _ARRIVED < due < LOST:
                        found.append(message)
                        break
        return found

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
        flood.tally.sent += self.voters - 1
        flood.due[sender] = _ARRIVED
        flood.echo(time, sender)
        if not self.unreliable:
            flood.closed = max(flood.due) - self.shortest_delay

    def send(
        self, time: int, sender: int, receiver: int, message: Message, delay: int | None = None
    ) -> None:
        """Send one copy to one participant, with a delay of one's own instead of the link's."""
        flood = self._flood(message)
        flood.tally.sent += receiver < self.voters
        if delay is None:
            delay = self.delay(message, sender, receiver, time)
        flood.send(time, sender, receiver, time + delay)

    def _flood(self, message: Message) -> _Flood:
        flood = self._floods.get(message)
        if flood is None:
            key = (message.epoch, type(message).__name__)
            tally = self._tallies.get(key)
            if tally is None:
                not_before = self._not_before(message.epoch) + self._latest
                at_once = LOST if self.verify_time else not_before
                tally = self._tallies[key] = _Tally(not_before, at_once)
                self._forget()
            flood = self._floods[message] = _Flood(message, self, tally)
            self._under_way.append(flood)
        return flood

    def _forget(self) -> None:
        """Keep of messages that everyone has nothing but that they have."""
        under_way, self._under_way = self._under_way, []
        for flood in under_way:
            if any(flood.due):
                self._under_way.append(flood)
            else:
                flood.due, flood.open = self._everyone_has_it, ()
