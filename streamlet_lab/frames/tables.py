"""From rows to frames, which are made when they are first read, and the values that rows share."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from threading import RLock
from typing import Any

import numpy as np
import pandas as pd

from streamlet_lab.columns import Column
from streamlet_lab.units import MONEY, to_seconds

#: Rows of :mod:`streamlet_lab.columns`.
Rows = Iterable[tuple[Any, ...]]


class LazyFrames(Mapping[str, pd.DataFrame]):
    """Frames that are made when they are first read, and kept; pickled, all of them are."""

    def __init__(
        self, columns: Mapping[str, Mapping[str, Column]], rows: Mapping[str, Callable[[], Rows]]
    ) -> None:
        self._columns = columns
        self._rows = dict(rows)
        self._frames: dict[str, pd.DataFrame | None] = dict.fromkeys(rows)
        self._lock = RLock()

    def __getitem__(self, name: str) -> pd.DataFrame:
        frame = self._frames[name]
        if frame is None:
            with self._lock:
                frame = self._frames[name]
                if frame is None:
                    frame = make_frame(self._columns[name], self._rows[name]())
                    self._frames[name] = frame
                    del self._rows[name]  # with what only this frame is made of
        return frame

    def __iter__(self) -> Iterator[str]:
        return iter(self._frames)

    def __len__(self) -> int:
        return len(self._frames)

    def __reduce__(self) -> tuple[type[dict[str, pd.DataFrame]], tuple[dict[str, pd.DataFrame]]]:
        return dict, (dict(self),)


def make_frame(columns: Mapping[str, Column], rows: Rows) -> pd.DataFrame:
    """Return the columns that are asked for, of rows that have them."""
    values = _by_column([*rows])
    return pd.DataFrame(
        {name: _array(values.get(name, ()), column.dtype) for name, column in columns.items()}
    )


def _by_column(rows: Sequence[Any]) -> dict[str, Sequence[Any]]:
    if not rows:
        return {}
    columns = zip(*rows, strict=True)
    values: dict[str, Sequence[Any]] = dict(zip(rows[0]._fields, columns, strict=True))
    return values | _by_column(values.get("said", ()))


def _array(data: Sequence[Any], dtype: str) -> Any:
    match dtype:
        case "str":
            return pd.array(data, dtype="str")
        case "Int64":
            missing = [value is None for value in data]
            numbers = [0 if value is None else value for value in data]
            return pd.arrays.IntegerArray(
                np.array(numbers, dtype=np.int64), np.array(missing, dtype=np.bool_)
            )
        case _:
            return np.array(data, dtype=dtype)


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


def cents(price: Decimal) -> int | None:
    """Return a price in cents; None for what does not lie on their grid."""
    scaled = price.scaleb(2, MONEY)
    whole = int(scaled)
    return whole if whole == scaled else None
