"""Every small change of a JSON document that a forger could try."""

import json
from copy import deepcopy

from hypothesis import assume
from hypothesis import strategies as st

_OTHERS = [None, True, False, 0, 1.0, "", "0", [], {}, 2**63, -(2**63) - 1]


def tampered(document, data):
    """A copy of a document with one part changed; hypothesis says which part and how."""
    *above, last = data.draw(st.sampled_from(list(_paths([document]))[1:]), label="path")
    changed = [deepcopy(document)]
    place = changed
    for step in above:
        place = place[step]
    place[last] = data.draw(
        st.sampled_from([*_changes(place[last], data), *_OTHERS]), label="value"
    )
    assume(json.dumps(changed) != json.dumps([document]))
    return changed[0]


def _paths(value, path=()):
    """Where a value and all its parts stand."""
    yield path
    if isinstance(value, dict | list):
        for step, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _paths(part, (*path, step))


def _changes(value, data):
    """Values of the same type that could stand in place of one."""
    if isinstance(value, str):
        at = data.draw(st.integers(0, max(0, len(value) - 1)))
        character = data.draw(st.sampled_from("019afAF \n\x00é\ud800"))
        before, after = value[:at], value[at + 1 :]
        changed = [before + character + after, before + character + value[at:], before + after]
        return [*changed, before, value.upper(), value + "\n"]
    if isinstance(value, list) and value:
        one, other = (data.draw(st.integers(0, len(value) - 1)) for _ in range(2))
        swapped, replaced = list(value), list(value)
        swapped[one], swapped[other] = value[other], value[one]
        replaced[one] = value[other]
        repeated = [*value[:one], value[other], *value[one:]]
        return [swapped, replaced, repeated, value[:one] + value[one + 1 :], value[:one]]
    if isinstance(value, dict):
        name = data.draw(st.sampled_from(list(value)))
        rest = {key: part for key, part in value.items() if key != name}
        return [rest, {**rest, name.upper(): value[name]}, {**value, name + " ": value[name]}]
    return [value - 1, value + 1, float(value), str(value)] if isinstance(value, int) else []
