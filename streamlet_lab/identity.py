"""What makes two sweeps the same study, so that one goes on with the runs that the other kept.

The document is plain data that says what is run: of functions the name and a digest of the source,
where there is one. What a function calls is not part of it, unless it is the lab's own, for which
the version stands. Repeats are not part of it: more of them are more runs of the same study.
"""

import hashlib
import inspect
import json
import math
import re
import sys
from functools import partial
from typing import Any, Final

from streamlet_lab.kinds import kinds_of_others
from streamlet_lab.points import Plan
from streamlet_lab.values import functions_in

# Where an object is in memory, in what it says of itself.
_ADDRESS: Final = re.compile(r" at 0x[0-9a-fA-F]+")


def study_document(plan: Plan, run: object, measure: object, engine: str) -> dict[str, Any]:
    """Return what makes a study the same, with what is most likely to differ in plain words.

    ``base`` is the first point's configuration, ``points`` the labels of each with a digest of its
    own configuration.
    """
    documents = [point.config.to_document() for point in plan.points]
    for document in documents:
        document.pop("seed", None)
    texts = [json.dumps(document, sort_keys=True) for document in documents]
    functions = {
        place: code_of(function)
        for point in plan.points
        for place, function in functions_in(point.config)
    }
    return {
        # Of the package, which imports this module.
        "version": sys.modules[__package__].__version__,
        "engine": engine,
        "seed": plan.seed,
        "base": documents[0],
        "points": [
            {"labels": {name: _told(label) for name, label in point.labels.items()}}
            | {"settings": _digest(text)}
            for point, text in zip(plan.points, texts, strict=True)
        ],
        "run": code_of(run),
        "measure": code_of(measure),
        "functions": functions,
        "kinds": _named("".join(texts)),
    }


def _told(label: str | float) -> str | float:
    """Return a label as JSON has it: an infinite number as its text."""
    return label if isinstance(label, str) or math.isfinite(label) else str(label)


def code_of(function: Any) -> str:
    """Return the name of a function, class or object that is called, and a digest of its source."""
    if isinstance(function, partial):
        bound = [*function.args, *function.keywords.items()]
        return f"{code_of(function.func)} with {_ADDRESS.sub('', repr(bound))}"
    named = function if hasattr(function, "__qualname__") else type(function)
    name = f"{named.__module__}.{named.__qualname__}"
    if named is not function:
        name = f"{name}: {_ADDRESS.sub('', repr(function))}"
    if named.__module__.partition(".")[0] == __package__:
        return name
    try:
        return f"{name} {_digest(inspect.getsource(named))}"
    except (OSError, TypeError):  # typed in at a prompt, or written in C
        return name


def _named(text: str) -> dict[str, str]:
    """Return the code of the kinds that a configuration names and that are not the lab's own."""
    return {
        f"{decorator}.{name}": code_of(getattr(kind, "function", kind))
        for decorator, named in kinds_of_others().items()
        for name, kind in named.items()
        if json.dumps(name) in text
    }


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
