"""Every small change of a JSON document that a forger could try."""

import json
from copy import deepcopy

from hypothesis import assume
from hypothesis import strategies as st


def tampered(document, data):
    """A copy of a document with one part changed; hypothesis says which part and how."""
    *above, last = data.draw(st.sampled_from(list(_paths([document]))[1:]), label="path")
    changed = [deepcopy(document)]
    place = changed
    for step in above:
        place = place[step]
    place[last] = data.draw(_changes(place[last]), label="value")
    assume(json.dumps(changed) != json.dumps([document]))
    return changed[0]


def _paths(value, path=()):
    """Where a value and all its parts stand."""
    yield path
    if isinstance(value, dict | list):
        for step, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _paths(part, (*path, step))


def _changes(value):
    """What could stand in place of a value."""
    other_types = st.sampled_from([None, True, False, 0, 1.0, "", "0", [], {}, [value]])
    if isinstance(value, str):
        return st.one_of(_changed_text(value), other_types)
    if isinstance(value, int):
        others = [float(value), str(value), bool(value), 2**63, -(2**63) - 1]
        return st.one_of(
            st.integers(-3, 3).map(lambda step: value + step), st.sampled_from(others), other_types
        )
    if isinstance(value, list):
        return st.one_of(_changed_list(value), other_types)
    return st.one_of(_changed_object(value), other_types)


@st.composite
def _changed_text(draw, text):
    at = draw(st.integers(0, max(0, len(text) - 1)))
    character = draw(st.sampled_from("019afAF \n\x00é\ud800"))
    return draw(
        st.sampled_from(
            [
                text[:at] + character + text[at + 1 :],  # changed
                text[:at] + character + text[at:],  # longer
                text[:at] + text[at + 1 :],  # shorter
                text[:at],
                text.upper(),
                text + "\n",
            ]
        )
    )


@st.composite
def _changed_list(draw, items):
    assume(items)
    one, other = (draw(st.integers(0, len(items) - 1)) for _ in range(2))
    swapped = list(items)
    swapped[one], swapped[other] = items[other], items[one]
    replaced = list(items)
    replaced[one] = items[other]
    return draw(
        st.sampled_from(
            [
                swapped,
                replaced,
                items[:one] + items[one + 1 :],  # one dropped
                [*items[:one], items[other], *items[one:]],  # one more, perhaps a repetition
                items[one + 1 :],
                items[:one],
            ]
        )
    )


@st.composite
def _changed_object(draw, document):
    name = draw(st.sampled_from(list(document)))
    rest = {key: value for key, value in document.items() if key != name}
    return draw(
        st.sampled_from(
            [
                rest,
                {**rest, name.upper(): document[name]},
                {**document, "more": None},
                {**document, name + " ": document[name]},
            ]
        )
    )
