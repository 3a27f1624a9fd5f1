#!/usr/bin/env python3
"""Set up the lab and run it, with nothing but Python 3.11 or newer.

usage: python3 lab.py TASK [ARGUMENTS]

  run        the main job: one experiment, its summary and its charts
  lab        JupyterLab on the notebooks (arguments go to JupyterLab)
  test       everything that CI runs, on all cores (arguments go to pytest; -n 0: in one process)
  notebooks  run the notebooks again and store their outputs
  bench      the benchmarks (arguments go to pytest)
  nightly    20,000 random adversaries inside the model (arguments: --seed N, --save DIR)
  mutants    plant bugs, one at a time, and see whether the tests notice (arguments: --only TEXT)

Any other word is a command of the lab itself:

  python3 lab.py stock-consensus --epochs 12 --nodes 4

The first task sets up .venv beside this file, which takes about a minute.
"""

# Old Pythons must be able to read this file far enough to be told that they are too old.
from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TextIO

OLDEST_PYTHON = (3, 11)
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "lab-stamp"


class SetUpError(Exception):
    """The environment cannot be made; the message says why, in one line."""


def call(command: list[str], cwd: Path, stdout: TextIO | None = None) -> int:
    """Run a child to its end and return its exit code.

    An interrupt reaches the child too and is the child's to answer (JupyterLab asks whether to
    stop); it is raised here once the child has ended.
    """
    interrupted = False
    with subprocess.Popen(command, cwd=cwd, stdout=stdout) as child:
        while child.returncode is None:
            try:
                child.wait()
            except KeyboardInterrupt:
                interrupted = True
    if interrupted:
        raise KeyboardInterrupt
    code = child.returncode
    return code if code >= 0 else 128 - code  # ended by a signal: as shells report it


def python(*arguments: str, cwd: Path = ROOT) -> int:
    """Run the environment's Python."""
    return call([str(PYTHON), *arguments], cwd)


def fingerprint() -> str:
    """What the environment was made of: where it differs, it must be made anew."""
    digest = hashlib.sha256(f"{platform.python_version()}\n{ROOT}\n".encode())
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def is_set_up() -> bool:
    """Whether a finished environment for exactly these files stands beside this script."""
    return PYTHON.exists() and STAMP.exists() and STAMP.read_text() == fingerprint()


def set_up() -> None:
    """Make ``.venv`` from nothing; only a complete one gets its stamp."""
    print("lab.py: setting up .venv, once; this takes about a minute", file=sys.stderr)
    # The interpreter behind a virtual environment: this one may be running from the very .venv
    # that is about to go.
    base = getattr(sys, "_base_executable", sys.executable)
    uv = shutil.which("uv")
    if uv:
        make = [uv, "venv", "--quiet", "--seed", "--python", base, str(VENV)]
        install = [uv, "pip", "install", "--quiet", "--python", str(PYTHON)]
    else:
        make = [base, "-m", "venv", str(VENV)]
        install = [str(PYTHON), "-m", "pip", "install", "-qq"]
    try:
        STAMP.unlink(missing_ok=True)
        if VENV.exists():
            shutil.rmtree(VENV)
    except OSError as error:
        raise SetUpError(f"cannot remove the old .venv: {error}") from error
    for command in (make, [*install, "--constraint", "constraints.txt", "--editable", ".[test]"]):
        # To standard error: standard output belongs to the task, which may print JSON.
        code = call(command, ROOT, stdout=sys.stderr)
        if code:
            raise SetUpError(f"set-up failed (exit code {code}): {' '.join(command)}")
    STAMP.write_text(fingerprint())


def test(arguments: list[str]) -> int:
    """Run every check, whatever the ones before it said, and sum up."""
    # More workers than this would wait for the browser and for the longest notebook.
    workers = ["-n", "logical", "--maxprocesses=4"]
    nbval = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=120"]
    # The plugin for notebooks takes seconds to import, in each worker.
    plain = [*workers, "-p", "no:nbval", "--dist=worksteal"]
    checks = {
        "ruff check": ["ruff", "check"],
        "ruff format": ["ruff", "format", "--check"],
        "mypy": ["mypy"],
        "pytest": ["pytest", *plain, *arguments],
        "notebooks": ["pytest", *workers, "--dist=loadfile", *nbval, "notebooks"],
    }
    failed = []
    for name, command in checks.items():
        print(f"== {name}", flush=True)
        if python("-m", *command):
            failed.append(name)
    print("failed: " + ", ".join(failed) if failed else f"all passed: {', '.join(checks)}")
    return 1 if failed else 0


def run_task(task: str, arguments: list[str]) -> int:
    """Run one task in the environment and return its exit code."""
    if task == "test":
        return test(arguments)
    if task == "lab":
        root = f"--ServerApp.root_dir={ROOT / 'notebooks'}"
        return python("-m", "jupyterlab", root, *arguments)
    if task == "notebooks":
        return python("tools/execute_notebooks.py", *arguments)
    if task == "mutants":
        return python("tools/mutants.py", *arguments)
    if task == "bench":
        # -s shows the ratios that the benchmarks print; a warning must not end a measurement.
        options = ["-q", "-s", "-W", "default", "--benchmark-columns=min,median,rounds"]
        return python("-m", "pytest", "benchmarks", *options, *arguments)
    if task == "nightly":
        task, arguments = "fuzz", ["--runs", "20000", *arguments]
    # Files named on the command line are the user's: found from where the user stands.
    return python("-m", "streamlet_lab", task, *arguments, cwd=Path.cwd())


def main(arguments: list[str]) -> int:
    """Set up where needed, run the task, return the exit code."""
    if sys.version_info < OLDEST_PYTHON:
        needed = ".".join(map(str, OLDEST_PYTHON))
        this = platform.python_version()
        print(f"lab.py: Python {needed} or newer is needed; this is {this}", file=sys.stderr)
        return 2
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__.strip())
        return 0
    try:
        if not is_set_up():
            set_up()
        return run_task(arguments[0], arguments[1:])
    except SetUpError as error:
        print(f"lab.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
