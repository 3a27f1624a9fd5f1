"""What becomes of given inputs, as arithmetic on arrays: no randomness, no clock, no objects.

All honest nodes have the same notarized chain when an epoch begins, since whatever was sent in the
one before has arrived: delays are at most Δ and epochs at least 2Δ long. So an epoch depends on the
ones before it by that chain alone, and thousands of runs, and the epochs of each, are rows of one
array. Times are whole microseconds, prices whole micro-dollars or cents.

Axes stand in the order of the names that the comments give them: ``m`` messages of an epoch, first
the proposal, then the vote of each node; ``s`` senders; ``p`` participants, the observer last;
``r`` runs; ``e`` epochs; ``q`` sources. Orders of all runs are in one row, ``o``.
"""

import math
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from streamlet_lab.config import OBSERVER, ExperimentConfig
from streamlet_lab.units import to_hundredths, to_micros

Array = npt.NDArray[Any]

#: Later than anything: of two such times the sum still fits into 32 bits.
NEVER: Final = 2**30 - 1
#: The same of whole runs.
NEVER_IN_RUN: Final = 2**62

_PER_CENT: Final = 10_000  # micro-dollars; also hundredths of a percent in a whole
_FAR: Final = 2**62  # above every price


class Delays(NamedTuple):
    """The delays of all copies in some epochs of some runs."""

    runs: slice
    epochs: slice
    delay: Array  # m s p r e, int32, at least 1


class Quotes(NamedTuple):
    """What the sources say; prices are in micro-dollars, volumes in shares."""

    price: Array  # q r e
    volume: Array  # q r e
    given: Array  # q r e; false in an outage
    true_price: Array  # r e; at the beginning of the epoch


class Orders(NamedTuple):
    """Orders of all runs, each in the order of its run; a market order has the price 0."""

    run: Array  # o
    time: Array  # o
    cents: Array  # o
    true_price: Array  # o; when it came, micro-dollars


class Inputs(NamedTuple):
    """All that chance decides."""

    leaders: Array  # r e
    delays: Iterable[Delays]
    quotes: Quotes
    orders: Orders


class Duties(NamedTuple):
    """Which nodes are up, would propose, and would vote."""

    online: Array  # s e
    proposes: Array  # s e
    votes: Array  # s e


class Played(NamedTuple):
    """What became of it; `NEVER_IN_RUN` is the time of what does not happen."""

    proposed: Array  # r e
    voted: Array  # s r e
    notarized_at: Array  # p r e; when each participant saw the epoch's block notarized
    final_at: Array  # p r e
    cents: Array  # r e; the price that the epoch's block claims, 0 for none
    ordered_at: Array  # o; the epoch of the reference that an order met, −1 for none
    age: Array  # o; of that reference
    outside: Array  # o; whether the order was refused for its price


def play(config: ExperimentConfig, inputs: Inputs) -> Played:
    """Return what becomes of inputs under the rules of a configuration that `explain` takes.

    It is the same, epoch by epoch and order by order, as what a full run makes of them.
    """
    runs, epochs = inputs.leaders.shape
    duties = duties_of(config)
    proposed = np.empty((runs, epochs), np.bool_)
    voted = np.empty((config.nodes, runs, epochs), np.bool_)
    seen = np.empty((config.nodes + 1, runs, epochs), np.int32)
    for block in inputs.delays:
        here = block.runs, block.epochs
        proposed[here], voted[:, *here], seen[:, *here] = _vote(
            config,
            Duties(*(duty[:, block.epochs] for duty in duties)),
            inputs.leaders[here],
            block.delay,
        )
    notarized = np.count_nonzero(voted, axis=0) >= config.votes_needed
    starts = np.arange(epochs, dtype=np.int64) * config.epoch_length
    notarized_at = np.where(seen < NEVER, starts + seen, NEVER_IN_RUN)
    tips, final_at = _finalize(config, notarized, notarized_at)
    cents = _claim(config, proposed, notarized, inputs.quotes)
    names = (*config.node_ids, OBSERVER)
    seen_by_market = notarized_at[names.index(config.market.reference_node)]
    reference, since = _refer(config, notarized & (cents > 0), tips, seen_by_market)
    met = _meet(config, inputs.orders, reference, since, cents)
    return Played(proposed, voted, notarized_at, final_at, cents, *met)


def duties_of(config: ExperimentConfig) -> Duties:
    """Return what the faults of a configuration leave of each node's duties."""
    duties = Duties(*(np.ones((config.nodes, config.epochs), np.bool_) for _ in Duties._fields))
    lost = dict(zip(("crash", "silent_leader", "withhold_votes"), duties, strict=True))
    for fault in config.node_faults:
        for name in fault.affected(config.node_ids):
            lost[fault.kind][config.node_ids.index(name), fault.start : fault.stop] = False
    return duties


# --- The protocol


