"""A control: what it takes, which widget it is, and how it writes a value."""

import pytest
from ipywidgets import (
    BoundedIntText,
    Checkbox,
    Dropdown,
    FloatSlider,
    IntRangeSlider,
    IntSlider,
)

from streamlet_lab import InvalidInput
from streamlet_lab.widgets.controls import Control

CONTROLS = {
    "whole": Control("nodes", 4, 1, 16),
    "large": Control("seed", 0, 0, 2**31 - 1),
    "number": Control("spread", 0.5, 0, 2, 0.25),
    "interval": Control("epochs", (0, 20), 0, 20),
    "names": Control("model", "a", names=lambda: ("a", "b")),
    "switch": Control("echo", True),
}


@pytest.mark.parametrize(
    ("kind", "good"),
    [
        ("whole", 1),
        ("whole", 16),
        ("large", 2**31 - 1),
        ("number", 0),
        ("number", 2.0),
        ("interval", (0, 20)),
        ("interval", (7, 7)),
        ("names", "b"),
        ("switch", False),
    ],
)
def test_takes_what_it_can_show(kind, good):
    CONTROLS[kind].check("field", good)
    assert CONTROLS[kind].show(good).value == good


@pytest.mark.parametrize(
    ("kind", "bad", "expected"),
    [
        ("whole", 0, "a whole number from 1 to 16"),
        ("whole", 17, "a whole number from 1 to 16"),
        ("whole", 4.0, "a whole number from 1 to 16"),
        ("whole", True, "a whole number from 1 to 16"),
        ("whole", "4", "a whole number from 1 to 16"),
        ("large", -1, "a whole number from 0"),
        ("number", 2.01, "a number from 0 to 2"),
        ("number", float("nan"), "a number from 0 to 2"),
        ("number", None, "a number from 0 to 2"),
        ("interval", (5, 4), "a start and a stop from 0 to 20"),
        ("interval", (0, 21), "a start and a stop from 0 to 20"),
        ("interval", (0.5, 3), "a start and a stop from 0 to 20"),
        ("interval", (0, 1, 2), "a start and a stop from 0 to 20"),
        ("interval", 3, "a start and a stop from 0 to 20"),
        ("names", "c", "one of 'a', 'b'"),
        ("names", None, "one of 'a', 'b'"),
        ("switch", 1, "True or False"),
    ],
)
def test_refuses_everything_else_and_says_what_it_takes(kind, bad, expected):
    with pytest.raises(InvalidInput, match=expected) as caught:
        CONTROLS[kind].check("field", bad)
    assert caught.value.field == "field"


@pytest.mark.parametrize(
    ("kind", "widget"),
    [
        ("whole", IntSlider),
        ("large", BoundedIntText),
        ("number", FloatSlider),
        ("interval", IntRangeSlider),
        ("names", Dropdown),
        ("switch", Checkbox),
    ],
)
def test_the_kind_of_widget_follows_from_the_default(kind, widget):
    control = CONTROLS[kind]
    shown = control.show(control.default)
    assert type(shown) is widget
    assert shown.description == control.label


def test_names_are_asked_for_at_every_use():
    names = ["a"]
    control = Control("kind", "a", names=lambda: tuple(names))
    names.append("late")
    control.check("kind", "late")
    assert control.show("late").options == (("a", "a"), ("late", "late"))


def test_a_name_may_read_otherwise_than_its_value():
    control = Control("quorum", "b", names=lambda: ("a", "b"), written={"b": "⌈b⌉"})
    assert control.show("b").options == (("a", "a"), ("⌈b⌉", "b"))
    assert control.show("b").value == "b"
    assert control.say("b") == "quorum: ⌈b⌉"


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("whole", 5, "nodes: 5"),
        ("number", 0.30000000000000004, "spread: 0.3"),
        ("interval", (3, 9), "epochs: 3 to 9"),
        ("names", "b", "model: b"),
        ("switch", False, "echo: off"),
        ("switch", True, "echo: on"),
    ],
)
def test_writes_a_value_beside_its_label(kind, value, text):
    assert CONTROLS[kind].say(value) == text
