"""The flood is exactly an echo carried out copy by copy; delays; how many messages there are."""

import math
import random
import statistics
from hashlib import blake2b
from unittest import mock

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from streamlet_lab.consensus import Vote
from streamlet_lab.simulator import EventQueue, Links, Network, Priority, Recorder
from streamlet_lab.simulator.delays import LOST, LognormalDelays, constant_delay, draw_sooner
from streamlet_lab.simulator.network import Reception
from streamlet_lab.streams import stream
from streamlet_lab.theory import messages_per_epoch

from .bare import NEVER, simulation
from .naive_echo import NaiveEcho


def hashed_delay(seed, spread, shortest=1):
    """A delay that depends on message and link alone, so that both networks meet the same one."""

    def delay(message, sender, receiver, time):
        link = b"%d/%d/%d/" % (seed, sender, receiver)
        digest = blake2b(link + message.signed, digest_size=8).digest()
        return shortest + int.from_bytes(digest, "big") % spread

    return delay


def message(number):
    return Vote("test", number % 3, 1, bytes([number]), "node_0", b"")


def carry(kind, delay, voters, broadcasts, offline=(), shortest=1, **options):
    """What arrives when and where, in order, and how many copies there were."""
    queue, arrivals = EventQueue(), []
    links = Links(delay, shortest)
    network = kind(queue, links, voters, lambda *arrival: arrivals.append(arrival), **options)
    for participant in offline:
        network.online[participant] = False
    for number, (time, sender) in enumerate(broadcasts):
        network.broadcast(time, sender % voters, message(number))
    queue.run_until(10_000, Priority.DELIVERY)
    return arrivals, network.copies


@settings(max_examples=150)
@given(
    voters=st.sampled_from([6, 5, 4, 3, 1]),
    broadcasts=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 5)), min_size=1, max_size=6),
    offline=st.sets(st.integers(0, 2)),
    seed=st.integers(0, 2**32),
    spread=st.sampled_from([1, 2, 5, 30]),
    shortest=st.integers(1, 4),
    echo=st.booleans(),
)
def test_the_flood_is_the_echo(voters, broadcasts, offline, seed, spread, shortest, echo):
    offline = [participant for participant in offline if participant < voters]
    delay = hashed_delay(seed, spread, shortest)
    arguments = (delay, voters, broadcasts, offline, shortest)
    flood = carry(Network, *arguments, echo=echo)
    assert flood == carry(NaiveEcho, *arguments, echo=echo)
    event("something arrives" if flood[0] else "nothing arrives")


def hashed_loss(delay, seed, share):
    """The same delays, but that a share of the copies never arrives."""

    def lossy(message, sender, receiver, time):
        link = b"%d/%d/%d/lost" % (seed, sender, receiver)
        lost = blake2b(link + message.signed, digest_size=1).digest()[0] < 256 * share
        return LOST if lost else delay(message, sender, receiver, time)

    return lossy


ACTIONS = st.one_of(
    st.tuples(st.just("broadcast"), st.integers(0, 4), st.integers(0, 3)),
    st.tuples(
        st.just("send"),
        st.integers(0, 4),
        st.integers(0, 3),
        st.integers(0, 5),
        st.none() | st.integers(1, 12),
    ),
    st.tuples(st.just("switch"), st.integers(0, 4)),
)


def play(kind, delay, voters, actions, **options):
    """Arrivals and counts when participants say the same things to some or all, fall silent, and
    come back."""
    queue, arrivals = EventQueue(), []
    links = Links(delay, shortest=1)
    network = kind(queue, links, voters, lambda *arrival: arrivals.append(arrival), **options)

    def act(time, action):
        match action:
            case "broadcast", sender, number:
                network.broadcast(time, sender % voters, message(number))
            case "send", sender, number, receiver, delay if receiver % voters != sender % voters:
                network.send(time, sender % voters, receiver % voters, message(number), delay)
            case "switch", participant:
                network.online[participant % voters] ^= True

    for time, action in enumerate(actions):
        queue.schedule(2 * time, Priority.EPOCH, act, action)
    queue.run_until(10_000, Priority.EPOCH)
    return arrivals, network.copies


