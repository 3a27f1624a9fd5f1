"""A store: one file that keeps each finished run of a sweep, so that a killed one goes on.

The file is a database of SQLite, which comes with Python: a run is in it whole or not at all,
whatever ends the process. (DuckDB reads columns faster, but is one more dependency and no better at
keeping one run after another.) A rollback journal, unlike a write-ahead log, leaves nothing beside
the file that belongs to it once a run is kept; and with ``synchronous = FULL``, SQLite's default, a
kept run outlives a power failure too.
"""

import hashlib
import json
import math
import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final, NamedTuple

from streamlet_lab.errors import DataError, shown
from streamlet_lab.texts import parse_json, printable, to_path

# What the header of the file says: whose database it is (in letters: SLAB), and its format.
_MARKS: Final = {"application_id": 0x534C4142, "user_version": 1}
_SCHEMA: Final = (
    "CREATE TABLE study (document TEXT, sha256 TEXT)",
    "CREATE TABLE runs (run INTEGER PRIMARY KEY, numbers TEXT, error TEXT, sha256 TEXT)",
)
_LEAST_BYTES: Final = 512
_NOTHING: Final = object()

_DAMAGED: Final = "no store of a sweep, or damaged"
_UNWRITABLE: Final = "cannot be written ({})"
_OF_ANOTHER: Final = {
    "version": "the store of another version",
    "code": "made by another state of the lab's code",
}
# By the code of SQLite's error, without what it adds.
_REASONS: Final = {
    sqlite3.SQLITE_BUSY: "in use: another sweep keeps its runs in it",
    **dict.fromkeys(
        (
            sqlite3.SQLITE_CANTOPEN,
            sqlite3.SQLITE_FULL,
            sqlite3.SQLITE_IOERR,
            sqlite3.SQLITE_PERM,
            sqlite3.SQLITE_READONLY,
        ),
        _UNWRITABLE,
    ),
}


class Outcome(NamedTuple):
    """What became of a run: its numbers in the order of their columns, or none and an error."""

    numbers: dict[str, float]
    error: str = ""


class Store:
    """What a sweep keeps of its runs, while it is open; see :func:`open_store`."""

    def __init__(
        self, path: Path, connection: sqlite3.Connection, columns: Collection[str], digest: str
    ) -> None:
        self._path = path
        self._connection = connection
        self._columns = columns
        self._digest = digest

    def kept(self) -> dict[int, Outcome]:
        """Return what became of the runs that were kept, by their numbers.

        Raises
        ------
        DataError
            If one is not what was kept.
        """
        with _in_our_words(self._path):
            rows = self._connection.execute(
                "SELECT run, numbers, error, sha256 FROM runs ORDER BY run"
            ).fetchall()
        kept = {}
        for run, numbers, error, digest in rows:
            if digest != _digest(self._digest, run, numbers, error):
                raise DataError(f"{self._path}: run {run} was changed after it was kept")
            kept[run] = self._read(run, numbers, error)
        return kept

    def keep(self, outcomes: Mapping[int, Outcome]) -> None:
        """Keep what became of some runs, by their numbers: of all of them, or of none.

        Raises
        ------
        DataError
            If it cannot be written, as on a full disk. What was kept before is not lost.
        """
        rows = []
        for run, (measured, error) in outcomes.items():
            # JSON has no NaN; its other numbers are read again as they were, to the last bit.
            plain = {name: None if math.isnan(value) else value for name, value in measured.items()}
            numbers = json.dumps(plain, allow_nan=False)
            rows.append((run, numbers, error, _digest(self._digest, run, numbers, error)))
        with _in_our_words(self._path), self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?)", rows)

    def _read(self, run: int, numbers: object, error: object) -> Outcome:
        """Return what a run was kept as: numbers and a text, whoever wrote them."""
        source = f"{self._path}: run {run}"
        measured = parse_json(numbers, source) if isinstance(numbers, str) else None
        if run < 0 or not isinstance(measured, dict) or not isinstance(error, str):
            raise DataError(f"{source}: not a run as it is kept")
        for name, value in measured.items():
            if name in self._columns or not (value is None or isinstance(value, float)):
                raise DataError(f"{source}: {name} is {shown(value)}, and no number of a measure")
            measured[name] = math.nan if value is None else value
        return Outcome(measured, printable(error))


