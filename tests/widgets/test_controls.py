"""A control: what it takes, which widget it is, and how it writes a value."""

import pytest
from ipywidgets import BoundedIntText, Checkbox, Dropdown, FloatSlider, IntRangeSlider, IntSlider

from streamlet_lab import InvalidInput
from streamlet_lab.widgets.controls import Control
from streamlet_lab.widgets.words import write

CONTROLS = {
    "whole": Control("nodes", 4, 1, 16),
    "large": Control("seed", 0, 0, 2**31 - 1),
    "number": Control("spread", 0.5, 0, 2, 0.25),
    "interval": Control("epochs", (0, 20), 0, 20),
    "names": Control("model", "a", names=("a", "b")),
    "switch": Control("echo", True),
}


@pytest.mark.parametrize(
    ("kind", "good", "widget"),
    [
        ("whole", 1, IntSlider),
        ("whole", 16, IntSlider),
        ("large", 2**31 - 1, BoundedIntText),
        ("number", 0, FloatSlider),
        ("number", 2.0, FloatSlider),
        ("interval", (0, 20), IntRangeSlider),
        ("interval", (7, 7), IntRangeSlider),
        ("names", "b", Dropdown),
        ("switch", False, Checkbox),
    ],
)
def test_takes_what_it_can_show_in_the_widget_of_its_default(kind, good, widget):
    control = CONTROLS[kind]
    shown = control.show(control.read("field", good))
    assert (type(shown), shown.value) == (widget, good)
    assert shown.description == control.label


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
        ("names", "c", "one of a, b"),
        ("names", None, "one of a, b"),
        ("switch", 1, "True or False"),
    ],
)
def test_refuses_everything_else_and_says_what_it_takes(kind, bad, expected):
    with pytest.raises(InvalidInput, match=expected) as caught:
        CONTROLS[kind].read("field", bad)
    assert caught.value.field == "field"


def test_names_are_asked_for_at_every_use():
    names = ["a"]
    control = Control("kind", "a", names=lambda: tuple(names))
    names.append("late")
    assert control.read("kind", "late") == "late"
    assert control.show("late").options == (("a", "a"), ("late", "late"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5"),
        (0.30000000000000004, "0.3"),
        ((3, 9), "3 to 9"),
        ("trimmed_mean", "trimmed mean"),
        ("2f+1", "2⌊(n−1)/3⌋ + 1"),
        (False, "off"),
        (True, "on"),
    ],
)
def test_writes_a_value_as_people_read_it(value, text):
    assert write(value) == text
