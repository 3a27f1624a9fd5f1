"""The first moments of a command: what comes before the rest of the lab, and so imports nothing."""

import os
import signal
import sys


def is_command() -> bool:
    """Whether this process is the command line, rather than a program that imports the lab."""
    name = os.path.basename(sys.argv[0]) if sys.argv else ""  # noqa: PTH119
    if name == "-m":  # while Python looks for the module that it was told to run
        name = sys.orig_argv[-len(sys.argv)].removeprefix("-m")
    return name in ("streamlet_lab", "streamlet-lab", "streamlet-lab.exe")


def end_at_once() -> None:
    """Let Ctrl-C and SIGTERM end the process without a word, unless it ignores them."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
