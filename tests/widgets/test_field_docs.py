"""What a setting means, and which values it takes: read from where it is defined."""

from dataclasses import dataclass
from typing import Annotated

import pytest

from streamlet_lab.config import ExperimentConfig, MarketConfig, NetworkConfig, PricesConfig
from streamlet_lab.fault import Fault
from streamlet_lab.values import Number, Span, Whole
from streamlet_lab.widgets.field_docs import Bounds, bounds, meaning, plain, summary


@dataclass
class Base:
    """A base.

    Parameters
    ----------
    size : int
        How large, in ``bytes``;
        see :class:`~streamlet_lab.Experiment`.
    """

    size: Annotated[int, Whole(1, 9)] | None = None


@dataclass
class Other(Base):
    """Another, with a first paragraph
    of two lines.

    Attributes
    ----------
    left, right : float, optional
        Where it *ends*.

    Notes
    -----
    size : this is no setting
        and this is not its meaning.
    """

    left: Annotated[float, Number(0)] = 0
    right: Annotated[int, Span(1, 2_000_000)] = 1


@pytest.mark.parametrize(
    ("name", "text", "ends", "written"),
    [
        ("size", "How large, in bytes; see Experiment.", Bounds(1, 9), "From 1 to 9."),
        ("left", "Where it ends.", Bounds(0, None), ""),
        ("right", "Where it ends.", Bounds(1, 2_000_000, True), "From 1us to 2s."),
        ("this", "", Bounds(), ""),
    ],
)
def test_a_field_has_its_text_and_its_range(name, text, ends, written):
    assert meaning(Other, name) == text
    assert bounds(Other, name) == ends
    assert f"{bounds(Other, name)}" == written


def test_a_class_or_a_function_has_a_summary_and_a_value_has_none():
    assert summary(Other) == "Another, with a first paragraph of two lines."
    assert summary(Other()) == summary(lambda: None) == ""


def test_whole_numbers_are_written_in_full():
    assert f"{bounds(ExperimentConfig, 'seed')}" == "From 0 to 9,223,372,036,854,775,807."
    assert f"{bounds(PricesConfig, 'min_sources')}" == "At least 1."
    assert bounds(Fault, "count") == Bounds(0, None)


def test_an_inner_part_of_a_setting_is_not_its_range():
    assert bounds(NetworkConfig, "slow_nodes") == bounds(NetworkConfig, "link_delays") == Bounds()


@pytest.mark.parametrize("owner", [ExperimentConfig, NetworkConfig, PricesConfig, MarketConfig])
def test_every_setting_is_documented(owner):
    sections = {"network", "prices", "market"}
    # What `deviation_rule` says of it is enough.
    known = sections | {"reanchor_after"}
    assert {name for name in owner.model_fields if not meaning(owner, name)} <= known


def test_markup_that_is_not_closed_stays():
    assert plain("a * b and ``c`` and `d") == "a * b and c and `d"
