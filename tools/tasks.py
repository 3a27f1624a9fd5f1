"""What ``lab.py`` does, with the standard library alone: the environment, and the tasks in it."""

import hashlib
import os
import platform
import re
import runpy
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryFile
from types import FrameType
from typing import Any, TextIO
from xml.etree import ElementTree

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"


def inside(environment: Path) -> Path:
    """Return the Python of a virtual environment."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


PYTHON = inside(VENV)
STAMP = VENV / "lab-stamp"
LOCK = ROOT / ".venv.lock"
# What the tasks need beside the package itself.
EXTRAS = "test,lab,docs"
# The source folder is the repository, so that links to notebooks are those that any host shows.
SITE = ["sphinx", "-W", "--keep-going", "-q", "-c", "docs", ".", "output/site"]
# A warning must not end a measurement.
BENCHMARKS = ["benchmarks", "-q", "-W", "default", "--benchmark-columns=min,median,rounds"]
# Commands of the lab that any Python answers by itself if it has these packages.
AT_ONCE = {"--version": (), "verify": ("cryptography", "pydantic")}
# What ends this process ends its child first. Windows has no SIGHUP.
SIGNALS = [getattr(signal, name, signal.SIGTERM) for name in ("SIGINT", "SIGTERM", "SIGHUP")]


class SetUpError(Exception):
    """The environment cannot be made, or used; the message says why, in one line."""


def say(text: str) -> None:
    """Tell the user something; that nobody listens any more is no reason to stop."""
    try:
        print(f"lab.py: {text}", file=sys.stderr, flush=True)
    except OSError:
        discard(2)


def discard(stream: int) -> None:
    """Send to nowhere what is left for a stream that is broken, or the end would try it again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream)


def call(
    command: list[str],
    cwd: Path,
    stdout: TextIO | None = None,
    keep: int = -1,
    seconds: float | None = None,
) -> int:
    """Run a child to its end and return its exit code; it keeps an open file, if one is named.

    After so many seconds it is ended, with exit code 124.
    """
    with heeding() as start:
        child = start(command, cwd=cwd, stdout=stdout, pass_fds=() if keep < 0 else (keep,))
        try:
            code = child.wait(seconds)
        except subprocess.TimeoutExpired:
            say(f"ended after {seconds:.0f} s: {' '.join(command)}")
            child.terminate()
            with suppress(subprocess.TimeoutExpired):
                child.wait(60)
            child.kill()
            code = 124
    return code if code >= 0 else 128 - code  # ended by a signal: as shells report it


