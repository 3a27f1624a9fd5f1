"""From rows to frames, which are made when they are first read, and the values that rows share."""

import csv
import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import chain, islice
from operator import attrgetter
from threading import RLock
from typing import Any, Final

import numpy as np
import pandas as pd

from streamlet_lab.columns import Column
from streamlet_lab.errors import InvalidInput
from streamlet_lab.units import to_name, to_number, to_seconds

#: Rows of :mod:`streamlet_lab.columns`.
Rows = Iterable[tuple[Any, ...]]
#: The same by column, where rows are many.
Columns = dict[str, Any]

# Read from its name once: that took longer than to make a short column of it.
_TEXT: Final[Any] = pd.api.types.pandas_dtype("str")
# The floats that were written come back; from pandas 3.1 on they do so anyway, and it says so.
_IS_EXACT: Final = tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1)
_EXACTLY: Final[Any] = {} if _IS_EXACT else {"float_precision": "round_trip"}


class OwnCopies(Mapping[str, pd.DataFrame]):
    """Frames of which everyone who reads gets a copy, so that a change in place is only theirs.

    A copy shares the data until it is changed (pandas copies on write), and so costs nothing. What
    pandas itself lets through is the ``array`` of a column.
    """

    def __init__(self, frames: Mapping[str, pd.DataFrame]) -> None:
        self._frames = frames

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self._frames[name].copy(deep=False)

    def __iter__(self) -> Iterator[str]:
        return iter(self._frames)

    def __len__(self) -> int:
        return len(self._frames)


class LazyFrames(Mapping[str, pd.DataFrame]):
    """Frames that are made when they are first read, and kept; pickled, all of them are.

    What is called for a frame returns its rows by its name, and those of frames that come with it.
    It is dropped with all that it holds once every frame is made.
    """

    def __init__(
        self, columns: Mapping[str, Mapping[str, Column]], rows: Callable[[str], Mapping[str, Any]]
    ) -> None:
        self._columns = columns
        self._rows: Callable[[str], Mapping[str, Rows | Columns]] | None = rows
        self._frames: dict[str, pd.DataFrame] = {}
        self._lock = RLock()

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._frames and name in self._columns:
            with self._lock:
                if name not in self._frames:
                    self._make(name)
        return self._frames[name]

    def _make(self, name: str) -> None:
        assert self._rows is not None
        for each, rows in self._rows(name).items():
            self._frames[each] = make_frame(self._columns[each], rows)
        if len(self._frames) == len(self._columns):
            self._rows = None

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __reduce__(self) -> tuple[type[dict[str, pd.DataFrame]], tuple[dict[str, pd.DataFrame]]]:
        return dict, (dict(self),)


def make_frame(columns: Mapping[str, Column], rows: Rows | Columns) -> pd.DataFrame:
    """Return the columns that are asked for, of rows, or of columns, that have them."""
    values = rows if isinstance(rows, dict) else _by_column([*rows])
    return pd.DataFrame(
        {name: _array(values.get(name, ()), column.dtype) for name, column in columns.items()}
    )


def write_frame(frame: pd.DataFrame) -> bytes:
    """Return a frame as the CSV that :func:`read_frame` reads."""
    return frame.to_csv(index=False, lineterminator="\n").encode()


def read_frame(name: str, content: bytes, columns: Mapping[str, Column]) -> pd.DataFrame:
    """Read the CSV of a frame that has exactly these columns, with what they allow in each cell.

    Raises
    ------
    InvalidInput
        If it has not.
    """
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
                **_EXACTLY,
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


def _by_column(rows: Sequence[Any]) -> dict[str, Sequence[Any]]:
    if not rows:
        return {}
    columns = zip(*rows, strict=True)
    values: dict[str, Sequence[Any]] = dict(zip(rows[0]._fields, columns, strict=True))
    return values | _by_column(values.get("said", ()))


def _array(data: Sequence[Any], dtype: str) -> Any:
    match dtype:
        case "str":
            return pd.array(data, dtype=_TEXT, copy=False)
        case "Int64":
            missing = np.array([value is None for value in data], dtype=np.bool_)
            return pd.arrays.IntegerArray(np.array([each or 0 for each in data], "int64"), missing)
        case _:
            return np.array(data, dtype=dtype)


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
