"""The command line: ``streamlet-lab`` and ``python -m streamlet_lab``.

Standard output carries the demo, or with ``--json`` one document and nothing else; progress and
messages go to standard error. A mistake in the input ends with one message and exit code 2.
"""

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import streamlet_lab as sl
from streamlet_lab import commands
from streamlet_lab.errors import StreamletLabError, shown
from streamlet_lab.interrupts import Terminated
from streamlet_lab.terminal import Parser, discard, say

#: Where the main job draws its charts unless told otherwise.
DEFAULT_CHARTS: Final = Path("output") / "charts"

_FEED_HELP: Final = (
    "'simulated', 'history', a real one such as aapl-2012, 'lobster', or a CSV file "
    "of prices such as my.csv (default: simulated)"
)
_SET_HELP: Final = (
    "any other setting by its name in a file, value as in TOML; may be repeated; "
    "example: --set prices.aggregator=median --set network.gst=5s"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, of the process's own arguments unless given, and return its exit code."""
    try:
        try:
            options = _parser().parse_args(arguments)
            code: int | None = options.command(options)
        finally:
            print(end="", flush=True)
    except BrokenPipeError:  # whoever read the output has seen enough
        discard(sys.stdout)
        return 141
    except (StreamletLabError, OSError) as error:
        # Of all that is written, only standard output has no name.
        if isinstance(error, OSError) and error.filename is None:
            error.filename = "standard output"
        say(f"streamlet-lab: error: {error}")
        try:
            print(end="", flush=True)
        except OSError:  # that was the error
            discard(sys.stdout)
        return 2
    except KeyboardInterrupt as error:
        terminated = isinstance(error, Terminated)
        say(f"streamlet-lab: {'terminated' if terminated else 'interrupted'}")
        return 143 if terminated else 130
    return code or 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="streamlet-lab",
        description="A market whose reference price is made by Byzantine fault-tolerant consensus.",
    )
    parser.add_argument("--version", action="version", version=sl.__version__)
    parsers = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def main_job(run: Parser) -> None:
        _fill_run(run)
        run.set_defaults(is_demo=False, plots=DEFAULT_CHARTS)
        run.add_argument("file", nargs="?", type=Path, help="an experiment as .toml or .json")
        run.add_argument("--save", type=Path, metavar="FILE", help="save the result as FILE (.zip)")

    summary = "run the whole system, from quotes to trades, and draw the four charts"
    example = "--epochs 120 --nodes 7 --faults node_6=crash@30 --plots charts"
    _add(parsers, "run", commands.run, summary, example, main_job)
    summary, demo = "agree on a price in each epoch and show what is finalized", _fill_run
    example = "--epochs 12 --nodes 4"
    _add(parsers, "stock-consensus", commands.stock_consensus, summary, example, demo)
    summary = "trade near the finalized price and fail far from it; charts show the default market"
    example = "--nodes 4 --feed aapl-2012"
    _add(parsers, "consensus-trading", commands.consensus_trading, summary, example, demo)
    summary = "run the bare protocol; its payloads mean nothing, so there is no --feed"
    example, demo = "--epochs 8 --faults node_3=silent_leader", partial(_fill_run, has_feed=False)
    _add(parsers, "streamlet", commands.streamlet, summary, example, demo)
    _add_documents(parsers)
    _add_searches(parsers)

    def notebooks(parser: Parser) -> None:
        parser.add_argument("folder", type=_folder, metavar="DIR", help="made if it is missing")

    summary = "copy the lessons into a folder, in which JupyterLab runs them"
    _add(parsers, "notebooks", commands.notebooks, summary, "lessons", notebooks)
    return parser


def _add_documents(parsers: Any) -> None:
    """Add the commands that make and verify documents for those who were not there."""

    def keys(parser: Parser) -> None:
        parser.add_argument("result", type=Path, help="what 'run --save' wrote")
        parser.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")

    def proof(parser: Parser) -> None:
        keys(parser)
        parser.add_argument("block", help="epoch or hash of a finalized block")

    def verify(parser: Parser) -> None:
        parser.add_argument("proof", type=Path, help="what 'proof' wrote")
        parser.add_argument("--keys", type=Path, required=True, help="what 'keys' wrote")
        parser.add_argument(
            "--allow-unsafe-quorum",
            action="store_true",
            help="accept keys with a quorum below two thirds, which proves nothing to a stranger",
        )

    summary = "write a proof that a block of a saved run is final"
    _add(parsers, "proof", commands.proof, summary, "run.zip 5 --output proof.json", proof)
    summary = "write the public keys of a saved run"
    _add(parsers, "keys", commands.keys, summary, "run.zip --output keys.json", keys)
    summary, example = "check a finality proof with public keys and nothing else", "proof.json"
    codes = "0: proven; 1: not proven; 2: not a proof, or not keys"
    _add(parsers, "verify", commands.verify, summary, f"{example} --keys keys.json", verify, codes)


