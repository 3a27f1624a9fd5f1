"""Where many runs take place: here, in an executor of the user's, or in worker processes of loky's.

Each place yields the number of a run and what became of it as soon as it is done, an exception if
nothing else, or those of several.
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
from typing import Any, Final

import cloudpickle
from pydantic import BaseModel

from streamlet_lab.errors import InvalidInput, StreamletLabError
from streamlet_lab.kinds import add_kind, kinds_of_others
from streamlet_lab.units import to_instance, to_whole
from streamlet_lab.values import Section

#: What is to be made of what a run's number stands for.
Task = Callable[[Any], Any]
Numbered = Callable[[int], Any]
Batch = list[tuple[int, Any]]
Done = Generator[Batch, None, None]

# A worker that is done with one run has the next one at hand.
_AHEAD: Final = 2


class Place:
    """Where runs take place: here, one after the other, or elsewhere."""

    def make(self, work: Task, numbered: Numbered, numbers: Iterable[int]) -> Done:
        """Make the runs of some numbers."""
        for number in numbers:
            yield [(number, work(numbered(number)))]

    def check(self, **sent: object) -> None:
        """Refuse the first that cannot be sent there; to threads everything can."""


@dataclass(frozen=True)
class _InThreads(Place):
    executor: Executor

    def make(self, work: Task, numbered: Numbered, numbers: Iterable[int]) -> Done:
        waiting = deque(numbers)
        error = yield from _submitted(self.executor, work, numbered, waiting, len(waiting))
        for number in waiting:  # an executor that is broken takes no more
            yield [(number, error)]


class _Elsewhere(Place):
    """In other processes, to which everything is sent."""

    def check(self, **sent: object) -> None:
        written, others = repr(sent), kinds_of_others().items()
        named = {".".join(named): kind for named, kind in others if repr(named[1]) in written}
        for name, value in {**sent, **named}.items():
            try:
                _dumps(value)
            except Exception as error:
                reason = f"what can be sent to another process ({type(error).__name__}: {error})"
                raise InvalidInput(name, value, reason) from None


class _InExecutor(_Elsewhere, _InThreads):
    def make(self, work: Task, numbered: Numbered, numbers: Iterable[int]) -> Done:
        return super().make(_sent(work), lambda number: _dumps(numbered(number)), numbers)


@dataclass(frozen=True)
class _InWorkers(_Elsewhere):
    count: int

    def make(self, work: Task, numbered: Numbered, numbers: Iterable[int]) -> Done:
        """Make runs in worker processes; with one of these all runs in its pool are lost.

        Each of them is made again in a new pool, alone: so a run that ends its process is lost, and
        no other.
        """
        in_pool = partial(_in_pool, self.count, _sent(work), lambda run: _dumps(numbered(run)))
        waiting = deque(numbers)
        while waiting:
            lost = []
            for [(number, became)] in in_pool(waiting):
                if isinstance(became, BrokenExecutor):
                    lost.append(number)
                else:
                    yield [(number, became)]
            for number in lost:
                alone = deque([number])
                while alone:  # a pool may be broken before it has anything to do
                    for [(_, became)] in in_pool(alone):
                        ended = isinstance(became, BrokenExecutor)
                        yield [(number, _ended(became) if ended else became)]


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


def _ended(error: BrokenExecutor) -> StreamletLabError:
    """Return the error of a run that a worker did not survive, with the exit code if it is told."""
    code = re.search(r"\{(.+)\}", str(error))
    told = f" ({code[1]})" if code else ""
    return StreamletLabError(f"the worker ended in this run{told}: a crash, or too little memory")


def _sent(work: Task) -> Task:
    """Return what does the work elsewhere, of configurations that were sent too."""
    return partial(_there, tuple(_kinds()), _dumps(work))


def _kinds() -> Iterator[tuple[str, str, bytes]]:
    """Yield what is registered here, but for what cannot be sent: runs that name it are refused."""
    for named, kind in kinds_of_others().items():
        with suppress(Exception):
            yield *named, _dumps(kind)


class _Sender(cloudpickle.Pickler):  # type: ignore[misc]
    """Sends a configuration with its functions as they are, which a file would only name."""

    def reducer_override(self, thing: Any) -> Any:
        if isinstance(thing, Section):
            return _empty, (type(thing),), BaseModel.__getstate__(thing)
        return super().reducer_override(thing)


def _empty(kind: type[Section]) -> Section:
    return kind.__new__(kind)


def _dumps(value: object) -> bytes:
    content = BytesIO()
    _Sender(content).dump(value)
    return content.getvalue()


def _in_pool(count: int, work: Task, numbered: Numbered, waiting: deque[int]) -> Done:
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
    executor: Executor, work: Task, numbered: Numbered, waiting: deque[int], most: int
) -> Generator[Batch, None, BrokenExecutor | None]:
    """Keep so many submitted until none is waiting, or the executor is broken: then return why."""
    done: SimpleQueue[Future[Any]] = SimpleQueue()
    numbers: dict[Future[Any], int] = {}
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
                yield [(numbers.pop(future), _became(future))]
    finally:
        for future in numbers:
            future.cancel()
    return broken


def _became(future: Future[Any]) -> Any:
    try:
        return future.result()
    except Exception as error:  # also the executor's own: a worker was killed, say
        return error


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
