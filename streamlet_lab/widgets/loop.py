"""One question under way and the newest behind it: work that follows a person's hand.

A thread answers the questions, and lives only while there are some. Of those that come meanwhile
the newest alone waits, so that a drag never queues. A short answer is finished nevertheless, so
that a drag shows what it passes; a long one is given up.
"""

import time
from collections.abc import Callable
from threading import Condition, Thread
from typing import Final, Generic, TypeVar
from weakref import WeakMethod

# After so many seconds an answer is given up for a newer question.
_PATIENCE_S: Final = 0.5

Question = TypeVar("Question")


class GivenUp(Exception):
    """Nobody waits for this answer any more."""


class Task(Generic[Question]):
    """A question that is being answered."""

    def __init__(self, question: Question, loop: "Loop[Question]") -> None:
        self.question = question
        self.is_stopped = False
        self._loop = loop
        self._began = time.monotonic()

    def check(self) -> None:
        """Raise `GivenUp` if nobody waits for the answer any more."""
        is_late = time.monotonic() - self._began > _PATIENCE_S
        if self.is_stopped or (is_late and self._loop.has_newer):
            raise GivenUp


class Loop(Generic[Question]):
    """Answers questions by a method that is held weakly, in a thread of its own.

    Attributes
    ----------
    lock : Condition
        Who has it sees no answer begin or end.
    """

    def __init__(self, answer: Callable[[Task[Question]], None]) -> None:
        self.lock = Condition()
        self._answer = WeakMethod(answer)
        self._waiting: Question | None = None
        self._task: Task[Question] | None = None
        self._thread: Thread | None = None

    @property
    def has_newer(self) -> bool:
        """Whether a question waits behind the one under way."""
        return self._waiting is not None

    def ask(self, question: Question) -> None:
        """Have a question answered, in place of one that waits."""
        with self.lock:
            self._waiting = question
            if self._thread is None:
                self._thread = Thread(target=self._work, name="bench", daemon=True)
                self._thread.start()

    def stop(self) -> bool:
        """Give up what is under way or waits; return whether there was anything."""
        with self.lock:
            is_busy = self._task is not None or self._waiting is not None
            self._waiting = None
            if self._task is not None:
                self._task.is_stopped = True
            return is_busy

    def wait(self) -> None:
        """Wait until every question is answered or given up."""
        with self.lock:
            self.lock.wait_for(lambda: self._thread is None)

    def _work(self) -> None:
        while (task := self._take()) is not None:
            answer = self._answer()
            if answer is not None:
                answer(task)
            # Between two questions nothing here keeps its owner alive.
            del answer, task
            with self.lock:
                self._task = None

    def _take(self) -> Task[Question] | None:
        with self.lock:
            question, self._waiting = self._waiting, None
            self._task = None if question is None else Task(question, self)
            if question is None:
                self._thread = None
                self.lock.notify_all()
            return self._task
