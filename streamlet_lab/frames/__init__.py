"""Tidy frames of a run: one row one observation, in the columns of :mod:`streamlet_lab.columns`."""

from collections.abc import Callable
from functools import partial

from streamlet_lab.columns import COLUMNS, PROTOCOL_COLUMNS
from streamlet_lab.frames import price_rows, protocol_rows
from streamlet_lab.frames.market_rows import MarketRows
from streamlet_lab.frames.record import Offences as Offences
from streamlet_lab.frames.record import Record as Record
from streamlet_lab.frames.tables import LazyFrames as LazyFrames
from streamlet_lab.frames.tables import Rows


def make_frames(record: Record) -> LazyFrames:
    """Return every frame of a finished run, by name; each is made when it is first read."""
    rows: dict[str, Callable[[], Rows]] = {
        "epochs": partial(protocol_rows.epoch_rows, record),
        "prices": partial(price_rows.price_rows, record),
        "blocks": partial(protocol_rows.block_rows, record),
        "finality": partial(protocol_rows.finality_rows, record),
        "quotes": partial(price_rows.quote_rows, record),
        **MarketRows(record).makers(),
        "messages": partial(protocol_rows.message_rows, record),
        "trace": partial(protocol_rows.trace_rows, record),
        "violation": lambda: record.excerpt.rows,
        "forensics": partial(protocol_rows.offence_rows, record),
    }
    columns = COLUMNS if record.paths else PROTOCOL_COLUMNS
    return LazyFrames(columns, rows)
