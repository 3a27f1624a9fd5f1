"""Who leads an epoch: rules that everyone knows in advance."""

import hashlib
from collections.abc import Callable, Collection, Sequence
from functools import partial

from streamlet_lab.consensus.messages import domain_of
from streamlet_lab.errors import InvalidInput
from streamlet_lab.units import to_text, to_whole

#: ``leader_of(epoch)``: the name of the validator that leads an epoch, 0 or later.
LeaderRule = Callable[[int], str]


def round_robin(validators: Collection[str]) -> LeaderRule:
    """Return the description's rule: the validators lead in turn, from epoch 0 on.

    With n = 3f + 1 this never gives the five honest leaders in a row that Theorem 6 asks for. It
    also follows a schedule, in which a name may stand several times.
    """
    return partial(_in_turn, read_names(validators))


def hashed(validators: Collection[str], chain_id: str) -> LeaderRule:
    """Return the paper's rule: a hash of the epoch, as good as random, picks a validator.

    The chain's name is hashed too, so that each chain has an order of its own.

    Examples
    --------
    >>> leader_of = hashed(["a", "b", "c"], "example")
    >>> [leader_of(epoch) for epoch in range(8)]
    ['c', 'a', 'c', 'b', 'a', 'b', 'c', 'a']
    """
    domain = domain_of(b"streamlet-lab/leader/1", to_text(chain_id, "chain_id"))
    return partial(_by_hash, read_names(validators), domain)


def _in_turn(order: Sequence[str], epoch: int) -> str:
    # One call less for each proposal that arrives.
    epoch = epoch if type(epoch) is int and epoch >= 0 else to_whole(epoch, 0, "epoch")
    return order[epoch % len(order)]


def _by_hash(order: Sequence[str], domain: bytes, epoch: int) -> str:
    digest = hashlib.sha256(domain + to_whole(epoch, 0, "epoch").to_bytes(8)).digest()
    return order[int.from_bytes(digest) % len(order)]


def read_names(validators: Collection[str]) -> tuple[str, ...]:
    """Read the names of validators."""
    if isinstance(validators, str) or not isinstance(validators, Collection) or not validators:
        raise InvalidInput("validators", validators, "the names of one validator or more")
    return tuple(to_text(name, "validators", 1) for name in validators)
