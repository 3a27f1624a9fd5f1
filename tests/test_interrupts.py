"""Commands as processes: whatever ends them, there is an exit code and at most one line."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from streamlet_lab.interrupts import is_command

# What the script that an installer writes does.
SCRIPT = "from streamlet_lab.__main__ import start\n\nstart()\n"
LONG = ["streamlet", "--epochs", "100000"]

# In the place of a module that the lab imports: the signal comes right then.
STRUCK = """
import os, signal, time

os.kill(os.getpid(), signal.{number})
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def buffered(monkeypatch):
    """Output as it is for most: an unbuffered one has nothing left that could fail at the end."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)


@pytest.fixture(autouse=True)
def heeding():
    """Ctrl-C ends what these tests start, also where they run as a job that ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def command(tmp_path):
    """The command's program, by each of its two ways in."""
    script = tmp_path / "streamlet-lab"
    script.write_text(SCRIPT, encoding="utf-8")
    return {"module": ["-m", "streamlet_lab"], "script": [str(script)]}


@contextmanager
def started(arguments, **environment):
    """A process in a group of its own, of which nothing is left, whatever becomes of the test."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        start_new_session=True,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def ending(process):
    """The exit code as a shell has it, and what was said in the end."""
    out, err = process.communicate(timeout=60)
    assert out == ""
    code = process.returncode
    return (code if code >= 0 else 128 - code), err


@pytest.mark.parametrize(
    ("way", "module", "number", "code", "said"),
    [
        ("module", "argparse", "SIGINT", 130, ""),  # before there is anyone to say something
        ("script", "argparse", "SIGTERM", 143, ""),
        ("module", "pydantic", "SIGINT", 130, "streamlet-lab: interrupted\n"),
        ("script", "numpy", "SIGINT", 130, "streamlet-lab: interrupted\n"),
        ("script", "cryptography", "SIGTERM", 143, "streamlet-lab: terminated\n"),
    ],
)
def test_a_signal_while_it_imports_ends_it_with_a_line_at_most(
    command, tmp_path, way, module, number, code, said
):
    struck = tmp_path / "struck" / f"{module}.py"
    struck.parent.mkdir()
    struck.write_text(STRUCK.format(number=number), encoding="utf-8")
    path = os.pathsep.join([str(struck.parent), str(Path(__file__).parents[1])])
    with started([*command[way], *LONG], PYTHONPATH=path) as process:
        assert ending(process) == (code, said)


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
    ids=["INT", "TERM"],
)
def test_a_signal_while_it_runs_is_told_in_one_line(command, number, code, said):
    with started([*command["module"], *LONG]) as process:
        assert process.stderr.readline() == "epoch 0 of 100000\n"
        process.send_signal(number)
        assert ending(process) == (code, f"streamlet-lab: {said}\n")


def test_an_interrupted_search_prints_what_it_found(command):
    with started([*command["module"], "fuzz", "--runs", "100000"]) as process:
        assert process.stderr.readline() == "run 0 of 100000\n"
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert out.startswith("interrupted after ")
    assert (process.returncode, err) == (143, "streamlet-lab: terminated\n")


@pytest.mark.slow
def test_a_sweep_and_its_workers_end_with_what_is_finished(command, tmp_path):
    """Ctrl-C reaches all of them."""
    study, store = tmp_path / "study.toml", tmp_path / "s.db"
    study.write_text('repeats = 500\nmeasure = ["orders"]\nbase.epochs = 8\n', encoding="utf-8")
    arguments = ["sweep", str(study), "--store", str(store), "--workers", "2"]
    with started([*command["module"], *arguments]) as process:
        assert process.stderr.readline() == "run 50 of 500\n"
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert out.startswith("interrupted: ")
    assert out.endswith(f"Kept in {store}: the same command goes on from there\n")
    assert (process.returncode, err) == (130, "streamlet-lab: interrupted\n")


@pytest.mark.parametrize(
    ("shell", "code", "said"),
    [
        ("| head -c 0", 141, ""),
        (">&-", 0, ""),
        ("2>&-", 0, ""),
        ("2> >(head -c 0) --epochs 600", 0, ""),
        (
            "> /dev/full",
            2,
            "streamlet-lab: error: [Errno 28] No space left on device: 'standard output'\n",
        ),
        ("--nodes 0 2>&-", 2, ""),
    ],
)
def test_an_output_that_nobody_takes(shell, code, said):
    line = f"{sys.executable} -m streamlet_lab streamlet {shell}; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (code, said)


def test_the_environment_has_no_say(command, tmp_path):
    charts = tmp_path / "τέχνη"
    arguments = [*command["module"], "run", "--epochs", "8", "--plots", str(charts)]
    with started(arguments, MPLBACKEND="nonsense", PYTHONIOENCODING="ascii") as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out.isascii()
    assert "\\u03c4" in out
    assert len(list(charts.glob("*.png"))) == 4


@pytest.mark.parametrize(
    ("argv", "original", "expected"),
    [
        (["-m", "run"], ["python", "-m", "streamlet_lab", "run"], True),
        (["-m"], ["python", "-X", "dev", "-mstreamlet_lab"], True),
        (["/somewhere/bin/streamlet-lab", "run"], [], True),
        (["streamlet-lab.exe"], [], True),
        (["-m", "streamlet_lab"], ["python", "-m", "pytest", "streamlet_lab"], False),
        (["study.py", "streamlet-lab"], [], False),
        ([""], ["python"], False),
        ([], [], False),
    ],
)
def test_only_a_command_is_one(monkeypatch, argv, original, expected):
    monkeypatch.setattr(sys, "argv", argv)
    monkeypatch.setattr(sys, "orig_argv", original)
    assert is_command() is expected


def test_a_program_that_imports_the_lab_keeps_its_own_handling():
    program = "import signal, json; before = [signal.getsignal(n) for n in (2, 15)]\n"
    program += "import streamlet_lab.cli\n"
    program += "print(json.dumps([before == [signal.getsignal(n) for n in (2, 15)]]))"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60)
    assert json.loads(printed.stdout) == [True]
