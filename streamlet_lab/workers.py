"""Where many runs take place: here, in an executor of the user's, or in worker processes of loky's.

Each place yields the number of a run and its future as soon as that is done.
"""

import pickle
import re
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from streamlet_lab.errors import InvalidInput, StreamletLabError
from streamlet_lab.kinds import add_kinds, kinds_of_others
from streamlet_lab.units import to_instance, to_whole

T = TypeVar("T")

#: What is to be made of what a run's number stands for.
Work = Callable[[Any], T]
Numbered = Callable[[int], Any]
Done = Generator[tuple[int, Future[T]], None, None]

# A worker that is done with one run has the next one at hand.
_AHEAD: Final = 2


class Place:
    """Where runs take place: here, one after the other, or elsewhere."""

    def make(self, work: Work[T], numbered: Numbered, numbers: Iterable[int]) -> Done[T]:
        """Make the runs of some numbers."""
        for number in numbers:
            future: Future[T] = Future()
            future.set_result(work(numbered(number)))
            yield number, future

    def check(self, **sent: object) -> None:
        """Refuse the first that cannot be sent there; an executor of the user's tells by itself."""


@dataclass(frozen=True)
class _InExecutor(Place):
    executor: Executor

    def make(self, work: Work[T], numbered: Numbered, numbers: Iterable[int]) -> Done[T]:
        waiting = deque(numbers)
        error = yield from _submitted(self.executor, work, numbered, waiting, len(waiting))
        for number in waiting:  # an executor that is broken takes no more
            yield number, _failed(error)

    def check(self, **sent: object) -> None:
        if isinstance(self.executor, ProcessPoolExecutor):
            expected = "what another process can import; workers=… takes functions as they are"
            _check(sent, pickle.dumps, expected)


@dataclass(frozen=True)
class _InWorkers(Place):
    count: int

    def make(self, work: Work[T], numbered: Numbered, numbers: Iterable[int]) -> Done[T]:
        """Make runs in worker processes; with one of these all runs in its pool are lost.

        Each of them is made again in a new pool, alone: so a run that ends its process is lost, and
        no other.
        """
        from cloudpickle import dumps

        def sent(number: int) -> bytes:
            content: bytes = dumps(numbered(number))
            return content

        there: Work[T] = partial(_there, dumps(kinds_of_others()), dumps(work))
        waiting = deque(numbers)
        while waiting:
            lost = []
            for number, future in _in_pool(self.count, there, sent, waiting):
                if isinstance(future.exception(), BrokenExecutor):
                    lost.append(number)
                else:
                    yield number, future
            for number in lost:
                for _, future in _in_pool(self.count, there, sent, deque([number])):
                    ended = isinstance(future.exception(), BrokenExecutor)
                    yield number, _failed(_ended(future)) if ended else future

    def check(self, **sent: object) -> None:
        from cloudpickle import dumps

        _check(sent, dumps, "what can be pickled, to be sent to a worker")


def to_place(workers: object, executor: object) -> Place:
    """Return where runs take place: here, unless one of both is given."""
    if workers is not None and executor is not None:
        raise InvalidInput("workers", workers, "None beside an executor, which has its own")
    if workers is not None:
        return _InWorkers(to_whole(workers, 1, "workers", 10_000))
    return Place() if executor is None else _InExecutor(to_instance(executor, Executor, "executor"))


def _failed(error: BaseException | None) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(error)
    return future


def _ended(future: Future[Any]) -> StreamletLabError:
    """Return the error of a run that a worker did not survive, with the exit code if it is told."""
    code = re.search(r"\{(.+)\}", str(future.exception()))
    told = f" ({code[1]})" if code else ""
    return StreamletLabError(f"the worker ended in this run{told}: a crash, or too little memory")


def _check(sent: Mapping[str, object], dumps: Callable[[object], bytes], expected: str) -> None:
    for name, value in sent.items():
        try:
            dumps(value)
        except Exception as error:
            reason = f"{expected} ({type(error).__name__}: {error})"
            raise InvalidInput(name, value, reason) from None


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
