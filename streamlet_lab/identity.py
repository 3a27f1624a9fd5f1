"""What makes two sweeps the same study, so that one goes on with the runs that the other kept.

The document is plain data that says what is run. Of a function it has the name and a digest: of the
source, and of the numbers, texts, functions and classes that it uses. Those of other packages are
told by their names, and the lab by its version and a digest of its modules. What may change while
runs are made, such as a list, is no part of it. Nor are repeats: more of them are more runs of the
same study.
"""

import hashlib
import inspect
import json
import math
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FunctionType, MethodType, NoneType
from typing import Any, Final

from streamlet_lab.kinds import kinds_of_others
from streamlet_lab.measures import Chosen
from streamlet_lab.points import Plan
from streamlet_lab.values import functions_in

# What cannot change, and is what it is written as.
_PLAIN: Final = (bool, int, float, complex, str, bytes, NoneType)
# What has no name of its own.
_NAMELESS: Final = (tuple, partial, MethodType, classmethod, staticmethod, property)
# Nothing that makes or measures a run may import these rooms.
_SHOWING: Final = ("charts/", "widgets/")


def digest_of_modules(package: Path) -> str:
    """Return a digest of all modules of a package that may have a say in a run."""
    digest = hashlib.blake2b(digest_size=8)
    paths = {path.relative_to(package).as_posix(): path for path in package.rglob("*.py")}
    for name, path in sorted(paths.items()):
        if not name.startswith((*_SHOWING, ".")) and "/." not in name:
            text = path.read_bytes().replace(b"\r\n", b"\n")
            digest.update(f"{name} {len(text)} ".encode() + text)
    return digest.hexdigest()


# From when they were imported: what is changed later is not what makes the runs here.
_CODE: Final = digest_of_modules(Path(__file__).parent)


def study_document(plan: Plan, run: object, measure: object, engine: str) -> dict[str, Any]:
    """Return what makes a study the same, with what is most likely to differ in plain words.

    ``base`` is the first point's configuration, ``points`` the labels of each with a digest of its
    own configuration and the functions in it.
    """
    documents = [point.config.to_document() for point in plan.points]
    for document in documents:
        document.pop("seed", None)
    texts = [json.dumps(document, sort_keys=True) for document in documents]
    functions = [
        {place: code_of(function) for place, function in functions_in(point.config)}
        for point in plan.points
    ]
    return {
        # Of the package, which imports this module.
        "version": sys.modules[__package__].__version__,
        "code": _CODE,
        "engine": engine,
        "seed": plan.seed,
        "base": documents[0],
        "points": [
            {"labels": {name: _told(label) for name, label in point.labels.items()}}
            | {"settings": _digest(text)}
            | ({"functions": used} if used else {})
            for point, text, used in zip(plan.points, texts, functions, strict=True)
        ],
        "run": code_of(run),
        "measure": [*measure.names] if isinstance(measure, Chosen) else code_of(measure),
        "kinds": _named("".join(texts)),
    }


def _told(label: str | float) -> str | float:
    """Return a label as JSON has it: an infinite number as its text."""
    return label if isinstance(label, str) or math.isfinite(label) else str(label)


def code_of(function: Any) -> str:
    """Return the name of a function, class or object that is called, and a digest of what it is."""
    inner = function.func if isinstance(function, partial) else function
    named = inner if hasattr(inner, "__qualname__") else type(inner)
    parts = _parts(function, _package(named), set())
    return f"{named.__module__}.{named.__qualname__} {_digest(' '.join(parts))}"


def _parts(thing: Any, package: str, seen: set[int]) -> Iterator[str]:
    """Yield what makes a thing do what it does, if it is of a package: its code, what it uses."""
    if isinstance(thing, _PLAIN):
        yield repr(thing)
        return
    if not isinstance(thing, _NAMELESS):
        is_named = isinstance(thing, type | FunctionType)
        kind = thing if is_named else type(thing)
        yield f"{kind.__module__}.{kind.__qualname__}"
        if _package(kind) not in (package, __package__) or id(thing) in seen:
            return
        seen.add(id(thing))
        if _package(kind) == __package__ and is_named:
            return  # the version and the digest stand for it
        if isinstance(thing, FunctionType):
            yield _source(thing)
    for each in _inside(thing):
        yield from _parts(each, package, seen)


def _inside(thing: Any) -> Iterator[Any]:
    """Yield what a thing is made of, and what it uses, under its name there."""
    match thing:
        case tuple():
            yield from thing
        case partial():
            yield from (thing.func, *thing.args, *thing.keywords.items())
        case MethodType():
            yield from (thing.__self__, thing.__func__)
        case classmethod() | staticmethod():
            yield thing.__func__
        case property():
            yield thing.fget
        case FunctionType():
            yield thing.__defaults__ or ()
            yield from (thing.__kwdefaults__ or {}).items()
            with suppress(ValueError):  # what it encloses is not there yet
                closed = inspect.getclosurevars(thing)
                yield from (*closed.nonlocals.items(), *closed.globals.items())
        case type():
            yield thing.__bases__
            # Python's own notes about a class are none of its behaviour, but its methods are.
            for name, value in vars(thing).items():
                if not (name.startswith("__") and isinstance(value, (*_PLAIN, tuple))):
                    yield name, value
        case _:
            yield from (type(thing), *getattr(thing, "__dict__", {}).items())


def _source(function: FunctionType) -> str:
    code = function.__code__
    with suppress(OSError, TypeError):  # typed in at a prompt, or made by a decorator
        # The lines of a lambda have more than it, such as how many repeats there are to be.
        if code.co_name != "<lambda>":
            return inspect.getsource(function)
    constants = [each for each in code.co_consts if isinstance(each, _PLAIN)]
    return f"{code.co_code.hex()} {code.co_names} {constants}"


def _package(named: Any) -> str:
    return str(named.__module__).partition(".")[0]


def _named(text: str) -> dict[str, str]:
    """Return the code of the kinds that a configuration names and that are not the lab's own."""
    return {
        f"{decorator}.{name}": code_of(getattr(kind, "function", kind))
        for (decorator, name), kind in kinds_of_others().items()
        if json.dumps(name) in text
    }


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
