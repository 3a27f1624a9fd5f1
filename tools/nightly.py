"""What takes too long for every change: parts, each within its minutes, and a line on them all.

usage: python3 lab.py nightly [--only PART] [--seed N]

  adversaries   20,000 random adversaries inside the model
  decoders      every decoder of what others hand in, searched by atheris
  killed        sweeps with a store, killed at 20 random moments and resumed
  Python 3.N    the tests but for the browser's, on each other Python that pyproject.toml names

Environments and findings are in output/nightly. The exit code is 1 if a part failed, or took longer
than its minutes; a part that this machine has nothing for is named as not run.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import NamedTuple

from tools.tasks import PYTHON, ROOT, call, inside, installing

OUTPUT = ROOT / "output" / "nightly"
CLASSIFIER = "Programming Language :: Python :: 3."


class Part(NamedTuple):
    """Commands one after the other, and how many minutes they may take together."""

    minutes: int
    commands: list[list[str]]
    cwd: Path = ROOT


def versions() -> list[str]:
    """Return the Pythons that the project says it is tested on."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [name for name in project["classifiers"] if name.startswith(CLASSIFIER)]
    return [name.rpartition(" ")[2] for name in names]


def interpreter(version: str) -> str | None:
    """Find a Python of a version, on the path or among those of pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = shutil.which(f"python{version}")
    for place in filter(None, (found, *pyenv.glob(f"versions/{version}.*/bin/python"))):
        asked = [str(place), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        if subprocess.run(asked, capture_output=True, text=True).stdout.strip() == version:
            return str(place)
    return None


def other_python(version: str) -> Part | None:
    """Return the tests on another Python, if it is here."""
    base = interpreter(version)
    if base is None:
        return None
    place = OUTPUT / f"python{version}"
    python = str(inside(place))
    tests = ["-m", "pytest", "-q", "-p", "no:nbval", "-n", "logical", "--maxprocesses=4"]
    make = [base, "-m", "venv", "--clear", str(place)]
    return Part(45, [make, installing(python), [python, *tests, "-m", "not browser"]])


def parts(seed: int) -> dict[str, Part | None]:
    """Return every part by its name; None for what this machine has nothing for."""
    python = str(PYTHON)
    fuzz = [python, "-m", "streamlet_lab", "fuzz", "--runs", "20000", f"--seed={seed}"]
    killed = [python, "-m", "killing", f"--seed={seed}"]
    decoders = [python, "-m", "fuzz.nightly", "--seconds=120", f"--save={OUTPUT / 'decoders'}"]
    this = "{}.{}".format(*sys.version_info)
    return {
        "adversaries": Part(60, [[*fuzz, f"--save={OUTPUT / 'adversaries'}"]]),
        "decoders": Part(60, [installing(python, "nightly"), decoders], ROOT / "tests"),
        "killed": Part(15, [killed], ROOT / "tests"),
        **{f"Python {other}": other_python(other) for other in versions() if other != this},
    }


def play(part: Part) -> int:
    """Carry out a part within its minutes, up to the first command that fails."""
    end = time.monotonic() + 60 * part.minutes
    for command in part.commands:
        code = call(command, part.cwd, seconds=end - time.monotonic())
        if code:
            return code
    return 0


def main() -> int:
    """Carry out the parts, whatever became of the ones before, and sum up."""
    parser = argparse.ArgumentParser(prog="lab.py nightly", description=__doc__.splitlines()[0])
    parser.add_argument("--only", metavar="PART", help="one part, by its name")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of the adversaries and kills"
    )
    options = parser.parse_args()
    known = parts(options.seed)
    chosen = {name: part for name, part in known.items() if options.only in (None, name)}
    if not chosen:
        parser.error(f"--only: {options.only!r} is no part; {', '.join(known)} are")
    OUTPUT.mkdir(parents=True, exist_ok=True)
    became: dict[str, list[str]] = {"failed": [], "not run": [], "passed": []}
    for name, part in chosen.items():
        print(f"== {name}", flush=True)
        outcome = "not run" if part is None else "failed" if play(part) else "passed"
        became[outcome].append(name)
    print("; ".join(f"{outcome}: {', '.join(names)}" for outcome, names in became.items() if names))
    return 1 if became["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
