"""What a run costs, in calls of Python functions: the same count on every machine."""

import pytest

import streamlet_lab as sl
from benchmarks.timing import calls

EPOCHS = 100


def whole_run():
    result = sl.Experiment(epochs=EPOCHS, signatures="none").run()
    return result.epochs, result.orders, result.trades


def test_an_epoch_of_the_whole_system_calls_few_functions():
    whole_run()  # what is made once in a process
    assert calls(whole_run) / EPOCHS <= 1_110


@pytest.mark.parametrize(("nodes", "most"), [(4, 430), (16, 3_320)])
def test_an_epoch_of_the_protocol_calls_few_functions(nodes, most):
    epochs = 400 // nodes

    def bare_run():
        sl.run_protocol(nodes=nodes, epochs=epochs, signatures="none")

    bare_run()
    assert calls(bare_run) / epochs <= most
