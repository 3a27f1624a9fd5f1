"""Plant a bug: change a line of a function while a test runs."""

import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def one_line_changed(function: Callable[..., Any], old: str, new: str) -> Iterator[None]:
    """Let a function run with a piece of its source replaced.

    Everybody who holds the function is served the changed one. A piece that is not in the source
    exactly once is refused, so that no bug is planted in vain once the code has changed.

    Parameters
    ----------
    function : callable
        A function of a module, or a method as its class has it.
    old, new : str
        A piece of its source, and what stands there instead.
    """
    source = textwrap.dedent(inspect.getsource(function))
    found = source.count(old)
    assert found == 1, f"{old!r} is {found} times in {function.__qualname__}"
    made: dict[str, Any] = {}
    exec(compile(source.replace(old, new), "<planted>", "exec"), function.__globals__, made)
    right = function.__code__
    function.__code__ = made[function.__name__].__code__
    try:
        yield
    finally:
        function.__code__ = right