@settings(max_examples=300)
@given(
    voters=st.integers(2, 5),
    actions=st.lists(ACTIONS, min_size=1, max_size=12),
    seed=st.integers(0, 2**32),
    spread=st.sampled_from([1, 5, 30]),
    loss=st.sampled_from([0, 0.3, 0.7]),
)
def test_the_flood_is_the_echo_whatever_is_said_to_whom_and_lost(
    voters, actions, seed, spread, loss
):
    delay = hashed_loss(hashed_delay(seed, spread), seed, loss)
    # Who goes down may come back, and then each copy counts.
    unreliable = sorted({action[1] % voters for action in actions if action[0] == "switch"})
    flood = play(Network, delay, voters, actions, unreliable=unreliable)
    assert flood == play(NaiveEcho, delay, voters, actions)
    event(f"{len(unreliable)} unreliable, {'something' if flood[0] else 'nothing'} arrives")


@given(
    broadcasts=st.lists(st.tuples(st.integers(0, 90), st.integers(0, 3)), min_size=1, max_size=8),
    unreliable=st.sets(st.integers(0, 4), min_size=1),
    down=st.none() | st.integers(0, 120),
)
def test_who_may_be_down_changes_nothing_before_it_is(broadcasts, unreliable, down):
    def arrivals(unreliable):
        queue, arrived = EventQueue(), []
        delays = (LognormalDelays(stream(0, part), 50, 0.7, 500, 25) for part in "ab")
        links = Links(next(delays), 25, lambda: next(delays))
        network = Network(
            queue, links, 4, lambda *arrival: arrived.append(arrival), unreliable=unreliable
        )
        for number, (time, sender) in enumerate(broadcasts):
            network.broadcast(time, sender, message(number))
        if unreliable and down is not None:
            queue.run_until(down, Priority.ORDER)
            network.online[min(unreliable)] = False
        queue.run_until(10_000, Priority.DELIVERY)
        return [one for one in arrived if down is None or one[0] <= down]

    assert arrivals(unreliable) == arrivals(())


def test_what_a_participant_verifies_comes_in_one_after_the_other():
    queue, arrivals = EventQueue(), []
    network = Network(
        queue,
        Links(constant_delay(10), 10),
        2,
        lambda *arrival: arrivals.append(arrival),
        reception=Reception(verify_time=4),
    )
    for number in range(3):
        network.broadcast(number, 0, message(number))
    queue.run_until(100, Priority.DELIVERY)
    assert [arrival for arrival in arrivals if arrival[1] == 1] == [
        (14, 1, message(0)),
        (18, 1, message(1)),
        (22, 1, message(2)),
    ]


def test_each_first_arrival_is_told_with_the_copy_that_made_it():
    queue, told = EventQueue(), []
    slow = {(0, 2): 100}
    network = Network(
        queue,
        Links(lambda message, sender, receiver, time: slow.get((sender, receiver), 1), 1),
        3,
        lambda *arrival: None,
        delivered=lambda *delivery: told.append(delivery),
    )
    network.broadcast(0, 0, message(0))
    queue.run_until(200, Priority.DELIVERY)
    assert told == [(1, 0, 1, 0, message(0)), (1, 0, 3, 0, message(0)), (2, 1, 2, 1, message(0))]


def run_with(network, nodes, epochs, **options):
    recorder = Recorder()
    with mock.patch("streamlet_lab.simulator.simulation.Network", network):
        run = simulation(nodes, monitors=[recorder], **options)
    run.run(epochs)
    views = {
        name: (node.tree.blocks(), node.tree.notarized, node.tree.finalized, node.dropped)
        for name, node in run.nodes.items()
    }
    # A copy: Python 3.13 may empty an instance's own dict when it collects the instance.
    return dict(vars(recorder)), views, run.network.copies


@settings(max_examples=40)
@given(
    nodes=st.integers(3, 6),
    faults=st.sampled_from(
        [{}, {"node_1": "crash@2"}, {"node_0": "silent_leader"}, {"node_2": "withhold_votes@1-3"}]
    ),
    seed=st.integers(0, 2**32),
    spread=st.sampled_from([1, 4, 10, 25]),
    shortest=st.integers(1, 2),
    echo=st.booleans(),
)
def test_a_run_with_the_flood_is_the_run_with_the_echo(nodes, faults, seed, spread, shortest, echo):
    options = {
        "delay": hashed_delay(seed, spread, shortest),
        "shortest": shortest,
        "epoch_length": 10,
        "faults": faults,
        "echo": echo,
    }
    flood = run_with(Network, nodes, 8, **options)
    assert flood == run_with(NaiveEcho, nodes, 8, **options)
    event("something final" if flood[0]["finalizations"] else "nothing final")