@contextmanager
def heeding() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Yield a function that starts children; at the end none of them is left.

    A signal ends this process too, once they have ended: other signals are passed on to them; an
    interrupt from the keyboard has reached them already, and is their own to answer (JupyterLab
    asks whether to stop).
    """
    received: list[int] = []
    children: list[subprocess.Popen[bytes]] = []

    def receive(number: int, frame: FrameType | None) -> None:
        received.append(number)
        for child in children if number != signal.SIGINT else ():
            child.send_signal(number)

    def start(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        try:
            child = subprocess.Popen(command, **options)
        except OSError as error:
            cure = "remove .venv, and the next call sets it up again"
            raise SetUpError(f"cannot run {command[0]} ({error.strerror}); {cure}") from error
        children.append(child)
        if received and received[0] != signal.SIGINT:
            child.send_signal(received[0])  # it came before there was a child
        return child

    # What is ignored, by `nohup` say, stays so.
    before = {number: signal.getsignal(number) for number in SIGNALS}
    heeded = [number for number in before if before[number] is not signal.SIG_IGN]
    for number in heeded:
        signal.signal(number, receive)
    try:
        yield start
    except BaseException:
        for child in children:
            child.terminate()
        raise
    finally:
        for child in children:
            child.wait()
        for number in heeded:
            signal.signal(number, before[number])
    if received:
        raise SystemExit(128 + received[0])


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
    """Whether a finished environment for exactly these files stands here, with every package."""
    try:
        made_of, *packages = STAMP.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return False
    places = (PYTHON, *(VENV / package for package in packages))
    return made_of == fingerprint() and all(map(os.path.exists, places))


def take(file: TextIO) -> bool:
    """Lock a file, unless another process has; the system frees what a dead one had."""
    try:
        if sys.platform == "win32":
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextmanager
def alone() -> Iterator[int]:
    """Wait until no other call of this script sets up; yield what a child must keep open.

    A set-up that was killed leaves an installer behind, which holds the lock until it has ended.
    """
    with LOCK.open("a") as file:
        if not take(file):
            say("another call is setting up .venv; waiting for it")
            while not take(file):
                time.sleep(0.2)
        yield -1 if sys.platform == "win32" else file.fileno()


def packages(extras: str = EXTRAS) -> list[str]:
    """Say to an installer what the lab needs, with what some of its extras do."""
    return ["--constraint", str(ROOT / "constraints.txt"), "--editable", f"{ROOT}[{extras}]"]


def installing(python: str, extras: str = EXTRAS) -> list[str]:
    """Return the command that installs the lab for a Python."""
    return [python, "-m", "pip", "install", "-qq", *packages(extras)]


def set_up(keep: int) -> None:
    """Make ``.venv`` from nothing; only a complete one gets its stamp."""
    say("setting up .venv, once; this takes about a minute")
    # The interpreter behind a virtual environment: this one may be running from the very .venv
    # that is about to go.
    base = getattr(sys, "_base_executable", sys.executable)
    uv = shutil.which("uv")
    if uv:
        make = [uv, "venv", "--quiet", "--seed", "--python", base, str(VENV)]
        install = [uv, "pip", "install", "--quiet", "--python", str(PYTHON), *packages()]
    else:
        make = [base, "-m", "venv", str(VENV)]
        install = installing(str(PYTHON))
    try:
        with suppress(OSError):
            STAMP.unlink()  # first: a half removed environment must not pass for a whole one
        if VENV.exists():
            shutil.rmtree(VENV)
    except OSError as error:
        raise SetUpError(f"cannot remove the old .venv: {error}") from error
    for command in (make, install):
        # To standard error: standard output belongs to the task, which may print JSON.
        code = call(command, ROOT, sys.stderr, keep)
        if code:
            raise SetUpError(f"set-up failed (exit code {code}): {' '.join(command)}")
    found = (str(path.relative_to(VENV)) for path in VENV.rglob("__init__.py"))
    STAMP.write_text("\n".join([fingerprint(), *found]), encoding="utf-8")


def test(arguments: list[str]) -> int:
    """Run every check, whatever the ones before it said, and sum up."""
    # One more than there are cores, as a worker waits half of its time for a browser or a kernel;
    # more than four would wait for the longest notebook.
    workers = ["-n", str(min((os.cpu_count() or 1) + 1, 4))]
    nbval = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=120"]
    # The plugin for notebooks takes seconds to import, in each worker.
    plain = [*workers, "-p", "no:nbval", "--dist=worksteal"]
    reports = {
        name: ROOT / "output" / f"{name}.xml" for name in ("pytest", "notebooks", "benchmarks")
    }
    told = {name: ["-rs", f"--junitxml={report}"] for name, report in reports.items()}
    # These have one process each; what they print is shown when the others are done.
    beside = {
        "ruff check": ["ruff", "check"],
        "ruff format": ["ruff", "format", "--check"],
        "mypy": ["mypy"],
        "benchmarks": ["pytest", *BENCHMARKS, "--smoke", *told["benchmarks"]],
        "docs": SITE,
    }
    checks = {
        "pytest": ["pytest", *plain, *told["pytest"], *arguments],
        "notebooks": [
            *("pytest", *workers, "--dist=loadfile", *nbval, *told["notebooks"], "notebooks")
        ],
    }
    for report in reports.values():
        report.unlink(missing_ok=True)
    failed = []
    with running(beside) as end_of:
        for name, command in checks.items():
            print(f"== {name}", flush=True)
            if python("-m", *command):
                failed.append(name)
        for name in beside:
            print(f"== {name}", flush=True)
            if end_of(name):
                failed.append(name)
    print("failed: " + ", ".join(failed) if failed else f"all passed: {', '.join(checks | beside)}")
    print("not run: " + "; ".join([*skipped(reports.values()), "mutants", "nightly", "full bench"]))
    return 1 if failed else 0


@contextmanager
def running(checks: dict[str, list[str]]) -> Iterator[Callable[[str], int]]:
    """Run checks meanwhile; yield a function that waits for one and shows what it has printed."""
    with ExitStack() as stack:
        outputs = {name: stack.enter_context(TemporaryFile()) for name in checks}
        start = stack.enter_context(heeding())
        children = {
            name: start([str(PYTHON), "-m", *command], cwd=ROOT, stdout=output, stderr=output)
            for (name, command), output in zip(checks.items(), outputs.values(), strict=True)
        }

        def end_of(name: str) -> int:
            code = children[name].wait()
            outputs[name].seek(0)
            print(outputs[name].read().decode(errors="replace"), end="", flush=True)
            return code

        yield end_of


def skipped(reports: Iterable[Path]) -> Iterator[str]:
    """Yield how many tests were skipped, for each reason that pytest reported."""
    skips = (
        skip.get("message", "")
        for report in reports
        if report.exists()
        for skip in ElementTree.parse(report).iter("skipped")
        if skip.get("type") == "pytest.skip"
    )
    for reason, count in Counter(skips).items():
        yield f"{count} tests ({reason})"


def is_recent(package: str) -> bool:
    """Whether this Python has a package that is as new as the lab needs it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (needed,) = (line for line in project["dependencies"] if line.startswith(f"{package}>="))
    try:
        found = metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    have, need = ([*map(int, re.findall(r"\d+", text)[:2])] for text in (found, needed))
    return have >= need