def _vote(
    config: ExperimentConfig, duties: Duties, leaders: Array, delay: Array
) -> tuple[Array, Array, Array]:
    """Return where a block is proposed, who votes, and when each participant has a quorum.

    Times are from the beginning of the epoch on.
    """
    online = duties.online[:, None]  # s r e
    leads = np.take_along_axis(duties.online & duties.proposes, leaders, axis=0)
    first = _flood(config, duties, leaders, delay)
    arrived = np.where(leads, first[0], NEVER)  # p r e
    came = arrived[: config.nodes, None] + first[1:]  # s p r e; each vote, if it is sent
    before = came < arrived  # it overtakes the proposal; at the same instant it does not
    may_vote = online & duties.votes[:, None] & leads
    voted = may_vote
    while True:
        # A node to which a block comes notarized already has a longer chain than it extends, and
        # does not vote. That takes votes away from those who hear later only: it ends.
        early = np.count_nonzero(before & voted[:, None], axis=0) >= config.votes_needed
        left = may_vote & ~early[:-1]
        if np.array_equal(left, voted):
            break
        voted = left
    counted = np.where(voted[:, None], came, NEVER)
    counted.partition(config.votes_needed - 1, axis=0)
    seen = np.maximum(counted[config.votes_needed - 1], arrived)
    seen[:-1][~np.broadcast_to(online, voted.shape)] = NEVER
    return leads, voted, np.minimum(seen, NEVER)


def _flood(config: ExperimentConfig, duties: Duties, leaders: Array, delay: Array) -> Array:
    """Return how long after it is sent each message first arrives, m p r e.

    With an echo that is the shortest way over nodes that are up: everyone passes on at once what is
    new. A vote's way begins at its voter.
    """
    nodes = config.nodes
    first = np.empty((nodes + 1, *delay.shape[2:]), np.int32)
    first[0] = np.take_along_axis(delay[0], leaders[None, None], axis=0)[0]
    np.put_along_axis(first[0], leaders[None], 0, axis=0)
    for voter in range(nodes):
        first[voter + 1] = delay[voter + 1, voter]
        first[voter + 1, voter] = 0
    if not config.echo:
        return first
    if not duties.online.all():
        delay = np.where(duties.online[:, None, None], delay, NEVER)
    way, total = np.empty_like(first), -1
    while total != (total := int(first.sum(dtype=np.int64))):  # until no copy overtakes another
        for sender in range(nodes):
            np.add(first[:, sender, None], delay[:, sender], out=way)
            np.minimum(first, way, out=first)
    return first


def _finalize(
    config: ExperimentConfig, notarized: Array, notarized_at: Array
) -> tuple[Array, Array]:
    """Return where a row of consecutive blocks ends that makes some final, and when each is.

    Whoever sees such a row notarized has all of it: the blocks before came in earlier epochs. What
    takes six without a rival finds none, since no block without a quorum ever gets one later.
    """
    consecutive, chopped = (6, 5) if config.model == "synchronous" else (3, 1)
    runs, epochs = notarized.shape
    genesis = np.zeros((runs, consecutive - 1), np.bool_)
    genesis[:, -1:] = True
    chain = np.concatenate([genesis, notarized], axis=1)
    tips = np.logical_and.reduce([chain[:, k : k + epochs] for k in range(consecutive)])
    tip = np.where(tips, np.arange(epochs), epochs)
    tip = np.minimum.accumulate(tip[:, ::-1], axis=1)[:, ::-1]  # the next one from here on
    tip = np.concatenate([tip, np.full((runs, chopped), epochs)], axis=1)[:, chopped:]
    at_end = np.full((*notarized_at.shape[:2], 1), NEVER_IN_RUN)
    times = np.concatenate([notarized_at, at_end], axis=2)
    final_at = np.take_along_axis(times, tip[None], axis=2)
    return tips, np.where(notarized, final_at, NEVER_IN_RUN)


# --- Prices


