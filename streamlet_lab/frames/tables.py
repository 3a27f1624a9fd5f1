"""From rows to frames, which are made when they are first read, and the values that rows share."""

import csv
import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import chain, islice
from operator import attrgetter
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from streamlet_lab.columns import Column
from streamlet_lab.errors import InvalidInput, StreamletLabError
from streamlet_lab.files import write_atomically
from streamlet_lab.units import to_name, to_number, to_seconds

if TYPE_CHECKING:
    import pandas as pd

#: Rows of :mod:`streamlet_lab.columns`.
Rows = Iterable[tuple[Any, ...]]
#: The same by column, where rows are many.
Columns = dict[str, Any]

# As what the values of these columns are kept until a frame is made of them.
_PLAIN: Final = {"str": "object", "Int64": "object"}


class OwnCopies(Mapping[str, "pd.DataFrame"]):
    """Frames of which everyone who reads gets a copy, so that a change in place is only theirs.

    A copy shares the data until it is changed (pandas copies on write), and so costs nothing. What
    pandas itself lets through is the ``array`` of a column.
    """

    def __init__(self, frames: Mapping[str, "pd.DataFrame"]) -> None:
        self._frames = frames

    def __getitem__(self, name: str) -> "pd.DataFrame":
        return self._frames[name].copy(deep=False)

    def __iter__(self) -> Iterator[str]:
        return iter(self._frames)

    def __len__(self) -> int:
        return len(self._frames)


class LazyColumns(Mapping[str, Any]):
    """The columns of every frame as arrays, made when they are first read, and kept.

    What is called for a frame returns its rows by its name, and those of frames that come with it.
    It is dropped with all that it holds once the columns of every frame are made.
    """

    def __init__(
        self, kinds: Mapping[str, Mapping[str, Column]], rows: Callable[[str], Mapping[str, Any]]
    ) -> None:
        self._kinds = kinds
        self._rows: Callable[[str], Mapping[str, Rows | Columns]] | None = rows
        self._made: dict[str, Any] = {}
        self._lock = RLock()

    def __getitem__(self, name: str) -> Any:
        if name not in self._made and name in self._kinds:
            with self._lock:
                if name not in self._made:
                    self._make(name)
        return self._made[name]

    def _make(self, name: str) -> None:
        assert self._rows is not None
        for each, rows in self._rows(name).items():
            self._made[each] = _read_columns(self._kinds[each], rows)
        if len(self._made) == len(self._kinds):
            self._rows = None

    def frame(self, name: str) -> "pd.DataFrame":
        """Return a frame; from then on it is kept in the place of its columns."""
        with self._lock:
            if isinstance(self[name], dict):
                self._made[name] = _to_frame(self._kinds[name], self._made[name])
            frame: pd.DataFrame = self._made[name]
        return frame

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)


