#!/usr/bin/env python3
"""Set up the lab and run it, with nothing but Python 3.11 or newer.

usage: python3 lab.py TASK [ARGUMENTS]

  run        the main job: one experiment, its summary and its charts
  lab        JupyterLab on the notebooks (arguments go to JupyterLab)
  bench-app  the bench alone, as a page on this machine until Ctrl-C (arguments go to Voila)
  test       everything that CI runs, on all cores (arguments go to pytest; -n 0: in one process)
  notebooks  run the notebooks again and store their outputs
  docs       the documentation as a site, in output/site (arguments go to Sphinx)
  bench      the benchmarks (arguments go to pytest)
  nightly    searches and other Pythons, 45 or 60 minutes each at most (--only PART, --seed N)
  mutants    plant bugs, one at a time, and see whether the tests notice (arguments: --only TEXT)

Any other word is a command of the lab itself:

  python3 lab.py stock-consensus --epochs 12 --nodes 4

The first task sets up .venv beside this file, which takes about a minute. --version needs none, nor
does verify where this Python has the packages cryptography and pydantic.
"""

# Any Python must be able to read this file, down to 2.7, to be told that it is too old: no syntax
# that is newer, and nothing of the lab before the version is known.
import sys

OLDEST_PYTHON = (3, 11)

if __name__ == "__main__":
    if sys.version_info < OLDEST_PYTHON:
        needed = ".".join(map(str, OLDEST_PYTHON))
        this = sys.version.split()[0]
        sys.stderr.write("lab.py: Python " + needed + " or newer is needed; this is " + this + "\n")
        sys.exit(2)
    try:
        from tools.tasks import main

        code = main(sys.argv[1:], __doc__)
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
