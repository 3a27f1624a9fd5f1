"""Damaged inputs of every kind: each is taken, or refused in one sentence, at once and cheaply."""

import sys

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from streamlet_lab.errors import StreamletLabError

from . import nightly
from .findings import FINDINGS
from .guard import check_shown, in_child, is_taken
from .mutation import mutate
from .targets import TARGETS

# The threads of others do not matter to a child that only decodes.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")

# What the nightly search holds decoders to is 2 s; a busy machine of CI may not make that red.
_GUARD = {"seconds": 5, "mebibytes": 512}


@pytest.mark.parametrize("target", TARGETS.values(), ids=str)
def test_honest_input_is_taken(target):
    for seed in target.seeds():
        assert is_taken(target.use, seed, **_GUARD)


@pytest.mark.parametrize("target", TARGETS.values(), ids=str)
def test_damage_is_taken_or_refused_in_a_sentence_within_the_limits(target):
    seeds = target.seeds()

    # Not made smaller: that takes minutes, and the bytes say enough.
    @settings(max_examples=target.examples, phases=[Phase.generate])
    @given(seed=st.sampled_from(seeds), random=st.randoms())
    def damage(seed, random):
        is_taken(target.use, mutate(seed, random, seeds), **_GUARD)  # which asserts that

    damage()


@pytest.mark.parametrize(("target", "make", "taken"), FINDINGS)
def test_what_once_broke_a_decoder_does_not_any_more(target, make, taken):
    """Taken or refused as it should be; None is either."""

    def find():
        assert is_taken(target.use, make(), **_GUARD) in (
            {True, False} if taken is None else {taken}
        )

    in_child(find)


class _Raw(StreamletLabError):
    """An error of the lab that shows more than it should."""

    def __str__(self):
        return self.message

    def __init__(self, message):
        self.message = message


def _forever(data):
    while True:
        pass


def _raise(error):
    raise error


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (int, ValueError, "invalid literal"),
        (_forever, AssertionError, "more than 0.2 s"),
        (lambda data: bytes(2**30), MemoryError, None),
        (lambda data: check_shown("\x1b[2J"), AssertionError, "raw"),
        (lambda data: _raise(_Raw("two\nlines")), AssertionError, "several lines"),
        (lambda data: _raise(_Raw("long" * 1_000)), AssertionError, "4000 characters"),
    ],
)
def test_the_guard_sees_what_a_decoder_may_not_do(use, error, message):
    with pytest.raises(error, match=message):
        is_taken(use, b"x", seconds=0.2, mebibytes=256)


def test_a_child_that_fails_is_seen():
    with pytest.raises(AssertionError, match="exit code 1"):
        in_child(lambda: _raise(ValueError))


def test_a_search_that_cannot_be_done_says_so(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "atheris", None)

    assert nightly.main([]) == 2
    assert "not run: atheris" in capsys.readouterr().err