def _add_searches(parsers: Any) -> None:
    """Add the commands that make many runs, or hold the protocol to what it promises."""

    def scenario(parser: Parser) -> None:
        names = ", ".join(sl.scenario_names())
        parser.add_argument("source", metavar="NAME|FILE", help=f"a file, or one of: {names}")

    def fuzz(parser: Parser) -> None:
        parser.add_argument("--runs", type=_whole, default=1_000, metavar="N", help="default: 1000")
        parser.add_argument("--seed", type=_whole, default=0, metavar="N", help="default: 0")
        parser.add_argument(
            "--save",
            type=_folder,
            metavar="DIR",
            help="write a scenario of each violation into DIR",
        )

    def sweep(parser: Parser) -> None:
        parser.add_argument(
            "study", type=Path, help="a study as .toml, which docs/many_runs.md tells of"
        )
        parser.add_argument(
            "--store",
            type=Path,
            metavar="FILE",
            help="keep each finished run in FILE at once, and go on with those that it has",
        )
        parser.add_argument(
            "--workers",
            type=_whole,
            metavar="N",
            help="make runs in N processes (default: in this)",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON document instead")
        for form in ("csv", "parquet"):
            parser.add_argument(
                f"--{form}", type=Path, metavar="FILE", help=f"write a row for each run as {form}"
            )

    summary = "make the runs of a study, several times each, and print means with intervals"
    example = "study.toml --store study.db --workers 2"
    codes = "0: all finished, and narrow enough; 1: not; 2: bad input"
    _add(parsers, "sweep", commands.sweep, summary, example, sweep, codes)
    summary = "play a worked scenario, or one of your own, and compare with what it expects"
    codes = "0: as expected; 1: not; 2: not a scenario"
    _add(parsers, "scenario", commands.scenario, summary, "B6", scenario, codes)
    summary = "search for violations with random adversaries inside the paper's model"
    codes = "0: none found; 1: some; 2: bad input"
    _add(
        parsers, "fuzz", commands.fuzz, summary, "--runs 100 --seed 7 --save findings", fuzz, codes
    )


def _add(
    parsers: Any,
    name: str,
    command: Callable[[argparse.Namespace], int | None],
    summary: str,
    example: str,
    fill: Callable[[Parser], None],
    exit_codes: str = "",
) -> None:
    """Add a command that says what it does, how it ends, and how it is called."""
    ending = f"exit code {exit_codes}. " if exit_codes else ""
    parser = parsers.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"{ending}example: streamlet-lab {name} {example}",
        fill=fill,
    )
    parser.set_defaults(command=command)


def _fill_run(parser: Parser, has_feed: bool = True) -> None:
    """Add the options of a run; what is not given stays out of the settings."""
    parser.set_defaults(is_demo=True)
    parser.add_argument("--epochs", type=_whole, metavar="N", help="length of the run")
    parser.add_argument("--nodes", type=_whole, metavar="N", help="number of nodes (default: 4)")
    parser.add_argument("--seed", type=_whole, metavar="N", help="of all randomness (default: 0)")
    of_nodes, of_sources = sl.simulator.offered_fault_kinds(), sl.source_fault_kinds()
    parser.add_argument(
        "--faults",
        metavar="LIST",
        help="faults as NODE=KIND[@START[-STOP]], separated by commas; "
        f"kinds: {', '.join(of_nodes)}; of sources: {', '.join(of_sources)}; "
        "example: node_3=crash@4,external_feed=biased",
    )
    if has_feed:
        parser.add_argument("--feed", metavar="NAME", help=_FEED_HELP)
    parser.add_argument(
        "--set", action="append", default=[], metavar="SETTING=VALUE", help=_SET_HELP
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document instead")
    parser.add_argument("--plots", type=_folder, metavar="DIR", help="write charts as PNG into DIR")


def _whole(text: str) -> int:
    if not re.fullmatch(r"[+-]?\d{1,19}", text, re.ASCII):  # `int` reads the digits of all scripts
        raise argparse.ArgumentTypeError(f"{shown(text)} is not a whole number of up to 19 digits")
    return int(text)


def _folder(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("the name of a folder is empty")
    return Path(text)
