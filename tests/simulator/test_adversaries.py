"""Byzantine strategies: what each does, what it achieves, and what none of them can."""

from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from streamlet_lab.checks import Consistency, Status, UniqueNotarization
from streamlet_lab.config import OBSERVER, make_config
from streamlet_lab.consensus import Proposal, Vote, round_robin
from streamlet_lab.consensus.evidence import Offence, find_offences
from streamlet_lab.consensus.quorums import max_faulty
from streamlet_lab.description import StockMarketConsensusNetwork
from streamlet_lab.errors import InvalidInput
from streamlet_lab.fault import Fault
from streamlet_lab.simulator import (
    Monitor,
    NodeFault,
    Send,
    adversaries,
    coalitions,
    faults,
    forgers,
    liars,
    make_fault,
    make_faults,
)
from streamlet_lab.streams import stream

from . import bare
from .bare import NEVER, author, final, longest

DELTA = 10
EPOCH = 2 * DELTA

ALONE = (
    "double_vote",
    "equivocate",
    "forge",
    "forge_certificate",
    "late_proposal",
    "late_reveal",
    "late_vote",
)
TOGETHER = ("amnesia", "echo_attack", "hoard", "split")
PROTOCOL_KINDS = ("crash", "random", "silent_leader", "withhold_votes", *ALONE, *TOGETHER)
KINDS = ("lying_leader", "price_manipulator", *PROTOCOL_KINDS)


def names(*indices):
    return tuple(f"node_{index}" for index in indices)


def byzantine(kind, *indices, **settings):
    return Fault(kind, names(*indices), **settings)


class Arrivals(Monitor):
    """What arrives at whom, and when."""

    def __init__(self):
        self.all = []

    def delivered(self, received, sender, receiver, sent, message):
        self.all.append((received, receiver, message))

    def of(self, kind, by, epoch):
        """Times at which a message of one author and epoch arrives at the others."""
        return {
            receiver: time
            for time, receiver, message in self.all
            if isinstance(message, kind)
            and (author(message), message.epoch) == (by, epoch)
            and receiver != by
        }


def simulation(*faults, nodes=4, delay=DELTA, monitors=(), made=None, **options):
    """A network of delays Δ, in which one fault may make nodes accomplices."""
    made = made or make_faults(faults, names(*range(nodes)))
    options = {"epoch_length": EPOCH, "trace": True, **options}
    return bare.simulation(nodes, delay=delay, faults=made, monitors=monitors, **options)


def run(epochs, *faults, monitors=(), **options):
    arrivals = Arrivals()
    lab = simulation(*faults, monitors=[arrivals, *monitors], **options)
    lab.run(epochs)
    return lab, arrivals


def votes_of(node, voter):
    return [vote for vote in node.tree.all_votes() if vote.voter == voter]


# --- Nodes alone


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
        def begin(self, epoch):
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


@pytest.mark.parametrize("seed", range(3))
def test_a_forger_changes_no_chain(seed):
    lab, arrivals = run(12, byzantine("forge", 3), byzantine("forge", 2), nodes=7, seed=seed)
    assert final(lab.observer) == [*range(1, 12)]
    reasons = {reason.value for reason in lab.nodes["node_0"].dropped}
    assert reasons >= {"bad_signature", "not_a_validator", "not_the_leader", "other_chain"}
    sound = {message for _, _, message in run(12, nodes=7)[1].all}
    forged = {message for _, _, message in arrivals.all} - sound
    assert len(forged) < 2 * 8 * len(sound)


def test_a_forger_keeps_no_honest_vote_from_arriving():
    # It could speak in the names of others before they have seen what to vote for.
    def delay(message, sender, receiver, time):
        hasty = receiver == 3 or (sender == 3 and isinstance(message, Vote))
        return 1 if hasty else DELTA

    for forgers_ in ([], [byzantine("forge", 3)]):
        lab, _ = run(8, *forgers_, delay=delay)
        for block in lab.observer.tree.finalized[1:]:
            voters = [vote.voter for vote in lab.nodes["node_1"].tree.votes(block.hash)]
            assert sorted(voters) == [*names(0, 1, 2, 3)]


