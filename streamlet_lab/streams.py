"""Named random streams: each consumer of randomness has its own, so that none disturbs another."""

import hashlib
import random
import struct
from typing import TYPE_CHECKING

from streamlet_lab.units import to_whole

if TYPE_CHECKING:
    from numpy.random import Generator, SeedSequence

_WORDS = 4  # 128 bits of state derived from a seed and a name


def stream(seed: int, name: str) -> random.Random:
    """Return the random stream that belongs to a seed and a name.

    The name is that of the consumer, such as ``"network"``; the seed is zero or more. The name is
    hashed with BLAKE2 and mixed with the seed by numpy's ``SeedSequence``. The samplers are the
    standard library's: scalar arithmetic that does not depend on the processor's vector
    instructions, on hash order or on any global state.
    """
    return random.Random(int.from_bytes(_state(seed, name), "big"))


class StreamFamily:
    """Random streams under one name, one for each tuple of whole numbers, in any order.

    One of them costs a tenth of a :func:`stream`: the tuple is hashed with BLAKE2, whose key is the
    state that belongs to the seed and the name. The :func:`stream` of the same name is another one.

    >>> family = StreamFamily(0, "doors")
    >>> family.of(7, 1).random() == family.of(7, 1).random() != family.of(7, 2).random()
    True
    """

    def __init__(self, seed: int, name: str) -> None:
        self._key = _state(seed, name)

    def of(self, *numbers: int) -> random.Random:
        """Return the stream of some whole numbers of at most 63 bits, from its beginning."""
        content = struct.pack(f"<{len(numbers)}q", *numbers)
        digest = hashlib.blake2b(content, key=self._key, digest_size=4 * _WORDS).digest()
        return random.Random(int.from_bytes(digest, "big"))


def generator(seed: int, name: str) -> "Generator":
    """Return numpy's generator that belongs to a seed and a name: for statistics, never for a run.

    Its whole numbers are the same everywhere. Its normal and other variates may differ in their
    last bits between processors and between versions of numpy, so that no run draws from it. A
    :func:`stream` of the same name is another one.
    """
    from numpy.random import PCG64, Generator

    return Generator(PCG64(_sequence(seed, name)))


def _state(seed: int, name: str) -> bytes:
    return _sequence(seed, name).generate_state(_WORDS).astype(">u4").tobytes()


def _sequence(seed: int, name: str) -> "SeedSequence":
    from numpy.random import SeedSequence

    seed = to_whole(seed, 0, "seed")
    digest = hashlib.blake2b(name.encode(), digest_size=4 * _WORDS).digest()
    words = [int.from_bytes(digest[i : i + 4], "big") for i in range(0, len(digest), 4)]
    return SeedSequence([seed, *words])
