"""A sweep that is killed at random moments, and goes on until it is done.

usage, by night: python -m killing [--moments N] [--seed N]
"""

import argparse
import csv
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

# A run of some milliseconds, which notes that it was made; its numbers are no short decimals.
SWEEP = """
import math, sys, time
from streamlet_lab import sweep

log, out, repeats, workers, store = sys.argv[1:]

def run(config):
    with open(log, "a") as lines:
        lines.write(f"{config.nodes} {config.seed}\\n")
    time.sleep(0.02)
    return config

def measure(config):
    if config.nodes == 5 and config.seed % 7 == 0:
        raise ValueError("no number")
    return {"root": math.sqrt(config.seed), "few": None if config.seed % 3 else config.nodes}

if __name__ == "__main__":
    over, store, workers = {"nodes": [4, 5, 6, 7]}, store or None, int(workers) or None
    swept = sweep(
        {}, over, repeats=int(repeats), run=run, measure=measure, store=store, workers=workers
    )
    with open(out, "w") as file:
        file.write(swept.frame.to_csv() + swept.failures.to_csv())
"""
_LONGEST = 0.4  # s from the first run to the kill: the time of twenty runs, one after the other
_REPEATS = 4  # for each moment: so many runs of four points are made in about that time


class Became(NamedTuple):
    """How often it went on in the middle, which runs were kept and made again, and if all is as it
    would be had nothing happened."""

    midway: int
    twice: list[tuple[str, str]]
    same: bool


def kill_and_resume(folder: Path, moments: int, workers: int, seed: int = 0) -> Became:
    """Kill a sweep so often, let it go on each time, and say what became of it."""
    draw = random.Random(seed)
    script, whole, resumed, log, store = (
        folder / name for name in ("sweep.py", "whole.csv", "resumed.csv", "log", "späte läufe.db")
    )
    script.write_text(SWEEP, encoding="utf-8")

    def start(out: Path, *where: str) -> subprocess.Popen[bytes]:
        log.write_text("", encoding="utf-8")
        command = [sys.executable, "-W", "ignore", script, log, out, str(_REPEATS * moments)]
        return subprocess.Popen([*command, *where], start_new_session=True)

    start(whole, "0", "").wait()
    known = _known(whole)
    midway, twice = 0, []
    for moment in range(moments + 1):
        kept = [known[number] for number in _kept(store)]
        midway += 0 < len(kept) < len(known)
        process = start(resumed, str(workers), str(store))
        if moment < moments:
            while process.poll() is None and not _made(log):
                time.sleep(0.01)
            time.sleep(draw.uniform(0, _LONGEST))
            with suppress(ProcessLookupError):  # it may be done
                os.killpg(process.pid, signal.SIGKILL)  # with its workers
        process.wait()
        twice += [run for run in kept if run in _made(log)]
    return Became(midway, twice, resumed.read_bytes() == whole.read_bytes())


def _known(frames: Path) -> dict[int, tuple[str, str]]:
    """Return what each run notes, by its number: round after round of the four points."""
    rows = csv.reader(frames.read_text(encoding="utf-8").splitlines())
    runs = [(nodes, repeat, seed) for _, nodes, repeat, seed, *_ in rows if nodes != "nodes"]
    return {4 * int(repeat) + int(nodes) - 4: (nodes, seed) for nodes, repeat, seed in runs}


def _kept(store: Path) -> list[int]:
    if not store.exists():
        return []
    with closing(sqlite3.connect(store)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
        return [run for (run,) in connection.execute("SELECT run FROM runs")] if tables else []


def _made(log: Path) -> Counter[tuple[str, str]]:
    return Counter(
        (nodes, seed)
        for nodes, seed in map(str.split, log.read_text(encoding="utf-8").splitlines())
    )


def main() -> int:
    """Kill one sweep after the other: alone, and with two workers."""
    parser = argparse.ArgumentParser(prog="killing", description=__doc__.splitlines()[0])
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    sound = True
    for workers in (0, 2):
        with tempfile.TemporaryDirectory() as folder:
            became = kill_and_resume(Path(folder), options.moments, workers, options.seed)
        print(f"workers: {workers or 'none'}; {became}", flush=True)
        sound &= became.same and not became.twice and became.midway > options.moments // 2
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
