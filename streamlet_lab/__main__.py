"""``python -m streamlet_lab`` is the same as ``streamlet-lab``."""

import os
import sys
from io import TextIOWrapper
from typing import NoReturn

from streamlet_lab.interrupts import Terminated, answer_once, end_at_once


def start() -> NoReturn:
    """Be the command line: an exit code and at most one line, whatever ends it."""
    try:
        # A command opens no window, whatever the environment asks for, and does not search all that
        # is installed for plugins of pydantic: a seventh of the calls until there are values.
        os.environ |= {"MPLBACKEND": "agg", "PYDANTIC_DISABLE_PLUGINS": "__all__"}
        from streamlet_lab.cli import main

        answer_once()
        if isinstance(sys.stdout, TextIOWrapper):  # what it has no character for is shown escaped
            sys.stdout.reconfigure(errors="backslashreplace")
        code = main()
        end_at_once()
    except KeyboardInterrupt as error:  # before `main` was there to answer, or when it had
        code = 143 if isinstance(error, Terminated) else 130
    sys.exit(code)


if __name__ == "__main__":
    start()
