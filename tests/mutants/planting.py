"""Plant a bug: change a line of a function while a test runs."""

import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tools.mutants import load_mutants

MUTANTS = {mutant.name: mutant for mutant in load_mutants()}


@contextmanager
def plant(name: str, function: Callable[..., Any]) -> Iterator[None]:
    """Let a function run with a bug in it, for everybody who holds the function.

    Parameters
    ----------
    name : str
        Of a mutant whose line is in the function exactly once.
    function : callable
        A function of a module, or a method as its class has it.
    """
    source = MUTANTS[name].plant(textwrap.dedent(inspect.getsource(function)))
    made: dict[str, Any] = {}
    exec(compile(source, "<planted>", "exec"), function.__globals__, made)
    right = function.__code__
    function.__code__ = made[function.__name__].__code__
    try:
        yield
    finally:
        function.__code__ = right
