"""What goes for every kind of fault: it starts, stops, breaks no safety and forges no signature."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from streamlet_lab.checks import Consistency, UniqueNotarization
from streamlet_lab.config import OBSERVER
from streamlet_lab.consensus import Vote, proposal_bytes
from streamlet_lab.consensus.quorums import max_faulty
from streamlet_lab.errors import InvalidInput
from streamlet_lab.simulator import Monitor, NodeFault, Send, make_fault
from streamlet_lab.streams import stream

from .bare import Sent, all_votes, author, final
from .byzantine import (
    DELTA,
    EPOCH,
    KINDS,
    PROTOCOL_KINDS,
    Arrivals,
    byzantine,
    names,
    price_network,
    run,
    simulation,
)


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


class FinalChains(Monitor):
    """Holds that no final chain ever shrinks or changes, nor differs from another one's."""

    def __init__(self, honest):
        self.final = {name: [] for name in honest}

    def finalized(self, time, node, block):
        if node in self.final:
            tree, before = self.nodes[node].tree, self.final[node]
            assert tree.finalized[: len(before)] == before
            self.final[node] = [*tree.finalized]

    def check(self):
        chains = sorted(self.final.values(), key=len)
        for shorter, longer in pairwise(chains):
            assert longer[: len(shorter)] == shorter
        assert all(self.nodes[name].tree.conflicts == [] for name in self.final)


@settings(max_examples=120)
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
    checks, chains = (Consistency(honest), UniqueNotarization(honest)), FinalChains(honest)
    halves = range(nodes // 2) if parted else ()
    delay = random_delay(seed, longest, halves)
    lab = simulation(*chosen, nodes=nodes, delay=delay, monitors=[*checks, chains], seed=seed)
    chains.nodes = lab.nodes
    lab.run(14)
    assert [check.violation for check in checks] == ["", ""]
    chains.check()
    for kind in {fault.kind for fault in chosen}:
        event(f"{kind}, something final: {bool(final(lab.observer))}")


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


@pytest.mark.parametrize(
    ("kind", "signatures"), [("forge", "ed25519"), *((kind, "none") for kind in KINDS)]
)
def test_nobody_holds_a_message_in_an_honest_name_that_this_node_has_not_signed(kind, signatures):
    said, honest = Sent(), names(0, 1)
    # Two Byzantine nodes of four: nothing depends on how many there are.
    lab = price_network([byzantine(kind, 2, 3)], signatures, [said], seed=3)
    lab.run(10)
    words = {name: {getattr(one, "block", one) for one in said.by(name)} for name in honest}
    for node in lab.nodes.values():
        for vote in all_votes(node):
            assert vote.voter not in honest or vote in words[vote.voter]
        for block in node.tree.blocks()[1:]:
            leader = lab.leader_of(block.epoch)
            assert leader not in honest or block in words[leader]


def test_the_lab_knows_who_would_sign_for_the_honest():
    class Impostor(NodeFault):
        def on_epoch(self, epoch):
            block = self.node.make_block(self.node.tree.longest[0])
            for sign in (self.vote, self.proposal):
                with pytest.raises(InvalidInput, match="one of node_2, node_3") as caught:
                    sign(block, by="node_0")
                assert caught.value.field == "by"
            with pytest.raises(InvalidInput, match="one of node_2, node_3"):
                self.keyring.sign("node_0", proposal_bytes(block))
            asked.append(epoch)
            yield Send(self.vote(block, by="node_3"))

    asked = []
    impostor = Impostor(0, None)
    impostor.accomplices = names(2, 3)
    run(2, made={"node_2": [impostor]})
    assert asked == [0, 1]


@pytest.mark.parametrize(
    ("kind", "parameters", "field"),
    [
        ("crash", {"reaches": -1}, "faults.parameters.reaches"),
        ("late_vote", {"delay": "soon"}, "faults.parameters.delay"),
        ("late_reveal", {"margin": "0us"}, "faults.parameters.margin"),
        ("random", {"rate": 1.5}, "faults.parameters.rate"),
        ("amnesia", {"blocks": 0}, "faults.parameters.blocks"),
        ("split", {"parts": 3}, "faults.parameters.parts"),
        ("price_manipulator", {"direction": "sideways"}, "faults.parameters.direction"),
        ("script", {"steps": "node_3 votes 0 at 3us"}, "faults.parameters.steps"),
    ],
)
def test_what_a_kind_does_not_take(kind, parameters, field):
    with pytest.raises(InvalidInput) as caught:
        make_fault(byzantine(kind, 0, parameters=parameters))
    assert caught.value.field == field
