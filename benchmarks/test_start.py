"""What it costs to begin: new processes, as ratios to `import pandas` and to Python alone."""

import statistics
import subprocess
import sys

from pytest_benchmark.fixture import BenchmarkFixture

from .timing import seconds, sized

ROUNDS = sized(15, 1)
PROGRAMS = {
    "nothing": "pass",
    "pandas": "import pandas",
    "lab": "import pandas, streamlet_lab",
    "experiment": "import pandas, streamlet_lab; streamlet_lab.Experiment(epochs=1)",
    "version": "from streamlet_lab.cli import main; main(['--version'])",
}


def start(program: str) -> None:
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)


def test_start(benchmark: BenchmarkFixture) -> None:
    times: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(ROUNDS):  # in turn, so that each has its share of what else the machine does
        for name, program in PROGRAMS.items():
            times[name].append(seconds(lambda program=program: start(program)))
    benchmark.pedantic(start, args=(PROGRAMS["lab"],), rounds=1)
    python = statistics.median(times.pop("nothing"))
    took = {name: statistics.median(measured) for name, measured in times.items()}
    pandas = took["pandas"] - python
    on_top = {name: (took[name] - took["pandas"]) / pandas for name in ("lab", "experiment")}
    benchmark.extra_info.update(on_top, version=took["version"] / python)
    print(
        f"\non top of pandas: import streamlet_lab / import pandas = {on_top['lab']:.2f} (bar "
        f"0.35), with a first experiment {on_top['experiment']:.2f}; "
        f"--version / Python alone = {took['version'] / python:.1f}"
    )
