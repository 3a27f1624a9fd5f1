"""Who is told how far a sweep is: nobody, a function, or a person who watches a bar."""

import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from streamlet_lab.simulator import Progress
from streamlet_lab.units import to_function


@contextmanager
def told(progress: Progress | bool | None) -> Iterator[Progress | None]:
    """Tell a function; or show a bar, with the time left, while the context lasts.

    The bar is one of tqdm's, in a notebook or on a terminal; where there is neither, none is shown.
    """
    if progress is True:
        with closing(_Bar()) as bar:
            yield bar
    elif progress is None or progress is False:
        yield None
    else:
        yield to_function(progress, "progress")


class _Bar:
    """A bar that begins with the first run, from what was finished before it."""

    def __init__(self) -> None:
        self._began = time.time()
        self._bar: Any = None

    def __call__(self, done: int, total: int) -> None:
        if self._bar is None:
            from tqdm import auto

            in_notebook = any(base.__module__ == "tqdm.notebook" for base in auto.tqdm.__mro__)
            hidden = not in_notebook and not sys.stderr.isatty()
            self._bar = auto.tqdm(total=total, initial=done - 1, unit="run", disable=hidden)
            self._bar.start_t = self._began  # the first run took time too
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Leave the bar as it is, and the line to who comes next."""
        if self._bar is not None:
            self._bar.close()
