"""What Byzantine nodes do alone, and what it costs the others."""

from collections import defaultdict
from dataclasses import replace

import pytest

from streamlet_lab.config import OBSERVER
from streamlet_lab.consensus import Proposal, Vote
from streamlet_lab.simulator import NodeFault, Send, make_fault

from .bare import author, longest
from .byzantine import DELTA, EPOCH, byzantine, names, run, votes_of


def test_an_equivocating_leader_shows_each_half_a_block_of_its_own():
    lab, arrivals = run(1, byzantine("equivocate", 0), nodes=7, echo=False)
    shown, voted = defaultdict(set), defaultdict(set)
    for _, receiver, message in arrivals.all:
        if author(message) == "node_0":
            by_type = shown if isinstance(message, Proposal) else voted
            block_hash = message.block.hash if by_type is shown else message.block_hash
            by_type[block_hash].add(receiver)
    assert [*shown.values()] == [{*names(1, 2, 3), OBSERVER}, {*names(4, 5, 6)}]
    assert voted == shown
    assert {block.height for block in lab.nodes["node_0"].tree.blocks()[1:]} == {1}


def test_an_equivocating_leader_can_waste_its_epoch():
    lab, _ = run(8, byzantine("equivocate", 2), byzantine("withhold_votes", 2))
    assert longest(lab.observer) == [1, 2, 4, 5, 6, 8]
    epochs = [block.epoch for block in lab.observer.tree.blocks()]
    assert [epochs.count(epoch) for epoch in range(8)] == [1, 1, 2, 1, 1, 1, 2, 1]
    assert votes_of(lab.observer, "node_2") == []


def test_a_double_voter_votes_for_both_twins():
    lab, _ = run(2, byzantine("equivocate", 0), byzantine("double_vote", 1))
    twins = [block.hash for block in lab.observer.tree.blocks() if block.epoch == 0]
    voters = [[vote.voter for vote in lab.observer.tree.votes(twin)] for twin in twins]
    assert list(map(sorted, voters)) == [[*names(0, 1)], [*names(0, 1, 2, 3)]]


def test_a_double_voter_votes_for_what_does_not_fit():
    class Stubborn(NodeFault):
        def on_epoch(self, epoch):
            block = self.node.make_block(self.node.tree.finalized[0])
            yield Send(self.proposal(replace(block, payload=b"on genesis")))

    made = {"node_0": [Stubborn(3, None)], "node_1": [make_fault(byzantine("double_vote", 1))]}
    lab, _ = run(6, made=made)
    old = next(b for b in lab.observer.tree.blocks() if b.payload == b"on genesis")
    assert [vote.voter for vote in lab.observer.tree.votes(old.hash)] == ["node_1"]


@pytest.mark.parametrize(
    ("kind", "type_", "just_inside"),
    [("late_vote", Vote, EPOCH), ("late_proposal", Proposal, DELTA)],
)
def test_late_messages_arrive_as_late_as_an_honest_nodes_may(kind, type_, just_inside):
    lab, arrivals = run(9, byzantine(kind, 0), delay=1)
    assert {*arrivals.of(type_, "node_0", 4).values()} == {4 * EPOCH + just_inside}
    other = Proposal if type_ is Vote else Vote
    assert max(arrivals.of(other, "node_0", 4).values()) <= 4 * EPOCH + just_inside + 1
    assert longest(lab.observer) == [*range(1, 10)]


@pytest.mark.parametrize(
    ("kind", "companions", "limit"),
    [("late_vote", [byzantine("withhold_votes", 3)], DELTA), ("late_proposal", [], DELTA)],
)
def test_a_microsecond_later_a_late_message_costs_a_block(kind, companions, limit):
    lengths = []
    for delay in (limit, limit + 1):
        late = byzantine(kind, 0, parameters={"delay": f"{delay}us"})
        lab, _ = run(24, late, *companions)
        lengths.append(len(longest(lab.observer)))
    assert lengths[0] == 24 > lengths[1]


def test_a_late_reveal_has_an_honest_leaders_block_lost_in_full_synchrony():
    lab, _ = run(10, byzantine("late_reveal", 3))
    # Node 3 leads the paper's epochs 4 and 8, node 0 proposes 5 and 9 in vain.
    assert longest(lab.observer) == [1, 2, 3, 4, 6, 7, 8, 10]
    assert longest(run(10)[0].observer) == [*range(1, 11)]
    proposed = {block.epoch + 1 for block in lab.observer.tree.blocks()}
    assert proposed == {*range(11)}
    voted = {vote.epoch + 1 for vote in votes_of(lab.observer, "node_3")}
    assert voted == {1, 2, 3, 4, 6, 7, 8, 10}


def test_a_late_reveal_reaches_just_enough_nodes_just_in_time():
    _, arrivals = run(2, byzantine("late_reveal", 0), nodes=7, echo=False)
    assert arrivals.of(Proposal, "node_0", 0) == dict.fromkeys(names(1, 2, 3, 4), EPOCH - 1)
    others = (*names(1, 2, 3, 4, 5, 6), OBSERVER)
    assert arrivals.of(Vote, "node_0", 0) == dict.fromkeys(others, EPOCH + 1)


def test_a_late_double_voter_is_late_and_votes_twice():
    lab, arrivals = run(
        1,
        byzantine("equivocate", 0),
        byzantine("late_vote", 1),
        byzantine("double_vote", 1),
        delay=2,
    )
    times = [t for t, _, m in arrivals.all if isinstance(m, Vote) and m.voter == "node_1"]
    assert max(times) == EPOCH
    assert len(votes_of(lab.observer, "node_1")) == 2


def test_a_rushing_adversary_votes_before_others_hear_of_the_proposal():
    class Rushing(NodeFault):
        rushing = True

        def on_any_message(self, message, sender):
            if isinstance(message, Proposal):
                yield Send(self.vote(message.block), delay=1)

    class Watching(Rushing):
        rushing = False

    for kind, earliest in ((Rushing, 1), (Watching, 2 * DELTA)):
        _, arrivals = run(2, made={"node_3": [kind(0, None)]})
        times = arrivals.of(Vote, "node_3", 1)
        assert times == dict.fromkeys((*names(0, 1, 2), OBSERVER), EPOCH + earliest)
        assert {*arrivals.of(Proposal, "node_1", 1).values()} == {EPOCH + DELTA}