class LazyFrames(Mapping[str, "pd.DataFrame"]):
    """Frames that are made when they are first read, and kept; pickled, all of them are."""

    def __init__(self, columns: LazyColumns) -> None:
        self.columns = columns

    def __getitem__(self, name: str) -> "pd.DataFrame":
        return self.columns.frame(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


def columns_of(frames: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the columns of all frames to count in; no frame is made for that."""
    if isinstance(frames, OwnCopies):
        return columns_of(frames._frames)
    return frames.columns if isinstance(frames, LazyFrames) else frames


def make_frame(kinds: Mapping[str, Column], rows: Rows | Columns) -> "pd.DataFrame":
    """Return the columns that are asked for, of rows, or of columns, that have them."""
    return _to_frame(kinds, _read_columns(kinds, rows))


def _read_columns(kinds: Mapping[str, Column], rows: Rows | Columns) -> Columns:
    values = rows if isinstance(rows, dict) else _by_column([*rows])
    return {
        name: np.asarray(values.get(name, ()), dtype=_PLAIN.get(kind.dtype, kind.dtype))
        for name, kind in kinds.items()
    }


def _to_frame(kinds: Mapping[str, Column], values: Columns) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame({name: _array(values[name], kind.dtype) for name, kind in kinds.items()})


def write_frame(frame: "pd.DataFrame") -> bytes:
    """Return a frame as the CSV that :func:`read_frame` reads."""
    return frame.to_csv(index=False, lineterminator="\n").encode()


def write_parquet(path: Path, frame: "pd.DataFrame") -> None:
    """Write a frame to a file of Parquet, which needs the extra ``parquet``."""
    try:
        import pyarrow as pyarrow
    except ImportError as error:
        message = "Parquet is written by pyarrow: pip install 'streamlet-lab[parquet]'"
        raise StreamletLabError(message) from error
    write_atomically(path, frame.to_parquet(index=False))


def read_frame(name: str, content: bytes, columns: Mapping[str, Column]) -> "pd.DataFrame":
    """Read the CSV of a frame that has exactly these columns, with what they allow in each cell.

    Raises
    ------
    InvalidInput
        If it has not.
    """
    import pandas as pd

    # The floats that were written come back; from pandas 3.1 on they do so anyway, and it says so.
    is_exact = tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1)
    exactly: Any = {} if is_exact else {"float_precision": "round_trip"}
    # Before pandas works: what it does for a row, and for a column, need not be little.
    text = io.TextIOWrapper(io.BytesIO(content), "utf-8", newline="")
    try:
        header, *first = islice(csv.reader(text), 2)
        if header != [*columns]:
            raise InvalidInput(name, header, f"the columns {', '.join(columns)}")
        if first and len(first[0]) != len(columns):
            raise InvalidInput(name, first[0], f"{len(columns)} cells in a row")
        # Else 1e300 becomes some integer.
        with np.errstate(invalid="raise"):
            frame: pd.DataFrame = pd.read_csv(
                io.BytesIO(content),
                dtype={name: column.dtype for name, column in columns.items()},
                na_values={name: [""] for name, column in columns.items() if column.dtype != "str"},
                keep_default_na=False,
                **exactly,
            )
    except InvalidInput:
        raise
    # What csv, numpy and pandas raise: a TypeError for 1.5 where there are integers.
    except (ValueError, TypeError, ArithmeticError, csv.Error) as error:
        raise InvalidInput(name, str(error), "cells of the columns' types") from error
    for each, column in columns.items():
        _check_cells(f"{name}.{each}", frame[each], column)
    return frame


def _check_cells(name: str, cells: "pd.Series[Any]", column: Column) -> None:
    allowed, known = column.allowed, cells.dropna()
    if len(known) < len(cells) and not column.optional:
        raise InvalidInput(name, None, "a value in every row")
    if isinstance(allowed, tuple):
        for text in known.unique():
            to_name(text, allowed, name)
    elif column.dtype not in ("str", "bool") and len(known):
        for end in (known.min(), known.max()):
            to_number(end, -math.inf, math.inf, name)
            if allowed is not None:
                allowed.read(end.item(), name)


def _by_column(rows: Sequence[Any]) -> Columns:
    if not rows:
        return {}
    # Not by `zip`, which has an iterator for each row: the garbage collector would look at them.
    values = {name: [row[at] for row in rows] for at, name in enumerate(rows[0]._fields)}
    return values | _by_column(values.get("said", ()))


def _array(data: Any, dtype: str) -> Any:
    import pandas as pd

    if dtype == "str":
        return pd.array(data, dtype="str")
    if dtype == "Int64":
        missing = np.array([value is None for value in data], dtype=np.bool_)
        return pd.arrays.IntegerArray(np.array([each or 0 for each in data], "int64"), missing)
    return data


def by_time(symbols: Iterable[Rows]) -> Rows:
    """Return the rows of all symbols by time; at one instant in the order of the symbols."""
    return sorted(chain.from_iterable(symbols), key=attrgetter("time_s"))


def epoch_at(time: int, length: int) -> int:
    """Return the epoch of an instant: where one ends and the next begins, the one that ends.

    At one instant everything else comes before the start of an epoch.
    """
    return (time - 1) // length


def seconds(time: int | None) -> float | None:
    """Return microseconds as seconds."""
    return None if time is None else to_seconds(time)


def dollars(amount: Decimal | None) -> float | None:
    """Return an amount as a float."""
    return None if amount is None else float(amount)
