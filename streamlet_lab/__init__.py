"""A laboratory for markets whose reference price is made by Byzantine fault-tolerant consensus.

>>> import streamlet_lab as sl
>>> result = sl.Experiment(epochs=12, nodes=4, faults={"node_3": "crash@6"}).run()
>>> result.safe
True
"""

# isort: off
from streamlet_lab.interrupts import end_at_once, is_command

if is_command():  # which answers Ctrl-C, also while all that follows is imported
    end_at_once()

# isort: on
import logging
import pkgutil
import re
import sys
from importlib import import_module
from pathlib import Path

__version__ = "1.0.0"

# A name is imported when it is first asked for (PEP 562), so that nobody waits for what only others
# need. The stub beside this file says from where: the same lines as type checkers read.
_STUB = Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8")
_HOMES = {name: home for home, name in re.findall(r"^from (\S+\.\S+) import (\w+) as", _STUB, re.M)}

# For `import *`: no module but the one that is meant, which would hide names of the user's own.
__all__ = ["studies", *_HOMES]

# Imported when somebody first looks into a register of kinds, whose room does not know this one.
_FILLS_REGISTERS = f"{__name__}.simulator"

# A library is silent unless its user asks for its log.
logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> object:
    """Import what is asked for by its name: a public one, or a module of the lab."""
    if name in _HOMES:
        found = getattr(import_module(_HOMES[name]), name)
    elif name in _modules():
        found = import_module(f"{__name__}.{name}")
    else:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message, name=name, obj=sys.modules[__name__])
    return globals().setdefault(name, found)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_modules()})


def _modules() -> list[str]:
    return [module.name for module in pkgutil.iter_modules(__path__)]
