"""An excerpt proves the violation, and would not without any of its blocks."""

import pytest
from simulator.bare import NEVER, author, simulation

from streamlet_lab.checks import (
    Consistency,
    UniqueNotarization,
    ValidPrices,
    VoteDiscipline,
    find_excerpt,
)
from streamlet_lab.columns import ViolationRow
from streamlet_lab.consensus import (
    SIX_UNCONTESTED,
    THREE_IN_A_ROW,
    Block,
    BlockTree,
    Proposal,
    Vote,
    round_robin,
)
from streamlet_lab.prices import PreviousConsensus, PriceValidation, Voter
from streamlet_lab.simulator import NodeFault, Recorder, Send, fault_kind


@fault_kind("two_faced")
class TwoFaced(NodeFault):
    """Keeps to the left half of the honest nodes, and to the right half, as if each were all."""

    def on_send(self, message):
        return ()

    def on_epoch(self, epoch):
        for side, tip in self.tips().items():
            if self.leads(epoch):
                block = self.conflicting_block(self.node.make_block(tip), number=side == "right")
                yield Send(self.proposal(block), side_of(side))
                yield Send(self.vote(block), side_of(side))

    def tips(self):
        """The newest tip of each side, which differ once the sides have parted."""
        longest = self.node.tree.longest
        return {"left": longest[0], "right": longest[-1]}

    def on_message(self, message):
        if isinstance(message, Proposal):
            yield Send(self.vote(message.block))


def side_of(side):
    return {"left": ("node_0", "node_1"), "right": ("node_2", "node_3")}[side]


def parted(after=0, epochs=30, finality=THREE_IN_A_ROW, **options):
    """Five nodes with a quorum of 3, the last one two-faced; the halves are cut after a time."""

    def delay(message, sender, receiver, time):
        name = author(message)
        if time < after or name == "node_4" or receiver > 3:
            return 1
        return 1 if (name in side_of("left")) == (receiver < 2) else NEVER

    honest = {f"node_{index}" for index in range(4)}
    faults = {"node_4": f"two_faced@{after // 2}"}
    recorder = Recorder()
    checks = (Consistency(honest), UniqueNotarization(honest), VoteDiscipline(honest))
    run = simulation(
        5,
        quorum=3,
        delay=delay,
        faults=faults,
        echo=False,
        finality=finality,
        monitors=[recorder, *checks],
        **options,
    )
    run.run(epochs)
    return run, recorder, checks


def conflicting(rows, quorum, genesis, rule=THREE_IN_A_ROW):
    """Whether these blocks alone show two conflicting final chains. Independent of the lab."""
    known = {row.block_hash: row for row in rows if len(set(row.voters.split())) >= quorum}
    parents = {row.parent_hash for row in known.values()}
    chains = []
    for tip in (row for row in known.values() if row.block_hash not in parents):
        chain = [tip]
        while chain[-1].parent_hash in known:
            chain.append(known[chain[-1].parent_hash])
        epochs = [row.epoch for row in chain]
        if chain[-1].parent_hash == genesis:
            epochs.append(-1)
            chain.append(None)
        run = epochs[: rule.consecutive]
        if run == list(range(tip.epoch, tip.epoch - rule.consecutive, -1)):
            chains.append(chain[rule.chopped :])
    if len(chains) != 2:
        return False
    one, other = chains
    together = one[-1] is other[-1]
    return together and one[0] not in other and other[0] not in one


@pytest.mark.parametrize("after", [0, 8])
def test_consistency_takes_two_chains_from_where_they_part(after):
    run, recorder, checks = parted(after)
    excerpt = find_excerpt(checks, recorder, run)
    genesis = run.genesis.hash.hex()
    assert conflicting(excerpt.rows, 3, genesis)
    for index in range(len(excerpt.rows)):
        fewer = excerpt.rows[:index] + excerpt.rows[index + 1 :]
        assert not conflicting(fewer, 3, genesis)
    assert (excerpt.rows[0].parent_hash == genesis) is (after == 0)


def test_what_is_told_ends_with_the_later_finalization():
    run, recorder, checks = parted()
    told = find_excerpt(checks, recorder, run).lines
    a, _, c, _, e = (row.block_hash[:8] for row in find_excerpt(checks, recorder, run).rows)
    assert told[0] == f"at 0.000000 s node_0 proposes block {a} of epoch 0 at height 1"
    assert f"at 0.000004 s node_0 finalizes block {a} of epoch 0 at height 1" in told
    assert f"at 0.000009 s node_2 votes for block {e} of epoch 4 at height 3" in told
    assert f"at 0.000010 s node_3 finalizes block {c} of epoch 2 at height 1" in told
    assert told[-1] == checks[0].violation
    times = [float(line.split()[1]) for line in told[:-1]]
    assert times == sorted(times)
    assert times[-1] == 1e-5
    views = [line for line in told if "sees" in line or "finalizes" in line]
    assert {line.split()[3] for line in views} == {"node_0", "node_3"}


