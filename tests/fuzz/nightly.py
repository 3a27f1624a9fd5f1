"""Search every decoder for inputs that break it, led by coverage, with atheris.

usage: cd tests; python -m fuzz.nightly [--seconds N] [--only NAME] [--save FOLDER]

One process and one line for each target; the exit code is 1 if anything was found, and 2 if atheris
is not there (pip install .[nightly]; on Linux, Python 3.11 to 3.13).
"""

import argparse
import random
import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

_LIMITS = {"seconds": 2, "mebibytes": 512}
_RUNS = re.compile(r"^stat::number_of_executed_units: (\d+)", re.MULTILINE)
_SECONDS = 60
# What broke it, where its bytes are, and the bytes themselves.
_WHERE = ("==", "artifact_prefix", "Base64")


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="fuzz.nightly", description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=_SECONDS, help="for each target")
    parser.add_argument("--only", metavar="NAME", help="one target")
    parser.add_argument("--save", type=Path, default=Path("findings"), metavar="FOLDER")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if find_spec("atheris") is None:
        print("not run: atheris is not installed: pip install .[nightly]", file=sys.stderr)
        return 2
    if options.child:
        return _search(options.only, ["fuzz", *options.child.split("\n")])
    from .targets import TARGETS

    names = [name for name in TARGETS if options.only in (None, name)]
    found = [name for name in names if _run(name, TARGETS[name], options)]
    print(f"found: {', '.join(found)}" if found else f"nothing found in {len(names)} decoders")
    return 1 if found or not names else 0


def _run(name, target, options):
    """Search one target in a process of its own, and say what came of it."""
    options.save.mkdir(parents=True, exist_ok=True)
    prefix = f"{options.save.absolute()}/{re.sub('[^a-z]+', '-', name).strip('-')}-"
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(target.seeds()):
            Path(corpus, str(number)).write_bytes(seed)
        flags = [
            f"-max_total_time={options.seconds}",
            f"-artifact_prefix={prefix}",
            *(
                "-timeout=30",
                "-rss_limit_mb=1500",
                "-max_len=20000",
                "-len_control=0",
                "-mutate_depth=1",
            ),
            *("-print_final_stats=1", "-verbosity=0", corpus),
        ]
        command = [sys.executable, "-m", "fuzz.nightly", f"--only={name}"]
        command += ["--child=" + "\n".join(flags)]
        child = subprocess.run(command, capture_output=True, text=True, errors="replace")
    inputs = sum(map(int, _RUNS.findall(child.stderr)))
    print(f"{name:16} {inputs:9,} inputs  {'FOUND' if child.returncode else 'nothing'}", flush=True)
    if child.returncode:
        where = [line for line in child.stderr.splitlines() if line.startswith(_WHERE)]
        print(child.stdout[-3_000:] or child.stderr[-3_000:], *where, sep="\n", flush=True)
    return child.returncode != 0


def _search(name, arguments):
    """Have atheris search; it ends the process."""
    import atheris

    # Nothing of the lab may have been imported before.
    with atheris.instrument_imports(include=["streamlet_lab"]):
        from .guard import is_taken
        from .mutation import mutate
        from .targets import TARGETS
    target = TARGETS[name]
    seeds = target.seeds()

    def one_input(data):
        is_taken(target.use, data, **_LIMITS)

    def damage(data, most, seed):
        chance = random.Random(seed)
        if chance.random() < 0.2:
            return atheris.Mutate(data, most)
        start = chance.choice(seeds) if chance.random() < 0.4 else bytes(data)
        return mutate(start, chance, seeds)[:most]

    atheris.Setup(arguments, one_input, custom_mutator=damage)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
