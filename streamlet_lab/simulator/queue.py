"""The event queue: events in the order of their time, and at one time in a fixed order of kinds."""

import heapq
from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Any

Action = Callable[[int, Any], None]


class Priority(IntEnum):
    """Which kind of event comes first at one instant.

    Deliveries come before the start of an epoch: with delay exactly Δ and epochs of 2Δ, the other
    order would let a leader propose without the votes that have just arrived.
    """

    DELIVERY = 0
    REFERENCE = 1
    ORDER = 2
    EPOCH = 3


class EventQueue:
    """Events by (time, priority, order of scheduling): a total order, the same in every run.

    Attributes
    ----------
    now : int
        Time of the event being carried out, in microseconds.
    """

    def __init__(self) -> None:
        self.now = 0
        self._heap: list[tuple[int, Priority, int, Action, Any]] = []
        self._scheduled = 0

    def __len__(self) -> int:
        """How many events are to come."""
        return len(self._heap)

    def schedule(self, time: int, priority: Priority, action: Action, argument: Any = None) -> None:
        """Have ``action(time, argument)`` called at a time that has not passed."""
        self._scheduled = number = self._scheduled + 1
        heapq.heappush(self._heap, (time, priority, number, action, argument))

    def schedule_each(
        self, priority: Priority, action: Action, timed: Iterable[tuple[int, Any]]
    ) -> None:
        """Have an action called with several arguments, which stand behind their times."""
        number, heap, push = self._scheduled, self._heap, heapq.heappush
        for time, argument in timed:
            number += 1
            push(heap, (time, priority, number, action, argument))
        self._scheduled = number

    def run_until(self, time: int, priority: Priority) -> None:
        """Carry out all events up to a time, at that time up to and including a priority."""
        heap, pop = self._heap, heapq.heappop
        end = (time, priority + 1)
        while heap and heap[0] < end:
            self.now, _, _, action, argument = pop(heap)
            action(self.now, argument)
        self.now = max(self.now, time)
