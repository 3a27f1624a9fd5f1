"""What a run takes of memory, by the peak of a process of its own."""

import subprocess
import sys

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from .timing import sized

pytest.importorskip("resource")  # there is none on Windows

_PROGRAM = """
import resource, sys
from pathlib import Path
import streamlet_lab as sl

settings = {"epochs": int(sys.argv[1]), "record": sys.argv[2], "signatures": "none"}
sl.Experiment(**settings).run().summary
if sys.platform == "linux":
    # What `resource` tells begins there with the peak of the process that this one was started by.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").open())
    print(status["VmHWM"].split()[0])
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak // 1024 if sys.platform == "darwin" else peak)
"""


def peak_kib(epochs: int, record: str) -> int:
    """Return the largest resident size of a process that makes one run and reads its summary."""
    command = [sys.executable, "-c", _PROGRAM, str(epochs), record]
    return int(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


@pytest.mark.parametrize("record", ["all", "summary"])
def test_memory_of_long_runs(benchmark: BenchmarkFixture, record: str) -> None:
    short = sized(2_000, 20)
    long = short * sized(10 if record == "summary" else 5, 2)
    first, second = peak_kib(short, record), peak_kib(long, record)
    grown = 1024 * (second - first) / (long - short)
    benchmark.extra_info |= {"ratio": second / first, "bytes_per_epoch": grown}
    benchmark.pedantic(peak_kib, args=(sized(100, 20), record), rounds=1)
    print(
        f"\nrecord={record!r}: {long:,} epochs / {short:,} epochs = {second / first:.2f} "
        f"({second // 1024} and {first // 1024} MiB), {grown:,.0f} bytes more for each epoch"
    )