def test_a_forger_of_certificates_changes_no_chain_and_has_none_of_its_own():
    kinds_of_lies = set()
    for seed in range(4):
        lab, arrivals = run(30, byzantine("forge_certificate", 5, 6), nodes=7, seed=seed)
        assert final(lab.observer) == [*range(1, 30)]
        tree = lab.observer.tree
        shown = {m for _, _, m in arrivals.all if isinstance(m, Proposal) and m.certificate}
        assert {proposal.proposer for proposal in shown} == {*names(5, 6)}
        for proposal in shown:
            assert not tree.is_notarized(proposal.block.hash)
            kinds_of_lies.add(_what_is_wrong(proposal.certificate, lab))
    assert kinds_of_lies == {"proposal", "signature", "stranger", "block", "again", "too few"}


def _what_is_wrong(certificate, lab):
    """The first thing in a forged certificate that whoever takes it in has to notice."""
    proposal, votes = certificate.proposal, certificate.votes
    verify, block = lab.keyring.verify, proposal.block
    if not verify(proposal.proposer, proposal.signature, proposal.signed):
        return "proposal"
    assert proposal.proposer == lab.leader_of(block.epoch)
    if any(vote.block_hash != block.hash for vote in votes):
        return "block"
    if any(vote.voter not in lab.node_ids for vote in votes):
        return "stranger"
    if len({vote.voter for vote in votes}) < len(votes):
        return "again"
    if len(votes) < lab.observer.tree.quorum:
        return "too few"
    assert not all(verify(vote.voter, vote.signature, vote.signed) for vote in votes)
    return "signature"


