"""Leaders that lie about the price."""

from dataclasses import replace
from decimal import Decimal

import pytest

from streamlet_lab.errors import InvalidInput
from streamlet_lab.fault import Fault
from streamlet_lab.prices import NoPrice, PriceConsensus, decode_payload
from streamlet_lab.simulator import fault_kind, make_fault
from streamlet_lab.simulator.liars import LyingLeader

from .bare import simulation
from .stocks import claims, liar, price_in, run

CENT = Decimal("0.01")


def manipulator(direction="up", **settings):
    """A leader that claims as much, or as little, as others accept."""
    parameters = {"direction": direction}
    return {"kind": "price_manipulator", "nodes": ["node_1"], "parameters": parameters, **settings}


def led_by_node_1(lab):
    """What node 1 claimed in the final chain, what honest quotes give, and what came before.

    Epochs without a price, after a jump of the market, are left out.
    """
    tree = lab.observer.tree
    for block in tree.finalized[1:]:
        if lab.leader_of(block.epoch) == "node_1":
            (previous,) = lab.application.references(tree.chain(block.parent))
            heard, ancestors = lab.observations[block.epoch], tree.chain(block.parent)
            honest, _ = lab.application.make_payload(block.epoch, ancestors, heard)
            if price_in(block) is not None:
                yield price_in(block), decode_payload(honest), previous


@pytest.mark.parametrize("policy", ["observe", "bounds"])
@pytest.mark.parametrize(("direction", "sign"), [("up", 1), ("down", -1)])
def test_a_manipulators_claims_are_accepted_and_a_cent_further_they_would_not_be(
    policy, direction, sign
):
    lab, recorder = run(40, faults=[manipulator(direction)], prices={"voter_policy": policy})
    (voter,), examined = lab.application.voters, 0
    for claim, honest, previous in led_by_node_1(lab):
        examined += 1
        for name in ("consensus_price", "volume_weighted_price"):
            assert sign * (getattr(claim, name) - getattr(honest, name)) > 0
            farther = replace(claim, **{name: getattr(claim, name) + sign * CENT})
            assert voter.objection(claim, honest, previous) is None
            assert voter.objection(farther, honest, previous) is not None
    assert examined >= 8
    assert recorder.refusals == []


def test_a_manipulator_is_honest_before_its_start_and_from_its_stop_on():
    honest, _ = run(16)
    lab, _ = run(16, faults=[manipulator(start=4, stop=8)])
    before, after = claims(honest), claims(lab)
    changed = [e for e in after if after[e].consensus_price != before[e].consensus_price]
    assert changed == [5]


def test_a_manipulator_refuses_the_lies_of_others():
    lie = {"kind": "lying_leader", "nodes": ["node_2"], "parameters": {"price": 9999}}
    _, recorder = run(4, faults=[manipulator(), lie])
    assert {refusal.node for refusal in recorder.refusals} == {"node_0", "node_1", "node_3"}


@pytest.mark.parametrize("kind", ["lying_leader", "price_manipulator"])
def test_liars_need_prices(kind):
    assert make_fault(Fault(kind, ("node_1",))).needs_prices
    with pytest.raises(InvalidInput, match="without prices"):
        simulation(faults={"node_1": kind})


def test_a_lying_leader_votes_for_every_lie():
    other = {"kind": "lying_leader", "nodes": ["node_2"], "parameters": {"price": 9999}}
    lab, _ = run(4, faults=[liar("8888"), other])
    blocks = [b for b in lab.observer.tree.blocks() if b.epoch in (1, 2)]
    assert [len(lab.observer.tree.votes(block.hash)) for block in blocks] == [2, 2]
    assert all(isinstance(price_in(block), PriceConsensus) for block in blocks)


# What silence, and a claim of no price, are worth to liars


@fault_kind("false_no_price")
class FalseNoPrice(LyingLeader):
    """Says that there is no price."""

    credulous = False

    def lie(self, claim, signed, voter, known):
        return NoPrice(claim.symbol, "none", claim.timestamp), signed


COLLUDING = {"kind": "colluding", "nodes": ["market_data_1", "market_data_2"]}


def jumps(faults, **settings):
    """The moves between final prices that follow each other, and how many blocks had none."""
    lab, _ = run(14, signatures="none", faults=faults, **settings)
    prices, moves, without = [Decimal(150)], [], 0
    for price in claims(lab).values():
        if price is None:
            without += 1
            continue
        moves.append((price.consensus_price / prices[-1] - 1, without))
        prices.append(price.consensus_price)
        without = 0
    assert len(moves) >= 5
    return moves


@pytest.mark.parametrize("policy", ["bounds", "observe", "evidence"])
def test_a_silent_leader_lets_colluding_sources_move_the_price_no_further(policy):
    """It was 20 %: the corridor grew with the epochs, whatever the chain said."""
    faults = [COLLUDING, {"kind": "silent_leader", "nodes": ["node_1"]}]
    moves = jumps(faults, prices={"voter_policy": policy})
    assert {without for _, without in moves} == {0}
    assert Decimal("0.099") < max(move for move, _ in moves) <= Decimal("0.1")


@pytest.mark.parametrize(
    ("policy", "most"), [("observe", Decimal("0.1")), ("bounds", Decimal("0.2"))]
)
def test_nor_does_a_leader_that_claims_no_price_where_voters_observe_one(policy, most):
    faults = [COLLUDING, {"kind": "false_no_price", "nodes": ["node_1"]}]
    farthest = max(move for move, _ in jumps(faults, prices={"voter_policy": policy}))
    assert most - Decimal("0.001") < farthest <= most


def test_so_many_sources_that_no_price_is_left_without_them_widen_the_corridor_themselves():
    """What nothing here prevents: two of three, of which two are needed."""
    faults = [
        {"kind": "silent", "nodes": COLLUDING["nodes"], "start": 4, "stop": 7},
        {**COLLUDING, "start": 7},
    ]
    move, without = max(jumps(faults))
    assert without == 3
    # Two thirds of 40 %, as the honest third is valid in so wide a corridor.
    assert Decimal("0.26") < move < Decimal("0.27")


def test_one_source_that_equivocates_widens_the_corridor_for_its_own_lie():
    """Nor this: a third of 40 %, once the leaders have given up the price to go on."""
    liar = {"nodes": ["external_feed"]}
    faults = [
        {"kind": "equivocating", **liar, "parameters": {"bp": 500}, "stop": 9},
        {"kind": "colluding", **liar, "start": 9},
    ]
    lab, _ = run(14, signatures="none", faults=faults)
    found = claims(lab)
    assert [found[epoch] for epoch in (6, 7, 8)] == [None] * 3
    moved = found[9].consensus_price / 150 - 1
    assert Decimal("0.12") < moved < Decimal("0.15")
