"""Tidy frames of a run: one row one observation, in the columns of :mod:`streamlet_lab.columns`."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import pandas as pd

from streamlet_lab.columns import COLUMNS, PROTOCOL_COLUMNS
from streamlet_lab.frames import book_rows, order_rows, protocol_rows
from streamlet_lab.frames.order_rows import SymbolRows as SymbolRows
from streamlet_lab.frames.record import Record as Record
from streamlet_lab.frames.tables import LazyFrames, Rows, make_frame
from streamlet_lab.frames.tables import OwnCopies as OwnCopies
from streamlet_lab.frames.tables import read_frame as read_frame
from streamlet_lab.frames.tables import write_frame as write_frame

MARKET_FRAMES: Final = ("orders", "trades", "rejections", "bands")

# What yields the rows of a frame, or of several that are made together.
_ROWS: Any = {
    ("epochs",): protocol_rows.epoch_rows,
    ("prices",): protocol_rows.price_rows,
    ("blocks",): protocol_rows.block_rows,
    ("finality",): protocol_rows.finality_rows,
    ("quotes",): protocol_rows.quote_rows,
    MARKET_FRAMES: order_rows.market_rows,
    ("book", "depth"): book_rows.book_rows,
    ("messages",): protocol_rows.message_rows,
    ("trace",): protocol_rows.trace_rows,
    ("violation",): lambda record: record.excerpt.rows,
    ("forensics",): protocol_rows.offence_rows,
}


def make_frames(record: Record) -> LazyFrames:
    """Return every frame of a finished run, by name; each is made when it is first read."""
    return LazyFrames(COLUMNS if record.paths else PROTOCOL_COLUMNS, partial(_rows, record))


def make_market_frames(symbols: Sequence[SymbolRows]) -> dict[str, pd.DataFrame]:
    """Return the frames of orders, trades, rejections and bands of symbols that are read."""
    rows = zip(MARKET_FRAMES, order_rows.rows_of(symbols), strict=True)
    return {name: make_frame(COLUMNS[name], each) for name, each in rows}


def _rows(record: Record, name: str) -> dict[str, Rows]:
    (names,) = (names for names in _ROWS if name in names)
    rows = _ROWS[names](record)
    return dict(zip(names, rows, strict=True)) if len(names) > 1 else {name: rows}
