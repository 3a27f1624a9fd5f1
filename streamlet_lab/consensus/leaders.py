"""Who leads an epoch: three rules, each known to everyone in advance."""

import hashlib
from collections.abc import Callable, Collection

#: ``leader_of(epoch)``: the name of the validator that leads an epoch, 0 or later.
LeaderRule = Callable[[int], str]


def round_robin(validators: Collection[str]) -> LeaderRule:
    """Return the description's rule: the validators lead in turn, from epoch 0 on.

    With n = 3f + 1 this never gives the five honest leaders in a row that Theorem 6 asks for.

    Parameters
    ----------
    validators : collection of str
        In the order in which they lead.
    """
    order = tuple(validators)
    return lambda epoch: order[epoch % len(order)]


def hashed(validators: Collection[str], chain_id: str) -> LeaderRule:
    """Return the paper's rule: a hash of the epoch, as good as random, picks a validator.

    Parameters
    ----------
    validators : collection of str
    chain_id : str
        Hashed together with the epoch, so that each chain has an order of its own.

    Examples
    --------
    >>> leader_of = hashed(["a", "b", "c"], "example")
    >>> [leader_of(epoch) for epoch in range(8)]
    ['c', 'a', 'c', 'b', 'a', 'b', 'c', 'a']
    """
    order = tuple(validators)
    domain = b"streamlet-lab/leader/1" + len(chain_id.encode()).to_bytes(4) + chain_id.encode()

    def leader_of(epoch: int) -> str:
        digest = hashlib.sha256(domain + epoch.to_bytes(8)).digest()
        return order[int.from_bytes(digest) % len(order)]

    return leader_of


def scheduled(leaders: Collection[str]) -> LeaderRule:
    """Return a rule that follows a list, from the beginning again after its end.

    Parameters
    ----------
    leaders : collection of str
        Of epoch 0, epoch 1 and so on; a validator may lead several times.
    """
    return round_robin(leaders)
