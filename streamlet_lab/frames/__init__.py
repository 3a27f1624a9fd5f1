"""Tidy frames of a run: one row one observation, in the columns of :mod:`streamlet_lab.columns`."""

from functools import partial
from typing import Any

from streamlet_lab.columns import COLUMNS, PROTOCOL_COLUMNS
from streamlet_lab.frames import book_rows, order_rows, protocol_rows
from streamlet_lab.frames.record import Record as Record
from streamlet_lab.frames.symbol_log import SymbolLog as SymbolLog
from streamlet_lab.frames.tables import Columns, LazyColumns, LazyFrames, Rows
from streamlet_lab.frames.tables import OwnCopies as OwnCopies
from streamlet_lab.frames.tables import columns_of as columns_of
from streamlet_lab.frames.tables import read_frame as read_frame
from streamlet_lab.frames.tables import write_frame as write_frame
from streamlet_lab.frames.tables import write_parquet as write_parquet

# What gives the rows of a frame, or its columns; or the rows of several that are made together.
_ROWS: Any = {
    ("epochs",): protocol_rows.epoch_rows,
    ("prices",): protocol_rows.price_rows,
    ("blocks",): protocol_rows.block_rows,
    ("finality",): protocol_rows.finality_rows,
    ("quotes",): protocol_rows.quote_rows,
    ("orders",): order_rows.order_columns,
    ("trades",): order_rows.trade_columns,
    ("rejections",): order_rows.rejection_rows,
    ("bands",): order_rows.band_rows,
    ("book", "depth"): book_rows.book_rows,
    ("messages",): protocol_rows.message_rows,
    ("trace",): protocol_rows.trace_columns,
    ("violation",): lambda record: record.excerpt.rows,
    ("forensics",): protocol_rows.offence_rows,
}


def make_frames(record: Record) -> LazyFrames:
    """Return every frame of a finished run, by name; each is made when it is first read."""
    return LazyFrames(make_columns(record))


def make_columns(record: Record) -> LazyColumns:
    """Return the same as arrays by column: all that who only counts has to read."""
    return LazyColumns(COLUMNS if record.paths else PROTOCOL_COLUMNS, partial(_rows, record))


def _rows(record: Record, name: str) -> dict[str, Rows | Columns]:
    (names,) = (names for names in _ROWS if name in names)
    rows = _ROWS[names](record)
    return dict(zip(names, rows, strict=True)) if len(names) > 1 else {name: rows}