def test_the_rule_of_the_synchronous_model_takes_six_blocks():
    leaders = round_robin(["node_0"] * 7 + ["node_2"] * 8)
    run, recorder, checks = parted(epochs=15, finality=SIX_UNCONTESTED, leader_of=leaders)
    excerpt = find_excerpt(checks, recorder, run)
    assert [row.epoch for row in excerpt.rows] == [*range(6), *range(7, 13)]
    assert conflicting(excerpt.rows, 3, run.genesis.hash.hex(), SIX_UNCONTESTED)


def test_without_a_violation_there_is_none():
    recorder, check = Recorder(), Consistency({"node_0"})
    run = simulation(4, monitors=[recorder, check])
    run.run(6)
    assert find_excerpt([check], recorder, run) == ((), ())


def test_two_notarized_blocks_of_one_epoch():
    run, recorder, (_, unique, _) = parted()
    excerpt = find_excerpt([unique], recorder, run)
    one, other = excerpt.rows
    assert one.epoch == other.epoch == 4
    assert one.proposer == other.proposer == "node_4"
    assert all(len(row.voters.split()) >= 3 for row in excerpt.rows)
    assert any("sees notarized" in line for line in excerpt.lines)


@fault_kind("second_thoughts")
class SecondThoughts(NodeFault):
    """Votes for a twin as well; here it stands for an honest node with a bug."""

    def on_message(self, message):
        if isinstance(message, Proposal) and message.epoch == 2:
            twin = self.conflicting_block(message.block)
            yield Send(self.proposal(twin) if self.leads(2) else self.vote(twin))
            yield Send(self.vote(message.block))


def run_check(check, epochs=6, faults=(), **options):
    recorder = Recorder()
    run = simulation(4, monitors=[recorder, check], faults=faults, **options)
    run.run(epochs)
    return run, recorder


def test_two_votes_of_one_node():
    check = VoteDiscipline({"node_0"})
    run, recorder = run_check(check, faults={"node_0": "second_thoughts"})
    excerpt = find_excerpt([check], recorder, run)
    # Nobody ever proposed the twin.
    (row,) = excerpt.rows
    assert (row.epoch, row.proposer) == (2, "node_2")
    assert excerpt.lines[-1].endswith("both of epoch 2")
    assert sum("node_0 votes for" in line for line in excerpt.lines[:-1]) == 1


def test_an_invalid_payload():
    voter, previous = Voter("AAPL", PriceValidation()), PreviousConsensus(150, -1)
    check = ValidPrices({"node_0"}, [voter], [previous])
    run, recorder = run_check(check)
    excerpt = find_excerpt([check], recorder, run)
    (row,) = excerpt.rows
    first = run.observer.tree.finalized[1]
    assert row == ViolationRow(
        first.hash.hex(),
        first.parent.hex(),
        0,
        1,
        "node_0",
        "node_0 node_1 node_2 node_3",
        "node_0",
    )
    assert excerpt.lines[-1] == "at 0.000004 s: epoch 0: malformed payload: not JSON"


class Told:
    """A node that sees chains notarized, given by their epochs, and tells monitors of it."""

    def __init__(self, name, genesis, chains, monitors):
        self.tree = BlockTree(genesis, quorum=1)
        for epochs in chains:
            parent = genesis
            for time, epoch in enumerate(epochs):
                block = Block(genesis.chain_id, epoch, parent.height + 1, parent.hash, b"")
                before = len(self.tree.finalized), len(self.tree.conflicts)
                if block.hash not in self.tree:
                    self.tree.add_block(block)
                    vote = Vote(block.chain_id, epoch, block.height, block.hash, "v", b"")
                    self.tree.add_vote(vote)
                    for monitor in monitors:
                        monitor.notarized(time, name, block)
                        for final in self.tree.finalized[before[0] :]:
                            monitor.finalized(time, name, final)
                        for other in self.tree.conflicts[before[1] :]:
                            monitor.conflicted(time, name, other)
                parent = block


def excerpt_of(views):
    """Rows of the excerpt where nodes see these chains."""
    recorder, consistency = Recorder(), Consistency(views)
    run = simulation(1)
    monitors = (recorder, consistency)
    told = {name: Told(name, run.genesis, chains, monitors) for name, chains in views.items()}
    run.nodes = {**run.nodes, **told}
    return find_excerpt([consistency], recorder, run).rows


def test_the_shortest_of_all_pairs_is_found():
    # Two forks: at genesis, with long chains, and at 2, with short ones.
    rows = excerpt_of(
        {
            "C": ([9, 11, 13, 15, 17, 18, 19],),
            "D": ([1, 2, 3, 10, 12, 13, 14],),
            "B": ([1, 2, 6, 7, 8],),
            "A": ([1, 2, 3, 4, 5],),
        }
    )
    assert [row.epoch for row in rows] == [2, 3, 4, 6, 7, 8]


def test_a12_the_contradiction_may_be_in_one_view():
    rows = excerpt_of({"A": ([1, 4, 5, 6], [0, 2, 7, 8, 9])})
    assert [row.epoch for row in rows] == [1, 4, 5, 6, 0, 2, 7, 8, 9]
    assert [row.finalized_by for row in rows] == ["A", "A", "A", "", "", "", "", "", ""]
