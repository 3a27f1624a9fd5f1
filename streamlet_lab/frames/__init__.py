"""Tidy frames of a run: one row one observation, in the columns of :mod:`streamlet_lab.columns`."""

import pandas as pd

from streamlet_lab.checks import Excerpt
from streamlet_lab.columns import COLUMNS, PROTOCOL_COLUMNS
from streamlet_lab.frames.market import market_rows
from streamlet_lab.frames.prices import block_rows, epoch_rows, price_rows, quote_rows
from streamlet_lab.frames.protocol import (
    Offences,
    protocol_block_rows,
    protocol_epoch_rows,
    shared_rows,
)
from streamlet_lab.frames.tables import Rows, make_frame
from streamlet_lab.simulator import (
    Market,
    Recorder,
    Simulation,
    StockSimulation,
)

__all__ = ["build_frames", "build_protocol_frames"]


def build_frames(
    network: StockSimulation,
    market: Market,
    recorder: Recorder,
    excerpt: Excerpt | None,
    offences: Offences,
) -> dict[str, pd.DataFrame]:
    """Return every frame of a finished run, by name."""
    rows: dict[str, Rows] = {
        **shared_rows(network, recorder, excerpt, offences),
        "epochs": epoch_rows(network, recorder),
        "prices": price_rows(network, recorder),
        "blocks": block_rows(network, recorder),
        "quotes": quote_rows(network, recorder),
        **market_rows(network, market, recorder),
    }
    return {name: make_frame(columns, rows[name]) for name, columns in COLUMNS.items()}


def build_protocol_frames(
    simulation: Simulation,
    recorder: Recorder,
    excerpt: Excerpt | None,
    offences: Offences,
) -> dict[str, pd.DataFrame]:
    """Return every frame of a finished run of the bare protocol, by name."""
    rows: dict[str, Rows] = {
        **shared_rows(simulation, recorder, excerpt, offences),
        "epochs": protocol_epoch_rows(simulation, recorder),
        "blocks": protocol_block_rows(simulation, recorder),
    }
    return {name: make_frame(columns, rows[name]) for name, columns in PROTOCOL_COLUMNS.items()}
