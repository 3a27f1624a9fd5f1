"""What the benchmarks share: a stop watch, a count of calls, the pure cost of signatures."""

import subprocess
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from streamlet_lab.keys import Ed25519Keyring

_T = TypeVar("_T")

#: Whether the benchmarks only show that they run: set before they are imported.
smoke = False


def sized(full: _T, small: _T) -> _T:
    """Return a size that is worth a measurement, or the small one of a smoke test."""
    return small if smoke else full


def seconds(work: Callable[[], object]) -> float:
    """Return how long some work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def calls(work: Callable[[], object]) -> int:
    """Return how many calls of Python functions some work makes: the same on every machine.

    A generator that goes on is called again.
    """
    made, before = 0, sys.getprofile()

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal made
        made += event == "call"

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return made


def signatures_alone(signatures: int, verifications: int) -> None:
    """Sign and verify distinct messages of a vote's size, and nothing else."""
    keyring = Ed25519Keyring(["node_0"], seed=0, remember=False)
    messages = [number.to_bytes(96, "big") for number in range(max(signatures, verifications))]
    signed = [keyring.sign("node_0", message) for message in messages[:signatures]]
    for message, signature in zip(messages[:verifications], signed, strict=True):
        assert keyring.verify("node_0", signature, message)


def peak_mib(program: str, *arguments: object) -> float:
    """Return the largest resident size of a process of its own that runs a program."""
    command = [sys.executable, "-c", program + _PEAK, *map(str, arguments)]
    output = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    return int(output) / 1024


# In kB. What `resource` tells begins on Linux with the peak of the process that started this one.
_PEAK = """
import sys
from pathlib import Path

if sys.platform == "linux":
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").open())
    print(status["VmHWM"].split()[0])
else:
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak // 1024 if sys.platform == "darwin" else peak)
"""
