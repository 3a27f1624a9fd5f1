"""Registers: which names there can be, who may replace what, and how a wrong name is answered."""

import pydoc
import string
from collections.abc import Mapping
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

import streamlet_lab as sl
from streamlet_lab import aggregator, delay_kind, fault_kind, path_model, source_fault_kind
from streamlet_lab.errors import InvalidInput
from streamlet_lab.kinds import Kinds

LETTERS = string.ascii_lowercase + "_"


@pytest.fixture
def register() -> Kinds[object]:
    """A closed register of two, and one that was added later."""
    register = Kinds[object]("law", "law", field="prices.law")
    register.add("steady", 1)
    register.add("calm", 2)
    register.close()
    register.add("rough", 3)
    return register


# --- What is in it


def test_names_are_in_order_and_the_labs_own_are_those_that_were_there_at_the_close(
    register: Kinds[object],
) -> None:
    assert register.names() == ("calm", "rough", "steady")
    assert register.own() == ("calm", "steady")


@pytest.mark.parametrize("thing", [None, 0, [], object()])
def test_what_was_added_is_found_whatever_it_is(register: Kinds[object], thing: object) -> None:
    assert register.add("mine", thing) is thing
    assert register["mine"] is thing


def test_ones_own_can_be_registered_again(register: Kinds[object]) -> None:
    register.add("rough", 4)

    assert register["rough"] == 4
    assert register.names() == ("calm", "rough", "steady")


def test_the_labs_own_cannot_be_replaced(register: Kinds[object]) -> None:
    with pytest.raises(InvalidInput) as caught:
        register.add("calm", 5)

    assert str(caught.value) == (
        "name: 'calm' is not valid; expected a name other than the lab's own laws"
    )
    assert register["calm"] == 2


# --- Names


@given(st.text(LETTERS, min_size=1, max_size=1), st.text(LETTERS + string.digits))
def test_letters_digits_and_underscores_make_a_name(first: str, rest: str) -> None:
    register = Kinds[int]("law", "law", field="law")
    register.add(first + rest, 1)

    assert register.names() == (first + rest,)


@given(
    st.text(LETTERS + string.digits),
    st.characters(exclude_characters=LETTERS + string.digits),
    st.text(LETTERS + string.digits),
)
def test_any_other_character_anywhere_does_not(before: str, other: str, after: str) -> None:
    register = Kinds[int]("law", "law", field="law")
    with pytest.raises(InvalidInput, match=r"^name: .* such as 'my_law'$"):
        register.add(before + other + after, 1)

    assert register.names() == ()


@pytest.mark.parametrize("name", ["", "3rd", "Calm", "calm\n", "größe", "٣", None, 3, b"calm", []])
def test_what_is_no_name_is_refused(register: Kinds[object], name: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        register.check(name)

    assert caught.value.field == "name"
    assert caught.value.value == name
    assert caught.value.expected == ("lowercase letters, digits and underscores, such as 'my_law'")


@pytest.mark.parametrize(
    ("decorator", "what"),
    [
        (fault_kind, "kind"),
        (delay_kind, "kind"),
        (path_model, "model"),
        (partial(aggregator, breakdown=lambda sources: 0), "aggregator"),
    ],
)
def test_every_decorator_of_the_lab_refuses_what_is_no_name_before_it_decorates(
    decorator: object, what: str
) -> None:
    assert callable(decorator)
    with pytest.raises(InvalidInput, match=f"^name: 'My own' .* such as 'my_{what}'$"):
        decorator("My own")


def test_a_decorator_without_its_name_says_how_it_is_written() -> None:
    with pytest.raises(InvalidInput) as caught:

        @path_model  # type: ignore[arg-type]
        class Mine:
            pass

    assert caught.value.expected == 'a name in parentheses: @path_model("name")'


# --- What is not in it


@pytest.mark.parametrize("name", ["astrology", "Calm", "", None, 3, [], {}])
def test_what_is_not_there_is_answered_with_what_is(register: Kinds[object], name: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        register[name]

    assert caught.value.field == "prices.law"
    assert caught.value.value == name
    hint = " (did you mean 'calm'?)" if name == "Calm" else ""
    assert caught.value.expected == (
        f"one of calm, rough, steady; a law of your own must be registered before{hint}"
    )


def test_the_answer_says_what_may_be_given_besides_a_name() -> None:
    register = Kinds[int]("estimator", "estimator", field="by", besides="a function")
    register.add("mad", 1)
    with pytest.raises(
        InvalidInput,
        match=r"^by: 'iqr' .* one of mad, or a function; an estimator of your own must be",
    ):
        register["iqr"]


# --- Making them


def make(kind: object, parameters: dict[str, object], *given: object) -> object:
    return Kinds[object]("law", "law", field="law").make(kind, parameters, "place", *given)


def test_a_type_that_is_there_for_type_checkers_only_is_not_checked() -> None:
    def kind(*, size: "Elsewhere" = 10) -> object:  # type: ignore[name-defined] # noqa: F821
        return size

    assert make(kind, {"size": "any"}) == "any"


def test_what_the_lab_gives_takes_no_parameter_by_name_away() -> None:
    def kind(*args: object, power: int = 1) -> object:
        return (*args, power)

    assert make(kind, {"power": 2}, "start", "stop") == ("start", "stop", 2)


def test_kinds_and_what_they_make_are_of_the_base_that_was_declared() -> None:
    register = Kinds[object]("law", "law", field="prices.law")

    @register.base
    class Law:
        pass

    with pytest.raises(InvalidInput, match=r"^kind: .* a subclass of Law$"):
        register.register("odd")(int)
    with pytest.raises(InvalidInput, match=r"^prices\.law: .* a subclass of Law$"):
        register.make(int, {}, "place")
    with pytest.raises(InvalidInput, match=r"^place: 3 .* a Law, which is what a kind makes$"):
        register.make(lambda: 3, {}, "place")
    assert type(register.make(Law, {}, "place")) is Law


def test_a_name_is_free_again_where_what_it_was_for_was_refused() -> None:
    with pytest.raises(InvalidInput, match="NodeFault"):
        fault_kind("neither")(int)  # type: ignore[type-var]
    source_fault_kind("neither")


# --- What a stranger reads


REGISTERED = {
    "band": "market.band",
    "delay_kind": "network.delays",
    "fault_kind": "faults",
    "outlier_rule": "outlier_rule",
    "path_model": "path_model",
    "reference_kind": "market.reference.kind",
    "source_fault_kind": "faults",
    "trader_kind": "market.traders",
}


@pytest.mark.parametrize(("name", "field"), REGISTERED.items())
def test_the_help_of_a_decorator_says_what_it_registers_and_for_which_setting(
    name: str, field: str
) -> None:
    decorator, names = getattr(sl, name), getattr(sl, f"{name}s")
    helped = pydoc.plain(pydoc.render_doc(decorator))

    assert f"\n{name}(name: str)" in helped
    assert f"the setting ``{field}`` takes the name" in helped
    assert f"``{field}`` takes, in alphabetical" in pydoc.plain(pydoc.render_doc(names))


@pytest.mark.parametrize("name", sl.__all__)
def test_every_public_name_is_documented_in_words_of_our_own(name: str) -> None:
    value = getattr(sl, name)
    if isinstance(value, Mapping):  # a constant, whose comment is its documentation
        return
    text = value.__doc__ or ""

    assert text.strip()
    assert "partial(" not in text
    assert not text.startswith(("str(", "dict(", f"{name}("))
