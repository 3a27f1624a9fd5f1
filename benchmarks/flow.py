"""One order flow for every engine: passive adds, cancels of live orders, and orders that cross.

The flow is made with a book of its own (a sorted list of orders, no cleverness), so that adds are
passive, cancels hit orders that are live, and crossing orders cross, whoever replays it.
"""

import random
from bisect import bisect_left, insort
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

ADD, CANCEL, CROSS = "add", "cancel", "cross"

MIDDLE = 15_000  # ticks
LEVELS = 18  # prices a side
RESTING = 400  # orders, about


class Event(NamedTuple):
    """One command: what it is, a number for the order, and the order."""

    kind: str
    order: int
    side: int  # 1 buys, -1 sells
    ticks: int
    quantity: int


@dataclass
class Flow:
    """The commands, and what any correct engine trades with them."""

    events: list[Event]
    traded: int = 0
    trades: int = 0

    def counts(self) -> dict[str, int]:
        """Return the number of commands of each kind."""
        kinds = [event.kind for event in self.events]
        return {kind: kinds.count(kind) for kind in (ADD, CANCEL, CROSS)}


class _Book:
    """What is live while the flow is made: per side a sorted list of (key, order)."""

    def __init__(self) -> None:
        self.sides: dict[int, list[tuple[int, int]]] = {1: [], -1: []}
        self.left: dict[int, tuple[int, int, int]] = {}  # order -> side, ticks, shares
        self.ids: list[int] = []
        self.place: dict[int, int] = {}

    def add(self, order: int, side: int, ticks: int, quantity: int) -> None:
        insort(self.sides[side], (-side * ticks, order))
        self.left[order] = (side, ticks, quantity)
        self.place[order] = len(self.ids)
        self.ids.append(order)

    def remove(self, order: int) -> None:
        side, ticks, _ = self.left.pop(order)
        queue = self.sides[side]
        del queue[bisect_left(queue, (-side * ticks, order))]
        place, last = self.place.pop(order), self.ids.pop()
        if last != order:
            self.ids[place], self.place[last] = last, place


def make_flow(adds: int, cancels: int, crossing: int, *, seed: int = 0) -> Flow:
    """Make a flow of exactly so many commands of each kind, around about ``RESTING`` orders."""
    draw, book, flow = random.Random(seed), _Book(), Flow([])
    kinds = [ADD] * adds + [CANCEL] * cancels + [CROSS] * crossing
    draw.shuffle(kinds)
    # The book is filled before the first of the others comes.
    first = [place for place, kind in enumerate(kinds) if kind == ADD][:RESTING]
    chosen = set(first)
    kinds = [ADD] * len(first) + [kind for place, kind in enumerate(kinds) if place not in chosen]
    for order, kind in enumerate(kinds):
        if kind == ADD:
            side = draw.choice((1, -1))
            ticks = MIDDLE - side * draw.randint(1, LEVELS)
            quantity = draw.randint(1, 100)
            flow.events.append(Event(ADD, order, side, ticks, quantity))
            book.add(order, side, ticks, quantity)
        elif kind == CANCEL:
            victim = book.ids[draw.randrange(len(book.ids))]
            flow.events.append(Event(CANCEL, victim, 0, 0, 0))
            book.remove(victim)
        else:
            _cross(flow, book, order, draw)
    return flow


def _cross(flow: Flow, book: _Book, order: int, draw: random.Random) -> None:
    """Take some orders from the better end of a side whole, and mostly a part of the next."""
    # More where the book has grown too large, so that it stays about as large as it was.
    whole = draw.randint(0, 2) + (len(book.ids) > RESTING)
    side = max((1, -1), key=lambda one: (len(book.sides[-one]), one))
    reached = [other for _, other in islice(book.sides[-side], whole + 1)]
    fills = [(other, book.left[other][2]) for other in reached[:whole]]
    for other in reached[whole:]:
        left = book.left[other][2]
        if left > 1 and (draw.random() < 0.84 or not fills):
            fills.append((other, draw.randint(1, left - 1)))
    if not fills:
        fills = [(reached[0], book.left[reached[0]][2])]
    quantity, worst = sum(shares for _, shares in fills), book.left[fills[-1][0]][1]
    flow.events.append(Event(CROSS, order, side, worst, quantity))
    flow.traded += quantity
    flow.trades += len(fills)
    for other, shares in fills:
        owner, ticks, left = book.left[other]
        if left == shares:
            book.remove(other)
        else:
            book.left[other] = (owner, ticks, left - shares)
