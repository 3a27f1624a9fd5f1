"""An echo carried out copy by copy: each is an event, and each node remembers what it has seen."""

from collections import Counter

from streamlet_lab.simulator import Priority
from streamlet_lab.simulator.delays import LOST
from streamlet_lab.simulator.network import Reception

NO_WAIT = Reception()


class NaiveEcho:
    """Stands in for the network, without a thought for speed."""

    def __init__(self, queue, links, voters, receive, *, echo=True, reception=NO_WAIT, **options):
        # Who may be down does not matter here.
        assert options.keys() <= {"unreliable", "delivered"}
        assert not reception.verify_time
        self.not_before, self.late = (reception.not_before, reception.late or (0,) * (voters + 1))
        self.queue, self.delay, self.receive = queue, links.delay, receive
        self.voters, self.participants = range(voters), range(voters + 1)
        self.online = [True for _ in self.participants]
        self.echoes = [echo for _ in self.voters] + [False]
        self.seen = {participant: set() for participant in self.participants}
        self.sent, self.echoed, self.received = Counter(), Counter(), Counter()

    @property
    def copies(self):
        return {key: (self.sent[key], self.echoed[key], self.received[key]) for key in self.sent}

    def broadcast(self, time, sender, message):
        self.seen[sender].add(message)
        self.send_to_others(time, sender, message, self.sent)

    def send(self, time, sender, receiver, message, delay=None):
        if delay is None:
            delay = self.delay(message, sender, receiver, time)
        self.sent[message.epoch, type(message).__name__] += receiver in self.voters
        self.carry(time + delay, receiver, message)

    def send_to_others(self, time, sender, message, count):
        for receiver in self.participants:
            if receiver != sender:
                count[message.epoch, type(message).__name__] += receiver in self.voters
                arrival = time + self.delay(message, sender, receiver, time)
                self.carry(arrival, receiver, message)

    def carry(self, arrival, receiver, message):
        if arrival < LOST:
            self.queue.schedule(arrival, Priority.DELIVERY, self.arrive, (receiver, message))

    def arrive(self, time, copy):
        receiver, message = copy
        if message in self.seen[receiver] or not self.online[receiver]:
            return
        not_before = self.not_before(message.epoch) + self.late[receiver]
        if time < not_before:
            self.queue.schedule(not_before, Priority.DELIVERY, self.arrive, copy)
            return
        self.seen[receiver].add(message)
        if receiver in self.voters:
            self.received[message.epoch, type(message).__name__] += 1
            if self.echoes[receiver]:
                self.send_to_others(time, receiver, message, self.echoed)
        self.receive(time, receiver, message)
