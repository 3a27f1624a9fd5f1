"""A run that forgets what nothing can come back to is the same run."""

from itertools import pairwise

import pytest

import streamlet_lab as sl
from streamlet_lab.config import OBSERVER
from streamlet_lab.simulator import Forgetter, StockSimulation, forgetting

EPOCHS = 262
CRASHED = {"kind": "crash", "nodes": ["node_2"], "start": 40}

#: Settings, and whether anything may be forgotten with them.
RUNS = {
    "default": ({}, True),
    "seven nodes, of which two keep silent": (
        {"nodes": 7, "faults": {"node_6": "silent_leader", "node_5": "withhold_votes"}},
        True,
    ),
    "crashed for good": ({"faults": [CRASHED]}, True),
    "late": ({"faults": {"node_1": "late_vote", "node_2": "late_proposal"}}, True),
    "a bad period": (
        {"network": {"bad_periods": [{"start": "90s", "stop": "140s"}], "held": 0.3}},
        True,
    ),
    "losses and skewed clocks": ({"network": {"loss": 0.1, "clock_skew": "100ms"}}, True),
    "a gap of more epochs than the margin": (
        {
            "epoch_length": "1s",
            "faults": [
                {"kind": "late_vote", "nodes": ["node_1"], "parameters": {"delay": "8s"}},
                {"kind": "withhold_votes", "nodes": ["node_2"], "start": 101, "stop": 250},
                {"kind": "withhold_votes", "nodes": ["node_3"], "start": 101, "stop": 249},
            ],
        },
        True,
    ),
    "crashed for a while": ({"faults": [{**CRASHED, "stop": 60}]}, False),
    "an equivocator": ({"faults": {"node_1": "equivocate"}}, False),
    "certificates": ({"network": {"catch_up": True}}, False),
    "too small a quorum": ({"nodes": 5, "quorum": 2}, False),
}


def _everything(result):
    frames = {name: frame.to_csv() for name, frame in result.frames.items()}
    return frames, str(result), result.excerpt, result.ledger.to_document()


@pytest.mark.parametrize(("settings", "may_forget"), RUNS.values(), ids=RUNS)
def test_forgetting_changes_nothing(settings, may_forget, monkeypatch):
    experiment = sl.Experiment(epochs=EPOCHS, signatures="none", seed=3, **settings)
    assert forgetting.may_forget(StockSimulation(experiment.config)) is may_forget
    forgot = experiment.run()
    monkeypatch.setattr(forgetting, "may_forget", lambda simulation: False)

    assert _everything(forgot) == _everything(experiment.run())


@pytest.mark.parametrize("signatures", ["none", "ed25519"])
def test_views_stay_small_except_one(signatures):
    config = sl.Experiment(epochs=EPOCHS, signatures=signatures).config
    network = StockSimulation(config)
    heard = []
    network.monitors.append(Forgetter(network, [OBSERVER], [lambda *where: heard.append(where)]))
    network.run(EPOCHS)

    kept = {name: len(node.tree.blocks()) for name, node in network.nodes.items()}
    assert kept[OBSERVER] == EPOCHS + 1
    assert {kept[name] for name in network.node_ids} == {EPOCHS + 1 - heard[-1][0]}
    # Epoch e has the block of height e + 1. The last one below the margin stays, the next one goes.
    assert all(height == epoch for epoch, height in heard)
    assert heard[-1][0] > EPOCHS // 2 - forgetting.STRETCH


def test_what_may_still_be_judged_keeps_its_parent_and_references():
    """A chain that leaves out 130 epochs: what stands above the gap is as without forgetting."""
    config = sl.Experiment(
        epochs=EPOCHS,
        signatures="none",
        faults=[{"kind": "withhold_votes", "count": 2, "start": 50, "stop": 186}],
    ).config
    network = StockSimulation(config)
    cuts = []
    forgetter = Forgetter(network, [OBSERVER], [lambda *where: cuts.append(where)])
    network.monitors.append(forgetter)
    network.run(EPOCHS)

    final = network.observer.tree.finalized
    below, above = next(pair for pair in pairwise(final) if pair[1].epoch - pair[0].epoch > 130)
    assert forgetter._first_needed(above.epoch) == below.epoch
    assert cuts
    for epoch, height in cuts:
        assert final[height].epoch < epoch == final[height + 1].epoch
    tree = network.nodes["node_0"].tree
    known = {block.hash for block in tree.blocks()}
    kept = [block for block in tree.finalized[1:] if block.epoch > cuts[-1][0]]
    assert all(block.parent in known for block in kept)
    application = network.application
    assert application.references(tree.chain(kept[0].parent)) == (
        application.references(network.observer.tree.chain(kept[0].parent))
    )