def can_answer(command: str) -> bool:
    """Whether this Python can run a command of the lab without an environment."""
    return command in AT_ONCE and all(map(is_recent, AT_ONCE[command]))


def run_task(task: str, arguments: list[str]) -> int:
    """Run one task in the environment and return its exit code."""
    if task == "test":
        return test(arguments)
    if task == "lab":
        root = f"--ServerApp.root_dir={ROOT / 'notebooks'}"
        return python("-m", "jupyterlab", root, *arguments)
    if task == "bench-app":
        notebook = str(ROOT / "notebooks" / "bench.ipynb")
        return python("-m", "voila", notebook, "--Voila.ip=127.0.0.1", *arguments)
    if task == "notebooks":
        return python("tools/execute_notebooks.py", *arguments)
    if task == "docs":
        return python("-m", *SITE, *arguments)
    if task == "mutants":
        return python("tools/mutants.py", *arguments)
    if task == "bench":
        return python("-m", "pytest", *BENCHMARKS, "-s", *arguments)  # which shows the ratios
    if task == "nightly":
        return python("-m", "tools.nightly", *arguments)
    # Files named on the command line are the user's: found from where the user stands.
    return python("-m", "streamlet_lab", task, *arguments, cwd=Path.cwd())


def main(arguments: list[str], usage: str) -> int:
    """Set up where needed, run the task, return the exit code."""
    try:
        if not arguments or arguments[0] in ("-h", "--help"):
            print(usage.strip(), flush=True)
            return 0
        if can_answer(arguments[0]):
            runpy.run_module("streamlet_lab", run_name="__main__", alter_sys=True)
        if not is_set_up():
            with alone() as keep:
                if not is_set_up():  # nor has another call done it by now
                    set_up(keep)
        return run_task(arguments[0], arguments[1:])
    except BrokenPipeError:
        discard(1)
        return 141
    except (SetUpError, OSError) as error:
        say(str(error))
        return 2
