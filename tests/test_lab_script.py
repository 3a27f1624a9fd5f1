"""The logic of lab.py, with every child process replaced: nothing is installed here."""

import ast
import importlib.util
import platform
import shutil
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[1]


class Children:
    """Stands for every child process: remembers the commands, fails or is interrupted on order."""

    def __init__(self, lab):
        self.lab = lab
        self.commands = []
        self.places = []
        self.outputs = []
        self.exit_codes = {}

    def __call__(self, command, cwd, stdout=None):
        self.commands.append(command)
        self.places.append(cwd)
        self.outputs.append(stdout)
        if "venv" in command:
            self.lab.PYTHON.parent.mkdir(parents=True)
            self.lab.PYTHON.touch()
        return next((code for word, code in self.exit_codes.items() if word in command), 0)

    @property
    def arguments(self):
        """What was asked of the environment's Python, set-up excepted."""
        own = [command[1:] for command in self.commands if command[0] == str(self.lab.PYTHON)]
        return [command for command in own if command[:2] != ["-m", "pip"]]

    @property
    def set_ups(self):
        return sum("venv" in command for command in self.commands)


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """lab.py in a checkout of its own, on a machine without uv."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for name in ("lab.py", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, checkout / name)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    return import_script(checkout / "lab.py")


@pytest.fixture
def children(lab, monkeypatch):
    replaced = Children(lab)
    monkeypatch.setattr(lab, "call", replaced)
    return replaced


def import_script(path):
    spec = importlib.util.spec_from_file_location("lab_script", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Set-up


def test_the_first_task_sets_up_and_the_second_starts_at_once(lab, children):
    python = str(lab.PYTHON)

    assert lab.main(["run"]) == 0
    make, install, run = children.commands
    assert make[1:] == ["-m", "venv", str(lab.VENV)]
    assert install[:4] == [python, "-m", "pip", "install"]
    assert install[-4:] == ["--constraint", "constraints.txt", "--editable", ".[test]"]
    assert run == [python, "-m", "streamlet_lab", "run"]
    assert children.places[:2] == [lab.ROOT, lab.ROOT]

    children.commands.clear()
    assert lab.main(["run"]) == 0
    assert children.commands == [run]


@pytest.mark.parametrize("changed", ["pyproject.toml", "constraints.txt"])
def test_a_changed_file_sets_up_again_from_nothing(lab, children, changed):
    lab.main(["run"])
    leftover = lab.VENV / "leftover"
    leftover.touch()
    with (lab.ROOT / changed).open("a") as file:
        file.write("# changed\n")

    lab.main(["run"])
    lab.main(["run"])
    assert children.set_ups == 2
    assert not leftover.exists()


@pytest.mark.parametrize("failing", ["venv", "pip"])
def test_a_failed_set_up_says_so_and_is_repeated(lab, children, capsys, failing):
    children.exit_codes = {failing: 7}

    assert lab.main(["run"]) == 2
    assert failing in children.commands[-1]
    last_line = capsys.readouterr().err.splitlines()[-1]
    assert last_line.startswith("lab.py: set-up failed (exit code 7): ")
    assert failing in last_line
    assert not lab.is_set_up()

    children.exit_codes = {}
    assert lab.main(["run"]) == 0
    assert children.set_ups == 2


# Words on the command line


@pytest.mark.parametrize("arguments", [[], ["-h"], ["--help"]])
def test_usage_names_every_task_and_sets_nothing_up(lab, children, capsys, arguments):
    assert lab.main(arguments) == 0
    assert children.commands == []
    words = capsys.readouterr().out.split()
    assert {"run", "lab", "test", "notebooks", "bench", "stock-consensus"} <= set(words)


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "experiment.toml"],
        ["stock-consensus", "--epochs", "12", "--nodes", "4"],
        ["streamlet", "--help"],
        ["--version"],
    ],
)
def test_other_words_reach_the_lab_from_where_the_user_stands(
    lab, children, monkeypatch, tmp_path, arguments
):
    monkeypatch.chdir(tmp_path)
    lab.main(arguments)

    assert children.arguments == [["-m", "streamlet_lab", *arguments]]
    assert children.places[-1] == tmp_path
    assert children.outputs[-1] is None


@pytest.mark.parametrize(
    ("task", "tool"), [("notebooks", "execute_notebooks"), ("mutants", "mutants")]
)
def test_a_task_is_done_by_its_tool(lab, children, task, tool):
    lab.main([task, "--option"])

    assert children.arguments == [[f"tools/{tool}.py", "--option"]]
    assert children.places[-1] == lab.ROOT


# The test task


def test_test_runs_every_check_in_order(lab, children, capsys):
    workers = ["-n", "logical", "--maxprocesses=4"]
    nbval = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=120"]

    assert lab.main(["test", "-x"]) == 0
    assert children.arguments == [
        ["-m", "ruff", "check"],
        ["-m", "ruff", "format", "--check"],
        ["-m", "mypy"],
        ["-m", "pytest", *workers, "-p", "no:nbval", "--dist=worksteal", "-x"],
        ["-m", "pytest", *workers, "--dist=loadfile", *nbval, "notebooks"],
    ]
    assert set(children.places) == {lab.ROOT}
    last_line = capsys.readouterr().out.splitlines()[-1]
    assert last_line == "all passed: ruff check, ruff format, mypy, pytest, notebooks"


# Old Pythons and child processes


def test_an_old_python_is_told_so(lab, children, monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 10, 13, "final", 0))
    monkeypatch.setattr(platform, "python_version", lambda: "3.10.13")

    assert lab.main(["run"]) == 2
    assert children.commands == []
    message = "lab.py: Python 3.11 or newer is needed; this is 3.10.13\n"
    assert capsys.readouterr().err == message


def test_the_oldest_python_is_the_projects(lab):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    major, minor = lab.OLDEST_PYTHON

    assert SpecifierSet(project["requires-python"]) == SpecifierSet(f">={major}.{minor}")


def test_the_script_needs_the_standard_library_only():
    tree = ast.parse((ROOT / "lab.py").read_text(encoding="utf-8"))
    modules = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert modules <= sys.stdlib_module_names
