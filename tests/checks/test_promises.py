"""What a run is watched for, what its configuration can count on, and the reason why not."""

import pytest

from streamlet_lab import Experiment, run_protocol
from streamlet_lab.checks import Status
from streamlet_lab.checks.promises import honest_nodes, why_invalid, why_not_live, why_unsafe
from streamlet_lab.config import ED25519_TIMES, make_config

PROTOCOL = ["consistency", "unique_notarization", "vote_discipline", "lemma_5", "theorem_6"]


def lying(count, **settings):
    return make_config(faults=[{"kind": "withhold_votes", "count": count}], **settings)


def test_honest_is_who_is_never_faulty():
    faults = {"node_1": "crash@5-6", "node_2": "crash@60"}
    assert honest_nodes(make_config(faults=faults)) == {"node_0", "node_2", "node_3", "observer"}


@pytest.mark.parametrize("nodes", [1, 2, 3, 4, 7, 10, 13])
@pytest.mark.parametrize("model", ["byzantine", "crash", "synchronous"])
def test_what_the_models_tolerate_is_safe_and_live(nodes, model):
    faults = [{"kind": "crash", "count": (nodes - 1) // (3 if model == "byzantine" else 2)}]
    config = make_config(nodes=nodes, model=model, faults=faults)
    assert (why_unsafe(config), why_invalid(config), why_not_live(config)) == ("", "", "")


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (lying(1, nodes=3), "two quorums of 2 of 3 nodes may share only 1, and 1 may lie"),
        (lying(2, nodes=4), "two quorums of 3 of 4 nodes may share only 2, and 2 may lie"),
        (lying(0, nodes=4, quorum=2), "two quorums of 2 of 4 nodes may share none, and 0 may lie"),
        (
            lying(1, nodes=5, quorum="2f+1"),
            "two quorums of 3 of 5 nodes may share only 1, and 1 may lie",
        ),
        (lying(1, nodes=4, model="crash"), ""),
        (lying(2, nodes=4, quorum=4), ""),
        (lying(2, nodes=4, model="synchronous"), "2 of 4 nodes faulty, 1 tolerated"),
        (
            lying(1, nodes=4, model="synchronous", network={"gst": "3s"}),
            "bad times until 3s: the synchronous model has none",
        ),
    ],
)
def test_safety_rests_on_what_two_quorums_share(config, reason):
    assert why_unsafe(config) == reason


def test_a_fault_after_the_end_of_the_run_is_none():
    config = make_config(faults={"node_1": "withhold_votes@60", "node_2": "withhold_votes@59"})
    assert why_unsafe(config) == ""


def test_timing_is_a_matter_of_liveness_alone():
    late = make_config(epoch_length="1ms", echo=False, network={"gst": "5s"})
    assert why_unsafe(late) == ""
    assert why_not_live(late) == "epoch shorter than 2Δ; messages are not echoed"


AGAINST_EACH_OTHER = "a source may tell nodes different things, so that they refuse each other"


def telling_different_things(count, epochs=60, start=0, **prices):
    fault = {"kind": "equivocating", "count": count, "start": start}
    return make_config(faults=[fault], epochs=epochs, prices=prices)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (telling_different_things(1), AGAINST_EACH_OTHER),
        (telling_different_things(1, sources=7, aggregator="vwap"), AGAINST_EACH_OTHER),
        (telling_different_things(0), ""),
        (telling_different_things(1, start=60), ""),
        (telling_different_things(1, voter_policy="evidence"), ""),
        (telling_different_things(1, voter_policy="bounds"), ""),
        (telling_different_things(3, sources=7, aggregator="median"), ""),
        (telling_different_things(4, sources=7, aggregator="median"), AGAINST_EACH_OTHER),
        (
            telling_different_things(1, aggregator=lambda quotes: quotes[0].price),
            AGAINST_EACH_OTHER,
        ),
        (make_config(faults={"external_feed": "dropping"}), AGAINST_EACH_OTHER),
    ],
)
def test_sources_that_set_voters_against_each_other_endanger_liveness_alone(config, reason):
    assert why_not_live(config) == reason
    assert (why_unsafe(config), why_invalid(config)) == ("", "")


LIAR = {"external_feed": "equivocating"}


def four(aggregator="median", faults=LIAR, sources=4, **others):
    """Runs with one source that tells nodes different things, and what else may be wrong."""
    return {
        "faults": faults,
        "prices": {"sources": sources, "aggregator": aggregator},
        "signatures": "none",
        "market": {"traders": 0},
        **others,
    }


def also(kind, source="market_data_3", **parameters):
    other = {"kind": kind, "nodes": [source], "parameters": parameters}
    return [{"kind": "equivocating", "nodes": ["external_feed"]}, other]


