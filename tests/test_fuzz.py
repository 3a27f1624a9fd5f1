"""The search is silent about a right protocol, finds planted bugs and makes its findings small."""

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
from mutants.planting import plant

from benchmarks.planted_bugs import BUGS
from streamlet_lab import run_protocol
from streamlet_lab.config import ExperimentConfig, make_config
from streamlet_lab.consensus import THREE_IN_A_ROW, FinalityRule, StreamletNode
from streamlet_lab.errors import InvalidInput
from streamlet_lab.fault import Fault
from streamlet_lab.fuzz import fuzz, random_config, shrink, violations
from streamlet_lab.interrupts import Terminated
from streamlet_lab.result import Result
from streamlet_lab.scenarios import Scenario
from streamlet_lab.simulator import own_fault_kinds
from streamlet_lab.streams import stream


def planted(rule: FinalityRule):
    """A lab whose nodes finalize by another rule."""
    return mock.patch("streamlet_lab.simulator.simulation.THREE_IN_A_ROW", rule)


def configs(count: int, seed: int = 0) -> list[ExperimentConfig]:
    return [random_config(stream(seed, f"fuzz/{number}")) for number in range(count)]


def test_nothing_is_found_in_a_right_protocol() -> None:
    search = fuzz(120, seed=1)

    assert search.findings == []
    assert search.runs == 120
    # A search whose properties have nothing to say finds nothing either.
    least = {
        "consistency": 90,
        "unique_notarization": 90,
        "vote_discipline": 120,
        "lemma_5": 30,
        "theorem_6": 15,
        "synchronous_liveness": 2,
    }
    assert {name: search.examined[name] >= count for name, count in least.items()} == (
        dict.fromkeys(search.examined, True)
    )


def test_every_run_is_inside_the_model_and_all_of_it_is_visited() -> None:
    drawn = configs(400)

    assert drawn[:5] == configs(5)
    assert drawn[:5] != configs(5, seed=4)
    assert [config.outside_model for config in drawn if config.outside_model] == []
    kinds = {fault.kind for config in drawn for fault in config.faults}
    without_prices = set(own_fault_kinds()) - {"lying_leader", "price_manipulator", "script"}
    assert kinds == without_prices
    assert {config.model for config in drawn} == {"byzantine", "crash", "synchronous"}
    networks = [config.network for config in drawn]
    assert {network.delays for network in networks} == {"constant", "uniform", "lognormal"}
    for is_there in (
        lambda network: network.bad_periods,
        lambda network: network.held,
        lambda network: network.held_together,
        lambda network: network.partitions,
        lambda network: network.loss,
        lambda network: network.clock_skew,
        lambda network: network.catch_up,
        lambda network: not network.gst_in_force,
    ):
        assert sum(bool(is_there(network)) for network in networks) > 12
    assert sum(any(f.kind == "hoard" for f in c.faults) for c in drawn) > 80
    shares = {(len(config.faulty_nodes), config.tolerated) for config in drawn}
    assert {(tolerated, tolerated) for tolerated in (1, 2, 3)} <= shares


@pytest.mark.parametrize(
    "rule",
    [FinalityRule(2, 0), FinalityRule(3, 0)],
    ids=["the second of two", "the third of three"],
)
def test_a_planted_bug_is_found_made_small_and_saved(rule: FinalityRule, tmp_path: Path) -> None:
    with planted(rule):
        search = fuzz(12, seed=3, save=tmp_path)
        finding = search.findings[0]
        original = random_config(stream(3, f"fuzz/{finding.number}"))
        saved = sorted(tmp_path.iterdir())
        again = Scenario.load(tmp_path / f"fuzz_3_{finding.number}.txt").run()

        assert "consistency" in finding.violated
        assert finding.config.epochs <= original.epochs
        assert len(finding.config.faults) <= len(original.faults)
        assert len(saved) == len(search.findings)
        assert not again.passed
    # Without the bug the saved run is as it should be.
    assert Scenario.load(saved[0]).run().passed


def test_votes_of_a_certificate_that_nobody_verifies_are_found(tmp_path: Path) -> None:
    with plant("votes of a certificate are not verified", StreamletNode._catch_up):
        search = fuzz(20, seed=32, save=tmp_path)
        (finding,) = search.findings
        (saved,) = tmp_path.iterdir()
        assert finding.violated == ("unique_notarization",)
        assert [fault.kind for fault in finding.config.faults] == ["forge_certificate"]
        assert not Scenario.load(saved).run().passed
    assert Scenario.load(saved).run().passed
    assert fuzz(20, seed=32).findings == []


