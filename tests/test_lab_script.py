"""The logic of lab.py, with every child process replaced: nothing is installed here."""

import ast
import importlib.util
import platform
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import TextIO

import pytest
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[1]
UV = "/tools/uv"


class Children:
    """Stands for every child process: remembers the commands, fails or is interrupted on order."""

    def __init__(self, lab: ModuleType) -> None:
        self.lab = lab
        self.commands: list[list[str]] = []
        self.places: list[Path] = []
        self.outputs: list[TextIO | None] = []
        self.exit_codes: dict[str, int] = {}
        self.interrupted_at: str | None = None

    def __call__(self, command: list[str], cwd: Path, stdout: TextIO | None = None) -> int:
        self.commands.append(command)
        self.places.append(cwd)
        self.outputs.append(stdout)
        if self.interrupted_at in command:
            raise KeyboardInterrupt
        if "venv" in command:
            self.lab.PYTHON.parent.mkdir(parents=True)
            self.lab.PYTHON.touch()
        return next((code for word, code in self.exit_codes.items() if word in command), 0)

    @property
    def arguments(self) -> list[list[str]]:
        """What was asked of the environment's Python, set-up excepted."""
        own = [command[1:] for command in self.commands if command[0] == str(self.lab.PYTHON)]
        return [command for command in own if command[:2] != ["-m", "pip"]]

    @property
    def set_ups(self) -> int:
        return sum("venv" in command for command in self.commands)


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """lab.py in a checkout of its own, on a machine without uv."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for name in ("lab.py", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, checkout / name)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    return import_script(checkout / "lab.py")


@pytest.fixture
def children(lab: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Children:
    replaced = Children(lab)
    monkeypatch.setattr(lab, "call", replaced)
    return replaced


def import_script(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("lab_script", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Set-up


def test_the_first_task_sets_up_and_the_second_starts_at_once(
    lab: ModuleType, children: Children
) -> None:
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


def test_uv_is_used_where_it_is_there(
    lab: ModuleType, children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: UV if name == "uv" else None)

    assert lab.main(["run"]) == 0
    make, install, _ = children.commands
    assert make[:2] == [UV, "venv"]
    assert "--seed" in make
    assert make[-1] == str(lab.VENV)
    assert install[:3] == [UV, "pip", "install"]
    assert install[-4:] == ["--constraint", "constraints.txt", "--editable", ".[test]"]


def test_the_environment_comes_from_the_python_behind_a_virtual_one(
    lab: ModuleType, children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(lab.PYTHON))
    monkeypatch.setattr(sys, "_base_executable", "/system/python")
    lab.main(["run"])

    assert children.commands[0][0] == "/system/python"


def test_set_up_leaves_standard_output_to_the_task(
    lab: ModuleType, children: Children, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.main(["run", "--json"])

    assert children.outputs == [sys.stderr, sys.stderr, None]
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "setting up .venv" in captured.err


@pytest.mark.parametrize("changed", ["pyproject.toml", "constraints.txt"])
def test_a_changed_file_sets_up_again_from_nothing(
    lab: ModuleType, children: Children, changed: str
) -> None:
    lab.main(["run"])
    leftover = lab.VENV / "leftover"
    leftover.touch()
    with (lab.ROOT / changed).open("a") as file:
        file.write("# changed\n")

    lab.main(["run"])
    lab.main(["run"])
    assert children.set_ups == 2
    assert not leftover.exists()


def test_another_python_sets_up_again(
    lab: ModuleType, children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.main(["run"])
    monkeypatch.setattr(platform, "python_version", lambda: "3.99.0")
    lab.main(["run"])

    assert children.set_ups == 2


def test_a_moved_checkout_sets_up_again(
    lab: ModuleType, children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.main(["run"])
    moved = import_script(lab.ROOT.rename(lab.ROOT.with_name("moved")) / "lab.py")

    assert (moved.VENV / "lab-stamp").exists()
    assert not moved.is_set_up()


def test_a_lost_interpreter_sets_up_again(lab: ModuleType, children: Children) -> None:
    lab.main(["run"])
    lab.PYTHON.unlink()
    lab.main(["run"])

    assert children.set_ups == 2


@pytest.mark.parametrize("failing", ["venv", "pip"])
def test_a_failed_set_up_says_so_and_is_repeated(
    lab: ModuleType, children: Children, capsys: pytest.CaptureFixture[str], failing: str
) -> None:
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


def test_an_interrupted_set_up_is_repeated(lab: ModuleType, children: Children) -> None:
    children.interrupted_at = "pip"
    assert lab.main(["run"]) == 130
    assert not lab.is_set_up()

    children.interrupted_at = None
    assert lab.main(["run"]) == 0
    assert children.set_ups == 2


def test_a_failed_set_up_takes_the_old_stamp_away(lab: ModuleType, children: Children) -> None:
    lab.main(["run"])
    constraints = lab.ROOT / "constraints.txt"
    before = constraints.read_bytes()
    constraints.write_bytes(before + b"# changed\n")
    children.exit_codes = {"pip": 1}
    lab.main(["run"])
    constraints.write_bytes(before)

    assert not lab.is_set_up()


def test_an_old_environment_that_cannot_go_is_an_error(
    lab: ModuleType,
    children: Children,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    lab.VENV.mkdir()
    monkeypatch.setattr(shutil, "rmtree", refuse)

    assert lab.main(["run"]) == 2
    assert children.commands == []
    assert "lab.py: cannot remove the old .venv" in capsys.readouterr().err


# Words on the command line


@pytest.mark.parametrize("arguments", [[], ["-h"], ["--help"]])
def test_usage_names_every_task_and_sets_nothing_up(
    lab: ModuleType,
    children: Children,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
) -> None:
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
    lab: ModuleType,
    children: Children,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    lab.main(arguments)

    assert children.arguments == [["-m", "streamlet_lab", *arguments]]
    assert children.places[-1] == tmp_path
    assert children.outputs[-1] is None


def test_lab_opens_jupyterlab_on_the_notebooks(lab: ModuleType, children: Children) -> None:
    lab.main(["lab", "--no-browser"])
    root = f"--ServerApp.root_dir={lab.ROOT / 'notebooks'}"

    assert children.arguments == [["-m", "jupyterlab", root, "--no-browser"]]


@pytest.mark.parametrize(
    ("task", "tool"), [("notebooks", "execute_notebooks"), ("mutants", "mutants")]
)
def test_a_task_is_done_by_its_tool(
    lab: ModuleType, children: Children, task: str, tool: str
) -> None:
    lab.main([task, "--option"])

    assert children.arguments == [[f"tools/{tool}.py", "--option"]]
    assert children.places[-1] == lab.ROOT


def test_bench_shows_what_the_benchmarks_print(lab: ModuleType, children: Children) -> None:
    lab.main(["bench", "-k", "ratio"])
    (command,) = children.arguments

    assert command[:3] == ["-m", "pytest", "benchmarks"]
    assert command[-2:] == ["-k", "ratio"]
    assert "-s" in command
    assert command[command.index("-W") + 1] == "default"


def test_nightly_is_a_long_search(lab: ModuleType, children: Children) -> None:
    lab.main(["nightly", "--seed", "7"])
    (command,) = children.arguments

    assert command == ["-m", "streamlet_lab", "fuzz", "--runs", "20000", "--seed", "7"]


@pytest.mark.parametrize("task", ["run", "lab", "notebooks", "bench", "nightly", "streamlet"])
def test_the_exit_code_is_the_childs(lab: ModuleType, children: Children, task: str) -> None:
    lab.main(["run"])
    children.exit_codes = {str(lab.PYTHON): 5}

    assert lab.main([task]) == 5


# The test task


def test_test_runs_every_check_in_order(
    lab: ModuleType, children: Children, capsys: pytest.CaptureFixture[str]
) -> None:
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


def test_test_goes_on_after_a_failure_and_names_each(
    lab: ModuleType, children: Children, capsys: pytest.CaptureFixture[str]
) -> None:
    children.exit_codes = {"check": 1, "--nbval": 5}

    assert lab.main(["test"]) == 1
    assert len(children.arguments) == 5
    assert capsys.readouterr().out.splitlines()[-1] == "failed: ruff check, notebooks"


def test_an_interrupt_ends_the_checks(lab: ModuleType, children: Children) -> None:
    children.interrupted_at = "mypy"

    assert lab.main(["test"]) == 130
    assert len(children.arguments) == 3


# Old Pythons and child processes


def test_an_old_python_is_told_so(
    lab: ModuleType,
    children: Children,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 13, "final", 0))
    monkeypatch.setattr(platform, "python_version", lambda: "3.10.13")

    assert lab.main(["run"]) == 2
    assert children.commands == []
    message = "lab.py: Python 3.11 or newer is needed; this is 3.10.13\n"
    assert capsys.readouterr().err == message


def test_an_old_python_can_read_the_script() -> None:
    ast.parse((ROOT / "lab.py").read_text(encoding="utf-8"), feature_version=(3, 7))


def test_the_oldest_python_is_the_projects(lab: ModuleType) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    major, minor = lab.OLDEST_PYTHON

    assert SpecifierSet(project["requires-python"]) == SpecifierSet(f">={major}.{minor}")


def test_the_script_needs_the_standard_library_only() -> None:
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


def test_call_returns_the_exit_code(lab: ModuleType, tmp_path: Path) -> None:
    assert lab.call([sys.executable, "-S", "-c", "raise SystemExit(3)"], tmp_path) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to end a process by")
def test_call_reports_a_signal_as_shells_do(lab: ModuleType, tmp_path: Path) -> None:
    suicide = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"

    code = lab.call([sys.executable, "-S", "-c", suicide], tmp_path)
    assert code == 128 + signal.SIGKILL


def test_call_lets_an_interrupted_child_end_first(
    lab: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class InterruptedTwice:
        returncode: int | None = None
        waits = 0

        def __init__(self, *arguments: object, **options: object) -> None: ...

        def __enter__(self) -> "InterruptedTwice":
            return self

        def __exit__(self, *error: object) -> None: ...

        def wait(self) -> None:
            InterruptedTwice.waits += 1
            if InterruptedTwice.waits < 3:
                raise KeyboardInterrupt
            self.returncode = 0

    monkeypatch.setattr(subprocess, "Popen", InterruptedTwice)

    with pytest.raises(KeyboardInterrupt):
        lab.call(["jupyter"], tmp_path)
    assert InterruptedTwice.waits == 3
