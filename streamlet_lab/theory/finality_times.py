"""Runs of live leaders, and how soon a block becomes final."""

import math
from collections.abc import Collection, Iterable
from fractions import Fraction

from streamlet_lab.errors import InvalidInput
from streamlet_lab.theory.domains import TOO_LARGE, Number, to_count, to_probability
from streamlet_lab.units import to_whole


def wait_for_run(length: int, p: Number) -> Number:
    """Mean number of trials until ``length`` successes in a row, each with probability ``p``.

    The classic Σ p^−i, i = 1 … length: whoever has k − 1 in a row tries once more and, failing,
    begins again, so that E_k = E_(k−1) + 1 + (1 − p) E_k.
    """
    length, p = to_count(length, "length"), to_probability(p)
    if p == 1:
        return length * p
    if isinstance(p, Fraction):
        return (p**-length - 1) / (1 - p)
    try:
        return math.expm1(-length * math.log(p)) / (1 - p)
    except OverflowError:
        raise InvalidInput("p", p, TOO_LARGE) from None


def chance_of_run(length: int, trials: int, p: Number) -> Number:
    """Probability of ``length`` successes in a row somewhere among ``trials`` trials.

    De Moivre's recurrence (*The Doctrine of Chances*, 1738): the first run ends with trial t if no
    run ended before trial t − length, that trial failed, and all since then succeeded. With
    p = 1 − f/n it is how likely hashed leaders are to meet the premise of Lemma 5 (length 3) or
    Theorem 6 (length 5) within so many epochs.

    >>> chance_of_run(3, 4, Fraction(1, 2))
    Fraction(3, 16)
    """
    length, trials, p = to_count(length, "length"), to_count(trials, "trials"), to_probability(p)
    run = p**length
    so_far = [0 * p] * length + [run]
    for trial in range(length + 1, trials + 1):
        ends_now = (1 - so_far[trial - length - 1]) * (1 - p) * run
        so_far.append(min(so_far[-1] + ends_now, 0 * p + 1))
    return so_far[trials]


def finality_lag(p: Number) -> Number:
    """Mean number of epochs from a block's own epoch to the epoch that finalizes it.

    Leaders are live with probability ``p``, each independently, as hashed leaders are with
    p = 1 − f/n when f nodes are silent; no forks, messages in time. A block is final with the first
    three live leaders in a row whose second is its own leader or a later one. Let A be the wait if
    the leader before was live too, B if not, and E₃ = ``wait_for_run(3, p)`` the wait from scratch:

        L = pA + (1 − p)B,   A = p + (1 − p)(1 + E₃),   B = p(1 + A) + (1 − p)(1 + E₃).

    With (1 − p)E₃ = p⁻³ − 1 this is A = p⁻³, B = (1 + p)A, and so L = (1 + p − p²) / p³: 1 at
    p = 1, 10 at p = 1/2.

    >>> finality_lag(Fraction(2, 3))
    Fraction(33, 8)
    """
    p = to_probability(p)
    lag = (1 + p - p * p) / p / p / p
    if lag == math.inf:
        raise InvalidInput("p", p, TOO_LARGE)
    return lag


def final_blocks(epochs: int, p: Number) -> Number:
    """Mean number of final blocks after so many epochs, under the premises of `finality_lag`.

    The sum over all epochs of how likely each brings a block, p, and that block is final by the
    end: with k more epochs to come F₂(k) = p + (1 − p) F₀(k − 1) if the leader before was live too,
    as genesis is, else F₁(k) = p F₂(k − 1) + (1 − p) F₀(k − 1), where
    F₀(k) = p F₁(k − 1) + (1 − p) F₀(k − 1), and no epoch is too few: F(0) = 0. In a long run it
    grows by p with each epoch, and p·L blocks wait at any time (Little's law).

    >>> final_blocks(3, Fraction(1, 2))  # 2 with three live leaders, 1 with the first two alone
    Fraction(3, 8)
    """
    epochs, p = to_count(epochs, "epochs"), to_probability(p)
    none = one = two = total = 0 * p
    for left in range(epochs):
        before_was_live = 0 * p + 1 if left == epochs - 1 else p
        total += p * (before_was_live * two + (1 - before_was_live) * one)
        none, one, two = p * one + (1 - p) * none, p * two + (1 - p) * none, p + (1 - p) * none
    return total


def live_runs(nodes: int, silent: Collection[int], length: int = 3) -> Fraction:
    """Share of epochs that complete a run of ``length`` live leaders under round robin.

    Exact, by counting one cycle: a run of three live leaders is what finalizes a block. The turns
    of the ``silent``, numbers from 0 and below ``nodes``, pass without a block.
    """
    nodes, length = to_count(nodes, "nodes", 1), to_count(length, "length")
    live = _live(nodes, silent)
    in_a_row = complete = 0
    for epoch in range(2 * nodes):  # the first cycle says what the second begins with
        in_a_row = in_a_row + 1 if live[epoch % nodes] else 0
        complete += epoch >= nodes and in_a_row >= min(length, nodes)
    return Fraction(complete, nodes)


def round_robin_finality_lag(nodes: int, silent: Collection[int]) -> Fraction | None:
    """Mean number of epochs from a block's own epoch to the epoch that finalizes it.

    Round robin with silent leaders, no forks, messages in time: the block of epoch e is final in
    the first epoch t > e in which t − 2, t − 1 and t all have live leaders and t − 1 ≥ e. None
    where no three consecutive leaders are live. See `live_runs` for the arguments.
    """
    nodes = to_count(nodes, "nodes", 1)
    live = _live(nodes, silent)
    in_a_row = waited = 0
    waiting: list[int] = []
    for epoch in range(3 * nodes):  # blocks of the second cycle; the third finalizes the last
        in_a_row = in_a_row + 1 if live[epoch % nodes] else 0
        if in_a_row >= 3:
            waited += sum(epoch - earlier for earlier in waiting)
            waiting.clear()
        if in_a_row and nodes <= epoch < 2 * nodes:
            waiting.append(epoch)
    return None if waiting or not waited else Fraction(waited, sum(live))


def _live(nodes: int, silent: Iterable[int]) -> list[bool]:
    """Say of each node whether it is live."""
    if not isinstance(silent, Iterable):
        raise InvalidInput("silent", silent, "a collection of nodes, each by its number")
    live = [True] * nodes
    for node in silent:
        live[to_whole(node, 0, "silent", nodes - 1)] = False
    return live