def test_the_folder_is_made_before_the_search_or_refused(tmp_path: Path) -> None:
    folder, file = tmp_path / "some" / "findings", tmp_path / "file"
    file.write_text("mine", encoding="utf-8")
    fuzz(1, save=str(folder))
    assert folder.is_dir()
    with pytest.raises(InvalidInput, match=r"save: .* expected a folder"):
        fuzz(1, save=file)
    assert file.read_text(encoding="utf-8") == "mine"


def hoarded(count: int, seed: int) -> Iterator[ExperimentConfig]:
    """Runs of the search in which as many nodes as the model tolerates hoard together."""
    for config in configs(count, seed):
        if config.model == "byzantine":
            hoarders = config.node_ids[-config.tolerated :]
            yield config.model_copy(update={"faults": (Fault("hoard", hoarders),)})


@pytest.mark.parametrize("bug", BUGS)
def test_hoarders_make_each_planted_bug_show(bug: str) -> None:
    with BUGS[bug]():
        config = next((one for one in hoarded(300, seed=1) if violations(one)), None)
    assert config is not None
    assert violations(config) == ()  # without the bug
    assert run_protocol(config).evidence.keys() <= config.faulty_nodes


def test_shrinking_keeps_what_makes_a_run_fail() -> None:
    config = make_config(
        epochs=20,
        nodes=7,
        leaders="hashed",
        faults=[Fault("crash", ("node_1",)), Fault("forge", ("node_2",))],
        network={"gst": "3s", "loss": 0.3},
    )

    def fails(candidate: ExperimentConfig) -> bool:
        return candidate.epochs >= 4 and any(fault.kind == "forge" for fault in candidate.faults)

    plain = make_config(epochs=4, nodes=7, faults=[Fault("forge", ("node_2",))])
    assert shrink(config, fails) == plain


def test_a_search_that_is_interrupted_keeps_what_it_has() -> None:
    def stop(done: int, total: int) -> None:
        if done == 3:
            signal.raise_signal(signal.SIGTERM)

    search = fuzz(10, progress=stop)
    assert search.runs == 3
    assert isinstance(search.interrupt, Terminated)
    assert repr(search).startswith("interrupted after 3 runs, no violation")


def test_a_finding_that_is_being_made_small_survives_an_interrupt(tmp_path: Path) -> None:
    stopped = mock.patch("streamlet_lab.fuzz.shrink", side_effect=KeyboardInterrupt)
    with planted(FinalityRule(3, 0)), stopped:
        search = fuzz(12, seed=3, save=tmp_path)
    (finding,) = search.findings
    assert finding.config == random_config(stream(3, f"fuzz/{finding.number}"))
    assert Scenario.load(next(tmp_path.iterdir())).run().passed  # without the bug


def test_a_run_that_ends_in_an_error_is_a_finding_and_ends_no_search(tmp_path: Path) -> None:
    def failing(config: ExperimentConfig) -> Result:
        if config.nodes > 4:
            raise ZeroDivisionError
        return run_protocol(config)

    with mock.patch("streamlet_lab.fuzz.run_protocol", failing):
        search = fuzz(6, seed=1, save=tmp_path)
    assert search.runs == 6
    assert {finding.error for finding in search.findings} == {"ZeroDivisionError"}
    assert {finding.config.epochs for finding in search.findings} == {1}
    assert len(search.findings) == len([*tmp_path.iterdir()]) < 6
    assert f"no violation, {len(search.findings)} errors; " in repr(search)
    assert "ZeroDivisionError raised in a random search" in search.findings[0].scenario().text


@pytest.mark.parametrize("runs", [0, 1.5])
def test_how_many_runs_is_a_number(runs: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        fuzz(runs)  # type: ignore[arg-type]
    assert caught.value.field == "runs"


def test_at_a_third_the_search_would_find_something() -> None:
    """The same adversaries beyond the bound, so that silence below it means something."""
    assert THREE_IN_A_ROW.consecutive == 3
    partition = {"start": 0, "stop": "100s", "groups": "node_0|node_1"}
    config = make_config(
        nodes=4,
        epochs=20,
        signatures="none",
        faults=[Fault("split", ("node_2", "node_3"))],
        network={"partitions": [partition]},
    )
    assert {"consistency", "unique_notarization"} <= {*violations(config)}
    below = replace(config.faults[0], nodes=("node_3",))
    assert violations(config.model_copy(update={"faults": (below,)})) == ()
