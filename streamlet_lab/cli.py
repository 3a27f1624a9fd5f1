"""The command line: ``streamlet-lab`` and ``python -m streamlet_lab``.

Standard output carries the demo, or with ``--json`` one document and nothing else; progress and
messages go to standard error. A mistake in the input ends with one message and exit code 2.
"""

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from streamlet_lab import __version__, demos
from streamlet_lab.charts import save_charts
from streamlet_lab.config import load_config
from streamlet_lab.consensus import (
    FinalityProof,
    ProofRejected,
    PublicKeys,
    verify_proof,
)
from streamlet_lab.errors import DataError, InvalidInput, StreamletLabError, shown
from streamlet_lab.experiment import Experiment, run_protocol
from streamlet_lab.files import check_archive_name, write_atomically
from streamlet_lab.fuzz import fuzz
from streamlet_lab.interrupts import Terminated
from streamlet_lab.points import with_setting
from streamlet_lab.prices import source_fault_kinds
from streamlet_lab.result import Result
from streamlet_lab.scenarios import scenario, scenario_names
from streamlet_lab.simulator import offered_fault_kinds
from streamlet_lab.terminal import Parser, discard, say, show
from streamlet_lab.texts import parse_json, parse_toml, printable, read_text

#: Where the main job draws its charts unless told otherwise.
DEFAULT_CHARTS: Final = Path("output") / "charts"

_T = TypeVar("_T")

_SETTING: Final = re.compile(r"\w+(\.[\w-]+){0,9}", re.ASCII)
_DIGITS: Final = r"\d{1,99}"
_NUMBER: Final = re.compile(
    rf"[+-]?({_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})(e[+-]?\d{{1,3}})?", re.ASCII | re.IGNORECASE
)

# Below this a run is over before anyone wonders.
_LONG_RUN: Final = 500

_FAULTS_HELP: Final = (
    "faults as NODE=KIND[@START[-STOP]], separated by commas; "
    f"kinds: {', '.join(offered_fault_kinds())}; of sources: {', '.join(source_fault_kinds())}; "
    "example: node_3=crash@4,external_feed=biased"
)
_FEED_HELP: Final = (
    "'simulated', 'history', a real one such as aapl-2012, or 'lobster' (default: simulated)"
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
    except ProofRejected as error:
        say(f"streamlet-lab: not proven: {error}")
        return 1
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
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    run = _add_run(
        commands,
        "run",
        _run,
        "run the whole system, from quotes to trades, and draw the four charts",
        "--epochs 120 --nodes 7 --faults node_6=crash@30 --plots charts",
    )
    run.set_defaults(plots=DEFAULT_CHARTS)
    run.add_argument("file", nargs="?", type=Path, help="an experiment as .toml or .json")
    run.add_argument("--save", type=Path, metavar="FILE", help="save the result as FILE (.zip)")
    summary, example = "agree on a price in each epoch and show what is finalized", "--epochs 12"
    _add_run(commands, "stock-consensus", _stock_consensus, summary, f"{example} --nodes 4", 12)
    summary = "trade near the finalized price and fail far from it; charts show the default market"
    example = "--nodes 4 --feed aapl-2012"
    _add_run(commands, "consensus-trading", _consensus_trading, summary, example, 6)
    summary = "run the bare protocol; its payloads mean nothing, so there is no --feed"
    example = "--epochs 8 --faults node_3=silent_leader"
    _add_run(commands, "streamlet", _streamlet, summary, example, 8)
    _add_documents(commands)
    _add_searches(commands)
    return parser


def _add_documents(commands: Any) -> None:
    """Add the commands that make and verify documents for those who were not there."""
    summary = "write a proof that a block of a saved run is final"
    proof = _add(commands, "proof", _proof, summary, "run.zip 5 --output proof.json")
    proof.add_argument("result", type=Path, help="what 'run --save' wrote")
    proof.add_argument("block", help="epoch or hash of a finalized block")
    summary = "write the public keys of a saved run"
    keys = _add(commands, "keys", _keys, summary, "run.zip --output keys.json")
    keys.add_argument("result", type=Path, help="what 'run --save' wrote")
    for parser in (proof, keys):
        parser.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")
    summary, example = "check a finality proof with public keys and nothing else", "proof.json"
    codes = "0: proven; 1: not proven; 2: not a proof, or not keys"
    verify = _add(commands, "verify", _verify, summary, f"{example} --keys keys.json", codes)
    verify.add_argument("proof", type=Path, help="what 'proof' wrote")
    verify.add_argument("--keys", type=Path, required=True, help="what 'keys' wrote")
    verify.add_argument(
        "--allow-unsafe-quorum",
        action="store_true",
        help="accept keys with a quorum below two thirds, which proves nothing to a stranger",
    )


def _add_searches(commands: Any) -> None:
    """Add the commands that hold the protocol to what it promises."""
    summary = "play a worked scenario, or one of your own, and compare with what it expects"
    codes = "0: as expected; 1: not; 2: not a scenario"
    scenario = _add(commands, "scenario", _scenario, summary, "B6", codes)
    names = ", ".join(scenario_names())
    scenario.add_argument("source", metavar="NAME|FILE", help=f"a file, or one of: {names}")
    summary = "search for violations with random adversaries inside the paper's model"
    codes = "0: none found; 1: some; 2: bad input"
    fuzz = _add(commands, "fuzz", _fuzz, summary, "--runs 100 --seed 7 --save findings", codes)
    fuzz.add_argument("--runs", type=_whole, default=1_000, metavar="N", help="default: 1000")
    fuzz.add_argument("--seed", type=_whole, default=0, metavar="N", help="default: 0")
    fuzz.add_argument(
        "--save", type=_folder, metavar="DIR", help="write a scenario of each violation into DIR"
    )


def _add(
    commands: Any,
    name: str,
    command: Callable[[argparse.Namespace], int | None],
    summary: str,
    example: str,
    exit_codes: str = "",
) -> argparse.ArgumentParser:
    """Add a command that says what it does, how it ends, and how it is called."""
    ending = f"exit code {exit_codes}. " if exit_codes else ""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"{ending}example: streamlet-lab {name} {example}",
    )
    parser.set_defaults(command=command)
    return parser


