"""Chains as a scenario writes them."""

from hypothesis import given
from hypothesis import strategies as st

from streamlet_lab.scenarios.syntax import read_chain, write_chain


@given(st.sets(st.integers(0, 30)), st.sampled_from(["", "A"]))
def test_chains_are_read_as_they_are_written(epochs, tag):
    names = tuple(f"{epoch}{tag if epoch % 5 == 0 else ''}" for epoch in sorted(epochs))
    assert read_chain(write_chain(names)) == names
