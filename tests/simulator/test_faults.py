"""Kinds of faults by name, their epochs and their parameters."""

from unittest import mock

import pytest

from streamlet_lab.config import Fault
from streamlet_lab.errors import InvalidInput
from streamlet_lab.simulator import NodeFault, fault_kind, fault_kinds, faults, make_fault

from .bare import simulation


def test_the_kinds_there_are():
    assert {"crash", "lying_leader", "silent_leader", "withhold_votes"} <= {*fault_kinds()}
    assert [*fault_kinds()] == sorted(fault_kinds())


@pytest.mark.parametrize(
    ("start", "stop", "active"), [(0, None, "11111"), (2, None, "00111"), (1, 3, "01100")]
)
def test_a_fault_is_active_from_its_start_until_before_its_stop(start, stop, active):
    fault = NodeFault(start, stop)
    assert [fault.active(epoch) for epoch in range(5)] == [digit == "1" for digit in active]


@pytest.mark.parametrize(
    ("kind", "duty"),
    [("crash", "online"), ("silent_leader", "proposes"), ("withhold_votes", "votes")],
)
def test_each_kind_takes_one_duty_away_while_it_is_active(kind, duty):
    fault = make_fault(Fault(kind, ("node_0",), start=2))
    for epoch in range(5):
        done = {name for name in ("online", "proposes", "votes") if getattr(fault, name)(epoch)}
        lost = {duty} if epoch >= 2 else set()
        assert done == {"online", "proposes", "votes"} - lost


@pytest.mark.parametrize(
    ("fault", "field", "expected"),
    [
        (Fault("gremlins", ("node_0",)), "faults", "one of .*crash, lying_leader"),
        (
            Fault("crash", ("node_0",), parameters={"hard": True}),
            "faults.parameters",
            "takes none",
        ),
        (
            Fault("lying_leader", ("node_0",), parameters={"prise": 1}),
            "faults.parameters",
            "takes none",
        ),
        (
            Fault("lying_leader", ("node_0",), parameters={"price": "much"}),
            "faults.parameters.price",
            "a finite decimal number",
        ),
    ],
)
def test_what_is_no_fault(fault, field, expected):
    with pytest.raises(InvalidInput, match=expected) as caught:
        make_fault(fault)
    assert caught.value.field == field


def test_a_kind_of_ones_own_works_under_its_name():
    with mock.patch.dict("streamlet_lab.simulator.faults._KINDS"):

        @fault_kind("proposes_in_even_epochs")
        class EvenEpochs(NodeFault):
            def proposes(self, epoch):
                return epoch % 2 == 0

        assert "proposes_in_even_epochs" in fault_kinds()
        run = simulation(3, faults={"node_1": "proposes_in_even_epochs"})
    run.run(8)
    # node_1 leads 1, 4 and 7.
    notarized = [block.epoch for block in run.observer.tree.notarized]
    assert notarized == [-1, 0, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("kind", ["crash", "lying_leader"])
def test_the_labs_own_kinds_cannot_be_replaced(kind):
    with pytest.raises(InvalidInput, match="other than the lab's own"):
        fault_kind(kind)(type("Mine", (NodeFault,), {}))


def test_only_a_node_fault_can_be_registered():
    with pytest.raises(InvalidInput, match="subclass of NodeFault"):
        fault_kind("mine")(int)


def test_parameters_that_a_kind_does_not_take_are_named(monkeypatch):
    monkeypatch.setattr(faults, "_KINDS", dict(faults._KINDS))

    @fault_kind("picky")
    class Picky(NodeFault):
        def __init__(self, start, stop, size):
            super().__init__(start, stop)

    for parameters in ({}, {"size": 1, "colour": 2}):
        with pytest.raises(InvalidInput, match="for picky: size"):
            make_fault(Fault("picky", count=1, parameters=parameters))


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"nodes": "node_3"}, "nodes"),
        ({"count": 1, "start": "4"}, "start"),
        ({"count": 1, "start": 1.5}, "start"),
        ({"count": True}, "count"),
        ({"count": 1, "parameters": {"x": None}}, "parameters.x"),
        ({"count": 1, "parameters": {"x": float("nan")}}, "parameters.x"),
        ({"count": 1, "parameters": {"x": (1, 2)}}, "parameters.x"),
    ],
)
def test_a_fault_says_at_once_what_is_wrong_with_it(arguments, field):
    with pytest.raises(InvalidInput) as caught:
        Fault("crash", **arguments)
    assert caught.value.field == field
