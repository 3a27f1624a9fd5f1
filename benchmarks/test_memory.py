"""What a run takes of memory, by the peak of a process of its own."""

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from .timing import peak_mib, sized

pytest.importorskip("resource")  # there is none on Windows

_PROGRAM = """
import sys
import streamlet_lab as sl

epochs, record, signatures = sys.argv[1:]
sl.Experiment(epochs=int(epochs), record=record, signatures=signatures).run().summary
"""


@pytest.mark.parametrize(("record", "signatures"), [("all", "ed25519"), ("summary", "none")])
def test_memory_of_long_runs(benchmark: BenchmarkFixture, record: str, signatures: str) -> None:
    """Of runs with their summary read; the bar is that of a default run of 10,000 epochs."""
    short = sized(2_000, 20)
    long = short * sized(10 if record == "summary" else 5, 2)
    first, second = (peak_mib(_PROGRAM, epochs, record, signatures) for epochs in (short, long))
    grown = 2**20 * (second - first) / (long - short)
    benchmark.extra_info |= {"ratio": second / first, "bytes_per_epoch": grown}
    benchmark.pedantic(peak_mib, args=(_PROGRAM, sized(100, 20), record, signatures), rounds=1)
    bar = " (bar 250)" if record == "all" else ""
    print(
        f"\nrecord={record!r}, signatures={signatures!r}: {long:,} epochs {second:.0f} MiB{bar}, "
        f"{short:,} epochs {first:.0f} MiB, ratio {second / first:.2f}; "
        f"{grown:,.0f} bytes more for each epoch"
    )
