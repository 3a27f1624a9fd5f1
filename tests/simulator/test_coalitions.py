"""What coalitions of Byzantine nodes achieve from a third of the nodes on, and do not below."""

from collections import defaultdict

import pytest

from streamlet_lab.checks import Consistency, Status, UniqueNotarization
from streamlet_lab.config import OBSERVER
from streamlet_lab.consensus import Vote, round_robin
from streamlet_lab.consensus.evidence import Offence, find_offences
from streamlet_lab.simulator import Monitor

from .bare import NEVER, all_votes, final, longest
from .byzantine import DELTA, EPOCH, byzantine, names, run, simulation


def test_a_split_coalition_shows_its_votes_to_one_half_only():
    leaders = round_robin(names(0, 3, 5))
    _, arrivals = run(4, byzantine("split", 5, 6), nodes=7, echo=False, leader_of=leaders)
    first, second = {*names(0, 1), OBSERVER}, {*names(2, 3, 4)}
    for epoch, halves in ((0, [first]), (1, [second]), (2, [first, second])):
        told = defaultdict(set)
        for _, receiver, message in arrivals.all:
            if isinstance(message, Vote) and (message.voter, message.epoch) == ("node_5", epoch):
                told[message.block_hash].add(receiver)
        assert [receivers - {"node_6"} for receivers in told.values()] == halves


def cut(*halves):
    """Delays of Δ, but the halves never hear of each other; listeners hear everyone."""
    part_of = {index: number for number, half in enumerate(halves) for index in half}

    def delay(message, sender, receiver, time):
        apart = part_of.get(sender, -1) != part_of.get(receiver, -1)
        return NEVER if apart and sender in part_of and receiver in part_of else DELTA

    return delay


def attack(kind, honest_halves, coalition, leaders, epochs, **parameters):
    honest = names(*(index for half in honest_halves for index in half))
    checks = Consistency(honest), UniqueNotarization(honest)
    lab = simulation(
        byzantine(kind, *coalition, parameters=parameters),
        nodes=len(honest) + len(coalition),
        delay=cut(*honest_halves),
        monitors=checks,
        leader_of=leaders,
    )
    lab.run(epochs)
    votes = [vote for name in honest for vote in all_votes(lab.nodes[name])]
    return lab, checks, find_offences(votes)


def test_c1_a_split_makes_two_halves_finalize_different_chains():
    leaders = round_robin(names(2, 3, 2))
    lab, (consistency, unique), guilty = attack("split", [[0], [1]], [2, 3], leaders, 3)
    a, b = (lab.nodes[name] for name in names(0, 1))
    assert final(a) == final(b) == [1, 2]
    assert a.tree.finalized[1] != b.tree.finalized[1]
    assert consistency.result().status is unique.result().status is Status.VIOLATED
    offences = {name: evidence.offence for name, evidence in guilty.items()}
    assert offences == dict.fromkeys(names(2, 3), Offence.TWO_VOTES)


class Conflicts(Monitor):
    """Who is told of which block that contradicts what it has finalized, and when."""

    def __init__(self):
        self.told = []

    def conflicted(self, time, node, block):
        self.told.append((time, node, block))


def test_c1_a_view_that_sees_both_chains_tells_of_the_conflict_once():
    healed = 4 * EPOCH

    def delay(message, sender, receiver, time):
        return max(DELTA, healed - time) if {sender, receiver} == {0, 1} else DELTA

    leaders, conflicts = round_robin(names(2, 3, 2, 0)), Conflicts()
    split = byzantine("split", 2, 3)
    lab, _ = run(6, split, delay=delay, leader_of=leaders, monitors=[conflicts])
    for name in names(0, 1):
        other = lab.nodes["node_1" if name == "node_0" else "node_0"].tree.finalized
        told = [(time, block) for time, node, block in conflicts.told if node == name]
        assert told[:2] == [(healed, block) for block in other[1:3]]
    assert OBSERVER in {node for _, node, _ in conflicts.told}
    for name, node in lab.nodes.items():
        assert node.tree.conflicts == [block for _, who, block in conflicts.told if who == name]


def test_c2_amnesia_breaks_safety_without_a_double_vote():
    leaders = round_robin(names(2, 3, 2, 3, 2, 3))
    lab, (consistency, unique), guilty = attack("amnesia", [[0], [1]], [2, 3], leaders, 6, blocks=2)
    assert final(lab.nodes["node_0"]) == [1, 2]
    assert final(lab.nodes["node_1"]) == [4, 5]
    assert consistency.result().status is Status.VIOLATED
    assert unique.result().status is Status.HOLDS
    offences = {name: evidence.offence for name, evidence in guilty.items()}
    assert offences == dict.fromkeys(names(2, 3), Offence.SHORTER_CHAIN)


@pytest.mark.parametrize("kind", ["split", "amnesia"])
@pytest.mark.parametrize(
    ("halves", "coalition"), [([[0], [1]], [2, 3]), ([[1, 3, 5], [7, 8, 9]], [0, 2, 4, 6])]
)
def test_a_third_is_enough_with_honest_leaders_in_turn_too(kind, halves, coalition):
    nodes = len(coalition) + sum(map(len, halves))
    leaders = round_robin(names(*range(nodes)))
    _, (consistency, _), guilty = attack(kind, halves, coalition, leaders, 8 * nodes)
    assert consistency.result().status is Status.VIOLATED
    assert [*guilty] == [*names(*coalition)]


@pytest.mark.parametrize("kind", ["split", "amnesia"])
@pytest.mark.parametrize(
    ("halves", "coalition"), [([[0, 1], [2]], [3]), ([[0, 1], [2, 3, 4]], [5, 6])]
)
def test_below_a_third_the_same_attacks_fail(kind, halves, coalition):
    nodes = len(coalition) + sum(map(len, halves))
    leaders = round_robin(names(*range(nodes)))
    _, checks, guilty = attack(kind, halves, coalition, leaders, 8 * nodes)
    assert [check.violation for check in checks] == ["", ""]
    assert {*guilty} <= {*names(*coalition)}


@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize("byzantine_nodes", [1, 2, 3])
def test_b4_without_echo_an_attack_ends_all_progress(echo, byzantine_nodes):
    nodes = 3 * byzantine_nodes + 1
    coalition = range(nodes - byzantine_nodes, nodes)
    leaders = round_robin((f"node_{coalition[0]}", *names(*range(coalition[0]))))
    lab, _ = run(
        2 * nodes, byzantine("echo_attack", *coalition), nodes=nodes, echo=echo, leader_of=leaders
    )
    for name in names(*range(coalition[0])):
        chain = [1] if name == "node_0" else []
        assert longest(lab.nodes[name])[:1] == ([1] if echo else chain)
        assert bool(final(lab.nodes[name])) == echo
    if echo:
        assert max(final(lab.observer)) >= 2 * nodes - 2
