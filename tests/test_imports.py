"""Who may import whom: the floors of the house, read from the source of every module."""

import ast
import importlib
import sys
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from inspect import ismodule
from pathlib import Path

import pytest

import streamlet_lab

PACKAGE = "streamlet_lab"
RESULT, CHARTS = f"{PACKAGE}.result", "charts"

# From the bottom up. A room may import from lower floors and from itself; rooms on one floor do
# not know each other, unless the floor is shared.
FLOORS = (
    (
        "errors",
        "units",
        "streams",
        "keys",
        "files",
        "columns",
        "fault",
        "archive",
        "values",
        "kinds",
        "registers",
        "intervals",
    ),
    ("consensus", "prices", "matching"),
    ("config", "ledger", "theory"),
    ("simulator",),
    ("description",),
    ("checks",),
    ("liquidity",),
    ("metrics",),
    ("frames",),
    ("result",),
    ("experiment",),
    ("scenarios",),
    ("grid", "studies", "fuzz"),
    (CHARTS,),
    ("widgets",),
    ("demos",),
    (PACKAGE,),  # what `import streamlet_lab` offers
    ("cli",),
    ("__main__",),
)
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
SHARED = {FLOOR_OF["errors"], FLOOR_OF["grid"]}


def read_package():
    """The source of every module, by its dotted name; a package stands for its __init__."""
    root = Path(streamlet_lab.__file__).parent
    sources = {}
    for path in root.rglob("*.py"):
        parts = path.relative_to(root.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        sources[name] = path.read_text(encoding="utf-8")
    return sources


def room(module):
    """The part of the house that a module belongs to."""
    return [*module.split("."), PACKAGE][1]


def import_statements(node, place=""):
    """Every import below a node, with the function or the TYPE_CHECKING block that it stands in."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, place
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from import_statements(child, child.name)
        elif isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            yield from import_statements(child, "TYPE_CHECKING")
        else:
            yield from import_statements(child, place)


def imported_names(statement, module, sources):
    """Absolute names of what a statement imports; `from x import y` may mean the module x.y."""
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    base = statement.module or ""
    if statement.level:
        is_package = any(other.startswith(f"{module}.") for other in sources)
        above = module.split(".")[: None if is_package else -1]
        above = above[: len(above) - statement.level + 1]
        base = ".".join([*above, base] if base else above)
    names = (f"{base}.{alias.name}" for alias in statement.names)
    return [name if name in sources else base for name in names]


def imports(module, sources):
    """The package's own modules that a module imports, without the one exception."""
    for statement, place in import_statements(ast.parse(sources[module])):
        for name in imported_names(statement, module, sources):
            if name.split(".")[0] != PACKAGE:
                continue
            # A result reaches for the charts when it is asked for them.
            allowed = module == RESULT and place in ("plot", "TYPE_CHECKING")
            if not (allowed and room(name) == CHARTS):
                yield name


def may_import(importer, imported):
    if importer == imported:
        return True
    above, below = FLOOR_OF[importer], FLOOR_OF[imported]
    return above > below or (above == below and above in SHARED)


def violations(sources):
    """What breaks the rule, in words."""
    homeless = {room(module) for module in sources} - FLOOR_OF.keys()
    if homeless:
        return [f"{name} has no floor" for name in sorted(homeless)]
    graph = {module: set(imports(module, sources)) for module in sources}
    found = [
        f"{module} must not import {name}"
        for module, names in sorted(graph.items())
        for name in sorted(names)
        if not may_import(room(module), room(name))
    ]
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found.append("in a loop: " + " -> ".join(sorted(set(error.args[1]))))
    return found


def test_nothing_in_the_house_imports_upwards_or_in_a_loop():
    assert violations(read_package()) == []


def test_the_reader_sees_the_house():
    sources = read_package()
    assert {"streamlet_lab", "streamlet_lab.consensus", "streamlet_lab.consensus.node"} <= {
        *sources
    }
    assert "streamlet_lab.consensus.messages" in imports("streamlet_lab.consensus.node", sources)
    assert "streamlet_lab.prices" in imports("streamlet_lab.config.prices_config", sources)


PLANTED = {
    # module, its source, what is found
    "ground floor to ground floor": (
        "consensus.node",
        "from streamlet_lab.prices import evaluate",
        "streamlet_lab.consensus.node must not import streamlet_lab.prices",
    ),
    "upwards": (
        "config",
        "import streamlet_lab.simulator",
        "streamlet_lab.config must not import streamlet_lab.simulator",
    ),
    "upwards, a module by its package": (
        "prices.feeds",
        "from streamlet_lab import config",
        "streamlet_lab.prices.feeds must not import streamlet_lab.config",
    ),
    "upwards, relatively": (
        "checks.properties",
        "from ..result import Result",
        "streamlet_lab.checks.properties must not import streamlet_lab.result",
    ),
    "upwards, relatively, from a package": (
        "checks",
        "from .. import result",
        "streamlet_lab.checks must not import streamlet_lab.result",
    ),
    "upwards, in a function": (
        "units",
        "def lazily():\n    from streamlet_lab.config import make_config",
        "streamlet_lab.units must not import streamlet_lab.config",
    ),
    "upwards, for types only": (
        "checks",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from streamlet_lab import result",
        "streamlet_lab.checks must not import streamlet_lab.result",
    ),
    "the whole house": (
        "result",
        "from streamlet_lab import Experiment",
        "streamlet_lab.result must not import streamlet_lab",
    ),
    "charts from a result, at once": (
        "result",
        "from streamlet_lab.charts import Plots",
        "streamlet_lab.result must not import streamlet_lab.charts",
    ),
    "charts from a result, in another function": (
        "result",
        "def save():\n    from streamlet_lab.charts import Plots",
        "streamlet_lab.result must not import streamlet_lab.charts",
    ),
    "something else where a result may import charts": (
        "result",
        "def plot():\n    from streamlet_lab.experiment import Experiment",
        "streamlet_lab.result must not import streamlet_lab.experiment",
    ),
    "in a loop within a room": (
        "prices.feeds",
        "from streamlet_lab.prices.paths import PricePath",
        "in a loop: streamlet_lab.prices.feeds -> streamlet_lab.prices.paths",
    ),
    "in a loop within the basement": (
        "errors",
        "import streamlet_lab.units",
        "in a loop: streamlet_lab.errors -> streamlet_lab.units",
    ),
    "a room that the design does not have": ("utilities.text", "", "utilities has no floor"),
}

HOUSE = {
    "streamlet_lab": "from streamlet_lab.result import Result",
    "streamlet_lab.errors": "",
    "streamlet_lab.units": "from streamlet_lab.errors import InvalidInput",
    "streamlet_lab.consensus": "",
    "streamlet_lab.consensus.node": "from streamlet_lab.units import CENT",
    "streamlet_lab.prices": "from streamlet_lab.prices.feeds import QuoteFeed",
    "streamlet_lab.prices.feeds": "from .. import units",
    "streamlet_lab.prices.paths": "from streamlet_lab.prices import feeds\nimport random",
    "streamlet_lab.config": "import streamlet_lab.prices.paths",
    "streamlet_lab.simulator": "from streamlet_lab import consensus",
    "streamlet_lab.checks": "from ..simulator import Monitor",
    "streamlet_lab.checks.properties": "from . import Check",
    "streamlet_lab.result": (
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n"
        "    from streamlet_lab.charts import Plots\n"
        "class Result:\n"
        "    def plot(self):\n"
        "        from streamlet_lab.charts import Plots\n"
    ),
    "streamlet_lab.experiment": "",
    "streamlet_lab.charts": "from streamlet_lab.result import Result",
    "streamlet_lab.cli": "from streamlet_lab import __version__",
}


def test_a_house_that_keeps_the_rule_passes():
    assert violations(HOUSE) == []


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_violation_is_found(name):
    module, source, found = PLANTED[name]
    assert found in violations(HOUSE | {f"{PACKAGE}.{module}": source})


def test_the_protocol_has_no_clock_and_no_randomness():
    sources = read_package()
    used = {
        name.split(".")[0]
        for module, source in sources.items()
        if room(module) == "consensus"
        for statement, _ in import_statements(ast.parse(source))
        for name in imported_names(statement, module, sources)
    }
    assert used.isdisjoint({"datetime", "time", "random", "secrets", "numpy", "os", "socket"})


def test_no_two_modules_have_one_name_and_no_function_hides_one():
    modules = sorted(read_package().keys() - {f"{PACKAGE}.__main__"})
    names = Counter(module.rpartition(".")[2] for module in modules)
    assert {name for name, times in names.items() if times > 1} == set()
    for module in modules:
        place, _, name = module.rpartition(".")
        importlib.import_module(module)
        assert not place or ismodule(getattr(sys.modules[place], name)), module
