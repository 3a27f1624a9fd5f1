"""Plant bugs into a copy of the repo, one at a time, and see whether the tests of each notice.

usage: python3 lab.py mutants [--only TEXT] [--timeout SECONDS]

The bugs are data: tests/mutants/mutants.toml. A mutant is killed if one of its test files fails, or
does not end in time. The exit code is 1 if one survives, and 2 if the tests fail without any bug.
"""

import argparse
import importlib
import itertools
import os
import shutil
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Sequence
from multiprocessing import Process
from pathlib import Path
from typing import Final, NamedTuple

import pytest

ROOT: Final = Path(__file__).resolve().parents[1]
MUTANTS: Final = ROOT / "tests/mutants/mutants.toml"
# What takes long to import, of all that the package needs: once for all, where processes fork.
_AHEAD: Final = ("ipywidgets", "matplotlib.pyplot", "pandas", "pydantic", "scipy.stats")
_LEFT_OUT: Final = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*cache", ".hypothesis")


class Mutant(NamedTuple):
    """A bug of one line.

    Parameters
    ----------
    name : str
        What is wrong, in words.
    file : str
        Where, from the root of the repo.
    before, after : str
        The line, without its indentation, and what stands there instead.
    tests : list of str
        The narrowest test files that ought to notice.
    """

    name: str
    file: str
    before: str
    after: str
    tests: list[str]

    @property
    def room(self) -> str:
        """The part of the package that it is in."""
        return Path(self.file).parts[1].removesuffix(".py")

    def plant(self, source: str) -> str:
        """Return a source with the bug in it.

        Raises
        ------
        ValueError
            If the line is not in the source exactly once.
        """
        lines = source.splitlines(keepends=True)
        found = [number for number, line in enumerate(lines) if line.strip() == self.before]
        if len(found) != 1:
            raise ValueError(f"{self.name}: {len(found)} times in {self.file}: {self.before}")
        [number] = found
        lines[number] = lines[number].replace(self.before, self.after)
        return "".join(lines)


def load_mutants() -> list[Mutant]:
    """Read all mutants."""
    return [Mutant(**table) for table in tomllib.loads(MUTANTS.read_text())["mutant"]]


class Field:
    """A copy of the repo in which mutants are planted and pulled out again."""

    def __init__(self, place: Path, timeout: float) -> None:
        self._place = place
        self._timeout = timeout
        self._green: set[str] = set()
        # Compiled files are known by size and whole second: each text gets a second of its own.
        self._seconds = itertools.count(int(time.time()))
        shutil.copytree(ROOT, place, ignore=_LEFT_OUT)
        for name in _AHEAD:
            importlib.import_module(name)

    def try_out(self, mutant: Mutant) -> str:
        """Return ``killed``, ``timeout`` or ``survived``; ``broken`` if the tests fail anyway."""
        unproven = [test for test in mutant.tests if test not in self._green]
        if unproven and self._test(unproven) != 0:
            return "broken"
        self._green.update(unproven)
        file = self._place / mutant.file
        source = file.read_text()
        self._write(file, mutant.plant(source))
        try:
            code = self._test(mutant.tests)
        finally:
            self._write(file, source)
        return "timeout" if code is None else "killed" if code else "survived"

    def _write(self, file: Path, source: str) -> None:
        file.write_text(source)
        second = next(self._seconds)
        os.utime(file, (second, second))

    def _test(self, tests: Sequence[str]) -> int | None:
        """Return the exit code of pytest; None if it took too long."""
        child = Process(target=_run_pytest, args=(self._place, tests))
        child.start()
        child.join(self._timeout)
        if child.exitcode is None:
            child.kill()
            child.join()
            return None
        return child.exitcode


def _run_pytest(place: Path, tests: Sequence[str]) -> None:
    """Run tests of a copy of the repo, in a process of their own."""
    os.chdir(place)
    os.environ["PYTHONPATH"] = sys.path[0] = str(place)
    sys.dont_write_bytecode = False  # what is compiled for one mutant serves the next
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    # The plugin for notebooks takes longer to import than most of the tests run.
    sys.exit(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:nbval", *tests]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Try out the mutants, print a table, and return the exit code."""
    parser = argparse.ArgumentParser(prog="lab.py mutants", description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="a part of the names or files of some mutants")
    parser.add_argument("--timeout", type=float, default=300, help="seconds for each run of tests")
    options = parser.parse_args(arguments)
    chosen = [one for one in load_mutants() if options.only in f"{one.name} {one.file}"]
    outcomes: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        field = Field(Path(folder, "repo"), options.timeout)
        for mutant in chosen:
            begun = time.monotonic()
            outcome = field.try_out(mutant)
            outcomes[mutant.room, outcome] += 1
            took = time.monotonic() - begun
            print(f"{outcome:8} {took:6.1f} s  {mutant.file}: {mutant.name}", flush=True)
    print(f"\n{'room':12} {'mutants':>7} {'killed':>7} {'survived':>8} {'broken':>7}")
    for room in (*dict.fromkeys(room for room, _ in outcomes), "all"):
        found = Counter[str]()
        for (place, outcome), count in outcomes.items():
            if room in (place, "all"):
                found["killed" if outcome == "timeout" else outcome] += count
        print(
            f"{room:12} {found.total():7} {found['killed']:7} {found['survived']:8} "
            f"{found['broken']:7}"
        )
    kinds = {outcome for _, outcome in outcomes}
    return 2 if "broken" in kinds else 1 if "survived" in kinds else 0


if __name__ == "__main__":
    sys.exit(main())
