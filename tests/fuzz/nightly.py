"""Search every decoder for inputs that break it, led by coverage, with atheris.

usage: cd tests; python -m fuzz.nightly [--seconds N] [--only NAME …] [--save FOLDER]

One line for each target; the exit code is 1 if anything was found, and 2 if atheris is not there
(pip install .[nightly]; on Linux, Python 3.11 to 3.13).
"""

import argparse
import io
import os
import random
import re
import sys
import tempfile
from contextlib import redirect_stderr
from importlib.util import find_spec
from itertools import count
from multiprocessing import get_context
from pathlib import Path

_LIMITS = {"seconds": 2, "mebibytes": 512}
_RUNS = re.compile(r"^stat::number_of_executed_units: (\d+)", re.MULTILINE)
_NOISE = ("INFO", "WARNING", "stat::", "0x")


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="fuzz.nightly", description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default: 60)")
    parser.add_argument("--only", action="append", metavar="NAME", help="these targets")
    parser.add_argument("--save", type=Path, default=Path("findings"), metavar="FOLDER")
    options = parser.parse_args(arguments)
    if find_spec("atheris") is None:
        print("not run: atheris is not installed: pip install .[nightly]", file=sys.stderr)
        return 2
    import atheris

    # Nothing of the lab may have been imported before.
    with (
        redirect_stderr(io.StringIO()),  # it names every module
        atheris.instrument_imports(include=["streamlet_lab"]),
    ):
        from .targets import TARGETS
    options.save.mkdir(parents=True, exist_ok=True)
    chosen = [TARGETS[name] for name in options.only or TARGETS]
    found = [target.name for target in chosen if _breaks(target, options)]
    print(f"found: {', '.join(found)}" if found else f"nothing found in {len(chosen)} decoders")
    return 1 if found else 0


def _breaks(target, options):
    """Search one target in a process of its own, say what came of it, and whether anything did."""
    found = options.save.absolute() / f"{re.sub('[^a-z]+', '-', target.name).strip('-')}.bin"
    found.write_bytes(b"")
    with tempfile.TemporaryDirectory() as corpus, tempfile.TemporaryFile("w+") as said:
        for number, seed in enumerate(target.seeds()):
            Path(corpus, str(number)).write_bytes(seed)
        flags = [
            *(f"-max_total_time={options.seconds}", f"-exact_artifact_path={found}"),
            *("-timeout=30", "-rss_limit_mb=1500", "-max_len=20000", "-len_control=0"),
            *("-mutate_depth=1", "-print_final_stats=1", "-verbosity=0"),
        ]
        child = get_context("fork").Process(
            target=_search, args=(target, [*flags, corpus], found, said)
        )
        child.start()
        child.join()
        said.seek(0)
        text = said.read()
    if not child.exitcode:
        found.unlink()
    inputs = sum(map(int, _RUNS.findall(text)))
    outcome = f"FOUND, exit code {child.exitcode}" if child.exitcode else "nothing"
    print(f"{target.name:16} {inputs:9,} inputs  {outcome}", flush=True)
    if child.exitcode:
        lines = [line for line in text.splitlines() if not line.startswith(_NOISE)]
        print(f"{found}: {found.read_bytes()[:200]!r}", *lines[-40:], sep="\n", flush=True)
    return child.exitcode != 0


def _search(target, flags, found, said):
    """Have atheris search; it ends the process."""
    import atheris

    from .guard import is_taken
    from .mutation import mutate

    for stream in (1, 2):
        os.dup2(said.fileno(), stream)
    seeds = target.seeds()

    inputs = count(1)

    def one_input(data):
        number = next(inputs)
        try:
            is_taken(target.use, data, **_LIMITS)
        except BaseException:
            found.write_bytes(data)
            print(f"stat::number_of_executed_units: {number}")
            raise

    def damage(data, most, seed):
        chance = random.Random(seed)
        if chance.random() < 0.2:
            return atheris.Mutate(data, most)
        start = chance.choice(seeds) if chance.random() < 0.4 else bytes(data)
        return mutate(start, chance, seeds)[:most]

    atheris.Setup(["fuzz", *flags], one_input, custom_mutator=damage)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