def _add_run(
    commands: Any,
    name: str,
    command: Callable[[argparse.Namespace], None],
    summary: str,
    example: str,
    epochs: int | None = None,
) -> argparse.ArgumentParser:
    """Add a command with the options of a run; what is not given stays out of the settings."""
    parser = _add(commands, name, command, summary, example)
    parser.set_defaults(default_epochs=epochs)
    shown = f" (default: {epochs})" if epochs else ""
    parser.add_argument("--epochs", type=_whole, metavar="N", help=f"length of the run{shown}")
    parser.add_argument("--nodes", type=_whole, metavar="N", help="number of nodes (default: 4)")
    parser.add_argument("--seed", type=_whole, metavar="N", help="of all randomness (default: 0)")
    parser.add_argument("--faults", metavar="LIST", help=_FAULTS_HELP)
    if command is not _streamlet:
        parser.add_argument("--feed", metavar="NAME", help=_FEED_HELP)
    parser.add_argument(
        "--set", action="append", default=[], metavar="SETTING=VALUE", help=_SET_HELP
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document instead")
    parser.add_argument("--plots", type=_folder, metavar="DIR", help="write charts as PNG into DIR")
    return parser


def _whole(text: str) -> int:
    if not re.fullmatch(r"[+-]?\d{1,19}", text, re.ASCII):  # `int` reads the digits of all scripts
        raise argparse.ArgumentTypeError(f"{shown(text)} is not a whole number")
    return int(text)


def _folder(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("the name of a folder is empty")
    return Path(text)


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings of a file, those that an option has, and those that were set by name."""
    _check_place("--plots", options.plots)
    file = getattr(options, "file", None)
    settings = {} if file is None else load_config(file).to_document()
    names = ("epochs", "nodes", "seed", "faults", "feed")
    given = {name: getattr(options, name, None) for name in names}
    if given["epochs"] is None:
        given["epochs"] = options.default_epochs
    settings |= {name: value for name, value in given.items() if value is not None}
    for text in options.set:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not (equals and _SETTING.fullmatch(name)):
            raise InvalidInput("--set", text, "SETTING=VALUE, such as prices.aggregator=median")
        read = _read_value(value.strip())
        try:
            settings = with_setting(settings, name, read)
        except InvalidInput as error:
            expected = f"a setting; {error.field!r} has none below it"
            raise InvalidInput("--set", text, expected) from None
    return settings


def _read_value(text: str) -> object:
    """Read a value of TOML; a word or a duration needs no quotation marks here."""
    try:
        (value,) = parse_toml(f"value = {text}").values()
        return value
    except DataError as error:
        if text.startswith(("[", "{", '"', "'")):
            raise InvalidInput("--set", text, f"a value as in TOML; {error}") from error
    except ValueError:  # more than one value
        pass
    if not _NUMBER.fullmatch(text):
        return text
    # TOML knows no .3, 1. and 010.
    return int(text) if text.lstrip("+-").isdecimal() else float(text)


def _progress(done: int, total: int, what: str = "epoch") -> None:
    if total >= _LONG_RUN and done % (total // 10) == 0:
        say(f"{what} {done} of {total}")


def _show(options: argparse.Namespace, demo: demos.Demo, ask: Callable[[], Result]) -> None:
    """Print a demo, and draw the charts of a result where they are wanted."""
    if options.json:
        print(json.dumps(demo.document, indent=2, allow_nan=False))
    else:
        show(demo.lines)
    if options.plots is not None:
        _report_files(options, save_charts(ask(), options.plots))


def _report_files(options: argparse.Namespace, paths: Sequence[Path]) -> None:
    """Say what was written, and keep standard output to the document if that was asked for."""
    names = ", ".join(path.name for path in paths)
    folder = paths[0].parent
    where = "" if folder == Path() else f" to {folder}"
    (say if options.json else print)(printable(f"Written{where}: {names}"))


def _check_place(option: str, path: Path | None, *, file: bool = False) -> None:
    """Refuse a folder, or a file, that cannot be written while nothing is lost yet."""
    if path is None:
        return
    if file and path.is_dir():
        raise InvalidInput(option, str(path), "the name of a file; this is a folder")
    folder = path.absolute().parent if file else path.absolute()
    while not folder.exists():
        folder = folder.parent
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise InvalidInput(option, str(path), f"a place that can be written to; {folder} is none")


def _run(options: argparse.Namespace) -> None:
    experiment = Experiment(**_settings(options))
    _check_place("--save", options.save, file=True)
    if options.save is not None:
        check_archive_name(options.save, "--save")
    result = experiment.run(progress=_progress)
    if options.save is not None:  # first: nobody may read the rest, and a chart may not be written
        result.save(options.save)
    _show(options, demos.whole_system(result), lambda: result)
    if options.save is not None:
        _report_files(options, [options.save])


def _stock_consensus(options: argparse.Namespace) -> None:
    result = Experiment(**_settings(options)).run(progress=_progress)
    _show(options, demos.stock_consensus(result), lambda: result)


def _consensus_trading(options: argparse.Namespace) -> None:
    experiment = Experiment(**_settings(options))
    demo = demos.consensus_trading(experiment.config, _progress)
    _show(options, demo, lambda: experiment.run(progress=_progress))


def _streamlet(options: argparse.Namespace) -> None:
    run = run_protocol(progress=_progress, **_settings(options))
    _show(options, demos.streamlet(run), lambda: run)


def _proof(options: argparse.Namespace) -> None:
    block = _read_block(options.block)
    _write(options, lambda result: result.proof(block))


def _keys(options: argparse.Namespace) -> None:
    _write(options, lambda result: result.keys)


def _read_block(text: str) -> int | str:
    if re.fullmatch(r"\d{1,8}", text, re.ASCII):
        return int(text)
    if not re.fullmatch("[0-9a-f]{64}", text):
        raise InvalidInput("block", text, "an epoch, or a hash of 64 lowercase hexadecimal digits")
    return text


def _write(
    options: argparse.Namespace, ask: Callable[[Result], FinalityProof | PublicKeys]
) -> None:
    """Write what a saved run is asked for, and not over that run or another one."""
    output: Path | None = options.output
    _check_place("--output", output, file=True)
    if output is not None and (
        output.suffix.lower() == ".zip" or output.resolve() == options.result.resolve()
    ):
        raise InvalidInput("--output", str(output), "a file other than a saved run: a .json file")
    text = ask(Result.load(options.result)).to_json()
    if output is None:
        print(text, end="")
    else:
        write_atomically(output, text.encode())


def _verify(options: argparse.Namespace) -> None:
    keys = _read_document(options.keys, PublicKeys.from_document)
    proof = _read_document(options.proof, FinalityProof.from_document)
    block = verify_proof(proof, keys, allow_unsafe_quorum=options.allow_unsafe_quorum)
    show(demos.verified(block))


def _scenario(options: argparse.Namespace) -> int:
    run = scenario(options.source).run()
    print(run)
    return 0 if run.passed else 1


def _fuzz(options: argparse.Namespace) -> int:
    _check_place("--save", options.save)
    progress = partial(_progress, what="run")
    search = fuzz(options.runs, seed=options.seed, save=options.save, progress=progress)
    print(search)
    for finding in search.findings:
        show(["", finding.scenario().text])
    if search.interrupt:
        raise search.interrupt
    return 1 if search.findings else 0


def _read_document(path: Path, read: Callable[[object], _T]) -> _T:
    """Read a document that others hand in; every error names its file."""
    document = parse_json(read_text(path), str(path))
    try:
        return read(document)
    except StreamletLabError as error:
        raise DataError(f"{path}: {error}") from error
