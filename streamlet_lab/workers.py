"""Where many runs take place: here, in an executor of the user's, or in worker processes of loky's.

Each place yields the number of a run and its future as soon as that is done, or those of several.
"""

import pickle
import re
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from io import BytesIO
from queue import SimpleQueue
from typing import Any, Final, TypeVar

import cloudpickle
from pydantic import BaseModel

from streamlet_lab.errors import InvalidInput, StreamletLabError
from streamlet_lab.kinds import add_kind, kinds_of_others
from streamlet_lab.units import to_instance, to_whole
from streamlet_lab.values import Section

T = TypeVar("T")

#: What is to be made of what a run's number stands for.
Work = Callable[[Any], T]
Numbered = Callable[[int], Any]
Batch = list[tuple[int, Future[T]]]
Done = Generator[Batch[T], None, None]

# A worker that is done with one run has the next one at hand.
_AHEAD: Final = 2


class Place:
    """Where runs take place: here, one after the other, or elsewhere."""

    def make(self, work: Work[T], numbered: Numbered, numbers: Iterable[int]) -> Done[T]:
        """Make the runs of some numbers."""
        for number in numbers:
            yield [(number, finished(work(numbered(number))))]

    def check(self, **sent: object) -> None:
        """Refuse the first that cannot be sent there; to threads everything can."""


@dataclass(frozen=True)
class _InThreads(Place):
    executor: Executor

    def make(self, work: Work[T], numbered: Numbered, numbers: Iterable[int]) -> Done[T]:
        waiting = deque(numbers)
        error = yield from _submitted(self.executor, work, numbered, waiting, len(waiting))
        for number in waiting:  # an executor that is broken takes no more
            yield [(number, _failed(error))]


class _Elsewhere(Place):
    """In other processes, to which everything is sent."""

    def check(self, **sent: object) -> None:
        written = repr(sent)
        named = {
            f"{decorator}.{name}": kind
            for decorator, kinds in kinds_of_others().items()
            for name, kind in kinds.items()
            if repr(name) in written
        }
        for name, value in {**sent, **named}.items():
            try:
                _dumps(value)
            except Exception as error:
                reason = f"what can be sent to another process ({type(error).__name__}: {error})"
                raise InvalidInput(name, value, reason) from None


class _InExecutor(_Elsewhere, _InThreads):
    def make(self, work: Work[T], numbered: Numbered, numbers: Iterable[int]) -> Done[T]:
        return super().make(_sent(work), lambda number: _dumps(numbered(number)), numbers)


@dataclass(frozen=True)
class _InWorkers(_Elsewhere):
    count: int

    def make(self, work: Work[T], numbered: Numbered, numbers: Iterable[int]) -> Done[T]:
        """Make runs in worker processes; with one of these all runs in its pool are lost.

        Each of them is made again in a new pool, alone: so a run that ends its process is lost, and
        no other.
        """

        def sent(number: int) -> bytes:
            return _dumps(numbered(number))

        there = _sent(work)
        waiting = deque(numbers)
        while waiting:
            lost = []
            for [(number, future)] in _in_pool(self.count, there, sent, waiting):
                if isinstance(future.exception(), BrokenExecutor):
                    lost.append(number)
                else:
                    yield [(number, future)]
            for number in lost:
                alone = deque([number])
                while alone:  # a pool may be broken before it has anything to do
                    for [(_, future)] in _in_pool(self.count, there, sent, alone):
                        ended = isinstance(future.exception(), BrokenExecutor)
                        yield [(number, _failed(_ended(future)) if ended else future)]


def to_place(workers: object, executor: object) -> Place:
    """Return where runs take place: here, unless one of both is given."""
    if workers is not None and executor is not None:
        raise InvalidInput("workers", workers, "None beside an executor, which has its own")
    if workers is not None:
        return _InWorkers(to_whole(workers, 1, "workers", 10_000))
    if executor is None:
        return Place()
    known = to_instance(executor, Executor, "executor")
    return _InThreads(known) if isinstance(known, ThreadPoolExecutor) else _InExecutor(known)


def finished(value: T) -> Future[T]:
    """Return the future of what is there already."""
    future: Future[T] = Future()
    future.set_result(value)
    return future


def _failed(error: BaseException | None) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(error)
    return future


def _ended(future: Future[Any]) -> StreamletLabError:
    """Return the error of a run that a worker did not survive, with the exit code if it is told."""
    code = re.search(r"\{(.+)\}", str(future.exception()))
    told = f" ({code[1]})" if code else ""
    return StreamletLabError(f"the worker ended in this run{told}: a crash, or too little memory")


def _sent(work: Work[T]) -> Work[T]:
    """Return what does the work elsewhere, of configurations that were sent too."""
    return partial(_there, tuple(_kinds()), _dumps(work))


def _kinds() -> Iterator[tuple[str, str, bytes]]:
    """Yield what is registered here, but for what cannot be sent: runs that name it are refused."""
    for decorator, kinds in kinds_of_others().items():
        for name, kind in kinds.items():
            with suppress(Exception):
                yield decorator, name, _dumps(kind)


class _Sender(cloudpickle.Pickler):  # type: ignore[misc]
    """Sends a configuration with its functions as they are, which a file would only name."""

    def reducer_override(self, thing: Any) -> Any:
        if isinstance(thing, Section):
            return _empty, (type(thing),), BaseModel.__getstate__(thing)
        return super().reducer_override(thing)


def _empty(kind: type[T]) -> T:
    return kind.__new__(kind)


def _dumps(value: object) -> bytes:
    content = BytesIO()
    _Sender(content).dump(value)
    return content.getvalue()


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
) -> Generator[Batch[T], None, BrokenExecutor | None]:
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
                yield [(numbers.pop(future), future)]
    finally:
        for future in numbers:
            future.cancel()
    return broken


def _there(kinds: tuple[tuple[str, str, bytes], ...], work: bytes, what: bytes) -> Any:
    """Work in a process that knows what is registered in the one that sent it here."""
    return _received(kinds, work)(pickle.loads(what))


@lru_cache(maxsize=4)
def _received(kinds: tuple[tuple[str, str, bytes], ...], work: bytes) -> Callable[[Any], Any]:
    """Return the work; what it is made of may be known by the name of its kind only."""
    for decorator, name, kind in kinds:
        # A module or register that is not here: its kinds are unknown, as who names one is told.
        with suppress(ImportError, KeyError):
            add_kind(decorator, name, pickle.loads(kind))
    received: Callable[[Any], Any] = pickle.loads(work)
    return received
