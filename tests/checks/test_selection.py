"""Each run is watched for what its model claims, and says what is not promised."""

import pytest

from streamlet_lab.checks import Status, find_excerpt, market_checks, protocol_checks
from streamlet_lab.config import make_config
from streamlet_lab.description import StockMarketConsensusNetwork
from streamlet_lab.simulator import (
    Recorder,
    create_streamlet_network,
)

PROTOCOL = ["consistency", "unique_notarization", "vote_discipline", "lemma_5", "theorem_6"]


def results(epochs=24, **settings):
    """Verdicts on the bare protocol, by name."""
    config = make_config(epochs=epochs, signatures="none", **settings)
    network = create_streamlet_network(config)
    checks = protocol_checks(config, network)
    network.monitors.extend(checks)
    network.run(epochs)
    return {check.name: check.result() for check in checks}


def statuses(**settings):
    return {name: result.status for name, result in results(**settings).items()}


@pytest.mark.parametrize("model", ["byzantine", "crash"])
def test_with_honest_nodes_everything_holds(model):
    assert statuses(model=model) == dict.fromkeys(PROTOCOL, Status.HOLDS)


def test_the_synchronous_model_has_claims_of_its_own():
    found = results(model="synchronous")
    assert [*found] == [*PROTOCOL, "synchronous_liveness"]
    claimed = {name for name, result in found.items() if result.status is Status.HOLDS}
    assert claimed == {"consistency", "vote_discipline", "synchronous_liveness"}
    assert found["lemma_5"].evidence == "the model is synchronous, where section 4 holds instead"


def test_a_named_reason_outside_the_model():
    found = results(epoch_length="600ms", faults={"node_2": "silent_leader", "node_3": "crash"})
    assert found["lemma_5"].status is Status.NOT_APPLICABLE
    assert found["lemma_5"].evidence.startswith("2 of 4 nodes faulty, 1 tolerated; ")
    assert found["theorem_6"].evidence.endswith("epoch shorter than 2Δ")
    # One of them only crashes: any two quorums of 3 share an honest node.
    assert "not promised" not in found["consistency"].evidence


def test_what_is_not_promised_says_why():
    faults = {"node_2": "withhold_votes", "node_3": "silent_leader"}
    evidence = results(faults=faults)["unique_notarization"].evidence
    assert evidence.endswith(
        "not promised: two quorums of 3 of 4 nodes may share only 2, and 2 may lie"
    )


def test_gst_is_the_end_of_the_last_bad_times():
    held = results(network={"partitions": [{"stop": "21s", "groups": "node_0|node_1"}]})
    # Epochs 21, 22 and 23 are the only three after it.
    assert held["lemma_5"].evidence == "4 cases examined"
    assert held["theorem_6"].evidence == "no five consecutive honest leaders after GST"


def test_a_market_has_valid_prices_too():
    config = make_config(epochs=12, signatures="none", faults={"node_1": "lying_leader"})
    network, recorder = StockMarketConsensusNetwork(config), Recorder()
    checks = market_checks(config, network)
    network.monitors.extend((recorder, *checks))
    network.run(12)
    assert [check.name for check in checks] == [*PROTOCOL, "valid_prices"]
    assert all(check.result().status is not Status.VIOLATED for check in checks)
    assert find_excerpt(checks, recorder, network) == ((), ())
    final = {block.hash for block in network.observer.tree.finalized[1:]}
    assert checks[-1].examined == len(final)


def test_a_lying_quorum_is_caught_and_was_not_promised_otherwise():
    faults = [{"kind": "lying_leader", "count": 3}]
    config = make_config(epochs=12, signatures="none", faults=faults)
    network = StockMarketConsensusNetwork(config)
    checks = market_checks(config, network)
    network.monitors.extend(checks)
    network.run(12)
    evidence = checks[-1].result().evidence
    assert "consensus price 9999.00 outside 50 to 500" in evidence
    assert evidence.endswith("not promised: a quorum of 3 may lie")
