"""What is imported when, and how the names of the package come to be there."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import streamlet_lab as sl

STUB = Path(sl.__file__).with_suffix(".pyi")

ARRAYS = {"numpy", "pandas", "scipy"}
PICTURES = {"IPython", "ipywidgets", "jupyterlab", "matplotlib"}
WORKERS = {"distributed", "loky", "pyarrow", "sqlite3", "tqdm"}
VALUES = {"cryptography", "pydantic"}

COMMAND = "import sys; from streamlet_lab.cli import main; sys.exit(main({arguments}))"
EXPERIMENT = "import streamlet_lab as sl; run = sl.Experiment(epochs=1)"

#: What a program must not import, in which nobody asks for more.
NOT_IMPORTED = {
    "import streamlet_lab": ARRAYS | PICTURES | WORKERS | VALUES,
    "from streamlet_lab import InvalidInput": ARRAYS | PICTURES | WORKERS | VALUES,
    "--version": ARRAYS | PICTURES | WORKERS | VALUES,
    "--help": ARRAYS | PICTURES | WORKERS | VALUES,
    "verify --help": ARRAYS | PICTURES | WORKERS | VALUES,
    "verify {proof} --keys {keys}": ARRAYS | PICTURES | WORKERS,
    "run --help": ARRAYS | PICTURES | WORKERS,
    EXPERIMENT: {"pandas", "scipy"} | PICTURES | WORKERS,
    f"{EXPERIMENT}.run(); print(run)": {"pandas", "scipy"} | PICTURES | WORKERS,
    "stock-consensus --epochs 4": {"scipy"} | PICTURES | WORKERS - {"pyarrow"},  # pandas' own
    "scenario A1": {"scipy"} | PICTURES | WORKERS - {"pyarrow"},
}


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A finality proof and the keys that it is checked with, as files."""
    folder, run = tmp_path_factory.mktemp("documents"), sl.Experiment(epochs=4).run()
    for name, document in (("proof", run.proof(1)), ("keys", run.keys)):
        (folder / name).write_text(document.to_json(), encoding="utf-8")
    return {name: str(folder / name) for name in ("proof", "keys")}


def imported(program: str) -> set[str]:
    """Return the packages that are there at the end of a program that goes well."""
    ask = "import atexit, sys\natexit.register(lambda: print('\\n', *sys.modules, sep='\\n'))\n"
    done = subprocess.run(
        [sys.executable, "-c", ask + program], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return {module.partition(".")[0] for module in done.stdout.splitlines()}


@pytest.mark.parametrize("start", NOT_IMPORTED)
def test_nothing_is_imported_that_nobody_asked_for(start: str, documents: dict[str, str]) -> None:
    program = start
    if "import" not in start:
        program = COMMAND.format(arguments=start.format(**documents).split())
    modules = imported(program)
    assert "streamlet_lab" in modules
    assert modules & NOT_IMPORTED[start] == set()


#: What a room is mostly there for, in a program that imports no other.
ROOMS = {
    "config": 'make_config(faults={"node_3": "crash@6"}, market={"traders": ["momentum"]})',
    "registers": 'assert "uniform" in DELAYS and "crash" in NODE_FAULTS.own()',
    "kinds": 'add_kind("trader_kind", "own", registers()["trader_kind"]["momentum"])',
    "prices": 'aggregator("own", breakdown=lambda sources: 0)(min); source_fault_kinds()',
    "matching": 'ConsensusMatchingEngine("AAPL").set_reference(Reference(150, 0))',
    "simulator": 'assert "crash" in fault_kinds() and "delayed" in reference_kinds()',
    "experiment": 'run_protocol(epochs=2, network={"delays": "uniform"})',
    "batched": "from streamlet_lab import Experiment; assert not explain(Experiment().config)",
    "scenarios": 'scenario("A1").run()',
    "sobol": 'quasi_random({"network.gst": (0, 5)}, count=2)',
    "study_file": 'load_study("docs/study.toml")',
    "grid": 'sweep({"epochs": 2, "market.reference": "delayed"}, {"nodes": [4]}, repeats=2)',
    "fuzz": "fuzz(1)",
    "widgets": "Bench()",
}


# One process for each room; what others ship is imported once for all of them.
FORKING = """
import os, sys
import ipywidgets, matplotlib.pyplot, pandas, pydantic, scipy.stats

for program in sys.argv[1:]:
    if os.fork() == 0:
        exec(program, {})
        os._exit(0)
    if os.wait()[1]:
        sys.exit(program)
"""


def test_a_room_that_is_imported_first_knows_every_kind() -> None:
    programs = [f"from streamlet_lab.{room} import *\n{body}" for room, body in ROOMS.items()]
    there = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-c", FORKING, *programs]
    done = subprocess.run(command, cwd=there, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_public_name_is_what_the_stub_says() -> None:
    lines = [
        line for line in ast.parse(STUB.read_text("utf-8")).body if type(line) is ast.ImportFrom
    ]
    homes = {name.asname: line.module for line in lines for name in line.names}
    rooms = {name for name, home in homes.items() if home == "streamlet_lab"}
    assert {name for name, home in homes.items() if name not in rooms} == {*sl.__all__} - {
        "studies"
    }
    assert len(homes) == sum(len(line.names) for line in lines) > 80
    for name, home in homes.items():
        there = f"{home}.{name}" if name in rooms else home
        module = importlib.import_module(str(there))
        assert getattr(sl, name) is (module if name in rooms else getattr(module, name)), name


def test_the_names_are_there_for_completion_and_for_import_star() -> None:
    given: dict[str, object] = {}
    exec("from streamlet_lab import *", given)
    assert {*given} - {"__builtins__"} == {*sl.__all__} <= {*dir(sl)}
    assert {"__version__", "widgets", "matching"} <= {*dir(sl)} - {*sl.__all__}


def test_every_module_is_there_by_its_name() -> None:
    assert sl.matching.Order is sl.Order  # as it was before names were imported late
    assert sl.widgets.Bench is importlib.import_module("streamlet_lab.widgets").Bench


def test_a_name_that_there_is_not_is_refused_with_one_like_it() -> None:
    with pytest.raises(AttributeError, match="module 'streamlet_lab' has no attribute 'Experimen'"):
        sl.Experimen  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'Experimen'"):
        exec("from streamlet_lab import Experimen")
    said = subprocess.run(
        [sys.executable, "-c", "import streamlet_lab as sl; sl.Experimen"],
        capture_output=True,
        text=True,
    )
    assert "Did you mean: 'Experiment'?" in said.stderr
