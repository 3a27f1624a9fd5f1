"""Damaged inputs of every kind: each is taken, or refused in one sentence, at once and cheaply."""

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from .findings import FINDINGS
from .guard import in_child, is_taken
from .mutation import mutate
from .targets import TARGETS

# What the nightly search holds decoders to is 2 s; a busy machine of CI may not make that red.
_GUARD = {"seconds": 5, "mebibytes": 512}


@pytest.mark.parametrize("target", TARGETS.values(), ids=str)
def test_honest_input_is_taken(target):
    for seed in target.seeds():
        assert is_taken(target.use, seed, **_GUARD)


@pytest.mark.parametrize("target", TARGETS.values(), ids=str)
def test_damage_is_refused_or_does_no_harm(target):
    seeds = target.seeds()

    # Not made smaller: that takes minutes, and the bytes say enough.
    @settings(max_examples=target.examples, phases=[Phase.generate])
    @given(seed=st.sampled_from(seeds), random=st.randoms())
    def damage(seed, random):
        is_taken(target.use, mutate(seed, random, seeds), **_GUARD)

    damage()


# The threads of others do not matter to a child that only decodes.
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize(("target", "make", "taken"), FINDINGS)
def test_what_once_broke_a_decoder_does_not_any_more(target, make, taken):
    """Taken or refused as it should be; None is either."""

    def find():
        assert is_taken(target.use, make(), **_GUARD) in (
            {True, False} if taken is None else {taken}
        )

    in_child(find)
