"""What each command does with its options; `cli` reads them.

The lab is asked for by the names of the package, which imports what is behind one when it is first
used: so no command waits for what only another one needs.
"""

import argparse
import json
import os
import re
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, TypeVar

import streamlet_lab as sl
from streamlet_lab.errors import DataError, InvalidInput, StreamletLabError
from streamlet_lab.files import check_archive_name, shipped_folder, write_atomically
from streamlet_lab.terminal import is_watched, say, show
from streamlet_lab.texts import parse_json, parse_toml, printable, read_text
from streamlet_lab.units import format_price

_T = TypeVar("_T")

_SETTING: Final = re.compile(r"\w+(\.[\w-]+){0,9}", re.ASCII)
_DIGITS: Final = r"\d{1,99}"
_NUMBER: Final = re.compile(
    rf"[+-]?({_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})(e[+-]?\d{{1,3}})?", re.ASCII | re.IGNORECASE
)

# The pages of docs/ are not copied with the lessons: a link to one becomes its text.
_LINK_TO_PAGE: Final = re.compile(r"\[([^\[\]]*)\]\(\.\./[^)]*\)")

# Below this a run is over before anyone wonders.
_LONG_RUN: Final = 500


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return an experiment's settings, those that an option has, and those that were set by name.

    The experiment is that of a file, or in a demo the description's.
    """
    _check_place("--plots", options.plots)
    settings: dict[str, Any] = {}
    if options.is_demo:
        settings = sl.config.given_settings(sl.description().config)
    elif options.file is not None:
        settings = sl.config.given_settings(sl.config.load_config(options.file))
    names = ("epochs", "nodes", "seed", "faults", "feed")
    given = {name: getattr(options, name, None) for name in names}
    settings |= {name: value for name, value in given.items() if value is not None}
    for text in options.set:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not (equals and _SETTING.fullmatch(name)):
            raise InvalidInput("--set", text, "SETTING=VALUE, such as prices.aggregator=median")
        read = _read_value(value.strip())
        try:
            settings = sl.config.with_setting(settings, name, read)
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


def _show(options: argparse.Namespace, demo: "sl.demos.Demo", result: "sl.Result") -> None:
    """Print a demo, and draw the charts of its result where they are wanted."""
    if options.json:
        print(json.dumps(demo.document, indent=2, allow_nan=False))
    else:
        show(demo.lines)
    if options.plots is not None:
        _report_files(options, sl.charts.save_charts(result, options.plots))


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


def run(options: argparse.Namespace) -> None:
    """Run the whole system, save it where that is wanted, and print how it went."""
    experiment = sl.Experiment(**_settings(options))
    _check_place("--save", options.save, file=True)
    if options.save is not None:
        check_archive_name(options.save, "--save")
    result = experiment.run(progress=_progress)
    if options.save is not None:  # first: nobody may read the rest, and a chart may not be written
        result.save(options.save)
    _show(options, sl.demos.whole_system(result), result)
    if options.save is not None:
        _report_files(options, [options.save])


def stock_consensus(options: argparse.Namespace) -> None:
    """Run the whole system, and print each epoch's price."""
    result = sl.Experiment(**_settings(options)).run(progress=_progress)
    _show(options, sl.demos.stock_consensus(result), result)


def consensus_trading(options: argparse.Namespace) -> None:
    """Let some orders meet the band around the finalized price, and print what becomes of them."""
    result = sl.Experiment(**_settings(options)).run(progress=_progress)
    _show(options, sl.demos.consensus_trading(result), result)


def streamlet(options: argparse.Namespace) -> None:
    """Run the bare protocol, and print what it finalizes."""
    run = sl.run_protocol(progress=_progress, **_settings(options))
    _show(options, sl.demos.streamlet(run), run)


def proof(options: argparse.Namespace) -> None:
    """Write the proof that a block of a saved run is final."""
    block = _read_block(options.block)
    _write(options, lambda result: result.proof(block))


def keys(options: argparse.Namespace) -> None:
    """Write the public keys of a saved run."""
    _write(options, lambda result: result.keys)


def _read_block(text: str) -> int | str:
    if re.fullmatch(r"\d{1,8}", text, re.ASCII):
        return int(text)
    if not re.fullmatch("[0-9a-f]{64}", text):
        raise InvalidInput("block", text, "an epoch, or a hash of 64 lowercase hexadecimal digits")
    return text


def _write(
    options: argparse.Namespace, ask: "Callable[[sl.Result], sl.FinalityProof | sl.PublicKeys]"
) -> None:
    """Write what a saved run is asked for, and not over that run or another one."""
    output: Path | None = options.output
    _check_place("--output", output, file=True)
    if output is not None and (
        output.suffix.lower() == ".zip" or output.resolve() == options.result.resolve()
    ):
        raise InvalidInput("--output", str(output), "a file other than a saved run: a .json file")
    text = ask(sl.Result.load(options.result)).to_json()
    if output is None:
        print(text, end="")
    else:
        write_atomically(output, text.encode())


def verify(options: argparse.Namespace) -> int:
    """Check a finality proof; return 1 if it proves nothing."""
    keys = _read_document(options.keys, sl.PublicKeys.from_document)
    proof = _read_document(options.proof, sl.FinalityProof.from_document)
    try:
        block = sl.verify_proof(proof, keys, allow_unsafe_quorum=options.allow_unsafe_quorum)
    except sl.consensus.ProofRejected as error:
        say(f"streamlet-lab: not proven: {error}")
        return 1
    show(_verified(block))
    return 0