def sources(**settings):
    """Four sources, of which the first, or all with `each`, are not the usual ones."""
    each = settings.pop("each", False)
    names = ("market_data_1", "market_data_2", "market_data_3", "external_feed")
    return [{"name": name, **settings} if each or not i else name for i, name in enumerate(names)]


UNPROMISED = {
    "a second liar": four(faults=also("biased", bp=900)),
    "of three, one is silent": four(faults=also("silent", "market_data_2"), sources=3),
    "an outage": four(sources=sources(outage=0.5)),
    "noise": four(faults={"external_feed": "dropping"}, sources=sources(each=True, noise_bp=200)),
    "noise of one": four(sources=sources(noise_bp=5)),
    "bias of one": four(sources=sources(bias_bp=-50)),
    "a lag": four(sources=sources(lag="1s")),
    "less tolerance": four() | {"prices": {**four()["prices"], "tolerance_percent": "0.02"}},
}


@pytest.mark.parametrize("settings", UNPROMISED.values(), ids=UNPROMISED)
def test_what_is_wrong_besides_counts_with_the_liar(settings):
    config = make_config(**settings)
    assert why_not_live(config) == AGAINST_EACH_OTHER


PROMISED = {
    "one liar of four": four(),
    "whose own quotes are bad": four(
        faults={"market_data_1": "equivocating"}, sources=sources(outage=0.5, lag="1h")
    ),
    "two of seven": four(faults=also("biased", bp=900), sources=7),
    "a little noise and bias": four(sources=sources(each=True, noise_bp=2, bias_bp=20)),
    "evidence": four("mean") | {"prices": {"voter_policy": "evidence"}},
    "a liar that tells all the same": four("mean", faults={"external_feed": "biased"}),
}


@pytest.mark.parametrize("settings", PROMISED.values(), ids=PROMISED)
def test_what_the_aggregator_evens_out_is_still_promised(settings):
    assert why_not_live(make_config(**settings)) == ""
    checks = Experiment(epochs=12, seed=1, **settings).run().checks
    assert {check.status for check in checks.values()} == {Status.HOLDS}


def test_payloads_are_valid_unless_a_quorum_lies():
    dead = make_config(faults=[{"kind": "crash", "count": 3}])
    assert (why_unsafe(dead), why_invalid(dead)) == ("", "")
    assert why_invalid(lying(2, nodes=4)) == ""
    assert why_invalid(lying(3, nodes=4)) == "a quorum of 3 may lie"


# Processing takes time that the paper's model does not have


def lemma_5(config):
    return run_protocol(config).checks["lemma_5"].status


def busy(**settings):
    return make_config(
        nodes=4,
        epochs=12,
        epoch_length="1001ms",
        signatures="none",
        network={"delays": "constant", "median_delay": "500ms", **ED25519_TIMES},
        **settings,
    )


def test_an_epoch_with_time_for_its_own_messages_is_enough():
    assert why_not_live(busy()) == ""
    assert lemma_5(busy()) is Status.HOLDS


def test_nothing_is_promised_where_others_can_keep_a_node_busy():
    config = busy(faults={"node_3": "forge"})
    assert "processing takes time" in why_not_live(config)
    assert lemma_5(config) is Status.NOT_APPLICABLE


@pytest.mark.parametrize("late", ["200ms", "3200ms"])
def test_clocks_that_are_all_late_are_not_late(late):
    skew = {f"node_{index}": late for index in range(4)}
    config = make_config(
        epochs=12, network={"clock_skew": skew}, faults={"node_0": "silent_leader"}
    )
    assert config.outside_model == ()
    assert lemma_5(config) is Status.HOLDS


# --- Runs


def results(epochs=24, **settings):
    """Verdicts on the bare protocol, by name."""
    return run_protocol(epochs=epochs, signatures="none", **settings).checks


@pytest.mark.parametrize("model", ["byzantine", "crash"])
def test_with_honest_nodes_everything_holds(model):
    found = results(model=model)
    assert {name: check.status for name, check in found.items()} == (
        dict.fromkeys(PROTOCOL, Status.HOLDS)
    )


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
    run = Experiment(epochs=12, signatures="none", faults={"node_1": "lying_leader"}).run()
    assert [*run.checks] == [*PROTOCOL, "valid_prices"]
    assert run.safe
    assert run.excerpt == ()
    final = run.summary["finalized_blocks"]
    assert run.checks["valid_prices"].evidence == f"{final} cases examined"


def test_a_lying_quorum_is_caught_and_was_not_promised_otherwise():
    faults = [{"kind": "lying_leader", "count": 3}]
    run = Experiment(epochs=12, signatures="none", faults=faults).run()
    evidence = run.checks["valid_prices"].evidence
    assert "consensus price 9999.00 outside 50 to 500" in evidence
    assert evidence.endswith("not promised: a quorum of 3 may lie")
