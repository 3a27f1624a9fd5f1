"""Named random streams: each consumer of randomness has its own, so that none disturbs another."""

import hashlib
import random

import numpy as np

from streamlet_lab.errors import InvalidInput

_WORDS = 4  # 128 bits of state derived from a seed and a name


def stream(seed: int, name: str) -> random.Random:
    """Return the random stream that belongs to a seed and a name.

    The name is hashed with BLAKE2 and mixed with the seed by numpy's ``SeedSequence``. The samplers
    are the standard library's: scalar arithmetic that does not depend on the processor's vector
    instructions, on hash order or on any global state.

    Parameters
    ----------
    seed : int
        The experiment's seed, zero or more.
    name : str
        The consumer, such as ``"network"`` or ``"trader/3"``.

    Raises
    ------
    InvalidInput
        If the seed is negative.
    """
    if not isinstance(seed, int) or seed < 0:
        raise InvalidInput("seed", seed, "a whole number, zero or more")
    digest = hashlib.blake2b(name.encode(), digest_size=4 * _WORDS).digest()
    words = [int.from_bytes(digest[i : i + 4], "big") for i in range(0, len(digest), 4)]
    state = np.random.SeedSequence([seed, *words]).generate_state(_WORDS, np.uint32)
    return random.Random(int.from_bytes(state.astype(">u4").tobytes(), "big"))
