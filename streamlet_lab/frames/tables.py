"""From rows of values to frames, and the values that several frames share."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from streamlet_lab.columns import Column
from streamlet_lab.consensus import Block, BlockTree
from streamlet_lab.simulator import Recorder
from streamlet_lab.units import MONEY, to_seconds

Rows = Iterable[tuple[Any, ...]]

#: An instant in microseconds, by which the rows of several symbols are merged, and the row.
Timed = tuple[int, tuple[Any, ...]]


def make_frame(columns: dict[str, Column], rows: Rows) -> pd.DataFrame:
    """Return rows as a frame of these columns."""
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    return pd.DataFrame(
        {
            column: _array(data, columns[column].dtype)
            for column, data in zip(columns, values, strict=True)
        }
    )


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


def times_at(records: Iterable[tuple[int, str, Block]], node: str) -> dict[bytes, int]:
    """Return when a node recorded each block, by the block's hash."""
    return {block.hash: time for time, name, block in records if name == node}


def main_proposals(recorder: Recorder, tree: BlockTree) -> dict[int, Block]:
    """Return the block of each epoch: of several the final, the notarized or the first one."""
    proposals: dict[int, Block] = {}
    for _, _, block in recorder.proposals:
        proposals.setdefault(block.epoch, block)
    for block in (*tree.notarized[1:], *tree.finalized[1:]):
        proposals[block.epoch] = block
    return proposals


def first_refusals(recorder: Recorder) -> dict[bytes, str]:
    """Return why each refused block was refused first, by its hash."""
    return {record.block.hash: record.reason for record in reversed(recorder.refusals)}


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