def _claim(config: ExperimentConfig, proposed: Array, notarized: Array, quotes: Quotes) -> Array:
    """Return what each epoch's block claims, in cents, r e: 0 for no price, and where none is.

    Honest leaders claim what the quotes give, and honest voters, who see the same, believe them.
    """
    prices = config.prices.of(config.symbols[0])
    rules = prices.rules(prices.reflection)
    low, high = math.ceil(rules.min_price * 1_000_000), math.floor(rules.max_price * 1_000_000)
    usable = quotes.given & (quotes.price >= low) & (quotes.price <= high)
    usable &= quotes.volume >= float(rules.min_volume)
    usable &= quotes.volume <= float(rules.max_volume)
    asked = proposed & ~_gave_up(config, notarized)
    deviation = to_hundredths(rules.max_deviation_percent, "max_deviation_percent")
    widening = to_hundredths(rules.widening_percent, "widening_percent")
    # In rows of the runs of one epoch.
    price, volume, usable = (np.moveaxis(each, 2, 0).copy() for each in (*quotes[:2], usable))
    claims = np.zeros(proposed.shape[::-1], np.int64)
    before = np.full(len(proposed), to_micros(prices.base_price))
    without = np.zeros(len(proposed), np.int64)  # blocks without a price since then
    for epoch, claim in enumerate(claims):
        allowed = np.minimum(deviation + widening * without, _FAR // before) * before
        counts = usable[epoch] & (np.abs(price[epoch] - before) * _PER_CENT <= allowed)
        enough = np.count_nonzero(counts, axis=0) >= prices.min_sources
        made = _aggregate(prices.aggregator_name, price[epoch], volume[epoch], counts)
        claim[:] = np.where(asked[:, epoch] & enough, made, 0)
        chained = notarized[:, epoch]
        without = np.where(chained, np.where(claim > 0, 0, without + 1), without)
        before = np.where(chained & (claim > 0), claim * _PER_CENT, before)
    return claims.T


def _aggregate(name: str, price: Array, volume: Array, counts: Array) -> Array:
    """Return the price of the quotes that count, in cents, half even; q r → r."""
    number = np.count_nonzero(counts, axis=0)
    if name == "vwap":
        weights = np.where(counts, volume, 0)
        return divide_half_even((price * weights).sum(axis=0), weights.sum(axis=0) * _PER_CENT)
    if name == "mean":
        return divide_half_even((price * counts).sum(axis=0), number * _PER_CENT)
    cut = (number - 1) // (2 if name == "median" else 3)
    rank = np.arange(len(price))[:, None]
    middle = (rank >= cut) & (rank < number - cut)
    ranked = np.sort(np.where(counts, price, _FAR), axis=0)
    return divide_half_even(np.where(middle, ranked, 0).sum(axis=0), (number - 2 * cut) * _PER_CENT)


def divide_half_even(amount: Array, by: Array) -> Array:
    """Return whole quotients of what is not negative, half even; anything by less than 1 is 0."""
    by = np.maximum(by, 1)
    quotient, rest = np.divmod(amount, by)
    up = (2 * rest > by) | ((2 * rest == by) & (quotient % 2 == 1))
    return np.asarray(quotient + up)


def _gave_up(config: ExperimentConfig, notarized: Array) -> Array:
    """Return where a leader claims no price, as the chain had no three blocks in a row for long."""
    turns = config.nodes + 2 if config.leaders == "round_robin" else max(config.nodes + 2, 40)
    epochs = notarized.shape[1]
    gave_up = np.zeros(notarized.shape, np.bool_)
    if config.prices.voter_policy != "observe" or epochs <= turns:
        return gave_up
    rows = notarized[:, 2:] & notarized[:, 1:-1] & notarized[:, :-2]  # that begin here
    begun = np.where(rows, np.arange(epochs - 2), -1)
    newest = np.maximum.accumulate(begun, axis=1)[:, turns - 3 : -1]  # in front of each epoch
    gave_up[:, turns:] = newest < np.arange(epochs - turns)
    return gave_up


# --- The market


def _refer(
    config: ExperimentConfig, priced: Array, tips: Array, seen: Array
) -> tuple[Array, Array]:
    """Return the reference after each epoch, and since when it is; r e.

    It moves where a price becomes final, to the newest one of those that do so together.
    """
    chopped = 5 if config.model == "synchronous" else 1
    runs, epochs = priced.shape
    newest = np.maximum.accumulate(np.where(priced, np.arange(epochs), -1), axis=1)
    late = np.concatenate([np.full((runs, chopped), -1), newest], axis=1)[:, :epochs]
    final = np.where(tips & (seen < NEVER_IN_RUN), late, -1)
    reference = np.maximum.accumulate(final, axis=1)
    moved = np.diff(reference, axis=1, prepend=-1) > 0
    return reference, np.maximum.accumulate(np.where(moved, seen, -1), axis=1)


def _meet(
    config: ExperimentConfig, orders: Orders, reference: Array, since: Array, cents: Array
) -> tuple[Array, Array, Array]:
    """Return the reference that each order met, its age, and whether the price was outside."""
    epochs = reference.shape[1]
    place = orders.run * epochs + orders.time // config.epoch_length
    at, known = since.ravel()[place], reference.ravel()[place]
    # What arrives at the instant of an order is there before it.
    earlier = orders.time < at
    is_first = place % epochs == 0
    back = np.where(earlier & ~is_first, place - 1, place)
    known = np.where(earlier, np.where(is_first, -1, reference.ravel()[back]), known)
    at = np.where(earlier, since.ravel()[back], at)
    price = cents.ravel()[orders.run * epochs + np.maximum(known, 0)]
    allowed = to_hundredths(config.market.band_percent, "band_percent") * price
    off = np.abs(orders.cents - price) * _PER_CENT > allowed
    return known, orders.time - at, (known >= 0) & (orders.cents > 0) & off
