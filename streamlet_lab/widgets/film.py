"""A result as a film: what a browser plays, as a header of plain data and columns of bytes.

Everything comes from the frames and the summary of the result, so that a loaded one can be played
too. In the tables a node is its place in ``names``, and a block its row in ``blocks``, where the
first is genesis; -1 is none, or a block that no leader proposed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from streamlet_lab.charts import series
from streamlet_lab.config import OBSERVER
from streamlet_lab.result import Result
from streamlet_lab.widgets.film_header import describe_run

#: The version of the format; a browser that reads another says so.
VERSION: Final = 1
#: A film with more arrivals of messages than these leaves them out.
MOST_ARRIVALS: Final = 400_000

_TYPES: Final = {"f8": "f64", "i4": "i32", "u2": "u16", "u1": "u8"}
_MOST: Final = 2**31 - 1

_Array = np.ndarray[Any, np.dtype[Any]]
#: Numbers as an array; texts as anything else.
_Table = dict[str, Any]


@dataclass(frozen=True)
class Film:
    """What a browser plays.

    Attributes
    ----------
    header : dict
        Plain data: what was run, its numbers, and for each column its type, the place of its bytes
        among the buffers and, of texts, those that its values are places in.
    buffers : list of bytes
        The columns, little-endian. A missing float is NaN, a missing integer -1.
    """

    header: dict[str, Any]
    buffers: list[bytes]


def make_film(result: Result) -> Film:
    """Return a result as a film; of several symbols the first is shown.

    Raises
    ------
    InvalidInput
        If the run was recorded as a summary, without frames.
    """
    places = _Places.of(result)
    known = _known(result.finality, places)
    tables = {
        "blocks": _blocks(result, places, known),
        "known": known,
        "epochs": _epochs(result, places),
    }
    has_trace = _is_playable(result)
    trace = result.trace if has_trace else result.trace.iloc[:0]
    tables["arrivals"] = _arrivals(trace, places)
    tables["votes"] = _votes(tables["arrivals"], len(places.names))
    if result.has_market:
        tables |= _market(result, tables["epochs"])
    header = {
        "version": VERSION,
        **describe_run(result),
        "names": list(places.names),
        "has_trace": has_trace,
    }
    return _pack(header, tables)


class _Places(NamedTuple):
    """Where a name is among the names, and the block of a hash among the blocks."""

    names: dict[str, int]
    blocks: dict[str, int]

    @classmethod
    def of(cls, result: Result) -> "_Places":
        names, blocks = (*result.config.node_ids, OBSERVER), result.blocks
        # Nobody names genesis where nobody proposed anything.
        genesis = blocks.loc[blocks["height"] == 1, "parent_hash"].head(1).to_list()
        hashes = [*(genesis or ["genesis"]), *blocks["block_hash"]]
        return cls(*({each: place for place, each in enumerate(all)} for all in (names, hashes)))


def _blocks(result: Result, places: _Places, known: _Table) -> _Table:
    """Return genesis and every block that a leader proposed, with what the observer knew when.

    What a block says beyond its price is known of one block of each epoch.
    """
    blocks, epochs = result.blocks, result.epochs
    count = len(places.blocks)
    table: _Table = {
        "epoch": _after(-1, _whole(blocks["epoch"])),
        "height": _after(0, _whole(blocks["height"])),
        "parent": _after(-1, _lookup(blocks["parent_hash"], places.blocks)),
        "proposer": _after(-1, _lookup(blocks["proposer"], places.names)),
        "proposed_s": _after(0.0, blocks["proposed_s"].to_numpy()),
        "votes": _after(-1, _whole(blocks["votes"])),
    }
    mine = known["node"] == places.names[OBSERVER]
    for name in ("notarized_s", "finalized_s"):
        times = np.full(count, np.nan)
        times[known["block"][mine]] = known[name][mine]
        times[0] = 0.0
        table[name] = times
    said = _lookup(epochs["block_hash"], places.blocks)
    is_said = said >= 0
    price, vwap, price_count = np.full(count, np.nan), np.full(count, np.nan), np.full(count, -1)
    claims, reasons = [""] * count, [""] * count
    if result.has_market:
        price[1:] = blocks["consensus_price"]
        vwap[said[is_said]] = epochs["vwap"].to_numpy()[is_said]
        price_count[said[is_said]] = _whole(epochs["price_count"])[is_said]
        claims[1:], reasons[1:] = blocks["claim"], blocks["reason"]
        for place, reason in zip(said.tolist(), epochs["reason"], strict=True):
            if place >= 0:
                reasons[place] = reason
    texts = {"claim": claims, "reason": reasons, "hash8": [each[:8] for each in places.blocks]}
    return table | {"price": price, "vwap": vwap, "price_count": _small(price_count)} | texts


def _known(finality: pd.DataFrame, places: _Places) -> _Table:
    """Return when each node saw which block notarized and final, in the order of the former."""
    seen = finality.sort_values("notarized_s", kind="stable")
    return {
        "node": _small(_lookup(seen["node"], places.names)),
        "block": _lookup(seen["block_hash"], places.blocks),
        **_columns(seen, "notarized_s", "finalized_s"),
    }


def _epochs(result: Result, places: _Places) -> _Table:
    epochs, config = result.epochs, result.config
    missing = np.full(len(epochs), np.nan)
    numbers = _whole(epochs["epoch"])
    said = {"true_price": "true_price", "price": "consensus_price", "vwap": "vwap"}
    return {
        "epoch": numbers,
        "start_s": numbers * (config.epoch_length / 1e6),
        "leader": _small(_lookup(epochs["leader"], places.names)),
        "block": _lookup(epochs["block_hash"], places.blocks),
        **{
            name: epochs[column].to_numpy() if result.has_market else missing
            for name, column in said.items()
        },
        **_columns(epochs, "finalized_s", "latency_s"),
    }


def _is_playable(result: Result) -> bool:
    """Whether arrivals were traced, and are not too many."""
    if not result.config.trace:
        return False
    # Without the frame itself, which takes long to make where it is too long.
    received = int(result.messages["received"].sum())
    return received <= MOST_ARRIVALS and len(result.trace) <= MOST_ARRIVALS


def _arrivals(trace: pd.DataFrame, places: _Places) -> _Table:
    """Return each first arrival of a message at a node, in the order of arrival."""
    if not trace["received_s"].is_monotonic_increasing:
        trace = trace.sort_values("received_s", kind="stable")
    return {
        "kind": _small(_lookup(trace["kind"], {"proposal": 0, "vote": 1})),
        "block": _lookup(trace["block_hash"], places.blocks),
        **{
            name: _small(_lookup(trace[name], places.names))
            for name in ("author", "sender", "receiver")
        },
        **_columns(trace, "sent_s", "received_s"),
    }


def _votes(arrivals: _Table, nodes: int) -> _Table:
    """Return each vote that arrived somewhere, once, in the order of sending.

    No copy of it leaves before the voter's own.
    """
    rows = np.flatnonzero(arrivals["kind"] == 1)
    blocks, voters = arrivals["block"][rows], arrivals["author"][rows]
    sent = arrivals["sent_s"][rows]
    order = np.lexsort((sent, voters, blocks))
    votes = (blocks[order] + 1).astype("i8") * nodes + voters[order]
    first = order[np.diff(votes, prepend=-1) != 0]
    first = first[np.argsort(sent[first], kind="stable")]
    return {"block": blocks[first], "voter": voters[first], "sent_s": sent[first]}


def _market(result: Result, epochs: _Table) -> dict[str, _Table]:
    """Return the path of the first symbol, its band, orders, trades and rejections."""
    symbol = result.symbol
    orders, trades, rejections = (
        series.of_symbol(frame, symbol)
        for frame in (result.orders, result.trades, result.rejections)
    )
    band = series.band_steps(result, symbol)
    return {
        "path": _path(epochs, orders, trades, rejections),
        "band": {
            "time_s": band["time_s"].to_numpy(),
            "reference": band["reference_price"].to_numpy(),
            **_columns(band, "low", "high"),
            "state": band["state"],
        },
        "orders": _orders(orders, epochs["block"]),
        "trades": {
            **_columns(trades, "time_s", "price"),
            "quantity": _whole(trades["quantity"]),
            "fair": trades["fair"].to_numpy("u1"),
        },
        "rejections": _rejections(rejections, orders),
    }


def _path(epochs: _Table, *frames: pd.DataFrame) -> _Table:
    """Return the true price wherever these frames know it, in the order of time."""
    times = [epochs["start_s"], *(frame["time_s"].to_numpy() for frame in frames)]
    prices = [epochs["true_price"], *(frame["true_price"].to_numpy() for frame in frames)]
    known, first = np.unique(np.concatenate(times), return_index=True)
    return {"time_s": known, "true_price": np.concatenate(prices)[first]}


def _orders(orders: pd.DataFrame, blocks: _Array) -> _Table:
    epochs = _whole(orders["reference_epoch"])
    return {
        **_columns(orders, "time_s", "price", "true_price", "reference_age_s"),
        "reference": orders["reference_price"].to_numpy(),
        "reference_block": np.where(epochs < 0, -1, blocks[epochs]),
        "side": _lookup(orders["side"], {"buy": 0, "sell": 1}).astype("u1"),
        "quantity": _whole(orders["quantity"]),
        "fair": orders["fair"].to_numpy("u1"),
        **{
            name: orders[name]
            for name in ("status", "reason", "intent", "kind", "trader", "order_id")
        },
    }


def _rejections(rejections: pd.DataFrame, orders: pd.DataFrame) -> _Table:
    """Return each time that an order was stopped, with the row of the order.

    An id may be sent again after it was refused; one order alone was accepted under it.
    """
    accepted, refused = {}, {}
    cells = zip(orders["order_id"], orders["time_s"], orders["status"], strict=True)
    for row, (order_id, time_s, status) in enumerate(cells):
        if status == "rejected":
            refused[order_id, time_s] = row
        else:
            accepted[order_id] = row
    cells = zip(rejections["order_id"], rejections["time_s"], rejections["action"], strict=True)
    rows = [
        refused[order_id, time_s] if action == "rejected" else accepted[order_id]
        for order_id, time_s, action in cells
    ]
    return {
        "order": np.array(rows, "i4"),
        **_columns(rejections, "time_s", "price", "deviation_percent", "reference_age_s"),
        "reference": rejections["reference_price"].to_numpy(),
        **{name: rejections[name] for name in ("action", "stopped", "reason", "verdict")},
    }


def _pack(header: dict[str, Any], tables: Mapping[str, _Table]) -> Film:
    """Return the film of these tables."""
    buffers: list[bytes] = []
    header["tables"] = described = {}
    for name, table in tables.items():
        columns: dict[str, Any] = {}
        for each, values in table.items():
            texts = None
            if not isinstance(values, np.ndarray):
                values, known = pd.factorize(np.asarray(values, object))
                texts = [str(text) for text in known]
                values = _small(values)
            columns[each] = {"type": _TYPES[values.dtype.str[1:]], "buffer": len(buffers)}
            if texts is not None:
                columns[each]["texts"] = texts
            buffers.append(values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes())
        described[name] = {"rows": len(values), "columns": columns}
    return Film(header, buffers)


def _columns(frame: pd.DataFrame, *names: str) -> _Table:
    """Return columns of floats."""
    return {name: frame[name].to_numpy("f8") for name in names}


def _lookup(names: "pd.Series[Any]", places: Mapping[str, int]) -> _Array:
    """Return the place of each name, -1 for what has none."""
    codes, known = pd.factorize(names)
    return np.array([places.get(name, -1) for name in known] + [-1], "i4")[codes]


def _whole(numbers: "pd.Series[Any]") -> _Array:
    """Return whole numbers, -1 for what is missing; a liar's may be beyond all bounds."""
    if numbers.dtype == "Int64":
        numbers = numbers.fillna(-1).astype("int64")
    whole: _Array = np.clip(numbers.to_numpy(), -1, _MOST).astype("i4")
    return whole


def _small(numbers: _Array) -> _Array:
    """Return whole numbers in as few bytes as they fit in."""
    low, high = (numbers.min(), numbers.max()) if len(numbers) else (0, 0)
    if low < 0 or high > 0xFFFF:
        return numbers.astype("i4")
    return numbers.astype("u1" if high <= 0xFF else "u2")


def _after(genesis: float, others: _Array) -> _Array:
    """Return a column of the blocks, with genesis before the others."""
    return np.concatenate([np.array([genesis], others.dtype), others])
