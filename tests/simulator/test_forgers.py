"""What forgers and random nodes send, and that it changes nothing."""

from streamlet_lab.consensus import Proposal, Vote

from .bare import Sent, author, final
from .byzantine import DELTA, EPOCH, byzantine, names, price_network, run


def test_a_forger_changes_no_chain():
    lab, arrivals = run(12, byzantine("forge", 3), byzantine("forge", 2), nodes=7)
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


def test_a_random_node_says_no_more_than_it_may():
    sent = Sent()
    lively = byzantine("random", 3, parameters={"rate": 1})
    run(20, lively, nodes=19, monitors=[sent])
    epochs = [time // EPOCH for time, node, _ in sent.all if node == "node_3"]
    per_epoch = [epochs.count(epoch) for epoch in range(20)]
    # Eight messages of its own invention, its proposal and its vote.
    assert 5 < max(per_epoch) <= 10


def test_a_random_node_without_liberties_is_honest():
    honest, idle = (
        [(time, receiver, author(message)) for time, receiver, message in arrivals.all]
        for _, arrivals in (run(8), run(8, byzantine("random", 3, parameters={"rate": 0})))
    )
    assert sorted(idle) == sorted(honest)


def test_random_nodes_get_along_with_prices():
    lab = price_network([byzantine("random", 2, parameters={"rate": 0.8})], "none")
    lab.run(30)
    assert len(final(lab.observer)) > 10


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
