"""What makes two sweeps the same study, so that one goes on with the runs that the other kept.

The document is plain data that says what is run: of functions the name and a digest of the source,
where there is one. What a function calls is not part of it, unless it is the lab's own, for which
the version stands. Repeats are not part of it: more of them are more runs of the same study.
"""

import hashlib
import inspect
import json
from collections.abc import Mapping
from functools import partial
from importlib.metadata import version
from typing import Any

from streamlet_lab.kinds import kinds_of_others
from streamlet_lab.points import Plan
from streamlet_lab.values import functions_in

_PACKAGE = "streamlet_lab"


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
        "version": version("streamlet-lab"),
        "engine": engine,
        "seed": plan.seed,
        "base": documents[0],
        "points": [
            {**point.labels, "digest": _digest(text)}
            for point, text in zip(plan.points, texts, strict=True)
        ],
        "run": code_of(run),
        "measure": code_of(measure),
        "functions": functions,
        "kinds": _named("".join(texts)),
    }


def code_of(function: Any) -> str:
    """Return the name of a function or class, and a digest of its source."""
    if isinstance(function, partial):
        bound = ", ".join([*map(repr, function.args), *map(repr, function.keywords.items())])
        return f"{code_of(function.func)}({bound})"
    named = function if hasattr(function, "__qualname__") else type(function)
    name = f"{named.__module__}.{named.__qualname__}"
    if named is not function:
        name += f" {function!r}"
    if named.__module__.partition(".")[0] == _PACKAGE:
        return name
    try:
        source = inspect.getsource(named)
    except (OSError, TypeError):  # typed in at a prompt, or written in C
        return name
    return f"{name} {_digest(source)}"
