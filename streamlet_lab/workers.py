"""Where many runs take place: here, in an executor of the user's, or in worker processes of loky's.

Each place yields the number of a run and its future as soon as that is done.
"""

import pickle
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from functools import lru_cache, partial
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from streamlet_lab.errors import InvalidInput
from streamlet_lab.kinds import add_kinds, kinds_of_others
from streamlet_lab.units import to_instance, to_whole

T = TypeVar("T")

#: What is to be made of what a run's number stands for.
Work = Callable[[Any], T]
Numbered = Callable[[int], Any]
Done = Iterator[tuple[int, Future[T]]]
#: Makes the runs of some numbers.
Place = Callable[[Work[T], Numbered, Iterable[int]], Done[T]]

# A worker that is done with one run has the next one at hand.
_AHEAD: Final = 2


def to_place(workers: object, executor: object) -> Place[Any]:
    """Return where runs take place: here, unless one of both is given."""
    if workers is not None and executor is not None:
        raise InvalidInput("workers", workers, "None beside an executor, which has its own")
    if workers is not None:
        return partial(_in_workers, to_whole(workers, 1, "workers", 10_000))
    if executor is not None:
        return partial(_in_executor, to_instance(executor, Executor, "executor"))
    return _here


def check_sendable(place: Place[Any], named: Mapping[str, object]) -> None:
    """Refuse what the processes of a place cannot be sent; threads and here nothing is sent."""
    function = place.func if isinstance(place, partial) else None
    if function is _in_workers:
        import cloudpickle

        dumps, way = cloudpickle.dumps, "what can be pickled, to be sent to a worker"
    elif function is _in_executor and isinstance(place.args[0], ProcessPoolExecutor):
        dumps = pickle.dumps
        way = "what another process can import by its name; workers=… takes functions as they are"
    else:
        return
    for name, value in named.items():
        try:
            dumps(value)
        except Exception as error:
            reason = f"{way} ({type(error).__name__}: {error})"
            raise InvalidInput(name, value, reason) from None


def _here(work: Work[T], numbered: Numbered, numbers: Iterable[int]) -> Done[T]:
    for number in numbers:
        future: Future[T] = Future()
        future.set_result(work(numbered(number)))
        yield number, future


def _in_executor(
    executor: Executor, work: Work[T], numbered: Numbered, numbers: Iterable[int]
) -> Done[T]:
    waiting = deque(numbers)
    error = yield from _submitted(executor, work, numbered, waiting, len(waiting))
    for number in waiting:  # an executor that is broken takes no more
        lost: Future[T] = Future()
        lost.set_exception(error)
        yield number, lost


def _in_workers(count: int, work: Work[T], numbered: Numbered, numbers: Iterable[int]) -> Done[T]:
    """Make runs in worker processes; which one a worker died of is found out by a second attempt.

    With a worker all runs in its pool are lost. Each of them is made again in a new one, alone: so
    a run that ends its process is lost, and no other.
    """
    from cloudpickle import dumps

    there = partial(_there, dumps(kinds_of_others()), dumps(work))
    waiting = deque(numbers)
    while waiting:
        lost = []
        for number, future in _in_pool(count, there, lambda each: dumps(numbered(each)), waiting):
            if isinstance(future.exception(), BrokenExecutor):
                lost.append(number)
            else:
                yield number, future
        for number in lost:
            yield from _in_pool(count, there, lambda each: dumps(numbered(each)), deque([number]))


def _in_pool(count: int, work: Work[T], numbered: Numbered, waiting: deque[int]) -> Done[T]:
    """Make runs in a pool of loky's, or until it is broken; end what still runs if nobody waits."""
    from loky import get_reusable_executor

    executor = get_reusable_executor(max_workers=count)
    whole = False
    try:
        yield from _submitted(executor, work, numbered, waiting, _AHEAD * count)
        whole = True
    finally:
        if not whole:
            executor.shutdown(wait=True, kill_workers=True)


def _submitted(
    executor: Executor, work: Work[T], numbered: Numbered, waiting: deque[int], most: int
) -> Generator[tuple[int, Future[T]], None, BrokenExecutor | None]:
    """Keep so many submitted until none is waiting, or the executor is broken: then return why."""
    done: SimpleQueue[Future[T]] = SimpleQueue()
    numbers: dict[Future[T], int] = {}
    broken = None
    try:
        while numbers or (waiting and not broken):
            while waiting and not broken and len(numbers) < most:
                try:
                    future = executor.submit(work, numbered(waiting[0]))
                except BrokenExecutor as error:
                    broken = error
                    break
                numbers[future] = waiting.popleft()
                future.add_done_callback(done.put)
            if numbers:
                future = done.get()
                yield numbers.pop(future), future
    finally:
        for future in numbers:
            future.cancel()
    return broken


def _there(kinds: bytes, work: bytes, what: bytes) -> Any:
    """Work in a process that knows what is registered in the one that sent it here."""
    return _received(kinds, work)(pickle.loads(what))


@lru_cache(maxsize=4)
def _received(kinds: bytes, work: bytes) -> Callable[[Any], Any]:
    """Return the work; what it is made of may be known by the name of its kind only."""
    add_kinds(pickle.loads(kinds))
    received: Callable[[Any], Any] = pickle.loads(work)
    return received
