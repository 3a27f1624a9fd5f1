"""Who leads an epoch: rules that everyone knows in advance."""

import hashlib
from collections.abc import Callable, Collection, Sequence
from functools import partial

from streamlet_lab.errors import InvalidInput
from streamlet_lab.units import to_text, to_whole

#: ``leader_of(epoch)``: the name of the validator that leads an epoch, 0 or later.
LeaderRule = Callable[[int], str]


def round_robin(validators: Collection[str]) -> LeaderRule:
    """Return the description's rule: the validators lead in turn, from epoch 0 on.

    With n = 3f + 1 this never gives the five honest leaders in a row that Theorem 6 asks for. It
    also follows a schedule, in which a name may stand several times.
    """
    return partial(_in_turn, _names(validators))


def hashed(validators: Collection[str], chain_id: str) -> LeaderRule:
    """Return the paper's rule: a hash of the epoch, as good as random, picks a validator.

    The chain's name is hashed too, so that each chain has an order of its own.

    Examples
    --------
    >>> leader_of = hashed(["a", "b", "c"], "example")
    >>> [leader_of(epoch) for epoch in range(8)]
    ['c', 'a', 'c', 'b', 'a', 'b', 'c', 'a']
    """
    chain_id, order = to_text(chain_id, "chain_id"), _names(validators)
    domain = b"streamlet-lab/leader/1" + len(chain_id.encode()).to_bytes(4) + chain_id.encode()
    return partial(_by_hash, order, domain)


def _in_turn(order: Sequence[str], epoch: int) -> str:
    return order[_whole(epoch) % len(order)]


def _by_hash(order: Sequence[str], domain: bytes, epoch: int) -> str:
    digest = hashlib.sha256(domain + _whole(epoch).to_bytes(8)).digest()
    return order[int.from_bytes(digest) % len(order)]


def _whole(epoch: int) -> int:
    return epoch if type(epoch) is int and 0 <= epoch < 2**63 else to_whole(epoch, 0, "epoch")


def _names(validators: Collection[str]) -> tuple[str, ...]:
    if isinstance(validators, str) or not isinstance(validators, Collection) or not validators:
        raise InvalidInput("validators", validators, "the names of one validator or more")
    return tuple(to_text(name, "validators", 1) for name in validators)