def _verified(block: "sl.consensus.VerifiedBlock") -> list[str]:
    """Say what a finality proof has proven."""
    lines = [f"Final: epoch {block.epoch}, height {block.height}, block {block.block_hash.hex()}"]
    try:
        claims = sl.prices.decode_claims(block.payload)
    except sl.prices.MalformedPayload:
        return [*lines, f"Payload: {block.payload!r}"]
    for claim in claims:
        if isinstance(claim, sl.prices.PriceConsensus):
            lines += [
                f"{claim.symbol} consensus price: {format_price(claim.consensus_price)}",
                f"{claim.symbol} VWAP: {format_price(claim.volume_weighted_price)}",
            ]
    return lines


def scenario(options: argparse.Namespace) -> int:
    """Play a scenario; return 1 if a state is not what it expects."""
    run = sl.scenario(options.source).run()
    print(run)
    return 0 if run.passed else 1


def fuzz(options: argparse.Namespace) -> int:
    """Search for violations, print each as a scenario, and return 1 if there is one."""
    _check_place("--save", options.save)
    progress = partial(_progress, what="run")
    search = sl.fuzz.fuzz(options.runs, seed=options.seed, save=options.save, progress=progress)
    print(search)
    for finding in search.findings:
        show(["", finding.scenario().text])
    if search.interrupt:
        raise search.interrupt
    return 1 if search.findings else 0


def sweep(options: argparse.Namespace) -> int:
    """Make the runs of a study, and print their means.

    Files of rows are written first. Returns 1 if a run failed, or an interval is too wide.
    """
    written = {"--csv": options.csv, "--parquet": options.parquet}
    others = [path.resolve() for path in (options.study, options.store) if path is not None]
    for option, path in written.items():
        _check_place(option, path, file=True)
        if path is not None and path.resolve() in others:
            raise InvalidInput(option, str(path), "a file other than the study, its store or rows")
        others += [path.resolve()] if path is not None else []
    if options.parquet is not None and find_spec("pyarrow") is None:
        expected = "a place for what pyarrow writes: pip install 'streamlet-lab[parquet]'"
        raise InvalidInput("--parquet", str(options.parquet), expected)
    study = sl.load_study(options.study)
    progress = True if is_watched() else partial(_progress, what="run")
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)  # of a run that failed
        warnings.showwarning = lambda message, *_, **__: say(f"streamlet-lab: {message}")
        swept = sl.sweep(**study, workers=options.workers, store=options.store, progress=progress)
    try:  # files first: nobody may read the rest, which is told also where one cannot be written
        if options.csv is not None:
            write_atomically(options.csv, swept.frame.to_csv(index=False).encode())
        if options.parquet is not None:
            swept.to_parquet(options.parquet)
    finally:
        _print_sweep(swept, options.json)
    for path in filter(None, written.values()):
        _report_files(options, [path])
    if swept.interrupt:
        if options.store is not None and not options.json:
            show([f"Kept in {options.store}: the same command goes on from there"])
        raise swept.interrupt
    return 0 if swept.complete and swept.narrow else 1


def _print_sweep(swept: "sl.Sweep", as_json: bool) -> None:
    if as_json:
        print(json.dumps(_swept(swept), indent=2, allow_nan=False))
        return
    means = swept.means()
    table = means.to_string(index=False, float_format="{:.6g}".format, na_rep="-")
    lines = () if means.empty else table.splitlines()
    show([repr(swept), *map(str.rstrip, lines)])


def _swept(swept: "sl.Sweep") -> dict[str, Any]:
    """Return what a sweep has as a document, in which null stands where a number is missing."""
    tables = {"means": swept.means(), "failures": swept.failures, "engines": swept.engines}
    return {
        "settings": swept.settings,
        "measures": swept.measures,
        "planned": swept.planned,
        "finished": len(swept.frame),
        "interrupted": swept.interrupted,
        "narrow": swept.narrow,
        **{
            name: [
                {column: None if cell != cell else cell for column, cell in row.items()}
                for row in table.to_dict("records")
            ]
            for name, table in tables.items()
        },
    }


def notebooks(options: argparse.Namespace) -> None:
    """Copy the lessons into a folder, and overwrite none that is there."""
    lessons = sorted(shipped_folder("notebooks").glob("*.ipynb"))
    for lesson in lessons:
        if os.path.lexists(options.folder / lesson.name):
            expected = f"a folder without {lesson.name}, which would be overwritten"
            raise InvalidInput("DIR", str(options.folder), expected)
    for lesson in lessons:
        notebook = json.loads(read_text(lesson))
        for cell in notebook["cells"]:
            if cell["cell_type"] == "markdown":
                text = _LINK_TO_PAGE.sub(r"\1", "".join(cell["source"]))
                cell["source"] = text.splitlines(keepends=True)
        content = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
        write_atomically(options.folder / lesson.name, content.encode())
    show([f"{len(lessons)} notebooks copied into {options.folder}"])


def _read_document(path: Path, read: Callable[[object], _T]) -> _T:
    """Read a document that others hand in; every error names its file."""
    document = parse_json(read_text(path), str(path))
    try:
        return read(document)
    except StreamletLabError as error:
        raise DataError(f"{path}: {error}") from error
