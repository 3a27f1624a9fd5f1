"""Processing takes time that the paper's model does not have."""

import pytest

from streamlet_lab.checks import Status, protocol_checks, why_not_live
from streamlet_lab.config import ED25519_TIMES, ExperimentConfig, make_config
from streamlet_lab.simulator import create_streamlet_network


def lemma_5(config: ExperimentConfig) -> Status:
    simulation = create_streamlet_network(config)
    checks = {check.name: check for check in protocol_checks(config, simulation)}
    simulation.monitors.extend(checks.values())
    simulation.run(config.epochs)
    return checks["lemma_5"].result().status


def busy(**settings: object) -> ExperimentConfig:
    return make_config(
        nodes=4,
        epochs=12,
        epoch_length="1001ms",
        signatures="none",
        network={"delays": "constant", "median_delay": "500ms", **ED25519_TIMES},
        **settings,
    )


def test_an_epoch_with_time_for_its_own_messages_is_enough() -> None:
    assert why_not_live(busy()) == ""
    assert lemma_5(busy()) is Status.HOLDS


def test_nothing_is_promised_where_others_can_keep_a_node_busy() -> None:
    config = busy(faults={"node_3": "forge"})
    assert "processing takes time" in why_not_live(config)
    assert lemma_5(config) is Status.NOT_APPLICABLE


@pytest.mark.parametrize("late", ["200ms", "3200ms"])
def test_clocks_that_are_all_late_are_not_late(late: str) -> None:
    skew = {f"node_{index}": late for index in range(4)}
    config = make_config(
        epochs=12, network={"clock_skew": skew}, faults={"node_0": "silent_leader"}
    )
    assert config.outside_model == ()
    assert lemma_5(config) is Status.HOLDS