@pytest.mark.parametrize("network", [Network, NaiveEcho])
@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize("nodes", [4, 7, 10])
def test_messages_of_an_honest_epoch(network, echo, nodes):
    epochs = 3
    _, _, copies = run_with(network, nodes, epochs, epoch_length=9, echo=echo)
    for epoch in range(epochs):
        proposals, votes = copies[epoch, "Proposal"], copies[epoch, "Vote"]
        assert votes == tuple(nodes * count for count in proposals)
        assert sum(proposals[:2] + votes[:2]) == messages_per_epoch(nodes, echo=echo)
        assert proposals[2] == nodes - 1


def test_an_echo_overtakes_a_slow_link():
    slow = {(0, 2): 100}

    def delay(message, sender, receiver, time):
        return slow.get((sender, receiver), 1)

    for echo, due in ((True, 2), (False, 100)):
        arrivals, *_ = carry(Network, delay, 3, [(0, 0)], echo=echo)
        assert arrivals == [(1, 1, message(0)), (1, 3, message(0)), (due, 2, message(0))]


def test_the_observer_receives_does_not_echo_and_is_not_counted():
    def delay(message, sender, receiver, time):
        return NEVER if (sender, receiver) == (0, 1) else 1

    arrivals, copies = carry(Network, delay, 2, [(0, 0)])
    assert arrivals == [(1, 2, message(0))]
    assert copies == {(0, "Vote"): (1, 0, 0)}


def test_lognormal_delays_have_the_median_and_spread_and_stay_within_delta():
    delay = LognormalDelays(stream(0, "test"), median=50_000, spread=0.5, bound=90_000)
    drawn = [delay(None, 0, 1, 0) for _ in range(20_000)]
    assert all(type(value) is int and 1 <= value <= 90_000 for value in drawn)
    assert statistics.median(drawn) == pytest.approx(50_000, rel=0.02)
    within = [math.log(value / 50_000) for value in drawn if value < 50_000]
    assert statistics.fmean(value**2 for value in within) == pytest.approx(0.25, rel=0.05)
    # P(Z > ln(90/50) / 0.5) of a standard normal Z
    assert drawn.count(90_000) / 20_000 == pytest.approx(0.120, abs=0.01)


def test_no_link_is_faster_than_the_shortest_delay():
    delay = LognormalDelays(stream(0, "test"), 50_000, 1.0, 10**9, shortest=30_000)
    drawn = [delay(None, 0, 1, 0) for _ in range(20_000)]
    assert min(drawn) >= 30_000
    assert statistics.median(drawn) == pytest.approx(50_000, rel=0.02)
    rest = [math.log((value - 30_000) / 20_000) for value in drawn]
    assert statistics.pstdev(rest) == pytest.approx(1.0, rel=0.03)


@given(
    limits=st.lists(
        st.integers(1, 700_000) | st.sampled_from([50_000, LOST]), min_size=1, max_size=60
    ),
    spread=st.sampled_from([0, 0.3, 0.7, 3]),
    shortest=st.sampled_from([0, 25_000, 50_000]),
    least=st.sampled_from([1, 40_000, 100_000]),
)
def test_a_delay_that_is_too_long_need_not_be_known(limits, spread, shortest, least):
    one_by_one = LognormalDelays(stream(0, "test"), 50_000, spread, 500_000, shortest)
    together = LognormalDelays(stream(0, "test"), 50_000, spread, 500_000, shortest)
    due = [1_000 + limit for limit in limits]
    same = due.copy()
    copies = range(len(due)), least, 1_000, None, 0
    plain = draw_sooner(one_by_one, due, *copies)
    assert together.sooner(same, *copies) == plain
    assert same == due
    # Nothing more was drawn than told.
    assert one_by_one(None, 0, 1, 0) == together(None, 0, 1, 0)


def test_a_delay_is_never_less_than_a_microsecond():
    delay = LognormalDelays(random.Random(0), median=1, spread=5, bound=10)
    assert min(delay(None, 0, 1, 0) for _ in range(100)) == 1
