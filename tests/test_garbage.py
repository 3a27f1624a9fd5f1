"""What is there before a run is not looked at by the collector, until the run has ended."""

import gc

import pytest

from streamlet_lab import Experiment


def test_during_a_run_all_that_was_there_is_frozen_and_afterwards_nothing() -> None:
    frozen: list[int] = []
    Experiment(epochs=3).run(progress=lambda *_: frozen.append(gc.get_freeze_count()))
    assert min(frozen) > 10_000
    assert gc.get_freeze_count() == 0


def test_a_run_that_fails_leaves_nothing_frozen() -> None:
    def fail(*_: int) -> None:
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        Experiment(epochs=3).run(progress=fail)
    assert gc.get_freeze_count() == 0


def test_what_a_user_froze_stays_frozen() -> None:
    gc.freeze()
    try:
        Experiment(epochs=3).run()
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()