@contextmanager
def open_store(path: object, study: Mapping[str, Any], columns: Collection[str]) -> Iterator[Store]:
    """Open the store of a study, or begin one, and be alone with it until this ends.

    Parameters
    ----------
    path : str or Path
        The file. Where it is a symbolic link, what it names is the store.
    study : mapping
        All that makes the runs what they are, of JSON: a store goes on with the same study only.
        Its ``"version"`` and ``"code"`` are those of the lab.
    columns : collection of str
        What a run is known by beside its number, so that nothing measured has such a name.

    Raises
    ------
    DataError
        If the file is something else or damaged, is in use, cannot be written, or is the store of
        another version or another study, with the first thing in which they differ.
    """
    file = to_path(path, "store")
    document = json.dumps(study, sort_keys=True, allow_nan=False)
    with closing(_connect(file, document)) as connection:
        yield Store(file, connection, columns, _digest(document))


def _connect(path: Path, document: str) -> sqlite3.Connection:
    """Return a connection to the store of this study, with a lock that ends with it."""
    with _in_our_words(path):
        file = Path(os.path.realpath(path))
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists() and not file.is_file():
            raise DataError(f"{path}: cannot be a store (not a file)")
        # In a file this short SQLite would begin anew. To read it would end its locks (POSIX).
        if file.exists() and 0 < file.stat().st_size < _LEAST_BYTES:
            raise DataError(f"{path}: {_DAMAGED}")
        connection = sqlite3.connect(file, timeout=0)
        try:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            with connection:
                _begin_or_check(path, connection, document)
        except BaseException:
            connection.close()
            raise
    return connection


def _begin_or_check(path: Path, connection: sqlite3.Connection, document: str) -> None:
    schema = connection.execute("SELECT sql FROM sqlite_master ORDER BY rowid").fetchall()
    marks = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in _MARKS]
    if not schema and not any(marks):
        for name, value in _MARKS.items():
            connection.execute(f"PRAGMA {name} = {value}")
        for statement in _SCHEMA:
            connection.execute(statement)
        connection.execute("INSERT INTO study VALUES (?, ?)", (document, _digest(document)))
        return
    if marks[0] != _MARKS["application_id"]:
        raise DataError(f"{path}: a database of another program")
    if marks[1] != _MARKS["user_version"]:
        raise DataError(f"{path}: a store of format {marks[1]}, written by another version")
    # A table or a trigger of somebody else's would take part in what is kept.
    sound = schema == [(statement,) for statement in _SCHEMA]
    if not sound or connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise DataError(f"{path}: {_DAMAGED}")
    rows = connection.execute("SELECT document, sha256 FROM study").fetchall()
    if len(rows) != 1 or rows[0][1] != _digest(rows[0][0]):
        raise DataError(f"{path}: {_DAMAGED}")
    if rows[0][0] != document:
        difference = _difference(parse_json(rows[0][0], str(path)), json.loads(document))
        made = _OF_ANOTHER.get(difference.partition(" ")[0], "the store of another study")
        raise DataError(f"{path}: {made}: {difference}")


def _difference(there: Any, here: Any, place: str = "") -> str:
    """Say where two documents first differ, version and code before all else, and how."""
    pairs: Iterable[tuple[object, Any, Any]] = ()
    if isinstance(there, dict) and isinstance(here, dict):
        names = sorted({*there, *here}, key=lambda name: (name != "version", name != "code", name))
        pairs = [(name, there.get(name, _NOTHING), here.get(name, _NOTHING)) for name in names]
    elif isinstance(there, list) and isinstance(here, list):
        both = zip_longest(there, here, fillvalue=_NOTHING)
        pairs = [(number, *each) for number, each in enumerate(both)]
    for name, one, other in pairs:
        if _differ(one, other):
            return _difference(one, other, f"{place}.{name}" if place else str(name))
    was, now = ("nothing" if each is _NOTHING else shown(each) for each in (there, here))
    return f"{place} is {was} in it, and {now} here"


def _differ(one: object, other: object) -> bool:
    """Whether two values are not the same: to Python 1, 1.0 and true are."""
    first, second = (json.dumps(each, sort_keys=True, default=repr) for each in (one, other))
    return first != second


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, default=repr).encode()).hexdigest()


@contextmanager
def _in_our_words(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        reason = _REASONS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, _DAMAGED)
        raise DataError(f"{path}: {reason.format(error)}") from error
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        reason = _UNWRITABLE.format(getattr(error, "strerror", None) or error)
        raise DataError(f"{path}: {reason}") from error
