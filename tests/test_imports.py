"""Who may import whom: the contracts of pyproject.toml, and what they cannot say."""

import importlib
import subprocess
import sys
from collections import Counter
from inspect import ismodule
from pathlib import Path

import grimp
import pytest

PACKAGE = "streamlet_lab"


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(PACKAGE, cache_dir=None)


def test_the_contracts_hold() -> None:
    """In a process of its own: it configures logging, and that would silence our loggers here."""
    config = Path(__file__).resolve().parents[1] / "pyproject.toml"
    lint = f"lint_imports(config_filename={str(config)!r}, no_cache=True)"
    check = f"import sys; from importlinter.cli import lint_imports; sys.exit({lint})"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


def test_no_module_imports_the_package_that_it_is_in(graph: grimp.ImportGraph) -> None:
    """The command line alone does, to import what is behind a name when it needs it."""
    found = {
        (module, imported)
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
        if module.startswith(f"{imported}.")
    }
    assert found == {(f"{PACKAGE}.{module}", PACKAGE) for module in ("cli", "commands")}


def test_no_two_modules_have_one_name_and_no_function_hides_one(graph: grimp.ImportGraph) -> None:
    modules = sorted(graph.modules - {f"{PACKAGE}.__main__"})
    names = Counter(module.rpartition(".")[2] for module in modules)
    assert {name for name, times in names.items() if times > 1} == set()
    for module in modules:
        place, _, name = module.rpartition(".")
        importlib.import_module(module)
        assert not place or ismodule(getattr(sys.modules[place], name)), module