def test_a_random_node_says_no_more_than_it_may():
    said = []

    class Counting(Monitor):
        def sent(self, time, node, message):
            said.append((node, time // EPOCH))

    lively = byzantine("random", 3, parameters={"rate": 1})
    run(20, lively, nodes=19, monitors=[Counting()])
    per_epoch = [said.count(("node_3", epoch)) for epoch in range(20)]
    # Eight messages of its own invention, its proposal and its vote.
    assert 5 < max(per_epoch) <= 10


def test_a_random_node_without_liberties_is_honest():
    honest, idle = (
        [(time, receiver, author(message)) for time, receiver, message in arrivals.all]
        for _, arrivals in (run(8), run(8, byzantine("random", 3, parameters={"rate": 0})))
    )
    assert sorted(idle) == sorted(honest)


@pytest.mark.parametrize("seed", range(4))
def test_random_nodes_get_along_with_prices(seed):
    lab = price_network([byzantine("random", 2, parameters={"rate": 0.8})], "none", seed=seed)
    lab.run(30)
    assert len(final(lab.observer)) > 10


# --- Coalitions


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
    votes = [vote for name in honest for vote in lab.nodes[name].tree.all_votes()]
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
    ("halves", "coalition"),
    [
        ([[0], [1]], [2, 3]),
        ([[0, 1], [2, 3]], [4, 5, 6]),
        ([[1, 3, 5], [7, 8, 9]], [0, 2, 4, 6]),
    ],
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


# --- What goes for every kind


def test_every_kind_of_the_lab_is_examined_here():
    own = {
        name
        for name, kind in faults._KINDS._kinds.items()
        for module in (adversaries, coalitions, faults, forgers, liars)
        if getattr(module, kind.__name__, None) is kind
    }
    assert own == {*KINDS}


# A node that was down has missed something, so it is not as if it had never been.
@pytest.mark.parametrize("kind", [kind for kind in PROTOCOL_KINDS if kind != "crash"])
def test_every_kind_is_honest_before_its_start_and_from_its_stop_on(kind):
    def arrivals(*faults):
        return sorted(
            (time, receiver, author(message), message.epoch, isinstance(message, Vote))
            for time, receiver, message in run(10, *faults, delay=1)[1].all
        )

    honest, seen = arrivals(), arrivals(byzantine(kind, 3, start=3, stop=5))
    assert (seen == honest) == (kind == "double_vote")
    before, after = (
        [[one for one in all_ if one[0] < 3 * EPOCH] for all_ in (honest, seen)],
        [[one for one in all_ if one[3] >= 7] for all_ in (honest, seen)],
    )
    assert before[0] == before[1]
    assert after[0] == after[1]


def random_delay(seed, longest, halves):
    """Every copy takes its own time, perhaps epochs, and longer across a partition."""
    drawn = stream(seed, "test")

    def delay(message, sender, receiver, time):
        across = halves and sender in halves and receiver not in halves and time < 8 * EPOCH
        return max(drawn.randint(1, longest), 8 * EPOCH - time if across else 1)

    return delay


@st.composite
def byzantine_faults(draw, nodes):
    """Fewer than a third of the nodes, as one coalition or each for itself, with kinds combined."""
    count = max_faulty(nodes)
    faulty = draw(st.permutations(range(nodes)))[:count]
    kinds = draw(st.lists(st.sampled_from(PROTOCOL_KINDS), min_size=1, max_size=2, unique=True))
    start = draw(st.sampled_from([0, 0, 3]))
    groups = [faulty] if draw(st.booleans()) else [[index] for index in faulty]
    return [byzantine(kind, *group, start=start) for group in groups for kind in kinds], faulty


@settings(max_examples=300)
@given(
    data=st.data(),
    nodes=st.integers(4, 10),
    longest=st.sampled_from([2, DELTA, EPOCH, 3 * EPOCH]),
    seed=st.integers(0, 2**32),
    parted=st.booleans(),
)
def test_below_a_third_no_kinds_break_safety(data, nodes, longest, seed, parted):
    chosen, faulty = data.draw(byzantine_faults(nodes))
    honest = {*names(*range(nodes)), OBSERVER} - {*names(*faulty)}
    checks = Consistency(honest), UniqueNotarization(honest)
    halves = range(nodes // 2) if parted else ()
    delay = random_delay(seed, longest, halves)
    lab = simulation(*chosen, nodes=nodes, delay=delay, monitors=checks, seed=seed)
    lab.run(14)
    assert [check.violation for check in checks] == ["", ""]
    for kind in {fault.kind for fault in chosen}:
        event(f"{kind}, something final: {bool(final(lab.observer))}")


@pytest.mark.parametrize("first", PROTOCOL_KINDS)
def test_any_two_kinds_go_together_on_one_node(first):
    for second in PROTOCOL_KINDS:
        lab, _ = run(10, byzantine(first, 3), byzantine(second, 3))
        assert len(longest(lab.nodes["node_0"])) >= 5, (first, second)


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


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_run(kind):
    def arrivals(seed):
        watching = Arrivals()
        fault = byzantine(kind, 2, 3)
        lab = price_network([fault], "none", seed=seed, monitors=[watching])
        lab.run(6)
        return [(time, receiver, *parts(message)) for time, receiver, message in watching.all]

    def parts(message):
        """A message piece by piece: no two certificates are equal, whatever is in them."""
        if isinstance(message, Vote):
            return [message]
        certificate, pieces = message.certificate, [replace(message, certificate=None)]
        while certificate is not None:
            pieces += [certificate.proposal, *certificate.votes]
            certificate = certificate.parent
        return pieces

    assert arrivals(1) == arrivals(1)
    assert arrivals(1) != arrivals(2)


# --- Keys


def price_network(faults, signatures, monitors=(), **options):
    config = make_config(nodes=4, faults=faults, signatures=signatures, trace=True, **options)
    return StockMarketConsensusNetwork(config, monitors=monitors)


class Said(Monitor):
    """What each node has said in its own name."""

    def __init__(self):
        self.votes, self.blocks = defaultdict(set), defaultdict(set)

    def sent(self, time, node, message):
        if isinstance(message, Vote):
            self.votes[node].add(message)
        else:
            self.blocks[node].add(message.block)


class GuardedKeyring:
    """Signs for accomplices only."""

    def __init__(self, keyring, accomplices):
        self._keyring, self._accomplices, self.verify = keyring, accomplices, keyring.verify

    def sign(self, node, message):
        assert node in self._accomplices
        return self._keyring.sign(node, message)


@pytest.mark.parametrize("signatures", ["ed25519", "none"])
@pytest.mark.parametrize("kind", KINDS)
def test_nobody_holds_a_message_in_an_honest_name_that_this_node_has_not_signed(
    kind, signatures, monkeypatch
):
    join = NodeFault.join

    def join_guarded(fault, seat):
        join(fault, replace(seat, keyring=GuardedKeyring(seat.keyring, seat.accomplices)))

    monkeypatch.setattr(NodeFault, "join", join_guarded)
    said, honest = Said(), names(0, 1)
    # Two Byzantine nodes of four: nothing depends on how many there are.
    lab = price_network([byzantine(kind, 2, 3)], signatures, [said], seed=3)
    lab.run(10)
    for node in lab.nodes.values():
        for vote in node.tree.all_votes():
            assert vote.voter not in honest or vote in said.votes[vote.voter]
        for block in node.tree.blocks()[1:]:
            leader = lab.leader_of(block.epoch)
            assert leader not in honest or block in said.blocks[leader]


def test_the_lab_knows_who_would_sign_for_the_honest():
    class Impostor(NodeFault):
        def begin(self, epoch):
            block = self.node.make_block(self.node.tree.longest[0])
            for sign in (self.vote, self.proposal):
                with pytest.raises(InvalidInput, match="one of node_2, node_3") as caught:
                    sign(block, by="node_0")
                assert caught.value.field == "by"
            asked.append(epoch)
            yield Send(self.vote(block, by="node_3"))

    asked = []
    partners = {name: Impostor(0, None) for name in names(2, 3)}
    for one in partners.values():
        one.partners = partners
    run(2, made={"node_2": [partners["node_2"]]})
    assert asked == [0, 1]


# --- A strategy of one's own


def test_a_rushing_adversary_votes_before_others_hear_of_the_proposal():
    class Rushing(NodeFault):
        rushing = True

        def overheard(self, message, sender):
            if isinstance(message, Proposal):
                yield Send(self.vote(message.block), delay=1)

    class Watching(Rushing):
        rushing = False

    for kind, earliest in ((Rushing, 1), (Watching, 2 * DELTA)):
        _, arrivals = run(2, made={"node_3": [kind(0, None)]})
        times = arrivals.of(Vote, "node_3", 1)
        assert times == dict.fromkeys((*names(0, 1, 2), OBSERVER), EPOCH + earliest)
        assert {*arrivals.of(Proposal, "node_1", 1).values()} == {EPOCH + DELTA}


@pytest.mark.parametrize(
    ("kind", "parameters", "field"),
    [
        ("late_vote", {"delay": "soon"}, "faults.parameters.delay"),
        ("late_proposal", {"delay": 0}, "faults.parameters.delay"),
        ("late_reveal", {"margin": "0us"}, "faults.parameters.margin"),
        ("random", {"rate": 1.5}, "faults.parameters.rate"),
        ("random", {"rate": "often"}, "faults.parameters.rate"),
        ("amnesia", {"blocks": 0}, "faults.parameters.blocks"),
        ("amnesia", {"blocks": "some"}, "faults.parameters.blocks"),
        ("split", {"parts": 3}, "faults.parameters.parts"),
    ],
)
def test_what_a_kind_does_not_take(kind, parameters, field):
    with pytest.raises(InvalidInput) as caught:
        make_fault(byzantine(kind, 0, parameters=parameters))
    assert caught.value.field == field
