"""Random streams: the same bytes for ever, and nobody disturbs another."""

import os
import subprocess
import sys

import pytest

from streamlet_lab.errors import InvalidInput
from streamlet_lab.streams import StreamFamily, generator, stream

GOLDEN = {
    (0, "network"): [8933091029018589780, 6182449249114318046],
    (0, "prices/path"): [16832660798766853463, 13861690338143417129],
    (7, "trader/3"): [3214382768111767456, 3527403712955460290],
    (2**63 - 1, "network"): [6593515322925843287, 17553747663844496966],
}
FAMILY = [4105273388356562795, 15784066947581633590, 1597591408264671810]


def first_words(seed, name):
    drawn = stream(seed, name)
    return [drawn.getrandbits(64) for _ in range(2)]


@pytest.mark.parametrize("key", GOLDEN)
def test_golden_values(key):
    assert first_words(*key) == GOLDEN[key]


def test_golden_values_of_a_family():
    family = StreamFamily(7, "trader/3")
    assert [family.of(*key).getrandbits(64) for key in [(), (0,), (-1, 2**62)]] == FAMILY


def test_every_member_of_a_family_has_a_stream_of_its_own():
    families = [StreamFamily(seed, name) for seed in range(5) for name in ("a", "b")]
    keys = [(), (0,), (0, 0), (1,), (1, 0), (0, 1), (256,)]
    first = {family.of(*key).getrandbits(64) for family in families for key in keys}
    assert len(first) == len(families) * len(keys)


def test_every_seed_and_name_has_a_stream_of_its_own():
    keys = [(seed, name) for seed in range(20) for name in ("", "a", "b", "ab", "trader/1")]
    assert len({tuple(first_words(*key)) for key in keys}) == len(keys)


def test_drawing_from_one_stream_does_not_move_another():
    one, other = stream(0, "network"), stream(0, "prices/path")
    drawn = []
    for _ in range(2):
        one.random()
        stream(0, "prices/path").random()
        drawn.append(other.getrandbits(64))
    assert drawn == GOLDEN[0, "prices/path"]


def test_another_process_with_another_hash_seed_draws_the_same():
    code = (
        "from streamlet_lab.streams import stream\n"
        f"for seed, name in {list(GOLDEN)}:\n"
        "    drawn = stream(seed, name)\n"
        "    print([drawn.getrandbits(64) for _ in range(2)])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [str(words) for words in GOLDEN.values()]


@pytest.mark.parametrize(
    ("seed", "name", "words"),
    [
        (0, "network", [16346242841575298754, 10182159316651386992]),
        (7, "trader/3", [16153725948305314093, 15055006294817592192]),
    ],
)
def test_golden_words_of_numpys_generators(seed, name, words):
    assert generator(seed, name).bit_generator.random_raw(2).tolist() == words


@pytest.mark.parametrize("make", [stream, generator, StreamFamily])
@pytest.mark.parametrize("seed", [-1, 0.5, "1"])
def test_a_seed_is_a_whole_number(make, seed):
    with pytest.raises(InvalidInput, match=r"^seed: "):
        make(seed, "network")
