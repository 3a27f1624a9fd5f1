"""Tidy frames of a run: one row one observation, in the columns of :mod:`streamlet_lab.columns`."""

from collections.abc import Callable
from functools import partial

from streamlet_lab.columns import COLUMNS, PROTOCOL_COLUMNS
from streamlet_lab.frames import prices, protocol
from streamlet_lab.frames.market import MarketRows
from streamlet_lab.frames.record import Offences, Record
from streamlet_lab.frames.tables import LazyFrames, Rows

__all__ = ["LazyFrames", "Offences", "Record", "make_frames"]


def make_frames(record: Record) -> LazyFrames:
    """Return every frame of a finished run, by name; each is made when it is first read."""
    rows: dict[str, Callable[[], Rows]] = {
        "epochs": partial(protocol.epoch_rows, record),
        "prices": partial(prices.price_rows, record),
        "blocks": partial(protocol.block_rows, record),
        "finality": partial(protocol.finality_rows, record),
        "quotes": partial(prices.quote_rows, record),
        **MarketRows(record).makers(),
        "messages": partial(protocol.message_rows, record),
        "trace": partial(protocol.trace_rows, record),
        "violation": lambda: record.excerpt.rows if record.excerpt else (),
        "forensics": partial(protocol.offence_rows, record),
    }
    columns = COLUMNS if record.paths else PROTOCOL_COLUMNS
    return LazyFrames(columns, rows)
