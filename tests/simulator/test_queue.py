"""Events: by time, at one time by kind, within a kind in the order of scheduling."""

from hypothesis import given
from hypothesis import strategies as st

from streamlet_lab.simulator import EventQueue, Priority

LAST = max(Priority)


def test_the_kinds_at_one_instant():
    # Deliveries before the start of an epoch: the second trap.
    assert [*Priority] == [Priority.DELIVERY, Priority.REFERENCE, Priority.ORDER, Priority.EPOCH]
    assert sorted(Priority) == [*Priority]


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(Priority))))
def test_events_come_in_a_total_order(events):
    queue, happened = EventQueue(), []
    for number, (time, priority) in enumerate(events):
        queue.schedule(
            time, priority, lambda now, event: happened.append((now, *event)), (priority, number)
        )
    queue.run_until(5, LAST)
    assert happened == sorted((time, kind, number) for number, (time, kind) in enumerate(events))


@given(st.lists(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abc")), max_size=4)))
def test_events_that_are_scheduled_together_are_as_if_one_by_one(batches):
    told = []
    for together in (True, False):
        queue, happened = EventQueue(), []

        def happen(time, name, to=happened):
            to.append((time, name))

        for priority, batch in zip((2, 0, 2, 3) * 9, batches, strict=False):
            if together:
                queue.schedule_each(priority, happen, batch)
            else:
                for time, name in batch:
                    queue.schedule(time, priority, happen, name)
            queue.schedule(1, priority, happen, "one")
        queue.run_until(3, LAST)
        told.append(happened)
    assert told[0] == told[1]


def test_an_event_may_schedule_another_at_the_same_instant():
    queue, happened = EventQueue(), []

    def first(time, _):
        happened.append("delivery")
        queue.schedule(time, Priority.REFERENCE, lambda *_: happened.append("reference"))

    queue.schedule(3, Priority.ORDER, lambda *_: happened.append("order"))
    queue.schedule(3, Priority.DELIVERY, first)
    queue.run_until(3, LAST)
    assert happened == ["delivery", "reference", "order"]


def test_a_run_stops_after_a_kind_of_its_last_instant():
    queue, happened = EventQueue(), []
    for time in (1, 2):
        for priority in Priority:
            queue.schedule(time, priority, lambda now, kind: happened.append((now, kind)), priority)
    queue.run_until(1, Priority.ORDER)
    assert happened == [(1, kind) for kind in Priority if kind is not Priority.EPOCH]
    queue.run_until(2, Priority.DELIVERY)
    assert happened[3:] == [(1, Priority.EPOCH), (2, Priority.DELIVERY)]


def test_the_clock_shows_the_event_and_in_the_end_the_end():
    queue, times = EventQueue(), []
    assert queue.now == 0
    queue.schedule(3, Priority.ORDER, lambda *_: times.append(queue.now))
    queue.run_until(10, LAST)
    assert (times, queue.now) == ([3], 10)
